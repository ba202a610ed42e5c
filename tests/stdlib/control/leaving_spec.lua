--- A network that is left running, and what ends it, in virtual time.
local fake_engine = require 'fake_engine'
local json = require 'pact.base.json'

local PROGRAMS = { server = {}, quick = { exit_after = 100 }, bad = { exit_after = 100, code = 7 },
  late = { exit_after = 1500, code = 7 } }
local SERVER = [[ pact.process 'a' { command = { 'server' } } ]]

local function up(recipe, ...)
  return fake_engine.start(recipe, { programs = PROGRAMS, words = { '--detach', ... } })
end

-- Takes a lease; gives the request.
local function hold(engine)
  local id = engine.server.ask('GET', '/v1/lease')
  engine.world:advance(1)
  return id
end

local function let_go(engine, id)
  engine.server.answers[id].gone = true
  engine.world:at(0, function() engine.world:event(id, 'gone') end)
  engine.world:advance(1)
end

local function front_ends(engine)
  engine.world:at(0, function() engine.world:event(engine.server.front, 'gone') end)
  engine.world:advance(1)
end

local function lines(engine, id) return engine.server.lines(id) end
local function status(engine) return select(2, engine.ask('GET', '/v1/status')) end

describe('up --detach', function()
  it('lets the front go when all is ready, and goes on without it', function()
    local engine = up(SERVER)
    engine.world:advance(1000)
    local last = engine.last()
    assert.equal('detached', last.type)
    assert.same({ 'net-net', '/net', true }, { last.project, last.directory, last.ready })
    assert.equal(1, #engine.messages 'ready')
    assert.equal(last.run .. '/pactlua.log', engine.server.left_for)
    front_ends(engine)
    engine.world:advance(86400000)
    assert.is_nil(engine.world.stopped)
    assert.is_true(status(engine).detached)
  end)

  it('ends with its front as long as it waits', function()
    local engine = up [[ pact.process 'a' { command = { 'server' }, health = { tcp = 'localhost:1' } } ]]
    engine.world:advance(1000)
    front_ends(engine)
    engine.world:advance(30000)
    assert.is_not_nil(engine.world.stopped)
  end)

  it('waits five minutes unless told otherwise', function()
    for _, row in ipairs { { 300000, '5 m' }, { 2000, '2 s', '--timeout', '2s' } } do
      local engine = up([[
        pact.process 'a' { command = { 'server' }, health = { tcp = 'localhost:1' } }
        pact.process 'b' { command = { 'server' }, depends_on = { 'a' } }
      ]], table.unpack(row, 3))
      engine.world:advance(row[1] - 100)
      assert.is_nil(engine.world.stopped)
      engine.world:advance(10000)
      assert.equal(3, engine.world.stopped)
      local last = engine.last()
      assert.equal(('not ready after %s: a, b'):format(row[2]), last.reason)
      assert.equal('a', last.unready[1].id)
      assert.truthy(last.unready[2].why:find '^waiting for a %(', last.unready[2].why)
    end
  end)

  it('waits for a recipe that takes its time, too', function()
    local engine = up [[ pact.sleep '1h' pact.process 'a' { command = { 'server' } } ]]
    engine.world:advance(310000)
    assert.equal(3, engine.world.stopped)
    assert.equal('not ready after 5 m: the recipe has started nothing', engine.last().reason)
  end)

  local failing = {
    { 'fails', [[ pact.task 'b' { command = { 'bad' } } ]], "'b' failed: exit code 7" },
    { 'is skipped', [[ pact.process 'b' { command = { 'server' }, depends_on = { 'c' } }
      pact.process 'c' { command = { 'server' }, disabled = true } ]], "'b' skipped" },
  }
  for _, row in ipairs(failing) do
    it(('ends with 3 when something wanted %s'):format(row[1]), function()
      local engine = up(SERVER .. row[2] .. [[ pact.process 'z' { command = { 'server' }, health = { tcp = 'localhost:1' } } ]])
      engine.world:advance(5000)
      assert.equal(3, engine.world.stopped)
      assert.equal(row[3], engine.last().reason:sub(1, #row[3]))
    end)
  end

  it('waits a second for what has no check, and no longer', function()
    local engine = up(SERVER)
    engine.world:advance(900)
    assert.equal(0, #engine.messages 'detached')
    engine.world:advance(150)
    assert.equal(1, #engine.messages 'detached')
  end)

  it('waits not at all for what has one', function()
    local engine = up [[ pact.process 'a' { command = { 'server' }, health = { check = function() return true end } } ]]
    engine.world:advance(500)
    assert.equal(1, #engine.messages 'detached')
  end)

  it('does not take what dies at once for ready: it ends with 3', function()
    local engine = up [[ pact.process 'a' { command = { 'bad' }, restart = 'no' } ]]
    engine.world:advance(5000)
    assert.equal(3, engine.world.stopped)
    assert.equal(0, #engine.messages 'detached')
    assert.truthy(engine.last().reason:find("'a' failed: exit code 7", 1, true), engine.last().reason)
    engine = up [[ pact.process 'a' { command = { 'bad' }, restart = { max_retries = 1, delay = '100ms' } } ]]
    engine.world:advance(60000)
    assert.equal(3, engine.world.stopped)
  end)

  it('gives a second to each new life', function()
    local engine = up [[
      local lives = 0
      pact.process 'a' { command = { 'server' }, restart = { delay = '100ms', jitter = 0 } }
      pact.on('ready', function(service)
        lives = lives + 1
        if lives < 3 then pact.sleep '500ms' service:signal 'KILL' end
      end) ]]
    engine.world:advance(1500)
    assert.equal(0, #engine.messages 'detached')
    engine.world:advance(2000)
    assert.equal(1, #engine.messages 'detached')
    assert.equal(2, engine.ask and select(2, engine.ask('GET', '/v1/services/a')).restart_count)
  end)

  it('keeps to its bound with one that dies again and again', function()
    local engine = up([[ pact.process 'a' { command = { 'quick' }, restart = { policy = 'always', delay = '1s' } } ]],
      '--timeout', '20s')
    engine.world:advance(60000)
    assert.equal(3, engine.world.stopped)
    assert.equal('not ready after 20 s: a', engine.last().reason)
  end)

  it('minds nothing that happens later', function()
    local engine = up([[ pact.process 'a' { command = { 'late' }, restart = 'no' } ]], '--timeout', '5s')
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    assert.equal(1, status(engine).services.failed)
  end)

  it('stays at rest, unless --exit was given', function()
    local engine = up [[ pact.task 'a' { command = { 'quick' } } ]]
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    engine = up([[ pact.task 'a' { command = { 'quick' } } ]], '--exit')
    engine.world:advance(1000)
    assert.same({ 0, 'end' }, { engine.world.stopped, engine.last().type })
    assert.equal(0, #engine.messages 'detached')
    engine = up([[ pact.process 'a' { command = { 'late' }, restart = 'no' } ]], '--exit')
    engine.world:advance(60000)
    assert.same({ 3, 1 }, { engine.world.stopped, #engine.messages 'detached' })
  end)

  it('with --no-wait lets the front go at once, also one that comes late', function()
    local engine = fake_engine.start(SERVER, {
      programs = PROGRAMS, words = { '--detach', '--no-wait' }, no_session = true,
    })
    engine.world:advance(2000)
    engine.open_session()
    engine.world:advance(100)
    local all = engine.messages()
    assert.equal('hello', all[1].type)
    assert.equal('detached', engine.messages('detached')[1].type)
    engine.ask('POST', '/v1/services/a/restart', {})
    engine.world:advance(2000)
    assert.equal(#all, #engine.messages(), 'what happens later is none of its business')
    assert.is_nil(engine.world.stopped)
  end)

  it('keeps what is said for the log', function()
    local engine = up(SERVER .. [[ pact.every('10s', function() print 'tick' end) print 'before' ]])
    engine.world:advance(25000)
    assert.equal('before\n', engine.said())
    local path = engine.messages('hello')[1].run .. '/pactlua.log'
    assert.truthy(engine.files.files[path]:find('%[pactlua +%] tick\n.*tick\n'), engine.files.files[path])
  end)

  it('when nothing is wanted lets the front go when the recipe has been read', function()
    for _, recipe in ipairs {
      [[ pact.process 'a' { command = { 'server' }, disabled = true } ]],
      [[ pact.process 'a' { command = { 'server' }, disabled = true } pact.stop 'a' pact.sleep '1s' ]],
    } do
      local engine = up(recipe)
      engine.world:advance(2000)
      assert.equal('detached', engine.last().type, recipe)
      assert.is_nil(engine.world.stopped)
    end
  end)

  it('when nothing is wanted waits for what a dead run has left all the same', function()
    local asked = 0
    local engine = fake_engine.start([[ pact.process 'a' { command = { 'server' }, disabled = true } ]], {
      programs = PROGRAMS, words = { '--detach' },
      early = function(engine)
        engine.files.files['/net/.pactlua/net-net/running'] = 'x'
        engine.sys.proc.kill_stray = function() end
        engine.sys.proc.tagged = function()
          asked = asked + 1
          return asked < 3 and { { pid = 99, start = 1, name = 'left' } } or {}
        end
      end,
    })
    engine.world:advance(2000)
    assert.equal('detached', engine.last().type)
  end)
end)

describe('a lease', function()
  it('is told at once, and that it is over', function()
    local engine = up(SERVER)
    engine.world:advance(1100)
    local id = hold(engine)
    assert.equal('held', lines(engine, id)[1].lease)
    assert.is_nil(engine.server.answers[id].finished)
    engine.ask('POST', '/v1/shutdown', { reason = 'enough' })
    engine.world:advance(30000)
    assert.same({ lease = 'over', reason = 'enough' }, lines(engine, id)[2])
    assert.is_true(engine.server.answers[id].finished)
    assert.is_not_nil(engine.world.stopped)
  end)

  it('ends the network with the last of several', function()
    local engine = up(SERVER)
    engine.world:advance(1100)
    local first, second = hold(engine), hold(engine)
    assert.same({ 2, true }, { status(engine).leases, status(engine).ends_with_leases })
    let_go(engine, first)
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    let_go(engine, second)
    engine.world:advance(30000)
    assert.is_not_nil(engine.world.stopped)
  end)

  it('taken again within the time keeps the network', function()
    local engine = up(SERVER, '--linger', '10s')
    engine.world:advance(1100)
    let_go(engine, hold(engine))
    engine.world:advance(9000)
    assert.is_true(status(engine).ends_in <= 1000)
    local again = hold(engine)
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    assert.is_nil(status(engine).ends_in)
    let_go(engine, again)
    engine.world:advance(9000)
    assert.is_nil(engine.world.stopped)
    engine.world:advance(30000)
    assert.is_not_nil(engine.world.stopped)
  end)

  it('that has gone while all was waited for counts, too', function()
    local engine = up [[ pact.task 'a' { command = { 'quick' } } pact.process 'b' { command = { 'server' }, depends_on = { 'a' } } ]]
    engine.world:advance(10)
    let_go(engine, hold(engine))
    engine.world:advance(50)
    assert.is_nil(engine.world.stopped)
    engine.world:advance(30000)
    assert.equal(1, #engine.messages 'detached')
    assert.is_not_nil(engine.world.stopped)
  end)

  -- An open REPL; gives the request.
  local function repl(engine)
    local id = engine.server.ask('GET', '/v1/repl')
    engine.world:advance(1)
    return id
  end

  it('that is the last does not end the network under a REPL, but when that is left', function()
    local engine = up(SERVER, '--linger', '1s')
    engine.world:advance(1100)
    local lease, one, other = hold(engine), repl(engine), repl(engine)
    assert.is_true(lines(engine, one)[1].ends_with_leases)
    let_go(engine, lease)
    let_go(engine, other)
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    assert.same({ 0, 1, true }, { status(engine).leases, status(engine).repls, status(engine).ends_with_leases })
    let_go(engine, one)
    engine.world:advance(900)
    assert.is_nil(engine.world.stopped)
    engine.world:advance(30000)
    assert.is_not_nil(engine.world.stopped)
  end)

  it('that has gone is followed by no end when a REPL comes in time', function()
    local engine = up(SERVER, '--linger', '10s')
    engine.world:advance(1100)
    let_go(engine, hold(engine))
    engine.world:advance(9000)
    local one = repl(engine)
    assert.is_nil(status(engine).ends_in)
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    let_go(engine, one)
    engine.world:advance(30000)
    assert.is_not_nil(engine.world.stopped)
  end)

  it('that nobody took: leaving a REPL ends nothing', function()
    local engine = up(SERVER)
    engine.world:advance(100)
    local one = repl(engine)
    assert.is_false(lines(engine, one)[1].ends_with_leases)
    let_go(engine, one)
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    assert.same({ 0, false }, { status(engine).repls, status(engine).ends_with_leases })
  end)

  it('is refused while the network ends', function()
    local engine = up [[ pact.process 'a' { command = { 'server' } } pact.on('shutdown', function() pact.sleep '5s' end) ]]
    engine.world:advance(100)
    engine.ask('POST', '/v1/shutdown', {})
    local code, body = engine.ask('GET', '/v1/lease')
    assert.same({ 409, 'busy' }, { code, body.code })
  end)
end)

describe('POST /v1/detach', function()
  it('lets go a front that was to stay; its leases begin anew', function()
    local engine = fake_engine.start(SERVER, { programs = PROGRAMS })
    engine.world:advance(100)
    let_go(engine, hold(engine))
    assert.is_false(status(engine).ends_with_leases)
    assert.equal(200, (engine.ask('POST', '/v1/detach', { linger = 5000 })))
    assert.equal('detached', engine.last().type)
    front_ends(engine)
    engine.world:advance(60000)
    assert.is_nil(engine.world.stopped)
    let_go(engine, hold(engine))
    engine.world:advance(4000)
    assert.is_nil(engine.world.stopped)
    engine.world:advance(30000)
    assert.is_not_nil(engine.world.stopped)
  end)

  it('twice is once, and is refused while the network ends', function()
    local engine = fake_engine.start(SERVER .. [[ pact.on('shutdown', function() pact.sleep '5s' end) ]], { programs = PROGRAMS })
    engine.world:advance(100)
    for _ = 1, 2 do assert.equal(200, (engine.ask('POST', '/v1/detach', {}))) end
    assert.equal(1, #engine.messages 'detached')
    engine.ask('POST', '/v1/shutdown', {})
    assert.equal(409, (engine.ask('POST', '/v1/detach', {})))
  end)

  it('sends nothing more to a front that is slow, and keeps nothing for it', function()
    local engine = fake_engine.start(SERVER .. [[ pact.every('1s', function() pact.emit 'x:y' end) ]], { programs = PROGRAMS })
    engine.world:advance(100)
    engine.server.queued = 1 << 20
    engine.world:advance(5000)
    local sent = #engine.messages()
    engine.ask('POST', '/v1/detach', {})
    engine.world:advance(3600000)
    assert.equal(sent, #engine.messages())
    assert.is_string(json.encode(status(engine)))
  end)
end)
