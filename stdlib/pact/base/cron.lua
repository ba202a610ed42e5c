--- Lines of cron: five fields, what is wrong with them, and when the next time comes.

local calendar = require 'pact.base.calendar'
local text = require 'pact.base.text'

local M = {}

local MONTHS = {
  jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9, oct = 10, nov = 11, dec = 12,
}
local WEEKDAYS = { sun = 0, mon = 1, tue = 2, wed = 3, thu = 4, fri = 5, sat = 6 }

local FIELDS = {
  { key = 'minute', low = 0, high = 59 },
  { key = 'hour', low = 0, high = 23 },
  { key = 'day', name = 'day of the month', low = 1, high = 31 },
  { key = 'month', low = 1, high = 12, names = MONTHS, example = 'jan' },
  { key = 'weekday', name = 'day of the week', low = 0, high = 7, names = WEEKDAYS, example = 'mon' },
}

local SHORT = {
  ['@hourly'] = '0 * * * *', ['@daily'] = '0 0 * * *', ['@midnight'] = '0 0 * * *', ['@weekly'] = '0 0 * * 0',
  ['@monthly'] = '0 0 1 * *', ['@yearly'] = '0 0 1 1 *', ['@annually'] = '0 0 1 1 *',
}

-- A day that comes at all comes within this; 29 February may be eight years away.
local HORIZON_DAYS = 366 * 9

---@class cron
---@field minute table<integer, true>
---@field hour table<integer, true>
---@field day table<integer, true>
---@field month table<integer, true>
---@field weekday table<integer, true>
---@field either boolean day and weekday are both given: one of them is enough
---@field flowing boolean minute or hour are any: it follows the time that passes, not the clocks' face

local function allowed(field)
  local out = ('%d–%d'):format(field.low, field.high)
  if field.names then out = ("%s or names such as '%s'"):format(out, field.example) end
  return out .. ", '*', lists (1,2), ranges (1-3) and steps (*/2)"
end

local function number(field, word)
  local n = word:find '^%d+$' and math.tointeger(tonumber(word)) or field.names and field.names[word:lower()]
  return n and n >= field.low and n <= field.high and n or nil
end

-- One part of a list: `*`, `7`, `1-5`, each with a step or without.
local function add_part(field, part, set)
  local body, step = part:match '^([^/]+)/(%d+)$'
  if not body and part:find('/', 1, true) then return ("'%s' has no step: write '*/5' or '10-30/5'"):format(part) end
  body, step = body or part, step and math.tointeger(tonumber(step)) or nil
  if step == 0 then return ("'%s' has a step of 0"):format(part) end
  local low, high = body:match '^([^-]+)%-([^-]+)$'
  if body == '*' then
    low, high = field.low, field.high == 7 and 6 or field.high
  else
    low, high = number(field, low or body), number(field, high or body)
    if low and not body:find('-', 1, true) and step then high = field.high end
  end
  if not low or not high then return ("'%s' is not allowed: %s"):format(body, allowed(field)) end
  if low > high then return ("'%s' ends before it begins"):format(body) end
  for n = low, high, step or 1 do set[field.high == 7 and n % 7 or n] = true end
end

local function read_field(field, word, spec)
  local set = {}
  for part in (word .. ','):gmatch '([^,]*),' do
    local why = part == '' and ("'%s' has an empty part"):format(word) or add_part(field, part, set)
    if why then return why end
  end
  spec[field.key] = set
end

local function words_of(line)
  local words = {}
  for word in line:gmatch '%S+' do words[#words + 1] = word end
  return words
end

local function long_form(line)
  if line:sub(1, 1) ~= '@' then return line end
  local found = SHORT[line:lower()]
  if found then return found end
  local every = line:match '^@every%s+(%S+)'
  if every then return nil, ("is '%s': write schedule = { every = '%s' }"):format(line, every) end
  local names = {}
  for name in pairs(SHORT) do names[#names + 1] = name end
  table.sort(names)
  return nil, ("is '%s', which is none of %s%s"):format(line, table.concat(names, ' '), text.suggest(line, names))
end

local MORE = " (no seconds here: every = '10s' has them)"

-- 30 February and the like.
local function ever(spec)
  if spec.either then return true end
  for month in pairs(spec.month) do
    for day in pairs(spec.day) do
      if day <= calendar.length(2024, month) then return true end
    end
  end
  return false
end

---@param line string
---@return cron? spec
---@return string? message goes on after the field's name
function M.parse(line)
  local long, problem = long_form(text.trim(line))
  if not long then return nil, problem end
  local words = words_of(long)
  if #words ~= 5 then
    return nil, ("has %d field%s, five are expected: minute hour day month weekday%s")
      :format(#words, #words == 1 and '' or 's', #words > 5 and MORE or '')
  end
  local spec = {}
  for i, field in ipairs(FIELDS) do
    local why = read_field(field, words[i], spec)
    if why then return nil, ('has a wrong %s (field %d): %s'):format(field.name or field.key, i, why) end
  end
  local function any(i) return words[i]:sub(1, 1) == '*' end
  spec.either = not any(3) and not any(5)
  spec.flowing = any(1) or any(2)
  if not ever(spec) then return nil, ("never comes: no such month has day %s"):format(words[3]) end
  return spec
end

local function day_matches(spec, days, day)
  local by_date, by_week = spec.day[day], spec.weekday[calendar.weekday(days)]
  if spec.either then return by_date or by_week end
  return by_date and by_week
end

local function first_from(set, from, high)
  for n = from, high do
    if set[n] then return n end
  end
end

-- The first minute of a day, from `minute` of the day on.
local function in_day(spec, minute)
  local hour = first_from(spec.hour, minute // 60, 23)
  if not hour then return nil end
  local found = first_from(spec.minute, hour == minute // 60 and minute % 60 or 0, 59)
  if found then return hour * 60 + found end
  hour = first_from(spec.hour, minute // 60 + 1, 23)
  return hour and hour * 60 + first_from(spec.minute, 0, 59)
end

---The first time that clocks show, not before `face`, at which it comes.
---@param spec cron
---@param face integer seconds since 1970 as the clocks show them
---@return integer?
function M.next_face(spec, face)
  local minute = -(-face // 60)
  local days, rest = minute // 1440, minute % 1440
  for d = days, days + HORIZON_DAYS do
    local _, month, day = calendar.date(d)
    local found = spec.month[month] and day_matches(spec, d, day) and in_day(spec, d == days and rest or 0)
    if found then return d * 86400 + found * 60 end
  end
end

---The first moment after `utc` at which it comes. A time of day that the clocks leave out in spring comes
---right behind the gap; one that they show twice in autumn comes once. What follows the time that passes
---(`*/5 * * * *`) goes on through both.
---@param spec cron
---@param zone zone
---@param utc integer seconds since 1970
---@return integer?
function M.next(spec, zone, utc)
  local at = utc + 1
  for _ = 1, 400 do
    local segment = zone:segment(at)
    local face = M.next_face(spec, at + segment.offset)
    if not face then return nil end
    local found = face - segment.offset
    if found >= segment.to then
      local gap_end = segment.to + zone:segment(segment.to).offset
      if not spec.flowing and face < gap_end then return segment.to end
      at = segment.to
    elseif not spec.flowing and segment.from > math.mininteger and face < segment.from + segment.before then
      at = segment.from + segment.before - segment.offset -- shown for the second time
    else
      return found
    end
  end
end

return M
