--- Moments as people name them.

local duration = require 'pact.base.duration'

local M = {}

-- Whole numbers from here on are milliseconds since 1970, not a span: 1973.
local WALL_MS = 100000000000

-- os.time would make something of 25:70.
local function is_time(h, mi, s) return h < 24 and mi < 60 and s < 61 end

local function of_day(word, now)
  local h, mi, s = word:match '^(%d%d?):(%d%d):?(%d*)$'
  if not h or not is_time(tonumber(h), tonumber(mi), tonumber(s) or 0) then return nil end
  local day = os.date('*t', now // 1000)
  day.hour, day.min, day.sec = tonumber(h), tonumber(mi), tonumber(s) or 0
  local at = os.time(day) * 1000
  return at > now and at - 86400000 or at
end

---A time of day, a date and time, or milliseconds since 1970 become wall milliseconds; a duration, so long before now.
---@param word string
---@param now integer wall ms
---@return integer? at, string? message
function M.parse(word, now)
  local y, mo, d, h, mi, s = word:match '^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):?(%d*)'
  if y then
    return os.time { year = y, month = mo, day = d, hour = h, min = mi, sec = tonumber(s) or 0 } * 1000
  end
  local at = of_day(word, now)
  if at then return at end
  local number = math.tointeger(tonumber(word))
  if number and number >= WALL_MS then return number end
  local ms, message = duration.parse(tonumber(word) or word)
  if ms then return math.max(0, now - ms) end
  if not word:find '[:%-]' then return nil, message end
  return nil, ("must be a duration such as '5m', a time such as '12:30', or '2026-01-31 12:30', got '%s'"):format(word)
end

return M
