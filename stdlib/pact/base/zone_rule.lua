--- The rule of a time zone in POSIX spelling, such as `CET-1CEST,M3.5.0,M10.5.0/3`: it holds for ever.

local calendar = require 'pact.base.calendar'

local M = {}

---@class zone_rule
---@field offset integer of standard time, seconds east of Greenwich
---@field summer? integer
---@field starts? table when summer time does, by the clocks of standard time
---@field ends? table when it ends, by its own clocks
local Rule = {}
Rule.__index = Rule

-- Each reader takes the text and a place in it, and gives a value and the place behind; nil: not there.
local function name(text, at)
  return text:match('^<[%w+-]+>()', at) or text:match('^%a%a%a+()', at)
end

local function span(text, at)
  local sign, hours, behind = text:match('^([+-]?)(%d+)()', at)
  if not hours then return nil end
  local seconds = tonumber(hours) * 3600
  local minutes, next_at = text:match('^:(%d+)()', behind)
  if minutes then
    seconds, behind = seconds + tonumber(minutes) * 60, next_at
    local more, last = text:match('^:(%d+)()', behind)
    if more then seconds, behind = seconds + tonumber(more), last end
  end
  return math.tointeger(sign == '-' and -seconds or seconds), behind
end

local function integer(text) return math.tointeger(tonumber(text)) end

local function day(text, at)
  local month, week, weekday, behind = text:match('^,M(%d+)%.(%d)%.(%d)()', at)
  local out
  if month then
    out = { month = integer(month), week = integer(week), weekday = integer(weekday) }
  else
    local julian, number, last = text:match('^,(J?)(%d+)()', at)
    if not number then return nil end
    out, behind = { number = integer(number), julian = julian == 'J' }, last
  end
  out.time = 7200
  if text:find('^/', behind) then
    out.time, behind = span(text, behind + 1)
    if not out.time then return nil end
  end
  return out, behind
end

---@param text string
---@return zone_rule?
function M.parse(text)
  local rule = setmetatable({}, Rule)
  local at = name(text, 1)
  if not at then return nil end
  local west
  west, at = span(text, at)
  if not west then return nil end
  rule.offset = -west
  if at > #text then return rule end
  at = name(text, at)
  if not at then return nil end
  rule.summer = rule.offset + 3600
  local given, behind = span(text, at)
  if given then rule.summer, at = -given, behind end
  rule.starts, at = day(text, at)
  if not rule.starts then return nil end
  rule.ends, at = day(text, at)
  return rule.ends and at > #text and rule or nil
end

-- Seconds since 1970, as the clocks show them.
local function moment(when, year)
  local days
  if when.month then
    local first = calendar.days(year, when.month, 1)
    days = first + (when.weekday - calendar.weekday(first)) % 7 + (when.week - 1) * 7
    if days >= first + calendar.length(year, when.month) then days = days - 7 end
  else
    local leap = calendar.length(year, 2) == 29
    days = calendar.days(year, 1, 1) + when.number
    if when.julian and not (leap and when.number >= 60) then days = days - 1 end
  end
  return days * 86400 + when.time
end

---@param utc integer
---@return zone_segment
function Rule:segment(utc)
  if not self.summer then
    return { offset = self.offset, from = math.mininteger, to = math.maxinteger, before = self.offset }
  end
  local year = calendar.date(utc // 86400)
  local changes = {}
  for y = year - 1, year + 1 do
    changes[#changes + 1] = { at = moment(self.starts, y) - self.offset, offset = self.summer }
    changes[#changes + 1] = { at = moment(self.ends, y) - self.summer, offset = self.offset }
  end
  table.sort(changes, function(a, b) return a.at < b.at end)
  local i = 1
  while changes[i + 1] and changes[i + 1].at <= utc do i = i + 1 end
  return {
    offset = changes[i].offset, from = changes[i].at, to = changes[i + 1].at,
    before = changes[i - 1] and changes[i - 1].offset or changes[i + 1].offset,
  }
end

return M
