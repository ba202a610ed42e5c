--- Clients at terminals of services: who may have one, what goes where, how large it is, how it ends.
local fake_engine = require 'fake_engine'
local replay = require 'pact.control.terminals.replay'

local UPGRADE = { connection = 'Upgrade', upgrade = 'pactlua/1' }
local RECIPE = [[
  pact.process 'sh' { command = { 'sh' }, tty = true, restart = { delay = '100ms', max_retries = 1 } }
  pact.process 'plain' { command = { 'plain' } }
  pact.process 'always' { command = { 'sh' }, tty = true, restart = { policy = 'always', delay = '100ms' } }
  pact.process 'behind' { command = { 'sh' }, tty = true, depends_on = { 'plain' } }
  pact.process 'two' { command = { 'sh' }, tty = { columns = 120 }, replicas = 2 }
  pact.process 'off' { command = { 'sh' }, tty = true, disabled = true }
]]

describe('a terminal', function()
  local engine, world, server, typed, sizes, shown

  before_each(function()
    typed, sizes, shown = {}, {}, { recent = '', lost = 0 }
    engine = fake_engine.start(RECIPE, {
      programs = { sh = {}, plain = {} },
      early = function(e)
        e.sys.proc.write = function(_, bytes)
          typed[#typed + 1] = bytes
          return shown.writes ~= false or nil, 'it does not read', 'ENOBUFS'
        end
        e.sys.proc.resize = function(_, columns, rows) sizes[#sizes + 1] = columns .. 'x' .. rows end
        e.sys.log.show = function(_, request)
          shown[request] = true
          return shown.recent, shown.lost
        end
        e.sys.log.hide = function(_, request) shown[request] = nil end
      end,
    })
    world, server = engine.world, engine.server
    world:advance(50)
  end)

  local function turn(ms) world:advance(ms or 1) end

  local function attach(id, query)
    local request = server.ask('GET', ('/v1/services/%s/attach%s'):format(id, query or ''), nil, false, UPGRADE)
    turn()
    return request
  end

  local function frames(request)
    local found = server.answers[request].frames
    server.answers[request].frames = {}
    return found
  end

  local function pid_of(id)
    for _, proc in pairs(world.procs) do
      if proc.spec.tag:find('/' .. id .. '/', 1, true) then return proc end
    end
  end

  -- id, upgrade asked for → status, code, part of the message
  local REFUSED = {
    { 'shh', true, 404, 'unknown', "did you mean 'sh'?" },
    { 'plain', true, 409, 'tty', "'plain' has no terminal: give it tty = true in the recipe ('pactlua logs -f plain'" },
    { 'two', true, 409, 'group', 'each of two-1, two-2 has a terminal of its own' },
    { 'off', true, 409, 'gone', "'off' does not run (idle: not wanted); 'pactlua start off' starts it" },
    { 'sh', false, 426, 'upgrade', "as 'pactlua attach sh' does" },
  }
  for _, row in ipairs(REFUSED) do
    it(('is refused: %s %s'):format(row[1], row[4]), function()
      local request = server.ask('GET', ('/v1/services/%s/attach'):format(row[1]), nil, false, row[2] and UPGRADE or {})
      turn()
      local status, body = server.answer(request)
      assert.same({ row[3], row[4] }, { status, body.code }, body.error)
      assert.truthy(body.error:find(row[5], 1, true), body.error)
      if row[3] == 426 then assert.equal('pactlua/1', server.answers[request].headers.upgrade) end
    end)
  end

  it('is what the program is started with', function()
    assert.same({ columns = 80, rows = 24 }, pid_of('sh').spec.terminal)
    assert.same({ columns = 120, rows = 24 }, pid_of('two-1').spec.terminal)
    assert.is_nil(pid_of('plain').spec.terminal)
  end)

  it('shows what it showed last, then takes what is typed', function()
    shown.recent = '$ ls\r\na  b\r\n$ '
    local request = attach('sh', '?columns=100&rows=40')
    assert.equal(101, server.answers[request].status)
    assert.same({ '$ ls\r\na  b\r\n$ ' }, frames(request))
    server.frame(request, 'b', 'date\r')
    turn()
    assert.same({ 'date\r' }, typed)
    assert.same({ '100x40' }, sizes)
    assert.is_true(shown[request])
  end)

  it('is as large as the smallest of its clients, and stays so when the last one has left', function()
    local big, small = attach('sh', '?columns=200&rows=50'), attach('sh', '?columns=80&rows=60')
    assert.same({ '200x50', '80x50' }, sizes)
    server.frame(small, 'j', { type = 'size', columns = 90, rows = 20 })
    turn()
    server.leave(small)
    turn()
    server.leave(big)
    turn()
    assert.same({ '200x50', '80x50', '90x20', '200x50' }, sizes)
    assert.same({ nil, nil }, { shown[big], shown[small] })
  end)

  -- what a client says → what the terminal gets
  local SIZES = {
    { { columns = 1, rows = 1 }, '1x1' },
    { { columns = 0, rows = 0 }, nil },
    { { columns = 100, rows = 0 }, nil },
    { { columns = 500, rows = 200 }, '500x200' },
    { { columns = 1 << 40, rows = 1 << 40 }, '1000x1000' },
    { { columns = -1, rows = 10 }, nil, 'whole numbers' },
    { { columns = 1.5, rows = 10 }, nil, 'whole numbers' },
    { { columns = 'x', rows = 10 }, nil, 'whole numbers' },
    { { rows = 10 }, nil, 'whole numbers' },
  }
  for _, row in ipairs(SIZES) do
    it(('fault 36: of %s by %s'):format(row[1].columns, row[1].rows), function()
      local request = attach 'sh'
      row[1].type = 'size'
      server.frame(request, 'j', row[1])
      turn()
      assert.same({ row[2] }, sizes)
      local answer = frames(request)[1]
      if row[3] then assert.truthy(answer.error:find(row[3], 1, true)) else assert.is_nil(answer) end
    end)
  end

  for _, bytes in ipairs { '', '{', '[]', '1', '{"type":"sise"}', '\255' } do
    it(('tells who sends %q that it is no message'):format(bytes), function()
      local request = attach 'sh'
      server.frame(request, 'j', bytes)
      turn()
      local answer = frames(request)[1]
      assert.same({ 'error', "a message is an object with a 'type': 'size' is known" }, { answer.type, answer.error })
      server.frame(request, 'b', 'x')
      turn()
      assert.same({ 'x' }, typed)
    end)
  end

  it('says once that what is typed is not taken', function()
    local request = attach 'sh'
    shown.writes = false
    for _ = 1, 3 do server.frame(request, 'b', 'x') end
    turn()
    assert.same({ { type = 'note', text = 'it does not read: what waits for it is full (1 MiB)' } }, frames(request))
  end)

  it('goes on for a slow client where it can, and says what is left out', function()
    local request = attach 'sh'
    shown.recent, shown.lost = 'the end', 12345
    world:event(request, 'drain')
    turn()
    assert.same({ { type = 'note', text = '12345 bytes are left out here; the log has them' }, 'the end' }, frames(request))
  end)

  it('stays over a crash and a restart, with its size', function()
    local request = attach('sh', '?columns=100&rows=40')
    require('pact.sim.proc').finish(world, pid_of 'sh', 3)
    turn(500)
    assert.same({ { type = 'note', text = "'sh' has crashed: exit code 3" }, { type = 'note', text = "'sh' has started" } },
      frames(request))
    assert.same({ columns = 100, rows = 40 }, pid_of('sh').spec.terminal)
    engine.ask('POST', '/v1/services/sh/restart', {})
    turn(100)
    assert.same({ { type = 'note', text = "'sh' has started" } }, frames(request))
    assert.is_nil(server.answers[request].finished)
  end)

  it('stays when its service ends well and starts again', function()
    local request = attach 'always'
    require('pact.sim.proc').finish(world, pid_of 'always', 0)
    turn(500)
    assert.same({ { type = 'note', text = "'always' has ended: exit code 0" }, { type = 'note', text = "'always' has started" } },
      frames(request))
  end)

  it('stays when its service is stopped for the sake of another one that restarts', function()
    local request = attach 'behind'
    engine.ask('POST', '/v1/services/plain/restart', { with_dependents = true })
    turn(200)
    local found = frames(request)
    assert.same({ "'behind' has stopped: stopped by hand", "'behind' has started" }, { found[1].text, found[2].text })
    assert.is_nil(server.answers[request].finished)
    engine.ask('POST', '/v1/services/behind/stop', {})
    turn(200)
    assert.is_true(server.answers[request].finished)
  end)

  it('ends with its service, and says how', function()
    local one, other = attach 'sh', attach 'sh'
    shown.recent = 'bye\r\n'
    require('pact.sim.proc').finish(world, pid_of 'sh', 0)
    turn(100)
    local last = { type = 'end', status = 'completed', reason = 'exit code 0', exit_code = 0 }
    for _, request in ipairs { one, other } do
      assert.same({ 'bye\r\n', last }, frames(request))
      assert.is_true(server.answers[request].finished)
      assert.is_nil(shown[request])
    end
  end)

  it('ends when somebody stops it, and with its network', function()
    local sh, two = attach 'sh', attach 'two-1'
    engine.ask('POST', '/v1/services/sh/stop', {})
    turn(100)
    local last = frames(sh)[1]
    assert.same({ 'end', 'stopped', 'TERM' }, { last.type, last.status, last.signal })
    engine.ask('POST', '/v1/shutdown', {})
    turn(1000)
    assert.same({ 'end', 'stopped' }, { frames(two)[1].type, 'stopped' })
    assert.is_true(server.answers[two].finished)
  end)

  it('gets a line of `send` as the key Enter ends it', function()
    engine.ask('POST', '/v1/services/sh/send', { text = 'ls' })
    engine.ask('POST', '/v1/services/plain/send', { text = 'ls' })
    assert.same({ 'ls\r', 'ls\n' }, typed)
  end)
end)

describe('what was shown last', function()
  -- bytes → what is shown again
  local ROWS = {
    { 'plain \27[31mred\27[0m', 'plain \27[31mred\27[0m' },
    { 'a\27[6nb\27[?6nc\27[5n', 'abc' },
    { 'a\27[cb\27[>cc\27[=0cd\27[>0q', 'abcd' },
    { 'a\27[?2026$pb\27[?u', 'ab' },
    { 'a\27[18tb\27[14tc', 'abc' },
    { 'a\27]11;?\7b\27]10;?\27\\c\27]4;1;?\7', 'abc' },
    { 'a\27]52;c;cm0gLXJm\7b', 'ab' },
    { 'a\27P$qm\27\\b\27P+q544e\27\\', 'ab' },
    { '\27]0;title\7\27[?1049h\27[2J', '\27]0;title\7\27[?1049h\27[2J' },
    { ('x'):rep(10) .. '\n' .. ('y'):rep(16373), ('y'):rep(16373) },
    { ('x'):rep(16384), ('x'):rep(16384) },
  }
  for _, row in ipairs(ROWS) do
    it('asks nothing again: ' .. ('%q'):format(row[1]):sub(1, 40), function() assert.equal(row[2], replay.of(row[1])) end)
  end
end)
