--- `timeout`, from start to ready, and `max_runtime`, the longest life.
local functional = require 'functional'
local case = functional.case

-- Since when each life of `p` went on, and until when, by the engine's clock in ms; by epoch.
local function lives(t)
  local out = {}
  for _, event in ipairs(t:events 'started') do
    if event.service == 'p' then out[event.epoch] = { from = event.mono } end
  end
  for _, event in ipairs(t:events 'crashed') do
    if event.service == 'p' then out[event.epoch].to = event.mono end
  end
  return out
end

describe('limits of time', function()
  case('max_runtime ends a life, which counts as a crash', function(t)
    local up = t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, max_runtime = '600ms',
        restart = { delay = '100ms', factor = 1, jitter = 0, max_retries = 2 } }
    ]]
    local result = up:wait()
    assert.equal(3, result.code)
    local all = lives(t)
    assert.equal(3, #all)
    for epoch, life in ipairs(all) do
      assert.is_true(life.to - life.from > 550, ('%d ms of life'):format(life.to - life.from))
      if epoch > 1 then assert.is_true(life.from - all[epoch - 1].to > 50, ('pause before life %d'):format(epoch)) end
    end
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
      pact.task 'short' { command = { 'true' }, max_runtime = '1s' }
      pact.process 'p' { command = { 'sleep', '1000' }, max_runtime = '1500ms' }
    ]]
    t:wait_service('p', { status = 'running' })
    functional.sleep(0.8)
    t:run { 'restart', 'p' }
    local epoch = t:wait_service('p', { status = 'running' }).epoch
    functional.wait('the end of that life', function() return (lives(t)[epoch] or {}).to end)
    local life = lives(t)[epoch]
    assert.is_true(life.to - life.from > 1450, ('%d ms, the rest of the first'):format(life.to - life.from))
    assert.equal('completed', t:ps().short.status)
  end)

  case('timeout: one that is not ready in time is started again, and has its time anew', function(t)
    local up = t:up [[
      pact.process 'p' { shell = 'echo $$ >>starts; test $(wc -l <starts) -ge 2 && touch ready; exec sleep 1000', timeout = '700ms',
        restart = { delay = '50ms' }, health = { file = 'ready', interval = '100ms' } }
    ]]
    local service = t:wait_service('p', { status = 'running' })
    assert.is_true(service.epoch > 1)
    assert.truthy(up:out():find('crashed: not ready after 700ms: ', 1, true), up:out())
    functional.wait('a life longer than the timeout', function() return ((t:ps() or {}).p or {}).uptime > 1000 end)
    assert.equal(service.epoch, t:ps().p.epoch)
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
