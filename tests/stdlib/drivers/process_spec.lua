local network = require 'network'

describe('the driver of processes', function()
  local net
  after_each(function()
    assert.same({}, net.errors)
  end)

  local function env_of(proc)
    local env = {}
    for _, entry in ipairs(proc.spec.env) do
      local name, value = entry:match '^([^=]+)=(.*)$'
      env[name] = value
    end
    return env
  end

  it('hands everything to the spawn', function()
    net = network.new { { 'web', {
      command = { 'web', '-p', function() return 3000 end }, cwd = '/srv/w', stdin = 'null', nice = 5, oom_score_adj = 9, umask = 18,
      limits = { nofile = { 10, 20 } }, stop = { signal = 2 }, env = { A = '1' },
    } } }
    net:up(10)
    local spec = net:runs('web')[1].spec
    assert.same({ 'web', '-p', '3000' }, spec.argv)
    assert.same({ '/srv/w', 'null', 'log', 'log', 5, 9, 18, 2, { nofile = { 10, 20 } } },
      { spec.cwd, spec.stdin, spec.stdout, spec.stderr, spec.nice, spec.oom_score_adj, spec.umask, spec.pdeathsig, spec.limits })
    assert.equal('PACTLUA_TAG=/run/1/web/1', spec.tag)
    local env = env_of(net:runs('web')[1])
    assert.same({ '1', '/run/1/web/1', 'web' }, { env.A, env.PACTLUA_TAG, env.PACTLUA_SERVICE })
  end)

  it('names the limit that is above what may be set', function()
    net = network.new({ { 'web', { limits = { core = { 0, 0 }, nofile = { 65535, 65535 } } } } }, {
      programs = { web = { fail = 'EPERM', step = 'limits', message = 'limits: Operation not permitted' } },
    })
    net.world.limits = { core = { 0, -1 }, nofile = { 1024, 20000 } }
    net:up(10)
    assert.equal('limits: nofile = 65535 is above the hard limit of 20000, which only root may raise',
      net.sup:snapshot('web').reason)
  end)

  it('runs a shell line by /bin/sh', function()
    net = network.new { { 'web', { shell = 'web | cat' } } }
    net:up(10)
    assert.same({ '/bin/sh', '-c', 'web | cat' }, net:runs('web')[1].spec.argv)
  end)

  it('becomes another user, with that one\'s home', function()
    net = network.new { { 'web', { user = 'root' } }, { 'bad', { user = 'nobody-such' } } }
    net:up(10)
    local proc = net:runs('web')[1]
    assert.same({ 0, 0, '/root', 'root' }, { proc.spec.uid, proc.spec.gid, env_of(proc).HOME, env_of(proc).USER })
    assert.same({ 'failed', "user 'nobody-such': no such user" }, { net:status 'bad', net.sup:snapshot('bad').reason })
  end)

  it('calls functions of the recipe anew at each start; they may wait, and their errors are the service\'s', function()
    local calls = 0
    net = network.new({ { 'web', { env = { N = function()
      calls = calls + 1
      net.loop:sleep(50)
      return calls
    end } } }, { 'bad', { env = { X = function() error('no value', 0) end } } } },
      { programs = { web = { exit_after = 10, code = 1 } } })
    net:up(1500)
    assert.same({ '1', '2' }, { env_of(net:runs('web')[1]).N, env_of(net:runs('web')[2]).N })
    assert.same({ 'failed', 'env X: no value' }, { net:status 'bad', net.sup:snapshot('bad').reason })
  end)

  it('is stopped while a function of the recipe waits: nothing is started', function()
    net = network.new { { 'web', { env = { N = function() net.loop:sleep(5000) end } } } }
    net:up(100)
    net.sup:stop 'web'
    net.world:advance(10000)
    assert.same({ 'stopped', 0 }, { net:status 'web', #net:runs 'web' })
    net.sup:start 'web'
    net.world:advance(10000)
    assert.same({ 'running', 1 }, { net:status 'web', #net:runs 'web' })
  end)

  it('shows that a process was stopped by a signal', function()
    local said = {}
    net = network.new({ { 'web' } }, { sup = { say = function(text) said[#said + 1] = text end } })
    net:up(10)
    net.world:event(net:runs('web')[1].id, 'jobstop', 19, true)
    local text = "stopped by SIGSTOP; 'pactlua signal web --signal CONT' lets it go on"
    assert.same({ text, text }, { net.sup:snapshot('web').reason, net.sup:snapshot('web').note })
    net.world:event(net:runs('web')[1].id, 'jobstop', 18, false)
    assert.equal('started', net.sup:snapshot('web').reason)
    assert.same({ 'web: ' .. text }, said)
  end)

  it('shows when a process that does not end will be killed, and that it was', function()
    net = network.new({ { 'web', { stop = { timeout = 4500 } } } }, { programs = { web = { deaf = true } } })
    net:up(10)
    net.sup:stop 'web'
    net.world:advance(1500)
    assert.equal('stopped by hand; KILL in 3 s', net.sup:snapshot('web').reason)
    net.world:advance(10000)
    assert.equal('stopped by hand, killed after 4.5 s of grace', net.sup:snapshot('web').reason)
    assert.equal('stopped by hand, killed after 4.5 s of grace', net:last('stopped').reason)
  end)

  it('tells of processes that one left behind which ended by itself', function()
    local said = {}
    net = network.new({ { 'web' }, { 'asked' } }, {
      programs = { web = { exit_after = 5, leaves = 2 }, asked = { leaves = 1 } },
      sup = { say = function(text) said[#said + 1] = text end },
    })
    net:up(600)
    net.sup:stop 'asked'
    net.world:advance(1000)
    assert.same({ 'web: it left 2 processes behind, which were ended (stop.scope and stop.keep spare some)' }, said)
    assert.equal(2, net.sup:snapshot('web').history[1].left)
  end)

  it('passes signals on, and says when there is nobody to hear them', function()
    net = network.new { { 'web' }, { 'idle' } }
    net.sup:want({ 'web' }, 'up', 'recipe')
    net.world:advance(10)
    assert.is_true(net.sup:signal('web', 'SIGUSR1'))
    assert.is_true(net.sup:signal('web', 12))
    assert.same({ 10, 12 }, net:runs('web')[1].signals)
    assert.same({ nil, "'idle' does not run (idle)", 'gone' }, { net.sup:signal('idle', 'HUP') })
    assert.same({ nil, "no signal 'FOO'", 'EINVAL' }, { net.sup:signal('web', 'FOO') })
  end)

  describe('claims ports', function()
    local function ports(...)
      return { ports = { ... } }
    end

    it('and names who has a taken one', function()
      net = network.new { { 'web', ports { name = '3000', port = 3000, fallback = false } } }
      net.world.holders[3000] = { pid = 12, name = 'node', command = 'node server.js', uid = 0 }
      net:up(10)
      assert.equal('failed', net:status 'web')
      assert.equal('port 3000 is taken by pid 12 (node server.js); 3001 is free (fallback = true takes it)', net.sup:snapshot('web').reason)
    end)

    it('or takes the next with fallback, and tells everybody', function()
      net = network.new { { 'web', ports { name = 'http', port = 3000, fallback = true } }, { 'cli', { depends_on = { 'web' } } } }
      net.world.holders[3000] = { pid = 12, name = 'node', command = 'node', uid = 0 }
      net.world.holders[3001] = { pid = 13, name = 'node', command = 'node', uid = 0 }
      net:up(10)
      assert.same({ http = 3002 }, net.sup:snapshot('web').ports)
      assert.equal('3002', env_of(net:runs('web')[1]).PORT)
      assert.equal('3002', env_of(net:runs('cli')[1]).WEB_PORT)
    end)

    it('of the network once only', function()
      net = network.new { { 'a', ports { name = 'x', port = 3000, fallback = false } }, { 'b', ports { name = 'x', port = 3000, fallback = true } } }
      net:up(10)
      assert.same({ { x = 3000 }, { x = 3001 } }, { net.sup:snapshot('a').ports, net.sup:snapshot('b').ports })
      net.sup:stop 'a'
      net.world:advance(10)
      net.sup:restart 'b'
      net.world:advance(10)
      assert.same({ x = 3000 }, net.sup:snapshot('b').ports)
    end)

    it('and waits for a service that is on its way to its end', function()
      net = network.new({
        { 'shop', { ports = { { name = 'x', port = 3000, fallback = false } }, restart = { policy = 'no' } } },
        { 'spare', { ports = { { name = 'x', port = 3000, fallback = false } } } },
      }, { programs = { shop = { deaf = true }, spare = {} } })
      net.sup:want({ 'shop' }, 'up', 'person', {})
      net.world:advance(10)
      net.sup:stop 'shop'
      net.sup:start 'spare'
      net.world:advance(5000)
      assert.equal("port 3000 is still held by service 'shop', which is ending; waiting for it", net.sup:snapshot('spare').reason)
      net.world:advance(6000)
      assert.same({ 'stopped', 'running' }, { net:status 'shop', net:status 'spare' })
      assert.same({ x = 3000 }, net.sup:snapshot('spare').ports)
    end)

    it('and waits for a socket of its last life that lingers', function()
      net = network.new({ { 'web', { ports = { { name = 'x', port = 3000, fallback = false } }, restart = { delay = 0 } } } },
        { programs = { web = function(_, nth) return nth == 1 and { exit_after = 100, code = 1 } or {} end } })
      net:up(99)
      net.world.lingering[3000] = net.world.now + 5000
      net.world:advance(4500)
      assert.equal('starting', net:status 'web')
      assert.equal('port 3000 is held by connections that linger; waiting for it', net.sup:snapshot('web').reason)
      net.world:advance(1000)
      assert.equal('running', net:status 'web')
    end)

    it('and gives up on one that is held by somebody unseen', function()
      net = network.new { { 'web', ports { name = 'x', port = 80, fallback = false } } }
      net.sys.net.port_free = function() return false, 'EADDRINUSE' end
      net:up(2000)
      assert.equal("port 80 is taken by a process that can't be seen (another user's?)", net.sup:snapshot('web').reason)
    end)
  end)
end)
