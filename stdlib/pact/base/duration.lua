--- Durations: the recipe's spelling to milliseconds and back.
local M = {}

local units = { d = 86400000, h = 3600000, m = 60000, s = 1000, ms = 1 }
local order = { 'd', 'h', 'm', 's', 'ms' }
local rank = { d = 1, h = 2, m = 3, s = 4, ms = 5 }

---What is longer than a year is a slip of the keyboard.
M.longest = 366 * units.d

local expected = "must be a duration such as '500ms', '30s' or '1m30s'"

local function show(value)
  return type(value) == 'string' and "'" .. value .. "'" or tostring(value)
end

local function within(ms, value)
  if ms < 0 then return nil, ("must not be negative, got %s"):format(show(value)) end
  if ms > M.longest then return nil, ('must be at most a year, got %s'):format(show(value)) end
  return math.floor(ms + 0.5)
end

local function bare(number, value)
  if number ~= number or number == math.huge or number == -math.huge then
    return nil, ('%s, got %s'):format(expected, show(value))
  end
  if number > 0 and number < 100 then
    local plain = ('%.14g'):format(number)
    local text = "is %s: a bare number is milliseconds; write '%ss' for seconds or '%sms'"
    return nil, text:format(show(value), plain, plain)
  end
  return within(number, value)
end

local function spelled(text)
  local sum, last, rest = 0, 0, text
  while rest ~= '' do
    local digits, unit, tail = rest:match '^%s*(%d+%.?%d*)%s*(%a+)%s*(.*)$'
    local place = unit and rank[unit]
    if not place or place <= last or not tonumber(digits) then
      return nil, ("%s, got '%s'"):format(expected, text)
    end
    sum, last, rest = sum + tonumber(digits) * units[unit], place, tail
  end
  return within(sum, text)
end

-- Texts that have been read before: reading takes room on the stack of a coroutine that is about to sleep.
local known, known_count = {}, 0
local KNOWN_MOST = 256

local function remember(text, ms, message)
  if ms and known_count < KNOWN_MOST then known[text], known_count = ms, known_count + 1 end
  return ms, message
end

---@param value any `'500ms' '30s' '1m30s' '2h' '1d'`; a bare number is milliseconds, and one below 100 refused
---@return integer? ms
---@return string? message what is wrong, as the end of a sentence that begins with the field's name
function M.parse(value)
  if value ~= nil and known[value] then return known[value] end
  if type(value) == 'number' then return bare(value, value) end
  if type(value) ~= 'string' then
    local came = { table = 'a table', ['function'] = 'a function' }
    return nil, ('%s, got %s'):format(expected, came[type(value)] or tostring(value))
  end
  local number = value:match '^%s*([+-]?%d+%.?%d*)%s*$'
  if number then return bare(tonumber(number), value) end
  local negative = value:match '^%s*%-%s*(%d.*)$'
  if negative and spelled(negative) then
    return nil, ("must not be negative, got '%s'"):format(value)
  end
  if not value:find '%d' then return nil, ("%s, got '%s'"):format(expected, value) end
  return remember(value, spelled(value))
end

local function parts(ms, joiner, space)
  if ms < 1000 then return ('%d%sms'):format(ms, joiner) end
  if ms < 10000 and ms % 1000 >= 100 then return ('%.1f%ss'):format(ms // 100 / 10, joiner) end
  local rest = ms - ms % 1000
  local out = {}
  for _, unit in ipairs(order) do
    local n = rest // units[unit]
    rest = rest % units[unit]
    local text = n > 0 and ('%d%s%s'):format(n, joiner, unit)
    if text or #out > 0 then out[#out + 1] = text end
    if #out == 2 or unit == 's' then break end
  end
  return out[2] and out[1] .. space .. out[2] or out[1]
end

---For people, at most two units: `350 ms`, `3 s`, `3.5 s`, `1 m 30 s`, `2 h 5 m`.
---@param ms integer
---@return string
function M.format(ms) return parts(math.max(0, ms // 1), ' ', ' ') end

---For narrow columns: `350ms`, `3s`, `1m 30s`, `2h 5m`, `3d 4h`.
---@param ms integer
---@return string
function M.short(ms) return parts(math.max(0, ms // 1), '', ' ') end

---Exactly, as a recipe would write it: `1m30s`, `1500ms`.
---@param ms integer
---@return string
function M.spell(ms)
  if ms == 0 then return '0s' end
  if ms % 1000 ~= 0 then return ms .. 'ms' end
  local out = {}
  for i = 1, 4 do
    local unit = units[order[i]]
    if ms >= unit then out[#out + 1] = ('%d%s'):format(ms // unit, order[i]) end
    ms = ms % unit
  end
  return table.concat(out)
end

return M
