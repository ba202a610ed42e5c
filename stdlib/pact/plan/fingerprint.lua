--- What a function is, so that it can be told whether another one is the same: its text, and what it has captured.
local list = require 'pact.base.list'

local M = {}

-- What is captured may be anything: beyond so many values nothing more is looked at.
local MOST = 10000

-- What stands before a function on its first line, and behind it on its last, is another's, where that can be told.
local function cut(lines)
  local last = lines[#lines]
  local stop = last:match '.*%f[%w_]end%f[^%w_]()'
  if stop then lines[#lines] = last:sub(1, stop - 1) end
  local from, again = lines[1]:match '%f[%w_]()function%f[^%w_]()'
  if from and not lines[1]:find('%f[%w_]function%f[^%w_]', again) then lines[1] = lines[1]:sub(from) end
  return table.concat(lines, '\n')
end

---@param fn function
---@param texts table<string, string> of the recipe's files by chunk name
---@return string? text its lines; nil for a function of another's
local function lines_of(fn, texts)
  local info = debug.getinfo(fn, 'S')
  local text = texts[info.source]
  if not text or info.what == 'main' then return text end
  local out, number = {}, 0
  for line in (text .. '\n'):gmatch '(.-)\r?\n' do
    number = number + 1
    if number > info.lastlinedefined then break end
    if number >= info.linedefined then out[#out + 1] = line end
  end
  return cut(out)
end

---A function by its text alone.
---@param fn function
---@param texts table<string, string>
---@return string
function M.text(fn, texts)
  local found = lines_of(fn, texts)
  if found then return found end
  local ok, code = pcall(string.dump, fn, true)
  return ok and code or tostring(fn)
end

local show

local function show_table(value, walk)
  local meta = getmetatable(value)
  if meta then
    local named = type(meta) == 'table' and meta.__name
    return named == 'service' and 'service ' .. tostring(value) or tostring(named or 'object')
  end
  local parts = {}
  for _, key in ipairs(list.keys(value)) do parts[#parts + 1] = show(key, walk) .. '=' .. show(value[key], walk) end
  return '{' .. table.concat(parts, ',') .. '}'
end

local function show_function(fn, walk)
  local text = lines_of(fn, walk.texts)
  if not text then return 'function' end
  local parts, i = { text }, 1
  while true do
    local name, value = debug.getupvalue(fn, i)
    if not name then break end
    if name ~= '_ENV' then parts[#parts + 1] = name .. '=' .. show(value, walk) end
    i = i + 1
  end
  return table.concat(parts, '\n')
end

local SHOWN = { table = show_table, ['function'] = show_function }

function show(value, walk)
  local as = SHOWN[type(value)]
  if type(value) == 'string' then return ('%q'):format(value) end
  if not as then return type(value) == 'userdata' and 'userdata' or tostring(value) end
  if walk.seen[value] then return '#' .. walk.seen[value] end
  walk.count = walk.count + 1
  if walk.count > MOST then return '…' end
  walk.seen[value] = walk.count
  return as(value, walk)
end

---A function with what it has captured: plain values, tables of them, other functions of the recipe, as they are now.
---@param fn function
---@param texts table<string, string>
---@return string
function M.deep(fn, texts) return show_function(fn, { texts = texts, seen = { [fn] = 0 }, count = 0 }) end

return M
