--- What a declaration returns: stands for the service by its id, shows its declared and its live fields.
local list = require 'pact.base.list'
local older = require 'pact.declare.older'
local text = require 'pact.base.text'

local M = {}

local ID = setmetatable({}, { __name = 'handle.id' })

-- The ids again, for `..`: what that calls has to move the stack as seldom as can be, see `sys.join`.
local ids = setmetatable({}, { __mode = 'k' })

local fields = {
  'id', 'display_name', 'category', 'tags', 'kind', 'status', 'health', 'reason', 'pid', 'exit_code',
  'exit_signal', 'restart_count', 'started_at', 'ended_at', 'uptime', 'cpu', 'memory', 'ports', 'endpoints',
  'history', 'last_probe', 'group', 'replica', 'instances',
}
local methods = { 'start', 'stop', 'restart', 'scale', 'signal', 'wait', 'logs', 'tail', 'exec', 'why' }
M.fields, M.methods = fields, methods

local known = list.set(fields)
for _, name in ipairs(methods) do known[name] = true end
local names = list.keys(known)

---@param value any
---@return string? id of the service that a handle stands for
function M.id_of(value) return type(value) == 'table' and rawget(value, ID) or nil end

---The ports of a declaration: by name, or by place in the list.
---@param id string
---@param ports { name: string, port: integer }[]
---@return table<string|integer, integer>
function M.ports(id, ports)
  local out = {}
  for i, port in ipairs(ports) do
    out[port.name], out[i] = port.port, port.port
  end
  return setmetatable(out, {
    __index = function(_, key)
      local declared = list.map(ports, function(port) return port.name end)
      local hint = #declared == 0 and '; it declares none' or text.suggest(tostring(key), declared)
      error(("service '%s' has no port %s%s"):format(id, text.show(key), hint), 2)
    end,
  })
end

-- Of one that a reload has removed only its name is known.
local function static(declaration, key, id)
  if not declaration then return (key == 'id' or key == 'display_name') and id or nil end
  local given = declaration.fields
  if key == 'id' or key == 'kind' or key == 'group' or key == 'replica' then return declaration[key] end
  if key == 'display_name' then return given.display_name or declaration.id end
  if key == 'category' then return given.category or 'service' end
  if key == 'tags' then return given.tags or {} end
  if key == 'endpoints' then return given.endpoints or {} end
  if key == 'ports' then
    declaration.ports = declaration.ports or M.ports(declaration.id, given.ports or {})
    return declaration.ports
  end
end

---The metatable that all handles of one recipe share.
---@param recipe table with `declared` by id, and `context` with `live`, `methods`
---@return table
function M.meta(recipe)
  local meta = { __name = 'service' }
  function meta.__index(handle, key)
    local id, context = rawget(handle, ID), recipe.context
    if not known[key] and known[older.field(key)] then key = older.field(key) end
    local method = context.methods and context.methods[key]
    if method then return method end
    local value
    if context.live then value = context.live(id, key) end
    if value == nil then value = static(recipe.declared[id], key, id) end
    if value == nil and not known[key] then
      error(("service '%s' has no %s%s"):format(id, text.show(key), text.suggest(key, names)), 2)
    end
    return value
  end
  function meta.__newindex(handle, key)
    error(("service '%s': %s cannot be set"):format(rawget(handle, ID), text.show(key)), 2)
  end
  function meta.__tostring(handle) return rawget(handle, ID) end
  local join = recipe.context.sys.join
  function meta.__concat(a, b) return join(ids[a] or a, ids[b] or b) end
  function meta.__eq(a, b) return M.id_of(a) == M.id_of(b) end
  function meta.__show(handle) return ("service '%s'"):format(rawget(handle, ID)) end
  return meta
end

---@param meta table of `M.meta`
---@param id string
---@return table handle
function M.new(meta, id)
  local handle = setmetatable({ [ID] = id }, meta)
  ids[handle] = id
  return handle
end

return M
