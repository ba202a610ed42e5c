--- What begins with a colon at a REPL's prompt, as a table: commands of its own, and of the command line.

local cli = require 'pact.control.cli'
local columns = require 'pact.observe.columns'
local duration = require 'pact.base.duration'
local text = require 'pact.base.text'
local verbs = require 'pact.control.cli.verbs'

local M = {}

---@class repl_command
---@field name string
---@field args string
---@field help string
---@field verb? string[] words of the command line that it stands for
---@field ids? boolean its words are ids
---@field run? fun(repl: repl, words: string[], rest: string): integer?

local ABOUT = [[
What is typed is Lua, run in the network's own state: svc is the table of its
services, pact what recipes have. An expression needs no 'return', _ is the last
value, what isn't finished goes on in the next line. Globals are everybody's and
stay until the network ends; what is local stays until you leave, and is yours.
Names that mean something (svc, pact, Lua's own) can't be set, but 'local svc = 1'
hides one from you alone, until it is nil. Tab completes, Ctrl-R searches what was
typed before, Ctrl-C ends a call, Ctrl-D leaves.
]]

local function help(repl)
  local rows, width = {}, 0
  for _, row in ipairs(M.rows) do width = math.max(width, #row.name + #row.args + 2) end
  for i, row in ipairs(M.rows) do
    rows[i] = ('  %s  %s\n'):format(text.pad((':%s %s'):format(row.name, row.args), width), row.help)
  end
  repl:say(ABOUT .. '\n' .. table.concat(rows))
end

local function refused(repl, status, body)
  local message = type(body) == 'table' and body.error or tostring(body or 'no answer')
  repl:complain((status and '%s\n' or 'the network is gone: %s\n'):format(message))
  return 1
end

local function count_of(repl, word, what)
  local count = word and math.tointeger(tonumber(word))
  if count and count > 0 then return count end
  repl:complain(("%s: a number expected, got '%s'\n"):format(what, word))
end

-- The last so many, without those that come.
local function recent_events(repl, count)
  local lines = {}
  repl:wait(function(done)
    return repl.link:stream('/v1/events', { line = function(line) lines[#lines + 1] = line end, ended = done })
  end)
  for i = math.max(#lines - count + 1, 1), #lines do repl:event(lines[i]) end
end

local function events(repl, words)
  local word = words[1]
  if word == 'off' or repl.events and not word then
    repl:say(repl:follow(false) and 'events are no longer shown\n' or "events aren't shown; ':events' shows them\n")
  elseif word then
    local count = count_of(repl, word, ':events')
    if count then recent_events(repl, count) end
  else
    local status, body = repl.link:ask('GET', '/v1/status')
    if status ~= 200 then return refused(repl, status, body) end
    repl:follow(body.last_event)
    repl:say("events are shown as they come; Ctrl-C or ':events off' ends that\n")
  end
end

-- What services write, as it comes.
local function tail(repl, words)
  if words[1] == 'off' or repl.following and not words[1] then
    local was = repl:unfollow()
    return repl:say(was and 'no log is followed any more\n' or "no log is followed; ':tail ID' begins\n")
  end
  local paint = require('pact.observe.style').new(repl.terminal.colour)
  local places, width, seen = {}, 0, 0
  repl:follow_logs(words, function(line)
    local id = line.service
    if not id then return repl:complain((line.error or 'no answer') .. '\n') end
    if not places[id] then places[id], seen = seen + 1, seen + 1 end
    width = math.max(width, #id)
    repl:say(paint:prefix(places[id], id, width, line.stream == 'stderr') .. (line.text or '') .. '\n')
  end)
end

local HOOKS = { 'EVENT', 'SERVICE', 'PLACE', 'RAN', 'LAST' }

local function hooks(repl)
  local status, body = repl.link:ask('GET', '/v1/hooks')
  if status ~= 200 then return refused(repl, status, body) end
  if #body.hooks == 0 then return repl:say 'no hooks\n' end
  local rows = { HOOKS }
  for _, it in ipairs(body.hooks) do
    rows[#rows + 1] = {
      it.event, it.service or '', ('%s:%d'):format(it.file, it.line),
      it.runs == 0 and 'never' or text.plural(math.tointeger(it.runs), 'time'),
      it.ran_ago and duration.short(math.tointeger(it.ran_ago)) .. ' ago' or it.off and 'off' or '',
    }
  end
  repl:say(columns.render(rows, { width = repl.sys.text.width, limit = repl:limit() }))
end

local function time(repl, _, code)
  if code == '' then return repl:complain ':time needs an expression, such as :time pact.sleep(100)\n' end
  repl:evaluate(code, true)
end

-- A command of the command line, as if it had been typed there for this network.
local function as_verb(repl, row, words)
  local line = table.move(row.verb, 1, #row.verb, 1, {})
  table.move(words, 1, #words, #line + 1, line)
  local invocation, message = cli.parse(line, {
    now = repl.sys.time.wall(), exists = function() return false end,
  })
  if invocation and invocation.help then
    return repl:say(require('pact.control.verbs.help').verb(verbs.by_name[invocation.verb]))
  end
  message = message or invocation.options.follow and "':tail' follows what services write"
  if message then
    repl:complain(message .. '\n')
    return 2
  end
  invocation.options.project = repl.project
  local verb = verbs.by_name[invocation.verb]
  return require('pact.control.verbs.' .. verb.module).run(setmetatable({
    invocation = invocation, live = { link = repl.link, dir = repl.dir, loop = repl.sched },
    out = function(words_) repl:say(words_) end,
    err = function(words_) repl:complain((words_:gsub('^pactlua: ', ''))) end,
  }, { __index = repl.context }))
end

---@type repl_command[]
M.rows = {
  { name = 'help', args = '', help = 'this', run = help },
  { name = 'ps', args = '[ID…]', help = 'services as a table', verb = { 'ps' }, ids = true },
  { name = 'tree', args = '[ID…]', help = 'with their processes', verb = { 'ps', '--tree' }, ids = true },
  { name = 'why', args = 'ID', help = 'why a service is as it is', verb = { 'why' }, ids = true },
  { name = 'logs', args = '[ID…]', help = 'what services wrote; -n N, --since T, --grep TEXT', verb = { 'logs' },
    ids = true },
  { name = 'tail', args = '[ID…|off]', help = 'what services write until Ctrl-C', run = tail, ids = true },
  { name = 'env', args = '[ID]', help = 'addresses, or the environment of a service', verb = { 'env' }, ids = true },
  { name = 'events', args = '[N|off]', help = 'events as they come, until Ctrl-C; or the last N', run = events },
  { name = 'hooks', args = '', help = 'hooks, where they are written, when they ran', run = hooks },
  { name = 'time', args = 'EXPR', help = 'how long it takes', run = time },
  { name = 'reload', args = '[--dry-run]', help = 'go over to the recipe as it is written now', verb = { 'reload' } },
  { name = 'clear', args = '', help = 'an empty screen', run = function(repl) repl.sys.edit.clear() end },
  { name = 'quit', args = '', help = 'leave; the network goes on', run = function(repl) repl:leave(0) end },
}

M.by_name = {}
for _, row in ipairs(M.rows) do M.by_name[row.name] = row end

-- `:h`, `:q`: what is meant as long as only one begins so.
local function find(name)
  if M.by_name[name] then return M.by_name[name] end
  local found = {}
  for _, row in ipairs(M.rows) do
    if name ~= '' and text.starts_with(row.name, name) then found[#found + 1] = row end
  end
  return #found == 1 and found[1] or nil
end

local function names()
  local out = {}
  for i, row in ipairs(M.rows) do out[i] = row.name end
  return out
end

---@param line string
---@return repl_command? command, string message_or_rest what is wrong, or what stands behind the name
function M.read(line)
  local name, rest = line:match '^%s*:%s*(%S*)%s*(.-)%s*$'
  local row = find(name)
  if row then return row, rest end
  local near = text.suggest(name, names())
  return nil, ("no command ':%s'%s"):format(name, near ~= '' and near:gsub("'(.-)'", "':%1'") or "; ':help' shows them")
end

---In a task.
---@param repl repl
---@param line string
---@return integer? status other than 0: it failed
function M.run(repl, line)
  local row, rest = M.read(line)
  if not row then
    repl:complain(rest .. '\n')
    return 2
  end
  local words = text.words(rest)
  if row.run then return row.run(repl, words, rest) end
  return as_verb(repl, row, words)
end

---What may stand at the end of a line that begins with a colon.
---@param before string the line up to the cursor
---@return { from: integer, candidates: table[] }? found
---@return integer? ids_from where an id begins: ids are candidates
function M.complete(before)
  local colon, name = before:match '^%s*():([%a]*)$'
  if not colon then
    local typed, at = before:match '^%s*:(%a+)%s.-()%S*$'
    local row = typed and find(typed)
    return nil, row and row.ids and at or nil
  end
  local out = {}
  for _, row in ipairs(M.rows) do
    if text.starts_with(row.name, name) then
      out[#out + 1] = { text = row.name .. (row.args ~= '' and ' ' or ''), label = ':' .. row.name }
    end
  end
  return { from = colon + 1, candidates = out }
end

return M
