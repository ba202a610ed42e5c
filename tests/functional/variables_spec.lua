--- Variables that change defaults, and those that make pactlua talk about itself.
local functional = require 'functional'
local case = functional.case

local function took(fn)
  local began = functional.now()
  fn()
  return functional.now() - began
end

describe('variables', function()
  case('PROCESS_MAX_RETRIES and PROCESS_RESTART_DELAY', function(t)
    local result = t:up([[ pact.process 'p' { shell = 'echo x >>starts; exit 1' } ]],
      { env = { PROCESS_MAX_RETRIES = '1', PROCESS_RESTART_DELAY = '100' } }):wait()
    assert.equal(3, result.code)
    assert.equal(2, #t:lines 'starts')
  end)

  case('PROCESS_SHUTDOWN_TIMEOUT', function(t)
    local network = t:up([[ pact.process 'deaf' { shell = 'trap "" TERM; echo up >>trace; while true; do sleep 0.1; done' } ]],
      { env = { PROCESS_SHUTDOWN_TIMEOUT = '500' } })
    t:wait_lines('trace', 1)
    assert.is_true(took(function()
      network:signal 'TERM'
      network:wait()
    end) < 9) -- ten seconds without it
  end)

  case('HEALTH_CHECK_INTERVAL, _RETRIES', function(t)
    t:up([[ pact.process 'p' { shell = 'touch ok; exec sleep 1000', health = { command = { 'test', '-e', 'ok' } } } ]],
      { env = { HEALTH_CHECK_INTERVAL = '200', HEALTH_CHECK_RETRIES = '1' } })
    t:wait_service('p', { health = 'healthy' })
    os.remove(t:path 'ok')
    t:wait_service('p', { health = 'unhealthy' })
  end)

  case('a recipe beats them', function(t)
    t:up([[ pact.process 'p' { shell = 'echo x >>starts; exit 1', restart = { max_retries = 2, delay = '100ms' } } ]],
      { env = { PROCESS_MAX_RETRIES = '0' } }):wait()
    assert.equal(3, #t:lines 'starts')
  end)

  for _, name in ipairs { 'PROCESS_SHUTDOWN_TIMEOUT', 'PROCESS_RESTART_DELAY', 'PROCESS_MAX_RETRIES',
    'HEALTH_CHECK_INTERVAL', 'HEALTH_CHECK_TIMEOUT', 'HEALTH_CHECK_RETRIES', 'TUI_REFRESH_RATE', 'TUI_MAX_LOGS',
    'TUI_ENABLE_DEBUG', 'DEBUG_LEVEL' } do
    case(('a bad %s is an error that names it'):format(name), function(t)
      local result = t:up([[ pact.process 'p' { command = { 'touch', 'ran' } } ]], { env = { [name] = 'rubbish' } }):wait()
      assert.equal(2, result.code, result.out .. result.err)
      assert.truthy(result.err:find(name, 1, true), result.err)
      assert.is_false(t:exists 'ran')
    end)
  end

  case('DEBUG writes a log of our own', function(t)
    local result = t:up([[ pact.task 'p' { command = { 'true' } } ]], { env = { DEBUG = '1' } }):wait()
    assert.equal(0, result.code)
    local path = t:state('runs/[^/]+/pactlua%.log$')[1]
    assert.truthy(path)
    assert.truthy(t:read(path):find('p', 1, true))
  end)

  case('PACTLUA_DEBUG is not inherited by services, DEBUG is', function(t)
    local result = t:up([[ pact.task 'p' { shell = 'echo "${DEBUG-unset} ${PACTLUA_DEBUG-unset}" >seen' } ]],
      { env = { DEBUG = 'mine', PACTLUA_DEBUG = 'process' } }):wait()
    assert.equal(0, result.code)
    assert.equal('mine unset\n', t:read 'seen')
  end)

  case('NO_COLOR and a pipe mean no colour; a terminal has some', function(t)
    local text = [[ pact.task 'p' { shell = 'echo word' } ]]
    local with = t:up(text, { tty = true, env = { TERM = 'xterm-256color' } }, '--no-tui'):wait()
    assert.truthy(with.out:find('\27[', 1, true))
    local function seen(env)
      env.TERM = 'xterm-256color'
      t:up([[ pact.task 'p' { shell = 'echo "${FORCE_COLOR-unset}" >seen' } ]], { tty = true, env = env }, '--no-tui'):wait()
      return t:read 'seen'
    end
    assert.equal('1\n', seen {})
    assert.equal('0\n', seen { FORCE_COLOR = '0' })
    assert.equal('unset\n', seen { NO_COLOR = '1' })
    local without = t:up(text, { tty = true, env = { TERM = 'xterm-256color', NO_COLOR = '1' } }, '--no-tui'):wait()
    assert.falsy(without.out:find('\27[', 1, true), without.out)
  end)
end)
