local network = require 'network'

local KILL, TERM, CONT = 9, 15, 18

local function set(...)
  local out = {}
  for _, name in ipairs { ... } do out[name] = true end
  return out
end

local function policy(changes)
  return { restart = changes }
end

describe('a life', function()
  local net
  after_each(function()
    assert.same({}, net.errors)
  end)

  local function starts(name)
    local times = {}
    for i, proc in ipairs(net:runs(name)) do times[i] = proc.started_at - 1000 end
    return times
  end

  it('restarts after a crash with growing delays, then gives up', function()
    net = network.new({ { 'a' } }, { programs = { a = { exit_after = 100, code = 1 } } })
    net:up(60000)
    assert.same({ 0, 1100, 3200, 7300 }, starts 'a')
    local snapshot = net.sup:snapshot 'a'
    assert.same({ 'failed', 3, 3, 'exit code 1; gave up after 3 restarts', 4 },
      { snapshot.status, snapshot.attempt, snapshot.restart_count, snapshot.reason, #snapshot.history })
    assert.same({ 3 }, { net.rests[1].status })
    assert.same({ 'a' }, net.rests[1].failed)
  end)

  it('shows the next start while it waits for it', function()
    net = network.new({ { 'a' } }, { programs = { a = { exit_after = 100, code = 1 } } })
    net:up(400)
    local snapshot = net.sup:snapshot 'a'
    assert.same({ 'backoff', 'exit code 1', 700 }, { snapshot.status, snapshot.reason, snapshot.next_start_in })
  end)

  it('restarts at once after a run of ten seconds', function()
    net = network.new({ { 'a' } }, { programs = { a = { exit_after = 10000, code = 1 } } })
    net:up(25000)
    assert.same({ 0, 10000, 20000 }, starts 'a')
  end)

  it('forgets old restarts after reset_after of uptime', function()
    net = network.new({ { 'a' } }, { programs = { a = function(_, nth)
      return { exit_after = nth == 2 and 61000 or 100, code = 1 }
    end } })
    net:up(61000)
    assert.equal(1, net.sup:snapshot('a').attempt)
    net.world:advance(500)
    assert.equal(0, net.sup:snapshot('a').restart_count)
  end)

  -- policy, program → status, number of runs in a minute
  local rows = {
    { { policy = 'no' }, { exit_after = 10, code = 1 }, 'failed', 1 },
    { { policy = 'no' }, { exit_after = 10 }, 'completed', 1 },
    { { policy = 'on-failure' }, { exit_after = 10 }, 'completed', 1 },
    { { policy = 'always', max_retries = 2 }, { exit_after = 10 }, 'failed', 3 },
    { { max_retries = 0 }, { exit_after = 10, code = 1 }, 'failed', 1 },
    { {}, { exit_after = 10, signal = 11 }, 'failed', 4 },
    { {}, { fail = 'ENOENT' }, 'failed', 0 },
    { {}, { fail = 'EACCES' }, 'failed', 0 },
    { {}, { fail = 'ENOEXEC' }, 'failed', 0 },
    { {}, { fail = 'ENOTDIR', step = 'cwd' }, 'failed', 0 },
  }
  for i, row in ipairs(rows) do
    it(('ends %s after %d runs (%d)'):format(row[3], row[4], i), function()
      net = network.new({ { 'a', policy(row[1]) } }, { programs = { a = row[2] } })
      net:up(60000)
      assert.same({ row[3], row[4] }, { net:status 'a', #net:runs 'a' })
    end)
  end

  it('tries again, uncounted, what the machine refuses for want of something', function()
    net = network.new({ { 'a' } }, { programs = { a = function(_, nth) return nth <= 6 and { fail = 'EAGAIN' } or {} end } })
    net:up(100000)
    local snapshot = net.sup:snapshot 'a'
    assert.same({ 'running', 0, 0 }, { snapshot.status, snapshot.attempt, snapshot.restart_count })
  end)

  it('takes other exit codes for success where told', function()
    net = network.new({ { 'a', { success_exit = { 0, 75 } } } }, { programs = { a = { exit_after = 10, code = 75 } } })
    net:up(1000)
    assert.equal('completed', net:status 'a')
  end)

  it('never takes a commanded stop or restart for a crash', function()
    net = network.new({ { 'a' } }, { programs = { a = { on_signal = { [TERM] = 1 } } } })
    net:up(10)
    net.sup:restart 'a'
    net.world:advance(10)
    net.sup:stop 'a'
    net.world:advance(10)
    assert.is_nil(net:last 'crashed')
    assert.same({ true, true }, { net.sup:snapshot('a').history[1].requested, net.sup:snapshot('a').history[2].requested })
  end)

  it('signals the group once, continues it, and kills after the grace', function()
    net = network.new({ { 'a', { stop = { timeout = 3000 } } } }, { programs = { a = { ignore = { [TERM] = true } } } })
    net:up(10)
    net.sup:stop 'a'
    net.world:advance(2999)
    assert.equal('stopping', net:status 'a')
    net.world:advance(10)
    assert.equal('stopped', net:status 'a')
    assert.same({ TERM, CONT, KILL }, net:runs('a')[1].signals)
  end)

  it('waits with a restart until what was left is swept', function()
    net = network.new({ { 'a', policy { delay = 0 } } },
      { programs = { a = { exit_after = 100, code = 1, leaves = 2, leaves_for = 300 } } })
    net:up(1000)
    assert.same({ 0, 400, 800 }, starts 'a')
  end)

  it('stops by its own command, and by signal when that can not be run', function()
    net = network.new({ { 'a', { stop = { command = { 'ctl', 'stop' }, timeout = 1000 } } },
      { 'b', { stop = { command = { 'nowhere' } } } } }, { programs = { ctl = { exit_after = 10 } } })
    net:up(10)
    net.sup:stop 'a'
    net.sup:stop 'b'
    net.world:advance(500)
    assert.same({ 'stopping', 'stopped' }, { net:status 'a', net:status 'b' })
    local ctl = net:runs('ctl')[1]
    assert.equal('PACTLUA_PID=' .. net:runs('a')[1].pid, ctl.spec.env[#ctl.spec.env])
    net.world:advance(600)
    assert.equal('stopped', net:status 'a')
    assert.same({ KILL }, net:runs('a')[1].signals)
  end)

  it('does the newest command only', function()
    net = network.new({ { 'a' } }, { programs = { a = { stop_takes = 200 } } })
    net:up(10)
    for _ = 1, 5 do
      net.sup:restart 'a'
      net.sup:stop 'a'
      net.sup:start 'a'
    end
    net.world:advance(1000)
    assert.same({ 'running', 2 }, { net:status 'a', #net:runs 'a' })
    net.sup:restart 'a'
    net.sup:stop 'a'
    net.world:advance(1000)
    assert.same({ 'stopped', 2 }, { net:status 'a', #net:runs 'a' })
  end)

  it('ends what is not ready in time, as a crash with the last probe', function()
    net = network.new { { 'a', { timeout = 5000, restart = { max_retries = 0 }, health = { kind = 'tcp', host = 'h', port = 1 } } } }
    net:up(6000)
    assert.same({ 'failed', 'not ready after 5s: connection refused' },
      { net:status 'a', net.sup:snapshot('a').reason })
    assert.equal('not ready after 5s: connection refused', net:last('crashed').reason)
  end)

  it('ends what runs longer than max_runtime', function()
    net = network.new { { 'a', { max_runtime = 3000, restart = { max_retries = 0 } } } }
    net:up(3100)
    assert.equal('ran longer than 3 s', net.sup:snapshot('a').reason)
  end)

  it('asks the policy function, with the exits so far', function()
    local seen = {}
    local function decide(exit, history)
      seen[#seen + 1] = { exit.code, #history, exit.uptime }
      return #history < 3 and 250 or nil
    end
    net = network.new({ { 'a', policy { policy = 'function', decide = decide } } }, { programs = { a = { exit_after = 100, code = 7 } } })
    net:up(5000)
    assert.same({ { 7, 1, 100 }, { 7, 2, 100 }, { 7, 3, 100 } }, seen)
    assert.same({ 0, 350, 700 }, starts 'a')
    assert.same({ 'failed', 'exit code 7' }, { net:status 'a', net.sup:snapshot('a').reason })
  end)

  describe('of which a policy function decides', function()
    for _, row in ipairs {
      { 'raises', function() error 'oops' end, 'oops' },
      { 'gives what is no delay', function() return 'soon' end, "gave 'soon': expected a delay such as '2s'" },
      { 'gives too small a number', function() return 5 end, 'a bare number is milliseconds' },
    } do
      it(('that %s is told, and the usual policy decides'):format(row[1]), function()
        net = network.new({ { 'a', policy { policy = 'function', decide = row[2] } } },
          { programs = { a = { exit_after = 100, code = 7 } } })
        net:up(10000)
        assert.same({ 0, 1100, 3200, 7300 }, starts 'a')
        assert.equal('failed', net:status 'a')
        local told = net:last 'hook_failed'
        assert.truthy(told.message:find(row[3], 1, true), told.message)
        assert.equal(row[1] == 'raises' and 1 or nil, told.traceback and told.traceback:find 'stack traceback')
      end)
    end

    it('may wait, but no longer than hooks', function()
      local calls = 0
      net = network.new({ { 'a', policy { policy = 'function', decide = function()
        calls = calls + 1
        net.loop:sleep(calls == 1 and 500 or 60000)
        return '1s'
      end } } }, { programs = { a = { exit_after = 100, code = 7 } } })
      net:up(13800)
      assert.same({ 0, 1600, 13700 }, starts 'a')
      assert.truthy(net:last('hook_failed').message:find('no answer in time', 1, true))
    end)

    it('can spoil nothing of what it gets', function()
      net = network.new({ { 'a', policy { policy = 'function', decide = function(exit, history)
        exit.code, history[1] = 99, nil
        return 100
      end } } }, { programs = { a = { exit_after = 100, code = 7 } } })
      net:up(150)
      assert.same({ 1, 7 }, { #net.sup:snapshot('a').history, net.sup:snapshot('a').history[1].code })
    end)

    it('is asked when hooks have not answered in time', function()
      net = network.new({ { 'a', policy { policy = 'function', decide = function() return 100 end } } },
        { programs = { a = { exit_after = 100, code = 7 } }, sup = { verdict = function() return function() end end } })
      net:up(10250)
      assert.same({ 0, 10200 }, starts 'a')
    end)
  end)

  describe('with hooks', function()
    local asked, answer
    local function build(list, opts)
      asked, answer = {}, nil
      opts = opts or {}
      opts.sup = {
        verdict = function(id, event, reply)
          asked[#asked + 1] = id .. ' ' .. event.name
          return answer and answer(reply, event) and function() end or false
        end,
      }
      net = network.new(list, opts)
    end
    local crash = { programs = { a = { exit_after = 100, code = 75 } } }

    it('asks them on a crash; no verdict leaves it to the policy', function()
      build({ { 'a', policy { max_retries = 1 } } }, crash)
      net:up(5000)
      assert.same({ 'a crashed', 'a crashed', 'a failed' }, asked)
      assert.same({ 0, 1100 }, starts 'a')
    end)

    it('does what the verdict says', function()
      build({ { 'a' } }, crash)
      answer = function(reply, event)
        reply(event.exit_code == 75 and { action = 'restart', after = 2000, count = false } or nil)
        return true
      end
      net:up(10000)
      assert.same({ 0, 2100, 4200, 6300, 8400 }, starts 'a')
      assert.equal(0, net.sup:snapshot('a').attempt)
    end)

    it('counts restarts by verdict against max_retries', function()
      build({ { 'a' } }, crash)
      answer = function(reply, event)
        if event.name ~= 'crashed' then return false end
        reply { action = 'restart', after = 0 }
        return true
      end
      net:up(10000)
      assert.same({ 'failed', 4 }, { net:status 'a', #net:runs 'a' })
    end)

    it('fails with the verdict\'s words, or stops when told to ignore', function()
      build({ { 'a' }, { 'b' } }, { programs = { a = { exit_after = 10, code = 1 }, b = { exit_after = 10, code = 1 } } })
      answer = function(reply, event)
        reply(event.service == 'a' and { action = 'fail', reason = 'disk full' } or { action = 'ignore' })
        return true
      end
      net:up(100)
      assert.same({ a = 'failed', b = 'stopped' }, net:all())
      assert.equal('disk full', net.sup:snapshot('a').reason)
    end)

    it('waits for the answer, ten seconds at most, and shows it', function()
      build({ { 'a' } }, crash)
      answer = function() return true end
      net:up(5000)
      assert.same({ 'backoff', 'crashed' }, { net:status 'a', net.sup:why('a').asked })
      assert.equal('exit code 75, waiting for hooks', net.sup:snapshot('a').reason)
      net.world:advance(6200)
      assert.same({ 0, 11100 }, starts 'a')
    end)

    it('takes at the timeout what there is', function()
      net = network.new({ { 'a' } }, { programs = crash.programs, plan = { hook_timeout = 2000 }, sup = {
        verdict = function() return function() return { action = 'fail', reason = 'late words' } end end,
      } })
      net:up(2050)
      assert.equal('backoff', net:status 'a')
      net.world:advance(100)
      assert.same({ 'failed', 'late words' }, { net:status 'a', net.sup:snapshot('a').reason })
    end)

    it('asks again after wait', function()
      build({ { 'a' } }, crash)
      answer = function(reply)
        reply(#asked < 3 and { action = 'wait', after = 500 } or { action = 'fail', reason = 'enough' })
        return true
      end
      net:up(1099)
      assert.equal('backoff', net:status 'a')
      net.world:advance(10)
      assert.same({ 'failed', 'enough' }, { net:status 'a', net.sup:snapshot('a').reason })
    end)

    it('keeps to a wait for further failures of the same sickness', function()
      build({ { 'web', { health = { kind = 'http', url = 'http://x/health', interval = 2000, retries = 1 } } } })
      local status = 200
      net.world.http['http://x/health'] = function() return { status = status, body = '' } end
      answer = function(reply)
        reply(#asked == 1 and { action = 'wait', after = 9000 } or { action = 'fail', reason = 'still sick' })
        return true
      end
      net:up(500)
      status = 503
      net.world:advance(8000)
      assert.same({ 'running', 1 }, { net:status 'web', #asked })
      net.world:advance(6000)
      assert.same({ 'failed', 'still sick' }, { net:status 'web', net.sup:snapshot('web').reason })
    end)

    it('takes a command of the hook for its verdict', function()
      build({ { 'a' } }, crash)
      answer = function()
        net.sup:restart('a', { by = 'hook' })
        return true
      end
      net:up(150)
      assert.same({ 0, 100 }, starts 'a')
      assert.equal(1, net.sup:snapshot('a').attempt)
    end)
  end)

  describe('with a deadline of a single short interval', function()
    local function web(answer)
      net = network.new { { 'web', { health = {
        kind = 'http', url = 'http://x/health', interval = 100, retries = 1, timeout = 5000, start_period = 0,
      } } } }
      net.world.http['http://x/health'] = function() return answer end
      net:up(99)
      assert.equal('unknown', net.sup:snapshot('web').health)
    end

    it('is not judged before it was asked', function()
      web { status = 200, body = '' }
      net.world:advance(20)
      assert.same({ 'running', 'healthy' }, { net:status 'web', net.sup:snapshot('web').health })
      assert.is_nil(net:last 'unhealthy')
    end)

    it('is judged by its first answer', function()
      web { status = 503, body = '' }
      net.world:advance(150)
      assert.equal('no success in 100ms: http 503', net:last('unhealthy').reason)
    end)

    it('is judged an interval after it was asked when no answer comes', function()
      web { status = 200, body = '', delay = 60000 }
      net.world:advance(90)
      assert.is_nil(net:last 'unhealthy')
      net.world:advance(20)
      assert.equal('no success in 100ms: no answer yet', net:last('unhealthy').reason)
    end)
  end)

  describe('under probes', function()
    local status
    local function web(fields)
      fields.health = { kind = 'http', url = 'http://x/health', interval = 10000 }
      return fields
    end
    local function build(fields, opts)
      status = 200
      net = network.new({ { 'web', web(fields or {}) } }, opts)
      net.world.http['http://x/health'] = function() return { status = status, body = 'ok' } end
    end

    it('goes up and down with them, and leaves the service alone', function()
      build()
      net:up(500)
      status = 503
      net.world:advance(15000)
      assert.same({ 'running', 'unhealthy' }, { net:status 'web', net.sup:snapshot('web').health })
      assert.equal('http 503 three times', net:last('unhealthy').reason)
      status = 200
      net.world:advance(5000)
      assert.same({ 'web healthy', 'web unhealthy', 'web health_check_failed', 'web healthy' },
        net:told(set('healthy', 'unhealthy', 'health_check_failed')))
      assert.equal(1, #net:runs 'web')
    end)

    it('restarts by on_unhealthy as after a crash', function()
      build { on_unhealthy = 'restart' }
      net:up(500)
      status = 503
      net.world:advance(16000)
      status = 200
      net.world:advance(3000)
      assert.same({ 'running', 'healthy', 1 }, { net:status 'web', net.sup:snapshot('web').health, net.sup:snapshot('web').attempt })
      assert.equal('unhealthy: http 503 three times', net:last('crashed').reason)
    end)

    it('asks a function given as on_unhealthy', function()
      local got
      build { on_unhealthy = function(service, event)
        got = { service.id, event.name, event.reason }
        return { action = 'fail', reason = 'no use' }
      end }
      net:up(500)
      status = 503
      net.world:advance(20000)
      assert.same({ 'web', 'health_check_failed', 'http 503 three times' }, got)
      assert.same({ 'failed', 'no use' }, { net:status 'web', net.sup:snapshot('web').reason })
    end)

    it('drops what comes from an earlier epoch', function()
      build()
      net.world.http['http://x/health'] = function(_, now)
        return { status = 200, delay = now < 2000 and 4000 or 1 }
      end
      net:up(200)
      net.sup:restart 'web'
      net.world:advance(50)
      assert.same({ 'starting', 'unknown', 2 }, { net:status 'web', net.sup:snapshot('web').health, net.sup:snapshot('web').epoch })
    end)

    it('lets a check of its own decide readiness', function()
      build { ready = { kind = 'log', pattern = 'ready to go' } }
      net.world.programs.web = { output = { { 2000, 'now ready to go' } } }
      net:up(1000)
      assert.same({ 'starting', 'healthy' }, { net:status 'web', net.sup:snapshot('web').health })
      net.world:advance(1500)
      assert.same({ 'running', "logged 'now ready to go'" }, { net:status 'web', net.sup:snapshot('web').reason })
    end)

    it('never lets probes overlap', function()
      build()
      local now, most = 0, 0
      net.world.http['http://x/health'] = function()
        now = now + 1
        most = math.max(most, now)
        net.world:at(4000, function() now = now - 1 end)
        return { status = 200, delay = 4000 }
      end
      net:up(60000)
      assert.equal(1, most)
    end)
  end)

  it('probes an external service at once, and has nothing to stop', function()
    net = network.new({ { 'ldap', { kind = 'external', health = { kind = 'tcp', host = 'ldap.test', port = 389 } } },
      { 'web', { depends_on = { 'ldap' } } } })
    net:up(500)
    assert.same({ ldap = 'starting', web = 'waiting' }, net:all())
    net.world.tcp['ldap.test:389'] = true
    net.world:advance(2000)
    assert.same({ ldap = 'running', web = 'running' }, net:all())
    assert.same({}, net.rests)
    net.sup:shutdown 'test'
    net.world:advance(100)
    assert.is_true(net.rests[1].down)
  end)

  it('keeps the last twenty ends', function()
    net = network.new({ { 'a', { restart = { policy = 'always', delay = 0 } } } }, { programs = { a = { exit_after = 100, code = 1 } } })
    net.plan.services.a.restart.max_retries = nil
    net:up(10000)
    assert.equal(20, #net.sup:snapshot('a').history)
  end)
end)
