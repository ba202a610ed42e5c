local network = require 'network'

local function set(...)
  local out = {}
  for _, name in ipairs { ... } do out[name] = true end
  return out
end

describe('starting', function()
  local net
  after_each(function()
    assert.same({}, net.errors)
  end)

  it('runs what depends on nothing at once, and what depends on it when it is ready', function()
    net = network.new({ { 'db', { health = { kind = 'tcp', host = '127.0.0.1', port = 5433 } } }, { 'web', { depends_on = { 'db' } } } },
      { programs = { db = { listens = { 5433 }, listens_after = 450 } } })
    net:up(0)
    assert.same({ db = 'starting', web = 'waiting' }, net:all())
    net.world:advance(400)
    assert.equal('waiting for db (ready: connection refused, 400 ms)', net.sup:snapshot('web').reason)
    net.world:advance(1000)
    assert.same({ db = 'running', web = 'running' }, net:all())
    assert.same({ 'db started', 'db healthy', 'db ready', 'db running', 'web started', 'web ready', 'web running', 'all_ready' },
      net:told(set('started', 'healthy', 'ready', 'running', 'all_ready')))
  end)

  -- condition, the dependency's program → status of the dependent after 5 s, its reason
  local rows = {
    { 'ready', {}, 'running' },
    { 'started', { exit_after = 100, code = 1 }, 'running' },
    { 'completed', { exit_after = 100 }, 'running' },
    { 'completed', { exit_after = 100, code = 2 }, 'skipped', "dependency 'dep' failed" },
    { 'completed', {}, 'waiting', 'waiting for dep (completed: running, 5 s)' },
    { 'log', { output = { { 300, 'listening on 80' } } }, 'running' },
    { 'log', { output = { { 300, 'nothing' } } }, 'waiting', 'waiting for dep (log: running, 5 s)' },
    { 'log', { exit_after = 100 }, 'skipped', "dependency 'dep' has completed without the awaited line" },
    { 'ready', { fail = 'ENOENT' }, 'skipped', "dependency 'dep' failed" },
  }
  for i, row in ipairs(rows) do
    it(('condition %s: %s (%d)'):format(row[1], row[3], i), function()
      net = network.new({
        { 'dep', { restart = { policy = 'no' } } },
        { 'web', { depends_on = { { id = 'dep', condition = row[1], pattern = 'listening' } } } },
      }, { programs = { dep = row[2] } })
      net:up(5000)
      local snapshot = net.sup:snapshot 'web'
      assert.equal(row[3], snapshot.status)
      if row[4] then assert.equal(row[4], snapshot.reason) end
    end)
  end

  it('skips at once all that needs what failed, each with its reason', function()
    net = network.new({ { 'a' }, { 'b', { depends_on = { 'a' } } }, { 'c', { depends_on = { 'b' } } } },
      { programs = { a = { fail = 'ENOENT' } } })
    net:up(0)
    assert.same({ a = 'failed', b = 'skipped', c = 'skipped' }, net:all())
    assert.equal("dependency 'a' failed", net.sup:snapshot('b').reason)
    assert.equal("dependency 'b' was skipped", net.sup:snapshot('c').reason)
  end)

  it('turns the skipped back to waiting when the failed one is started again', function()
    net = network.new({ { 'a' }, { 'b', { depends_on = { 'a' } } }, { 'c', { depends_on = { 'b' } } } },
      { programs = { a = function(_, nth) return nth == 1 and { fail = 'ENOENT' } or {} end } })
    net:up(0)
    net.sup:start('a', {})
    net.world:advance(10)
    assert.same({ a = 'running', b = 'running', c = 'running' }, net:all())
  end)

  it('waits on for one that was stopped by hand', function()
    net = network.new { { 'a' }, { 'b', { depends_on = { { id = 'a', condition = 'completed' } } } } }
    net:up(10)
    net.sup:stop 'a'
    net.world:advance(100)
    assert.same({ a = 'stopped', b = 'waiting' }, net:all())
  end)

  it('can be ready no more when a process has completed', function()
    net = network.new({ { 'a', { health = { kind = 'tcp', host = 'h', port = 1 } } }, { 'b', { depends_on = { 'a' } } } },
      { programs = { a = { exit_after = 50 } } })
    net:up(1000)
    assert.same({ a = 'completed', b = 'skipped' }, net:all())
    assert.equal("dependency 'a' has completed and was to be ready", net.sup:snapshot('b').reason)
  end)

  it('gives up waiting after the edge\'s timeout and names the culprit', function()
    net = network.new { { 'redis', { health = { kind = 'tcp', host = 'h', port = 1 } } },
      { 'web', { depends_on = { { id = 'redis', condition = 'healthy', timeout = 60000 } } } } }
    net:up(61000)
    assert.equal('failed', net:status 'web')
    assert.equal('redis not healthy after 60s: connection refused', net.sup:snapshot('web').reason)
  end)

  it('skips what needs a disabled service', function()
    net = network.new { { 'a', { disabled = true } }, { 'b', { depends_on = { 'a' } } } }
    net.sup:want({ 'b' }, 'up', 'recipe')
    net.world:advance(10)
    assert.same({ a = 'idle', b = 'skipped' }, net:all())
    assert.equal("dependency 'a' is disabled", net.sup:snapshot('b').reason)
    net.sup:start 'a'
    net.world:advance(10)
    assert.same({ a = 'running', b = 'running' }, net:all())
  end)

  it('starts by hand what is needed even where that is disabled', function()
    net = network.new { { 'a', { disabled = true } }, { 'b', { depends_on = { 'a' } } } }
    net.sup:want({ 'b' }, 'up', 'recipe')
    net.world:advance(10)
    assert.same({ a = 'idle', b = 'skipped' }, net:all())
    net.sup:start 'b'
    net.world:advance(10)
    assert.same({ a = 'running', b = 'running' }, net:all())
  end)

  it('starts by hand what is needed, and with no_deps only itself', function()
    net = network.new { { 'a' }, { 'b', { depends_on = { 'a' } } }, { 'c', { depends_on = { 'b' } } }, { 'd' } }
    net.sup:start('c', { no_deps = true })
    net.world:advance(10)
    assert.same({ a = 'idle', b = 'idle', c = 'running', d = 'idle' }, net:all())
    net.sup:stop 'c'
    net.world:advance(10)
    net.sup:start 'c'
    net.world:advance(10)
    assert.same({ a = 'running', b = 'running', c = 'running', d = 'idle' }, net:all())
  end)

  it('restarts dependents over a restart edge when the dependency is back, and no others', function()
    net = network.new { { 'db' }, { 'web', { depends_on = { { id = 'db', restart = true } } } }, { 'api', { depends_on = { 'db' } } } }
    net:up(10)
    net.sup:restart 'db'
    net.world:advance(1000)
    assert.equal(2, #net:runs 'db')
    assert.equal(2, #net:runs 'web')
    assert.equal(1, #net:runs 'api')
    assert.equal('dependency', net:last('restarted', 'web').by)
    assert.equal(0, net.sup:snapshot('web').attempt)
  end)

  it('starts no more side by side than max_parallel_starts', function()
    local list, most = {}, 0
    for i = 1, 6 do list[i] = { 's' .. i, { task = true } } end
    net = network.new(list, { plan = { max_parallel_starts = 2 } })
    for i = 1, 6 do net.world.programs['s' .. i] = { exit_after = 100 } end
    net.sup:want(net.plan.order, 'up', 'recipe')
    for _ = 1, 100 do
      net.world:advance(10)
      local starting = 0
      for _, status in pairs(net:all()) do starting = starting + (status == 'starting' and 1 or 0) end
      most = math.max(most, starting)
    end
    assert.equal(2, most)
    for _, status in pairs(net:all()) do assert.equal('completed', status) end
  end)

  it('walks a chain of a thousand, and two thousand side by side, without recursion #timed', function()
    local list = {}
    for i = 1, 1000 do list[i] = { 'c' .. i, { depends_on = i > 1 and { 'c' .. i - 1 } or {} } } end
    for i = 1, 2000 do list[1000 + i] = { 'p' .. i } end
    net = network.new(list)
    local began = os.clock()
    net:up(10)
    assert.is_true(net.sup:all_ready())
    net.sup:shutdown 'test'
    net.world:advance(1000)
    assert.is_true(net.rests[1].down)
    assert.is_true(os.clock() - began < 10)
  end)

  it('passes over latches of an earlier epoch', function()
    net = network.new({ { 'a', { task = true } }, { 'b', { depends_on = { { id = 'a', condition = 'completed' } } } } },
      { programs = { a = { exit_after = 100 } } })
    net:up(200)
    assert.equal('running', net:status 'b')
    net.sup:stop 'b'
    net.world:advance(10)
    net.sup:restart 'a'
    net.sup:start 'b'
    net.world:advance(50)
    assert.same({ a = 'starting', b = 'waiting' }, net:all())
    net.world:advance(100)
    assert.same({ a = 'completed', b = 'running' }, net:all())
  end)

  it('lets a task wait for a goal, or be told why it never comes', function()
    net = network.new({ { 'a' }, { 'b' } }, { programs = { b = { fail = 'EACCES', message = "program 'b': Permission denied" } } })
    local got = {}
    net.loop:spawn(function()
      got[1] = table.pack(net.sup:start('a', { wait = true }))
      got[2] = table.pack(net.sup:start('b', { wait = 'started' }))
      got[3] = table.pack(net.sup:wait('a', 'healthy', 500))
      got[4] = table.pack(net.sup:stop('a', { wait = true }))
      got[5] = table.pack(net.sup:start 'nobody')
    end)
    net.world:advance(1000)
    assert.same({ true, n = 1 }, { got[1][1], n = 1 })
    assert.same({ nil, "program 'b': Permission denied", 'failed', n = 3 }, got[2])
    assert.same('timeout', got[3][3])
    assert.is_true(got[4][1])
    assert.same({ nil, "no service 'nobody'", 'unknown', n = 3 }, got[5])
  end)

  it('says all_ready once', function()
    net = network.new({ { 'a' } }, { programs = { a = function(_, nth) return nth == 1 and { exit_after = 100, code = 1 } or {} end } })
    net:up(5000)
    assert.same({ 'all_ready' }, net:told(set 'all_ready'))
  end)

  it('tells with its event how long a start has waited, and which dependency came last', function()
    net = network.new({ { 'a', { task = true } }, { 'b', { task = true } }, { 'c', { depends_on = {
      { id = 'a', condition = 'completed' }, { id = 'b', condition = 'completed' } } } } },
      { programs = { a = { exit_after = 100 }, b = { exit_after = 700 } } })
    net:up(1000)
    local started = net:last('started', 'c')
    assert.same({ 'b', { waiting = 700 } }, { started.held_by, started.spent })
    assert.is_nil(net:last('started', 'a').spent)
    net.world:advance(1000)
    net.sup:restart('c', {}, 'person')
    net.world:advance(5000)
    started = net:last('started', 'c')
    assert.equal(2, started.epoch)
    assert.is_nil(started.held_by) -- what it needs held all along
  end)

  it('tells with the next event how long a service took to stop', function()
    net = network.new({ { 'a' } }, { programs = { a = { ignore = { [15] = true } } } })
    net:up(1000)
    net.sup:stop('a', {}, 'person')
    net.world:advance(60000)
    assert.same({ stopping = 10000 }, net:last('stopped', 'a').spent)
  end)
end)
