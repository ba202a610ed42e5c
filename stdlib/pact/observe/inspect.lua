--- Values as text for people: strings bare at the top, tables in one line, keys sorted.

local list = require 'pact.base.list'

local M = {}

local function name(key)
  if type(key) == 'string' and key:find '^[%a_][%w_]*$' then return key end
  return '[' .. (type(key) == 'string' and ('%q'):format(key) or tostring(key)) .. ']'
end

local show

local function show_table(value, depth, seen)
  local meta = getmetatable(value)
  if type(meta) == 'table' and meta.__tostring then return tostring(value) end
  if seen[value] then return '<again>' end
  if depth == 0 then return next(value) == nil and '{}' or '{…}' end
  seen[value] = true
  local parts = {}
  for i = 1, #value do
    parts[#parts + 1] = show(value[i], depth - 1, seen)
  end
  for key, item in list.sorted(value) do
    if not (math.type(key) == 'integer' and key >= 1 and key <= #value) then
      parts[#parts + 1] = name(key) .. ' = ' .. show(item, depth - 1, seen)
    end
  end
  seen[value] = nil
  return #parts == 0 and '{}' or '{ ' .. table.concat(parts, ', ') .. ' }'
end

show = function(value, depth, seen)
  if type(value) == 'string' then return "'" .. value:gsub('[%c\']', { ["'"] = "\\'", ['\n'] = '\\n' }) .. "'" end
  if type(value) == 'table' then return show_table(value, depth, seen) end
  return tostring(value)
end

---@param value any
---@param depth? integer of tables shown, default 3
---@return string
function M.text(value, depth)
  if type(value) == 'string' then return value end
  return show(value, depth or 3, {})
end

return M
