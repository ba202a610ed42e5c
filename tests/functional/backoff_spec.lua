--- Crashes: how often, after which pauses, and when it is enough.
local functional = require 'functional'
local case = functional.case

local STAMP = 'echo x >>starts; '

-- The pauses, as they were told; each was one, by the engine's clock.
local function pauses(t)
  local found, starts = {}, t:events 'started'
  for i, event in ipairs(t:events 'backoff') do
    local span = starts[i + 1].mono - event.mono
    assert.is_true(span >= event.delay - 5, ('%d ms instead of %d'):format(span, event.delay))
    found[i] = event.delay
  end
  return found
end

describe('backoff', function()
  case('the pause doubles, and after max_retries it is over', function(t)
    local result = t:up(([[
      pact.process 'p' { shell = '%sexit 1', restart = { delay = '200ms', factor = 2, max_retries = 3, jitter = 0 } }
    ]]):format(STAMP)):wait()
    assert.equal(3, result.code)
    assert.same({ 200, 400, 800 }, pauses(t))
    assert.equal(4, #t:lines 'starts')
  end)

  case('the pause never grows beyond max_delay', function(t)
    t:up(([[
      pact.process 'p' { shell = '%sexit 1',
        restart = { delay = '100ms', factor = 10, max_delay = '200ms', max_retries = 4, jitter = 0 } }
    ]]):format(STAMP)):wait()
    assert.same({ 100, 200, 200, 200 }, pauses(t))
    assert.equal(5, #t:lines 'starts')
  end)

  case("policy 'no' never restarts", function(t)
    local result = t:up(([[ pact.process 'p' { shell = '%sexit 1', restart = 'no' } ]]):format(STAMP)):wait()
    assert.equal(3, result.code)
    assert.equal(1, #t:lines 'starts')
  end)

  case('a task is not restarted unless it is told to be', function(t)
    t:up(([[
      pact.task 'once' { shell = '%sexit 1' }
      pact.task 'twice' { shell = 'echo x >>twice; exit 1', restart = { policy = 'on-failure', max_retries = 1, delay = '100ms' } }
    ]]):format(STAMP)):wait()
    assert.equal(1, #t:lines 'starts')
    assert.equal(2, #t:lines 'twice')
  end)

  case('on-failure leaves a success alone', function(t)
    local result = t:up(([[ pact.process 'p' { shell = '%sexit 0' } ]]):format(STAMP)):wait()
    assert.equal(0, result.code)
    assert.equal(1, #t:lines 'starts')
  end)

  case('success_exit says what a success is', function(t)
    local result = t:up(([[ pact.process 'p' { shell = '%sexit 3', success_exit = { 0, 3 } } ]]):format(STAMP)):wait()
    assert.equal(0, result.code)
    assert.equal(1, #t:lines 'starts')
  end)

  case('always restarts a success too, and has no limit of its own', function(t)
    t:up(([[ pact.process 'p' { shell = '%sexit 0', restart = { policy = 'always', delay = '100ms', factor = 1 } } ]])
      :format(STAMP))
    t:wait_lines('starts', 6)
  end)

  case('a death by signal is a crash with its name', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'kill -SEGV $$', restart = { delay = '100ms', max_retries = 1 } }
    ]]):wait()
    assert.equal(3, result.code)
    assert.truthy((result.out .. result.err):find('SIGSEGV', 1, true), result.out .. result.err)
  end)

  case('the restart of one is nothing to the others', function(t)
    t:up [[
      pact.process 'bad' { shell = 'echo x >>bad; exit 1', restart = { delay = '100ms', factor = 1, max_retries = 10 } }
      pact.process 'good' { shell = 'echo $$ >>good; exec sleep 1000', depends_on = { bad = 'started' } }
    ]]
    t:wait_lines('bad', 4)
    assert.equal(1, #t:lines 'good')
  end)

  case('a service that is killed comes back', function(t)
    t:up [[ pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', restart = { delay = '100ms' } } ]]
    local first = t:wait_lines('pids', 1)[1]
    functional.signal(first, 'KILL')
    local second = t:wait_lines('pids', 2)[2]
    assert.not_equal(first, second)
    local service = t:wait_service('p', { status = 'running' })
    assert.equal(tonumber(second), service.pid)
    assert.equal(1, service.restart_count)
  end)

  case('a restart waits until nothing of the last life is left', function(t)
    t:up [[
      pact.process 'p' { restart = { delay = '100ms' }, shell = [=[
        if [ -e first ]; then
          kill -0 "$(cat child)" 2>/dev/null && echo "still there" >>trace || echo "gone" >>trace
          exec sleep 1000
        fi
        touch first; sleep 1000 & echo $! >child; exit 1]=] }
    ]]
    assert.same({ 'gone' }, t:wait_lines('trace', 1))
  end)
end)
