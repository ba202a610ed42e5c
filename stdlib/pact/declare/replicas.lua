--- `replicas = n`: one declaration stands for the instances web-1 … web-n of the group `web`.
local fail = require 'pact.base.fail'
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

local function instance(declaration, number)
  local out, fields = list.copy(declaration), list.copy(declaration.fields)
  if fields.ports then fields.ports = counted(fields.ports, number) end
  if fields.listen then fields.listen = counted(fields.listen, number) end
  if fields.display_name then fields.display_name = ('%s %d'):format(fields.display_name, number) end
  out.id, out.fields, out.group, out.replica = M.id(declaration.id, number), fields, declaration.id, number
  return out
end

---The names of a group's instances are taken by it.
---@param recipe recipe
---@param declaration declaration
---@param cursor cursor hears of those that others have
function M.check(recipe, declaration, cursor)
  for number = 1, declaration.fields.replicas or 0 do
    local id = M.id(declaration.id, number)
    local other = recipe.declared[id]
    if other then
      cursor:slip(("has an instance '%s', which is declared already, at %s"):format(id, fail.place(other.at)))
    end
  end
end

---One more instance of a group.
---@param recipe recipe
---@param declaration declaration of the group
---@param number integer
---@return declaration
function M.declare(recipe, declaration, number)
  local one = instance(declaration, number)
  recipe.declared[one.id] = one
  return one
end

---Takes back a declaration that the plan refused.
---@param recipe recipe
---@param declaration declaration
function M.forget(recipe, declaration)
  recipe.declared[declaration.id] = nil
  for number = 1, declaration.fields.replicas or 0 do recipe.declared[M.id(declaration.id, number)] = nil end
end

---@param recipe recipe
---@param declaration declaration of a group
---@return declaration[] its instances
function M.of(recipe, declaration)
  local out = {}
  for number = 1, declaration.fields.replicas do
    out[number] = recipe.declared[M.id(declaration.id, number)]
  end
  return out
end

return M
