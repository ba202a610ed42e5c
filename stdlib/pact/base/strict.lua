--- An environment that notices assignments to globals and reads of names that nobody defined.
local M = {}

---@alias strict.notice fun(what: 'assigned'|'undefined', name: string, value: any)

---@param globals table names that exist; copied
---@param notice strict.notice hears of each slip; if it returns, the assignment is made, the read gives nil
---@return table environment its `_G` is itself
function M.new(globals, notice)
  local environment = {}
  for name, value in pairs(globals) do environment[name] = value end
  environment._G = environment
  return setmetatable(environment, {
    __newindex = function(self, name, value)
      notice('assigned', name, value)
      rawset(self, name, value)
    end,
    __index = function(_, name) notice('undefined', name) end,
    __metatable = false,
  })
end

return M
