--- Dependents of what can't be: skipped at once, with the reason.
local functional = require 'functional'
local case = functional.case

describe('skips', function()
  case('what depends on a failed task is skipped, and so is what depends on that', function(t)
    local result = t:up([[
      pact.task 'migrate' { shell = 'exit 4' }
      pact.process 'api' { command = { 'touch', 'api-ran' }, depends_on = { 'migrate' } }
      pact.process 'web' { command = { 'touch', 'web-ran' }, depends_on = { 'api' } }
    ]]):wait()
    assert.equal(3, result.code)
    assert.is_false(t:exists 'api-ran')
    assert.is_false(t:exists 'web-ran')
    local all = result.out .. result.err
    assert.truthy(all:find('skipped', 1, true), all)
    assert.truthy(all:find("dependency 'migrate' failed", 1, true), all)
  end)

  case('ready of a process that has completed can not be any more', function(t)
    local result = t:up([[
      pact.process 'once' { shell = 'exit 0', health = { file = 'never' } }
      pact.task 'user' { shell = 'touch ran', depends_on = { 'once' } }
    ]]):wait()
    assert.equal(3, result.code)
    assert.is_false(t:exists 'ran')
  end)

  case('completed of a process is satisfied when it ends with success', function(t)
    local result = t:up([[
      pact.process 'once' { shell = 'sleep 0.1; exit 0' }
      pact.task 'user' { shell = 'touch ran', depends_on = { once = 'completed' } }
    ]]):wait()
    assert.equal(0, result.code)
    assert.is_true(t:exists 'ran')
  end)

  case('what does not depend on the failure goes on', function(t)
    local result = t:up([[
      pact.task 'bad' { shell = 'exit 1' }
      pact.task 'good' { shell = 'sleep 0.3; touch ran' }
    ]]):wait()
    assert.equal(3, result.code)
    assert.is_true(t:exists 'ran')
  end)

  case('a disabled service is not started, and what needs it is skipped', function(t)
    local result = t:up([[
      pact.task 'off' { shell = 'touch off-ran', disabled = true }
      pact.task 'user' { shell = 'touch user-ran', depends_on = { 'off' } }
      pact.task 'other' { shell = 'touch other-ran' }
    ]]):wait()
    assert.is_false(t:exists 'off-ran')
    assert.is_false(t:exists 'user-ran')
    assert.is_true(t:exists 'other-ran')
    assert.equal(3, result.code)
  end)
end)
