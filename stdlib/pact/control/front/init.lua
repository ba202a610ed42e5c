--- The front's side of `up` and `run`: shows the engine's session as plain lines, passes on what people
-- do with the terminal, and ends as the network ended.

local client = require 'pact.control.client'
local json = require 'pact.base.json'
local plain = require 'pact.observe.plain'
local sched = require 'pact.base.sched'
local style = require 'pact.observe.style'

local M = {}

local AGAIN_MS = 400
local ANSWER_MS = 2000
local SIGNALS = { 'INT', 'TERM', 'HUP' }

---@class front
local Front = {}
Front.__index = Front

---@param context main_context
function M.run(context)
  local sys = context.sys
  local self = setmetatable({
    context = context, sys = sys, options = context.invocation.options, command = context.invocation.command,
  }, Front)
  self.sched = sched.new(sys, function(_, traceback)
    if self.finishing then sys.stop(self.finishing) end -- the last words can't be had
    context.err(('pactlua: internal error: %s\n'):format(traceback))
  end)
  self.colour = style.wanted(sys.os, 1, context.env) and not self.options.json
  self.plain = plain.new {
    tail = sys.tail, sched = self.sched, colour = self.colour, terminal = sys.os.isatty(1) and not self.options.json,
    quiet = self.options.json or self.command ~= nil,
  }
  for _, name in ipairs(SIGNALS) do
    self.sched:on_signal(name, function() self:signalled(name) end)
  end
  self.sched:on_signal('GUARD', function() self:guard_ended() end)
  self.sched:on_kind('gone', function() self:output_gone() end)
  if context.invocation.verb == 'ci' then self.ci = require('pact.control.front.ci').new(self) end
  self:open_session()
end

---Nobody reads our output any more: nobody watches, so the network ends.
function Front:output_gone()
  if self.command or self.output_lost then return end
  self.output_lost = true
  if self.options.detach then return end -- it is to go on without anybody
  if not self.ended and not self.asked_at then
    self.asked_at = self.sys.time.now()
    self:post('/v1/shutdown', { reason = 'nobody reads the output any more' })
  end
end

function Front:open_session()
  local link, message = client.connect(self.sys, self.sched)
  if not link then return self:session_ended(message) end
  self.link = link
  link:stream('/v1/session', {
    line = function(line) self:message(line) end,
    ended = function(why) self:session_ended(why) end,
  })
end

local handlers = {}

---A message of the engine's. Events come first and most often; with --json their text is passed on.
function Front:message(line)
  local message = json.decode(line)
  if type(message) ~= 'table' then return end
  local handler = handlers[message.type]
  if handler then handler(self, message, line) end
end

function handlers.event(self, message, line)
  if self.ci then self.ci:event(message.event) end
  if self.options.json then
    self.plain:say(line:match '^{"type":"event","event":(.*)}$' .. '\n')
  elseif self.command then
    self:grave(message.event)
  else
    self.plain:event(message.event)
  end
end

function handlers.output(self, message)
  if not self.plain.quiet then self.plain:output(message.service) end
end

function handlers.hello(self, message)
  self.hello = message
  self.plain:begin(message)
  if message.elsewhere then self:say(('pactlua: files of this run are in %s\n'):format(message.elsewhere)) end
end

function handlers.say(self, message)
  self:say(message.text)
end

function handlers.log(self, message)
  local coloured = require('pact.observe.debuglog').coloured
  self:say(coloured(message.text, message.level, self.colour))
end

function handlers.refused(self, message)
  self.refused = message
  self.context.err(message.text)
end

function handlers.ready(self, message)
  self.ready = true
  if self.ci then self.ci:ready() end
  if self.command then return require('pact.control.front.run').start(self, message.addresses) end
  if not self.plain.quiet then self.plain:ready(message.elapsed, message.services) end
end

function handlers.detached(self, message)
  self.left = message
end

handlers['end'] = function(self, message)
  self.ended = message
end

---Words of ours: to the output in order with the rest, or beside a CMD's and programs' own output.
function Front:say(text)
  if self.plain.quiet then self.context.err(text) else self.plain:say(text) end
end

---While CMD has the terminal only what goes wrong is said.
function Front:grave(event)
  local describe = require 'pact.observe.describe'
  local text, colour = describe.event(event)
  if text and (colour == 'red' or event.name == 'hook_failed') then
    self.context.err(('pactlua: %s%s\n'):format(event.service and event.service .. ' ' or '', text))
  end
end

---Asks the engine: a link's calls and streams don't wait for each other.
function Front:post(path, body)
  if self.link then self.link:call('POST', path, body, function() end) end
end

---Ctrl-C and its kin: the first asks for an orderly end, one that comes later kills at once.
function Front:signalled(name)
  local now = self.sys.time.now()
  if self.leaving then return self.sys.stop(self.finishing) end -- the network is none of ours any more
  if self.running_command and self.running_command(name) then return end
  -- of a terminal that is closed errors may be seen before the signal
  if self.output_lost then self.by_signal = self.by_signal or name end
  if not self.asked_at then
    self.asked_at, self.by_signal = now, name
    local why = name == 'INT' and 'Ctrl-C' or 'SIG' .. name
    if not self.ended then
      if name == 'INT' then self:say 'pactlua: Ctrl-C: shutting down; once more kills at once\n' end
      self:post('/v1/shutdown', { reason = why })
    end
  elseif now - self.asked_at >= AGAIN_MS then
    self:kill_all()
  end
end

---All are killed at once; the engine too, when it doesn't even answer to that.
function Front:kill_all()
  local answered = false
  if self.link then
    local body = { reason = 'killed at once', now = true }
    self.link:call('POST', '/v1/shutdown', body, function() answered = true end)
  end
  self.sched:after(ANSWER_MS, function()
    if answered or self.ended or not self.sys.ctl.kill_engine() then return end
    self.context.err 'pactlua: the engine does not answer: it is killed, and all of its processes are ended\n'
  end)
end

function Front:session_ended(why)
  self.session_over, self.lost = true, why
  if self.left and not self.asked_at then return self:leave() end
  if self.ended and not self.command_runs then self:summarise() end
  if self.on_network_end then self.on_network_end() end
  self:finish()
end

---The network goes on without us.
function Front:leave()
  self.finishing, self.leaving = 0, true
  require('pact.control.front.detached').leave(self, self.left)
  self.plain:drained(function() self.sys.stop(self.finishing) end)
end

function Front:guard_ended()
  self.guard_over = true
  self:finish()
end

---The engine ended without a last word: what was written is shown, its socket removed.
function Front:crashed()
  if not self.plain.quiet then self.plain:wake_all() end
  self.context.err(self:crash_text())
  local state, fs = self.hello and self.hello.state, self.sys.fs
  local lock = state and fs.lock(state .. '/lock')
  if not lock then return end
  fs.remove(state .. '/control.sock')
  fs.remove(state .. '/token')
  fs.close(lock)
end

function Front:crash_text()
  local status = self.sys.ctl.guard().status or 0
  if status > 128 then
    return ('pactlua: the engine was killed by SIG%s; its processes were ended\n'):format(
      self.sys.os.signal_name(status - 128))
  end
  return ('pactlua: the engine ended unexpectedly with status %d; its processes were ended\n'):format(status)
end

function Front:last_lines(id, count)
  return self.hello and self.sys.tail.lines(self.hello.run, id, { count = count })
end

---Why services weren't ready when the network ended, by id.
function Front:unready()
  local why = {}
  for _, it in ipairs(self.ended.unready or {}) do why[it.id] = it.why end
  return why
end

---The summary goes to the output behind everything else; to the standard error when that is CMD's.
function Front:summarise()
  if self.summed then return end
  self.summed = true
  if not self.plain.quiet then self.plain:wake_all() end
  local summary, ended = require 'pact.observe.summary', self.ended
  if self.options.json or (self.command and ended.status == 0) then return end
  self:say(summary.render {
    services = ended.services, reason = ended.reason, elapsed = ended.elapsed, survivors = ended.survivors,
    log_dir = self.hello and self.hello.run,
    unready = self.ci and self.ci:unready() or self:unready(), style = self.plain.style, width = self.sys.text.width,
    lines = function(id, count) return self:last_lines(id, count) end,
  })
end

---Session, guard and CMD have ended: the last words, then the end once they are written.
function Front:finish()
  if self.finishing or not (self.session_over and self.guard_over) or self.command_runs then return end
  self.finishing = self:status()
  if self.ended and not self.refused then
    self:summarise()
  elseif self.left then
    self:say 'pactlua: shut down\n' -- asked for in the moment when it was left running
  elseif not self.refused then
    self:crashed()
  end
  if self.ci then self:write_report() end
  self.plain:drained(function() self.sys.stop(self.finishing) end)
end

---A report that couldn't be written is a failure, if there is none already.
function Front:write_report()
  local ok, message = self.ci:write()
  if ok then return end
  self.context.err(('pactlua: ci: %s\n'):format(message))
  if self.finishing == 0 then self.finishing = 1 end
end

---@return integer
function Front:status()
  local status = (self.refused or self.ended or { status = 1 }).status
  if self.command then return self.command_status or (status ~= 2 and 125 or status) end
  if self.by_signal and not self.refused then return 256 + self.sys.os.signals[self.by_signal] end
  return self.ci and self.ci:status(status) or status
end

return M
