--- Hooks of `metrics`: what living services use, at every refresh. Nobody is measured for nobody.

local usage = require 'pact.base.usage'

local M = {}

---@class metrics_hooks
local Metrics = {}
Metrics.__index = Metrics

---@class metrics_context
---@field sys sys
---@field sched sched
---@field supervisor supervisor
---@field hooks hooks
---@field every integer ms

---@param context metrics_context
---@return metrics_hooks
function M.new(context)
  local self = setmetatable({ context = context, last = {} }, Metrics)
  self:look()
  return self
end

---Nobody is measured any more.
function Metrics:close()
  self.context.sched:cancel(self.timer)
  self.timer, self.closed = nil, true
end

---Hooks may have come: whether somebody listens is found out anew.
function Metrics:look()
  if self.timer or self.closed or not self.context.hooks:hears 'metrics' then return end
  self.timer = self.context.sched:after(self.context.every, function() self:round() end)
end

function Metrics:measure(id)
  local context, now = self.context, self.context.sys.time.now()
  local sample, snapshot = context.supervisor:sample(id), context.supervisor:snapshot(id)
  if not sample then
    self.last[id] = nil
    return
  end
  local before = self.last[id]
  if before and before.epoch ~= snapshot.epoch then before = nil end
  self.last[id] = { cpu = sample.cpu, at = now, epoch = snapshot.epoch }
  if not before or now <= before.at then return end
  context.hooks:fire {
    name = 'metrics', service = id, epoch = snapshot.epoch, at = context.sys.time.wall(), mono = now,
    cpu = usage.percent(sample.cpu, before.cpu, now - before.at),
    cpu_time = sample.cpu, memory = sample.rss, threads = sample.threads, processes = sample.procs,
  }
end

function Metrics:round()
  self.timer = nil
  for _, id in ipairs(self.context.supervisor:list()) do
    if self.context.hooks:hears('metrics', id) then self:measure(id) end
  end
  self:look()
end

return M
