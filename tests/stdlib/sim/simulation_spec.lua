--- `require 'pact.sim'` as a team uses it in its tests.

local sim = require 'pact.sim'

local function web(fields)
  local all = { command = { 'npm', 'start' }, health = { http = 'http://localhost:3000/health', interval = '5s' } }
  for key, value in pairs(fields or {}) do all[key] = value end
  return all
end

-- A network of one service, its options being those of sim.new.
local function one(fields, opts, more)
  return sim.new(function(pact)
    pact.process 'web'(web(fields))
    if more then more(pact) end
  end, opts)
end

local function told(net, id)
  local names = {}
  for _, moment in ipairs(net:events()) do
    if (not id or moment.service == id) and moment.event ~= 'probe' and moment.event ~= 'ready' then
      names[#names + 1] = moment.event
    end
  end
  return table.concat(names, ' ')
end

describe('a simulation', function()
  it('starts in the order of dependencies, and all is well', function()
    local net = sim.new(function(pact)
      local db = pact.process 'db' { command = { 'postgres' }, health = { tcp = 5432 } }
      pact.task 'migrate' { command = { 'npm', 'run', 'migrate' }, depends_on = { db } }
      pact.process 'web' { command = { 'npm', 'start' }, depends_on = { 'migrate' } }
    end)
    assert.is_true(net:until_({ web = 'running', migrate = 'completed', db = 'running' }, '10s'))
    assert.is_true(net:now() < 1000)
    assert.equal(0, net:result())
  end)

  it('restarts what has crashed by the recipe\'s own policy, and says so', function()
    local net = one { restart = { delay = '3s', jitter = 0, max_retries = 1 } }
    net:advance '1s'
    net:crash('web', 7)
    assert.equal('backoff', net:status 'web')
    net:advance '2s'
    assert.equal('backoff', net:status 'web')
    net:advance '2s'
    assert.equal('running', net:status 'web')
    assert.equal('policy on-failure, attempt 1 of 1', net:events('backoff')[1].by.words)
    net:crash('web', 'SEGV')
    assert.equal('failed', net:status 'web')
    assert.equal('killed by SIGSEGV; gave up after 1 restart', net:service('web').reason)
    assert.equal(3, net:result())
  end)

  it('runs the recipe\'s hooks, which act', function()
    local seen
    local net = one({}, {}, function(pact)
      pact.on('health_check_failed', function(service, event)
        seen = event.reason
        service:restart()
      end)
    end)
    net:advance '1s'
    net:unhealthy('web', 'http 500', { restart_heals = true })
    assert.is_true(net:until_(function() return net:count 'restarted' == 1 end, '1m'))
    assert.equal('http 500 three times', seen)
    assert.is_true(net:until_({ web = 'running' }, '1m'))
    local command = net:events('command')[1]
    assert.matches('^hook .*simulation_spec.lua:%d+$', command.by.words)
  end)

  local verdicts = {
    { 'restart', function(pact) return pact.verdict.restart { after = '2s' } end, 'backoff', 'backoff' },
    { 'fail', function(pact) return pact.verdict.fail 'disk full' end, 'failed', 'failed' },
    { 'ignore', function(pact) return pact.verdict.ignore() end, 'stopped', 'stopped' },
  }
  for _, case in ipairs(verdicts) do
    it('goes by a verdict, and names the hook: ' .. case[1], function()
      local net = one({}, {}, function(pact)
        pact.on('crashed', function() return case[2](pact) end)
      end)
      net:crash('web', 75)
      assert.equal(case[3], net:status 'web')
      local by = net:events(case[4])[1].by
      assert.matches('^hook .*simulation_spec.lua:%d+: ' .. case[1], by.words)
      assert.equal(1, net:count { event = 'hook_ended', used = true })
    end)
  end

  it('lets a service hang until it is started again', function()
    local net = one { health = { http = 'http://localhost:3000/', interval = '1s', timeout = '1s' }, on_unhealthy = 'restart' }
    net:advance '1s'
    net:hang 'web'
    assert.is_true(net:until_(function() return net:count 'crashed' == 1 end, '1m'))
    assert.matches('^unhealthy: no answer in 1s', net:events('crashed')[1].reason)
    assert.equal("on_unhealthy = 'restart'", net:events('crashed')[1].by.words)
    assert.is_true(net:until_({ web = 'running' }, '1m'))
  end)

  local shapes = {
    { 'tcp', { tcp = 3000 } },
    { 'a command', { command = { 'curl', '-f', 'localhost' } } },
    { 'a line for the shell', { shell = 'curl localhost | grep ok' } },
    { 'a file', { file = '/run/web.ready', contains = 'yes' } },
    { 'http with a body', { http = 'http://localhost:3000/', status = 204, body = 'fine' } },
  }
  for _, shape in ipairs(shapes) do
    it('answers checks by ' .. shape[1], function()
      local check = { interval = '1s', retries = 2 }
      for key, value in pairs(shape[2]) do check[key] = value end
      local net = one { health = check }
      assert.is_true(net:until_(function() return net:service('web').health == 'healthy' end, '10s'))
      net:unhealthy 'web'
      assert.is_true(net:until_(function() return net:service('web').health == 'unhealthy' end, '20s'))
      net:recover 'web'
      assert.is_true(net:until_(function() return net:service('web').health == 'healthy' end, '20s'))
    end)
  end

  it('tells of itself by sd_notify while it is well', function()
    local net = one { health = { notify = true, interval = '2s', retries = 2 } }
    assert.is_true(net:until_({ web = 'running' }, '1s'))
    net:advance '1m'
    assert.equal('healthy', net:service('web').health)
    net:hang('web', '20s')
    net:advance '10s'
    assert.equal('no WATCHDOG=1 in 2s twice', net:events('unhealthy')[1].reason)
    net:advance '15s'
    assert.equal('healthy', net:service('web').health)
  end)

  it('asks the one that lives where two take turns at one place', function()
    local net = sim.new(function(pact)
      for _, id in ipairs { 'shop', 'spare' } do
        pact.process(id) {
          command = { id }, ports = { 3000 }, health = { http = 'http://localhost:3000/', interval = '1s' },
          disabled = id == 'spare',
        }
      end
      pact.on('failed', function()
        pact.sleep '1s' -- until what is left of it is gone
        pact.start 'spare'
      end)
    end)
    assert.is_true(net:until_({ shop = 'running' }, '5s'))
    net:script { { service = 'shop', after = '0s', crash = true } }
    net:crash 'shop'
    assert.is_true(net:until_({ shop = 'failed', spare = 'running' }, '1m'))
  end)

  it('names the hook whose verdict on health ended it', function()
    local net = one({}, {}, function(pact)
      pact.on('unhealthy', function() return pact.verdict.restart { after = '3s' } end)
    end)
    net:advance '1s'
    net:unhealthy('web', true, { restart_heals = true })
    assert.is_true(net:until_(function() return net:count 'backoff' == 1 end, '1m'))
    for _, event in ipairs { 'crashed', 'backoff' } do
      assert.matches('^hook .*: restart after 3 s$', net:events(event)[1].by.words)
    end
    assert.is_true(net:until_({ web = 'running' }, '10s'))
    net:crash 'web'
    assert.matches('^policy on%-failure', net:events('backoff')[2].by.words)
  end)

  it('takes a group for each of its instances', function()
    local net = one({ replicas = 2 }, { faults = { { at = '5s', service = 'web', crash = 3 } } })
    net:advance '5s'
    assert.equal(2, net:count { event = 'crashed', exit_code = 3 })
  end)

  it('fails as a whole when a wanted service never became ready', function()
    local net = one({}, { faults = { { service = 'web', slow_start = '20s' } } })
    net:advance '10s'
    assert.equal(3, net:result())
    net:advance '20s'
    assert.equal(0, net:result())
  end)

  it('says the line that a check or a dependent waits for', function()
    local net = sim.new(function(pact)
      pact.process 'a' { command = { 'a' }, health = { log = 'listening' } }
      pact.process 'b' { command = { 'b' }, depends_on = { a = { log = 'migrated' } } }
    end, { faults = { { service = 'a', slow_start = '4s' } } })
    net:advance '3s'
    assert.same({ 'starting', 'waiting' }, { net:status 'a', net:status 'b' })
    net:advance '2s'
    assert.same({ 'running', 'running' }, { net:status 'a', net:status 'b' })
    assert.matches('migrated', net:tail 'a')
  end)

  it('tells by sd_notify as long as it is well', function()
    local net = one({ health = { notify = true, interval = '4s', retries = 2 }, on_unhealthy = 'restart' },
      { faults = { { service = 'web', slow_start = '2s' } } })
    net:advance '1s'
    assert.equal('starting', net:status 'web')
    net:advance '60s'
    assert.same({ 'running', 'healthy' }, { net:status 'web', net:service('web').health })
    net:hang 'web'
    net:advance '20s'
    assert.equal('unhealthy: no WATCHDOG=1 in 4s twice', net:events('crashed')[1].reason)
    assert.same({ 'running', 1 }, { net:status 'web', net:service('web').restart_count })
  end)

  it('plays the same for the same seed', function()
    local function play(seed)
      local net = one({}, { seed = seed, random = { every = '20s' } })
      net:advance '10m'
      return net:timeline()
    end
    assert.equal(play(5), play(5))
    assert.not_equal(play(5), play(6))
    assert.matches('%[random%]', play(5))
  end)

  it('ends as up would', function()
    local net = sim.new(function(pact)
      pact.task 'seed' { command = { 'seed' } }
    end)
    net:advance '10s'
    assert.equal('all that was wanted has completed', net:ended().reason)
    assert.equal(0, net:result())
    assert.is_true(net:now() < 1000)
  end)
end)

describe('what the world answers', function()
  local function asking(fn, opts)
    return one({}, opts, function(pact) pact.after('1s', function() fn(pact) end) end)
  end

  it('is scripted, by rows in time', function()
    local got = {}
    local net = sim.new(function(pact)
      pact.every('1s', function()
        local answer, message = pact.http.get 'http://stats/x'
        got[#got + 1] = answer and answer.status .. answer.body or message
      end)
      pact.process 'a' { command = { 'a' } }
    end, { faults = {
      { http = 'http://stats/*', body = { n = 1 } },
      { http = 'http://stats/*', status = 503, at = '2s', lasts = '1500ms' },
      { http = 'http://stats/x', error = 'refused', at = '4500ms' },
    } })
    net:advance '5900ms'
    assert.same({ '200{"n":1}', '503', '503', '200{"n":1}', 'connection refused' }, got)
  end)

  it('is what a function of the test says', function()
    local got
    local net = asking(function(pact)
      got = pact.http.post('http://hook/', { text = 'down' }):json().echo
    end)
    net:http('http://hook/', { method = 'POST', body = function(request) return { echo = request.body } end })
    net:advance '2s'
    assert.equal('{"text":"down"}', got)
  end)

  it('may be said by a row as in a file', function()
    local got = {}
    local net = asking(function(pact)
      got[1] = pact.http.get('http://hook/').status
      got[2] = pact.exec { 'npm', 'test' }.status
    end)
    net:http { http = 'http://hook/', status = 204 }
    net:exec { exec = { 'npm', 'test' }, status = 3 }
    net:advance '5s'
    assert.same({ 204, 3 }, got)
  end)

  it('is what programs leave', function()
    local got
    local net = asking(function(pact) got = pact.exec { 'npm', 'run', 'seed' } end)
    net:exec({ 'npm', 'run', '*' }, { status = 3, stdout = 'out', stderr = 'err', takes = '2s' })
    net:advance '2s'
    assert.is_nil(got)
    net:advance '2s'
    assert.same({ 3, 'out', 'err' }, { got.status, got.stdout, got.stderr })
  end)

  it('is what files hold; what is written stays in the world', function()
    local got
    local net = asking(function(pact)
      got = pact.file.read 'a.txt'
      pact.file.write('b.txt', got .. got)
      got = pact.file.read 'b.txt'
    end)
    net:file('a.txt', { content = 'x' })
    net:advance '2s'
    assert.equal('xx', got)
  end)

  local unanswered = {
    { 'a request', function(pact) pact.http.get 'http://stats/x' end,
      "http GET http://stats/x has no answer in this simulation; a row of the faults answers it: "
      .. "{ http = 'http://stats/x', status = 200, body = '…' }" },
    { 'a program', function(pact) pact.exec { 'npm', 'test' } end, "{ exec = { 'npm', 'test' }, status = 0" },
    { 'a line for the shell', function(pact) pact.exec { shell = 'a && b' } end, "{ exec = 'a && b', status = 0" },
    { 'a file', function(pact) pact.file.read 'nowhere.txt' end, "{ file = '.*/nowhere.txt', content = '…' }, or absent = true" },
  }
  for _, case in ipairs(unanswered) do
    it('is an error with the row that is missing: ' .. case[1], function()
      local net = asking(case[2])
      local ok, message = pcall(net.advance, net, '2s')
      assert.is_false(ok)
      local plain = not case[3]:find('.*', 1, true)
      assert.truthy(message:find(case[3], 1, plain), message)
      assert.matches('simulation_spec.lua:%d+: ', message)
    end)
  end

  it('is the service itself, where it is asked at its port', function()
    local got = {}
    local net = sim.new(function(pact)
      pact.process 'web' { command = { 'web' }, ports = { 3000 } }
      pact.every('1s', function()
        local answer, message = pact.http.get 'http://localhost:3000/stats'
        got[#got + 1] = answer and answer.status or message
      end)
    end, { faults = { { http = 'http://localhost:3000/stats', body = 'ok' }, { at = '1500ms', service = 'web', hang = true } } })
    net:advance '1200ms'
    net:advance '40s'
    assert.same({ 200, 'no answer in time' }, { got[1], got[2] })
    net:crash 'web'
    net:stop 'web'
    net:advance '40s'
    assert.equal('connection refused', got[#got])
  end)

  it('is what a row makes of a service that is unwell', function()
    local got
    local net = one({ ports = { 3000 } }, { faults = {
      { http = 'http://localhost:3000/health', status = 500, body = { cause = 'disk full' }, at = '5s' },
    } }, function(pact)
      pact.on('unhealthy', function() got = pact.http.get('http://localhost:3000/health'):json().cause end)
    end)
    net:advance '5s'
    net:unhealthy 'web'
    net:advance '1m'
    assert.equal('disk full', got)
    assert.equal('http 500 three times', net:events('unhealthy')[1].reason)
  end)

  it('has a clock, chance and files of its own', function()
    local net = sim.new(function(pact)
      pact.process 'web'(web())
      pact.after('5s', function()
        io.open('state.txt', 'w'):write('kept\n'):close()
        print(os.time(), os.clock(), os.execute 'a && b', io.open('state.txt'):read 'a')
      end)
    end, { wall = 1000000000000, faults = { { exec = 'a && b' } } })
    net:advance '6s'
    assert.equal('1000000005\t5.0\ttrue\tkept\n\n', net:said())
    assert.is_nil(io.open 'state.txt')
  end)
end)

describe('a worker', function()
  local function hooked(opts)
    local posts = {}
    local net = sim.new(function(pact)
      pact.worker 'hook' {
        ports = { 8081 },
        run = function(self)
          self:http_server { listen = '127.0.0.1:8081', handler = function(request)
            posts[#posts + 1] = request.body
            return { json = { ok = true } }
          end }
        end,
        health = { http = 'http://127.0.0.1:8081/', interval = '5s' },
      }
      pact.process 'web' { command = { 'web' }, depends_on = { 'hook' } }
      pact.on('crashed', function(service) pact.http.post('http://127.0.0.1:8081/hook', service.id) end)
    end, opts)
    net:advance '1s'
    return net, posts
  end

  it('runs, and is asked by hooks of the same world', function()
    local net, posts = hooked()
    assert.same({ 'running', 'running' }, { net:status 'hook', net:status 'web' })
    net:crash 'web'
    net:advance '1s'
    assert.equal('web', posts[#posts])
  end)

  it('can be unhealthy, but has no process that could crash', function()
    local net = hooked()
    net:unhealthy 'hook'
    net:advance '1m'
    assert.equal('unhealthy', net:service('hook').health)
    local ok, message = pcall(net.crash, net, 'hook')
    assert.is_false(ok)
    assert.matches("'hook' is a worker", message)
  end)
end)

describe('a wrong simulation', function()
  local function fails(fragment, fn, ...)
    local ok, message = pcall(fn, ...)
    assert.is_false(ok)
    assert.truthy(tostring(message):find(fragment, 1, true), message)
  end

  it('names the nearest service', function()
    local net = one()
    fails("no service 'wbe' (did you mean 'web'?)", net.crash, net, 'wbe')
    fails("no service 'wbe' (did you mean 'web'?)", net.status, net, 'wbe')
    fails("no service 'wbe' (did you mean 'web'?)", net.until_, net, { wbe = 'running' })
    fails("row 1: no service 'wbe' (did you mean 'web'?)", one, {}, { faults = { { at = '1s', service = 'wbe', crash = 1 } } })
  end)

  it('says what is wrong with times and options', function()
    local net = one()
    fails('advance: ', net.advance, net, 'soon')
    fails('until_: ', net.until_, net, { web = 'running' }, 'soon')
    fails("unknown option 'fault' (did you mean 'faults'?)", sim.new, function() end, { fault = {} })
    fails("a recipe's path or a function expected", sim.new, 5)
    fails('seed must be a whole number', sim.new, function() end, { seed = 'x' })
  end)

  it('tells of a recipe that is wrong', function()
    fails("unknown key 'comand' (did you mean 'command'?)", sim.new, function(pact)
      pact.process 'web' { comand = { 'x' } }
    end)
    fails('nowhere.lua', sim.new, 'nowhere.lua')
  end)

  it('ends when a hook never waits', function()
    local net = one({}, {}, function(pact)
      pact.on('crashed', function()
        while true do pcall(error) end
      end)
    end)
    net:crash 'web'
    net:advance '1m'
    assert.matches('ran for more than 250 ms without waiting', net:events('hook_failed')[1].reason)
    assert.equal('running', net:status 'web')
  end)

  it('ends when a hook starts again what fails at once', function()
    fails('virtual time stands still at 0 ms', one, {}, { faults = { { service = 'web', start_fails = true } } },
      function(pact)
        pact.on('failed', function(service) service:start { wait = false } end)
      end)
  end)

  it('ends when time stands still', function()
    local net = one({}, {}, function(pact)
      pact.after('1s', function()
        while true do pact.sleep(0) end
      end)
    end)
    net.play.world.limit = 1000
    fails('virtual time stands still at 1000 ms', net.advance, net, '1m')
  end)
end)

describe('a hook of line', function()
  it('hears what a service says', function()
    local heard = {}
    local net = one({}, {}, function(pact)
      pact.on('line', { match = 'memory', service = 'web' }, function(service, event)
        heard[#heard + 1] = service.id .. ': ' .. event.text
      end)
    end)
    net:advance '1s'
    net:says('web', 'out of memory')
    net:says('web', 'fine')
    net:advance '1s'
    assert.same({ 'web: out of memory' }, heard)
  end)
end)

describe('two services at one address', function()
  it('are whichever of them lives', function()
    local net = sim.new(function(pact)
      pact.process 'web'(web { restart = 'no' })
      pact.process 'spare'(web { disabled = true })
      pact.on('failed', function() pact.start 'spare' end)
    end)
    assert.is_true(net:until_({ web = 'running' }, '10s'))
    net:crash 'web'
    assert.is_true(net:until_({ spare = 'running' }, '10s'))
    assert.equal('healthy', net:service('spare').health)
  end)
end)

describe('recipes/recovery.lua', function()
  it('restarts the shop three times by its script, then gives up', function()
    local net = sim.new('recipes/recovery.lua', { faults = {
      { service = 'shop', after = '5s', unhealthy = 'http 503', restart_heals = true },
    } })
    net:advance '1m'
    assert.same({ 'failed', 'unwell after 3 attempts: status 503', 3 },
      { net:status 'shop', net:service('shop').reason, #net:events('restarted') })
    assert.equal('idle', net:status 'spare')
  end)
end)

describe('a long chain of events', function()
  it('is told in a timeline with its deciders', function()
    local net = one({ restart = { delay = '1s', jitter = 0 } }, { faults = { { at = '20s', service = 'web', crash = 1 } } })
    net:advance '25s'
    assert.equal('fault crashed backoff started restarted healthy running', told(net, 'web'):match 'fault.*')
    assert.matches('   20.000  web  fault +crash exit code 1  %[faults%]\n', net:timeline())
  end)
end)
