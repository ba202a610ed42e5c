--- The fields of a service's handle as they are while its network runs.

local handle = require 'pact.declare.handle'
local list = require 'pact.base.list'
local usage = require 'pact.base.usage'

local M = {}

-- What a service listens on, by name and by place; nil while nothing is known.
local function listens(network, id, known)
  local group = network.plan.groups[id]
  local service = network.supervisor:service(group and group[1] or id)
  if not service or next(known) == nil then return nil end
  local out, declared = {}, {}
  for i, port in ipairs(service.ports) do
    declared[port.name] = true
    out[i] = { name = port.name, port = known[port.name] or port.port }
  end
  for name, port in list.sorted(known) do
    if not declared[name] then out[#out + 1] = { name = name, port = port } end
  end
  return handle.ports(id, out)
end

-- What is asked for again within this many ms is answered from the same look.
local LOOK_MS = 500

local function memory(_, sample) return sample.rss end

-- Percent of one processor since the last look at this life of the service, at first since its start.
local function cpu(network, sample, id)
  network.usage_looks = network.usage_looks or {}
  local now, life = network.sys.time.now(), network:look(id)
  local last = network.usage_looks[id]
  if not last or last.epoch ~= life.epoch then
    last = { at = now - (life.uptime or 0), used = 0 }
  elseif now - last.at < LOOK_MS then
    return last.percent
  end
  local percent = usage.percent(sample.cpu, last.used, now - last.at)
  network.usage_looks[id] = { at = now, used = sample.cpu, epoch = life.epoch, percent = percent }
  return percent
end

local FIGURES = { cpu = cpu, memory = memory }

-- of a group: of all its instances together
local function measured(network, id, figure)
  local total
  for _, one in ipairs(network.plan.groups[id] or { id }) do
    local sample = network.supervisor:sample(one)
    if sample then total = (total or 0) + figure(network, sample, one) end
  end
  return total
end

---@param network network
---@param id string of a service or a group
---@param key string
---@return any value nil before there is anything to know
function M.now(network, id, key)
  if not network.supervisor then return nil end
  if FIGURES[key] then return measured(network, id, FIGURES[key]) end
  local snapshot = network:look(id)
  if not snapshot then return nil end
  if key == 'exit_signal' then return snapshot.signal end -- `signal` is a method
  if key == 'ports' then return listens(network, id, snapshot.ports or {}) end
  return snapshot[key]
end

return M
