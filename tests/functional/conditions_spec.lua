--- The conditions of an edge: ready, healthy, started, completed, log.
local functional = require 'functional'
local case = functional.case

describe('conditions', function()
  case('started holds as soon as the dependency lives, though it is not ready', function(t)
    t:up [[
      pact.process 'slow' { command = { 'sleep', '1000' }, health = { file = 'never', interval = '1s' } }
      pact.task 'user' { depends_on = { slow = 'started' }, shell = 'echo ran >>trace' }
    ]]
    t:wait_lines('trace', 1)
    assert.equal('starting', t:wait_service('slow', { status = 'starting' }).status)
  end)

  case('completed waits for the end of a task', function(t)
    local result = t:up([[
      pact.task 'build' { shell = 'sleep 0.3; echo built >>trace' }
      pact.task 'use' { depends_on = { build = 'completed' }, shell = 'echo used >>trace' }
    ]]):wait()
    assert.equal(0, result.code)
    assert.same({ 'built', 'used' }, t:lines 'trace')
  end)

  case('ready of a task means that it has completed', function(t)
    local result = t:up([[
      pact.task 'build' { shell = 'sleep 0.3; echo built >>trace' }
      pact.task 'use' { depends_on = { 'build' }, shell = 'echo used >>trace' }
    ]]):wait()
    assert.equal(0, result.code)
    assert.same({ 'built', 'used' }, t:lines 'trace')
  end)

  case('a log condition waits for a line', function(t)
    t:up [[
      pact.process 'node' { shell = 'echo syncing; sleep 0.3; echo "at block 7" >>trace; echo "at block 7"; exec sleep 1000' }
      pact.task 'user' { depends_on = { node = { log = 'block 7' } }, shell = 'echo ran >>trace' }
    ]]
    assert.same({ 'at block 7', 'ran' }, t:wait_lines('trace', 2))
  end)

  case('a log condition takes a regular expression', function(t)
    t:up [[
      pact.process 'node' { shell = 'echo "block x"; sleep 0.2; echo "block 42"; exec sleep 1000' }
      pact.task 'user' { depends_on = { node = { log = { regex = 'block [0-9]+' } } }, shell = 'echo ran >>trace' }
    ]]
    t:wait_lines('trace', 1)
  end)

  case('a log condition holds on when the line has gone by', function(t)
    t:up [[
      pact.process 'node' { shell = 'echo open; exec sleep 1000' }
      pact.task 'pause' { shell = 'sleep 0.5', depends_on = { node = 'started' } }
      pact.task 'user' { depends_on = { 'pause', node = { log = 'open' } }, shell = 'echo ran >>trace' }
    ]]
    t:wait_lines('trace', 1)
  end)

  case('healthy waits for the first success of the check', function(t)
    t:up [[
      pact.process 'db' { shell = 'sleep 0.4; echo open >>trace; touch open; exec sleep 1000', health = { file = 'open' } }
      pact.task 'user' { depends_on = { db = { condition = 'healthy', timeout = '5m' } }, shell = 'echo ran >>trace' }
    ]]
    assert.same({ 'open', 'ran' }, t:wait_lines('trace', 2))
  end)

  case("compose's names are understood", function(t)
    local result = t:up([[
      pact.task 'build' { shell = 'echo built >>trace' }
      pact.process 'db' { command = { 'sleep', '1000' }, health = { command = { 'true' } } }
      pact.task 'use' {
        depends_on = { build = { condition = 'service_completed_successfully' }, db = { condition = 'service_healthy' } },
        shell = 'echo used >>trace', essential = true,
      }
    ]]):wait()
    assert.equal(0, result.code)
    assert.same({ 'built', 'used' }, t:lines 'trace')
  end)

  case('an edge that takes too long makes its dependent fail or be skipped, and says so', function(t)
    local result = t:up([[
      pact.process 'slow' { command = { 'sleep', '1000' }, health = { file = 'never' } }
      pact.task 'user' { depends_on = { slow = { condition = 'ready', timeout = '300ms' } }, shell = 'echo ran >>trace',
        essential = true }
    ]]):wait()
    assert.not_equal(0, result.code)
    assert.same({}, t:lines 'trace')
    assert.truthy((result.out .. result.err):find('slow', 1, true))
  end)

  case('a waiting service says for what', function(t)
    t:up [[
      pact.process 'db' { command = { 'sleep', '1000' }, health = { command = { 'false' }, interval = '1s' } }
      pact.process 'web' { command = { 'sleep', '1000' }, depends_on = { db = 'healthy' } }
    ]]
    local web = t:wait_service('web', { status = 'waiting' })
    assert.truthy(web.reason:find('db', 1, true), web.reason)
  end)
end)
