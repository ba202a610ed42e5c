--- The network's end of a REPL: what is printed comes to it, also later; `_`; what may stand next; hooks.
local fake_engine = require 'fake_engine'

local function up(recipe)
  local engine = fake_engine.start(recipe or [[
    pact.process 'web' { command = { 'server' } }
    pact.process 'my-app' { command = { 'server' } }
    pact.on('stopped', function() end)
    pact.on('started', function() end)
    pact.on('my:own', function() end)
  ]], { programs = { server = {} } })
  engine.world:advance(100)

  ---Opens a session: what it has heard, by what it evaluates.
  function engine.open()
    local session = { request = engine.server.ask('GET', '/v1/repl') }
    engine.world:advance(1)
    function session.lines() return engine.server.lines(session.request) end
    session.id = session.lines()[1].session
    function session.eval(code, opts)
      local body = { code = code, session = session.id }
      for name, value in pairs(opts or {}) do body[name] = value end
      local status, answer = engine.ask('POST', '/v1/eval', body)
      return answer, status
    end
    function session.printed()
      local out = {}
      for _, message in ipairs(session.lines()) do
        if message.type == 'output' then out[#out + 1] = message.text end
      end
      return table.concat(out)
    end
    return session
  end
  return engine
end

describe('a session of a REPL', function()
  it('begins with its number and the name of the network', function()
    local engine = up()
    assert.same({ type = 'hello', session = 1, project = 'net-net', ends_with_leases = false }, engine.open().lines()[1])
    assert.equal(2, engine.open().id)
  end)

  it('hears what its lines print, and the answer says behind which message it belongs', function()
    local engine = up()
    local session = engine.open()
    local answer = session.eval 'print "a" io.write "b" return 1'
    assert.same({ { '1' }, #session.lines() }, { answer.values, answer.heard })
    assert.is_nil(answer.output)
    assert.equal('a\nb\n', session.printed())
    assert.falsy(engine.said():find('a', 1, true))
  end)

  it('hears what they print later, and what tasks of theirs fail of', function()
    local engine = up()
    local session, other = engine.open(), engine.open()
    session.eval 'pact.spawn(function() pact.sleep "1s" print "late" error "no" end) pact.after("2s", function() print "after" end)'
    assert.equal('', session.printed())
    engine.world:advance(3000)
    assert.truthy(session.printed():find '^late\npact.spawn failed: eval:1: no\nafter\n$', session.printed())
    assert.equal('', other.printed())
  end)

  it('leaves what comes after it to the network', function()
    local engine = up()
    local session = engine.open()
    session.eval 'pact.after("2s", function() print "orphan" end)'
    engine.world:event(session.request, 'gone', 'left')
    engine.world:advance(3000)
    assert.truthy(engine.said():find('orphan\n', 1, true))
    local _, status = session.eval '1'
    assert.equal(404, status)
  end)

  it('has a last value of its own, and globals in common with others', function()
    local engine = up()
    local one, other = engine.open(), engine.open()
    one.eval '5, 6'
    other.eval 'shared = "x"'
    assert.same({ { '5' }, { 'x' } }, { one.eval('_').values, one.eval('shared').values })
    one.eval 'local nothing'
    assert.same({ 'x' }, one.eval('_').values)
    one.eval 'error "no"'
    assert.same({ 'x!' }, one.eval('_ .. "!"').values)
    assert.same({ 'nil' }, other.eval('_').values)
  end)

  -- lines, what the last one gives
  local LOCALS = {
    { { 'local x = 1', 'x' }, '1' },
    { { 'local x, y = 1, 2', 'x + y' }, '3' },
    { { 'local x = 1 return x', 'x' }, '1' },
    { { 'local x = 1 -- a remark', 'x' }, '1' },
    { { 'local n = 0 local function more() n = n + 1 end', 'more() n = n + 10 more()', 'n' }, '12' },
    { { 'local function f(n) if n == 0 then return "end" end return f(n - 1) end', 'f(3)' }, 'end' },
    { { 'local x', 'x' }, 'nil' },
    { { 'local x <const> = 5', 'x' }, '5' },
    { { 'local x = 1', 'local x = "new"', 'x' }, 'new' },
    { { 'if true then local inner = 1 elseif nil then else end local outer = 2', 'outer' }, '2' },
    { { 'for i = 1, 2 do local inner = i end repeat local other = 1 until other', 'local x = 3', 'x' }, '3' },
    { { 'local svc = 5', 'svc' }, '5' },
    { { 'local svc = 5', 'svc = nil', 'svc.web.status' }, 'running' },
    { { 'goto done; local x = 1; ::done::', '"on"' }, 'on' },
    { { ('local v = 1 '):rep(150), 'v' }, '1' },
  }
  for _, row in ipairs(LOCALS) do
    it(('has the locals of earlier lines: %s'):format(table.concat(row[1], ' | '):sub(1, 80)), function()
      local engine = up()
      local session, other, last = engine.open(), engine.open(), nil
      for _, line in ipairs(row[1]) do
        last = session.eval(line)
        assert.is_true(last.ok, last.error)
      end
      assert.same({ row[2] }, last.values)
      assert.truthy(other.eval('x').error:find("'x' has no value here", 1, true))
      assert.same({ 'running' }, other.eval('svc.web.status').values)
    end)
  end

  it('has none of blocks, nor what is to be closed, and its constants stay', function()
    local engine = up()
    local session = engine.open()
    session.eval 'do local inner = 1 end local c <close> = setmetatable({}, { __close = function() end })'
    assert.falsy(session.eval('inner').ok)
    assert.falsy(session.eval('c').ok)
    session.eval 'local k <const> = 5'
    assert.truthy(session.eval('k = 6').error:find("eval:1: 'k' is a constant", 1, true))
    assert.same({ '5' }, session.eval('k').values)
  end)

  it('is told what it left out when it reads too slowly', function()
    local engine = up()
    local session = engine.open()
    engine.server.queued = 2 << 20
    session.eval 'print "first"'
    session.eval 'for _ = 1, 3 do print(("x"):rep(1023)) end'
    engine.server.queued = 0
    engine.world:event(session.request, 'drain')
    session.eval 'print "last"'
    assert.equal('first\n(3.0 KB of output is left out here)\nlast\n', session.printed())
  end)

  it('shows services and tables for people where there is a width', function()
    local engine = up()
    local session = engine.open()
    assert.truthy(session.eval('svc.web', { width = 80 }).values[1]:find '^web  running, pid %d+, up ')
    assert.truthy(session.eval('svc', { width = 80 }).values[1]:find '^web     running.*\nmy%-app  running')
    assert.truthy(session.eval('pact.services()', { width = 80 }).values[1]:find '^web     running.*\nmy%-app  running')
    assert.truthy(session.eval('{ svc.web, 1 }', { width = 80 }).values[1]:find '^{ web  running')
    assert.same({ 'web' }, session.eval('svc.web').values)
    assert.truthy(session.eval('svc.web', { width = 80, colour = true }).values[1]:find('\27[32mrunning', 1, true))
  end)

  it('acts as the person that it is', function()
    local engine = up()
    engine.open().eval 'svc.web:restart { wait = false }'
    engine.world:advance(20000)
    local by
    for _, message in ipairs(engine.messages 'event') do
      if message.event.name == 'restarted' then by = message.event.by end
    end
    assert.equal('person', by)
  end)

  it('is left by os.exit, behind what was printed; the network goes on', function()
    local engine = up()
    local session = engine.open()
    engine.server.ask('POST', '/v1/eval', { code = 'print "bye" os.exit(3)', session = session.id })
    engine.world:advance(100)
    local lines = session.lines()
    assert.same({ { type = 'output', text = 'bye\n' }, { type = 'leave', status = 3 } }, { lines[#lines - 1], lines[#lines] })
    assert.same({ 'running' }, engine.open().eval('svc.web.status').values)
    assert.same({}, engine.messages 'end')
  end)

  it('is told of the end', function()
    local engine = up()
    local session = engine.open()
    engine.ask('POST', '/v1/shutdown', { reason = 'enough', status = 3 })
    engine.world:advance(60000)
    local lines = session.lines()
    assert.same({ type = 'end', reason = 'enough', status = 3 }, lines[#lines])
    assert.is_true(engine.server.answers[session.request].finished)
  end)
end)

describe('what may stand next', function()
  local function complete(engine, text, session)
    local status, body = engine.ask('POST', '/v1/complete', { text = text, session = session })
    assert.equal(200, status)
    local out = {}
    for i, one in ipairs(body.candidates) do out[i] = text:sub(1, body.from - 1) .. one.text end
    return out
  end

  -- text, candidates
  local ROWS = {
    { 'svc.w', { 'svc.web' } },
    { 'svc.m', { "svc['my-app']" } },
    { 'svc.web.sta', { 'svc.web.started_at', 'svc.web.status' } },
    { 'svc.web:re', { 'svc.web:restart' } },
    { 'svc.web.history.', {} },
    { 'pact.ho', { 'pact.hook_timeout' } },
    { 'string.up', { 'string.upper' } },
    { 'tostr', { 'tostring' } },
    { 'nothing.', {} },
    { "pact.stop 'my", { "pact.stop 'my-app'" } },
    { "pact.on 'health", { "pact.on 'health_check_failed'", "pact.on 'healthy'" } },
    { 'pact.once("all', { 'pact.once("all_ready"' } },
    { "pact.emit '", { "pact.emit 'my:own'" } },
    { "pact.by_category 's", { "pact.by_category 'service'" } },
    { "svc.web:signal('US", { "svc.web:signal('USR1'", "svc.web:signal('USR2'" } },
    { "svc.web:wait 'h", { "svc.web:wait 'healthy'" } },
    { "svc.web:restart 'w", {} },
  }
  it('is read from the live state', function()
    local engine = up()
    for _, row in ipairs(ROWS) do assert.same(row[2], complete(engine, row[1]), row[1]) end
    assert.same({}, complete(engine, 'mine.'))
    local session = engine.open()
    session.eval 'mine = { alpha = { beta = 1 } } return mine.alpha'
    assert.same({ 'mine.alpha' }, complete(engine, 'mine.'))
    assert.same({ '_.beta' }, complete(engine, '_.b', session.id))
    session.eval 'local own = { gamma = 1 }'
    assert.same({ 'own.gamma' }, complete(engine, 'own.', session.id))
    assert.same({}, complete(engine, 'own.'))
    assert.same({}, complete(engine, '_.b'))
  end)

  it('runs nothing of the recipe', function()
    local engine = up [[
      pact.process 'web' { command = { 'server' } }
      rawset(_G, 'trap', setmetatable({ bare = {} }, { __index = function() error 'ran' end, __pairs = function() error 'ran' end }))
    ]]
    assert.same({ 'trap.bare' }, complete(engine, 'trap.'))
    assert.same({}, complete(engine, 'trap.other.'))
  end)
end)

describe('hooks', function()
  it('are told with their places and how often they ran', function()
    local engine = up()
    engine.open().eval 'svc.web:stop()'
    engine.world:advance(20000)
    local _, body = engine.ask('GET', '/v1/hooks')
    local rows = {}
    for i, it in ipairs(body.hooks) do rows[i] = { it.event, it.file, it.line, it.runs, it.ran_ago ~= nil } end
    assert.same({ { 'stopped', 'net.lua', 4, 1, true }, { 'started', 'net.lua', 5, 2, true },
      { 'my:own', 'net.lua', 6, 0, false } }, rows)
  end)
end)
