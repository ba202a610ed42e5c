--- Health checks of each kind, and what follows from them.
local functional = require 'functional'
local case = functional.case

local WEB = functional.fixtures .. 'web'
local serial = 0

-- A web server whose answers a file decides.
local function web(t, health, more)
  serial = serial + 1
  local port = 20000 + (tonumber(t.dir:match '%-(%d+)%-') * 7 + serial * 13) % 9000
  t.port = port
  return (([[
    pact.process 'web' {
      shell = 'echo $$ >>pids; exec %s PORT mood',
      health = %s, %s
    }
  ]]):format(WEB, health, more or ''):gsub('PORT', port))
end

describe('wait --for healthy', function()
  case('is about services that have a check; one without is told when it is named', function(t)
    t:up [[
      pact.process 'db' { command = { 'sleep', '1000' }, health = 'alive' }
      pact.process 'plain' { command = { 'sleep', '1000' } }
    ]]
    t:wait_service('plain', { status = 'running' })
    assert.equal(0, t:run({ 'wait', '--for', 'healthy' }).code)
    local result = t:run { 'wait', '--for', 'healthy', 'plain' }
    assert.equal(3, result.code)
    assert.truthy(result.err:find("'plain' can never be healthy: it has no health check", 1, true), result.err)
  end)
end)

describe('health', function()
  case('http: unhealthy after retries failures, healthy again after one success', function(t)
    t:file('mood', '200 ok')
    t:up(web(t, "{ http = 'http://127.0.0.1:PORT/health', interval = '200ms', retries = 2 }"))
    t:wait_service('web', { status = 'running', health = 'healthy' })
    t:file('mood', '503 down')
    local service = t:wait_service('web', { health = 'unhealthy' })
    assert.equal('running', service.status)
    assert.truthy(service.last_probe.reason:find('503', 1, true), service.last_probe.reason)
    t:file('mood', '200 ok')
    t:wait_service('web', { health = 'healthy' })
    assert.equal(1, #t:lines 'pids')
  end)

  case('http: status and body decide', function(t)
    t:file('mood', '204 almost')
    t:up(web(t, "{ http = 'http://127.0.0.1:PORT/', status = '200-299', body = 'all right', interval = '200ms' }"))
    t:wait_lines('pids', 1)
    t:wait_service('web', { status = 'starting' })
    t:file('mood', '200 it is all right now')
    t:wait_service('web', { status = 'running', health = 'healthy' })
  end)

  case('tcp: ready when something listens', function(t)
    t:file('mood', '200 ok')
    t:up((web(t, "{ tcp = '127.0.0.1:PORT', interval = '200ms' }"):gsub('exec ', 'sleep 0.3; exec ')))
    t:wait_service('web', { status = 'running', health = 'healthy' })
  end)

  case('command: its exit status decides', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, health = { command = { 'test', '-e', 'ok' }, interval = '200ms', retries = 2 } }
    ]]
    t:wait_service('p', { status = 'starting' })
    t:file('ok', '')
    t:wait_service('p', { status = 'running', health = 'healthy' })
    os.remove(t:path 'ok')
    t:wait_service('p', { health = 'unhealthy' })
  end)

  case('file: ready when it is there', function(t)
    t:up [[ pact.process 'p' { shell = 'sleep 0.2; touch here; exec sleep 1000', health = { file = 'here' } } ]]
    t:wait_service('p', { status = 'running', health = 'healthy' })
  end)

  case('log: ready when the line has come', function(t)
    t:up [[ pact.process 'p' { shell = 'sleep 0.2; echo now ready >&2; exec sleep 1000', health = { log = 'now ready' } } ]]
    t:wait_service('p', { status = 'running', health = 'healthy' })
  end)

  case('alive: a table with only times', function(t)
    t:up [[ pact.process 'p' { command = { 'sleep', '1000' }, health = { interval = '1s' } } ]]
    t:wait_service('p', { status = 'running', health = 'healthy' })
  end)

  case('without a check it is running when it lives', function(t)
    t:up [[ pact.process 'p' { command = { 'sleep', '1000' } } ]]
    t:wait_service('p', { status = 'running', health = 'none' })
  end)

  case('on_unhealthy = restart counts as a crash', function(t)
    t:up [[
      pact.process 'p' { on_unhealthy = 'restart', restart = { delay = '100ms' },
        shell = 'touch ok; echo $$ >>pids; exec sleep 1000',
        health = { command = { 'test', '-e', 'ok' }, interval = '200ms', retries = 2, start_period = '5m' } }
    ]]
    t:wait_service('p', { health = 'healthy' })
    os.remove(t:path 'ok')
    t:wait_lines('pids', 2)
    local service = t:wait_service('p', { status = 'running', health = 'healthy' })
    assert.equal(1, service.restart_count)
  end)

  case('on_unhealthy may be a function', function(t)
    t:up [[
      pact.process 'p' { on_unhealthy = function() os.execute 'touch called' end,
        shell = 'touch ok; exec sleep 1000',
        health = { command = { 'test', '-e', 'ok' }, interval = '200ms', retries = 2 } }
    ]]
    t:wait_service('p', { health = 'healthy' })
    os.remove(t:path 'ok')
    functional.wait('the call', function() return t:exists 'called' end)
  end)

  case('failures before the first success do not count until retries are up after start_period', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' },
        health = { command = { 'false' }, interval = '300ms', retries = 2, start_period = '600ms' } }
    ]]
    t:wait_service('p', { status = 'starting', health = 'unhealthy' })
    local since = t:events('unhealthy')[1].mono - t:events('started')[1].mono
    assert.is_true(since >= 1150, ('unhealthy after %d ms'):format(since))
    assert.is_true(#t:events 'probe' >= 2)
  end)

  case('ready may have a check of its own', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, ready = { file = 'open' },
        health = { command = { 'test', '-e', 'ok' }, interval = '200ms' } }
    ]]
    t:file('ok', '')
    t:wait_service('p', { status = 'starting', health = 'healthy' })
    t:file('open', '')
    t:wait_service('p', { status = 'running' })
  end)

  case('timeout: not ready in time is a crash that says what the last probe said', function(t)
    local result = t:up([[
      pact.process 'p' { command = { 'sleep', '1000' }, timeout = '600ms', restart = 'no',
        health = { command = { 'false' }, interval = '200ms' } }
    ]]):wait()
    assert.equal(3, result.code)
    assert.truthy((result.out .. result.err):find('not ready after', 1, true), result.out .. result.err)
  end)
end)
