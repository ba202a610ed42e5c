--- env, exec, send, open: a live network and its services seen from another terminal.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

local NETWORK = [[
  pact.project 'shop'
  pact.process 'db' { shell = 'exec sleep 1000', ports = { postgres = 15477 }, env = { NAME = "it's" } }
  pact.process 'web' {
    shell = 'echo up >>trace; exec sleep 1000', cwd = 'sub', depends_on = { 'db' },
    env = { DB_PASSWORD = 'hunter2', PLAIN = 'a b', LATE = function() return 'late' end },
    endpoints = { admin = 'http://127.0.0.1:15478/admin', raw = 'tcp://127.0.0.1:15479' },
  }
  pact.process 'echo' { shell = 'while read -r line; do echo "got $line" >>heard; done' }
  pact.process 'deaf' { command = { 'sleep', '1000' }, stdin = 'null' }
  pact.worker 'stub' { run = function() pact.sleep '1h' end }
]]

local function up(t)
  t:file('sub/x', '')
  local network = t:up(NETWORK)
  t:wait_lines('sub/trace', 1)
  return network
end

local function ran(t, expected, words, opts)
  local result = t:run(words, opts)
  assert.equal(expected, result.code, result.out .. result.err)
  return result
end

-- What each of these verbs says when it is asked for what isn't there.
for _, row in ipairs {
  { 'env', { 'env', 'dbb' }, 1, "did you mean 'db'?" },
  { 'exec', { 'exec', 'dbb', '--', 'true' }, 125, "did you mean 'db'?" },
  { 'send', { 'send', 'dbb', 'x' }, 1, "did you mean 'db'?" },
  { 'open', { 'open', 'dbb' }, 1, "did you mean 'db'?" },
  { 'open', { 'open', 'web', 'admn' }, 1, "did you mean 'admin'?" },
  { 'open', { 'open', 'echo' }, 1, 'neither a port nor an endpoint' },
  { 'send', { 'send', 'stub', 'x' }, 1, 'of kind worker' },
  { 'env', { 'env', 'stub' }, 1, 'of kind worker' },
  { 'send', { 'send', 'deaf', 'x' }, 1, "stdin = 'null'" },
} do
  case(('%s refuses: %s'):format(table.concat(row[2], ' '), row[4]), function(t)
    up(t)
    local result = ran(t, row[3], row[2])
    assert.equal('', result.out)
    assert.truthy(result.err:find(row[4], 1, true), result.err)
  end)
end

case('without a network each says so, with 4', function(t)
  for _, words in ipairs { { 'env' }, { 'exec', 'a', '--', 'true' }, { 'send', 'a', 'b' }, { 'open', 'a' } } do
    local result = ran(t, 4, words)
    assert.truthy(result.err:find('no live network', 1, true), result.err)
  end
end)

describe('env', function()
  case('shows where services are', function(t)
    up(t)
    local out = ran(t, 0, { 'env' }).out
    assert.truthy(out:find('DB_URL=postgres://127.0.0.1:15477\n', 1, true), out)
    assert.equal('15477', cjson.decode(ran(t, 0, { 'env', '--json' }).out).DB_PORT)
  end)

  case("shows a service's environment, without secrets", function(t)
    up(t)
    local out = ran(t, 0, { 'env', 'web' }).out
    for _, line in ipairs { 'PLAIN=a b', 'LATE=late', 'DB_PORT=15477', 'PACTLUA_SERVICE=web', 'DB_PASSWORD=********' } do
      assert.truthy(('\n' .. out):find('\n' .. line .. '\n', 1, true), line .. ' in\n' .. out)
    end
    assert.falsy(out:find('hunter2', 1, true))
  end)

  case('--dotenv is read by a shell', function(t)
    up(t)
    t:file('web.env', ran(t, 0, { 'env', 'web', '--dotenv' }).out .. ran(t, 0, { 'env', 'db', '--dotenv' }).out)
    local result = t:run({ '-c', '. ./web.env; echo "$PLAIN $NAME"' }, { program = 'sh' })
    assert.equal("a b it's\n", result.out, result.err)
  end)
end)

describe('exec', function()
  case("runs a program in a service's place, with its environment", function(t)
    up(t)
    local out = ran(t, 0, { 'exec', 'web', '--', 'sh', '-c', 'pwd; echo $DB_PASSWORD $DB_PORT $LATE' }).out
    assert.equal(t.dir .. '/sub\nhunter2 15477 late\n', out)
  end)

  case('its status is ours; 127 and 126 where it could not be started', function(t)
    up(t)
    t:file('sub/data', 'x')
    ran(t, 7, { 'exec', 'web', '--', 'sh', '-c', 'exit 7' })
    ran(t, 137, { 'exec', 'web', '--', 'sh', '-c', 'kill -KILL $$' })
    ran(t, 127, { 'exec', 'web', '--', 'no-such-program' })
    ran(t, 126, { 'exec', 'web', '--', './data' })
  end)

  case('reads our input, and outlives the network', function(t)
    local network = up(t)
    local started = t:start({ 'exec', 'web', '--', 'sh', '-c', 'echo begun >>../begun; read -r a; echo "read $a"' },
      { input = true })
    t:wait_lines('begun', 1)
    network:signal 'INT'
    network:wait()
    started:type 'words\n'
    assert.equal('read words\n', started:wait().out)
  end)

  case('passes SIGTERM on', function(t)
    up(t)
    local started = t:start { 'exec', 'web', '--', 'sh', '-c',
      'trap "exit 9" TERM; echo begun >>../begun; while true; do sleep 1 & wait; done' }
    t:wait_lines('begun', 1)
    started:signal 'TERM'
    assert.equal(9, started:wait().code)
  end)

  case('leaves the socket of a service that notifies alone', function(t)
    t:up [[ pact.process 'n' { shell = 'echo up >>trace; exec sleep 1000', health = { notify = true } } ]]
    t:wait_lines('trace', 1)
    local function socket()
      return t:run({ '.', '-type', 's', '!', '-name', 'control.sock', '-printf', '%i' }, { program = 'find' }).out
    end
    local before = socket()
    assert.truthy(tonumber(before), before)
    ran(t, 0, { 'exec', 'n', '--', 'sh', '-c', 'test -z "$NOTIFY_SOCKET"' })
    assert.equal(before, socket())
  end)
end)

describe('send', function()
  case("writes lines to a service's input", function(t)
    up(t)
    ran(t, 0, { 'send', 'echo', 'one', 'two' })
    ran(t, 0, { 'send', 'echo', '--', '-x' })
    assert.same({ 'got one two', 'got -x' }, t:wait_lines('heard', 2))
  end)
end)

describe('open', function()
  case('prints the address where there is no screen', function(t)
    up(t)
    local none = { env = { DISPLAY = false, WAYLAND_DISPLAY = false, BROWSER = false } }
    assert.equal('http://127.0.0.1:15478/admin\n', ran(t, 0, { 'open', 'web' }, none).out)
    assert.equal('tcp://127.0.0.1:15479\n', ran(t, 0, { 'open', 'web', 'raw' }, none).out)
    assert.equal('postgres://127.0.0.1:15477\n', ran(t, 0, { 'open', 'db' }, none).out)
  end)

  case('hands it to xdg-open; when that fails it is printed', function(t)
    up(t)
    t:file('bin/xdg-open', '#!/bin/sh\necho "$1" >>opened; exit ${STATUS:-0}\n', true)
    local env = { DISPLAY = ':7', PATH = t:path 'bin' .. ':' .. os.getenv 'PATH' }
    assert.equal('', ran(t, 0, { 'open', 'web' }, { env = env }).out)
    assert.same({ 'http://127.0.0.1:15478/admin' }, t:lines 'opened')
    env.STATUS = '3'
    local result = ran(t, 1, { 'open', 'web' }, { env = env })
    assert.equal('http://127.0.0.1:15478/admin\n', result.out)
    assert.truthy(result.err:find('status 3', 1, true), result.err)
  end)
end)
