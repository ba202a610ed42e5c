local network = require 'network'

describe('the driver of workers', function()
  local net
  after_each(function()
    assert.same({}, net.errors)
  end)

  -- One worker `w` with this body, up for `ms`.
  local function up(run, fields, ms, opts)
    fields = fields or {}
    fields.kind, fields.run, fields.command = 'worker', run, false
    local list = { { 'w', fields } }
    for _, entry in ipairs(opts and opts.others or {}) do list[#list + 1] = entry end
    net = network.new(list, opts)
    net:up(ms or 10)
    return net
  end

  local function log()
    local out = {}
    for i, line in ipairs(net.sys.log.lines(net.sup:log 'w', { count = 1000 })) do out[i] = line.text end
    return table.concat(out, '\n')
  end

  local function reason() return net.sup:snapshot('w').reason end

  describe('its life', function()
    it('is ready when `run` waits for the first time, and completed when it returns', function()
      up(function(self) self:sleep(1000) end)
      assert.equal('running', net:status 'w')
      net.world:advance(1000)
      assert.same({ 'completed', 'exit code 0' }, { net:status 'w', reason() })
      assert.same({ 'w started', 'w ready', 'w completed' }, net:told { started = true, ready = true, completed = true })
    end)

    it('one that only computes is started and completed', function()
      up(function() end)
      assert.same({ 'w started', 'w completed' }, net:told { started = true, completed = true, crashed = true })
    end)

    it('an error is its end with code 1, told with the place, and the policy decides', function()
      local lives = 0
      up(function(self)
        lives = lives + 1
        self:sleep(100)
        error 'no more'
      end, { restart = { delay = 500, max_retries = 1 } }, 150)
      assert.equal('backoff', net:status 'w')
      local crashed = net:last 'crashed'
      assert.equal(1, crashed.exit_code)
      assert.truthy(crashed.reason:find '^.*worker_spec.lua:%d+: no more$', crashed.reason)
      assert.truthy(log():find('worker_spec.lua:%d+: no more\nstack traceback:'), log())
      assert.is_nil(log():find('stdlib/pact', 1, true))
      net.world:advance(2000)
      assert.same({ 'failed', 2 }, { net:status 'w', lives })
      assert.truthy(reason():find('no more; gave up after 1 restart', 1, true))
    end)

    it('errors of every kind have words', function()
      for _, value in ipairs { 'text', { message = 'in a table' }, setmetatable({}, { __tostring = function() error 'x' end }), 5 } do
        up(function() error(value, 0) end, { restart = { policy = 'no' } })
        assert.equal('failed', net:status 'w')
      end
      up(function() error() end, { restart = { policy = 'no' } })
      assert.same({ 'failed', 'raised nothing' }, { net:status 'w', reason() })
    end)

    it('a stop ends it where it waits, with its to-be-closed variables', function()
      local closed, went_on
      up(function(self)
        local _ <close> = setmetatable({}, { __close = function()
          closed = true
          self:print 'closing'
        end })
        self:sleep(100000)
        went_on = true
      end)
      net.sup:stop 'w'
      net.world:advance(1)
      assert.same({ 'stopped', true, 'stopped by hand' }, { net:status 'w', closed, reason() })
      assert.equal('closing', log())
      net.world:advance(200000)
      assert.is_nil(went_on)
      assert.same({}, net:told { crashed = true, failed = true, completed = true })
    end)

    it('it may stop or restart itself', function()
      local lives = 0
      up(function(self)
        lives = lives + 1
        self:sleep '10ms'
        if lives == 1 then net.sup:restart 'w' else net.sup:stop 'w' end
        self:sleep '10ms'
        lives = lives + 100
      end, nil, 1000)
      assert.same({ 'stopped', 2 }, { net:status 'w', lives })
    end)

    it('one that lives too long, or is not ready in time, is ended: a crash', function()
      up(function(self) self:sleep '1h' end, { max_runtime = 500, restart = { policy = 'no' } }, 600)
      assert.same({ 'failed', 'ran longer than 500 ms' }, { net:status 'w', reason() })
      up(function(self) self:sleep '1h' end, {
        timeout = 300, restart = { policy = 'no' }, health = { kind = 'tcp', host = '127.0.0.1', port = 1 },
      }, 400)
      assert.same({ 'failed', 'not ready after 300ms: connection refused' }, { net:status 'w', reason() })
    end)

    it('is stopped by a function of its own environment: nothing runs', function()
      local ran
      up(function() ran = true end, { env = { X = function() net.sup:stop 'w' end } })
      assert.same({ 'stopped', nil }, { net:status 'w', ran })
    end)

    it('what an old epoch left acts no more', function()
      local old
      up(function(self)
        if not old then
          old = self
          self:every(100, function() self:print 'old' end)
        end
        self:sleep(100000)
      end)
      net.sup:restart 'w'
      net.world:advance(1000)
      assert.equal('', log())
      for _, call in ipairs {
        function() old:sleep(100) end, function() old:every(100, print) end, function() old:spawn(print) end,
        function() old:http_server { handler = print } end,
      } do
        local ok, message = pcall(call)
        assert.is_false(ok)
        assert.truthy(message:find('this worker has been stopped', 1, true), message)
      end
      old:print 'late'
      assert.equal('', log())
    end)

    it('servers, timers and tasks keep it alive when `run` has returned', function()
      up(function(self)
        self:after(300, function() end)
        self:spawn(function() self:sleep(500) end)
      end)
      net.world:advance(400)
      assert.equal('running', net:status 'w')
      net.world:advance(200)
      assert.equal('completed', net:status 'w')
    end)

    it('a task of it that fails is its end', function()
      up(function(self)
        self:spawn(function()
          self:sleep(100)
          error('the branch broke', 0)
        end)
        self:sleep(100000)
      end, { restart = { policy = 'no' } }, 200)
      assert.same({ 'failed', 'the branch broke' }, { net:status 'w', reason() })
    end)

    it('waits for dependencies, and is waited for', function()
      up(function(self) self:sleep(100000) end, { depends_on = { 'db' } }, 50, {
        others = { { 'db', { health = { kind = 'tcp', host = '127.0.0.1', port = 5000 } } }, { 'web', { depends_on = { 'w' } } } },
      })
      assert.same({ 'waiting', 'waiting' }, { net:status 'w', net:status 'web' })
      net.world.tcp['127.0.0.1:5000'] = true
      net.world:advance(2000)
      assert.same({ 'running', 'running' }, { net:status 'w', net:status 'web' })
    end)

    it('counts as living for the network', function()
      up(function(self) self:sleep(1000) end)
      assert.equal(0, #net.rests)
      net.world:advance(1000)
      assert.same({ false, 0 }, { net.rests[1].down, net.rests[1].status })
    end)

    it("says itself when it is ready, where `ready = 'notify'` asks for that", function()
      local NOTIFY = { kind = 'notify', interval = 30000 }
      up(function(self)
        self:sleep '300ms'
        self:ready 'warm'
        self:sleep '1h'
      end, { ready = NOTIFY }, 200)
      assert.equal('starting', net:status 'w')
      net.world:advance(200)
      assert.equal('running', net:status 'w')
      up(function(self)
        self:ready()
        self:sleep '1h'
      end, { ready = NOTIFY })
      assert.equal('running', net:status 'w')
    end)

    it('is stopped by a shutdown at once', function()
      up(function(self)
        self:http_server { listen = 8081, handler = function() return 'x' end }
        self:every(100, function() end)
      end)
      net.sup:shutdown 'test'
      net.world:advance(1)
      assert.same({ true, 0, 'stopped' }, { net.rests[1].down, net.rests[1].status, net:status 'w' })
      assert.is_nil(net.world.web.ask(8081, 'GET', '/'))
    end)

    it('has the environment that a process would have', function()
      local env
      up(function(self) env = self.env end, {
        env = { MODE = 'test', N = function() return 7 end }, depends_on = { 'db' },
      }, 10, { others = { { 'db', { ports = { { name = 'sql', port = 5433, fallback = false } } } } } })
      assert.same({ 'test', '7', '5433', 'w' }, { env.MODE, env.N, env.DB_PORT, env.PACTLUA_SERVICE })
    end)

    it('knows who it is', function()
      local seen
      up(function(self) seen = { self.id, self.epoch, self.config.display_name } end)
      assert.same({ 'w', 1, 'w' }, seen)
    end)
  end)

  describe('its timers', function()
    it('come again until switched off; the next begins when the last has ended', function()
      local rounds = {}
      up(function(self)
        local timer
        timer = self:every('100ms', function()
          rounds[#rounds + 1] = net.world.now
          self:sleep '50ms'
          if #rounds == 3 then timer.off() end
        end)
      end, nil, 1000)
      assert.same({ 150, 150 }, { rounds[2] - rounds[1], rounds[3] - rounds[2] })
      assert.same({ 3, 'completed' }, { #rounds, net:status 'w' })
    end)

    it('an error in one is told, and it goes on', function()
      local rounds = 0
      up(function(self)
        self:every(100, function()
          rounds = rounds + 1
          error 'oh'
        end)
      end, nil, 350)
      assert.same({ 3, 'running' }, { rounds, net:status 'w' })
      local event = net:last 'hook_failed'
      assert.same({ 'w', 'every', 'oh' }, { event.service, event.hook, event.message })
      assert.truthy(event.line and event.file:find 'worker_spec', event.file)
      assert.truthy(log():find('every: .-worker_spec.lua:%d+: oh\nstack traceback'), log())
      assert.equal(1, #net:told { hook_failed = true }) -- the same once a second
    end)
  end)

  describe('misuse', function()
    local function refusal(body)
      up(body, { restart = { policy = 'no' } })
      return reason()
    end
    for _, row in ipairs {
      { function(self) self:sleep(5) end, "sleep .*5ms" },
      { function(self) self:every(100) end, 'every: a function expected, got nothing' },
      { function(self) self:http_server {} end, 'http_server: has nothing to answer with' },
      { function(self) self:http_server 'x' end, "http_server: must be a table of fields, got 'x'" },
      { function(self) self:http_server { handlr = print } end, "unknown key 'handlr' %(did you mean 'handler'%?%)" },
      { function(self) self:http_server { handler = print, listen = 'nowhere' } end, "listen must be 'host:port'" },
      { function(self) self:http_server { handler = print, listen = 70000 } end, "listen must be 'host:port'" },
      { function(self) self:http_server { routes = { ['GET items'] = print } } end,
        "routes: 'GET items' must be 'METHOD /path'" },
      { function(self) self:http_server { routes = { ['/*/x'] = print } } end, "has something behind '%*'" },
    } do
      it(row[2] .. ' is said with its place', function()
        local why = refusal(row[1])
        assert.truthy(why:find(row[2]), why)
        assert.truthy(why:find 'worker_spec.lua:%d+: ', why)
      end)
    end
  end)

  describe('its ports', function()
    local function serve(opts)
      return function(self)
        opts.handler = function() return 'ok' end
        self:http_server(opts)
      end
    end

    it('a taken one fails it at once, and its holder is named', function()
      up(serve { listen = 8081 }, nil, 0, { others = {} })
      net.world.holders[9000] = { pid = 77, name = 'nc', command = 'nc -l 9000', uid = 0 }
      up(function() end)
      net = network.new { { 'w', { kind = 'worker', command = false, run = serve { listen = 9000 } } } }
      net.world.holders[9000] = { pid = 77, name = 'nc', command = 'nc -l 9000', uid = 0 }
      net:up(10)
      assert.same({ 'failed', 'port 9000 is taken by pid 77 (nc -l 9000)' }, { net:status 'w', reason() })
      assert.same({}, net:told { started = true, backoff = true })
    end)

    it('a declared one is claimed before anything runs', function()
      local ran
      net = network.new { { 'w', {
        kind = 'worker', command = false, run = function() ran = true end,
        ports = { { name = 'http', port = 9000, fallback = false } },
      } } }
      net.world.holders[9000] = { pid = 77, name = 'nc', command = 'nc -l 9000', uid = 0 }
      net:up(10)
      assert.same({ 'failed', 'port 9000 is taken by pid 77 (nc -l 9000); 9001 is free (fallback = true takes it)' }, { net:status 'w', reason() })
      assert.is_nil(ran)
    end)

    it("another service's is refused by that one's name", function()
      up(serve { listen = 9000 }, { depends_on = { 'db' } }, 10, {
        others = { { 'db', { ports = { { name = 'sql', port = 9000, fallback = false } } } } },
      })
      assert.same({ 'failed', "port 9000 is taken by service 'db'" }, { net:status 'w', reason() })
    end)

    it('0 is any, and is shown; dependents are told of it', function()
      up(serve { listen = 0 }, nil, 10, { others = { { 'web', { depends_on = { 'w' } } } } })
      local port = net.sup:snapshot('w').ports.http
      assert.truthy(port and port > 0)
      assert.truthy(table.concat(net:runs('web')[1].spec.env, ' '):find('W_URL=http://127.0.0.1:' .. port, 1, true))
    end)

    it('without a word it is the declared one', function()
      up(serve {}, { ports = { { name = 'api', port = 9100, fallback = false } } })
      assert.same({ api = 9100 }, net.sup:snapshot('w').ports)
      assert.truthy(net.world.web.ask(9100, 'GET', '/'))
    end)

    it('a second server has a name of its own', function()
      up(function(self)
        self:http_server { listen = 9101, handler = print }
        self:http_server { listen = 9102, handler = print }
        self:http_server { listen = 9103, handler = print, name = 'admin' }
      end)
      assert.same({ http = 9101, ['9102'] = 9102, admin = 9103 }, net.sup:snapshot('w').ports)
    end)

    it('are free again for the next epoch', function()
      up(serve { listen = 9104 })
      net.sup:restart 'w'
      net.world:advance(10)
      assert.same({ 'running', { http = 9104 } }, { net:status 'w', net.sup:snapshot('w').ports })
      net.sup:stop 'w'
      net.world:advance(10)
      assert.is_nil(next(net.sup.claims))
    end)

    it('one that is closed is no port of it any more', function()
      local first
      up(function(self)
        first = self:http_server { listen = 9106, handler = print }
        self:http_server { listen = 9107, handler = print, name = 'admin' }
      end)
      first:close()
      net.world:advance(10)
      assert.same({ { admin = 9107 }, nil, 'running' }, { net.sup:snapshot('w').ports, net.sup.claims[9106], net:status 'w' })
    end)

    it('a Unix socket in use fails it at once, too', function()
      up(function(self)
        self:http_server { listen = 'unix:w.sock', handler = print }
        self:http_server { listen = './w.sock', handler = print }
      end)
      assert.equal('failed', net:status 'w')
      assert.truthy(reason():find "http_server: .*w.sock.*in use", reason())
    end)

    it('the end of the last server is the end of the worker', function()
      local server
      up(function(self) server = self:http_server { listen = 9105, handler = print } end)
      assert.same({ 9105, 'http://127.0.0.1:9105', 'running' }, { server.port, server.url, net:status 'w' })
      server:close()
      net.world:advance(10)
      assert.equal('completed', net:status 'w')
    end)
  end)

  it('its health may ask its own server', function()
    local well = true
    up(function(self)
      self:http_server { listen = 9200, handler = function() return { status = well and 200 or 500 } end }
    end, { health = { kind = 'http', url = 'http://127.0.0.1:9200/health', interval = 1000 } }, 500)
    assert.same({ 'running', 'healthy' }, { net:status 'w', net.sup:snapshot('w').health })
    well = false
    net.world:advance(5000)
    assert.equal('unhealthy', net.sup:snapshot('w').health)
  end)
end)
