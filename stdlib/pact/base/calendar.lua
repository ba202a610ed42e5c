--- Days and dates: numbers of days since 1970-01-01 and what a calendar calls them. No clock, no zone.

local M = {}

---@param year integer
---@param month integer
---@param day integer
---@return integer days since 1970-01-01
function M.days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local era = year // 400
  local of_era = year - era * 400
  local of_year = (153 * (month - 3) + 2) // 5 + day - 1
  return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

---@param days integer
---@return integer year, integer month, integer day
function M.date(days)
  local z = days + 719468
  local era = z // 146097
  local doe = z - era * 146097
  local yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
  local doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
  local shifted = (5 * doy + 2) // 153
  local month = shifted < 10 and shifted + 3 or shifted - 9
  return yoe + era * 400 + (month <= 2 and 1 or 0), month, doy - (153 * shifted + 2) // 5 + 1
end

---@param days integer
---@return integer 0 is Sunday
function M.weekday(days) return (days + 4) % 7 end

---@param year integer
---@param month integer
---@return integer
function M.length(year, month)
  local next_year, next_month = year, month + 1
  if month == 12 then next_year, next_month = year + 1, 1 end
  return M.days(next_year, next_month, 1) - M.days(year, month, 1)
end

return M
