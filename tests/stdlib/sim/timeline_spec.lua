local timeline = require 'pact.sim.timeline'

describe('who decided', function()
  local function played(...)
    local service = { restart = { policy = 'on-failure' } }
    local subject, last = timeline.new(function() return { services = { web = service } } end), nil
    for _, event in ipairs { ... } do
      event.service = 'web'
      last = subject:moment { kind = 'event', at = 0, event = event }
    end
    return last.by and last.by.words
  end
  local sick = {
    name = 'hook_ended', hook = 'unhealthy', file = 'a.lua', line = 5, verdict = 'restart', used = true, mono = 1,
  }
  local crashed = { name = 'crashed', reason = 'exit code 75', mono = 9 }

  it('of an end that a verdict on health led to is the hook', function()
    assert.equal('hook a.lua:5: restart', played(sick, crashed))
  end)

  it('of a crash in the next life is not the hook that ended the last one', function()
    assert.is_nil(played(sick, { name = 'started', mono = 2 }, crashed))
    assert.equal('policy on-failure, attempt 0',
      played(sick, { name = 'started', mono = 2 }, crashed, { name = 'backoff', mono = 9 }))
  end)
end)
