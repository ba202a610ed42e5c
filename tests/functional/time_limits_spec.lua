--- `timeout`, from start to ready, and `max_runtime`, the longest life.
local functional = require 'functional'
local case = functional.case

local function spans(t, name)
  local out, last = {}, nil
  for _, line in ipairs(t:lines(name)) do
    out[#out + 1] = last and tonumber(line) - last
    last = tonumber(line)
  end
  return out
end

describe('limits of time', function()
  case('max_runtime ends a life, which counts as a crash', function(t)
    local up = t:up [[
      pact.process 'p' { shell = 'date +%s%3N >>starts; exec sleep 1000', max_runtime = '600ms',
        restart = { delay = '100ms', factor = 1, jitter = 0, max_retries = 2 } }
    ]]
    local result = up:wait()
    assert.equal(3, result.code)
    assert.equal(3, #t:lines 'starts')
    for _, ms in ipairs(spans(t, 'starts')) do assert.is_true(ms >= 650, ('%d ms between two starts'):format(ms)) end
    assert.truthy(result.out:find('crashed: ran longer than 600 ms', 1, true), result.out)
    assert.truthy(result.out:find('gave up after 2 restarts', 1, true), result.out)
  end)

  case('max_runtime ends the whole tree, and one that hears no TERM by KILL', function(t)
    local result = t:up([[
      pact.task 'p' { shell = 'trap "" TERM; sleep 1000 & echo $! >child; while :; do sleep 0.05; done', max_runtime = '500ms',
        stop = { timeout = '300ms' } }
    ]]):wait()
    assert.equal(3, result.code)
    assert.is_false(functional.procfs.alive(t:wait_pid 'child'))
  end)

  case('max_runtime is counted anew in each life, and not at all after the end', function(t)
    t:up [[
      pact.task 'short' { shell = 'sleep 0.1; echo x >>ran', max_runtime = '400ms' }
      pact.process 'p' { shell = 'date +%s%3N >>starts; exec sleep 1000', max_runtime = '1500ms' }
    ]]
    t:wait_service('p', { status = 'running' })
    functional.sleep(0.8)
    t:run { 'restart', 'p' }
    t:wait_lines('starts', 2)
    functional.wait('a life longer than the rest of the first', function()
      local service = (t:ps() or {}).p
      return service and service.epoch == 2 and (service.uptime or 0) > 1000
    end)
    assert.equal('completed', t:ps().short.status)
    t:wait_service('p', { restart_count = 1 })
  end)

  case('timeout: one that is not ready in time is started again, and has its time anew', function(t)
    local up = t:up [[
      pact.process 'p' { shell = 'echo $$ >>starts; test $(wc -l <starts) -ge 2 && touch ready; exec sleep 1000', timeout = '700ms',
        restart = { delay = '50ms' }, health = { file = 'ready', interval = '100ms' } }
    ]]
    local service = t:wait_service('p', { status = 'running' })
    assert.equal(2, service.epoch)
    assert.truthy(up:out():find('crashed: not ready after 700ms: ', 1, true), up:out())
    functional.wait('a life longer than the timeout', function() return ((t:ps() or {}).p or {}).uptime > 1000 end)
    assert.equal(2, t:ps().p.epoch)
  end)

  case('timeout: a task that takes longer has failed, and so has what needs it', function(t)
    local result = t:up([[
      pact.task 'a' { command = { 'sleep', '1000' }, timeout = '400ms' }
      pact.process 'b' { shell = 'touch ran', depends_on = { 'a' } }
    ]]):wait()
    assert.equal(3, result.code)
    assert.truthy(result.out:find('not ready after 400ms', 1, true), result.out)
    assert.truthy(result.out:find("dependency 'a' failed", 1, true), result.out)
    assert.is_false(t:exists 'ran')
  end)
end)
