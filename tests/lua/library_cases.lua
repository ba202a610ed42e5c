--- Random calls of functions that lua/lib has anew, beside those of the standard library: results, errors and what is
-- done to tables must be the same. Called with both, a seed and how many cases; raises at the first that differs and
-- gives how often what was met.

local stock, ours, seed, count = ...

local random = math.random

local function one_of(list) return list[random(#list)] end

local function chance(percent) return random(100) <= percent end

local function text_of(alphabet, most)
  local out = {}
  for i = 1, random(0, most) do out[i] = one_of(alphabet) end
  return table.concat(out)
end

---------------------------------------------------------------------------------------------------
-- patterns

local CHARS = { 'a', 'a', 'a', 'b', 'b', 'A', '1', ' ', '.', ']', '-', '(', ')', '^', '\0', '\xe9', '%' }
local CLASSES = { '%a', '%c', '%d', '%g', '%l', '%p', '%s', '%u', '%w', '%x', '%z', '%A', '%C', '%D', '%G', '%L', '%P',
  '%S', '%U', '%W', '%X', '%Z', '%e', '%%', '%.', '%-', '%]', '%(' }
local IN_SETS = { 'a', 'b', 'a-b', 'b-a', 'A-Z', '0-9', '-', '%-', '%]', '%%', '%', '^', '.', '[', ' -~', '\0-\x1f',
  '%a', '%d', '%W', '%s', 'a-%', '-a', '\xe9' }

local function set()
  local out = { '[', chance(30) and '^' or '', chance(15) and ']' or '' }
  for _ = 1, random(1, 4) do out[#out + 1] = one_of(IN_SETS) end
  out[#out + 1] = chance(97) and ']' or ''
  return table.concat(out)
end

local function single()
  local kind = random(10)
  if kind <= 4 then return one_of { 'a', 'a', 'b', 'A', '1', ' ', '\0', '\xe9', '-', ']', '^', '$' } end
  if kind <= 6 then return '.' end
  return kind <= 8 and one_of(CLASSES) or set()
end

-- Few that repeat: the standard library's go on for ever with many.
local function item(state)
  local kind = random(24)
  if kind == 1 then return '(' .. single() .. ')' end
  if kind == 2 then return '(' end
  if kind == 3 then return ')' end
  if kind == 4 then return '()' end
  if kind == 5 then return '%b' .. one_of { '()', 'ab', 'aa', 'a', '', '\0\0', 'a\0' } end
  if kind == 6 then return '%f' .. (chance(95) and set() or '') end
  if kind == 7 then return '%' .. random(0, 3) end
  local text = single()
  if chance(45) and state.repeats < 4 then
    state.repeats = state.repeats + 1
    text = text .. one_of { '*', '+', '-', '?' }
  end
  return text
end

-- A byte that is too much, missing, or another.
local function spoil(text)
  local at = random(0, #text)
  return text:sub(1, at) .. (chance(50) and one_of(CHARS) or '') .. text:sub(at + 1 + random(0, 1))
end

local function pattern()
  local out, state = { chance(10) and '^' or '' }, { repeats = 0 }
  for _ = 1, random(0, 6) do out[#out + 1] = item(state) end
  out[#out + 1] = chance(10) and '$' or ''
  local text = table.concat(out)
  return chance(10) and spoil(text) or text
end

-- What is at most, or more than, a pattern may have; nothing in it makes the standard library's try all there is.
local function excessive()
  local many = one_of { 31, 32, 33, 98, 99, 100, 101, 198, 199, 200, 201 }
  local part = one_of { 'a?', 'a-', 'a+b*', '()', '(a)', '(' }
  local behind = one_of { '', '', '$', '%1', '%9', ')', '[' }
  if part == 'a?' and behind == '$' or part == 'a-' then behind = '' end
  return part:rep(many) .. behind, (part == 'a+b*' and 'ab' or 'a'):rep(one_of { 0, 30, 98, 101, 201, 400 })
end

local function subject()
  local kind = random(12)
  if kind == 1 then return random(-200, 200) end
  if kind == 2 then return random() * 100 end
  return text_of(CHARS, 12)
end

local function init() return chance(60) and 1 or random(-16, 16) end

local function replacement()
  local kind = random(4)
  if kind == 1 then return text_of({ 'x', '%0', '%1', '%2', '%%', '\0', '%1', '%9', chance(30) and '%' or '' }, 4) end
  if kind == 2 then return random(9) end
  local values = { a = 'x', b = false, ['1'] = 7, [' '] = 1.5, ab = 'A\0B', aa = '', [1] = 'one' }
  if chance(20) then values[one_of { '.', 'a', ' ' }] = {} end
  if kind == 3 then return values end
  local calls = 0
  return function(...)
    calls = calls + 1
    if select('#', ...) > 1 and calls % 3 == 0 then return (select(2, ...)) end
    return values[(...)]
  end
end

local function all_of(gmatch, ...)
  local out = {}
  for a, b, c in gmatch(...) do out[#out + 1] = { a, b, c } end
  return out
end

local function hand_over(fn, ...) return fn(...) end

local CALLS = {
  find = function(s, p) return hand_over, s, p, init(), chance(10) end,
  match = function(s, p) return hand_over, s, p, init() end,
  gmatch = function(s, p) return all_of, s, p, init() end,
  gsub = function(s, p)
    if chance(70) then return hand_over, s, p, replacement() end
    return hand_over, s, p, replacement(), random(-1, 6)
  end,
}

local function pattern_case()
  local name, p, s = one_of { 'find', 'match', 'gmatch', 'gsub' }, pattern(), subject()
  if chance(3) then p, s = excessive() end
  if chance(8) then p = text_of({ 'a', 'b', 'a', '\0', ')', ']' }, 3) end
  return 'string', name, CALLS[name](s, p)
end

---------------------------------------------------------------------------------------------------
-- rep and tables

local COUNTS = { -1, 0, 1, 2, 3, 7, 8, 100, 1 << 62, math.maxinteger, math.mininteger, 2.0, 2.5, 'x' }

local function rep_case()
  local text, times, between = one_of { '', 'a', 'ab', 'a\0b', 12 }, one_of(COUNTS), one_of { '', '', ',', ', ' }
  if text == '' and between == '' and times ~= 'x' and times > 100 then times = 5 end -- the other's would never end
  return 'string', 'rep', hand_over, text, times, between
end

local LENGTHS = { -2, 0, 1, 2, 3, math.maxinteger, math.mininteger }
local NUMBERS = { -3, -2, -1, 0, 1, 2, 3, 4, 5, math.maxinteger, math.maxinteger - 1, math.mininteger, 1.0, 1.5, 'x' }

-- A table with numbers, and one that notes what is done to it.
local function tables(log)
  local length, equal, plain = one_of(LENGTHS), chance(50), {}
  local function note(...) log[#log + 1] = table.concat({ ... }, ' ') end
  for i = 1, random(0, 5) do plain[i] = i * 10 end
  return plain, setmetatable({}, {
    __len = function() note '#' return length end,
    __index = function(_, key) note('get', tostring(key)) return key end,
    __newindex = function(_, key, value) note('set', tostring(key), tostring(value)) end,
    __eq = function() note '==' return equal end,
  })
end

-- Calls it until it is done, or has done very much.
local function for_a_while(fn, ...)
  local left = 20
  debug.sethook(function()
    left = left - 1
    if left == 0 then error('endless', 0) end
  end, '', 1000)
  local results = table.pack(pcall(fn, ...))
  debug.sethook()
  return results
end

local function table_case()
  local log, name, arguments = {}, one_of { 'insert', 'remove', 'move' }, {}
  local plain, proxy = tables(log)
  for i = 1, random(0, 4) do arguments[i] = one_of(NUMBERS) end
  if arguments[4] and chance(80) then arguments[4] = one_of { plain, proxy } end
  local first, last = math.tointeger(arguments[1]), math.tointeger(arguments[2])
  local far = name == 'move' and first and last and last > first and (last - first > 10 or last - first < 0)
  if far and (first > 0 or last < math.maxinteger + first) then arguments[2] = first + 2 end -- or one would never end
  return 'table', name, function(fn, ...)
    local results = for_a_while(fn, ...)
    return results[2] == 'endless' and 'endless' or { results, plain, log }
  end, one_of { plain, plain, proxy, proxy, 'x' }, table.unpack(arguments)
end

---------------------------------------------------------------------------------------------------

local function same(a, b)
  if type(a) ~= 'table' or type(b) ~= 'table' then
    return rawequal(a, b) and math.type(a) == math.type(b) or a ~= a and b ~= b
  end
  for key, value in next, a do
    if not same(value, rawget(b, key)) then return false end
  end
  for key in next, b do
    if rawget(a, key) == nil then return false end
  end
  return true
end

local function show(value)
  if type(value) == 'string' then return ('%q'):format(value) end
  if type(value) ~= 'table' then return tostring(value) end
  local out = {}
  for key, inner in next, value do out[#out + 1] = ('%s = %s'):format(key, show(inner)) end
  table.sort(out)
  return '{ ' .. table.concat(out, ', ') .. ' }'
end

local function call(library, of, name, through, ...)
  package.loaded[of] = library[of] -- where errors find the function's name
  return table.pack(pcall(through, library[of][name], ...)), name, ...
end

-- The same case each time: nothing in it but chance.
local function play(library, number)
  math.randomseed(seed, number)
  local kind = number % 10
  return call(library, (kind == 1 and rep_case or kind == 2 and table_case or pattern_case)())
end

local met = {}

local function note(what)
  what = tostring(what):gsub('^[^\n]-:%d+: ', '')
  met[what] = (met[what] or 0) + 1
end

for number = 1, count do
  local expected, name = play(stock, number)
  local got = play(ours, number)
  note(name)
  note(expected[1] and (expected[2] and 'found' or 'not found') or expected[2])
  if not same(expected, got) then
    error(('seed %d, case %d: %s\n gives      %s\n instead of %s'):format(seed, number,
      show { select(2, play(stock, number)) }, show(got), show(expected)), 0)
  end
end

return met
