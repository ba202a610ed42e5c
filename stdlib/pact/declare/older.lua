--- Names of older programs: the calls of the document's managers, and camelCase of what ours call otherwise.
local M = {}

---Calls of the document that have another name here.
---@type table<string, string>
M.calls = {
  startProcess = 'start', restartProcess = 'restart', stopProcess = 'stop', startMany = 'start_services',
  getProcessState = 'state', getProcess = 'service', getAllProcesses = 'services',
  getProcessesByCategory = 'by_category', enableTUI = 'tui', gracefulShutdown = 'shutdown',
  shutdownAll = 'shutdown',
}

local fields = {
  startTime = 'started_at', endTime = 'ended_at', lastHealthCheck = 'last_probe', healthStatus = 'health',
}

---@param name string `restartCount`
---@return string `restart_count`
function M.snake(name) return (name:gsub('(%l)(%u)', '%1_%2'):lower()) end

---@param name any a key that isn't ours
---@return any the field of a service, a state or an event that it means
function M.field(name)
  if type(name) ~= 'string' then return name end
  return fields[name] or M.snake(name)
end

local snaked = {}
for name, ours in pairs(M.calls) do snaked[M.snake(name)] = ours end

---@param name any
---@return string? the call that it means, however it is written
function M.call(name)
  if type(name) ~= 'string' then return nil end
  local snake = M.snake(name)
  return snaked[snake] or snake
end

---@param state table fields under our names
---@return table state the same one, which has them under the older names too
function M.state(state)
  return setmetatable(state, { __index = function(_, key)
    local name = M.field(key)
    if name ~= key then return state[name] end
  end })
end

return M
