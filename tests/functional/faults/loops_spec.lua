--- Faults 25, 26, 28 and 30: services that end at once, for ever; many ends in one moment.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

-- Processor time of the engine, in ms, within a second and a half.
local function cpu_meanwhile(engine)
  local before = procfs.cpu_ms(engine)
  functional.sleep(1.5)
  return procfs.cpu_ms(engine) - before
end

describe('loops', function()
  for _, row in ipairs {
    { 25, 'crashes at once', 'exit 1', 'on-failure' },
    { 26, 'ends with success at once', 'exit 0', 'always' },
  } do
    local number, what, command, policy = table.unpack(row)
    case(('fault %d: one that %s: pauses double, the processor rests'):format(number, what), function(t)
      local began = functional.now()
      local network = t:up(([[
        pact.process 'p' { shell = 'echo x >>starts; %s', restart = { policy = '%s', delay = '100ms', max_retries = 1000, jitter = 0 } }
        pact.process 'calm' { command = { 'sleep', '1000' } }
      ]]):format(command, policy))
      t:wait_lines('starts', 4) -- 0, 100, 300, 700 ms
      local spent = cpu_meanwhile(network:roles().engine)
      assert.is_true(spent <= 150, spent .. ' ms')
      local starts = #t:lines 'starts'
      assert.is_true((functional.now() - began) * 1000 >= 100 * (2 ^ (starts - 1) - 1), starts .. ' starts')
      local service = t:wait_service('p', { status = 'backoff' })
      assert.is_true(service.attempt >= 4)
      functional.wait('the pause', function() return t:run({ 'ps' }).out:find 'p +backoff[^\n]*again in' end)
      assert.equal('running', t:ps().calm.status)
    end)

    case(('fault %d: one that %s without any pause: the others and `ps` are served'):format(number, what), function(t)
      local network = t:up(([[
        pact.process 'p' { shell = 'echo x >>starts; %s', restart = { policy = 'always', delay = 0 } }
        pact.process 'calm' { shell = 'while :; do echo tick >>ticks; sleep 0.1; done' }
      ]]):format(command))
      t:wait_lines('starts', 50)
      local ticks = #t:lines 'ticks'
      local spent = cpu_meanwhile(network:roles().engine)
      assert.is_true(spent < 1000, spent .. ' ms')
      t:wait_lines('ticks', ticks + 4)
      assert.equal('running', t:ps().calm.status)
      assert.equal(0, t:run({ 'stop', 'p' }).code)
      assert.equal('stopped', t:ps().p.status)
    end)
  end

  case('fault 28: a flood of orphans that have ended is reaped as it comes', function(t)
    local network = t:up [==[
      pact.process 'p' { command = { 'perl', '-e', [=[
        for (1 .. 2000) { my $p = fork; if (!$p) { fork; exit } waitpid $p, 0; select undef, undef, undef, 0.01 unless $_ % 10 }
        open F, ">flooded" and close F; sleep 1000]=] } }
    ]==]
    local engine = network:roles().engine
    local function zombies()
      local count = 0
      for _, process in pairs(procfs.all()) do
        if process.state == 'Z' and process.ppid == engine then count = count + 1 end
      end
      return count
    end
    local most = 0
    functional.wait('the flood', function()
      most = math.max(most, zombies())
      return t:exists 'flooded'
    end)
    assert.is_true(most < 500, most)
    functional.wait('the last of them', function() return zombies() == 0 end)
    assert.equal('running', t:ps().p.status)
  end)

  case('fault 30: ends that share one SIGCHLD are all seen', function(t)
    local network = t:up [[
      for i = 1, 100 do pact.process('p' .. i) { shell = 'echo $$ >>pids; exec sleep 1000', restart = 'no' } end
      pact.process 'calm' { command = { 'sleep', '1000' } }
    ]]
    local pids = t:wait_lines('pids', 100)
    t:wait_service('p100', { status = 'running' })
    local engine = network:roles().engine
    functional.signal(engine, 'STOP')
    os.execute('kill -KILL ' .. table.concat(pids, ' '))
    functional.wait('all to be zombies', function()
      for _, pid in ipairs(pids) do
        if procfs.alive(tonumber(pid)) then return false end
      end
      return true
    end)
    functional.signal(engine, 'CONT')
    functional.wait('all to have failed', function()
      local count = 0
      for _, service in pairs(t:ps()) do
        if service.status == 'failed' and service.reason == 'killed by SIGKILL' then count = count + 1 end
      end
      return count == 100
    end)
    assert.equal('running', t:ps().calm.status)
    for _, process in pairs(procfs.all()) do assert.falsy(process.state == 'Z' and process.ppid == engine) end
  end)
end)
