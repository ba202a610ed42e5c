--- Clients that hold the network: an answer that stays open is a lease, its connection's end gives it up. A network
-- that was left running ends some time after the last one has gone; without any it stays. An open REPL holds it, too,
-- but never makes an end of one that would stay.

local json = require 'pact.base.json'

local M = {}

---@class leases
---@field count integer held now
---@field guests integer who keep it from ending while they are here, and leave no end behind
---@field linger integer ms from the end of the last one to the end of the network
local Leases = {}
Leases.__index = Leases

---@param context { ctl: sys.ctl, sched: sched, now: (fun(): integer), linger: integer, over: fun() }
--- over: the last one has gone, and it was waited long enough
---@return leases
function M.new(context)
  return setmetatable({
    context = context, count = 0, guests = 0, linger = context.linger, held = {}, had = false, matters = false,
  }, Leases)
end

local function line(context, request, message)
  context.ctl.write(request, json.encode(message) .. '\n')
end

---@param request integer a request that this answers from now on
---@param words table what else to say to who takes it
function Leases:take(request, words)
  local context = self.context
  self.held[request], self.count, self.had = true, self.count + 1, true
  self:keep()
  context.ctl.stream(request, 200, { ['content-type'] = 'application/x-ndjson' })
  words.lease, words.leases, words.linger = 'held', self.count, self.linger
  line(context, request, words)
  context.sched:on(request, function(kind)
    if kind == 'gone' then self:gone(request) end
  end)
end

---Somebody is there whom an end would disturb.
function Leases:join()
  self.guests = self.guests + 1
  self:keep()
end

function Leases:part()
  self.guests = self.guests - 1
  self:look()
end

-- The network is not about to end any more.
function Leases:keep()
  self.context.sched:cancel(self.timer)
  self.timer, self.ends_at = nil, nil
end

function Leases:gone(request)
  if not self.held[request] then return end
  self.context.sched:off(request)
  self.held[request], self.count = nil, self.count - 1
  self:look()
end

function Leases:look()
  if self.count + self.guests > 0 or not self.had or not self.matters or self.timer then return end
  local context = self.context
  self.ends_at = context.now() + self.linger
  self.timer = context.sched:after(self.linger, function()
    self:keep()
    context.over()
  end)
end

---From now on nothing but these keeps the network.
---@param opts { fresh: boolean, linger?: integer } fresh: those that have gone by now count for nothing
function Leases:begin(opts)
  self.linger = opts.linger or self.linger
  self.matters = true
  if opts.fresh then self.had = self.count > 0 end
  self:look()
end

---@return boolean the network ends when they have gone
function Leases:decides()
  return self.matters and self.had
end

---@return integer? ms until the network ends, unless somebody takes a lease
function Leases:ends_in()
  return self.ends_at and math.max(0, self.ends_at - self.context.now())
end

---The network ends: who holds it is told, and let go.
---@param reason string
function Leases:finish(reason)
  self:keep()
  self.matters = false
  local context, held = self.context, self.held
  self.held, self.count = {}, 0
  for request in pairs(held) do
    line(context, request, { lease = 'over', reason = reason })
    context.ctl.finish(request)
    context.sched:off(request)
  end
end

return M
