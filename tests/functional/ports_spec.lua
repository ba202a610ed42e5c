--- Ports that services claim.
local functional = require 'functional'
local case = functional.case

local WEB = functional.fixtures .. 'web'

-- A port nobody listens on; asks pactlua itself.
local function free_port(t, name)
  local result = t:run { 'check', t:recipe(([[
    local file = io.open('%s', 'w') file:write(pact.free_port('%s')) file:close()
    pact.task 'a' { command = { 'true' } } ]]):format(t:path 'port', name or 'x'), 'port.lua') }
  assert.equal(0, result.code, result.err)
  return tonumber(t:read 'port')
end

describe('ports', function()
  case('a taken port fails the service, and its holder is named', function(t)
    local port = free_port(t)
    t:file('mood', '200 ok')
    local holder = t:start({ tostring(port), t:path 'mood' }, { program = WEB })
    functional.wait('the holder', function()
      return os.execute(('bash -c "</dev/tcp/127.0.0.1/%d" 2>/dev/null'):format(port))
    end)
    local result = t:up(([[ pact.process 'p' { command = { 'touch', 'ran' }, ports = { %d } } ]]):format(port)):wait()
    assert.equal(3, result.code)
    assert.is_false(t:exists 'ran')
    local all = result.out .. result.err
    assert.truthy(all:find(tostring(port), 1, true), all)
    assert.truthy(all:find(tostring(holder.pid), 1, true), all)
    assert.truthy(all:find('web', 1, true), all)
  end)

  case('fallback takes the next one', function(t)
    local port = free_port(t)
    t:file('mood', '200 ok')
    t:start({ tostring(port), t:path 'mood' }, { program = WEB })
    functional.wait('the holder', function()
      return os.execute(('bash -c "</dev/tcp/127.0.0.1/%d" 2>/dev/null'):format(port))
    end)
    t:up(([[
      pact.process 'p' { shell = 'echo $PORT >got; exec sleep 1000', ports = { web = { port = %d, fallback = true } } }
    ]]):format(port))
    local got = tonumber(t:wait_lines('got', 1)[1])
    assert.is_true(got > port and got < port + 100, ('got %d beside %d'):format(got, port))
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

  case('a service that restarts gets its own port again', function(t)
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

  case('two services with the same port are told apart before anything starts', function(t)
    local result = t:up([[
      pact.process 'a' { command = { 'touch', 'ran' }, ports = { 15601 } }
      pact.process 'b' { command = { 'touch', 'ran' }, ports = { 15601 } }
    ]]):wait()
    assert.not_equal(0, result.code)
    assert.truthy((result.out .. result.err):find('15601', 1, true))
  end)
end)
