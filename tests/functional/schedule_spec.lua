--- Services that run at times: so often, or by a line of cron.
local functional = require 'functional'
local case = functional.case

describe('schedule', function()
  case('every: runs at once and again, and the network lives between the runs', function(t)
    local up = t:up [[ pact.task 'job' { shell = 'echo x >>runs', schedule = { every = '400ms' } } ]]
    t:wait_lines('runs', 4)
    local runs = t:events 'started'
    for i = 2, 4 do
      local since = runs[i].mono - runs[1].mono
      assert.is_true(since > (i - 1) * 400 - 150, ('run %d after %d ms'):format(i, since))
    end
    assert.is_false(up:ended())
    assert.equal(0, t:ps().job.restart_count)
    up:signal 'TERM'
    assert.equal(143, up:wait().code or 128 + 15)
  end)

  case('never two at once: a missed run is told', function(t)
    local up = t:up [[ pact.task 'job' {
      shell = 'mkdir lock || echo twice >>wrong; echo x >>runs; sleep 1; rmdir lock', schedule = { every = '300ms' } } ]]
    up:expect('a run was missed: the last one is still running')
    t:wait_lines('runs', 3)
    up:expect('runs were missed while the last one went on')
    assert.same({}, t:lines 'wrong')
  end)

  case('cron: waits for its time, which ps and why show; all else is ready meanwhile', function(t)
    local up = t:up [[ pact.task 'job' { shell = 'echo x >>runs', schedule = { cron = '0 0 29 2 *', tz = 'UTC' } } ]]
    up:expect 'all ready'
    local service = t:wait_service('job', { status = 'waiting' })
    assert.is_true(service.next_run_in > 0)
    assert.matches('next run in %d+', t:run({ 'ps' }).out)
    assert.matches('next run in %d+', t:run({ 'why', 'job' }).out)
    assert.equal(0, t:run({ 'start', 'job' }).code)
    t:wait_lines('runs', 1)
    t:wait_service('job', { status = 'completed' })
    assert.is_false(up:ended())
  end)

  case('a wrong line, zone or mixture is refused with its place', function(t)
    t:recipe [[
      pact.task 'a' { command = { 'true' }, schedule = { cron = '* 25 * * *' } }
      pact.task 'b' { command = { 'true' }, schedule = { cron = '@daily', tz = 'Europe/Berln' } }
      pact.task 'c' { command = { 'true' }, schedule = { every = '1m', cron = '@daily' } }
    ]]
    local result = t:run { 'check', 'net.lua' }
    assert.equal(2, result.code)
    local said = result.out .. result.err
    for _, text in ipairs {
      "net.lua:1: task 'a': schedule.cron has a wrong hour (field 2): '25' is not allowed: 0–23",
      "net.lua:2: task 'b': schedule.tz 'Europe/Berln' is no time zone of this machine",
      "net.lua:3: task 'c': schedule must have either 'every' or 'cron'",
    } do
      assert.truthy(said:find(text, 1, true), said)
    end
  end)

  case('stopped by hand it stays so', function(t)
    t:up [[ pact.task 'job' { shell = 'echo x >>runs', schedule = { every = '200ms' } } pact.process 'p' { command = { 'sleep', '1000' } } ]]
    t:wait_lines('runs', 2)
    t:run { 'stop', 'job' }
    t:wait_service('job', { want = 'down' })
    local count = #t:lines 'runs'
    functional.sleep(0.7) -- three times its interval
    assert.equal(count, #t:lines 'runs')
    t:run { 'start', 'job' }
    t:wait_lines('runs', count + 2)
  end)

  case('hooks hear of what was missed', function(t)
    t:up [[
      pact.on('missed', function(service, event) os.execute(('echo %s %d >>heard'):format(service, event.count)) end)
      pact.task 'job' { shell = 'echo x >>runs; sleep 0.7', schedule = { every = '200ms' } }
    ]]
    t:wait_lines('runs', 2)
    local heard = t:wait_lines('heard', 2)
    assert.equal('job 1', heard[1])
    assert.is_true(tonumber(heard[2]:match '^job (%d+)$') >= 2, heard[2]) -- two or three, where a second isn't longer
  end)
end)
