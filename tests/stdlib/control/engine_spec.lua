local fake_engine = require 'fake_engine'

local PROGRAMS = {
  server = {}, quick = { exit_after = 100 }, bad = { exit_after = 100, code = 7 },
}

local function up(recipe, ...)
  return fake_engine.start(recipe, { programs = PROGRAMS, words = { ... } })
end

describe('an engine', function()
  it('starts what a recipe declares, tells the front, and ends at rest', function()
    local engine = up [[
      pact.task 'a' { command = { 'quick' } }
      pact.task 'b' { command = { 'quick' }, depends_on = { 'a' } }
    ]]
    engine.world:advance(1000)
    local hello = engine.messages 'hello'[1]
    assert.equal('net-net', hello.project)
    assert.same({ 'a', 'b' }, { hello.services[1].id, hello.services[2].id })
    assert.same({ 'a:started', 'a:ready', 'a:completed', 'b:started', 'b:ready', 'b:completed' },
      { table.unpack(engine.names(), 1, 6) })
    local last = engine.last()
    assert.equal('end', last.type)
    assert.equal(0, last.status)
    assert.equal(0, engine.world.stopped)
    assert.is_true(engine.server.closed)
  end)

  it('ends with 3 when something wanted has failed', function()
    local engine = up [[ pact.task 'a' { command = { 'bad' } } ]]
    engine.world:advance(1000)
    assert.equal(3, engine.last().status)
    assert.equal(3, engine.world.stopped)
    assert.equal('failed', engine.last().services[1].status)
  end)

  it('stays while a service lives', function()
    local engine = up [[ pact.process 'a' { command = { 'server' } } ]]
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    assert.equal(1, #engine.messages 'ready')
  end)

  it('refuses a recipe with problems, and starts nothing', function()
    local engine = up [[ pact.process 'a' { comand = { 'server' } } ]]
    engine.world:advance(10)
    local refused = engine.messages 'refused'[1]
    assert.equal(2, refused.status)
    assert.truthy(refused.text:find("net.lua:2: process 'a': unknown key 'comand' (did you mean 'command'?)", 1, true))
    assert.equal(2, engine.world.stopped)
    assert.is_nil(engine.world.counts.server)
  end)

  it('tells an error of the recipe with its place', function()
    local engine = up [[ local x = nil; x.y = 1 ]]
    engine.world:advance(10)
    local text = engine.messages 'refused'[1].text
    assert.truthy(text:find("^net.lua:2: attempt to index a nil value %(local 'x'%)\nstack traceback:"), text)
    assert.falsy(text:find('stdlib', 1, true), text)
  end)

  it('refuses a second instance', function()
    local engine = fake_engine.start([[ pact.process 'a' { command = { 'server' } } ]], {
      programs = PROGRAMS,
      early = function(engine) engine.files.locked['/net/.pactlua/net-net/lock'] = '99\n' end,
    })
    engine.world:advance(10)
    local refused = engine.messages 'refused'[1]
    assert.equal(1, refused.status)
    assert.truthy(refused.text:find('pid 99', 1, true))
  end)

  it('writes every event to the journal', function()
    local engine = up [[ pact.task 'a' { command = { 'quick' } } ]]
    engine.world:advance(1000)
    local path
    for name in pairs(engine.files.files) do path = name:find 'events.jsonl$' and name or path end
    local _, count = engine.files.files[path]:gsub('\n', '')
    assert.equal(#engine.messages 'event', count)
    assert.truthy(engine.files.files[path]:find('"name":"completed"', 1, true))
  end)

  it('shuts down when its front is gone', function()
    local engine = up [[ pact.process 'a' { command = { 'server' } } ]]
    engine.world:advance(100)
    engine.world:at(0, function() engine.world:event(engine.server.front, 'gone') end)
    engine.world:advance(1000)
    assert.is_not_nil(engine.world.stopped)
  end)

  it('shuts down at the first failure with --abort-on-failure', function()
    local engine = up([[
      pact.process 'a' { command = { 'server' } }
      pact.task 'b' { command = { 'bad' } }
    ]], '--abort-on-failure')
    engine.world:advance(1000)
    assert.equal(3, engine.world.stopped)
  end)

  it('gives up after --timeout when not ready', function()
    local engine = up([[ pact.process 'a' { command = { 'server' }, health = { tcp = 'localhost:1' } } ]],
      '--timeout', '5s')
    engine.world:advance(4900)
    assert.is_nil(engine.world.stopped)
    engine.world:advance(1000)
    assert.equal(3, engine.world.stopped)
    assert.equal('not ready after 5 s: a', engine.last().reason)
  end)

  it('is not bothered by --timeout once it was ready', function()
    local engine = up([[ pact.process 'a' { command = { 'server' } } ]], '--timeout', '5s')
    engine.world:advance(10000)
    assert.is_nil(engine.world.stopped)
  end)

  it('starts what is chosen', function()
    local engine = up([[
      pact.process 'a' { command = { 'server' } }
      pact.process 'b' { command = { 'server' } }
    ]], '--only', 'b')
    engine.world:advance(100)
    assert.same({ 'b:started', 'b:ready', 'b:running', 'all_ready' }, engine.names())
  end)

  it('refuses ids that are none', function()
    local engine = up([[ pact.process 'database' { command = { 'server' } } ]], 'databse')
    engine.world:advance(100)
    assert.equal(2, engine.world.stopped)
    assert.truthy(engine.messages 'refused'[1].text:find("did you mean 'database'", 1, true))
  end)

  it('waits for the session of a front that is slow', function()
    local engine = fake_engine.start([[ error 'no' ]], { programs = PROGRAMS, no_session = true })
    engine.world:advance(1000)
    assert.is_nil(engine.world.stopped)
    engine.open_session()
    engine.world:advance(1)
    assert.equal('refused', engine.last().type)
    assert.equal(2, engine.world.stopped)
  end)

  it('does not wait for ever for a front', function()
    local engine = fake_engine.start([[ error 'no' ]], { programs = PROGRAMS, no_session = true })
    engine.world:advance(10000)
    assert.equal(2, engine.world.stopped)
  end)
end)

describe('a recipe', function()
  it('acts while it runs: what was declared is started first', function()
    local engine = up [[
      local a = pact.process 'a' { command = { 'server' } }
      pact.stop(a)
      print(a.status)
      a:start()
      print(a.status)
      pact.shutdown(5)
    ]]
    engine.world:advance(20000)
    assert.equal('stopped\nrunning\n', engine.said())
    assert.equal(5, engine.world.stopped)
  end)

  it('starts services at run time', function()
    local engine = up [[
      local b = pact.start { id = 'b', command = { 'server' } }
      local c, why, code = pact.start { id = 'c', command = { 'nowhere' } }
      print(b.status, c, code)
      local d = pact.start { id = 'd', command = { 'server' }, depends_on = { 'b' }, wait = false }
      print(d, d.status == 'running')
    ]]
    engine.world:advance(5000)
    assert.equal('running\tnil\tfailed\nd\tfalse\n', engine.said())
    assert.is_nil(engine.world.stopped)
  end)

  it('is told where a declaration at run time is wrong', function()
    local engine = up [[
      pact.start { id = 'b', command = { 'server' } }
      print(pcall(pact.start, { id = 'c', comand = { 'server' } }))
    ]]
    engine.world:advance(1000)
    assert.truthy(engine.said():find("unknown key 'comand'", 1, true), engine.said())
  end)

  it('may only act, without a service', function()
    local engine = up [[ pact.sleep '2s'; print 'slept' pact.shutdown() ]]
    engine.world:advance(1900)
    assert.equal('', engine.said())
    engine.world:advance(200)
    assert.equal('slept\n', engine.said())
    assert.equal(0, engine.world.stopped)
  end)

  it('runs programs and gets what they say', function()
    local engine = fake_engine.start([[
      local result = pact.exec { 'tool', 'x' }
      print(result.status, result.stdout)
      print(pact.exec { 'nowhere' }.status, pact.exec { shell = 'tool' }.status)
      pact.task 'a' { command = { 'quick' } }
    ]], { programs = { tool = { exit_after = 10, code = 3, stdout = 'said' }, quick = PROGRAMS.quick } })
    engine.world:advance(5000)
    assert.equal('3\tsaid\n127\t3\n', engine.said())
    assert.equal(0, engine.world.stopped)
  end)

  it('has hooks that act', function()
    local engine = fake_engine.start([[
      pact.process 'a' { command = { 'flaky' }, restart = 'no' }
      pact.once('failed', function(service, event)
        print(service .. ' ' .. event.exit_code)
        service:start()
      end)
    ]], { programs = { flaky = function(_, n) return n == 1 and { exit_after = 50, code = 4 } or {} end } })
    engine.world:advance(5000)
    assert.equal('a 4\n', engine.said())
    assert.equal(1, #engine.messages 'ready')
    local _, shown = engine.ask('GET', '/v1/services/a')
    assert.equal('running', shown.status)
  end)

  it('has events of its own', function()
    local engine = up [[
      pact.process 'a' { command = { 'server' } }
      pact.on('chain:block', function(_, event) print(event.height) end)
      pact.on('all_ready', function() pact.emit('chain:block', { height = 7 }) end)
    ]]
    engine.world:advance(100)
    assert.equal('7\n', engine.said())
  end)

  it('has timers, which count as living', function()
    local engine = up [[
      local count = 0
      local timer
      timer = pact.every('1s', function()
        count = count + 1
        print(count)
        if count == 3 then timer:off() end
      end)
    ]]
    engine.world:advance(2500)
    assert.equal('1\n2\n', engine.said())
    assert.is_nil(engine.world.stopped)
    engine.world:advance(1000)
    assert.equal(0, engine.world.stopped)
  end)

  it('tells of a timer that fails, and goes on', function()
    local engine = up [[
      pact.process 'a' { command = { 'server' } }
      pact.every('1s', function() error 'oh' end)
    ]]
    engine.world:advance(2500)
    local count = 0
    for _, name in ipairs(engine.names()) do count = count + (name == 'hook_failed' and 1 or 0) end
    assert.equal(2, count)
  end)

  it('ends its network when it raises late', function()
    local engine = up [[
      pact.start { id = 'b', command = { 'server' } }
      error 'late'
    ]]
    engine.world:advance(2000)
    assert.equal(1, engine.world.stopped)
    assert.truthy(engine.said():find('net.lua:3: late', 1, true), engine.said())
  end)

  it('lives while its body goes on', function()
    local engine = up [[
      pact.start { id = 'b', command = { 'quick' }, restart = 'no', wait = false }
      pact.sleep '10s'
      print 'done'
    ]]
    engine.world:advance(9000)
    assert.is_nil(engine.world.stopped)
    engine.world:advance(2000)
    assert.equal('done\n', engine.said())
    assert.equal(0, engine.world.stopped)
  end)

  it('logs into the file of its run', function()
    local engine = up [[
      pact.log.info('early', 'before the plan')
      pact.task 'a' { command = { 'quick' } }
      pact.on('completed', function() pact.log.warn('late', 'behind it', { n = 1 }) end)
    ]]
    engine.world:advance(1000)
    local text
    for name, bytes in pairs(engine.files.files) do text = name:find 'pactlua.log$' and bytes or text end
    assert.truthy(text:find('before the plan', 1, true))
    assert.truthy(text:find('behind it\n  Data: { n = 1 }', 1, true))
  end)
end)

describe('the control protocol', function()
  local engine
  before_each(function()
    engine = up [[
      pact.project 'shop'
      pact.process 'web' { command = { 'server' }, ports = { 3000 } }
      pact.process 'db' { command = { 'server' } }
      pact.command('seed', { help = 'fill it' }, function(args) return 'seeded ' .. (args[1] or 'all') end)
      pact.command('wrong', function() error 'no seeds' end)
      pact.command('sized', { args = { 'small', 'large' } }, function() end)
      pact.command('asked', { args = function(args) pact.sleep '0s' return { 'after', args[1] } end }, function() end)
      pact.command('odd', { args = function() error 'no words' end }, function() end)
    ]]
    engine.world:advance(100)
  end)

  it('is served where it belongs', function()
    assert.same({ '/net/.pactlua/shop/control.sock' }, engine.server.listening)
  end)

  it('tells the state of the network', function()
    local status, body = engine.ask('GET', '/v1/status')
    assert.equal(200, status)
    assert.equal('shop', body.project)
    assert.equal(2, body.services.running)
    assert.is_true(body.ready)
  end)

  it('lists services and shows one', function()
    local status, body = engine.ask('GET', '/v1/services?figures=0')
    assert.equal(200, status)
    assert.same({ 'web', 'db' }, { body.services[1].id, body.services[2].id })
    status, body = engine.ask('GET', '/v1/services/webb')
    assert.equal(404, status)
    assert.equal("no service 'webb' (did you mean 'web'?)", body.error)
  end)

  it('stops and starts services', function()
    local id = engine.server.ask('POST', '/v1/services/web/stop', {})
    engine.world:advance(1000)
    assert.equal(200, (engine.server.answer(id)))
    local _, body = engine.ask('GET', '/v1/services?figures=0')
    assert.equal('stopped', body.services[1].status)
    id = engine.server.ask('POST', '/v1/services/web/start', {})
    engine.world:advance(1000)
    assert.equal(200, (engine.server.answer(id)))
    _, body = engine.ask('GET', '/v1/services?figures=0')
    assert.equal('running', body.services[1].status)
    assert.equal(2, body.services[1].epoch)
  end)

  it('replays events and follows them', function()
    local id = engine.server.ask('GET', '/v1/events?since=0&follow=1')
    engine.world:advance(1)
    local before = #engine.server.lines(id)
    assert.equal(1, engine.server.lines(id)[1].seq)
    engine.ask('POST', '/v1/services/web/restart', { wait = false })
    engine.world:advance(2000)
    local lines = engine.server.lines(id)
    assert.is_true(#lines > before)
    for i, line in ipairs(lines) do assert.equal(i, line.seq) end
  end)

  it('lets a slow client catch up from the journal, in order', function()
    local id = engine.server.ask('GET', '/v1/events?since=0&follow=1')
    engine.world:advance(1)
    engine.server.queued = 1 << 20
    engine.ask('POST', '/v1/services/web/restart', { wait = false })
    engine.world:advance(2000)
    local stalled = #engine.server.lines(id)
    engine.server.queued = 0
    engine.world:event(id, 'drain')
    engine.world:advance(1)
    local lines = engine.server.lines(id)
    assert.is_true(#lines > stalled)
    for i, line in ipairs(lines) do assert.equal(i, line.seq) end
  end)

  it("runs the recipe's commands", function()
    local status, body = engine.ask('POST', '/v1/commands/seed', { args = { 'users' } })
    assert.equal(200, status)
    assert.equal('seeded users', body.result)
    status, body = engine.ask('POST', '/v1/commands/sed', {})
    assert.equal(404, status)
    assert.equal("no command 'sed' (did you mean 'seed'?)", body.error)
    status, body = engine.ask('POST', '/v1/commands/wrong', {})
    assert.equal(409, status)
    assert.truthy(body.error:find('no seeds', 1, true))
  end)

  it('tells what may stand behind them', function()
    local rows = {
      { 'sized', {}, 200, { 'small', 'large' } }, { 'asked', { 'x' }, 200, { 'after', 'x' } }, { 'seed', {}, 200, {} },
      { 'odd', {}, 409, 'no words' }, { 'sed', {}, 404, "no command 'sed' (did you mean 'seed'?)" },
    }
    for _, row in ipairs(rows) do
      local status, body = engine.ask('POST', ('/v1/commands/%s/arguments'):format(row[1]), { args = row[2] })
      assert.equal(row[3], status, row[1])
      if status == 200 then
        assert.same(row[4], body.candidates, row[1])
      else
        assert.truthy(body.error:find(row[4], 1, true), body.error)
      end
    end
  end)

  it('waits for services', function()
    assert.equal(200, (engine.ask('POST', '/v1/wait', {})))
    local id = engine.server.ask('POST', '/v1/wait', { ids = { 'web' }, ['for'] = 'stopped', timeout = 500 })
    engine.world:advance(1000)
    assert.equal(408, (engine.server.answer(id)))
  end)

  for _, bad in ipairs {
    { 'GET', '/v1/nothing', nil, 404 }, { 'GET', '/v1/shutdown', nil, 405 }, { 'POST', '/v1/services/web/signal', { signal = 'NOPE' }, 400 },
    { 'GET', '/v1/session', nil, 409 },
  } do
    it(('refuses %s %s'):format(bad[1], bad[2]), function()
      local status, body = engine.ask(bad[1], bad[2], bad[3])
      assert.equal(bad[4], status)
      assert.is_string(body.error)
    end)
  end

  it('refuses a body that is no JSON', function()
    local id = engine.world:id()
    engine.server.deliver(id, { method = 'POST', path = '/v1/shutdown', query = {}, headers = {}, body = '{oh', front = false })
    engine.world:advance(1)
    assert.equal(400, (engine.server.answer(id)))
    assert.is_nil(engine.world.stopped)
  end)

  it('shuts the network down', function()
    assert.equal(200, (engine.ask('POST', '/v1/shutdown', { reason = 'enough' })))
    engine.world:advance(2000)
    assert.equal('end', engine.last().type)
    assert.equal('enough', engine.last().reason)
    assert.equal(0, engine.world.stopped)
  end)
end)
