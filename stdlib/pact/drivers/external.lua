--- Services that run elsewhere: nothing to start or to stop, they are only probed.

local environment = require 'pact.supervise.environment'

local M = {}

---@class external_driver
local External = {}
External.__index = External

---@param host driver_host
---@return driver
function M.new(host)
  return setmetatable({ sys = host.sys, sched = host.sched, environment = host.supervisor.environment }, External)
end

function External:start(job)
  job.began = self.sys.time.now()
  for _, port in ipairs(job.service.ports) do job.ports[port.name] = port.port end
  job.report('spawned', {})
end

function External:stop(job)
  if job.gone then return end
  job.gone = true
  job.report('exited', { uptime = self.sys.time.now() - job.began })
  job.report('swept', { survivors = {}, killed = 0 })
end

function External:signal()
  return nil, 'an external service has no process here', 'gone'
end

function External:sample() end

function External:survivors()
  return {}
end

function External:probe_spec(job)
  return { env = environment.list(self.environment), cwd = job.service.cwd }
end

return M
