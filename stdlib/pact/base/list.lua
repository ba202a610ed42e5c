--- Small operations on lists and maps.
local M = {}

local FEW = 8 -- so many are sorted faster without a call for each comparison

local function before(a, b)
  if math.type(a) == 'integer' and math.type(b) == 'integer' then return a < b end
  if type(a) ~= type(b) then return type(a) < type(b) end
  return tostring(a) < tostring(b)
end

local function sort_few(keys, n)
  for i = 2, n do
    local key, at = keys[i], i
    while at > 1 and key < keys[at - 1] do
      keys[at] = keys[at - 1]
      at = at - 1
    end
    keys[at] = key
  end
end

---The keys of a map, sorted; keys of different types are told apart by their text.
---@param map table
---@return any[]
function M.keys(map)
  local keys, n, plain = {}, 0, true
  for key in next, map do
    n = n + 1
    keys[n] = key
    plain = plain and type(key) == 'string'
  end
  if plain and n <= FEW then
    sort_few(keys, n)
  elseif plain then
    table.sort(keys)
  else
    table.sort(keys, before)
  end
  return keys
end

---Iterates over a map in the order of its keys.
---@param map table
---@return fun(): any, any
function M.sorted(map)
  local keys, i = M.keys(map), 0
  return function()
    i = i + 1
    local key = keys[i]
    if key ~= nil then return key, map[key] end
  end
end

---@generic T, U
---@param list T[]
---@param fn fun(item: T, index: integer): U
---@return U[]
function M.map(list, fn)
  local out = {}
  for i, item in ipairs(list) do out[i] = fn(item, i) end
  return out
end

---@generic T
---@param list T[]
---@param fn fun(item: T): any
---@return T[]
function M.filter(list, fn)
  local out = {}
  for _, item in ipairs(list) do
    if fn(item) then out[#out + 1] = item end
  end
  return out
end

---@param list any[]
---@param wanted any
---@return integer? index of the first item that equals `wanted`
function M.index(list, wanted)
  for i, item in ipairs(list) do
    if item == wanted then return i end
  end
end

---@param list any[]
---@return table<any, true>
function M.set(list)
  local out = {}
  for _, item in ipairs(list) do out[item] = true end
  return out
end

---@generic T
---@param list T[]
---@return T[]
function M.reverse(list)
  local out, n = {}, #list
  for i = n, 1, -1 do out[n - i + 1] = list[i] end
  return out
end

---A copy one level deep, without its metatable.
---@generic T: table
---@param from T
---@return T
function M.copy(from)
  local out = {}
  for key, value in pairs(from) do out[key] = value end
  return out
end

---@param map table
---@return integer
function M.count(map)
  local n = 0
  for _ in pairs(map) do n = n + 1 end
  return n
end

---Whether every key is one of 1 … n without a gap; an empty table is one.
---@param t table
---@return boolean
function M.is_sequence(t)
  local n, top = 0, 0
  for key in pairs(t) do
    if math.type(key) ~= 'integer' or key < 1 then return false end
    n = n + 1
    if key > top then top = key end
  end
  return n == top
end

return M
