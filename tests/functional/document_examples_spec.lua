--- Each code example of the document's chapters on the core components and on errors, translated: what it
--- says in JavaScript is said in Lua under its own names, and does what the text beside it promises.
local cjson = require 'cjson'
local functional = require 'functional'
local case = functional.case

local SERVER = [['trap "exit 0" TERM; while :; do sleep 0.05; done']]

-- an entry of our own log: its first line begins with the time, the others belong to it
local function debug_log(t, message)
  return functional.wait('the entry ' .. message, function()
    for _, path in ipairs(t:state 'pactlua%.log$') do
      local entries = '\n' .. t:read(path):gsub('\n(%d%d%d%d%-%d%d%-%d%dT)', '\n\0%1') .. '\0'
      for entry in entries:gmatch '%Z+' do
        if entry:find(message, 1, true) then return entry end
      end
    end
  end)
end

describe('the document, ProcessManager', function()
  case('starts a process, tells its state, stops it, stops all', function(t)
    t:file('app/server.sh', SERVER:sub(2, -2))
    local result = t:up([[
      local function nth(word, value) print(word .. '=' .. tostring(value)) end
      pact.start {
        id = 'my-service',
        command = 'sh',
        args = { 'server.sh' },
        cwd = 'app',
        timeout = 30000,
        autoRestart = true,
        retries = 3,
        gracefulShutdownTimeout = 10000,
      }
      local state = pact.state('my-service')
      nth('first', state and state.status)
      pact.stop('my-service')
      nth('second', pact.state('my-service').status)
      pact.start { id = 'other', command = { 'sleep', '1000' } }
      pact.start('my-service')
      pact.stop_all()
      nth('third', pact.state('my-service').status .. ' ' .. pact.state('other').status)
      nth('nobody', pact.state('nobody'))
      pact.shutdown()
    ]]):wait()
    assert.equal(0, result.code, result.out .. result.err)
    for _, line in ipairs { 'first=running', 'second=stopped', 'third=stopped stopped', 'nobody=nil' } do
      assert.truthy(result.out:find(line, 1, true), line .. ' is not in\n' .. result.out .. result.err)
    end
    assert.equal(0, #t:events('crashed'), 'a stop that was asked for is no crash')
  end)

  case('the fields of its example mean what they say', function(t)
    t:recipe [[ pact.process 'my-service' {
      command = 'node', args = { 'server.js' }, cwd = '/path/to/app', timeout = 30000, autoRestart = true, retries = 3,
      gracefulShutdownTimeout = 10000 } ]]
    local result = t:run { 'plan', '--json', 'net.lua' }
    assert.equal(0, result.code, result.err)
    local service = cjson.decode(result.out).services[1]
    assert.same({ 'node', 'server.js' }, service.command)
    assert.equal('/path/to/app', service.cwd)
    assert.equal(30000, service.timeout)
    assert.equal('on-failure', service.restart.policy)
    assert.equal(3, service.restart.max_retries)
    assert.equal(10000, service.stop.timeout)
  end)
end)

describe('the document, EnhancedProcessManager', function()
  case('starts by dependencies, probes over HTTP, lists by category', function(t)
    local result = t:up(([[
      local port = pact.free_port 'web'
      pact.process 'database' { shell = 'echo database >>order; exec sleep 1000', category = 'service' }
      pact.process 'redis' { shell = 'sleep 0.2; touch up; echo redis >>order; exec sleep 1000', health = { file = 'up' } }
      pact.start {
        id = 'web-app',
        displayName = 'Web Application',
        category = 'service',
        command = 'sh',
        args = { '-c', 'echo web-app >>order; echo 200 ok >mood; exec "$0" ' .. port .. ' mood', %q },
        dependencies = { 'database', 'redis' },
        healthCheck = {
          url = 'http://localhost:' .. port .. '/health',
          interval = 30000,
          timeout = 5000,
          retries = 3,
        },
      }
      pact.start { id = 'chain', category = 'network', command = { 'sleep', '1000' } }
      pact.tui { refreshRate = 1000, showDebugLogs = true }
      local function ids(of) local out = {} for i, one in ipairs(of) do out[i] = one.id end table.sort(out) return table.concat(out, ',') end
      print('services=' .. ids(pact.by_category 'service'))
      print('networks=' .. ids(pact.by_category 'network'))
      local web = pact.service 'web-app'
      print('web=' .. web.display_name .. ' ' .. web.status .. ' ' .. web.health)
      pact.shutdown()
    ]]):format(functional.fixtures .. 'web')):wait()
    assert.equal(0, result.code, result.out .. result.err)
    assert.truthy(result.out:find('services=database,redis,web-app', 1, true), result.out)
    assert.truthy(result.out:find('networks=chain', 1, true), result.out)
    assert.truthy(result.out:find('web=Web Application running healthy', 1, true), result.out)
    assert.equal('web-app', t:lines('order')[3])
  end)

  case('shuts down against the order of the dependencies', function(t)
    local deaf = [[command = { 'sh', '-c', 'trap "echo %s >>stops; exit 0" TERM; while :; do sleep 0.05; done' }]]
    local result = t:up(([[
      pact.process 'database' { %s, health = { command = { 'true' } } }
      pact.start { id = 'web-app', %s, dependencies = { 'database' } }
      pact.sleep '300ms'
      pact.shutdown()
    ]]):format(deaf:format 'database', deaf:format 'web-app')):wait()
    assert.equal(0, result.code, result.out .. result.err)
    assert.same({ 'web-app', 'database' }, t:lines 'stops')
  end)
end)

describe('the document, TUIManager', function()
  case('its options, and a restart that a user has asked for', function(t)
    t:up [[
      pact.tui {
        refreshRate = 1000, maxLogs = 100, showDebugLogs = false,
        theme = { colors = { primary = '#3b82f6', success = '#10b981', warning = '#f59e0b', error = '#ef4444' } },
      }
      pact.process 'web-server' { displayName = 'Web Server', shell = 'echo Server started on port 3000; exec sleep 1000' }
      pact.on('restarted', function(service, event)
        if event.by == 'person' then pact.file.append('heard', 'User requested restart of ' .. service .. '\n') end
      end)
    ]]
    local service = t:wait_service('web-server', { status = 'running' })
    assert.equal('Web Server', service.display_name)
    assert.is_number(service.pid)
    assert.equal(0, t:run({ 'restart', 'web-server' }).code)
    assert.same({ 'User requested restart of web-server' }, t:wait_lines('heard', 1))
    assert.truthy(t:run({ 'logs', 'web-server' }).out:find('Server started on port 3000', 1, true))
  end)
end)

describe('the document, DebugLogger', function()
  case('writes each of its entries', function(t)
    local result = t:up([[
      local log = pact.log
      log.info('network', 'Network started successfully', { networkId = 'net-123' })
      log.error('process', 'Process failed to start', { error = 'Command not found' })
      log.process('web-server', 'info', 'Server listening', { port = 3000 })
      log.container('nginx', 'warn', 'High memory usage', { memory = '512MB' })
      log.network('devnet', 'debug', 'Block mined', { height = 1000 })
      log.performance('startup', 'Container creation', 2500, { containerCount = 5 })
      log.http_activity('GET', '/health', 200, 150, { userAgent = 'curl' })
      log.resource_usage('system', { cpu = 45.2, memory = 78.5, disk = 23.1 })
      pact.task 'one' { command = { 'true' } }
    ]], { env = { DEBUG = '*', DEBUG_LEVEL = 'trace', DEBUG_CONSOLE = 'false' } }):wait()
    assert.equal(0, result.code, result.out .. result.err)
    for _, row in ipairs {
      { 'Network started successfully', 'network', 'net-123' },
      { 'Process failed to start', 'process', 'Command not found' },
      { 'Server listening', 'web-server', '3000' },
      { 'High memory usage', 'nginx', '512MB' },
      { 'Block mined', 'devnet', '1000' },
      { 'Container creation', '2500', 'containerCount' },
      { '/health', 'GET', '200', '150', 'curl' },
      { 'Resource usage', 'system', '45.2', '78.5', '23.1' },
    } do
      local line = debug_log(t, row[1])
      for i = 2, #row do assert.truthy(line:find(row[i], 1, true), row[i] .. ' is not in ' .. line) end
    end
  end)
end)

describe('the document, failures of processes', function()
  case('one that crashes is brought back with growing pauses, a limited number of times', function(t)
    local result = t:up([[
      pact.on('processCrashed', function(processId, state)
        pact.log.error('process-manager', 'Process ' .. processId .. ' crashed', {
          exitCode = state.exitCode, signal = state.signal, restartCount = state.restartCount,
        })
        pact.file.append('heard', ('crashed %s %s %s %s\n'):format(processId, state.exitCode, state.signal, state.restartCount))
      end)
      pact.on('processRestarted', function(processId, state)
        pact.file.append('heard', ('restarted %s %s\n'):format(processId, state.restartCount))
      end)
      local service, reason, code = pact.start {
        id = 'unstable-service',
        displayName = 'Unstable Service',
        category = 'service',
        command = 'sh',
        args = { '-c', 'exit 7' },
        autoRestart = true,
        retries = 3,
        gracefulShutdownTimeout = 15000,
        restart = { delay = '100ms', jitter = 0 },
        health = { file = 'never' },
      }
      print('start gave', service, reason, code)
    ]]):wait()
    assert.equal(3, result.code, result.out .. result.err)
    assert.truthy(result.out:find('start gave\tnil\tunstable-service: exit code 7; gave up after 3 restarts\tfailed', 1, true), result.out)
    local name = 'unstable-service '
    assert.same({
      'crashed ' .. name .. '7 nil 0', 'restarted ' .. name .. '1', 'crashed ' .. name .. '7 nil 1',
      'restarted ' .. name .. '2', 'crashed ' .. name .. '7 nil 2', 'restarted ' .. name .. '3', 'crashed ' .. name .. '7 nil 3',
    }, t:lines 'heard')
    local pauses = {}
    for i, event in ipairs(t:events('backoff')) do pauses[i] = event.delay end
    assert.same({ 100, 200, 400 }, pauses)
    assert.truthy(debug_log(t, 'Process unstable-service crashed'):find('exitCode', 1, true))
  end)

  case('what depends on it by dependencies restarts when it is back', function(t)
    t:up [[
      pact.process 'database' { shell = 'echo $$ >>database; exec sleep 1000', autoRestart = true, restart = { delay = '100ms' } }
      pact.process 'web' { shell = 'echo $$ >>web; exec sleep 1000', dependencies = { 'database' } }
    ]]
    t:wait_lines('web', 1)
    functional.signal(t:wait_pid 'database', 'KILL')
    t:wait_lines('database', 2)
    t:wait_lines('web', 2)
    assert.equal('running', t:wait_service('web', { status = 'running' }).status)
  end)
end)

describe('the document, failing health checks', function()
  case('a handler restarts the process three times, then tells', function(t)
    t:file('well', '')
    t:up [[
      pact.start {
        id = 'api', command = { 'sleep', '1000' },
        healthCheck = { command = { 'test', '-e', 'well' }, interval = '100ms', timeout = 5000, retries = 2, initialDelay = 0 },
      }
      pact.on('healthCheckFailed', function(processId)
        local processInfo = pact.state(processId)
        if processInfo.restartCount < 3 then
          pact.log.warn('health-check', 'Restarting unhealthy process ' .. processId)
          pact.file.append('heard', 'restarting at ' .. processInfo.restartCount .. '\n')
          pact.restart(processId)
        else
          pact.log.error('health-check', 'Process ' .. processId .. ' repeatedly failing health checks')
          pact.file.append('heard', 'repeatedly failing\n')
        end
      end)
    ]]
    t:wait_service('api', { health = 'healthy' })
    os.remove(t:path 'well')
    local heard = t:wait_lines('heard', 4)
    assert.same({ 'restarting at 0', 'restarting at 1', 'restarting at 2', 'repeatedly failing' }, table.move(heard, 1, 4, 1, {}))
    assert.truthy(debug_log(t, 'repeatedly failing health checks'):find('api', 1, true))
    assert.equal(3, t:ps().api.restart_count)
  end)
end)
