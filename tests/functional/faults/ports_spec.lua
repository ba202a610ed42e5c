--- Fault 44: ports that are taken, that linger, that two want. (And ports that recipes ask for.)
local functional = require 'functional'
local case = functional.case

local WEB, HOLD = functional.fixtures .. 'web', functional.fixtures .. 'hold'

-- A port nobody listens on; asks pactlua itself.
local function free_port(t, name)
  local result = t:run { 'check', t:recipe(([[
    local file = io.open('%s', 'w') file:write(pact.free_port('%s')) file:close()
    pact.task 'a' { command = { 'true' } } ]]):format(t:path 'port', name or 'x'), 'port.lua') }
  assert.equal(0, result.code, result.err)
  return tonumber(t:read 'port')
end

local function listens(port)
  return os.execute(('bash -c "</dev/tcp/127.0.0.1/%d" 2>/dev/null'):format(port))
end

-- A program that listens on a port.
local function take(t, port)
  t:file('mood', '200 ok')
  local holder = t:start({ tostring(port), t:path 'mood' }, { program = WEB })
  functional.wait('the holder', function() return listens(port) end)
  return holder
end

describe('ports', function()
  case('fault 44: a taken port names its holder, and one that is free', function(t)
    local port = free_port(t)
    local holder = take(t, port)
    local result = t:up(([[ pact.process 'p' { command = { 'touch', 'ran' }, ports = { %d } } ]]):format(port)):wait()
    assert.equal(3, result.code)
    assert.is_false(t:exists 'ran')
    local expected = ('p       * failed: port %d is taken by pid %d (%s %d '):format(port, holder.pid, WEB, port)
    assert.truthy(result.out:find(expected, 1, true), result.out)
    local other = tonumber(result.out:match '%); (%d+) is free %(fallback = true takes it%)\n')
    assert.is_true(other and other > port, result.out)
  end)

  case('fault 44: a taken port is looked at again when the service is started by hand', function(t)
    local port = free_port(t)
    local holder = take(t, port)
    t:up(([[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000', ports = { %d } }
      pact.process 'stay' { command = { 'sleep', '1000' } } ]]):format(port))
    t:wait_service('p', { status = 'failed', restart_count = 0 })
    holder:signal 'TERM'
    holder:wait()
    assert.equal(0, t:run({ 'start', 'p' }).code)
    t:wait_lines('trace', 1)
  end)

  case('fault 44: who talks from a port is named, too', function(t)
    local port = free_port(t, 'x')
    take(t, port)
    local own = free_port(t, 'y')
    local talker = t:start({ tostring(port), t:path 'go', tostring(own) }, { program = HOLD })
    talker:expect 'connected'
    local result = t:up(([[ pact.process 'p' { command = { 'touch', 'ran' }, ports = { %d } } ]]):format(own)):wait()
    t:file('go', '')
    assert.equal(3, result.code)
    assert.truthy(result.out:find(('port %d is taken by pid %d ('):format(own, talker.pid), 1, true), result.out)
  end)

  case('fault 44: with `fallback` the next free one is taken', function(t)
    local port = free_port(t)
    take(t, port)
    t:up(([[
      pact.process 'p' { shell = 'echo $PORT >got; exec sleep 1000', ports = { web = { port = %d, fallback = true } } }
    ]]):format(port))
    local got = tonumber(t:wait_lines('got', 1)[1])
    assert.is_true(got > port and got < port + 100, ('got %d beside %d'):format(got, port))
    assert.equal(got, t:wait_service('p', { status = 'running' }).ports.web)
  end)

  -- A server that a connection outlives, on its side, until `release`.
  local function lingering(t, flags)
    local port = free_port(t)
    t:file('mood', '200 ok')
    t:up(([[
      pact.process 'p' { shell = 'echo $$ >>pids; exec %s %s %d mood', ports = { %d }, restart = { delay = '50ms' } }
    ]]):format(WEB, flags, port, port))
    functional.wait('the server', function() return listens(port) end)
    local client = t:start({ tostring(port), t:path 'release' }, { program = HOLD })
    client:expect 'connected'
    functional.signal(t:lines('pids')[1], 'KILL')
    return port, function()
      t:file('release', '')
      client:wait()
    end
  end

  case('fault 44: what lingers of its last life is waited for, and it says so', function(t)
    local port, release = lingering(t, '-n')
    t:wait_service('p', { status = 'starting', reason = ('port %d is held by connections that linger; waiting for it'):format(port) })
    assert.equal(1, #t:lines 'pids')
    release()
    t:wait_lines('pids', 2)
    t:wait_service('p', { status = 'running', restart_count = 1 })
    assert.is_true(listens(port))
  end)

  case('fault 44: while it waits for that it can be stopped', function(t)
    local port, release = lingering(t, '-n')
    t:wait_service('p', { status = 'starting', reason = ('port %d is held by connections that linger; waiting for it'):format(port) })
    t.started[2]:signal 'TERM'
    t.started[2]:wait()
    release()
    assert.equal(1, #t:lines 'pids')
  end)

  case('fault 44: what lingers of a server that allows it is no obstacle', function(t)
    local _, release = lingering(t, '')
    t:wait_lines('pids', 2)
    t:wait_service('p', { status = 'running' })
    release()
  end)

  case('free_port is kept from run to run', function(t)
    t:recipe [[
      pact.project 'kept'
      local a, b = pact.free_port 'a', pact.free_port 'b'
      pact.task 'say' { command = { 'sh', '-c', 'echo $0 $1 >>ports', a, b } }
    ]]
    assert.equal(0, t:run({ 'net.lua' }).code)
    assert.equal(0, t:run({ 'net.lua' }).code)
    local lines = t:lines 'ports'
    assert.equal(2, #lines)
    assert.equal(lines[1], lines[2])
    local a, b = lines[1]:match '^(%d+) (%d+)$'
    assert.not_equal(a, b)
  end)

  case('fault 44: a service that restarts gets its own port again', function(t)
    local port = free_port(t)
    t:file('mood', '200 ok')
    t:up(([[
      pact.process 'p' { shell = 'echo $$ >>pids; exec %s %d mood', ports = { %d }, restart = { delay = '100ms' },
        health = { tcp = '127.0.0.1:%d' } }
    ]]):format(WEB, port, port, port))
    t:wait_service('p', { status = 'running', health = 'healthy' })
    functional.signal(t:lines('pids')[1], 'KILL')
    t:wait_lines('pids', 2)
    t:wait_service('p', { status = 'running', health = 'healthy' })
  end)

  case('fault 44: two services with the same port are told before anything starts', function(t)
    local result = t:up([[
      pact.process 'a' { command = { 'touch', 'ran' }, ports = { 15601 } }
      pact.process 'b' { command = { 'touch', 'ran' }, ports = { 15601 } }
    ]]):wait()
    assert.not_equal(0, result.code)
    assert.truthy((result.out .. result.err):find('15601', 1, true))
  end)
end)
