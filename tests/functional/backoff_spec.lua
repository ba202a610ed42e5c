--- Crashes: how often, after which pauses, and when it is enough.
local functional = require 'functional'
local case = functional.case

local STAMP = 'date +%s%N >>starts; '

local function gaps(t)
  local found, last = {}, nil
  for _, line in ipairs(t:lines 'starts') do
    local at = tonumber(line) / 1e6
    if last then found[#found + 1] = at - last end
    last = at
  end
  return found
end

local function between(low, value, high)
  assert.is_true(value >= low and value <= high, ('%.0f ms is not within %d and %d'):format(value, low, high))
end

describe('backoff', function()
  case('the pause doubles, and after max_retries it is over', function(t)
    local result = t:up(([[
      pact.process 'p' { shell = '%sexit 1', restart = { delay = '200ms', factor = 2, max_retries = 3, jitter = 0 } }
    ]]):format(STAMP)):wait()
    assert.equal(3, result.code)
    local found = gaps(t)
    assert.equal(3, #found)
    between(195, found[1], 400)
    between(395, found[2], 600)
    between(795, found[3], 1000)
  end)

  case('the pause never grows beyond max_delay', function(t)
    t:up(([[
      pact.process 'p' { shell = '%sexit 1',
        restart = { delay = '100ms', factor = 10, max_delay = '200ms', max_retries = 4, jitter = 0 } }
    ]]):format(STAMP)):wait()
    local found = gaps(t)
    assert.equal(4, #found)
    between(95, found[1], 300)
    for i = 2, 4 do between(195, found[i], 400) end
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
