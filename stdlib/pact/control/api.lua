--- The control protocol as a table of routes. An answer is JSON; a refusal has `error` and `code`.

local eval = require 'pact.control.eval'
local json = require 'pact.base.json'
local text = require 'pact.base.text'

local M = {}

local CODES = { unknown = 404, timeout = 408, busy = 409 }

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
    snapshot.cpu, snapshot.memory, snapshot.processes = sample.cpu, sample.rss, sample.procs
  end
  return snapshot
end

-- What a table of many services needs of each, and only where there is something to tell; the rest is
-- for who asks for all of it.
local BRIEF = { 'id', 'group', 'status', 'pid', 'uptime', 'next_start_in', 'cpu', 'memory', 'said', 'next_run_in' }
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

local function by_name(options)
  return function(name)
    return function(network, request, id)
      local args = options(request)
      args.ids = { id }
      local ok, message, code = network:command(name, args, 'person')
      if not ok then return refuse(message, code) end
      return 200, { ok = true }
    end
  end
end

local act = by_name(function(request)
  local body = request.json or {}
  return {
    signal = body.signal, scope = body.scope, no_deps = body.no_deps, with_dependents = body.with_dependents,
    wait = body.wait, timeout = body.timeout, count = body.count, text = body.text,
  }
end)

local EVALUATED = { syntax = 400, raised = 422, interrupted = 422, cancelled = 409 }

-- Who has asked and leaves takes the text's run with it.
local function evaluate(network, request)
  local code = request.text or request.json and request.json.code
  if type(code) ~= 'string' then
    return 400, { error = "body: 'code' must be Lua text, or the body the text itself", code = 'EINVAL' }
  end
  if not network.supervisor then return refuse('nothing runs yet', 'busy') end
  local result = eval.run(network, code, function(task)
    network.sched:on(request.id, function(kind)
      if kind == 'gone' then network.sched:stop(task) end
    end)
  end)
  network.sched:off(request.id)
  if result.values then json.array(result.values) end
  return result.ok and 200 or EVALUATED[result.code], result
end

-- { method, pattern, handler(network, request, captures…) → status, table }; the first that fits answers.
-- A handler that answers by itself (a stream) returns nothing.
local routes = {
  { 'GET', '^/v1/status$', function(network)
    return 200, network:status()
  end },
  { 'GET', '^/v1/services$', function(network, request)
    local services = json.array {}
    for i, snapshot in ipairs(network:snapshots()) do
      if request.query.figures ~= '0' then with_figures(network, snapshot) end
      services[i] = request.query.brief == '1' and brief(snapshot) or snapshot
    end
    return 200, { services = services, at = network.sys.time.wall(), project = network.project }
  end },
  { 'GET', '^/v1/services/([^/]+)$', function(network, _, id)
    local snapshot, message = service_of(network, id)
    if not snapshot then return refuse(message, 'unknown') end
    return 200, with_figures(network, snapshot)
  end },
  { 'GET', '^/v1/services/([^/]+)/why$', function(network, _, id)
    local snapshot, message = service_of(network, id)
    if not snapshot then return refuse(message, 'unknown') end
    return 200, network:why(snapshot.instances and snapshot.instances[1] or id)
  end },
  { 'GET', '^/v1/services/([^/]+)/tree$', function(network, _, id)
    local snapshot, message = service_of(network, id)
    if not snapshot then return refuse(message, 'unknown') end
    return 200, { tree = json.array(network:tree(id) or {}) }
  end },
  { 'POST', '^/v1/services/([^/]+)/start$', act 'start' },
  { 'POST', '^/v1/services/([^/]+)/stop$', act 'stop' },
  { 'POST', '^/v1/services/([^/]+)/restart$', act 'restart' },
  { 'POST', '^/v1/services/([^/]+)/signal$', act 'signal' },
  { 'POST', '^/v1/services/([^/]+)/scale$', act 'scale' },
  { 'POST', '^/v1/services/([^/]+)/send$', act 'send' },
  { 'GET', '^/v1/services/([^/]+)/env$', function(network, _, id)
    local env, message, code = network:shown_environment(id)
    if not env then return refuse(message, code) end
    return 200, { env = env }
  end },
  { 'GET', '^/v1/services/([^/]+)/surroundings$', function(network, _, id)
    local surroundings, message, code = network:surroundings(id)
    if not surroundings then return refuse(message, code) end
    return 200, surroundings
  end },
  { 'GET', '^/v1/addresses$', function(network)
    return 200, { addresses = network:addresses() }
  end },
  { 'POST', '^/v1/wait$', function(network, request)
    local body = request.json or {}
    local ids = body.ids and #body.ids > 0 and body.ids or network:wanted()
    local args = { ids = ids, goal = body['for'], timeout = body.timeout }
    local ok, message, code = network:command('wait', args, 'person')
    if not ok then return refuse(message, code) end
    return 200, { ok = true }
  end },
  { 'GET', '^/v1/events$', function(network, request, _)
    network:open_stream(request.id, {
      since = math.tointeger(request.query.since) or 0,
      follow = request.query.follow == '1',
    })
  end },
  { 'GET', '^/v1/session$', function(network, request)
    if not request.front then return refuse('only the front that started this network has its session', 'front') end
    network:open_session(request.id)
  end },
  { 'GET', '^/v1/commands$', function(network)
    return 200, { commands = json.array(network:recipe_commands()) }
  end },
  { 'POST', '^/v1/commands/(.+)$', function(network, request, name)
    local ok, result, code = network:recipe_command(name, request.json and request.json.args or {})
    if not ok then return refuse(result, code or 'failed') end
    return 200, { result = result }
  end },
  { 'POST', '^/v1/eval$', function(network, request)
    return evaluate(network, request)
  end, text = true },
  { 'POST', '^/v1/shutdown$', function(network, request)
    local body = request.json or {}
    network:command('shutdown', { now = body.now, status = body.status, reason = body.reason }, 'person')
    return 200, { ok = true }
  end },
}

local function find(method, path)
  local other
  for _, route in ipairs(routes) do
    local captures = table.pack(path:match(route[2]))
    if captures[1] then
      if route[1] == method then return route, captures end
      other = route[1]
    end
  end
  return nil, other
end

local function answer(network, id, status, body)
  if not status then return end
  network.sys.ctl.respond(id, status, { ['content-type'] = 'application/json' },
    json.encode(body, { lenient = true }) .. '\n')
end

---Runs as a task: a handler may wait.
---@param network network
---@param id integer the request
---@param request sys.ctl_request
function M.handle(network, id, request)
  local route, captures = find(request.method, request.path)
  if not route then
    if captures then return answer(network, id, 405, { error = ('%s only'):format(captures), code = 'method' }) end
    return answer(network, id, 404, { error = ("no such thing: %s"):format(request.path), code = 'unknown' })
  end
  if route.text and not (request.headers['content-type'] or ''):find '^application/json' then
    request.text = request.body or ''
  elseif request.body and request.body ~= '' then
    local body, message = json.decode(request.body)
    if type(body) ~= 'table' then
      return answer(network, id, 400, { error = ('body: %s'):format(message or 'an object expected'), code = 'json' })
    end
    request.json = body
  end
  request.id = id
  answer(network, id, route[3](network, request, table.unpack(captures, 1, captures.n)))
end

---@param network network
---@param id integer
---@param request sys.ctl_request
function M.serve(network, id, request)
  network.sched:spawn(function()
    M.handle(network, id, request)
  end, {
    name = ('%s %s'):format(request.method, request.path),
    on_error = function(message)
      answer(network, id, 500, { error = message, code = 'internal' })
    end,
  })
end

return M
