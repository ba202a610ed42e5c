--- What services say of themselves by sd_notify.
local functional = require 'functional'
local case = functional.case

local NOTIFY = functional.fixtures .. 'notify'

-- A service that runs the words of the fixture.
local function recipe(words, more)
  local out = { ("'%s'"):format(NOTIFY) }
  for word in words:gmatch '%S+' do out[#out + 1] = ("'%s'"):format(word) end
  return ("pact.process 'p' { command = { %s }, %s }"):format(table.concat(out, ', '), more or "health = 'notify'")
end

describe('notify', function()
  case('READY=1 makes it ready, STATUS is shown by ps and why', function(t)
    t:up(recipe '+go STATUS=loading;X=1 +more READY=1;STATUS=serving -')
    t:wait_service('p', { status = 'starting', health = 'unknown' })
    t:file('go', '')
    t:wait_service('p', { status = 'starting', reason = 'not ready: loading' })
    t:file('more', '')
    t:wait_service('p', { status = 'running', health = 'healthy', said = 'serving' })
    assert.matches('serving', t:run({ 'ps' }).out)
    assert.matches('p is running: serving', t:run({ 'why', 'p' }).out)
  end)

  case('WATCHDOG=1 in time keeps it healthy; a missing one makes it unhealthy, and it is restarted', function(t)
    t:up(recipe('READY=1 WATCHDOG=1 +go -',
      "health = { notify = true, interval = '300ms', retries = 2 }, on_unhealthy = 'restart'"))
    functional.wait('its restart', function() return t:events('restarted')[1] end)
    assert.equal('unhealthy: no WATCHDOG=1 in 300ms twice', t:ps().p.history[1].reason)
  end)

  case('a child may speak for it, a stranger may not', function(t)
    t:up(recipe '+go ! READY=1 -')
    t:wait_service('p', { status = 'starting' })
    local socket = t:state '/n1%.sock$'[1]
    os.execute(('cd %s && NOTIFY_SOCKET=%s timeout 20 %s READY=1 +heard &'):format(t.dir, t:path(socket), NOTIFY))
    functional.wait('the stranger to be heard', function()
      local service = (t:ps() or {}).p
      return service and service.reason:find('is ignored: it is none of its processes', 1, true)
    end)
    t:file('heard', '')
    assert.equal('starting', t:ps().p.status)
    t:file('go', '')
    t:wait_service('p', { status = 'running', health = 'healthy' })
  end)

  case('EXTEND_TIMEOUT_USEC gives it more time to start', function(t)
    t:up(recipe('EXTEND_TIMEOUT_USEC=60000000 +go READY=1 -', "health = 'notify', timeout = '1500ms'"))
    functional.wait('a time longer than its timeout', function()
      local service = (t:ps() or {}).p
      return service and (service.uptime or 0) > 1700
    end)
    t:file('go', '')
    local service = t:wait_service('p', { status = 'running' })
    assert.equal(0, #service.history)
  end)

  case('MAINPID is ignored, with a note', function(t)
    t:up(recipe 'READY=1 MAINPID=1 -')
    t:wait_service('p', { status = 'running', reason =
      'MAINPID=1 is ignored: the process that was started is the one that counts' })
  end)

  case('another user writes to a socket without a file', function(t)
    os.execute('chmod 755 ' .. t.dir)
    t:up(recipe('READY=1 -', "health = 'notify', user = 'nobody', cwd = '/'"))
    t:wait_service('p', { status = 'running', health = 'healthy' })
  end, not os.execute '[ "$(id -u)" = 0 ]' and 'needs root')

  case('no socket is left, and one of a killed run does no harm', function(t)
    local up = t:up(recipe 'READY=1 -')
    t:wait_service('p', { status = 'running' })
    local roles = up:roles()
    functional.signal(roles.engine, 'KILL')
    up:wait()
    up = t:up(recipe 'READY=1 -')
    t:wait_service('p', { status = 'running' })
    up:signal 'TERM'
    up:wait()
    assert.same({}, t:state '/n%d+%.sock$')
  end)
end)
