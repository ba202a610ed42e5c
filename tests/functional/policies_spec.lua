--- Policies that are functions of the recipe's: restart, on_unhealthy, check; dependents of what comes back.
local functional = require 'functional'
local case = functional.case

describe('policies', function()
  case('restart as a function gets the exit and the history, and may wait', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'echo up >>trace; [ $(wc -l <trace) -lt 3 ] && kill -USR1 $$; exit 9',
        restart = function(exit, history)
          pact.exec { 'sh', '-c', ('echo %s %s %d %d >>heard'):format(exit.code, exit.signal, #history, history[#history].uptime) }
          if exit.signal then return '20ms' end
        end }
    ]]):wait()
    assert.equal(3, result.code)
    local heard = t:lines 'heard'
    assert.equal(3, #heard)
    assert.truthy(heard[1]:find '^nil USR1 1 %d+$', heard[1])
    assert.truthy(heard[3]:find '^9 nil 3 %d+$', heard[3])
    assert.truthy((result.out .. result.err):find('failed: exit code 9', 1, true))
  end)

  case('why names the function that decides about restarts', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' },
        restart = function() end }
    ]]
    t:wait_service('p', { status = 'running' })
    local why = t:run({ 'why', 'p' }).out
    assert.truthy(why:find('restarts are decided by the function at net.lua:2', 1, true), why)
  end)

  case('one that raises is told with its place, and the usual policy decides', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'echo up >>trace; exit 1', restart = { max_retries = 2, delay = '10ms',
        policy = function()
          error { code = 5 }
        end } }
    ]]):wait()
    assert.equal(3, result.code)
    assert.equal(3, #t:lines 'trace')
    local all = result.out .. result.err
    assert.truthy(all:find('hook for restart failed', 1, true), all)
    assert.truthy(all:find('net.lua:3', 1, true), all)
    assert.truthy(all:find('exit code 1; gave up after 2 restarts', 1, true), all)
  end)

  case('check may yield, and its reason is shown', function(t)
    t:file('answer', 'no\n')
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, health = { interval = '50ms', timeout = '2s',
        check = function(service)
          local said = pact.exec { 'cat', 'answer' }.stdout:match '%a+'
          return said == 'yes', service .. ' says ' .. said
        end } }
    ]]
    t:wait_service('p', { status = 'starting', reason = 'not ready: p says no' })
    t:file('answer', 'yes\n')
    t:wait_service('p', { status = 'running', health = 'healthy' })
  end)

  case('a check that is slower than its timeout has failed, and leaves nothing running', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, health = { interval = '50ms', timeout = '100ms', retries = 1,
        check = function() pact.exec { shell = 'echo >>runs; sleep 777' } return true end } }
    ]]
    t:wait_service('p', { health = 'unhealthy' })
    t:wait_lines('runs', 5)
    functional.wait('one sleep at most', function()
      local count = 0
      for _, process in ipairs(functional.procfs.with_environment('FUNCTIONAL_TEST=' .. t.dir .. '\0')) do
        if process.command:find '^sleep 777' then count = count + 1 end
      end
      return count <= 1
    end)
  end)

  case('on_unhealthy as a function decides what happens', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'rm -f bad; echo $$ >>pids; exec sleep 1000',
        health = { interval = '30ms', retries = 2, start_period = '5m',
          check = function() return not pact.file.exists 'bad', 'bad' end },
        on_unhealthy = function(service, event)
          pact.file.append('heard', service .. ' ' .. event.reason .. '\n')
          if #service.history > 0 then return pact.verdict.fail 'twice is enough' end
          return 'restart'
        end }
    ]]
    t:wait_service('p', { health = 'healthy' })
    t:file('bad', '')
    t:wait_lines('pids', 2)
    t:wait_service('p', { health = 'healthy' })
    t:file('bad', '')
    local result = network:wait()
    assert.equal(3, result.code)
    assert.truthy(result.out:find('failed: twice is enough', 1, true), result.out)
    assert.same({ 'p bad twice', 'p bad twice' }, t:lines 'heard')
  end)

  case('a dependent restarts when its dependency is back, where the edge says so', function(t)
    t:up [[
      pact.process 'db' { shell = 'echo $$ >>db; exec sleep 1000', restart = { delay = '10ms' } }
      pact.process 'web' { shell = 'echo $$ >>web; exec sleep 1000', depends_on = { db = { restart = true } } }
      pact.process 'cron' { shell = 'echo $$ >>cron; exec sleep 1000', depends_on = { 'db' } }
    ]]
    local first = t:wait_lines('web', 1)[1]
    t:wait_lines('cron', 1)
    functional.signal(tonumber(t:wait_lines('db', 1)[1]), 'KILL')
    local pids = t:wait_lines('web', 2)
    assert.not_equal(first, pids[2])
    assert.equal(2, #t:lines 'db')
    assert.equal(1, #t:lines 'cron')
    assert.equal(1, t:wait_service('web', { status = 'running' }).restart_count)
  end)

  case('a crash loop ends in failed, and the summary says how often and its last lines', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'echo life $$; echo "cannot bind" >&2; exit 98', restart = { delay = '5ms', max_retries = 4 } }
    ]]):wait()
    assert.equal(3, result.code)
    local all = result.out .. result.err
    assert.truthy(all:find('exit code 98; gave up after 4 restarts', 1, true), all)
    local summary = all:match 'gave up after 4 restarts.*$'
    assert.truthy(summary:find('cannot bind', 1, true), all)
  end)
end)

describe('why', function()
  case('tells who wants a service, what it wrote before it ended, and what comes next', function(t)
    t:up [[
      pact.process 'db' { command = { 'sleep', '1000' }, disabled = true }
      pact.process 'base' { command = { 'sleep', '1000' } }
      pact.process 'web' { depends_on = { 'base' }, restart = { delay = '1h', max_delay = '1h', max_retries = 2, jitter = 0 },
        shell = 'echo starting; echo "cannot open the store" >&2; exit 3' }
    ]]
    t:wait_service('web', { status = 'backoff' })
    local function why(id) return t:run({ 'why', id }).out end
    local web = why 'web'
    for _, words in ipairs { 'web is backoff: exit code 3\n', '  wanted: up, by the recipe\n', '  next start in 59 m ',
      '  restart attempts: 1 of 2\n', ': exit code 3\n    | starting\n    | cannot open the store\n' } do
      assert.truthy(web:find(words, 1, true), words .. ' in\n' .. web)
    end
    local base = why 'base'
    assert.truthy(base:find('  wanted: up, by the recipe, for web\n', 1, true), base)
    assert.truthy(base:find('  if it fails: it is restarted', 1, true), base)
    assert.equal(0, t:run({ 'stop', 'base' }).code)
    assert.truthy(why('base'):find('  wanted: down, by hand, but needed by web\n', 1, true), why 'base')
    assert.equal(0, t:run({ 'start', 'db' }).code)
    assert.truthy(why('db'):find('  wanted: up, by hand\n', 1, true), why 'db')
  end)
end)
