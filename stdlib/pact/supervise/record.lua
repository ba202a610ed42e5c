--- The record of a service: all that `state` decides by.

local M = {}

---@class record
---@field id string
---@field task boolean
---@field external boolean
---@field scheduled boolean it starts when it is called
---@field called boolean
---@field checked boolean readiness is a probe's to say
---@field probed boolean it has health
---@field policy restart
---@field success table<integer, boolean>
---@field restart_when_unhealthy boolean
---@field want 'up'|'down'
---@field status status
---@field health health_state
---@field reason string
---@field epoch integer
---@field live? 'begun'|'up'|'ended' a driver has it: start asked, alive, what is left is being swept
---@field cause? 'stop'|'restart'|'crash'|'fail' why it is stopping
---@field again boolean start it once it has stopped
---@field restarting? actor who made the start that comes a restart
---@field attempt integer
---@field restart_count integer
---@field asked? string whose hooks are being asked
---@field due boolean its delay is over, its sweep isn't
---@field pid? integer
---@field started boolean this epoch has begun to live
---@field refused? integer starts in a row that the machine refused for want of something
---@field complaint? string the last failure of health
---@field verdict? verdict how to start again after this crash
---@field exit? table the last end: code, signal, uptime, success

---@param service service
---@return record
function M.new(service)
  local success = {}
  for _, code in ipairs(service.success_exit or { 0 }) do
    success[code] = true
  end
  return {
    id = service.id,
    task = service.task,
    external = service.kind == 'external',
    scheduled = service.schedule ~= nil,
    called = service.schedule == nil,
    checked = (service.ready or service.health) ~= nil,
    probed = service.health ~= nil,
    policy = service.restart,
    success = success,
    restart_when_unhealthy = service.on_unhealthy == 'restart' and service.kind ~= 'external',
    want = 'down',
    status = 'idle',
    health = 'none',
    reason = 'not wanted',
    epoch = 0,
    again = false,
    attempt = 0,
    restart_count = 0,
    due = false,
    started = false,
  }
end

return M
