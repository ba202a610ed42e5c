--- What services use now: two looks at a network, as shares of a processor and sizes.

local usage = require 'pact.base.usage'

local M = {}

---@class top_row
---@field id string
---@field group? string
---@field status string
---@field health? string
---@field pid? integer
---@field processes? integer of the whole tree
---@field uptime? integer ms
---@field restarts integer
---@field cpu? number percent of one processor, since the look before; of a process that is new, since its start
---@field memory? integer bytes
---@field place integer in the plan's order

---@class top_sample
---@field rows top_row[]
---@field at integer wall ms
---@field counts table<string, integer> of each status
---@field cpu number of all
---@field memory integer
---@field processes integer
---@field machine top_machine

---@class top_machine
---@field cpu? number percent of all processors
---@field cpus integer
---@field load number
---@field mem_used integer bytes
---@field mem_total integer

---@class top_figures
local Figures = {}
Figures.__index = Figures

---@return top_figures
function M.new() return setmetatable({ before = {} }, Figures) end

local function cpu_of(self, service, now)
  if not service.cpu_time then return nil end
  local before = self.before[service.id]
  if before and before.pid == service.pid then
    return usage.percent(service.cpu_time, before.cpu_time, now - before.now)
  end
  return usage.percent(service.cpu_time, 0, service.uptime or 0)
end

local function machine_of(self, system)
  local before, cpu = self.system, nil
  if before and system.cpu_total > before.cpu_total then
    cpu = usage.percent(system.cpu_busy, before.cpu_busy, system.cpu_total - before.cpu_total)
  end
  self.system = system
  return {
    cpu = cpu, cpus = system.cpus, load = system.load, mem_used = system.mem_total - system.mem_available,
    mem_total = system.mem_total,
  }
end

---Takes in a look; figures are of the time since the one before.
---@param services table[] as /v1/services has them
---@param system table as sys.os.system gives it
---@param now integer monotonic ms
---@param at integer wall ms
---@return top_sample
function Figures:take(services, system, now, at)
  local out = { rows = {}, at = at, counts = {}, cpu = 0, memory = 0, processes = 0 }
  local seen = {}
  out.machine = machine_of(self, system)
  for i, service in ipairs(services) do
    local cpu = cpu_of(self, service, now)
    out.rows[i] = {
      id = service.id, group = service.group, status = service.status, pid = service.pid, place = i, cpu = cpu,
      health = service.health ~= 'none' and service.health or nil, processes = service.processes,
      uptime = service.uptime, restarts = service.restart_count or 0, memory = service.memory,
    }
    out.counts[service.status] = (out.counts[service.status] or 0) + 1
    out.cpu, out.memory = out.cpu + (cpu or 0), out.memory + (service.memory or 0)
    out.processes = out.processes + (service.processes or 0)
    if service.cpu_time then seen[service.id] = { cpu_time = service.cpu_time, pid = service.pid, now = now } end
  end
  self.before = seen
  return out
end

return M
