local fake_engine = require 'fake_engine'

describe('a worker inside an engine', function()
  local function start(recipe, ms)
    local engine = fake_engine.start(recipe)
    engine.world:advance(ms or 100)
    return engine
  end

  local function log_of(engine, id)
    for _, log in pairs(engine.world.logs) do
      if log.name == id then
        local out = {}
        for i, line in ipairs(log.lines) do out[i] = line.text end
        return table.concat(out, '\n')
      end
    end
  end

  local function status(engine, id)
    local _, body = engine.ask('GET', '/v1/services/' .. id)
    return body.status, body.reason
  end

  it('prints into its own log: Lua\'s print too, and what runs beside it', function()
    local engine = start [[
      pact.worker 'w' { run = function(self)
        self:print('a', 1)
        print('b')
        io.write 'c\n'
        pact.all { function() print 'd' end }
        pact.spawn(function() print 'e' end)
        self:every('1s', function() print 'f' end)
        self:sleep '1500ms'
      end }
      print 'recipe'
    ]]
    engine.world:advance(1200)
    assert.equal('a\t1\nb\nc\nd\ne\nf', log_of(engine, 'w'))
    assert.truthy(engine.said():find('recipe', 1, true))
    assert.is_nil(engine.said():find('b\n', 1, true))
  end)

  it('is a handle of its service', function()
    local engine = start [[
      pact.worker 'w' { display_name = 'Stub', ports = { api = 7001 }, run = function(self)
        print(self .. '', self.display_name, self.kind, self.ports.api, self.config.id, self == pact.service 'w')
        local ok, message = pcall(function() return self.nonsense end)
        print(message)
        self:sleep '1h'
      end }
    ]]
    assert.truthy(log_of(engine, 'w'):find("^w\tStub\tworker\t7001\tw\ttrue\nnet.lua:4: service 'w' has no 'nonsense'"),
      log_of(engine, 'w'))
  end)

  it('takes what pact.spawn, pact.every and pact.after started in it along to its end', function()
    local engine = start [[
      pact.worker 'w' { run = function(self)
        pact.spawn(function() while true do pact.sleep '100ms' print 'spawned' end end)
        pact.every('100ms', function() print 'every' end)
        pact.after('5s', function() print 'after' end)
      end }
      pact.process 'p' { command = { 'p' } }
    ]]
    assert.equal('running', (status(engine, 'w')))
    engine.ask('POST', '/v1/services/w/stop')
    engine.world:advance(10)
    assert.equal('stopped', (status(engine, 'w')))
    local before = log_of(engine, 'w')
    engine.world:advance(10000)
    assert.equal(before, log_of(engine, 'w'))
  end)

  it('lives while these go on; an error in one is told and does not end it', function()
    local engine = start [[
      pact.worker 'w' { run = function(self)
        pact.after('2s', function() error 'mine' end)
        pact.after('3s', function() end)
      end }
    ]]
    engine.world:advance(2500)
    assert.equal('running', (status(engine, 'w')))
    assert.truthy(table.concat(engine.names(), ' '):find 'w:hook_failed')
    assert.truthy(log_of(engine, 'w'):find 'pact.after: net.lua:3: mine')
    engine.world:advance(1000)
    assert.equal('completed', (status(engine, 'w')))
  end)

  it('can be declared and started in one, by pact.start', function()
    local engine = start [[
      local w = pact.start { id = 'w', run = function(self)
        self:http_server { listen = 7002, handler = function() return 'x' end }
      end }
      print(w.status, w.ports.http)
      pact.sleep '1h'
    ]]
    assert.truthy(engine.said():find('running\t7002\n', 1, true), engine.said())
  end)

  it('asks others over HTTP, and is asked', function()
    local engine = start [[
      pact.worker 'back' { run = function(self)
        self:http_server { listen = 7003, handler = function(req) return { json = { got = req:json().n + 1 } } end }
      end }
      pact.worker 'front' { depends_on = { 'back' }, run = function(self)
        print(pact.http.post('http://127.0.0.1:7003/', { n = 41 }):json().got)
      end }
    ]]
    assert.equal('42', log_of(engine, 'front'))
  end)

  it('that is restarted by a hook belongs to no hook', function()
    local engine = start [[
      pact.worker 'w' { restart = 'no', run = function(self)
        self:sleep '100ms'
        if self.epoch == 1 then error 'once' end
        pact.stop 'w'
      end }
      pact.on('crashed', function(service) service:restart() end)
    ]]
    engine.world:advance(1000)
    assert.equal('stopped', (status(engine, 'w')))
  end)
end)
