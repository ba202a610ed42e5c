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

---What a record has of the service itself.
---@param service service
---@return table
function M.facts(service)
  local success = {}
  for _, code in ipairs(service.success_exit or { 0 }) do
    success[code] = true
  end
  return {
    id = service.id,
    task = service.task or false,
    external = service.kind == 'external',
    scheduled = service.schedule ~= nil,
    checked = (service.ready or service.health) ~= nil,
    probed = service.health ~= nil,
    policy = service.restart,
    success = success,
    restart_when_unhealthy = service.on_unhealthy == 'restart' and service.kind ~= 'external',
  }
end

---@param service service
---@return record
function M.new(service)
  local r = M.facts(service)
  r.called, r.want, r.status, r.health, r.reason = not r.scheduled, 'down', 'idle', 'none', 'not wanted'
  r.epoch, r.attempt, r.restart_count = 0, 0, 0
  r.again, r.due, r.started = false, false, false
  return r
end

---Field by field: the size of the new one is known, and this goes on at every step.
---@param r record
---@return record
function M.copy(r)
  return {
    id = r.id, task = r.task, external = r.external, scheduled = r.scheduled, called = r.called, checked = r.checked,
    probed = r.probed, policy = r.policy, success = r.success, restart_when_unhealthy = r.restart_when_unhealthy,
    want = r.want, status = r.status, health = r.health, reason = r.reason, epoch = r.epoch, live = r.live,
    cause = r.cause, again = r.again, restarting = r.restarting, attempt = r.attempt, restart_count = r.restart_count,
    asked = r.asked, due = r.due, pid = r.pid, started = r.started, refused = r.refused, complaint = r.complaint,
    verdict = r.verdict, exit = r.exit,
  }
end

---The service is another from now on: what is decided by it is taken over, and what goes on goes on.
---@param r record
---@param event { facts: table, fresh?: boolean } fresh: its check is another, and nothing is known by it yet
function M.adopt(r, event)
  for name, value in pairs(event.facts) do r[name] = value end
  if not r.scheduled then r.called = true end
  if not r.probed then
    r.health, r.complaint = 'none', nil
  elseif r.live and (event.fresh or r.health == 'none') then
    r.health, r.complaint = 'unknown', nil
  end
end

return M
