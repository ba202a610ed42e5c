--- What a function is, so that it can be told whether another one is the same: its text, and what it has captured.
local list = require 'pact.base.list'

local M = {}

-- What is captured may be anything: beyond so many values nothing more is looked at.
local MOST = 10000

-- Where the lines of files begin, by the table of texts that they are in.
local begins = setmetatable({}, { __mode = 'k' })

local function begins_of(texts, source)
  local known = begins[texts] or {}
  begins[texts] = known
  local text, found = texts[source], known[source]
  if found and found.text == text then return found end
  local at
  found = { 1, text = text }
  repeat
    at = text:find('\n', found[#found], true)
    found[#found + 1] = at and at + 1
  until not at
  known[source] = found
  return found
end

-- What stands before a function on its first line, and behind it on its last, is another's, where that can be told.
local function cut(text)
  local first, rest = text:match '^([^\n]*)(.*)$'
  local from, again = first:match '%f[%w_]()function%f[^%w_]()'
  if from and not first:find('%f[%w_]function%f[^%w_]', again) then first = first:sub(from) end
  text = first .. rest
  local stop = text:match '^.*%f[%w_]end%f[^%w_]()'
  local last = text:match '^.*\n()' or 1
  return stop and stop > last and text:sub(1, stop - 1) or text
end

---@param fn function
---@param texts table<string, string> of the recipe's files by chunk name
---@return string? text its lines; nil for a function of another's
local function lines_of(fn, texts)
  local info = debug.getinfo(fn, 'S')
  local text = texts[info.source]
  if not text or info.what == 'main' then return text end
  local at = begins_of(texts, info.source)
  local behind = at[info.lastlinedefined + 1]
  local lines = text:sub(at[info.linedefined], behind and behind - 2 or -1):gsub('\r\n', '\n')
  return cut(lines)
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
