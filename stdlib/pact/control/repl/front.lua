--- `pactlua repl RECIPE`: the front of a network of its own, in which nothing is started but by who sits at the
--- prompt. It ends with them.

local client = require 'pact.control.client'
local describe = require 'pact.observe.describe'
local json = require 'pact.base.json'
local sched = require 'pact.base.sched'
local session = require 'pact.control.repl.session'

local M = {}

local GREETING = "nothing is started yet: svc.ID:start() starts a service and what it needs; :help tells what there is"

---@class repl_front
local Front = {}
Front.__index = Front

---@param context main_context
function M.run(context)
  local sys = context.sys
  local self = setmetatable({ context = context, sys = sys }, Front)
  self.sched = sched.new(sys, function(_, traceback)
    context.err(('pactlua: internal error: %s\n'):format(traceback))
  end)
  self.sched:on_signal('GUARD', function()
    self.guard_over = true
    self:finish()
  end)
  for _, name in ipairs { 'INT', 'TERM', 'HUP' } do
    self.sched:on_signal(name, function() self:signalled(name) end)
  end
  local link, message = client.connect(sys, self.sched)
  if not link then return self:session_ended(message) end
  self.link = link
  link:stream('/v1/session', {
    line = function(line) self:message(json.decode(line)) end,
    ended = function(why) self:session_ended(why) end,
  })
end

local messages = {}

function Front:message(message)
  local handler = type(message) == 'table' and messages[message.type]
  if handler then handler(self, message) end
end

-- The prompt comes when the network can be asked.
function messages.hello(self, message)
  self.hello = message
  self.sys.fs.chdir(self.context.recipe.directory) -- from there files of the run are found
  self.repl = session.start {
    context = self.context, sched = self.sched, link = self.link, greet = GREETING,
    dir = { path = message.state, project = message.project },
    leave = function(status) self:left(status) end,
  }
end

function messages.say(self, message) self:say(message.text) end
function messages.log(self, message) self:say(message.text) end

function messages.event(self, message)
  local event = message.event
  local words, colour = describe.event(event)
  if words and (colour == 'red' or event.name == 'hook_failed') and not self.asked then
    self:say(('%s%s\n'):format(event.service and event.service .. ' ' or '', words))
  end
end

function messages.refused(self, message)
  self.refused = message
  self.context.err(message.text)
end

messages['end'] = function(self, message) self.ended = message end

function Front:say(words)
  if self.repl and not self.repl.left then return self.repl:say(words) end
  self.context.err(words)
end

function Front:shutdown(opts)
  self.asked = true
  if self.link and not self.ended then self.link:call('POST', '/v1/shutdown', opts, function() end) end
end

-- Whoever sat at the prompt has gone: so goes the network.
function Front:left(status)
  self.status = status
  for _, name in ipairs { 'INT', 'TERM', 'HUP' } do
    self.sched:on_signal(name, function() self:signalled(name) end)
  end
  if not self.asked then
    self:shutdown { reason = 'the REPL has ended', status = status < 256 and status or 0 }
  end
end

---Before there is a prompt, or when it has gone; a second one kills at once.
function Front:signalled(name)
  local again = self.asked
  self.by_signal = self.by_signal or name
  self:shutdown { reason = 'SIG' .. name, now = again }
  if self.repl then self.repl:leave(256 + self.sys.os.signals[name]) end
end

function Front:session_ended(why)
  self.session_over, self.lost = true, why
  self:finish()
end

function Front:finish()
  if not (self.session_over and self.guard_over) or self.finished then return end
  self.finished = true
  if self.repl then self.repl:leave(1) end
  local ended = self.refused or self.ended
  if not ended then
    self.context.err(('pactlua: the engine ended unexpectedly: %s; its processes were ended\n'):format(
      self.lost or 'without a word'))
  end
  local status = ended and ended.status or 1
  if self.by_signal and not self.refused then status = 256 + self.sys.os.signals[self.by_signal] end
  if self.status and self.status >= 256 then status = self.status end
  self.sys.stop(status)
end

return M
