--- A person (or a script) at a live network's Lua state: asks for lines, has them run, shows what comes of it.

local chunk = require 'pact.control.repl.chunk'
local commands = require 'pact.control.repl.commands'
local following = require 'pact.control.repl.following'
local history = require 'pact.control.repl.history'
local json = require 'pact.base.json'
local terminal = require 'pact.control.repl.terminal'

local M = {}

local NO_NETWORK = 4
local ENDS_WITH_YOU = ':help tells what there is; the network ends with its last lease and with you'

---@class repl_context
---@field context main_context
---@field sched sched
---@field link client
---@field dir? { path: string, project: string }
---@field leave fun(status: integer) the last that is heard of it
---@field greet? string

---@class repl
---@field sys sys
---@field link client
---@field project string
local Repl = setmetatable({}, { __index = following })
Repl.__index = Repl

---@param opts repl_context
---@return repl
function M.start(opts)
  local context = opts.context
  local self = setmetatable({
    context = context, sys = context.sys, sched = opts.sched, link = opts.link, dir = opts.dir, on_leave = opts.leave,
    greet = opts.greet, chunk = chunk.new(), heard = 0, interrupts = 0, waiting = {},
  }, Repl)
  self.terminal = terminal.new(self.sys, self.sched, context.env, {
    line = function(line) self:line(line) end,
    ended = function() self:input_ended() end,
    tab = function(line, cursor) self:tab(line, cursor) end,
    lost = function(message, code) self:output_lost(message, code) end,
  })
  if self.terminal.prompts then self:remember_earlier() end
  self:listen()
  self.link:stream('/v1/repl', {
    line = function(line) self:message(json.decode(line)) end,
    ended = function(why) self:network_gone(why) end,
    status = function(status) self.refused = status ~= 200 and status or nil end,
  })
  return self
end

function Repl:remember_earlier()
  self.history = history.new(self.sys, self.sched, self.context.env)
  for _, entry in ipairs(self.history and self.history:read() or {}) do
    if not entry:find('\0', 1, true) then self.sys.edit.remember(entry) end
  end
end

function Repl:listen()
  self.sched:on_signal('INT', function() self:interrupt() end)
  self.sched:on_signal('QUIT', function() self:leave(256 + self.sys.os.signals.QUIT) end)
  if not self.terminal.editing then return end
  for name, act in pairs { WINCH = 'resize', TSTP = 'suspend', CONT = 'resume' } do
    self.sched:on_signal(name, function()
      if not self.left then self.sys.edit[act]() end -- the line is closed already when it leaves
    end)
  end
end

function Repl:say(words) self.terminal:say(words) end
function Repl:complain(words) self.terminal:complain(words) end
function Repl:limit() return self.terminal.prompts and self.terminal:width() or nil end

-- As of other programs: a pipe that nobody reads and a terminal that is gone are worth no word, a full disk is.
local QUIET = { EPIPE = 'PIPE', EIO = 'HUP' }

function Repl:output_lost(message, code)
  if self.left then return end
  if QUIET[code] then return self:leave(256 + self.sys.os.signals[QUIET[code]]) end
  self.sys.os.write(2, ('pactlua: repl: %s\n'):format(message))
  self:leave(1)
end

---Leaves; the network goes on.
---@param status integer
function Repl:leave(status)
  if self.left then return end
  self.left = true
  self.terminal:close()
  self.on_leave(status)
end

-- the network's end of it --------------------------------------------------------------------------

local messages = {}

function Repl:message(message)
  if type(message) ~= 'table' or self.left then return end
  self.heard = self.heard + 1
  local handler = messages[message.type]
  if handler then handler(self, message) end
  self:show_results()
end

function messages.hello(self, message)
  self.session, self.project = message.session, message.project
  if self.greet and self.terminal.prompts then
    self:say((message.ends_with_leases and ENDS_WITH_YOU or self.greet) .. '\n')
  end
  if self.terminal.lacks then self:say(self.terminal.lacks .. '\n') end
  self:ask()
end

function messages.output(self, message) self:say(message.text) end

-- A line has called os.exit, which means this process.
function messages.leave(self, message) self:leave(math.tointeger(message.status) or 0) end

messages['end'] = function(self, message) self.ended = message end

-- What a script has still to do can't be done: that is seen when it has another line.
function Repl:network_gone(why)
  if self.left then return end
  self.gone = true
  if self.refused then
    self:complain 'pactlua: repl: the network has not started yet\n'
    return self:leave(1)
  end
  self.sys.edit.cancel ''
  if not self.ended then
    self:complain(('the network is gone: %s\n'):format(why or 'it has ended without a word'))
    return self:leave(NO_NETWORK)
  end
  local reason = (self.ended.reason or '') ~= '' and ': ' .. self.ended.reason or ''
  if self.terminal.person then
    self:say(('the network has ended%s\n'):format(reason))
    return self:leave(0)
  end
  if not self.busy then return self:ask() end
  self:complain(('pactlua: repl: the network has ended before a call had%s\n'):format(reason))
  self:leave(NO_NETWORK)
end

-- lines --------------------------------------------------------------------------------------------

function Repl:ask()
  if self.left then return end
  self.busy = nil
  self.terminal:ask(self.project or 'pactlua', self.chunk:begun())
end

---@param line string
function Repl:line(line)
  self.interrupts = 0
  if self.gone then
    self:complain 'pactlua: repl: the network has ended, and there are more lines\n'
    return self:leave(NO_NETWORK)
  end
  if not utf8.len(line) or line:find('\0', 1, true) then
    self:complain 'the line is no text\n'
    return self:failed()
  end
  if not self.chunk:begun() and line:find '^%s*:[^:]' then
    self:remember(line)
    return self:command(line)
  end
  local code = self.chunk:add(line)
  if not code then return self:ask() end
  self:remember(code)
  self:evaluate(code)
end

function Repl:remember(entry)
  if not self.history then return end
  self.history:add(entry)
  self.sys.edit.remember(entry)
end

-- An error in a script ends it; a person may try again.
function Repl:failed(status)
  if not self.terminal.person then return self:leave(status or 1) end
  self:ask()
end

function Repl:input_ended()
  if self.chunk:begun() then
    local code = self.chunk:drop()
    if not self.terminal.person then return self:evaluate(code) end
  end
  if self.terminal.prompts and not self.gone then self:say '\n' end
  self:leave(0)
end

function Repl:command(line)
  local task
  task = self.sched:spawn(function() return commands.run(self, line) end, {
    name = 'command',
    on_error = function(message) self:complain(message .. '\n') end,
    on_end = function(how)
      if not self.busy or self.busy.task ~= task then return end
      local status = how == 'done' and task.result[1] or how == 'failed' and 1 or 0
      if status == 0 then self:ask() else self:failed(status) end
    end,
  })
  self.busy = { task = task }
end

---In a task: waits for `done`, which `begin` gets; what it returns is cancelled when the task is.
function Repl:wait(begin)
  return self.sched:suspend(function(wake)
    local id = begin(wake)
    return id and function() self.sched:cancel(id) end or nil
  end)
end

-- calls --------------------------------------------------------------------------------------------

---Has text run; the prompt comes back with what came of it.
---@param code string
---@param timed? boolean how long it took is told
function Repl:evaluate(code, timed)
  local busy = { code = code }
  self.busy = busy
  busy.call = self.link:call('POST', '/v1/eval', {
    code = code, session = self.session, width = self.terminal.prompts and self.terminal:width() or 100,
    colour = self.terminal.colour,
  }, function(status, body)
    if self.busy ~= busy or self.left then return end
    busy.answered, busy.status, busy.body, busy.timed = true, status, body, timed
    self:show_results()
  end)
end

-- What was printed before the answer was given comes before it.
function Repl:show_results()
  local busy = self.busy
  if not (busy and busy.answered) or self.left then return end
  local body = busy.body
  if type(body) ~= 'table' then
    if not busy.status then return end -- the session's end tells why
    self:complain(tostring(body) .. '\n')
    return self:failed()
  end
  if (body.heard or 0) > self.heard then return end
  if body.code == 'cancelled' then return end -- with the network, whose end comes next
  if busy.status ~= 200 then
    self:error(body)
    return self:failed()
  end
  for _, value in ipairs(body.values) do self:say(value .. '\n') end
  if busy.timed then self.terminal:whisper(('took %s\n'):format(self:took(body.ms))) end
  self:ask()
end

function Repl:took(ms) return require('pact.base.duration').format(math.tointeger(ms)) end

-- The place of the error stands in its words: a trace says more when it has another one.
function Repl:error(body)
  self:complain(body.error .. '\n')
  local places = {}
  for place in (body.traceback or ''):gmatch '[^\n]+' do
    if place:find '^%s' then places[#places + 1] = '  ' .. place:match '^%s*(.*)' .. '\n' end
  end
  if #places > 1 then self.terminal:whisper(table.concat(places)) end
end

---Ctrl-C: ends a call, or gives up what was typed; where nothing was, what is shown as it comes.
function Repl:interrupt()
  if not self.terminal.person then return self:leave(256 + self.sys.os.signals.INT) end
  local busy = self.busy
  if busy then
    self.busy = nil
    if busy.call then self.sched:cancel(busy.call) end
    if busy.task then self.sched:stop(busy.task) end
    self:say 'interrupted\n'
    return self:ask()
  end
  local begun = self.chunk:begun() or self.sys.edit.typed()
  self.sys.edit.cancel '^C'
  self.chunk:drop()
  if not begun and self:calm() then
    self.interrupts = 0
    return self:ask()
  end
  self.interrupts = self.interrupts + 1
  if self.interrupts == 2 then self:say "':quit' or Ctrl-D leaves; the network goes on\n" end
  self:ask()
end

return M
