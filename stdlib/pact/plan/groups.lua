--- Groups of instances in a plan: a group's name stands for all of them, in edges and in commands.
local list = require 'pact.base.list'

local M = {}

---@param groups table<string, string[]>
---@param ids string[]
---@return string[] with the instances of groups instead of their names
function M.ids(groups, ids)
  local out = {}
  for _, id in ipairs(ids) do
    for _, one in ipairs(groups[id] or { id }) do out[#out + 1] = one end
  end
  return out
end

---@param edge edge on a group or on one of its instances
---@param group string
---@param id string
---@return edge the same on an instance
function M.edge(edge, group, id)
  local out = list.copy(edge)
  out.id, out.group = id, group
  return out
end

local function spread(service, groups)
  local out, seen = {}, {}
  for _, edge in ipairs(service.depends_on) do
    for _, id in ipairs(groups[edge.id] or { edge.id }) do
      if not seen[id] then
        seen[id] = true
        local own = edge.id == service.group and service.id or id -- its own group is itself
        out[#out + 1] = groups[edge.id] and M.edge(edge, edge.id, own) or edge
      end
    end
  end
  return out
end

---Edges on groups become edges on their instances.
---@param services table<string, service>
---@param ids string[] of those to look at
---@param groups table<string, string[]>
function M.spread(services, ids, groups)
  if not next(groups) then return end
  for _, id in ipairs(ids) do
    local service = services[id]
    for _, edge in ipairs(service.depends_on) do
      if groups[edge.id] then
        service.depends_on = spread(service, groups)
        break
      end
    end
  end
end

---@param plan plan
---@return table<string, { id: string, edge: edge }[]> by each service that others depend on, in the order of the plan
function M.dependents(plan)
  local out = {}
  for _, id in ipairs(plan.order) do
    for _, edge in ipairs(plan.services[id].depends_on) do
      out[edge.id] = out[edge.id] or {}
      table.insert(out[edge.id], { id = id, edge = edge })
    end
  end
  return out
end

---Lets those that depend on a group depend on a new instance of it, too.
---@param services table<string, service>
---@param group string
---@param id string
function M.join(services, group, id)
  for _, service in pairs(services) do
    local like = list.filter(service.depends_on, function(edge) return edge.group == group end)[1]
    if like and service.group ~= group then
      local edges = table.move(service.depends_on, 1, #service.depends_on, 1, {})
      edges[#edges + 1] = M.edge(like, group, id)
      service.depends_on = edges
    end
  end
end

return M
