local reference = require 'pact.declare.reference'

describe('declare.reference', function()
  it('tells of a field wherever it stands', function()
    assert.equal([[
health.start_period: duration, default 0s
  Time to come up: failures within it never make it unhealthy.
  Also written startPeriod, initial_delay or initialDelay.
  A reload takes a change over at once.
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
    assert.matches('\n  Fields of its own: exit_code, signal, core, uptime%.\n', reference.field 'crashed')
  end)

  it('has words for every event, in their order', function()
    local rows = require('pact.declare.event_words').rows
    local names = {}
    for i, row in ipairs(rows) do names[i] = row[1] end
    assert.same(require('pact.declare.events').names, names)
  end)

  it('lists the events under the hooks that hear them', function()
    for _, word in ipairs { 'on', 'hooks' } do
      assert.truthy(reference.field(word):find('\n    crashed             It has ended, and nobody has asked for that.\n', 1, true))
    end
  end)

  it('tells what a call takes and gives', function()
    local text = reference.field 'pact.exec'
    for _, name in ipairs { 'stdin', 'timeout', 'status', 'timed_out' } do
      assert.truthy(text:find(('\n    %s '):format(name), 1, true), name)
    end
    assert.matches('^net:advance: ', reference.field 'advance')
    assert.matches('\n    reason +Why, for people%.\n', reference.field 'history')
  end)

  it('says of every field what a reload does about a change of it', function()
    local count = 0
    for _, chapter in ipairs(reference.chapters) do
      for _, row in ipairs(chapter.noun.fields) do
        local known = row.reload == 'live' or row.reload == 'restart'
        assert(known, ("%s%s has reload = %s: 'live' or 'restart'"):format(chapter.prefix, row.name, tostring(row.reload)))
        count = count + 1
      end
    end
    assert.is_true(count > 100)
    assert.matches('A reload restarts what has a change here%.', reference.field 'cwd')
  end)

  it('suggests', function()
    local text, message = reference.field 'helth'
    assert.is_nil(text)
    assert.equal("there is no field 'helth' (did you mean 'health'?)", message)
  end)

  it('writes the whole as Markdown and as stubs that Lua can read', function()
    local markdown = reference.markdown()
    assert.truthy(markdown:find("| `max_retries` | number or 'unlimited' | 3; unlimited with 'always' | live |", 1, true))
    assert.is_function(load(reference.stubs()))
    assert.truthy(reference.stubs():find('---@field interval? duration From', 1, true))
  end)
end)
