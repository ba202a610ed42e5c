--- `pactlua down --force`: ends a network whose engine doesn't answer. The engine is killed, whereupon its guard ends
--- all that it has started; what is left after that carries the network's tag.

local engines = require 'pact.control.client.engines'
local strays = require 'pact.control.strays'

local M = {}

local ROUND_MS, ENDING_MS = 50, 5000

-- The engine, and the guard above it, each with its birth: a number alone may be another process's by now.
local function family(sys, pid)
  local found = { pid = pid, born = engines.is_ours(sys, pid) and engines.born(sys, pid) }
  local stat = sys.fs.read(('/proc/%d/stat'):format(pid)) or ''
  local above = math.tointeger(tonumber(stat:match '^%d+ %(.*%) %a (%d+)'))
  if above and engines.is_guard(sys, above) then found.guard, found.guard_born = above, engines.born(sys, above) end
  return found
end

local function kill(sys, pid, born, signal)
  return sys.proc.kill_stray(pid, math.tointeger(tonumber(born)), sys.os.signals[signal])
end

-- In a task: until both have ended, or have had long enough.
local function wait_ended(sys, loop, found)
  local until_ms = sys.time.now() + ENDING_MS
  local function lives(pid, born) return pid ~= nil and engines.born(sys, pid) == born end
  while lives(found.pid, found.born) or lives(found.guard, found.guard_born) do
    if sys.time.now() > until_ms then return false end
    loop:sleep(ROUND_MS)
  end
  return true
end

local function sweep(sys, loop, dir)
  return loop:suspend(function(wake) strays.end_all(sys, loop, strays.tag(dir.path .. '/control.sock'), wake) end)
end

---In a task: kills the engine and waits for the end of all.
---@param context main_context
---@param loop sched
---@param dir found_network
---@param pid integer? of the engine
---@return boolean? ended, string? message what could not be done
function M.run(context, loop, dir, pid)
  local sys = context.sys
  local found = pid and family(sys, pid)
  if not found or not found.born then return nil, 'its engine is not to be found among the processes' end
  if found.guard then kill(sys, found.guard, found.guard_born, 'CONT') end
  local ok, message, code = kill(sys, pid, found.born, 'KILL')
  if not ok and code ~= 'gone' then return nil, message end
  local ended = wait_ended(sys, loop, found)
  sweep(sys, loop, dir)
  local left = strays.found(sys, strays.tag(dir.path .. '/control.sock'))
  if left[1] then return nil, 'could not be killed: ' .. table.concat(strays.names(left), ', ') end
  if ended then return true end
  return nil, ('the engine, pid %d, has got SIGKILL and lives on (state %s)'):format(pid,
    engines.state(sys, pid) or 'unknown')
end

return M
