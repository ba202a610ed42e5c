--- What can be asked of a running network: a row for each route. Requests are checked, answered and
-- documented from it.

local fail = require 'pact.base.fail'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local of_logs = require 'pact.control.api.log_routes'
local of_repl = require 'pact.control.repl.routes'
local text = require 'pact.base.text'
local usage = require 'pact.base.usage'

local OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

local LINES = of_logs.LINES

local M = { TWO_WAY = 'pactlua/1' }

---@class route
---@field [1] string method
---@field [2] string path; `{id}` and `{name}` take one part of it each
---@field [3] fun(network: network, request: table, ...: string): integer?, any, string? status, body and its type;
--- a table is sent as JSON; a status without a body: the head of what goes on, for HEAD (`request.head`);
--- nothing: it answers by itself
---@field summary string
---@field query? given_field[]
---@field body? given_field[]
---@field answer string what the answer with 200 is
---@field type? string of the answer, default application/json
---@field text? string the body may also be text: what of
---@field hidden? boolean ours alone
---@field upgrade? string the protocol that both sides speak behind 101; whoever doesn't ask for it is answered 426
---@field raw? boolean|'socket' its answer is given as it is, secrets and all; 'socket': but not over TCP
---@field socket_only? string why it is refused over TCP


local CODES = { unknown = 404, timeout = 408, busy = 409, EINVAL = 400 }

local function refuse(message, code)
  return CODES[code] or 409, { error = message, code = code or 'refused' }
end

---@param network network
local function service_of(network, id)
  local snapshot = network:look(id)
  if snapshot then return snapshot end
  local known = network.supervisor and network.supervisor:list() or {}
  return nil, ("no service '%s'%s"):format(id, text.suggest(id, known))
end

local function with_figures(network, snapshot)
  local sample = snapshot.pid and network.supervisor:sample(snapshot.id)
  if sample then
    snapshot.memory, snapshot.processes, snapshot.cpu_time = sample.rss, sample.procs, sample.cpu
    snapshot.cpu = usage.percent(sample.cpu, 0, snapshot.uptime or 0)
  end
  return snapshot
end

-- Who says 'all are healthy' means those that can be; who names one that can't is told.
local function waited_for(network, ids, goal)
  local named = ids and #ids > 0
  if not named then ids = network:wanted() end
  if goal ~= 'healthy' then return ids end
  local out = {}
  for _, id in ipairs(ids) do
    local snapshot = network:look(id)
    local one = snapshot and (snapshot.instances and snapshot.instances[1] or id)
    if not one or network.supervisor:service(one).health then -- as it is declared: one that waits has none yet
      out[#out + 1] = id
    elseif named then
      return nil, ("'%s' can never be healthy: it has no health check"):format(id)
    end
  end
  return out
end

-- Lists, empty ones, too.
local LISTS = { 'history', 'tags', 'waiting_for', 'blocks', 'needed_by' }

local function lists_in(answer)
  for _, name in ipairs(LISTS) do
    if answer[name] then json.array(answer[name]) end
  end
  return answer
end

-- What a table of many services needs of each, and only where there is something to tell; the rest is
-- for who asks for all of it.
local BRIEF = { 'id', 'group', 'status', 'pid', 'uptime', 'next_start_in', 'cpu', 'cpu_time', 'memory', 'processes',
  'said', 'next_run_in' }
local CALM = { running = true, completed = true }

local function brief(snapshot)
  local out = {}
  for _, name in ipairs(BRIEF) do out[name] = snapshot[name] end
  if next(snapshot.ports) then out.ports = snapshot.ports end
  if snapshot.health ~= 'none' then out.health = snapshot.health end
  if snapshot.restart_count > 0 then out.restart_count = snapshot.restart_count end
  if not CALM[snapshot.status] or snapshot.note then out.reason, out.note = snapshot.reason, snapshot.note end
  return out
end

local function act(name)
  return function(network, request, id)
    local args = list.copy(request.given)
    args.ids = { id }
    local ok, message, code = network:command(name, args, 'person')
    if not ok then return refuse(message, code) end
    return 200, { ok = true }
  end
end

local EVALUATED = { syntax = 400, raised = 422, interrupted = 422, cancelled = 409 }

-- JSON that nobody has called so is taken for Lua, and is none.
local function told_as_json(code, result)
  if result.code ~= 'syntax' or not (code and code:find '^%s*{%s*"[%w_]+"%s*:') then return end
  result.error = result.error .. "; this looks like JSON: send it with 'Content-Type: application/json', for without "
    .. 'that the body is the Lua text itself'
end

-- Who has asked and leaves takes the text's run with it.
local function evaluate(network, request)
  if not network.supervisor then return refuse('nothing runs yet', 'busy') end
  local given = request.given
  local repl = (given.session or given.width) and require 'pact.control.repl.server'
  local session = repl and repl.of(network, given.session)
  if given.session and not session then return refuse(("no session %d is open"):format(given.session), 'unknown') end
  local result = require('pact.control.repl.eval').run(network, request.text or given.code, {
    session = session,
    show = given.width and repl.shower(network, { width = given.width, colour = given.colour }),
    begun = function(task)
      network.sched:on(request.id, function(kind)
        if kind == 'gone' then network.sched:stop(task) end
      end)
    end,
  })
  network.sched:off(request.id)
  told_as_json(request.text, result)
  if result.values then json.array(result.values) end
  return result.ok and 200 or EVALUATED[result.code], result
end

local NOT_RELOADED = { recipe = 422 }

local function reload(network, request)
  local answer, message, code, problems = require('pact.control.reload').run(network, request.given)
  if answer then return 200, answer end
  local status, refusal = refuse(message, code)
  refusal.problems = problems and json.array(list.map(problems, fail.text))
  return NOT_RELOADED[code] or status, refusal
end

local TIMEOUT = { 'timeout', 'milliseconds', 'how long to wait at most' }
local WAIT = { 'wait', 'wait', 'false: the answer comes at once' }
local DEPENDENTS = { 'with_dependents', 'boolean', 'also those that depend on it' }

-- What a client that comes again has already: a browser says so in a header. A number that isn't reached yet is of an
-- earlier run: it has nothing of this one.
local function known_event(network, request)
  local word = request.headers['last-event-id']
  if request.given.since or not word or word == '' then return request.given.since or 0 end
  local known = word:find '^%d+$' and math.tointeger(word)
  if known then return known <= network.bus.seq and known or 0 end
  return nil, ('Last-Event-ID must be the number of an event, got %s'):format(text.truncate(text.show(word), 80))
end

-- All that HEAD hears of what goes on.
local function stream_head(request) return 200, nil, of_logs.wants_sse(request) and 'text/event-stream' or LINES end

local function asks_for(request, protocol)
  return list.index(text.split((request.headers.upgrade or ''):lower():gsub('%s', ''), ','), protocol) ~= nil
end

local function attach(network, request, id)
  local snapshot, message = service_of(network, id)
  if not snapshot then return refuse(message, 'unknown') end
  if snapshot.instances then
    local members = table.concat(snapshot.instances, ', ')
    return refuse(("'%s' is a group: each of %s has a terminal of its own"):format(id, members), 'group')
  end
  local ok, code
  ok, message, code = require('pact.control.terminals').possible(network.supervisor:service(id), snapshot)
  if not ok then return refuse(message, code) end
  if request.head or not asks_for(request, M.TWO_WAY) then
    local words = "a terminal goes both ways: ask with 'Connection: Upgrade' and 'Upgrade: %s', "
      .. "as 'pactlua attach %s' does"
    return 426, { code = 'upgrade', error = words:format(M.TWO_WAY, id) }, nil, { upgrade = M.TWO_WAY }
  end
  network:open_terminal(request.id, id, request.given)
end

---@type route[]
M.rows = {
  { 'GET', '/v1/status', function(network)
    return 200, network:status()
  end, summary = 'The network as a whole',
    answer = 'project, run, recipe, pid, guard, uptime, services by status, ready; '
    .. 'listens (url, token_file and allow_origin of --listen), '
    .. 'detached, leases (how many hold it), repls (they do, too), linger, ends_with_leases, '
    .. 'ends_in (after the last one)' },
  { 'GET', '/v1/services', function(network, request)
    local services = json.array {}
    for i, snapshot in ipairs(network:snapshots()) do
      if request.given.figures ~= false then with_figures(network, snapshot) end
      services[i] = request.given.brief and brief(snapshot) or snapshot
    end
    local held = network.held_by
    local holding = (network.detached or held and held.had) and network:holding() or nil
    return 200, { services = services, at = network.sys.time.wall(), project = network.project, holding = holding,
      listens = network.tcp and network.tcp:status() or nil }
  end, summary = 'All services as they are',
    answer = 'services, in the order of their start; holding, as in status, when it was left running or has leases; '
      .. 'listens, as in status',
    query = {
      { 'brief', 'boolean', 'only what there is to tell of each' },
      { 'figures', 'boolean', 'false: without processor time and memory' },
    } },
  { 'GET', '/v1/services/{id}', function(network, _, id)
    local snapshot, message = service_of(network, id)
    if not snapshot then return refuse(message, 'unknown') end
    return 200, lists_in(with_figures(network, snapshot))
  end, summary = 'A service, or a group of replicas, as it is',
    answer = 'status, health, reason, pid, ports, history …' },
  { 'GET', '/v1/services/{id}/why', function(network, _, id)
    local snapshot, message = service_of(network, id)
    if not snapshot then return refuse(message, 'unknown') end
    local ids = snapshot.instances
    if not ids then return 200, lists_in(network:why(id)) end
    snapshot.each = json.array(list.map(ids, function(one) return lists_in(network:why(one)) end))
    return 200, lists_in(snapshot)
  end, summary = 'Why a service, or each of a group of replicas, is as it is',
    answer = 'what it waits for, what it blocks, what comes next; of a group that is in each, an answer for every '
      .. 'instance' },
  { 'GET', '/v1/services/{id}/tree', function(network, _, id)
    local snapshot, message = service_of(network, id)
    if not snapshot then return refuse(message, 'unknown') end
    return 200, { tree = json.array(network:tree(id)) }
  end, summary = 'The processes of a service, or of all instances of a group',
    answer = 'tree: its processes, leader first; service says whose each is' },
  { 'GET', '/v1/services/{id}/env', function(network, _, id)
    local env, message, code = network:shown_environment(id)
    if not env then return refuse(message, code) end
    return 200, { env = env }
  end, summary = 'The environment of a service, secrets masked',
    answer = "env: variables by name; of a group, those of its first instance" },
  { 'GET', '/v1/services/{id}/surroundings', function(network, _, id)
    local surroundings, message, code = network:surroundings(id)
    if not surroundings then return refuse(message, code) end
    return 200, surroundings
  end, summary = 'What a program beside a service runs with, secrets and all',
    answer = 'env, cwd, uid, gid, groups, umask, limits; of a group, those of its first instance', raw = true,
    socket_only = 'it has secrets as they are' },
  { 'POST', '/v1/services/{id}/start', act 'start', summary = 'Starts a service and what it needs', answer = 'ok',
    body = { WAIT, TIMEOUT, { 'no_deps', 'boolean', 'without what it needs' } } },
  { 'POST', '/v1/services/{id}/stop', act 'stop', summary = 'Stops a service', answer = 'ok',
    body = { WAIT, TIMEOUT, DEPENDENTS } },
  { 'POST', '/v1/services/{id}/restart', act 'restart', summary = 'Restarts a service', answer = 'ok',
    body = { WAIT, DEPENDENTS } },
  { 'POST', '/v1/services/{id}/signal', act 'signal', summary = 'Sends a signal to a service', answer = 'ok',
    body = { { 'signal', 'signal', 'such as HUP; TERM where none is given' },
      { 'scope', 'scope', 'whom it reaches; group where none is given' } } },
  { 'POST', '/v1/services/{id}/scale', act 'scale', summary = 'Gives a group of replicas so many instances',
    answer = 'ok', body = { { 'count', 'count', 'of instances', required = true }, WAIT, TIMEOUT } },
  { 'POST', '/v1/services/{id}/send', act 'send', summary = "Writes a line to a service's standard input",
    answer = 'ok', body = { { 'text', 'text', 'the line without its newline', required = true } } },
  { 'GET', '/v1/services/{id}/attach', attach, summary = 'The terminal of a service that has one (tty = true)',
    upgrade = M.TWO_WAY,
    answer = "frames, both ways: a byte that says what follows ('b' bytes of the terminal, 'j' a message as JSON), "
      .. 'its size as two bytes, the higher one first, and so many bytes. Messages: size (columns, rows, redraw) '
      .. 'from the client; note (text), error (error), at last end (status, reason, exit_code, signal) to it', query = {
      { 'columns', 'count', "of the client's terminal" }, { 'rows', 'count', "of the client's terminal" },
    } },
  { 'GET', '/v1/addresses', function(network)
    return 200, { addresses = network:addresses() }
  end, summary = 'Where services can be reached', answer = 'addresses: variables such as WEB_URL', raw = 'socket' },
  { 'POST', '/v1/wait', function(network, request)
    local given = request.given
    local ids, never = waited_for(network, given.ids, given['for'])
    if not ids then return refuse(never, 'refused') end
    local args = { ids = ids, goal = given['for'], timeout = given.timeout }
    local ok, message, code = network:command('wait', args, 'person')
    if not ok then return refuse(message, code) end
    return 200, { ok = true }
  end, summary = 'Waits for services', answer = 'ok', body = {
    { 'ids', 'texts', 'services; without any all that are wanted' },
    { 'for', 'goal', 'ready where none is given' }, TIMEOUT,
  } },
  { 'GET', '/v1/events', function(network, request)
    local known, message = known_event(network, request)
    if not known then return 400, { error = message, code = 'EINVAL' } end
    if request.head then return stream_head(request) end
    network:open_stream(request.id, { since = known, follow = request.given.follow, sse = of_logs.wants_sse(request) })
  end, summary = 'What has happened; server-sent events for who accepts text/event-stream',
    answer = 'an event a line', type = LINES, query = {
    { 'since', 'count', 'the number (seq) of the last event that is known already; or in the header Last-Event-ID, '
      .. 'where one that is not reached yet is of an earlier run' },
    { 'follow', 'boolean', 'goes on with what happens' },
  } },
  { 'GET', '/v1/session', function(network, request)
    if not request.front then return refuse('only the front that started this network has its session', 'front') end
    if request.head then return stream_head(request) end
    network:open_session(request.id)
  end, summary = "The front's own", answer = 'messages', hidden = true },
  { 'GET', '/v1/commands', function(network)
    return 200, { commands = json.array(network:recipe_commands()) }
  end, summary = "The recipe's own commands", answer = 'commands: name and help of each' },
  { 'POST', '/v1/commands/{name}/arguments', function(network, request, name)
    local found, message, code = network:recipe_arguments(name, request.given.args or {})
    if not found then return refuse(message, code) end
    return 200, { candidates = json.array(found) }
  end, summary = "What may stand behind a command of the recipe's", answer = 'candidates: texts',
    body = { { 'args', 'texts', 'what stands there already' } } },
  { 'POST', '/v1/commands/{name}', function(network, request, name)
    local ok, result, code = network:recipe_command(name, request.given.args or {})
    if not ok then return refuse(result, code or 'failed') end
    return 200, { result = result }
  end, raw = true, summary = "Runs a command of the recipe's", answer = 'result: what it returned',
    body = { { 'args', 'texts', 'its arguments' } } },
  { 'POST', '/v1/eval', evaluate, raw = true,
    summary = "Runs Lua text in the network's own state; a body that isn't called application/json is that text itself",
    answer = 'values: each as text; output: what was printed; ms: how long it took',
    text = 'the Lua text; so is a body of any other type than application/json, or of none',
    body = {
      { 'code', 'text', 'the Lua text; an expression needs no return', required = true },
      { 'session', 'count', 'of a REPL, from its stream: what is printed goes there, and _ is kept for it' },
      { 'width', 'count', 'columns there are: values are laid out for people' },
      { 'colour', 'boolean', 'with colours, where there is a width' },
    } },
  { 'GET', '/v1/lease', function(network, request)
    return require('pact.control.leaving').hold(network, request)
  end, summary = 'Holds the network while the connection lasts: one that was left running ends with its last lease',
    answer = "a line at once (lease: 'held'), and one at the network's end (lease: 'over')",
    type = LINES },
  { 'POST', '/v1/detach', function(network, request)
    local leaving, given = require 'pact.control.leaving', request.given
    local ok, message, code = leaving.detach(network, { linger = given.linger, fresh = true })
    if not ok then return refuse(message, code) end
    return 200, { ok = true }
  end, summary = 'Leaves the network running: the front that started it ends, with status 0', answer = 'ok', body = {
    { 'linger', 'milliseconds', 'how long it stays when the last lease has gone' },
  } },
  { 'POST', '/v1/reload', reload, summary = 'Goes over to the recipe as it is written now', body = {
    { 'dry_run', 'boolean', 'only tells what would be done' },
  }, answer = 'services: those that come, go, restart or change in place, each with its fields; unchanged, network' },
  { 'POST', '/v1/shutdown', function(network, request)
    local given = request.given
    network:command('shutdown', { now = given.now, status = given.status, reason = given.reason }, 'person')
    return 200, { ok = true }
  end, summary = 'Shuts the network down', answer = 'ok', body = {
    { 'reason', 'text', 'for the journal' }, { 'now', 'boolean', 'kills at once' },
    { 'status', 'count', "of the front's exit" },
  } },
  { 'GET', '/metrics', function(network)
    return 200, require('pact.control.api.openmetrics').text(network), OPENMETRICS
  end, summary = 'Figures of all services for Prometheus and its kin', answer = 'OpenMetrics text',
    type = OPENMETRICS },
}

for _, more in ipairs { of_logs.rows, of_repl.rows } do table.move(more, 1, #more, #M.rows + 1, M.rows) end

return M
