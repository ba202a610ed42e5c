local fake_engine = require 'fake_engine'

local PROGRAMS = { server = {}, other = {}, quick = { exit_after = 100 }, slow = { stop_takes = 500 } }

local function up(recipe, opts)
  opts = opts or {}
  local engine = fake_engine.start(recipe, { programs = opts.programs or PROGRAMS, words = opts.words, early = opts.early })
  engine.world:advance(500)

  ---The recipe is another, and what /v1/reload answers.
  function engine.reload(text, body)
    if text then engine.files.files['/net/net.lua'] = "local pact = require 'pact'\n" .. text end
    return engine.ask('POST', '/v1/reload', body or {})
  end

  function engine.pids()
    local _, answer = engine.ask('GET', '/v1/services')
    local out = {}
    for _, service in ipairs(answer.services) do out[service.id] = service.pid or service.status end
    return out
  end

  function engine.eval(code)
    local _, answer = engine.ask('POST', '/v1/eval', { code = code })
    return answer.values and answer.values[1] or answer.error
  end

  return engine
end

-- 'id action field…' of each service of an answer
local function told(body)
  local out = {}
  for i, it in ipairs(body.services) do
    local words = { it.id, it.action }
    for _, name in ipairs(it.restarts or {}) do words[#words + 1] = name end
    for _, name in ipairs(it.live or {}) do words[#words + 1] = '(' .. name .. ')' end
    out[i] = table.concat(words, ' ')
  end
  return out
end

local A = "pact.process 'a' { command = { 'server' } }\n"

local function count(text, word) return select(2, text:gsub(word, '')) end

describe('a reload', function()
  it('does the least, tells what it was, and leaves pids alone', function()
    local engine = up(A .. [[
      pact.process 'b' { command = { 'server' }, depends_on = { 'a' } }
      pact.process 'c' { command = { 'server' } }]])
    local before = engine.pids()
    local status, body = engine.reload(A .. [[
      pact.process 'b' { command = { 'other' }, depends_on = { 'a' }, restart = 'always' }
      pact.process 'd' { command = { 'server' } }]])
    assert.equal(200, status)
    assert.same({ 'c removed', 'b restarted command (restart.policy)', 'd added' }, told(body))
    assert.same({ 1, true, true }, { body.unchanged, body.changed, body.services[3].wanted })
    engine.world:advance(500)
    local after = engine.pids()
    assert.equal(before.a, after.a)
    assert.not_equal(before.b, after.b)
    assert.same({ nil, true }, { after.c, type(after.d) == 'number' })
    status, body = engine.reload()
    assert.same({ 200, false, {}, 3 }, { status, body.changed, body.services, body.unchanged })
  end)

  it('as a trial does nothing', function()
    local engine = up(A .. "pact.every('1s', function() print 'old' end)")
    local before = engine.pids()
    local _, body = engine.reload("pact.process 'b' { command = { 'server' } } pact.every('1s', function() print 'new' end)", { dry_run = true })
    assert.same({ 'a removed', 'b added' }, told(body))
    assert.is_true(body.dry_run)
    engine.world:advance(5000)
    assert.same(before, engine.pids())
    assert.truthy(engine.said():find('old', 1, true))
    assert.is_nil(engine.said():find('new', 1, true))
    assert.is_nil(table.concat(engine.names(), ' '):find('reloaded', 1, true))
  end)

  local BROKEN = {
    { 'x = = 1', 'net.lua:2: syntax error' },
    { 'local x\nx.y = 1', 'net.lua:3: attempt to index a nil value' },
    { "pact.process 'a' { comand = { 'x' } }", "unknown key 'comand' (did you mean 'command'?)" },
    { '-- nothing', 'declares nothing and starts nothing' },
    { "require 'absent'", "module 'absent' is not there" },
    { A .. "pact.project 'another'", "the project is 'another' now, and a network keeps its name as long as it lives, which is 'net-net'" },
    { A .. "pact.process 'b' { command = { 'x' }, depends_on = { 'c' } }", "'c' is not declared" },
    { "while true do pact.sleep '1s' end", 'have not come to their end within 60 s', 61000 },
  }

  for _, row in ipairs(BROKEN) do
    it('of a recipe that does not load changes nothing: ' .. row[2]:sub(1, 40), function()
      local engine = up(A .. "pact.every('1s', function() print 'old' end)")
      local before = engine.pids()
      local status, body = engine.reload(row[1])
      if row[3] then
        local id = engine.server.ask('POST', '/v1/reload', {})
        engine.world:advance(row[3])
        status, body = engine.server.answer(id)
      end
      assert.same({ 422, 'recipe' }, { status, body.code })
      assert.truthy(body.error:find(row[2], 1, true), body.error)
      assert.truthy(body.problems[1])
      local said = count(engine.said(), 'old')
      engine.world:advance(3000)
      assert.equal(said + 3, count(engine.said(), 'old'))
      assert.same(before, engine.pids())
      engine.reload(A)
      engine.world:advance(10)
      assert.equal(before.a, engine.pids().a)
    end)
  end

  it('ends timers, hooks, tasks and subscriptions of before, and not before it is done', function()
    local function recipe(word) return A .. ([[
      pact.every('1s', function() print '%s-every' end)
      pact.after('20s', function() print '%s-after' end)
      pact.spawn(function() while true do pact.sleep '1s' print '%s-task' end end)
      pact.on('test:x', function() print '%s-hook' end)
      pact.on('line', { match = 'word' }, function() print '%s-line' end)
      pact.command('c', function() return '%s-command' end)
    ]]):gsub('%%s', word) end
    local engine = up(recipe 'old', { programs = { server = { output = { { 5000, 'word' } } } } })
    engine.world:advance(1600)
    local _, body = engine.ask('POST', '/v1/commands/c', {})
    assert.equal('old-command', body.result)
    engine.reload(recipe 'new' .. '\nlocal _ = 1')
    local before = engine.said()
    engine.eval "pact.emit 'test:x'"
    _, body = engine.ask('POST', '/v1/commands/c', {})
    assert.equal('new-command', body.result)
    engine.world:advance(30000)
    local since = engine.said():sub(#before + 1)
    assert.is_nil(since:find('old', 1, true), since)
    for _, what in ipairs { 'every', 'after', 'task', 'hook', 'line' } do
      assert.truthy(since:find('new-' .. what, 1, true), what)
    end
    assert.equal(1, count(since, 'new%-hook'))
    assert.equal(1, count(since, 'new%-line'))
  end)

  it('is heard by hooks of the new recipe, with what was done', function()
    local engine = up(A .. "pact.on('reloaded', function() print 'old' end)")
    engine.reload(A .. "pact.process 'b' { command = { 'server' } } pact.on('reloaded', function(_, e) print('new', e.services[1].id, e.reason) end)")
    engine.world:advance(100)
    assert.truthy(engine.said():find('new\tb\tb added, started; hooks taken over', 1, true), engine.said())
    assert.is_nil(engine.said():find('old', 1, true))
  end)

  it('tells hooks of the end of what is gone, with a handle that knows its name', function()
    local engine = up(A .. "pact.process 'b' { command = { 'slow' } }")
    engine.reload(A .. [[pact.on('stopped', function(service, event)
      print('end of', service.id, service, service.status)
      pact.sleep '5s'
      print('later', service.id, service.status)
    end)]])
    engine.world:advance(10000)
    assert.truthy(engine.said():find('end of\tb\tb\tstopped', 1, true), engine.said())
    assert.truthy(engine.said():find('later\tb\tnil', 1, true), engine.said())
    assert.equal('nil', engine.eval "pact.service 'b'")
    local _, body = engine.reload(A .. "pact.process 'b' { command = { 'server' } }")
    assert.same({ 'b added' }, told(body))
    engine.world:advance(10)
    local _, b = engine.ask('GET', '/v1/services/b')
    assert.same({ 'running', 2 }, { b.status, b.epoch })
  end)

  it('ends a hook under way; a policy that waits for it goes on by itself', function()
    local recipe = [[pact.process 'a' { command = { 'bad' }, restart = { delay = '5s', jitter = 0 } }
      pact.on('crashed', function() pact.sleep '1h' return pact.verdict.fail 'old' end)]]
    local engine = up(recipe, { programs = { bad = { exit_after = 200, code = 1 } } })
    local _, why = engine.ask('GET', '/v1/services/a/why')
    assert.equal('crashed', why.asked)
    engine.reload("pact.process 'a' { command = { 'bad' }, restart = { delay = '5s', jitter = 0 } }")
    engine.world:advance(100)
    _, why = engine.ask('GET', '/v1/services/a/why')
    assert.is_nil(why.asked)
    assert.equal('backoff', why.status)
  end)

  it('lets a command that a person has given come to its end', function()
    local engine = up(A .. "pact.command('c', function() pact.sleep '5s' return 'done' end)")
    local id = engine.server.ask('POST', '/v1/commands/c', {})
    engine.world:advance(100)
    engine.reload(A .. "-- another")
    engine.world:advance(6000)
    local status, body = engine.server.answer(id)
    assert.same({ 200, 'done' }, { status, body.result })
  end)

  it('keeps what was set by eval, handles too', function()
    local engine = up(A .. "pact.process 'b' { command = { 'server' } } local helper = 1")
    engine.eval "kept = svc.a; mine = 5"
    engine.reload(A .. "pact.process 'n' { command = { 'server' } } pact.command('x', function() end)")
    engine.world:advance(100)
    assert.equal('5', engine.eval 'mine')
    assert.equal("running", (engine.eval 'kept.status':gsub('"', '')))
    assert.equal('running', (engine.eval 'svc.n.status':gsub('"', '')))
    assert.equal('true', engine.eval "pact.service 'n' ~= nil")
    assert.truthy(engine.eval 'svc.b':find("no service 'b'", 1, true))
    engine.eval 'kept:restart { wait = false }'
    engine.world:advance(100)
    assert.equal('2', engine.eval "pact.state('a').epoch or svc.a.status and 2")
  end)

  it('reads a recipe up to where it acts; what it started there stays, and its body goes on', function()
    local recipe = A .. [[
      pact.start 'a'
      pact.start { id = 'late', command = { 'server' } }
      for i = 1, 1000 do pact.sleep '1s' print('body', i) end]]
    local engine = up(recipe)
    local before = engine.pids()
    assert.truthy(before.late)
    local _, body = engine.reload("pact.process 'n' { command = { 'server' } }\n" .. recipe)
    assert.equal('net.lua:4', body.stopped_at)
    assert.same({ 'n added' }, told(body))
    engine.world:advance(3000)
    local after = engine.pids()
    assert.same({ before.a, before.late }, { after.a, after.late })
    assert.truthy(engine.said():find('body\t3', 1, true))
    _, body = engine.reload(A)
    assert.same({ 'n removed' }, told(body))
    local said = engine.said()
    engine.world:advance(3000)
    assert.equal(said, engine.said()) -- a recipe that no longer acts has no body that goes on
    assert.equal(before.late, engine.pids().late)
  end)

  it('in a pcall of the recipe, too, an acting call is the end of the declaring part', function()
    local engine = up(A)
    local _, body = engine.reload(A .. "pcall(pact.start, 'a') pact.process 'never' { command = { 'server' } }")
    assert.same({ 'net.lua:3', {} }, { body.stopped_at, body.services })
  end)

  it('lets a body that goes on declare what needs services of the new recipe', function()
    local recipe = A .. "pact.start 'a'\npact.sleep '2s'\n"
      .. "print(pact.start { id = 'never', command = { 'server' }, depends_on = { plain = 'healthy' } })\n"
      .. "print(pact.start { id = 'late', command = { 'server' }, depends_on = { n = 'healthy' } })"
    local engine = up(recipe)
    recipe = "pact.process 'plain' { command = { 'server' } }\n"
      .. "pact.process 'n' { command = { 'server' }, health = { check = function() return true end } }\n" .. recipe
    engine.reload(recipe)
    engine.world:advance(5000)
    assert.truthy(engine.said():find("'plain' can never be healthy: it has no health check", 1, true), engine.said())
    assert.truthy(engine.said():find('\nlate\n', 1, true), engine.said())
    assert.equal('number', type(engine.pids().late))
    local _, body = engine.reload(recipe)
    assert.same({}, told(body))
    assert.equal('running', (engine.eval 'svc.late.status':gsub('"', '')))
  end)

  it('keeps services that hooks and commands have started, without edges to what is gone', function()
    local recipe = A .. [[pact.process 'x' { command = { 'server' } }
      pact.command('more', function() pact.start { id = 'more', command = { 'server' }, depends_on = { 'x' }, wait = false } end)]]
    local engine = up(recipe)
    engine.ask('POST', '/v1/commands/more', {})
    engine.world:advance(100)
    local before = engine.pids()
    assert.equal('number', type(before.more))
    local _, body = engine.reload(A)
    assert.same({ 'x removed', 'more changed (depends_on.x)' }, told(body))
    engine.world:advance(1000)
    assert.same({ before.more, nil }, { engine.pids().more, engine.pids().x })
    assert.equal('server', (engine.eval "svc.more.id":gsub('"', '')) == 'more' and 'server')
    _, body = engine.reload(A .. "pact.process 'more' { command = { 'other' } }")
    assert.same({ 'more restarted command' }, told(body))
    engine.world:advance(100)
    _, body = engine.reload(A)
    assert.same({ 'more removed' }, told(body))
  end)

  it('keeps the number of instances that a group was given, until the recipe gives it another', function()
    local function recipe(n, nice) return ("pact.process 'w' { command = { 'server' }, replicas = %d, nice = %d }"):format(n, nice) end
    local engine = up(recipe(2, 1))
    engine.ask('POST', '/v1/services/w/scale', { count = 3, wait = false })
    engine.world:advance(100)
    local before = engine.pids()
    local _, body = engine.reload(recipe(2, 1))
    assert.same({}, told(body))
    assert.same(before, engine.pids())
    _, body = engine.reload(recipe(4, 1))
    assert.same({ 'w-4 added' }, told(body))
    engine.world:advance(100)
    assert.equal('number', type(engine.pids()['w-4']))
    engine.ask('POST', '/v1/services/w/scale', { count = 1, wait = false })
    engine.world:advance(1000)
    _, body = engine.reload(recipe(4, 2))
    assert.same({ 'w-1 restarted nice' }, told(body))
    _, body = engine.reload(recipe(2, 2))
    assert.same({ 'w-2 added' }, told(body))
    engine.world:advance(1000)
    local now = engine.pids()
    assert.same({ 'number', 'number', 'nil' }, { type(now['w-1']), type(now['w-2']), type(now['w-3']) })
  end)

  it('makes a group of a service, which can be scaled when the service has ended', function()
    local engine = up "pact.process 'w' { command = { 'server' } }"
    local _, body = engine.reload "pact.process 'w' { command = { 'server' }, replicas = 2 }"
    assert.same({ 'w removed', 'w-1 added', 'w-2 added' }, told(body))
    engine.world:advance(1000)
    assert.is_nil(engine.pids().w)
    local status = engine.ask('POST', '/v1/services/w/scale', { count = 3, wait = false })
    assert.equal(200, status)
    engine.world:advance(100)
    assert.equal('number', type(engine.pids()['w-3']))
  end)

  it('stops what is disabled now and starts what is not any more', function()
    local function recipe(a, b) return ([[pact.process 'a' { command = { 'server' }, disabled = %s }
      pact.process 'b' { command = { 'server' }, disabled = %s } pact.process 'k' { command = { 'server' } }]]):format(a, b) end
    local engine = up(recipe('false', 'true'))
    assert.same({ 'number', 'idle' }, { type(engine.pids().a), engine.pids().b })
    engine.reload(recipe('true', 'false'))
    engine.world:advance(500)
    local _, a = engine.ask('GET', '/v1/services/a')
    assert.same({ 'stopped', 'stopped by a reload', 'number' }, { a.status, a.reason, type(engine.pids().b) })
  end)

  it('gives the same free ports, though their services listen on them', function()
    local recipe = "local p = pact.free_port 'web' pact.process 'a' { command = { 'server', p }, ports = { web = p } }"
    local engine = up(recipe)
    local _, body = engine.reload(recipe .. "\npact.process 'b' { command = { 'server', pact.free_port 'other' } }")
    assert.same({ 'b added' }, told(body))
  end)

  it('runs modules again, and each in its own environment', function()
    local engine
    engine = up("local m = require 'm' pact.process 'a' { command = { 'server' }, nice = m.nice }", {
      early = function(it) it.files.files['/net/m.lua'] = 'return { nice = 1 }' end,
    })
    engine.files.files['/net/m.lua'] = 'return { nice = 2 }'
    local _, body = engine.reload()
    assert.same({ 'a restarted nice' }, told(body))
    engine.files.files['/net/m.lua'] = 'return { nice = '
    local status
    status, body = engine.reload()
    assert.same({ 422, true }, { status, body.error:find('m.lua:1: syntax error', 1, true) ~= nil })
  end)

  it('gives way to another that comes while the recipe is read', function()
    local engine = up(A)
    engine.files.files['/net/net.lua'] = "local pact = require 'pact' pact.sleep '5s' pact.process 'slow' { command = { 'server' } }"
    local first = engine.server.ask('POST', '/v1/reload', {})
    engine.world:advance(1000)
    local status, body = engine.reload(A .. "pact.process 'b' { command = { 'server' } }")
    assert.same({ 200, { 'b added' } }, { status, told(body) })
    status, body = engine.server.answer(first)
    assert.same({ 409, 'superseded' }, { status, body.code })
    engine.world:advance(10000)
    assert.is_nil(engine.pids().slow)
  end)

  it('is refused while the network shuts down, also when that begins while the recipe is read', function()
    local engine = up("pact.process 'a' { command = { 'slow' } }")
    engine.files.files['/net/net.lua'] = "local pact = require 'pact' pact.sleep '100ms' pact.process 'n' { command = { 'server' } }"
    local id = engine.server.ask('POST', '/v1/reload', {})
    engine.world:advance(50)
    engine.ask('POST', '/v1/shutdown', {})
    local status, body = engine.ask('POST', '/v1/reload', {})
    assert.same({ 409, 'busy' }, { status, body.code })
    engine.world:advance(5000)
    assert.is_nil(engine.world.counts.server)
    assert.equal(0, engine.world.stopped)
    assert.truthy(id)
  end)

  it('ends a network in which nothing lives or can live any more, and no other', function()
    local engine = up("pact.task 'a' { command = { 'quick' } } pact.every('1s', function() end)")
    engine.world:advance(1000)
    assert.is_nil(engine.world.stopped)
    engine.reload("pact.task 'a' { command = { 'quick' } } pact.process 'n' { command = { 'server' } }")
    engine.world:advance(5000)
    assert.is_nil(engine.world.stopped)
    engine.reload("pact.task 'a' { command = { 'quick' } } pact.every('1s', function() end)")
    engine.world:advance(5000)
    assert.is_nil(engine.world.stopped)
    engine.reload("pact.task 'a' { command = { 'quick' } }")
    engine.world:advance(5000)
    assert.equal(0, engine.world.stopped)
  end)

  it('of a recipe that had only timers starts what is new', function()
    local engine = up("pact.every('1s', function() end)")
    local _, body = engine.reload(A)
    assert.same({ 'a added' }, told(body))
    engine.world:advance(1000)
    assert.same({ nil, 'number' }, { engine.world.stopped, type(engine.pids().a) })
  end)

  it('is refused while an essential end takes the network down', function()
    local engine = up("pact.task 'e' { command = { 'bad' }, essential = true } pact.process 'a' { command = { 'slow' } }",
      { programs = { bad = { exit_after = 600, code = 4 }, slow = { stop_takes = 3000 } } })
    engine.world:advance(200)
    local status, body = engine.reload(A)
    assert.same({ 409, 'busy' }, { status, body.code })
    engine.world:advance(10000)
    assert.equal(4, engine.world.stopped)
  end)

  it('takes in what a task of its own declares while it is read', function()
    local engine = up(A)
    engine.reload(A .. "pact.spawn(function() pact.process 'later' { command = { 'server' } } pact.on('test:y', function() print 'y' end) end)")
    engine.world:advance(100)
    assert.equal('number', type(engine.pids().a))
    engine.eval "pact.emit 'test:y'"
    engine.world:advance(10)
    assert.equal(1, count(engine.said(), 'y\n'))
    assert.truthy(engine.eval "pact.service 'later' ~= nil")
  end)

  it('of many says in its one line only some', function()
    local parts = {}
    for i = 1, 20 do parts[i] = ("pact.process 's%d' { command = { 'server' } }"):format(i) end
    local engine = up(A .. "pact.on('reloaded', function(_, e) print(e.reason) end)")
    engine.reload(A .. table.concat(parts, ' ') .. " pact.on('reloaded', function(_, e) print(e.reason) end)")
    engine.world:advance(10)
    assert.truthy(engine.said():find('s8 added, started; 12 more', 1, true), engine.said())
  end)

  it('is refused before there is a network', function()
    local engine = up("pact.sleep '10s' pact.process 'a' { command = { 'server' } }")
    local status, body = engine.reload()
    assert.same({ 409, 'busy', 'nothing runs yet' }, { status, body.code, body.error })
  end)

  it('a worker with the same text lives on; with another it is restarted', function()
    local function recipe(text) return ("pact.worker 'w' { run = function(self) while true do self:sleep '1s' print '%s' end end }"):format(text) end
    local engine = up(recipe 'one')
    local _, body = engine.reload(recipe 'one' .. '\n-- more')
    assert.same({}, told(body))
    _, body = engine.reload(recipe 'two')
    assert.same({ 'w restarted run' }, told(body))
    engine.world:advance(1500)
    local _, w = engine.ask('GET', '/v1/services/w')
    assert.same({ 'running', 2 }, { w.status, w.epoch })
  end)

  it('functions that decide are those of the new recipe, without a restart', function()
    local function recipe(ms) return ([[pact.process 'a' { command = { 'bad' },
      restart = function() return '%dms' end, env = { A = function() return %d end } }]]):format(ms, ms) end
    local engine = up(recipe(100000), { programs = { bad = { exit_after = 1000, code = 1 } } })
    local _, body = engine.reload(recipe(50))
    assert.same({ 'a changed (env.A) (restart.policy)' }, told(body))
    engine.world:advance(600)
    local _, a = engine.ask('GET', '/v1/services/a')
    assert.same({ 'running', 2 }, { a.status, a.epoch })
    assert.truthy(table.concat(engine.world.spawned[2].spec.env, ' '):find('A=50', 1, true))
  end)

  it('leaves nothing of generations whose services came and went', function()
    local engine = up(A)
    local generations = setmetatable({}, { __mode = 'k' })
    local real = require('pact.declare.recipe').new
    require('pact.declare.recipe').new = function(...)
      local made = real(...)
      generations[made] = true
      return made
    end
    for i = 1, 30 do
      local status = engine.reload(A .. ("pact.process 's%d' { command = { 'server' }, env = { A = function() return 'x' end } }"):format(i))
      assert.equal(200, status)
      engine.reload('x = = 1')
      engine.reload(A, { dry_run = true })
      engine.world:advance(500)
    end
    require('pact.declare.recipe').new = real
    collectgarbage()
    collectgarbage()
    local left = 0
    for _ in pairs(generations) do left = left + 1 end
    assert.is_true(left <= 2, left .. ' generations are still there')
  end)

  it('leaves memory as it was, and nothing of the generations before', function()
    local rounds = os.getenv 'PACTLUA_GC' == 'eager' and 60 or 220 -- an eager collector takes its time
    local parts = {}
    for i = 1, 50 do
      parts[i] = ([[pact.process 's%d' { command = { 'server' }, depends_on = %s, env = { A = function() return kept and 'x' end },
        health = { check = function() return kept ~= nil end, interval = '10s' }, timeout = '1h', max_runtime = '10h',
        restart = function() return kept and '1s' end, on = { crashed = function() return kept end },
        stop = { timeout = '%dms' } }]]):format(i, i > 1 and "{ 's1' }" or '{}', 1000)
    end
    local recipe = [[local kept = { mark = function() end } pact.on('line', { match = 'x' }, function() return kept end)
      pact.every('1h', function() return kept end) pact.spawn(function() pact.sleep '10h' return kept end)
      pact.on('reloaded', function() return kept end) pact.command('c', function() return kept end)]] .. '\n' .. table.concat(parts, '\n')
    local engine = up(recipe)
    local generations, sizes = setmetatable({}, { __mode = 'k' }), {}
    local real = require('pact.declare.recipe').new
    require('pact.declare.recipe').new = function(...)
      local made = real(...)
      generations[made] = true
      return made
    end
    for i = 1, rounds do
      local text = i % 2 == 0 and recipe or recipe:gsub('1000ms', '2000ms')
      engine.files.files['/net/net.lua'] = "local pact = require 'pact'\n" .. text
      local id = engine.server.ask('POST', '/v1/reload', {})
      engine.world:advance(200)
      assert.equal(200, engine.server.answers[id].status)
      assert.truthy(engine.server.answers[id].body:find('"unchanged":0', 1, true))
      -- what the made-up world keeps is none of the network's
      for _, log in pairs(engine.world.logs) do log.watches = {} end
      for other, answer in pairs(engine.server.answers) do
        answer.body = ''
        if answer.finished then engine.server.answers[other] = nil end
      end
      for path in pairs(engine.files.files) do
        if path:find '%.jsonl$' then engine.files.files[path] = '' end
      end
      if i == 20 or i == rounds then
        collectgarbage()
        collectgarbage()
        sizes[i] = collectgarbage 'count'
      end
    end
    require('pact.declare.recipe').new = real
    local left = 0
    for _ in pairs(generations) do left = left + 1 end
    assert.is_true(left <= 2, left .. ' generations are still there')
    assert.is_true(sizes[rounds] - sizes[20] < 400, ('%.0f KB more'):format(sizes[rounds] - sizes[20]))
    assert.equal(50, engine.world.counts.server)
  end)
end)
