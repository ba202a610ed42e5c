--- A group of instances seen and acted on as one: `replicas = n` of a recipe, `scale` at run time.

local list = require 'pact.base.list'
local plan_groups = require 'pact.plan.groups'
local text = require 'pact.base.text'

local M = {}

local MOST = 1000

-- A group is what the least of its instances is.
local STATUSES = {
  'failed', 'skipped', 'backoff', 'stopping', 'waiting', 'starting', 'stopped', 'idle', 'running', 'completed',
}
local HEALTHS = { 'unhealthy', 'unknown', 'healthy', 'none' }

local function least(snapshots, field, order)
  local there = list.set(list.map(snapshots, function(one) return one[field] end))
  for _, word in ipairs(order) do
    if there[word] then return word end
  end
end

local function sum(snapshots, field)
  local total = 0
  for _, one in ipairs(snapshots) do total = total + (one[field] or 0) end
  return total
end

local function reason_of(snapshots, status)
  local there = list.filter(snapshots, function(one) return one.status == status end)
  if #there == #snapshots then return there[1].reason end
  return ('%d of %d %s: %s'):format(#there, #snapshots, status, there[1].reason)
end

---@param id string of the group
---@param snapshots snapshot[] of its instances
---@return snapshot
function M.snapshot(id, snapshots)
  local first, status = snapshots[1], least(snapshots, 'status', STATUSES)
  return {
    id = id, kind = first.kind, task = first.task, category = first.category, tags = first.tags,
    status = status, health = least(snapshots, 'health', HEALTHS), reason = reason_of(snapshots, status),
    want = least(snapshots, 'want', { 'up', 'down' }), restart_count = sum(snapshots, 'restart_count'),
    attempt = sum(snapshots, 'attempt'), ports = first.ports, endpoints = first.endpoints, history = {},
    instances = list.map(snapshots, function(one) return one.id end),
  }
end

---A service or a group as it is.
---@param network network
---@param id string
---@return snapshot?
function M.look(network, id)
  local supervisor, members = network.supervisor, network.plan and network.plan.groups[id]
  if not supervisor then return nil end
  if not members then return supervisor:snapshot(id) end
  return M.snapshot(id, list.map(members, function(one) return supervisor:snapshot(one) end))
end

local function no_group(network, id)
  local service = network.supervisor:service(id)
  if service and service.group then
    return nil, ("'%s' is one of the group '%s': scale that"):format(id, service.group), 'refused'
  elseif service then
    return nil, ("'%s' has no replicas: with replicas = 1 in its recipe it could be scaled"):format(id), 'refused'
  end
  local known = list.keys(network.plan.groups)
  local near = text.suggest(tostring(id), known[1] and known or network.supervisor:list())
  return nil, ("no group '%s'%s"):format(tostring(id), near), 'unknown'
end

-- Brings services into the supervisor that weren't there, and takes those back that were retired.
local function admit(network, added, ids)
  for _, service in ipairs(added) do network:add(service) end
  local dependents = plan_groups.dependents(network.plan)
  for _, service in ipairs(added) do
    for _, dependent in ipairs(dependents[service.id] or {}) do
      network.supervisor:depend(dependent.id, dependent.edge)
    end
  end
  for _, id in ipairs(ids) do network.supervisor:retire(id, false) end
end

---Gives a group so many instances: which are to be started then, and which to be stopped, highest first.
---@param network network
---@param id string of the group
---@param count any
---@return { up: string[], down: string[] }?, string? message, string? code
function M.scale(network, id, count)
  local plan = network.plan
  local before = plan.groups[id]
  if not before then return no_group(network, id) end
  if network.ending then return nil, 'the network is shutting down', 'busy' end
  count = math.tointeger(count)
  if not count or count < 1 or count > MOST then
    return nil, ('a group has 1 to %d instances; stop %s stops all of them'):format(MOST, id), 'EINVAL'
  end
  local added, problems = require('pact.plan').scale(plan, network.recipe, id, count)
  if not added then
    local fail = require 'pact.base.fail'
    return nil, (fail.render(problems):gsub('\n$', '')), 'recipe'
  end
  admit(network, added, plan.groups[id])
  local down = {}
  for i = #before, count + 1, -1 do
    down[#down + 1] = before[i]
    network.supervisor:retire(before[i], true)
  end
  local up = list.filter(plan.groups[id], function(one) return network.supervisor:snapshot(one).want == 'down' end)
  return { up = up, down = down }
end

return M
