--- Joins what defaults, templates and a service itself say: the nearer one wins, tables are joined by key,
--- dependencies are added, a check keeps of the farther one what fits its kind.
local list = require 'pact.base.list'
local record = require 'pact.declare.record'

local M = {}

local times = { 'interval', 'timeout', 'retries', 'start_period', 'start_interval' }

local function joined(far, near)
  local out = list.copy(far)
  for key, value in pairs(near) do out[key] = value end
  return out
end

local join = {}

function join.map(far, near) return joined(far, near) end

-- a policy that is given anew brings its own function or none
join.restart = function(far, near)
  local out = joined(far, near)
  if near.policy then out.decide = near.decide end
  return out
end

function join.health(far, near)
  if not far or not near then return near end
  if not near.kind or near.kind == far.kind then return joined(far, near) end
  local out = list.copy(near)
  for _, name in ipairs(times) do
    if out[name] == nil then out[name] = far[name] end
  end
  return out
end

function join.edges(far, near)
  local out, own = {}, {}
  for _, edge in ipairs(near) do own[edge.id] = true end
  for _, edge in ipairs(far) do
    if not own[edge.id] then out[#out + 1] = edge end
  end
  return table.move(near, 1, #near, #out + 1, out)
end

---@param noun noun
---@param far table checked fields
---@param near table checked fields
---@param kind? string fields that such a service doesn't have are left out of `far`
---@return table
function M.fields(noun, far, near, kind)
  local out = list.copy(near)
  local index = record.index(noun)
  for name, value in pairs(far) do
    local row = index[name]
    if record.has_kind(row, kind) then
      if out[name] == nil then
        out[name] = value
      elseif row.merge then
        out[name] = join[row.merge](value, out[name])
      end
    end
  end
  -- `command` and `shell` are two ways to say one thing
  if near.command and not near.shell then out.shell = nil end
  if near.shell and not near.command then out.command, out.args = nil, nil end
  if near.command and not near.args and not near.command.text then out.args = nil end
  return out
end

---Defaults adjust the health and the dependencies that a service has; they never give it a check.
---@param defaults table
---@param fields table the service's own with its templates
---@param id string
---@return table defaults as they apply to it
function M.applicable(defaults, fields, id)
  local out = list.copy(defaults)
  for _, name in ipairs { 'health', 'ready' } do
    local default = out[name]
    if default and not default.kind and not fields[name] then out[name] = nil end
  end
  if out.depends_on then
    out.depends_on = list.filter(out.depends_on, function(edge) return edge.id ~= id end)
  end
  return out
end

return M
