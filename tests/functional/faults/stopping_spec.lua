--- Faults 3, 4 and 5: processes that ignore TERM, that are stopped when they are to end, that stop by themselves.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local DEAF = [[
  pact.process 'deaf' { stop = { timeout = '%s' }, shell = 'trap "" TERM INT HUP; echo $$ >>pids; while :; do sleep 0.1; done' }
  pact.process 'other' { command = { 'sleep', '1000' } }
]]

local function state_of(pid)
  local process = procfs.process(pid)
  return process and process.state or 'gone'
end

local function wait_state(pid, state)
  functional.wait(('process %d in state %s'):format(pid, state), function() return state_of(pid) == state end)
end

describe('stopping', function()
  case('fault 3: a child that ignores TERM is killed after its grace time, and `stopping` says so', function(t)
    t:up(DEAF:format '1500ms')
    local pid = t:wait_pid 'pids'
    t:wait_service('deaf', { status = 'running' })
    local began = functional.now()
    local stop = t:start { 'stop', 'deaf' }
    local service = t:wait_service('deaf', { status = 'stopping' })
    assert.truthy(service.reason:find '^stopped by hand; KILL in %d', service.reason)
    assert.is_true(procfs.alive(pid))
    assert.equal(0, stop:wait().code)
    local took = functional.now() - began
    assert.is_true(took > 1.45 and took < 9, ('%.2f s'):format(took)) -- the usual grace would be 10 s
    assert.is_false(procfs.alive(pid))
    service = t:wait_service('deaf', { status = 'stopped' })
    assert.equal('stopped by hand, killed after 1.5 s of grace', service.reason)
    assert.equal('KILL', service.signal)
    assert.equal('running', t:ps().other.status)
  end)

  case('fault 3: at the shutdown too, and the output says which it was', function(t)
    local network = t:up(DEAF:format '400ms')
    t:wait_pid 'pids'
    network:signal 'TERM'
    local result = network:wait()
    assert.equal(0, result.left)
    assert.truthy(result.out:find('deaf%s+%* stopped: [^\n]*killed after 400 ms of grace\n'), result.out)
    assert.truthy(result.out:find('other%s+%* stopped: stopped by the shutdown\n'), result.out)
  end)

  case('fault 3: a second Ctrl-C kills at once', function(t)
    local network = t:up(DEAF:format '10m')
    local pid = t:wait_pid 'pids'
    network:signal 'INT'
    network:expect 'shutting down'
    assert.is_true(procfs.alive(pid))
    local result = network:insist()
    assert.equal(2, result.signal)
    assert.equal(0, result.left)
  end)

  case('fault 4: a child that is stopped is continued, so that it hears TERM', function(t)
    t:up [[
      pact.process 'p' { stop = { timeout = '10m' },
        shell = 'trap "echo heard >>trace; exit 0" TERM; echo $$ >pid; while :; do sleep 60 & wait; done' }
    ]]
    local pid = t:wait_pid 'pid'
    functional.signal(pid, 'STOP')
    wait_state(pid, 'T')
    assert.equal(0, t:run({ 'stop', 'p' }).code)
    assert.same({ 'heard' }, t:lines 'trace')
  end)

  case('fault 4: stopped and deaf: killed after its grace', function(t)
    local network = t:up(DEAF:format '300ms')
    local pid = t:wait_pid 'pids'
    functional.signal(pid, 'STOP')
    wait_state(pid, 'T')
    network:signal 'TERM'
    assert.equal(0, network:wait().left)
  end)

  case('fault 5: a service in a session of its own is no background job: SIGTTIN and SIGTTOU stop nothing', function(t)
    t:up [[
      pact.process 'p' { shell = 'echo $$ >pid; kill -TTIN $$; kill -TTOU $$; echo on >>trace; exec sleep 1000' }
    ]]
    t:wait_lines('trace', 1)
    assert.not_equal('T', state_of(t:wait_pid 'pid'))
    assert.equal(nil, t:wait_service('p', { status = 'running' }).note)
  end)

  case('fault 5: a child that stops itself is shown so everywhere, with what lets it go on', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'echo $$ >pid; kill -STOP $$; echo on >>trace; exec sleep 1000' }
    ]]
    local pid = t:wait_pid 'pid'
    local words = 'stopped by SIGSTOP'
    network:expect('p: ' .. words)
    assert.truthy(t:run({ 'ps' }).out:find(words, 1, true))
    assert.truthy(t:run({ 'why', 'p' }).out:find(words, 1, true))
    assert.equal('T', state_of(pid))
    local verb = {}
    for word in t:ps().p.note:match("'pactlua ([^']*)'"):gmatch '%S+' do verb[#verb + 1] = word end
    assert.equal(0, t:run(verb).code)
    t:wait_lines('trace', 1)
    functional.wait('the note to go', function() return not t:ps().p.note end)
    assert.falsy(t:run({ 'ps' }).out:find(words, 1, true))
  end)
end)
