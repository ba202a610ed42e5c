--- Nothing outlives the network, whoever of front, guard and engine is killed.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local RECIPE = [[
  pact.process 'plain' { shell = 'echo $$ >>pids; exec sleep 1000' }
  pact.process 'group' { shell = 'sleep 1000 & echo $! >>pids; echo $$ >>pids; wait' }
  pact.process 'session' { shell = 'setsid sh -c "echo \\$\\$ >>pids; exec sleep 1000" & echo $$ >>pids; wait' }
  pact.process 'daemon' { shell = '(env -i PATH="$PATH" setsid sh -c "echo \\$\\$ >>pids; exec sleep 1000" &) ; echo $$ >>pids; exec sleep 1000' }
  pact.process 'deaf' { stop = { timeout = '2s' }, shell = 'trap "" TERM HUP INT; echo $$ >>pids; while true; do sleep 0.2; done' }
]]

local function left(pids)
  local count = 0
  for _, pid in ipairs(pids) do
    if procfs.alive(tonumber(pid)) then count = count + 1 end
  end
  return count
end

-- A killed engine can't remove its socket. It misleads nobody, and the next start replaces it.
local function forget_socket(t)
  assert.equal(4, t:run({ 'ps' }).code)
  os.execute(('rm -f %s/.pactlua/*/control.sock'):format(t.dir))
end

local KILLS = {
  { 'the engine', { 'engine' } },
  { 'the guard', { 'guard' } },
  { 'the front', { 'front' } },
  { 'engine and guard', { 'engine', 'guard' } },
  { 'engine and front', { 'engine', 'front' } },
  { 'guard and front', { 'guard', 'front' } },
}

describe('guard', function()
  for _, kill in ipairs(KILLS) do
    case(('%s killed with SIGKILL'):format(kill[1]), function(t)
      local network = t:up(RECIPE)
      local pids = t:wait_lines('pids', 8)
      local roles = network:roles()
      roles.front = network.pid
      local words = {}
      for _, role in ipairs(kill[2]) do words[#words + 1] = tostring(roles[role]) end
      os.execute('kill -KILL ' .. table.concat(words, ' '))
      local both = #kill[2] == 2 and kill[1] == 'engine and guard'
      -- With engine and guard gone together only the kernel is left to act, on direct children.
      if not both then
        functional.wait(function()
          local names = {}
          for _, pid in ipairs(pids) do
            local process = procfs.process(tonumber(pid))
            names[#names + 1] = process and ('%s %s (parent %d)'):format(pid, process.command, process.ppid)
          end
          return 'the end of ' .. table.concat(names, ', ')
        end,
          function() return left(pids) == 0 end, kill[2][1] == 'engine' and 2 or 13)
      else
        functional.wait('the end of direct children', function() return left { pids[1] } == 0 end, 3)
        for _, pid in ipairs(pids) do functional.signal(pid, 'KILL') end
      end
      functional.wait('the end of all three', function()
        return not (procfs.alive(roles.front) or procfs.alive(roles.guard) or procfs.alive(roles.engine))
      end, 5)
      forget_socket(t)
    end)
  end

  case('the front says so and ends with 1 when the engine is killed', function(t)
    local network = t:up [[ pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' } ]]
    t:wait_lines('pids', 1)
    functional.signal(network:roles().engine, 'KILL')
    local result = network:wait(5)
    assert.equal(1, result.code)
    assert.truthy(result.err:find('engine', 1, true), result.err)
    forget_socket(t)
  end)

  case('after a SIGKILL of everything the next start works', function(t)
    local network = t:up [[ pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' } ]]
    t:wait_lines('pids', 1)
    local roles = network:roles()
    os.execute(('kill -KILL %d %d %d'):format(roles.engine, roles.guard, network.pid))
    functional.wait('the end', function() return not procfs.alive(roles.engine) end)
    t:start { 'net.lua' }
    t:wait_lines('pids', 2)
    assert.equal('running', t:wait_service('p', { status = 'running' }).status)
  end)

  case('the guard does nothing while it waits', function(t)
    local network = t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    local guard = network:roles().guard
    local before = procfs.status(guard, 'voluntary_ctxt_switches')
    functional.sleep(1)
    assert.equal(before, procfs.status(guard, 'voluntary_ctxt_switches'))
  end)
end)
