--- Processor time as people look at it.
local M = {}

---Percent of one processor, to a tenth. A tree that has lost a process has used less than before: none.
---@param used number ms of processor time now
---@param before number the same, earlier
---@param ms number between them
---@return number 0 when nothing has passed
function M.percent(used, before, ms)
  return ms > 0 and math.max(0, math.floor((used - before) * 1000 / ms + 0.5) / 10) or 0
end

return M
