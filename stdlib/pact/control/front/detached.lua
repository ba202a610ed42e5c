--- The front's last words when the network is left running: where it is, and how to go on.

local json = require 'pact.base.json'
local paths = require 'pact.base.path'

local M = {}

-- From a place that isn't below the recipe's a network is found by its name.
local function how(front, told)
  local below = paths.inside(front.sys.fs.cwd() or '/', told.directory)
  local which = below and '' or ' --project ' .. told.project
  return ("'pactlua ps%s', 'pactlua logs%s -f', 'pactlua down%s'"):format(which, which, which)
end

local function record(told)
  return json.encode {
    name = 'detached', project = told.project, pid = told.pid, ready = told.ready, run = told.run,
    directory = told.directory, socket = told.socket,
  } .. '\n'
end

local function words(front, told)
  return ('%sleft running, engine pid %d; logs: %s; go on with %s\n'):format(front.plain:own 'pactlua', told.pid,
    told.run, how(front, told))
end

---@param front front
---@param told table the engine's message
function M.leave(front, told)
  if front.options.json then return front.plain:say(record(told)) end
  front.plain:wake_all()
  front.plain:say(words(front, told))
end

return M
