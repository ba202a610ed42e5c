--- What a living service says of itself by sd_notify, and what becomes of it.

local timers = require 'pact.supervise.timers'

local M = {}

local SAID_MAX = 200

local function milliseconds(text)
  local us = math.tointeger(tonumber(text))
  return us and us > 0 and us // 1000 or nil
end

local function extend(sup, node, ms)
  timers.extend(sup, node, 'ready', ms)
  timers.extend(sup, node, 'runtime', ms)
  for _, monitor in ipairs(node.monitors) do monitor:extend(ms) end
  if node.driver.extend and node.job then node.driver:extend(node.job, ms) end
end

---@param node node
---@param fields table<string, string>
function M.heard(sup, node, fields)
  if fields.STATUS then
    local text = fields.STATUS:gsub('%c', ' '):sub(1, SAID_MAX)
    node.said = text ~= '' and text or nil
  end
  local longer = milliseconds(fields.EXTEND_TIMEOUT_USEC)
  if longer then extend(sup, node, longer) end
  for _, monitor in ipairs(table.move(node.monitors, 1, #node.monitors, 1, {})) do
    monitor:notified(fields, milliseconds(fields.WATCHDOG_USEC))
  end
  if fields.STOPPING == '1' then
    node.note = 'it says that it is stopping'
  elseif fields.MAINPID and fields.MAINPID ~= tostring(node.record.pid) then
    node.note = ('MAINPID=%s is ignored: the process that was started is the one that counts')
      :format(fields.MAINPID:sub(1, 20))
  end
end

return M
