--- Values as text for people: strings bare at the top, tables in one line, keys sorted. Tables are read raw.

local list = require 'pact.base.list'

local M = {}

-- MOST: items in all that are shown of one value.
local DEPTH, MOST = 3, 20000

local ESCAPES = { ["'"] = "\\'", ['\n'] = '\\n', ['\r'] = '\\r', ['\t'] = '\\t' }

local function quoted(value)
  return "'" .. value:gsub("[%c']", function(c) return ESCAPES[c] or ('\\x%02x'):format(c:byte()) end) .. "'"
end

local function name(key)
  if type(key) == 'string' and key:find '^[%a_][%w_]*$' then return key end
  return '[' .. (type(key) == 'string' and ('%q'):format(key) or tostring(key)) .. ']'
end

local show

-- What a table has besides its list; of very many those that come first.
local function named(value, length, most)
  local out, count = {}, 0
  for key, item in next, value do
    if not (math.type(key) == 'integer' and key >= 1 and key <= length) then
      count = count + 1
      if count <= most then out[key] = item end
    end
  end
  return out, count
end

local function items(value, depth, state)
  local parts, length = {}, rawlen(value)
  local function add(prefix, item)
    state.left = state.left - 1
    parts[#parts + 1] = prefix .. show(item, depth - 1, state)
  end
  for i = 1, length do
    if state.left <= 0 then break end
    add('', rawget(value, i))
  end
  local others, count = named(value, length, state.left)
  local shown = #parts
  for key, item in list.sorted(others) do
    if state.left <= 0 then break end
    add(name(key) .. ' = ', item)
    shown = shown + 1
  end
  if shown < length + count then parts[#parts + 1] = ('… and %d more'):format(length + count - shown) end
  return parts
end

local function show_table(value, depth, state)
  local meta = debug.getmetatable(value)
  if type(meta) == 'table' and rawget(meta, '__tostring') then return tostring(value) end
  if state.open[value] then return '<again>' end
  if depth == 0 then return next(value) == nil and '{}' or '{…}' end
  state.open[value] = true
  local parts = items(value, depth, state)
  state.open[value] = nil
  return #parts == 0 and '{}' or '{ ' .. table.concat(parts, ', ') .. ' }'
end

show = function(value, depth, state)
  if type(value) == 'string' then return quoted(value) end
  if type(value) == 'table' then return show_table(value, depth, state) end
  return tostring(value)
end

---@param value any
---@param depth? integer of tables shown, default 3
---@return string
function M.text(value, depth)
  if type(value) == 'string' then return value end
  return show(value, depth or DEPTH, { open = {}, left = MOST })
end

return M
