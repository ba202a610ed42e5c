--- Faults 6 to 9: what services leave behind is found and ended: groups, other sessions, daemons, wiped
-- environments.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

-- Each is a shell text that starts a stray and writes its pid into `stray`. One that has left session,
-- parents and environment behind before anybody looked (`nameless`) can be any service's: it goes down
-- with the network.
local WAYS = {
  { 6, 'a child in its group', 'sleep 1000 & echo $! >stray' },
  { 7, 'a child in a session of its own', 'setsid sh -c \'echo $$ >stray; exec sleep 1000\' &' },
  { 8, 'a daemon that forked twice', '(setsid sh -c \'sh -c "echo \\$\\$ >stray; exec sleep 1000" & \' &)' },
  { 8, 'a daemon with another environment',
    '(env -i PATH="$PATH" setsid sh -c \'echo $$ >stray; exec sleep 1000\' &)', nameless = true },
  { 8, 'a daemon that ignores TERM',
    '(setsid sh -c \'trap "" TERM HUP; echo $$ >stray; while :; do sleep 1; done\' &)' },
}

describe('strays', function()
  for _, way in ipairs(WAYS) do
    case(('fault %d: %s goes down with the network'):format(way[1], way[2]), function(t)
      local network = t:up(("pact.process 'p' { shell = %q }"):format(way[3] .. '\nexec sleep 1000'))
      local pid = t:wait_pid 'stray'
      network:signal 'TERM'
      assert.equal(0, network:wait().left)
      assert.is_false(procfs.alive(pid))
    end)

    if way.nameless then goto next_way end
    case(('fault %d: %s goes when its service has ended by itself'):format(way[1], way[2]), function(t)
      t:up(("pact.task 'p' { shell = %q } pact.process 'other' { command = { 'sleep', '1000' } }"):format(way[3]
        .. '\nuntil [ -s stray ]; do sleep 0.01; done'))
      local pid = t:wait_pid 'stray'
      functional.wait('the end of the stray', function() return not procfs.alive(pid) end)
      t:wait_service('p', { status = 'completed' })
      assert.equal('running', t:ps().other.status)
    end)
    ::next_way::
  end

  case('fault 8: a program that starts a daemon and ends is told what became of the daemon', function(t)
    local network = t:up [[
      pact.process 'starter' { shell = '(setsid sh -c "echo \\$\\$ >stray; exec sleep 1000" &); until [ -s stray ]; do sleep 0.01; done' }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    network:expect 'starter: it left a process behind, which was ended (stop.scope and stop.keep spare some)'
    assert.is_false(procfs.alive(t:wait_pid 'stray'))
    local why = t:run({ 'why', 'starter' }).out
    assert.truthy(why:find('exit code 0, 1 process left behind was ended', 1, true), why)
  end)

  case("fault 7: stop.scope = 'group' spares what went its own way", function(t)
    t:up [[
      pact.task 'p' { stop = { scope = 'group' }, shell = 'setsid sh -c "echo \\$\\$ >stray; exec sleep 1000" & until [ -s stray ]; do sleep 0.01; done' }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    local pid = t:wait_pid 'stray'
    t:wait_service('p', { status = 'completed' })
    local alive = procfs.alive(pid)
    functional.signal(pid, 'KILL') -- it would outlive the network
    assert.is_true(alive)
  end)

  for _, stop in ipairs { "{ scope = 'group' }", "{ keep = { 'sleep' } }" } do
    case(('fault 7: what stop = %s spares outlives the network too, and nothing else does'):format(stop), function(t)
      local network = t:up(([[
        pact.process 'p' { stop = %s, shell = 'setsid sh -c "echo \\$\\$ >stray; exec sleep 1000" & exec sh -c "while :; do read line; done"' }
        pact.process 'other' { shell = '(setsid sh -c "echo \\$\\$ >gone; exec sleep 1000" &) ; exec sleep 1000' }
      ]]):format(stop))
      local pid, gone = t:wait_pid 'stray', t:wait_pid 'gone'
      functional.wait('both to sleep', function()
        local stray, other = procfs.process(pid), procfs.process(gone)
        return stray and stray.name == 'sleep' and other and other.name == 'sleep'
      end)
      network:signal 'TERM'
      local result = network:wait()
      local alive = procfs.alive(pid)
      functional.signal(pid, 'KILL')
      assert.is_true(alive)
      functional.wait('the end of the stray', function() return not procfs.alive(pid) end)
      assert.is_false(procfs.alive(gone))
      assert.equal(nil, (result.out .. result.err):match 'could not be killed')
    end)
  end

  case('fault 9: an end is seen at once, though an orphan holds the output open', function(t)
    local result = t:up([[
      pact.task 'p' { shell = 'echo said; (setsid sleep 1000 &) ; exit 0' }
    ]]):wait()
    assert.equal(0, result.code)
    assert.truthy(result.out:find('said', 1, true))
  end)
end)
