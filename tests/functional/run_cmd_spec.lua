--- `run RECIPE -- CMD`: the network is there for one command.
local functional = require 'functional'
local case = functional.case

local NETWORK = [[
  pact.process 'db' { shell = 'trap "echo stop >>trace; exit 0" TERM; sleep 0.2; echo open >>trace; echo open; while true; do sleep 60 & wait; done',
    health = { log = 'open' }, ports = { 15439 } }
]]

local function run(t, recipe, ...)
  t:recipe(recipe)
  return t:run { 'run', 'net.lua', '--', ... }
end

describe('run', function()
  case('the command runs when all is ready, then all goes down', function(t)
    local result = run(t, NETWORK, 'sh', '-c', 'echo command >>trace')
    assert.equal(0, result.code, result.err)
    assert.same({ 'open', 'command', 'stop' }, t:lines 'trace')
    assert.equal(0, result.left)
  end)

  case('its exit status is ours', function(t)
    assert.equal(7, run(t, NETWORK, 'sh', '-c', 'exit 7').code)
  end)

  case('its death by signal is 128 and the number', function(t)
    local result = run(t, NETWORK, 'sh', '-c', 'kill -KILL $$')
    assert.equal(137, result.code or 128 + result.signal)
  end)

  case('127 when it is not found, 126 when it may not be executed', function(t)
    assert.equal(127, run(t, NETWORK, 'no-such-program').code)
    t:file('data', 'x')
    assert.equal(126, run(t, NETWORK, './data').code)
  end)

  case('125 when the network does not come up; the command does not run', function(t)
    local result = run(t, [[ pact.task 'bad' { shell = 'exit 1' } ]], 'touch', 'ran')
    assert.equal(125, result.code, result.err)
    assert.is_false(t:exists 'ran')
  end)

  case('it has the addresses of the network', function(t)
    local result = run(t, NETWORK, 'sh', '-c', 'echo $DB_HOST $DB_PORT >seen')
    assert.equal(0, result.code)
    assert.equal('127.0.0.1 15439\n', t:read 'seen')
  end)

  case('its output is its own, not prefixed', function(t)
    local result = run(t, [[ pact.process 'q' { command = { 'sleep', '1000' } } ]], 'echo', 'bare words')
    assert.equal(0, result.code)
    assert.truthy(('\n' .. result.out):find('\nbare words\n', 1, true), result.out)
  end)

  case('it reads our input', function(t)
    t:recipe [[ pact.process 'q' { command = { 'sleep', '1000' } } ]]
    local started = t:start({ 'run', 'net.lua', '--', 'head', '-n', '1' }, { input = true })
    started:type 'typed line\n'
    assert.truthy(('\n' .. started:wait().out):find('\ntyped line\n', 1, true))
  end)

  case('it keeps the working directory of the caller', function(t)
    t:recipe(NETWORK)
    t:file('elsewhere/x', '')
    local result = t:run({ 'run', '../net.lua', '--', 'sh', '-c', 'pwd' }, { cwd = t:path 'elsewhere' })
    assert.truthy(result.out:find(t:path 'elsewhere' .. '\n', 1, true), result.out .. result.err)
  end)

  case('options of the command are not ours', function(t)
    assert.equal(0, run(t, NETWORK, 'test', '--help', '=', '--help').code)
  end)

  case('a command that is missing is wrong usage', function(t)
    t:recipe(NETWORK)
    assert.equal(2, t:run({ 'run', 'net.lua' }).code)
    assert.equal(2, t:run({ 'run', 'net.lua', '--' }).code)
  end)

  case('Ctrl-C ends command and network', function(t)
    t:recipe(NETWORK)
    local started = t:start { 'run', 'net.lua', '--', 'sh', '-c', 'echo command >>trace; exec sleep 1000' }
    t:wait_lines('trace', 2)
    os.execute(('kill -INT -%d'):format(started.pid))
    local result = started:wait()
    assert.equal(130, result.code or 128 + result.signal)
    assert.equal(0, result.left)
  end)
end)
