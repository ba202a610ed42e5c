local network = require 'network'

local KILL, TERM, CONT = 9, 15, 18

describe('shutdown', function()
  local net
  after_each(function()
    assert.same({}, net.errors)
  end)

  local function ended(name)
    return net:runs(name)[1].ended_at - net.began
  end

  local function begin(opts)
    net.began = net.world.now
    net.sup:shutdown('asked for', opts)
  end

  it('runs in reverse order, side by side where the graph allows', function()
    net = network.new({ { 'db' }, { 'cache' }, { 'api', { depends_on = { 'db', 'cache' } } }, { 'web', { depends_on = { 'api' } } } },
      { programs = { db = { stop_takes = 100 }, cache = { stop_takes = 100 }, api = { stop_takes = 100 }, web = { stop_takes = 100 } } })
    net:up(10)
    begin()
    net.world:advance(5000)
    assert.same({ 100, 200, 300, 300 }, { ended 'web', ended 'api', ended 'db', ended 'cache' })
    assert.same({ down = true, status = 0, reason = 'asked for', failed = {}, survivors = {} }, net.rests[1])
    assert.same({ db = 'stopped', cache = 'stopped', api = 'stopped', web = 'stopped' }, net:all())
    assert.same({ TERM, CONT }, net:runs('db')[1].signals)
  end)

  it('goes on in order when a dependency is back in the midst of it', function()
    local health = { kind = 'tcp', host = '127.0.0.1', port = 5001 }
    net = network.new({ { 'db', { health = health, restart = { delay = 10 } } },
      { 'api', { depends_on = { { id = 'db', restart = true } } } }, { 'web', { depends_on = { 'api' } } } }, {
      programs = {
        db = function(_, nth) return { listens = { 5001 }, listens_after = 600, exit_after = nth == 1 and 2000 or nil, code = 1 } end,
        web = { stop_takes = 1000 },
      },
    })
    net:up(2300) -- db has ended, and its next life is not ready yet
    assert.equal('starting', net:status 'db')
    begin()
    net.world:advance(5000)
    assert.same({ 1, 1 }, { #net:runs 'api', #net:runs 'web' })
    assert.is_true(ended 'api' >= ended 'web')
    assert.same({ 'stopped', 'stopped' }, { net:status 'db', net:status 'api' })
  end)

  it('waits for what is left of a dependent before its dependency is stopped', function()
    net = network.new({ { 'db' }, { 'web', { depends_on = { 'db' } } } }, { programs = { web = { leaves = 1, leaves_for = 300 } } })
    net:up(10)
    begin()
    net.world:advance(5000)
    assert.same({ 0, 300 }, { ended 'web', ended 'db' })
  end)

  it('keeps the order across a task that has completed, and a service that was stopped', function()
    net = network.new({ { 'db' }, { 'migrate', { task = true, depends_on = { 'db' } } },
      { 'web', { depends_on = { 'migrate' } } } }, { programs = { migrate = { exit_after = 5 }, web = { stop_takes = 300 } } })
    net:up(10)
    begin()
    net.world:advance(5000)
    assert.same({ 300, 300 }, { ended 'web', ended 'db' })

    net = network.new({ { 'db' }, { 'migrate', { task = true, depends_on = { 'db' } } },
      { 'web', { depends_on = { 'migrate' } } } }, { programs = { migrate = { exit_after = 5 }, web = { stop_takes = 300 } } })
    net:up(10)
    net.began = net.world.now
    net.sup:restart('db', { with_dependents = true })
    net.world:advance(5000)
    assert.same({ 300, 300 }, { ended 'web', ended 'db' })
    assert.same({ 2, 1, 2 }, { #net:runs 'db', #net:runs 'migrate', #net:runs 'web' })
  end)

  it('stops at once what has not begun to live', function()
    net = network.new({ { 'a', { health = { kind = 'tcp', host = 'h', port = 1 } } }, { 'b', { depends_on = { 'a' } } },
      { 'c' } }, { programs = { c = { exit_after = 5, code = 1 } } })
    net:up(100)
    assert.same({ a = 'starting', b = 'waiting', c = 'backoff' }, net:all())
    begin()
    net.world:advance(10)
    assert.same({ a = 'stopped', b = 'stopped', c = 'stopped' }, net:all())
    net.world:advance(100000)
    assert.equal(1, #net:runs 'c')
  end)

  it('is no crash for a service that ends by itself meanwhile', function()
    net = network.new({ { 'db' }, { 'web', { depends_on = { 'db' } } } },
      { programs = { web = { stop_takes = 500 }, db = { exit_after = 200, code = 1 } } })
    net:up(10)
    begin()
    net.world:advance(3000)
    assert.is_nil(net:last 'crashed')
    assert.same({ 'stopped', 'exit code 1' }, { net:status 'db', net.sup:snapshot('db').reason })
    assert.equal(0, net.rests[1].status)
  end)

  it('is bounded: then all are killed', function()
    net = network.new({ { 'a' }, { 'b', { depends_on = { 'a' } } }, { 'c', { depends_on = { 'b' } } } },
      { plan = { shutdown_timeout = 4000 } })
    for _, id in ipairs { 'a', 'b', 'c' } do net.world.programs[id] = { ignore = { [TERM] = true } } end
    net:up(10)
    begin()
    net.world:advance(4100)
    assert.same({ 4000, 4000, 4000 }, { ended 'a', ended 'b', ended 'c' })
    assert.is_true(net.rests[1].down)
  end)

  it('takes the longest own grace for its bound', function()
    net = network.new({ { 'a', { stop = { timeout = 45000 } } } }, { programs = { a = { ignore = { [TERM] = true } } } })
    net:up(10)
    begin()
    net.world:advance(44000)
    assert.equal('stopping', net:status 'a')
    net.world:advance(2000)
    assert.is_true(net.rests[1].down)
  end)

  it('kills at once on the second call', function()
    net = network.new({ { 'a' }, { 'b', { depends_on = { 'a' } } } }, { programs = { b = { ignore = { [TERM] = true } } } })
    net:up(10)
    begin()
    net.world:advance(500)
    net.sup:shutdown('again', { force = true })
    net.world:advance(10)
    assert.same({ 500, 500 }, { ended 'a', ended 'b' })
    assert.same({ TERM, CONT, KILL }, net:runs('b')[1].signals)
    assert.equal(1, #net.rests)
  end)

  it('names what can not be killed, and does not wait for ever', function()
    net = network.new({ { 'a' } }, { programs = { a = { ignore = { [TERM] = true, [KILL] = true } } }, plan = { shutdown_timeout = 1000 } })
    local signal = net.sys.proc.signal
    net.sys.proc.signal = function(id, signo, scope)
      if signo == KILL then return true end
      return signal(id, signo, scope)
    end
    net:up(10)
    begin()
    net.world:advance(4500)
    local rest = net.rests[1]
    assert.same({ 1, 'a', 'S', net:runs('a')[1].pid }, { rest.status, rest.survivors[1].service, rest.survivors[1].state, rest.survivors[1].pid })
  end)

  it('waits no longer for what nothing can interrupt', function()
    net = network.new({ { 'a' } }, { programs = { a = { ignore = { [TERM] = true, [KILL] = true } } }, plan = { shutdown_timeout = 1000 } })
    local signal = net.sys.proc.signal
    net.sys.proc.signal = function(id, signo, scope) return signo == KILL or signal(id, signo, scope) end
    net.sys.proc.tree = function() return { { pid = 7, ppid = 1, name = 'dd', command = 'dd', state = 'D', rss = 0 } } end
    net:up(10)
    begin()
    net.world:advance(1400)
    assert.same({}, net.rests)
    net.world:advance(200)
    assert.same({ { service = 'a', pid = 7, name = 'dd', state = 'D' } }, net.rests[1].survivors)
  end)

  it('lets hooks go first, ten seconds at most', function()
    local done
    net = network.new({ { 'a' } }, { sup = { before_stop = function(_, fn) done = fn end } })
    net:up(10)
    begin()
    net.world:advance(2000)
    assert.equal('running', net:status 'a')
    done()
    net.world:advance(10)
    assert.is_true(net.rests[1].down)

    net = network.new({ { 'a' } }, { sup = { before_stop = function() end } })
    net:up(10)
    begin()
    net.world:advance(10010)
    assert.is_true(net.rests[1].down)
  end)

  it('refuses commands, and starts nothing any more', function()
    net = network.new({ { 'a' } }, { programs = { a = { stop_takes = 100 } } })
    net:up(10)
    begin()
    assert.same({ nil, 'the network is shutting down', 'busy' }, { net.sup:start 'a' })
    net.sup:restart 'a'
    net.world:advance(5000)
    assert.same({ 'stopped', 1 }, { net:status 'a', #net:runs 'a' })
  end)

  -- services, programs → status of the whole when it has come to rest
  local rows = {
    { 'all completed', { { 'a', { task = true } }, { 'b' } }, { a = { exit_after = 5 }, b = { exit_after = 9 } }, 0 },
    { 'one failed', { { 'a', { task = true } }, { 'b' } }, { a = { exit_after = 5, code = 2 }, b = { exit_after = 9 } }, 3 },
    { 'one could not start', { { 'a' } }, { a = { fail = 'ENOENT' } }, 3 },
    { 'one waits for ever', { { 'a' }, { 'b', { depends_on = { { id = 'a', condition = 'log', pattern = 'x' } } } } },
      { a = { exit_after = 5 } }, 3 },
  }
  for _, row in ipairs(rows) do
    it('comes to rest by itself: ' .. row[1], function()
      net = network.new(row[2], { programs = row[3] })
      net:up(60000)
      assert.equal(1, #net.rests)
      assert.same({ false, row[4] }, { net.rests[1].down, net.rests[1].status })
    end)
  end

  it('is not at rest while something lives, waits for a restart or for a hook', function()
    net = network.new({ { 'a' } }, { programs = { a = function(_, nth) return nth < 4 and { exit_after = 10, code = 1 } or { exit_after = 50000 } end } })
    net:up(40000)
    assert.same({}, net.rests)
    net.world:advance(60000)
    assert.equal(0, net.rests[1].status)
  end)

  -- how an essential service ends → status
  local essentials = {
    { { exit_after = 50, code = 9 }, 9 },
    { { exit_after = 50 }, 0 },
    { { exit_after = 50, signal = 11 }, 139 },
    { { fail = 'ENOENT' }, 127 },
    { { fail = 'EACCES' }, 126 },
  }
  for i, row in ipairs(essentials) do
    it(('ends with the status of an essential service: %d (%d)'):format(row[2], i), function()
      net = network.new({ { 'other' }, { 'main', { essential = true, restart = { policy = 'no' } } } }, { programs = { main = row[1] } })
      net:up(5000)
      local rest = net.rests[#net.rests]
      assert.same({ true, row[2] }, { rest.down, rest.status })
      assert.equal('stopped', net:status 'other')
    end)
  end

  it('stops and restarts with dependents, in order', function()
    net = network.new({ { 'db' }, { 'web', { depends_on = { 'db' } } }, { 'other' } }, { programs = { web = { stop_takes = 100 } } })
    net:up(10)
    net.began = net.world.now
    net.sup:restart('db', { with_dependents = true })
    net.world:advance(1000)
    assert.same({ 100, 100 }, { ended 'web', ended 'db' })
    assert.same({ 2, 2, 1 }, { #net:runs 'db', #net:runs 'web', #net:runs 'other' })
    assert.same({ db = 'running', web = 'running', other = 'running' }, net:all())
    net.sup:stop('db', { with_dependents = true })
    net.world:advance(1000)
    assert.same({ db = 'stopped', web = 'stopped', other = 'running' }, net:all())
  end)

  it('lets who waits for a restart with dependents go on: at its end, and when a shutdown overtakes it', function()
    for _, overtaken in ipairs { false, true } do
      net = network.new({ { 'db' }, { 'web', { depends_on = { 'db' } } } }, { programs = { web = { stop_takes = 100 } } })
      net:up(10)
      local answer
      net.loop:spawn(function()
        answer = table.pack(net.sup:restart('db', { with_dependents = true, wait = true }))
      end, {})
      net.world:advance(50)
      assert.is_nil(answer)
      if overtaken then net.sup:shutdown 'over' end
      net.world:advance(1000)
      local expected = overtaken and { nil, 'the network is shutting down', 'busy' } or { true }
      assert.same(expected, { answer[1], answer[2], answer[3] })
    end
  end)

  it('answers who waits for a stop that somebody has taken back', function()
    for _, row in ipairs { { 'start', nil, 'it was started again meanwhile', 'superseded' }, { 'stop', true } } do
      net = network.new({ { 'a' }, { 'b' } }, { programs = { a = { stop_takes = 100 } } })
      net:up(10)
      local stopped, waited
      net.loop:spawn(function() waited = table.pack(net.sup:wait('b', 'stopped', 400)) end, {})
      net.loop:spawn(function() stopped = table.pack(net.sup:stop('a', { wait = true })) end, {})
      net.world:advance(50)
      assert.is_nil(stopped)
      net.sup[row[1]](net.sup, 'a')
      net.world:advance(1000)
      assert.same({ row[2], row[3], row[4] }, { stopped[1], stopped[2], stopped[3] })
      assert.equal('timeout', waited[3], 'nobody has asked for the end of b')
    end
  end)
end)
