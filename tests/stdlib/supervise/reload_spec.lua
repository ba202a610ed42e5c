local network = require 'network'

-- a network that has come up, and then another plan
local function over(before, after, opts, ms)
  local net = network.new(before, opts):up(500)
  net.told_before = #net.events
  net:reload(after, ms or 2000)
  return net
end

local function pids(net)
  local out = {}
  for _, id in ipairs(net.sup:list()) do out[id] = net.sup:snapshot(id).pid end
  return out
end

local function since(net, names)
  local out = {}
  for i = net.told_before + 1, #net.events do
    local event = net.events[i]
    if not names or names[event.name] then out[#out + 1] = (event.service or '') .. ' ' .. event.name end
  end
  return out
end

describe('a reload', function()
  it('of the same plan leaves all as it is', function()
    local list = { { 'db' }, { 'web', { depends_on = { 'db' } } } }
    local net = network.new(list):up(500)
    local before, told = pids(net), #net.events
    net:reload({ { 'db' }, { 'web', { depends_on = { 'db' } } } }, 5000)
    assert.same(before, pids(net))
    assert.equal(told, #net.events)
  end)

  it('starts what is new when its conditions hold, and stops what is gone in reverse order', function()
    local net = over({ { 'db' }, { 'web', { depends_on = { 'db' } } }, { 'keep' } },
      { { 'keep' }, { 'a' }, { 'b', { depends_on = { 'a' } } } }, { programs = { a = {}, b = {} } })
    assert.same({ a = 'running', b = 'running', keep = 'running' }, net:all())
    assert.same({ 'web stopped', 'db stopped' }, since(net, { stopped = true }))
    assert.same({ 'a started', 'b started' }, since(net, { started = true }))
    assert.is_nil(net.sup:snapshot 'db')
    assert.equal('stopped by a reload', net:last('stopped', 'db').reason)
    assert.same({ nil, "no service 'db'", 'unknown' }, { net.sup:start 'db' })
  end)

  it('restarts what has another shape, dependents stopping first, and leaves the others alone', function()
    local function list(nice) return {
      { 'db', { nice = nice } }, { 'api', { depends_on = { 'db' } } }, { 'web', { nice = nice, depends_on = { 'api' } } },
    } end
    local net = network.new(list(1), { programs = { web = { stop_takes = 300 }, db = { stop_takes = 300 } } }):up(500)
    local before = pids(net)
    net.told_before = #net.events
    net:reload(list(2), 3000)
    local after = pids(net)
    assert.equal(before.api, after.api)
    assert.not_equal(before.db, after.db)
    assert.same({ 'web started', 'db started' }, since(net, { started = true }))
    assert.equal('reload', net:last('restarted', 'db').by)
    assert.equal(0, net.sup:snapshot('db').restart_count)
    assert.same({}, since(net, { crashed = true, backoff = true }))
  end)

  it('of a chain waits: nobody starts before what it needs is back', function()
    local function list(nice) return { { 'db', { nice = nice } }, { 'web', { nice = nice, depends_on = { 'db' } } } } end
    local net = network.new(list(1), { programs = { db = { stop_takes = 300 } } }):up(500)
    net.told_before = #net.events
    net:reload(list(2), 3000)
    assert.same({ 'db started', 'web started' }, since(net, { started = true }))
    assert.same({ db = 'running', web = 'running' }, net:all())
  end)

  it('leaves a restart to come that an earlier one has asked for', function()
    local function list(nice, more) return { { 'db', { nice = nice } }, { 'web', { nice = nice, depends_on = { 'db' } } }, more } end
    local net = network.new(list(1), { programs = { web = { stop_takes = 500 }, other = {} } }):up(500)
    net:reload(list(2), 100)
    assert.same({ 'running', 'stopping' }, { net:status 'db', net:status 'web' })
    net:reload(list(2, { 'other' }), 100)
    assert.same({ 'running', 1 }, { net:status 'db', net.sup:service('db').nice })
    net.world:advance(2000)
    assert.same({ 2, 2 }, { #net:runs 'db', #net:runs 'web' })
    assert.same({ 2, 2 }, { net.sup:service('db').nice, net:runs('db')[2].spec.nice })
  end)

  it('gives the new process the new shape, and the old one keeps its own until its end', function()
    local net = over({ { 'a', { command = { 'a', '1' } } } }, { { 'a', { command = { 'a', '2' }, stop = { timeout = 50 } } } },
      { programs = { a = { stop_takes = 200 } } }, 20)
    assert.equal('1', net.sup:service('a').command[2])
    assert.equal('stopping', net:status 'a')
    net.world:advance(1000)
    assert.equal('2', net.sup:service('a').command[2])
    assert.equal('2', net:runs('a')[2].spec.argv[2])
    assert.equal('running', net:status 'a')
  end)

  it('lets more start at once, or fewer', function()
    local list, programs = {}, {}
    for i = 1, 6 do
      list[i] = { 's' .. i, { health = { kind = 'tcp', host = '127.0.0.1', port = i } } }
      programs['s' .. i] = { listens = { i }, listens_after = 1000 }
    end
    local net = network.new(list, { plan = { max_parallel_starts = 1 }, programs = programs }):up(500)
    assert.equal(1, net.sup.starting)
    net:reload(list, 100, { max_parallel_starts = 3 })
    assert.equal(3, net.sup.starting)
    net:reload(list, 100)
    assert.equal(6, net.sup.starting)
    assert.same({}, net.errors)
    net.world:advance(5000)
    assert.equal('running', net:status 's6')
  end)

  it('gives the log another form with the new process', function()
    local function list(format) return { { 'a', { log = { format = format } } }, { 'web', { depends_on = { 'a' } } } } end
    local net = network.new(list 'raw', { programs = { a = { stop_takes = 200 } } }):up(500)
    local before = net.sup:open_log 'a'
    net:reload(list 'json', 100)
    assert.equal(before, net.sup:open_log 'a')
    net.world:advance(500)
    local after = net.sup:open_log 'a'
    assert.not_equal(before, after)
    assert.equal('json', net.world.logs[after].format)
  end)

  it('stops the process that lives by the new words', function()
    local function list(ms) return { { 'a', { stop = { timeout = ms } } } } end
    local net = network.new(list(10000), { programs = { a = { ignore = { [15] = true } } } }):up(500)
    net:reload(list(100), 10)
    net.sup:stop 'a'
    net.world:advance(90)
    assert.equal('stopping', net:status 'a')
    net.world:advance(50)
    assert.equal('stopped', net:status 'a')
    assert.equal(1, #net:runs 'a')
  end)

  it('leaves stopped what a person has stopped, and gives it its new shape', function()
    local net = network.new({ { 'a', { nice = 1 } } }):up(500)
    net.sup:stop 'a'
    net.world:advance(500)
    net:reload({ { 'a', { nice = 2 } } }, 1000)
    assert.equal('stopped', net:status 'a')
    assert.equal(2, net.sup:service('a').nice)
    net.sup:start 'a'
    net.world:advance(500)
    assert.equal('running', net:status 'a')
  end)

  it('gives what has failed a new chance when its command is another', function()
    local function list(word) return { { 'a', { command = { word }, restart = { max_retries = 0 } } } } end
    local net = network.new(list 'bad', { programs = { bad = { exit_after = 10, code = 1 }, good = {} } }):up(500)
    assert.equal('failed', net:status 'a')
    net:reload(list 'good', 500)
    assert.equal('running', net:status 'a')
    net:reload({ { 'a', { command = { 'good' }, restart = { max_retries = 5 } } } }, 500)
    assert.equal(5, net.sup:why('a').max_retries)
  end)

  it('begins the count of restarts anew', function()
    local function list(word, most) return { { 'a', { command = { word }, restart = { max_retries = most, delay = 10000 } } } } end
    local net = network.new(list('bad', 1), { programs = { bad = { exit_after = 10, code = 1 }, good = {} } }):up(500)
    assert.equal('backoff', net:status 'a')
    net:reload(list('good', 1), 500)
    local seen = net.sup:snapshot 'a'
    assert.same({ 'running', 0, 0 }, { seen.status, seen.attempt, seen.restart_count })
  end)

  it('probes by the new times at once, and what was healthy stays so', function()
    local function list(interval) return { { 'a', { health = { kind = 'tcp', host = '127.0.0.1', port = 1, interval = interval } } } } end
    local net = network.new(list(30000), { programs = { a = { listens = { 1 } } } }):up(500)
    assert.equal('healthy', net.sup:snapshot('a').health)
    net.told_before = #net.events
    net:reload(list(1000), 0)
    assert.equal('healthy', net.sup:snapshot('a').health)
    net.world:advance(3500)
    assert.equal(3, #since(net, { probe = true }))
    assert.equal(1, #net:runs 'a')
  end)

  it('knows nothing by another check until it has answered; a service without one is ready', function()
    local function list(port) return { { 'a', {
      health = port and { kind = 'tcp', host = '127.0.0.1', port = port, interval = 1000, retries = 1 } or nil } } } end
    local net = network.new(list(1), { programs = { a = { listens = { 1 } } } }):up(500)
    net:reload(list(2), 0)
    assert.same({ 'unknown', 'running' }, { net.sup:snapshot('a').health, net:status 'a' })
    net.world:advance(2000)
    assert.equal('unhealthy', net.sup:snapshot('a').health)
    net:reload(list(nil), 100)
    assert.same({ 'none', 'running' }, { net.sup:snapshot('a').health, net:status 'a' })
    net = network.new(list(1)):up(500)
    assert.equal('starting', net:status 'a')
    net:reload(list(nil), 100)
    assert.equal('running', net:status 'a')
    assert.equal(1, #net:runs 'a')
  end)

  it('another timeout counts from the start of the life', function()
    local function list(ms) return { { 'a', { max_runtime = ms, restart = { policy = 'no' } } } } end
    local net = network.new(list(100000)):up(500)
    net:reload(list(2000), 1000)
    assert.equal('running', net:status 'a')
    net.world:advance(600)
    assert.equal('failed', net:status 'a')
  end)

  it('takes over edges: who waits goes on waiting for the new one only', function()
    local net = network.new({ { 'slow', { health = { kind = 'tcp', host = '127.0.0.1', port = 1 } } }, { 'b' },
      { 'web', { depends_on = { 'slow' } } } }):up(500)
    assert.equal('waiting', net:status 'web')
    net:reload({ { 'slow', { health = { kind = 'tcp', host = '127.0.0.1', port = 1 } } }, { 'b' }, { 'web', { depends_on = { 'b' } } } }, 100)
    assert.equal('running', net:status 'web')
    assert.equal(1, #net.sup.nodes.web.needs)
    assert.equal(0, #net.sup.nodes.slow.serves)
  end)

  it('a new edge does not restart who lives, its dependency coming back does', function()
    local function list(edges) return { { 'db' }, { 'web', { depends_on = edges } } } end
    local net = over(list {}, list { { id = 'db', restart = true } })
    assert.equal(1, #net:runs 'web')
    net.sup:restart 'db'
    net.world:advance(1000)
    assert.equal(2, #net:runs 'web')
  end)

  it('a new edge on a line that has been written already holds', function()
    local net = network.new({ { 'db' }, { 'other', { health = { kind = 'tcp', host = '127.0.0.1', port = 1 } } }, { 'web', { depends_on = { 'other' } } } },
      { programs = { db = { output = { { 10, 'listening' } } } } }):up(500)
    net:reload({ { 'db' }, { 'other', { health = { kind = 'tcp', host = '127.0.0.1', port = 1 } } },
      { 'web', { depends_on = { { id = 'db', condition = 'log', pattern = 'listening' } } } } }, 100)
    assert.equal('running', net:status 'web')
  end)

  it('a service that is gone and comes again while it stops is started again', function()
    local net = network.new({ { 'a' }, { 'b' } }, { programs = { a = { stop_takes = 500 } } }):up(500)
    net:reload({ { 'b' } }, 100)
    assert.equal('stopping', net:status 'a')
    net:reload({ { 'a' }, { 'b' } }, 50)
    net.sup:want({ 'a' }, 'up', 'reload')
    net.world:advance(1000)
    assert.equal('running', net:status 'a')
    assert.equal(2, #net:runs 'a')
    assert.same({ 'a', 'b' }, net.sup:list())
  end)

  it('is refused during the shutdown, and the shutdown ends what leaves, too', function()
    local net = network.new({ { 'a' }, { 'b' } }, { programs = { a = { ignore = { [15] = true } } } }):up(500)
    net:reload({ { 'b' } }, 100)
    net.sup:shutdown 'end'
    assert.same({ nil, 'the network is shutting down', 'busy' }, { net.sup:reload(net.plan, {}) })
    net.world:advance(20000)
    assert.is_true(net.rests[#net.rests].down)
    assert.is_true(net.world:quiet())
  end)

  it('a stop by hand during a restart by reload wins', function()
    local function list(nice) return { { 'db', { nice = nice } }, { 'web', { nice = nice, depends_on = { 'db' } } } } end
    local net = network.new(list(1), { programs = { web = { stop_takes = 300 } } }):up(500)
    net:reload(list(2), 100)
    net.sup:stop 'web'
    net.sup:stop 'db'
    net.world:advance(3000)
    assert.same({ db = 'stopped', web = 'stopped' }, net:all())
  end)

  it('another schedule counts from the reload; without one it is a service like others', function()
    local function list(every) return { { 'a', { task = true, schedule = every and { every = every } or nil } } } end
    local net = network.new(list(1000), { programs = { a = { exit_after = 10 } } }):up(1500)
    assert.equal(2, #net:runs 'a')
    net:reload(list(5000), 4900)
    assert.equal(2, #net:runs 'a')
    net.world:advance(200)
    assert.equal(3, #net:runs 'a')
    net:reload(list(nil), 20000)
    assert.equal(3, #net:runs 'a')
  end)

  it('another kind of process takes its place', function()
    local net = over({ { 'a' } }, { { 'a', { task = true } } }, { programs = { a = { exit_after = 5000 } } }, 1000)
    assert.equal('starting', net:status 'a')
    net.world:advance(6000)
    assert.equal('completed', net:status 'a')
  end)

  it('leaves no trace of those that came and went', function()
    local net = network.new({ { 'a' } }):up(500)
    for i = 1, 20 do
      net:reload({ { 'a' }, { 'b' .. i, { depends_on = { 'a' } } } }, 200)
      net:reload({ { 'a' } }, 200)
    end
    assert.same({ 'a' }, net.sup.order)
    local count = 0
    for _ in pairs(net.sup.nodes) do count = count + 1 end
    assert.equal(1, count)
    assert.equal(0, #net.sup.nodes.a.serves)
    assert.same({ 1, 0, 1 }, { net.sup.active, net.sup.unready, net.sup.wanted })
  end)
end)
