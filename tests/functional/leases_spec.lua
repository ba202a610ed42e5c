--- Leases: a network that was left running ends with the clients that hold it.
local functional = require 'functional'
local cjson = require 'cjson'
local case, procfs = functional.case, functional.procfs

local ONE = [[ pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' } ]]
local NO_NODE = os.execute 'command -v node >/dev/null' == nil and 'no node here'

local function detached(t, ...)
  t:recipe(ONE)
  local network = t:start { 'up', '--detach', 'net.lua', ... }
  assert.equal(0, network:wait().code)
  return network, t:path(t:state('control%.sock$')[1])
end

-- A client that holds the network; it has been told so.
local function hold(t, socket)
  local client = t:start({ '-sSN', '--unix-socket', socket, 'http://localhost/v1/lease' }, { program = 'curl' })
  client:expect '"lease":"held"'
  return client
end

local function status_of(t, socket)
  return cjson.decode(t:run({ '-sS', '--unix-socket', socket, 'http://localhost/v1/status' }, { program = 'curl' }).out)
end

local function wait_end(network, seconds)
  functional.wait('the end of the network', function() return network:clean() end, seconds)
end

describe('a lease', function()
  case('that was killed ends the network', function(t)
    local network, socket = detached(t)
    local client = hold(t, socket)
    local told = cjson.decode(client:out())
    assert.same({ 1, network:roles().engine, true }, { told.leases, told.pid, told.detached })
    assert.truthy(t:run({ 'ps' }).out:find('left running, held by 1 lease: ends with the last one\n', 1, true))
    client:signal 'KILL'
    wait_end(network)
    assert.equal('the last lease is gone', t:events('shutdown')[1].reason)
    assert.equal(4, t:run({ 'ps' }).code)
  end)

  case('is one of several: the last one counts', function(t)
    local network, socket = detached(t)
    local clients = { hold(t, socket), hold(t, socket), hold(t, socket) }
    for i, client in ipairs(clients) do
      assert.equal(#clients - i + 1, status_of(t, socket).leases)
      assert.is_true(status_of(t, socket).ends_with_leases)
      client:signal(i % 2 == 0 and 'KILL' or 'TERM')
      if i < #clients then
        functional.wait('one less', function() return status_of(t, socket).leases == #clients - i end)
      end
    end
    wait_end(network)
  end)

  case('taken while the network lingers keeps it', function(t)
    local network, socket = detached(t, '--linger', '30m')
    assert.falsy(status_of(t, socket).ends_with_leases)
    hold(t, socket):signal 'KILL'
    functional.wait('the lingering', function() return status_of(t, socket).ends_in end)
    assert.truthy(t:run({ 'ps' }).out:find '\nends in [%d.]+ m[%d s]* unless somebody takes a lease\n')
    local second = hold(t, socket)
    local status = status_of(t, socket)
    assert.is_nil(status.ends_in)
    assert.equal(1, status.leases)
    assert.truthy(t:run({ 'ps' }).out:find('held by 1 lease: ends 30 m after the last one', 1, true), t:run({ 'ps' }).out)
    assert.equal(0, t:run({ 'down' }).code)
    assert.truthy(second:wait().out:find('{"lease":"over","reason":"pactlua down"}\n', 1, true), second:out())
    wait_end(network)
  end)

  case('that has gone lets the network linger so long', function(t)
    local network, socket = detached(t, '--linger', '500ms')
    hold(t, socket):signal 'KILL'
    functional.wait('the lingering', function() return network:clean() or status_of(t, socket).ends_in end)
    wait_end(network)
  end)

  case('was never taken: the network stays', function(t)
    local network, socket = detached(t, '--linger', '100ms')
    assert.truthy(t:run({ 'ps' }).out:find("left running, without leases: stays until 'pactlua down'\n", 1, true))
    functional.sleep(0.5)
    assert.equal(0, status_of(t, socket).leases)
    assert.equal(0, t:run({ 'down' }).code)
    wait_end(network)
  end)

  case('of a network with a terminal ends nothing, and what was before is not remembered', function(t)
    local network = t:up(ONE)
    t:wait_lines('pids', 1)
    local socket = t:path(t:state('control%.sock$')[1])
    local client = hold(t, socket)
    assert.truthy(t:run({ 'ps' }).out:find('held by 1 lease, and by the terminal', 1, true))
    client:signal 'KILL'
    functional.wait('none', function() return status_of(t, socket).leases == 0 end)
    assert.equal('', t:run({ '-sS', '--unix-socket', socket, '-d', '{}', 'http://localhost/v1/detach' }, { program = 'curl' }).err)
    assert.equal(0, network:wait().code)
    assert.falsy(status_of(t, socket).ends_with_leases)
    hold(t, socket):signal 'KILL'
    wait_end(network)
  end)

  case('costs nothing while it is held', function(t)
    local network, socket = detached(t)
    local client, roles = hold(t, socket), network:roles()
    local function switches() return procfs.status(roles.engine, 'voluntary_ctxt_switches') end
    functional.wait('rest', function()
      local before = switches()
      functional.sleep(1)
      return switches() == before
    end)
    client:signal 'KILL'
    wait_end(network)
  end)

  case('may be a program of Node', function(t)
    local network, socket = detached(t)
    t:file('hold.js', [[
      require('http').get({ socketPath: process.argv[2], path: '/v1/lease' }, answer => {
        answer.setEncoding('utf8').once('data', line => console.log(JSON.parse(line).lease));
      });
    ]])
    local client = t:start({ t:path 'hold.js', socket }, { program = 'node' })
    client:expect('held\n')
    assert.equal(1, status_of(t, socket).leases)
    client:signal 'KILL'
    wait_end(network)
  end, NO_NODE)
end)
