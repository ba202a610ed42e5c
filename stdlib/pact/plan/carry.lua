--- What a network has besides what its recipe declares, carried over to another plan of the recipe: services that were
-- declared while it ran, and groups to which people have given another number of instances.
local list = require 'pact.base.list'
local plans = require 'pact.plan'
local resolve = require 'pact.plan.resolve'

local M = {}

local function without_lost_edges(plan, service)
  local kept = list.filter(service.depends_on, function(edge) return plan.services[edge.id] ~= nil end)
  if #kept == #service.depends_on then return service end
  return resolve.with(service, { depends_on = kept })
end

---Services that the other recipe doesn't declare stay as they are.
---@param plan plan
---@param recipe recipe its own; knows them from then on
---@param from plan
---@param from_recipe recipe
---@param ids table<string, true>
---@return table<string, true> those that have been carried over
function M.services(plan, recipe, from, from_recipe, ids)
  local taken = list.filter(from.declared_order, function(id) return ids[id] and not recipe.declared[id] end)
  if not taken[1] then return {} end
  for _, id in ipairs(taken) do plan.services[id] = from.services[id] end
  for _, id in ipairs(taken) do
    local service = without_lost_edges(plan, plan.services[id])
    plan.services[id], plan.prints[id] = service, from.prints[id]
    recipe.declared[id] = from_recipe.declared[id]
    if service.group and not recipe.declared[service.group] then
      recipe.declared[service.group] = from_recipe.declared[service.group]
      plan.groups[service.group] = from.groups[service.group]
    end
  end
  plans.arrange(plan, table.move(taken, 1, #taken, #plan.declared_order + 1,
    table.move(plan.declared_order, 1, #plan.declared_order, 1, {})))
  return list.set(taken)
end

---A group whose number in the recipe is the same keeps the one that it was given since.
---@param plan plan
---@param recipe recipe
---@param from plan
---@param from_recipe recipe
---@return problem[]? problems
function M.scales(plan, recipe, from, from_recipe)
  for group, members in list.sorted(plan.groups) do
    local before, now = from_recipe.declared[group], recipe.declared[group]
    local count = from.groups[group] and #from.groups[group]
    if count and count ~= #members and before and before.fields.replicas == now.fields.replicas then
      local added, problems = plans.scale(plan, recipe, group, count)
      if not added then return problems end
    end
  end
end

---Those that are gone can still be told of, until they have come to rest.
---@param recipe recipe
---@param from_recipe recipe
---@param ids string[]
function M.names(recipe, from_recipe, ids)
  for _, id in ipairs(ids) do recipe.declared[id] = recipe.declared[id] or from_recipe.declared[id] end
end

return M
