--- Who listens to a running network: the front's session, and clients that follow events.

local stream = require 'pact.control.api.stream'

local M = {}

---@class audience
local Audience = {}
Audience.__index = Audience

---@param context { ctl: sys.ctl, sched: sched, journal: (fun(): journal?), shown?: fun(line: string): string }
---@return audience
function M.new(context)
  return setmetatable({ context = context, streams = {}, early = {}, seq = 0 }, Audience)
end

function Audience:front_left()
  self.session, self.left, self.early = nil, true, {}
  if self.ended then self.ended() end
end

---A message to the front. What comes before the front has asked is kept for it, with its place among
---the events.
---@param message table with a `type`
---@param always? boolean
function Audience:tell(message, always)
  if self.session then
    self.session:message(message, always)
  elseif not (self.left or self.dismissed) then
    self.early[#self.early + 1] = { message = message, behind = self.seq }
  end
end

---@param request integer
function Audience:open_session(request)
  self.session = stream.new(self.context, request, {
    front = true,
    on_gone = function()
      self:front_left()
    end,
  })
  self.session:replay(self.early)
  self.early = {}
  if self.dismissed then self:dismiss() end
  if self.ended then self:finish(self.ended) end
end

---Nothing more is meant for the front: its session ends behind what was, also when it hasn't asked for it yet.
function Audience:dismiss()
  local session = self.session
  self.dismissed = true
  if not session then return end
  self.session, self.left = nil, true
  session:finish()
end

---@param request integer
---@param opts { since: integer, follow?: boolean, sse?: boolean }
function Audience:open_stream(request, opts)
  local follower = stream.new(self.context, request, {
    since = opts.since,
    sse = opts.sse,
    on_gone = function(gone)
      self.streams[gone] = nil
    end,
  })
  follower:replay()
  if opts.follow then
    self.streams[follower] = true
  else
    follower:finish()
  end
end

---@param context { sys: sys, sched: sched, told: fun(on: boolean) }
---@param request integer
---@param opts log_reading
---@return true?, string? message, string? code
function Audience:open_logs(context, request, opts)
  self.feeds = self.feeds or require('pact.control.api.feeds').new(context)
  return self.feeds:open(request, opts)
end

---Somebody follows logs.
---@return boolean
function Audience:follows_logs() return self.feeds ~= nil and self.feeds.followers > 0 end

---@param event event
---@param line fun(event: event): string
function Audience:event(event, line)
  self.seq = event.seq
  if self.session then self.session:event(event, line(event)) end
  for follower in pairs(self.streams) do
    follower:event(event, line(event))
  end
end

---@param id string a service with new bytes in its file
---@param shown boolean the front shows them
function Audience:output(id, shown)
  if self.session and shown then self.session:output(id) end
  if self.feeds then self.feeds:output(id) end
end

---@param id string a service with a log
---@param group? string
function Audience:began(id, group)
  if self.feeds then self.feeds:began(id, group) end
end

---Ends all streams, the session as soon as there is one; then calls `done`.
---@param done fun()
function Audience:finish(done)
  for follower in pairs(self.streams) do follower:finish_now() end
  self.streams = {}
  if self.feeds then self.feeds:finish() end
  if self.session then self.session:finish_now() end
  if self.session or self.left then return done() end
  self.ended = done
end

return M
