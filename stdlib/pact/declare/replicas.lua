--- `replicas = n`: one declaration stands for the instances web-1 … web-n of the group `web`.
local list = require 'pact.base.list'

local M = {}

---@param group string
---@param number integer
---@return string
function M.id(group, number) return ('%s-%d'):format(group, number) end

-- ports that count up: each instance has those behind the one before it
local function counted(ports, number)
  return list.map(ports, function(port)
    if not port.counts then return port end
    local own = list.copy(port)
    own.port = port.port + number - 1
    if port.name == tostring(port.port) then own.name = tostring(own.port) end
    return own
  end)
end

---@param declaration declaration of the group
---@param number integer from 1
---@return declaration of one instance
function M.instance(declaration, number)
  local out, fields = list.copy(declaration), list.copy(declaration.fields)
  if fields.ports then fields.ports = counted(fields.ports, number) end
  if fields.display_name then fields.display_name = ('%s %d'):format(fields.display_name, number) end
  out.id, out.fields, out.group, out.replica = M.id(declaration.id, number), fields, declaration.id, number
  return out
end

---@param recipe recipe
---@param declaration declaration
---@return declaration[] those whose services there will be: its instances, or itself
function M.of(recipe, declaration)
  local out = {}
  for number = 1, declaration.fields.replicas or 0 do
    out[number] = recipe.declared[M.id(declaration.id, number)]
  end
  return declaration.fields.replicas and out or { declaration }
end

return M
