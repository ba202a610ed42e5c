local network = require 'network'

local MINUTE, HOUR = 60000, 3600000

describe('a scheduled service', function()
  local net
  after_each(function()
    assert.same({}, net.errors)
  end)

  local function up(fields, program, ms)
    fields.task = fields.task ~= false
    net = network.new({ { 'job', fields } }, { programs = { job = program } })
    return net:up(ms or 0)
  end

  -- The wall clock stands at 1700000000 s: Tue 14 November 2023, 22:13:20 UTC.
  local function wall(text)
    local hour, minute, second = text:match '(%d+):(%d+):?(%d*)'
    return (1699920000 + tonumber(hour) * 3600 + tonumber(minute) * 60 + (tonumber(second) or 0)) * 1000
  end

  local function runs_at()
    local out = {}
    for i, proc in ipairs(net:runs 'job') do out[i] = proc.started_at - 1000 end
    return out
  end

  local function missed()
    local out = {}
    for _, event in ipairs(net.events) do
      if event.name == 'missed' then out[#out + 1] = event.reason end
    end
    return out
  end

  it('runs at once and then every so often, from start to start', function()
    up({ schedule = { every = 10000 } }, { exit_after = 3000 }, 35000)
    assert.same({ 0, 10000, 20000, 30000 }, runs_at())
    assert.same({}, missed())
    assert.equal(0, net.sup:snapshot('job').restart_count)
  end)

  it('shows when it runs next', function()
    up({ schedule = { every = 10000 } }, { exit_after = 1000 }, 4000)
    local s = net.sup:snapshot 'job'
    assert.same({ 'completed', 6000 }, { s.status, s.next_run_in })
    assert.equal(6000, net.sup:why('job').next_run_in)
  end)

  it('never runs twice at once: what is missed is told once, and counted', function()
    up({ schedule = { every = 10000 } }, { exit_after = 35000 }, 41000)
    assert.same({ 0, 40000 }, runs_at())
    assert.same({ 'a run was missed: the last one is still running', '3 runs were missed while the last one went on' }, missed())
  end)

  it('waits for its line of cron, and is ready meanwhile for all that counts', function()
    up({ schedule = { cron = '*/5 * * * *', tz = 'UTC' } }, { exit_after = 1000 }, 60000)
    local s = net.sup:snapshot 'job'
    assert.same({ 'waiting', 'next run in 40 s', {} }, { s.status, s.reason, runs_at() })
    assert.is_true(net.sup:all_ready())
    assert.same({}, net.rests)
    net.world:advance(6 * MINUTE)
    assert.same({ 100000, 400000 }, runs_at())
    assert.equal('completed', net:status 'job')
  end)

  it('lives: the network does not come to rest', function()
    up({ schedule = { every = HOUR } }, { exit_after = 10, code = 1 }, 1000)
    assert.equal('failed', net:status 'job')
    net.world:advance(30 * MINUTE)
    assert.same({}, net.rests)
    net.sup:stop 'job'
    net.world:advance(1000)
    assert.equal(1, #net.rests)
    net.world:advance(5 * HOUR)
    assert.equal(1, #net:runs 'job')
  end)

  it('begins anew after a run that failed, with all its retries', function()
    up({ schedule = { every = MINUTE }, restart = { policy = 'on-failure', max_retries = 1 } },
      { exit_after = 10, code = 1 }, 61500)
    assert.equal(4, #net:runs 'job')
    assert.equal('failed', net:status 'job')
  end)

  it('does not touch one that is in backoff', function()
    up({ schedule = { every = 1000 }, restart = { policy = 'on-failure', delay = 5000, max_retries = 1 } },
      { exit_after = 10, code = 1 }, 3000)
    assert.same({ { 0 }, { 'a run was missed: the last one is to be restarted' } }, { runs_at(), missed() })
  end)

  it('is run at once by hand, and keeps its times', function()
    up({ schedule = { cron = '*/5 * * * *', tz = 'UTC' } }, { exit_after = 1000 }, 10000)
    net.sup:start 'job'
    net.world:advance(2 * MINUTE)
    assert.same({ 10000, 100000 }, runs_at())
  end)

  it('waits for its dependencies when it is called', function()
    net = network.new({ { 'db', { health = { kind = 'tcp', host = 'h', port = 1, interval = 1000 } } },
      { 'job', { task = true, depends_on = { 'db' }, schedule = { every = 10000 } } } }, { programs = { job = { exit_after = 10 } } })
    net:up(15000)
    assert.same({ {}, { 'a run was missed: waiting for db (ready: connection refused, 10 s)' } }, { runs_at(), { missed()[1] } })
    net.world.tcp['h:1'] = true
    net.world:advance(10000)
    assert.equal(2, #runs_at())
  end)

  it('runs in its own time zone', function()
    net = network.new({ { 'job', { task = true, schedule = { cron = '30 0 * * *' } } } },
      { programs = { job = { exit_after = 10 } }, sup = { environment = { TZ = 'CET-1CEST,M3.5.0,M10.5.0/3' } } })
    net:up(24 * HOUR)
    assert.same({ wall '23:30' - 1700000000000 }, runs_at())
  end)

  it('ends with the network', function()
    up({ schedule = { every = 10000 } }, { exit_after = 10 }, 100)
    net.sup:shutdown 'test'
    net.world:advance(HOUR)
    assert.same({ 1, 'completed' }, { #net:runs 'job', net:status 'job' })
    assert.is_true(net.rests[#net.rests].down)
    assert.is_true(net.world:quiet())
  end)

  it('may be a process that is called while it still runs', function()
    up({ task = false, schedule = { cron = '* * * * *', tz = 'UTC' } }, {}, 5 * MINUTE)
    assert.equal(1, #net:runs 'job')
    assert.same({ 'a run was missed: the last one is still running' }, missed())
  end)

  describe('when the clock jumps (fault 38)', function()
    local HOURLY = { cron = '0 * * * *', tz = 'UTC' }

    it('runs what it missed once, and says how often that was', function()
      up({ schedule = HOURLY }, { exit_after = 10 }, 1000)
      net.world.offset = net.world.offset + 5 * HOUR
      net.world:advance(MINUTE)
      assert.equal(1, #net:runs 'job')
      assert.same({ '5 runs were missed while the clock jumped or the machine slept; one makes up for them' }, missed())
      net.world:advance(HOUR)
      assert.equal(2, #net:runs 'job')
    end)

    it('runs a single missed one late, and says so', function()
      up({ schedule = HOURLY }, { exit_after = 10 }, 1000)
      net.world.offset = net.world.offset + HOUR
      net.world:advance(MINUTE)
      assert.same({ 1, { 'a run was missed while the clock jumped or the machine slept; one makes up for it' } },
        { #net:runs 'job', missed() })
    end)

    it('runs nothing twice when it is set back a little', function()
      up({ schedule = HOURLY }, { exit_after = 10 }, 50 * MINUTE) -- past 23:00
      assert.equal(1, #net:runs 'job')
      net.world.offset = net.world.offset - 30 * MINUTE
      net.world:advance(30 * MINUTE)
      assert.equal(1, #net:runs 'job')
      net.world:advance(HOUR)
      assert.equal(2, #net:runs 'job')
    end)

    it('goes on from there when it is set back by a day', function()
      up({ schedule = HOURLY }, { exit_after = 10 }, 1000)
      net.world.offset = net.world.offset - 24 * HOUR
      net.world:advance(HOUR)
      assert.same({ 1, {} }, { #net:runs 'job', missed() })
    end)

    it('changes nothing for one that runs every so often', function()
      up({ schedule = { every = 10000 } }, { exit_after = 10 }, 15000)
      net.world.offset = net.world.offset + 24 * HOUR
      net.world:advance(10000)
      net.world.offset = net.world.offset - 48 * HOUR
      net.world:advance(10000)
      assert.same({ 0, 10000, 20000, 30000 }, runs_at())
      assert.same({}, missed())
    end)
  end)
end)
