local reference = require 'pact.declare.reference'

describe('declare.reference', function()
  it('tells of a field wherever it stands', function()
    assert.equal([[
health.start_period: duration, default 0s
  Time to come up: failures within it never make it unhealthy.
  Also written startPeriod, initial_delay or initialDelay.
]], reference.field 'start_period')
    assert.matches('^timeout: duration, default none\n.*\nhealth.timeout: .*\nstop.timeout: .*\ndepends_on.timeout: ', reference.field 'timeout')
    assert.equal(reference.field 'health.interval', reference.field 'healthCheck.interval')
    assert.matches('Only for services of kind process and container%.', reference.field 'cwd')
    assert.matches('Another way to write restart.policy%.', reference.field 'autoRestart')
    assert.matches('    interval        From', reference.field 'health')
  end)

  it('tells of variables and events', function()
    assert.matches('^PROCESS_MAX_RETRIES: a variable of the environment, default 3\n', reference.field 'PROCESS_MAX_RETRIES')
    assert.matches('^crashed: an event\n', reference.field 'crashed')
  end)

  it('suggests', function()
    local text, message = reference.field 'helth'
    assert.is_nil(text)
    assert.equal("there is no field 'helth' (did you mean 'health'?)", message)
  end)

  it('writes the whole as Markdown and as stubs that Lua can read', function()
    local markdown = reference.markdown()
    assert.truthy(markdown:find("| `max_retries` | number or 'unlimited' | 3; unlimited with 'always' |", 1, true))
    assert.is_function(load(reference.stubs()))
    assert.truthy(reference.stubs():find('---@field interval? duration From', 1, true))
  end)
end)
