local network = require 'network'

describe('a service that tells of itself by sd_notify', function()
  local net
  after_each(function()
    assert.same({}, net.errors)
  end)

  local NOTIFY = { kind = 'notify', interval = 30000, retries = 3 }
  local DOG = { kind = 'notify', interval = 1000, retries = 2, watchdog = true }

  local function up(program, fields, ms)
    fields.health = fields.health or NOTIFY
    net = network.new({ { 'web', fields } }, { programs = { web = program } })
    return net:up(ms)
  end

  local function seen()
    local s = net.sup:snapshot 'web'
    return { s.status, s.health, s.reason }
  end

  local function variable(name)
    local runs = net:runs 'web'
    for _, entry in ipairs(runs[#runs].spec.env) do
      local value = entry:match('^' .. name .. '=(.*)$')
      if value then return value end
    end
  end

  it('finds its socket and its watchdog in its environment', function()
    up({}, { env = { OWN = '1' } }, 10)
    assert.equal('/run/1/n1.sock', variable 'NOTIFY_SOCKET')
    assert.equal('30000000', variable 'WATCHDOG_USEC')
  end)

  it('is given no socket when its checks are of another kind', function()
    net = network.new({ { 'web', { health = { kind = 'alive' } } } },
      { sup = { environment = { PATH = '/bin', NOTIFY_SOCKET = '/run/systemd/notify', WATCHDOG_USEC = '5' } } })
    net:up(10)
    assert.is_nil(variable 'NOTIFY_SOCKET')
    assert.is_nil(variable 'WATCHDOG_USEC')
  end)

  -- what it says and when, after so long → status, health, reason
  local stories = {
    { 'READY=1', { { 50, 'READY=1' } }, 100, { 'running', 'healthy', 'READY=1' } },
    { 'nothing yet', {}, 100, { 'starting', 'unknown', 'not ready: READY=1 has not come' } },
    { 'STATUS while it starts', { { 50, 'STATUS=loading 3 of 9' } }, 100,
      { 'starting', 'unknown', 'not ready: loading 3 of 9' } },
    { 'STATUS with READY', { { 50, 'READY=1\nSTATUS=serving' } }, 100, { 'running', 'healthy', 'serving' } },
    { 'an empty STATUS takes it back', { { 50, 'READY=1\nSTATUS=serving' }, { 60, 'STATUS=' } }, 100,
      { 'running', 'healthy', 'READY=1' } },
    { 'no READY until the retries are up', {}, 91000,
      { 'starting', 'unhealthy', 'not ready: READY=1 has not come' } },
    { 'MAINPID of another', { { 50, 'READY=1\nMAINPID=77' } }, 100,
      { 'running', 'healthy', 'MAINPID=77 is ignored: the process that was started is the one that counts' } },
    { 'MAINPID of its own', { { 50, 'READY=1\nMAINPID=101' } }, 100, { 'running', 'healthy', 'READY=1' } },
    { 'STOPPING', { { 50, 'READY=1' }, { 60, 'STOPPING=1' } }, 100,
      { 'running', 'healthy', 'it says that it is stopping' } },
    { 'junk', { { 50, '=\nREADY\n1=READY\n\0\255' } }, 100, { 'starting', 'unknown', 'not ready: READY=1 has not come' } },
    { 'no watchdog where none was asked for', { { 50, 'READY=1' } }, 3600000, { 'running', 'healthy', 'READY=1' } },
    { 'a watchdog that it has begun by itself', { { 50, 'READY=1' }, { 100, 'WATCHDOG=1' } }, 40000,
      { 'running', 'unhealthy', 'no WATCHDOG=1 in 30s three times' } },
    { 'an interval of its own', { { 50, 'READY=1\nWATCHDOG=1\nWATCHDOG_USEC=500000' } }, 2000,
      { 'running', 'unhealthy', 'no WATCHDOG=1 in 500ms three times' } },
    { 'WATCHDOG=trigger', { { 50, 'READY=1' }, { 60, 'WATCHDOG=trigger' } }, 100,
      { 'running', 'unhealthy', 'WATCHDOG=trigger' } },
  }
  for _, row in ipairs(stories) do
    it('says: ' .. row[1], function()
      up({ notify = row[2] }, {}, row[3])
      assert.same(row[4], seen())
    end)
  end

  it('must say WATCHDOG=1 in each interval that the recipe gave; one later makes it healthy again', function()
    up({ notify = { { 50, 'READY=1' }, { 900, 'WATCHDOG=1' }, { 1800, 'WATCHDOG=1' }, { 5000, 'WATCHDOG=1' } } },
      { health = DOG }, 2700)
    assert.same({ 'running', 'healthy', 'READY=1' }, seen())
    net.world:advance(1300)
    assert.same({ 'running', 'unhealthy', 'no WATCHDOG=1 in 1s twice' }, seen())
    net.world:advance(1010)
    assert.same({ 'running', 'healthy', 'READY=1' }, seen())
  end)

  it('is restarted when it is silent and the recipe says so', function()
    up({ notify = { { 50, 'READY=1' } } }, { health = DOG, on_unhealthy = 'restart' }, 4000)
    assert.equal(2, #net:runs 'web')
    assert.equal('/run/1/n1.sock', variable 'NOTIFY_SOCKET')
    net.world:advance(100)
    assert.equal('running', net:status 'web')
  end)

  it('is left alone by the watchdog from STOPPING=1 on', function()
    up({ notify = { { 50, 'READY=1' }, { 100, 'STOPPING=1' } } }, { health = DOG }, 60000)
    assert.equal('healthy', net.sup:snapshot('web').health)
  end)

  it('gets more time to become ready by EXTEND_TIMEOUT_USEC', function()
    up({ notify = { { 900, 'EXTEND_TIMEOUT_USEC=2000000' }, { 2500, 'READY=1' } } }, { timeout = 1000 }, 3000)
    assert.same({ 'running', 1 }, { net:status 'web', #net:runs 'web' })
    up({ notify = { { 900, 'EXTEND_TIMEOUT_USEC=1000000' }, { 2500, 'READY=1' } } }, { timeout = 1000 }, 1950)
    assert.matches('^not ready after 1s', net.sup:snapshot('web').reason)
  end)

  it('gets more time until the first success by EXTEND_TIMEOUT_USEC', function()
    up({ notify = { { 1500, 'EXTEND_TIMEOUT_USEC=5000000' } } }, { health = DOG }, 6400)
    assert.equal('unknown', net.sup:snapshot('web').health)
    net.world:advance(200)
    assert.equal('unhealthy', net.sup:snapshot('web').health)
  end)

  it('gets more time to stop by EXTEND_TIMEOUT_USEC', function()
    up({ notify = { { 50, 'READY=1' }, { 1500, 'EXTEND_TIMEOUT_USEC=5000000' } }, ignore = { [15] = true } },
      { stop = { timeout = 1000 } }, 1000)
    net.sup:stop 'web'
    net.world:advance(5400)
    assert.equal('stopping', net:status 'web')
    net.world:advance(1200)
    assert.equal('stopped', net:status 'web')
  end)

  it('may have readiness alone by notify', function()
    net = network.new({ { 'web', { ready = NOTIFY } } }, { programs = { web = { notify = { { 50, 'READY=1' } } } } })
    net:up(20)
    assert.equal('starting', net:status 'web')
    net.world:advance(100)
    assert.same({ 'running', 'none', 'READY=1' }, seen())
    assert.is_nil(variable 'WATCHDOG_USEC')
  end)

  it('is not spoken for by others', function()
    up({}, {}, 100)
    net.world.files['/proc/999/stat'] = '999 (a) b) S 1 999'
    net.world:datagram('/run/1/n1.sock', 'READY=1', 999)
    net.world:datagram('/run/1/n1.sock', 'READY=1', 998, 1000)
    net.world:advance(300)
    assert.same({ 'starting', 'unknown', 'a notification of process 998 is ignored: it is none of its processes' }, seen())
  end)

  it('is spoken for by its children, and by those that have ended since', function()
    up({}, {}, 100)
    net.world.files['/proc/999/stat'] = '999 (a) b) S 555 999'
    net.world.files['/proc/555/stat'] = ('555 (sh) S %d 555'):format(net:runs('web')[1].pid)
    net.world:datagram('/run/1/n1.sock', 'READY=1', 999)
    net.world:advance(1)
    assert.equal('running', net:status 'web')
    up({}, {}, 100)
    net.world:datagram('/run/1/n1.sock', 'READY=1', 997)
    net.world:advance(1)
    assert.equal('running', net:status 'web')
  end)

  it('leaves no socket when it has ended', function()
    up({ exit_after = 100 }, { restart = { policy = 'no' } }, 5000)
    assert.is_false(net.world:datagram('/run/1/n1.sock', 'READY=1', 1))
  end)
end)
