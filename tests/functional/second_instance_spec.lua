--- One network of a name at a time.
local functional = require 'functional'
local case = functional.case

describe('a second instance', function()
  case('is refused, and told who is there', function(t)
    local network = t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    local result = t:run { 'net.lua' }
    assert.equal(1, result.code, result.out .. result.err)
    assert.truthy((result.out .. result.err):find(tostring(network:roles().engine), 1, true), result.err)
    assert.equal(1, #t:lines 'trace')
    assert.is_false(network:ended())
  end)

  case('may be of another project', function(t)
    t:up [[ pact.project 'one' pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    t:recipe([[ pact.project 'two' pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]], 'two.lua')
    t:start { 'two.lua' }
    t:wait_lines('trace', 2)
  end)

  case('starts when the first has gone', function(t)
    t:recipe [[ pact.task 'p' { shell = 'echo up >>trace' } ]]
    for _ = 1, 3 do assert.equal(0, t:run({ 'net.lua' }).code) end
    assert.equal(3, #t:lines 'trace')
  end)

  case('of two that start in one moment one comes up', function(t)
    t:recipe [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    local both = { t:start { 'net.lua' }, t:start { 'net.lua' } }
    functional.wait('the end of one', function() return both[1]:ended() or both[2]:ended() end)
    t:wait_lines('trace', 1)
    assert.is_false(both[1]:ended() and both[2]:ended())
    assert.equal(1, #t:lines 'trace')
  end)

  case('does not stumble over the socket of a dead one', function(t)
    t:recipe [[ pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' } ]]
    local network = t:start { 'net.lua' }
    t:wait_lines('pids', 1)
    local roles = network:roles()
    functional.signal(roles.engine, 'KILL')
    network:wait()
    t:start { 'net.lua' }
    t:wait_lines('pids', 2)
    assert.equal('running', t:wait_service('p', { status = 'running' }).status)
  end)
end)
