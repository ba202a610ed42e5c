--- Of many services those that the words of a command name: by id, or by the group of which they are instances.

local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@generic T: { id: string, group?: string }
---@param services T[]
---@param ids string[] none: all
---@param where? string what a wrong name is told with, such as ` in this run`
---@return T[]? chosen, string? message
function M.of(services, ids, where)
  if #ids == 0 then return services end
  local wanted, found, known = list.set(ids), {}, {}
  local out = list.filter(services, function(service)
    known[#known + 1] = service.id
    local named = wanted[service.id] and service.id or service.group
    if named == nil or not wanted[named] then return false end
    found[named] = true
    return true
  end)
  for _, id in ipairs(ids) do
    if not found[id] then return nil, ("no service '%s'%s%s"):format(id, where or '', text.suggest(id, known)) end
  end
  return out
end

return M
