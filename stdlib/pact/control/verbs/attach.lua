--- `pactlua attach ID`: a service's terminal on ours, until the detach keys, the service's end or ours.

local json = require 'pact.base.json'
local keys = require 'pact.control.terminals.keys'
local live = require 'pact.control.verbs.live'
local modes = require 'pact.control.terminals.modes'
local sched = require 'pact.base.sched'

local M = {}

-- Between two sizes of a window that is being dragged.
local SETTLE_MS = 40
-- What is answered to who asks for less than both ways, and could have had them.
local POSSIBLE = 426
local ENDING = { 'TERM', 'HUP', 'INT', 'QUIT' }

---@return string
function M.help()
  return [[
Every key goes to the service, Ctrl-C and Ctrl-Z too, but for the detach keys (Ctrl-]). Several terminals may
be attached at once: all see the same, and the service's is as large as the smallest of them. Over a restart
it stays attached. The status is 0 after detaching, and at the service's end the service's: its exit status,
or 128 and the number of the signal that ended it.
]]
end

---@class attachment
---@field context main_context
---@field loop sched
---@field sys sys
---@field id string
---@field call integer
---@field console? integer
---@field modes modes
---@field off? string what switches them off
local Attachment = {}
Attachment.__index = Attachment

function Attachment:send_size(redraw)
  local columns, rows = self.sys.os.terminal_size()
  self.sys.ctl.frame(self.call, 'j', json.encode { type = 'size', columns = columns, rows = rows, redraw = redraw })
end

-- Bytes of the service, as they are.
function Attachment:show(bytes)
  self.modes:see(bytes)
  if bytes:find('\27', 1, true) then self:note_modes() end
  if not self.sys.os.write(1, bytes) then self:leave(256 + self.sys.os.signals.HUP) end
end

-- What a signal that ends us would leave switched on.
function Attachment:note_modes()
  local off = self.modes:off()
  if off == self.off then return end
  self.off = off
  self.sys.console.rescue(off)
end

-- Words of ours on a line of their own; the terminal is raw.
function Attachment:note(words)
  self.sys.os.write(1, ('\r\n\27[0;2m[pactlua: %s]\27[0m\r\n'):format(require('pact.observe.style').escaped(words)))
end

-- Of the engine: among what the service shows, or before that has begun.
function Attachment:tell(words)
  if self.left then return end
  if self.console then return self:note(words) end
  self.context.err(('pactlua: attach: %s\n'):format(words))
end

---Gives the terminal back and ends.
---@param status integer
---@param words? string
function Attachment:leave(status, words)
  if self.left then return end
  self.left = true
  self.sys.os.write(1, self.modes:off())
  if self.console then self.sys.cancel(self.console) end
  if words then self.context.out(('\n[pactlua: %s]\n'):format(words)) end
  self.sys.stop(status)
end

function Attachment:typed(bytes)
  if bytes == '' then return self:leave(256 + self.sys.os.signals.HUP) end
  local passed, found = self.keys:take(bytes)
  if passed ~= '' then self.sys.ctl.frame(self.call, 'b', passed) end
  if found then self:leave(0, ("detached from '%s', which goes on"):format(self.id)) end
end

local function status_of(self, message)
  if message.signal then return 128 + (self.sys.os.signals[message.signal] or 0) end
  return message.exit_code or message.status == 'completed' and 0 or 1
end

function Attachment:message(bytes)
  local message = json.decode(bytes) or {}
  if message.type == 'note' then
    self:note(message.text)
  elseif message.type == 'end' then
    self:leave(status_of(self, message), ("'%s' has ended: %s"):format(self.id, message.reason or message.status))
  elseif message.type == 'error' then
    self:leave(1, message.error)
  end
end

function Attachment:watch_signals()
  local loop = self.loop
  loop:on_signal('WINCH', function()
    if self.settling then return end
    self.settling = loop:after(SETTLE_MS, function()
      self.settling = nil
      self:send_size()
    end)
  end)
  for _, name in ipairs(ENDING) do
    loop:on_signal(name, function() self:leave(256 + self.sys.os.signals[name]) end)
  end
  loop:on_signal('TSTP', function() self.sys.console.suspend() end)
  loop:on_signal('CONT', function()
    if self.sys.console.resume() then self:send_size(true) end
  end)
end

-- The network has agreed: from here the terminal is the service's.
function Attachment:begin(detach)
  local console, _, code = self.sys.console.open()
  if not console then
    self.context.err(code == 'background' and 'pactlua: attach: this job is in the background\n'
      or 'pactlua: attach: the terminal cannot be opened\n')
    return self.sys.stop(1)
  end
  self.console = console
  self:note_modes()
  self.loop:on(console, function(_, bytes) self:typed(bytes) end)
  self:watch_signals()
  self:note(("attached to '%s'; %s detaches"):format(self.id, keys.words(detach)))
  self:send_size(true)
end

function Attachment:answered(status, body)
  self.sys.stop(live.refused(self.context, status, json.decode(body or '') or body))
end

function Attachment:gone(message)
  if self.console then return self:leave(live.NO_NETWORK, ('the network is gone: %s'):format(message)) end
  self.sys.stop(live.refused(self.context, nil, message))
end

local function detach_keys(context)
  local given = context.invocation.options.detach_keys or 'ctrl-]'
  local detach, message = keys.parse(given)
  if not detach then context.err(('pactlua: attach: --detach-keys: %s\n'):format(message)) end
  return detach
end

-- What comes of the call.
local function handlers(self, detach)
  return {
    begun = function() self:begin(detach) end,
    answered = function(status, body) self:answered(status, body) end,
    frame = function(kind, bytes)
      if self.left then return end
      if kind == 'b' then self:show(bytes) else self:message(bytes) end
    end,
    gone = function(why) self:gone(why) end,
  }
end

-- Who has no terminal is told what else is wrong first: a service that isn't there, or has none, either.
local function without_terminal(context, id)
  return live.run(context, function(link)
    local status, body = link:ask('GET', ('/v1/services/%s/attach'):format(id))
    if status ~= POSSIBLE then return live.refused(context, status, body) end
    context.err(("pactlua: attach: this needs a terminal ('pactlua logs -f %s' shows what it writes, "
      .. "'pactlua send %s TEXT' types a line)\n"):format(id, id))
    return 1
  end)
end

---@param context main_context
function M.run(context)
  local sys, id = context.sys, context.invocation.ids[1]
  local detach = detach_keys(context)
  if not detach then return 2 end
  if not sys.os.isatty(0) or not sys.os.isatty(1) then return without_terminal(context, id) end
  local self = setmetatable({ context = context, sys = sys, id = id, modes = modes.new(), keys = keys.watch(detach) },
    Attachment)
  self.loop = sched.new(sys, function(message)
    self:leave(1)
    context.err(('pactlua: attach: %s\n'):format(message))
  end)
  local link, message, dir, status = live.connect(context, self.loop)
  if link then
    self.call, message = link:upgrade(('/v1/services/%s/attach'):format(id), handlers(self, detach))
  end
  if self.call then
    live.attend(context, self.loop, link, dir, { endless = true, tell = function(words) self:tell(words) end })
    return
  end
  context.err(('pactlua: %s\n'):format(message))
  return status or live.NO_NETWORK
end

return M
