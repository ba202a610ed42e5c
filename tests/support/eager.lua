--- With PACTLUA_GC=eager the collector never rests, in small steps: what is still needed and not held is soon found.

local M = {}

---@return boolean
function M.begin()
  if os.getenv 'PACTLUA_GC' ~= 'eager' then return false end
  collectgarbage('incremental', 100, 400, 10)
  return true
end

return M
