local bus = require 'pact.base.bus'
local disk = require 'pact.sim.disk'
local sim_sys = require 'pact.sim.sys'
local hooks = require 'pact.control.hooks'
local sched = require 'pact.base.sched'
local verdicts = require('pact.control.hooks.verdicts').api

describe('hooks', function()
  local sys, world, loop, events, subject, fs, files, trace

  before_each(function()
    sys, world = sim_sys.new()
    fs, files = disk.new()
    trace = {}
    loop = sched.new(sys)
    events = bus.new { now = sys.time.now, wall = sys.time.wall, try = sys.try, on_error = error }
    subject = hooks.new {
      sched = loop, bus = events, fs = fs, directory = '/net', now = sys.time.now,
      compile = function(path)
        local fn, message = load(fs.read(path), '@' .. path, 't', setmetatable({ trace = trace }, { __index = _G }))
        return fn, message and { message = message, at = { file = path, line = 1 } }
      end,
      place = function(fn) return { file = 'net.lua', line = debug.getinfo(fn, 'S').linedefined } end,
      handle = function(id) return 'handle of ' .. id end,
    }
    events:subscribe(function(event) subject:fire(event) end, { rank = 'hooks' })
  end)

  local function say(word)
    return function(service, event) trace[#trace + 1] = ('%s %s %s'):format(word, service, event.name) end
  end

  it("runs the service's own first, then the others in order of declaration", function()
    subject:add('crashed', say 'first')
    subject:add('crashed', say 'second')
    subject:add('crashed', say 'own', { service = 'web' })
    subject:add('crashed', say 'other', { service = 'db' })
    events:emit { name = 'crashed', service = 'web' }
    world:advance(10)
    assert.same({ 'own handle of web crashed', 'first handle of web crashed', 'second handle of web crashed' }, trace)
  end)

  it('has no service for events of the network', function()
    subject:add('all_ready', say 'x')
    events:emit { name = 'all_ready' }
    world:advance(10)
    assert.same({ 'x nil all_ready' }, trace)
  end)

  it('runs once what shall run once', function()
    subject:add('started', say 'once', { once = true })
    events:emit { name = 'started', service = 'a' }
    events:emit { name = 'started', service = 'b' }
    world:advance(10)
    assert.same({ 'once handle of a started' }, trace)
  end)

  it('leaves out what was taken back', function()
    local declared = { event = 'started', fn = say 'gone', once = false }
    subject:add_declared(declared)
    declared.off = true
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.same({}, trace)
  end)

  it('tells of an error as an event, and nobody else is touched', function()
    local failed
    subject:add('hook_failed', function(_, event) failed = event end)
    subject:add('started', function() error 'oh' end)
    subject:add('started', say 'next')
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.same({ 'next handle of a started' }, trace)
    assert.equal('a', failed.service)
    assert.equal('started', failed.hook)
    assert.equal('oh', failed.message)
    assert.truthy(failed.file:find('init_spec.lua', 1, true))
    assert.truthy(failed.traceback:find('init_spec.lua', 1, true))
  end)

  it('does not run in circles when a hook of hook_failed fails', function()
    local count = 0
    subject:add('hook_failed', function()
      count = count + 1
      error 'again'
    end)
    subject:add('started', function() error 'oh' end)
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.equal(1, count)
  end)

  it('does not wait for one hook before the next', function()
    subject:add('started', function()
      loop:sleep(1000)
      trace[#trace + 1] = 'slow'
    end)
    subject:add('started', say 'quick')
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.same({ 'quick handle of a started' }, trace)
    world:advance(2000)
    assert.equal('slow', trace[2])
  end)

  it('runs a script file, and loads it again when it has changed', function()
    files.files['/net/hooks/x.lua'] = "local service, event = ...; trace[#trace + 1] = 'one ' .. event.name"
    subject:add('started', 'hooks/x.lua')
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    files.files['/net/hooks/x.lua'] = "trace[#trace + 1] = 'another'"
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.same({ 'one started', 'another' }, trace)
  end)

  it('tells when a script file is not there or no Lua', function()
    local failed = {}
    subject:add('hook_failed', function(_, event) failed[#failed + 1] = event.message end)
    subject:add('started', 'nowhere.lua')
    files.files['/net/bad.lua'] = 'this is no'
    subject:add('started', 'bad.lua')
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.equal(2, #failed)
    assert.truthy(failed[1]:find('No such file', 1, true), failed[1])
    assert.truthy(failed[2]:find('syntax error', 1, true), failed[2])
  end)

  it('lets shutdown wait for its hooks, not for others', function()
    local done = false
    subject:add('started', function() loop:sleep(60000) end)
    subject:add('shutdown', function(_, event)
      loop:sleep(500)
      trace[#trace + 1] = 'saved'
      trace[#trace + 1] = event.reason
      trace[#trace + 1] = event.mono == world.now - 500 and math.type(event.at)
    end)
    events:emit { name = 'started', service = 'a' }
    subject:before_stop('Ctrl-C', function() done = true end)
    world:advance(100)
    assert.is_false(done)
    world:advance(1000)
    assert.is_true(done)
    assert.same({ 'saved', 'Ctrl-C', 'integer' }, trace)
  end)

  it('goes on with the shutdown when its hook fails', function()
    local done = false
    subject:add('shutdown', function() error 'no' end)
    subject:before_stop('Ctrl-C', function() done = true end)
    world:advance(10)
    assert.is_true(done)
  end)

  describe('that decide', function()
    local told, replies

    before_each(function()
      told, replies = {}, {}
      events:subscribe(function(event)
        if event.name == 'hook_ended' then
          told[#told + 1] = ('%s %s %s %s'):format(event.hook, event.verdict, event.used, event.overruled or event.ms)
        end
      end)
    end)

    local function hook(event, opts, fn) return subject:add(event, fn, { service = opts.own, at = opts }) end

    -- Emits, and asks as the supervisor does; gives what ends the asking.
    local function ask(name)
      local event = { name = name or 'crashed', service = 'a' }
      events:emit(event)
      local late
      loop:post(function()
        late = subject:verdict('a', event, function(v) replies[#replies + 1] = v and (getmetatable(v) and tostring(v) or v.action) or 'none' end)
        if not late then replies[#replies + 1] = 'nobody' end
      end)
      world:advance(1)
      return late, event
    end

    local function gives(verdict, ms)
      return function()
        if ms then loop:sleep(ms) end
        return verdict
      end
    end
    local again, give_up = verdicts.restart { after = '2s' }, verdicts.fail 'disk full'

    it('have no say when none hears the event', function()
      ask()
      assert.same({ 'nobody' }, replies)
    end)

    it('have a reason of one line', function()
      for said, shown in pairs { ['disk full'] = "fail 'disk full'", ['\nno\n  room\n'] = "fail 'no room'", [' \n'] = 'fail' } do
        assert.equal(shown, tostring(verdicts.fail(said)))
      end
      assert.equal('fail', tostring(verdicts.fail()))
    end)

    it('say nothing when none has a verdict', function()
      hook('crashed', {}, gives(nil, 50))
      hook('crashed', {}, gives(false))
      ask()
      assert.same({}, replies)
      world:advance(100)
      assert.same({ 'none' }, replies)
      assert.same({ 'crashed nil nil 0', 'crashed nil nil 50' }, told)
    end)

    it("the service's own first, then in order; the others' verdicts are told as overruled", function()
      hook('crashed', {}, gives(give_up))
      hook('crashed', { own = 'a' }, gives(again, 300))
      ask()
      assert.same({}, replies)
      world:advance(400)
      assert.same({ 'restart after 2 s' }, replies)
      assert.equal('crashed restart after 2 s true 300', told[1])
      assert.truthy(told[2]:find "^crashed fail 'disk full' false net.lua:%d+ decided$", told[2])
    end)

    it('an answer that nobody waits for any more is told as overruled', function()
      hook('crashed', {}, gives(again, 300))
      local late = ask()
      assert.is_nil(late())
      world:advance(400)
      assert.same({}, replies)
      assert.same({ 'crashed restart after 2 s false nobody waited for it any more' }, told)
    end)

    it('at the timeout, the first that has answered decides', function()
      hook('crashed', {}, gives(again, 60000))
      hook('crashed', {}, gives(give_up))
      local late = ask()
      assert.equal(give_up, late())
      assert.same({ "crashed fail 'disk full' true 0" }, told)
    end)

    it('one that wants to wait is asked again, alone', function()
      local calls, others = 0, 0
      hook('crashed', {}, function()
        calls = calls + 1
        return calls == 1 and verdicts.wait '1s' or again
      end)
      hook('crashed', {}, function() others = others + 1 end)
      local _, event = ask()
      assert.same({ 'wait after 1 s' }, replies)
      subject:verdict('a', event, function(v) replies[#replies + 1] = tostring(v) end)
      world:advance(1)
      assert.same({ 'wait after 1 s', 'restart after 2 s' }, replies)
      assert.same({ 2, 1 }, { calls, others })
    end)

    it('a command to its service is the verdict; what it returns then is nothing', function()
      hook('crashed', {}, function()
        subject:commanded(loop:current(), 'restart', { 'a' })
        loop:sleep(70)
        return true
      end)
      hook('crashed', {}, gives(give_up))
      ask()
      assert.same({ 'ignore' }, replies)
      world:advance(100)
      assert.equal('crashed restart by command true 0', told[1])
      assert.truthy(told[2]:find "^crashed fail 'disk full' false net.lua:%d+ decided$", told[2])
      assert.equal(2, #told)
    end)

    it('one that is ended with the network decides nothing', function()
      local group = loop:group()
      subject.runs.options.group = group
      hook('crashed', {}, gives(again, 60000))
      ask()
      group:cancel()
      world:advance(10)
      assert.same({ {}, { 'crashed nil nil 1' } }, { replies, told })
    end)

    it('a command to another service is none', function()
      hook('crashed', {}, function() subject:commanded(loop:current(), 'stop', { 'b' }) end)
      ask()
      assert.same({ 'none' }, replies)
    end)

    it('a verdict on unhealthy is one on what comes with it', function()
      hook('unhealthy', {}, gives(again))
      hook('health_check_failed', {}, gives(give_up))
      events:emit { name = 'health_check_failed', service = 'a' }
      ask 'unhealthy'
      assert.same({ 'restart after 2 s' }, replies)
      assert.truthy(told[2]:find("^health_check_failed fail 'disk full' false net.lua:%d+ decided$"), told[2])
    end)

    for _, row in ipairs {
      { 'crashed', true, 'returned true, which is no verdict' },
      { 'crashed', 'restart', "returned 'restart', which is no verdict" },
      { 'failed', { action = 'restart' }, 'returned a table, which is no verdict' },
      { 'started', verdicts.ignore(), "gave the verdict 'ignore', but nothing is decided on 'started'" },
    } do
      it(('%s on %s is told with its place, and decides nothing'):format(tostring(row[3]), row[1]), function()
        local failed
        subject:add('hook_failed', function(_, event) failed = event end)
        hook(row[1], {}, gives(row[2]))
        ask(row[1])
        assert.truthy(failed.message:find(row[3], 1, true), failed.message)
        assert.equal('net.lua', failed.file)
        assert.same({ row[1] == 'started' and 'nobody' or 'none' }, replies)
      end)
    end
  end)

  describe('verdicts', function()
    for _, row in ipairs {
      { function() verdicts.restart { afer = 1 } end, "unknown key 'afer' (did you mean 'after'?)" },
      { function() verdicts.restart { after = 'soon' } end, "after must be a duration such as '500ms'" },
      { function() verdicts.restart { count = 1 } end, 'count must be true or false, got 1' },
      { function() verdicts.restart '2s' end, "takes a table such as { after = '2s', count = false }, got '2s'" },
      { function() verdicts.wait() end, "needs a time such as '5s'" },
      { function() verdicts.wait(5) end, "a bare number is milliseconds; write '5s'" },
      { function() verdicts.ignore(1) end, 'takes nothing' },
      { function() verdicts.fail {} end, 'takes the reason as text, got a table' },
      { function() verdicts.retry() end, 'there is no pact.verdict.retry' },
      { function() verdicts.fial() end, "(did you mean 'fail'?)" },
      { function() verdicts.fail = 1 end, 'cannot be set' },
    } do
      it('wrongly made: ' .. row[2], function()
        local ok, message = pcall(row[1])
        assert.is_false(ok)
        assert.truthy(message:find(row[2], 1, true), message)
        assert.truthy(message:find('init_spec.lua:' .. debug.getinfo(row[1], 'S').linedefined .. ':', 1, true), message)
      end)
    end
  end)
end)
