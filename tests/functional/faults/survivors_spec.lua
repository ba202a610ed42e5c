--- Fault 60: what can't be killed. A process frozen by the first kind of cgroups is in state D and takes no
-- SIGKILL, like one that waits for a dead disk.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local FREEZER = '/sys/fs/cgroup/freezer'
local SKIP = not os.execute(('d=%s/pactlua-test-$$; mkdir $d 2>/dev/null && test -e $d/freezer.state && rmdir $d'):format(FREEZER))
  and 'no freezer of cgroups v1 here, or not permitted'

-- Freezes processes while `fn` runs.
local function frozen(pids, fn)
  local group = ('%s/pactlua-test-%d'):format(FREEZER, pids[1])
  local function tell(file, text) assert.is_true(os.execute(('echo %s >%s/%s'):format(text, group, file))) end
  os.execute('mkdir ' .. group)
  for _, pid in ipairs(pids) do tell('cgroup.procs', pid) end
  tell('freezer.state', 'FROZEN')
  local ok, message = pcall(function()
    for _, pid in ipairs(pids) do
      functional.wait('state D', function() return procfs.process(pid).state == 'D' end)
    end
    fn()
  end)
  tell('freezer.state', 'THAWED')
  functional.wait('the end of the frozen', function()
    for _, pid in ipairs(pids) do
      if procfs.alive(pid) then return false end
    end
    return true
  end)
  functional.wait('an empty group', function() return os.execute(('rmdir %s 2>/dev/null'):format(group)) end)
  if not ok then error(message, 0) end
end

describe('survivors', function()
  case('fault 60: a process in state D is named with pid and state, and nothing hangs', function(t)
    local network = t:up [[
      pact.shutdown_timeout '1500ms'
      pact.process 'db' { shell = 'echo $$ >pid; exec sleep 1000', stop = { timeout = '300ms' } }
      pact.process 'web' { shell = 'trap "echo heard >>trace; exit 0" TERM; while :; do sleep 60 & wait; done', depends_on = { 'db' } }
    ]]
    local pid = t:wait_pid 'pid'
    t:wait_service('web', { status = 'running' })
    frozen({ pid }, function()
      local began = functional.now()
      network:signal 'TERM'
      local result = network:wait()
      local took = functional.now() - began
      assert.is_true(took > 0.3 and took < 25, ('%.2f s'):format(took)) -- it would be 30 s without a word
      assert.equal(15, result.signal)
      assert.truthy(result.out:find(("could not be killed: pid %d (sleep) of 'db', state D"):format(pid), 1, true), result.out)
      assert.same({ 'heard' }, t:lines 'trace')
    end)
  end, SKIP)

  case('fault 60: a shutdown that leaves somebody is no success', function(t)
    local network = t:up [[
      pact.shutdown_timeout '1s'
      pact.process 'db' { shell = 'echo $$ >pid; exec sleep 1000', stop = { timeout = '200ms' } }
      pact.task 'main' { essential = true, shell = 'until [ -e go ]; do sleep 0.02; done' }
    ]]
    local pid = t:wait_pid 'pid'
    frozen({ pid }, function()
      t:file('go', '')
      local result = network:wait()
      assert.equal(1, result.code, result.out)
      assert.truthy(result.out:find(('could not be killed: pid %d'):format(pid), 1, true), result.out)
    end)
  end, SKIP)

  case('fault 60: a stray in state D is named too, the rest of its service is gone', function(t)
    local network = t:up [[
      pact.shutdown_timeout '1500ms'
      pact.process 'p' { stop = { timeout = '200ms' },
        shell = 'setsid sh -c "echo \\$\\$ >stray; exec sleep 1000" & sleep 1000 & echo $! >child; echo $$ >pid; exec sleep 1000' }
    ]]
    local stray, child, pid = t:wait_pid 'stray', t:wait_pid 'child', t:wait_pid 'pid'
    frozen({ stray }, function()
      network:signal 'TERM'
      local result = network:wait()
      assert.truthy(result.out:find(('could not be killed: pid %d ('):format(stray), 1, true), result.out)
      assert.is_false(procfs.alive(child))
      assert.is_false(procfs.alive(pid))
    end)
  end, SKIP)

  case('fault 60: a second Ctrl-C does not wait for it either', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'echo $$ >pid; exec sleep 1000', stop = { timeout = '10m' } }
    ]]
    local pid = t:wait_pid 'pid'
    frozen({ pid }, function()
      network:signal 'INT'
      network:expect 'shutting down'
      assert.is_false(network:ended())
      local result = network:insist()
      assert.equal(2, result.signal)
      assert.truthy(result.out:find(('could not be killed: pid %d'):format(pid), 1, true), result.out)
    end)
  end, SKIP)

  case('fault 60: a restart of what can not be killed does not start it twice', function(t)
    t:up [[
      pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', stop = { timeout = '200ms' } }
      pact.process 'stay' { command = { 'sleep', '1000' } }
    ]]
    local pid = tonumber(t:wait_lines('pids', 1)[1])
    frozen({ pid }, function()
      local restart = t:start { 'restart', 'p' }
      functional.sleep(1)
      assert.equal(1, #t:lines 'pids')
      assert.equal('running', t:ps().stay.status)
      restart:signal 'INT'
      restart:wait()
    end)
  end, SKIP)

  case('fault 60: one deadline for all of a shutdown, whatever the grace times', function(t)
    local network = t:up [[
      pact.shutdown_timeout '1s'
      for i = 1, 5 do
        pact.process('deaf' .. i) { stop = { timeout = '10m' }, depends_on = i > 1 and { 'deaf' .. i - 1 } or nil,
          shell = 'trap "" TERM INT HUP; echo up >>trace; while :; do sleep 0.1; done' }
      end
    ]]
    t:wait_lines('trace', 5)
    local began = functional.now()
    network:signal 'TERM'
    local result = network:wait()
    local took = functional.now() - began
    assert.is_true(took > 0.9 and took < 25, ('%.2f s'):format(took))
    assert.equal(0, result.left)
    assert.falsy(result.out:find('could not be killed', 1, true), result.out)
  end)
end)
