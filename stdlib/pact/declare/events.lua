--- The events that hooks can hear: ours, the users' own with a colon, and the names of older programs.
local older = require 'pact.declare.older'
local text = require 'pact.base.text'

local M = {}

---@type string[]
M.names = {
  'started', 'ready', 'running', 'stopped', 'completed', 'crashed', 'restarted', 'failed', 'skipped',
  'backoff', 'healthy', 'unhealthy', 'health_check_failed', 'probe', 'line', 'metrics', 'hook_failed',
  'all_ready', 'shutdown', 'image_progress', 'reloaded', 'missed', 'watch',
}

---Names whose functions get the id and a state in camelCase instead of service and event.
---@type table<string, string>
M.older = {
  processCrashed = 'crashed', processRestarted = 'restarted', healthCheckFailed = 'health_check_failed',
}

local ours, all = {}, {}
for _, name in ipairs(M.names) do
  ours[name] = true
  all[#all + 1] = name
end
for name in pairs(M.older) do all[#all + 1] = name end
table.sort(all)

---@param name any
---@return string? event the event's own name
---@return string? message as the end of a sentence that begins with what named it
function M.check(name)
  if type(name) ~= 'string' or name == '' then
    return nil, ('must be the name of an event, got %s'):format(text.show(name))
  end
  if ours[name] then return name end
  if M.older[name] then return M.older[name] end
  if name:find('^[%w_.-]+:[%w_.:-]+$') then return name end
  local hint = text.suggest(name, all)
  if hint == '' then hint = "; events of your own have a colon: 'chain:block'" end
  return nil, ("'%s' is no event%s"):format(name, hint)
end

-- what `state` of the older names shows: fields of the event first, then of the service
local function state_of(service, event)
  return setmetatable({}, {
    __index = function(_, key)
      local name = older.field(key)
      local value = event[name]
      if value ~= nil then return value end
      local ok, found = pcall(function() return service[name == 'signal' and 'exit_signal' or name] end)
      return ok and found or nil
    end,
  })
end

---@param name string as the recipe wrote it
---@param fn function|string
---@return function|string fn that takes service and event
function M.adapt(name, fn)
  if not M.older[name] or type(fn) ~= 'function' then return fn end
  return function(service, event) return fn(tostring(service), state_of(service, event)) end
end

return M
