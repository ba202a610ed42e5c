--- `up --detach`: when it returns, with what, and what it leaves running.
local functional = require 'functional'
local cjson = require 'cjson'
local lfs = require 'lfs'
local case, procfs = functional.case, functional.procfs

local TWO = [[
  pact.process 'db' { shell = 'echo db up; until [ -e go ]; do sleep 0.02; done; echo open; exec sleep 1000',
    health = { log = 'open' } }
  pact.process 'web' { shell = 'echo $$ >>pids; exec sleep 1000', depends_on = { 'db' } }
]]
local ONE = [[ pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' } ]]

-- Brings a network up and leaves it running; gives its front.
local function detached(t, recipe, ...)
  t:recipe(recipe)
  local network = t:start { 'up', '--detach', 'net.lua', ... }
  local result = network:wait()
  assert.equal(0, result.code, result.out .. result.err)
  return network, result
end

local function down(t, network)
  local result = t:run { 'down' }
  assert.equal(0, result.code, result.err)
  functional.wait('the end', function() return network:clean() end)
  return result.out
end

local function is_gone(pid) return not procfs.alive(pid) end

describe('a network that is left running', function()
  case('is ready when the command returns, and says how to go on', function(t)
    t:recipe(TWO)
    local network = t:start { '--detach', 'net.lua' }
    network:expect 'db up'
    assert.is_false(network:ended())
    t:file('go', '')
    local result = network:wait()
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find('db      | open\n', 1, true), result.out)
    local all = t:ps()
    assert.equal('running', all.db.status)
    assert.equal('running', all.web.status)
    local last = result.out:match '([^\n]*)\n$'
    assert.truthy(last:find("left running, engine pid " .. network:roles().engine, 1, true), last)
    assert.truthy(last:find("'pactlua ps', 'pactlua logs -f', 'pactlua down'", 1, true), last)
    assert.equal('db up', io.lines(last:match 'logs: (/[^;]+);' .. '/db.log')())
    down(t, network)
  end)

  case('holds nothing of who has started it: pipes, descriptors, session, terminal', function(t)
    t:recipe(ONE)
    local result = t:run({ '-c', 'exec 9>held; flock -n 9 || exit 1; said=$("$0" up --detach net.lua 2>&1); echo "got: $said"',
      functional.bin }, { program = 'bash', tty = true })
    assert.equal(0, result.code)
    assert.truthy(result.out:find('got: .*left running'), result.out)
    assert.truthy(os.execute(('flock -n %s true'):format(t:path 'held')), 'somebody has the descriptor still')
    local roles = t.started[1]:roles()
    for name, pid in pairs(roles) do
      assert.not_equal(t.started[1].pid, procfs.process(pid).sid)
      assert.equal('0', procfs.read(('/proc/%d/stat'):format(pid)):match '%) %a %-?%d+ %-?%d+ %-?%d+ (%-?%d+)', 'a terminal')
      for fd = 0, 2 do
        local file = lfs.symlinkattributes(('/proc/%d/fd/%d'):format(pid, fd), 'target')
        assert.truthy(file == '/dev/null' or file:find('/pactlua.log', 1, true), ('%s: %d is %s'):format(name, fd, file))
      end
    end
    down(t, t.started[1])
  end)

  case('is shut down when something wanted fails, and tells why and what it wrote', function(t)
    t:recipe [[
      pact.process 'bad' { shell = 'echo first; echo broken >&2; exit 7', restart = 'no' }
      pact.process 'late' { shell = 'exec sleep 1000', health = { file = 'never', interval = '100ms' } }
      pact.process 'last' { command = { 'sleep', '1000' }, depends_on = { 'late' } }
    ]]
    local result = t:run { 'up', '--detach', 'net.lua' }
    assert.equal(3, result.code)
    for _, words in ipairs { "shutting down: 'bad' failed: exit code 7", 'last lines of bad:\n  first\n  broken\n',
      'not ready: last: waiting for late', '\nbad      failed ' } do
      assert.truthy(result.out:find(words, 1, true), words .. ' in:\n' .. result.out)
    end
    assert.equal(0, result.left)
    assert.equal(4, t:run({ 'ps' }).code)
  end)

  case('is shut down when it takes too long, and tells what it waited for', function(t)
    t:recipe(TWO)
    local result = t:run { 'up', '--detach', '--timeout', '300ms', 'net.lua' }
    assert.equal(3, result.code)
    assert.truthy(result.out:find('not ready after 300 ms: db, web', 1, true), result.out)
    assert.truthy(result.out:find('not ready: web: waiting for db', 1, true), result.out)
    assert.truthy(result.out:find('last lines of db:\n  db up\n', 1, true), result.out)
    assert.equal(0, result.left)
  end)

  case('is refused with the status of what is wrong', function(t)
    t:recipe [[ pact.process 'p' { comand = { 'x' } } ]]
    assert.equal(2, t:run({ 'up', '--detach', 'net.lua' }).code)
    assert.equal(2, t:run({ 'up', '--detach', 'nowhere.lua' }).code)
    for _, words in ipairs { { 'run', '--detach', 'net.lua', '--', 'true' }, { 'ci', '--detach', 'net.lua' } } do
      local result = t:run(words)
      assert.equal(2, result.code)
      assert.truthy(result.err:find("'pactlua up --detach' leaves one running", 1, true), result.err)
    end
  end)

  case('is shut down by Ctrl-C while it is waited for', function(t)
    t:recipe(TWO)
    local network = t:start { 'up', '--detach', 'net.lua' }
    network:expect 'db up'
    network:signal 'INT'
    local result = network:wait()
    assert.equal(2, result.signal)
    assert.truthy(result.out:find('shutting down: Ctrl-C', 1, true), result.out)
    assert.equal(0, result.left)
  end)

  case('is none when a service without a check dies a moment after its start: 3', function(t)
    t:recipe [[
      pact.process 'db' { command = { 'sleep', '1000' } }
      pact.process 'web' { shell = 'sleep 0.3; echo no such table >&2; exit 7', restart = 'no' }
    ]]
    local result = t:run { 'up', '--detach', 'net.lua' }
    assert.equal(3, result.code, result.out)
    assert.truthy(result.out:find("'web' failed: exit code 7", 1, true), result.out)
    assert.truthy(result.out:find('no such table', 1, true), result.out)
    assert.is_nil(result.out:find('left running', 1, true))
    assert.equal(4, t:run({ 'ps' }).code)
  end)

  case('with --no-wait is left as it is, whatever becomes of it', function(t)
    t:recipe [[
      pact.process 'bad' { shell = 'exit 7', restart = 'no' }
      pact.process 'late' { shell = 'exec sleep 1000', health = { file = 'go', interval = '100ms' } }
    ]]
    local network = t:start { 'up', '--detach', '--no-wait', 'net.lua' }
    assert.equal(0, network:wait().code)
    t:wait_service('bad', { status = 'failed' })
    assert.equal('starting', t:ps().late.status)
    t:file('go', '')
    assert.equal(0, t:run({ 'wait', 'late' }).code)
    down(t, network)
  end)

  case('stays when all of it has ended; with --exit it does not', function(t)
    t:recipe [[ pact.task 'a' { shell = 'echo done >>trace' } ]]
    local result = t:run { 'up', '--detach', '--exit', 'net.lua' }
    assert.equal(0, result.code)
    assert.equal(0, result.left)
    assert.truthy(result.out:find('ended after', 1, true), result.out)
    local network = detached(t, [[ pact.process 'a' { shell = 'until [ -e go ]; do sleep 0.02; done', restart = 'no' } ]])
    t:file('go', '')
    t:wait_service('a', { status = 'completed' })
    os.remove(t:path 'go')
    assert.equal(0, t:run({ 'start', 'a' }).code)
    assert.equal('running', t:ps().a.status)
    assert.truthy(down(t, network):find '^ended \'[^\']+\' after [^:]+: a\n$')
  end)

  case('ends with its essential service, and leaves nothing', function(t)
    local network = detached(t, [[
      pact.process 'p' { shell = 'until [ -e go ]; do sleep 0.02; done; exit 9', restart = 'no', essential = true }
      pact.process 'q' { command = { 'sleep', '1000' } }
    ]])
    t:file('go', '')
    functional.wait('the end', function() return network:clean() end)
    assert.equal(4, t:run({ 'ps' }).code)
    assert.equal(1, #t:events 'shutdown')
  end)

  for _, killed in ipairs { 'engine', 'guard' } do
    case(('is ended when its %s is killed, as any other'):format(killed), function(t)
      local network = detached(t, [[
        pact.process 'p' { shell = 'setsid sh -c "echo \\$\\$ >>pids; exec sleep 1000" & ' ..
          'trap "echo ended >>trace; exit" TERM; echo $$ >>pids; while :; do sleep 0.05; done' }
      ]])
      local pids, roles = t:wait_lines('pids', 2), network:roles()
      functional.signal(roles[killed], 'KILL')
      functional.wait('the end', function() return network:clean() end)
      for _, pid in ipairs(pids) do assert.is_true(is_gone(tonumber(pid))) end
      if killed == 'guard' then assert.same({ 'ended' }, t:lines 'trace') end -- in order
      assert.equal(killed == 'engine', t:exists('.pactlua/' .. t.dir:match '[^/]+$' .. '-net/control.sock'))
      if killed == 'engine' then t:run { 'down' } end
    end)
  end

  case('says what it has to say in its log', function(t)
    local network = detached(t, ONE .. [[
      print 'before'
      pact.command('speak', {}, function() print 'said later' io.stderr:write 'in bytes\n' end)
    ]])
    assert.truthy(network:out():find('before\n', 1, true))
    assert.equal(0, t:run({ 'do', 'speak' }).code)
    local path = t:state 'runs/[^/]+/pactlua%.log$'[1]
    functional.wait('words in the log', function()
      local text = t:read(path) or ''
      return text:find('said later', 1, true) and text:find('in bytes', 1, true)
    end)
    assert.falsy(network:out():find('said later', 1, true))
    down(t, network)
  end)

  case('does not mind that nobody reads what is said', function(t)
    t:recipe(ONE)
    local result = t:run({ '-c', '"$0" up --detach net.lua | true; "$0" up --detach net.lua >&- 2>&-; echo $?', functional.bin },
      { program = 'bash' })
    assert.equal('1\n', result.out)
    assert.equal('running', t:ps().p.status)
    down(t, t.started[1])
  end)

  case('with --json is described in a line of its own', function(t)
    local network, result = detached(t, ONE, '--json')
    local told = cjson.decode(result.out:match '([^\n]*)\n$')
    assert.equal('detached', told.name)
    assert.equal(network:roles().engine, told.pid)
    assert.is_true(told.ready)
    assert.equal('socket', lfs.attributes(told.socket, 'mode'))
    down(t, network)
  end)

  case('without any service that is wanted is ready at once', function(t)
    local network = detached(t, [[ pact.process 'p' { command = { 'sleep', '1000' }, disabled = true } pact.every('1h', print) ]])
    assert.equal('idle', t:ps().p.status)
    down(t, network)
  end)

  case('by an imperative recipe is ready when it says so', function(t)
    local network = detached(t, [[ pact.start { id = 'p', command = { 'sleep', '1000' } } ]])
    assert.equal('running', t:ps().p.status)
    down(t, network)
  end)

  case('may be one that had a terminal until then', function(t)
    local network = t:up(ONE)
    t:wait_lines('pids', 1)
    functional.wait('ready', function() return t:run({ 'wait' }).code == 0 end)
    local socket = t:path(t:state('control%.sock$')[1])
    local asked = t:run({ '-sS', '--unix-socket', socket, '-X', 'POST', 'http://localhost/v1/detach' }, { program = 'curl' })
    assert.truthy(asked.out:find('"ok":true', 1, true), asked.out)
    local result = network:wait()
    assert.equal(0, result.code)
    assert.truthy(result.out:find('left running', 1, true), result.out)
    assert.equal('running', t:ps().p.status)
    down(t, network)
  end)

  case("of 'run' can't be left", function(t)
    t:recipe(ONE)
    local ask = 'curl -sS --unix-socket "$1" -X POST http://localhost/v1/detach >answer; echo $$ >done; exec sleep 1000'
    local network = t:start { 'run', 'net.lua', '--', 'sh', '-c', ask, 'sh', ('.pactlua/%s-net/control.sock'):format(t.dir:match '[^/]+$') }
    t:wait_pid 'done'
    assert.truthy(t:read('answer'):find("a network of 'run' ends with its command", 1, true), t:read 'answer')
    network:signal 'TERM'
    network:wait()
  end)
end)

describe('the network that a command is about', function()
  local function leave(t, directory, project)
    t:recipe(("pact.project '%s' pact.process '%s' { command = { 'sleep', '1000' } }"):format(project, project), directory .. project .. '.lua')
    local network = t:start { 'up', '--detach', directory .. project .. '.lua' }
    assert.equal(0, network:wait().code)
    return network
  end

  case('is the nearest one, from any directory below', function(t)
    leave(t, '', 'outer')
    leave(t, 'in/', 'inner')
    t:file('in/deep/er/x', '')
    local function shown(directory)
      return t:run({ 'ps', '--json' }, { cwd = t:path(directory) }).out:match '"id": "(%a+)"'
    end
    assert.equal('inner', shown 'in/deep/er')
    assert.equal('outer', shown '.')
    assert.equal(0, t:run({ 'down', '--project', 'outer' }, { cwd = t:path 'in/deep' }).code)
    assert.equal('inner', shown 'in')
    assert.equal(4, t:run({ 'ps' }).code)
    assert.equal(0, t:run({ 'down' }, { cwd = t:path 'in/deep' }).code)
  end)

  -- Every command that asks a network.
  local VERBS = {
    { 'ps' }, { 'why', 'x' }, { 'start', 'x' }, { 'stop', 'x' }, { 'restart', 'x' }, { 'signal', 'x' }, { 'send', 'x', 'y' },
    { 'scale', 'x=2' }, { 'wait' }, { 'events' }, { 'do', 'x' }, { 'eval', '1' }, { 'env' }, { 'open', 'x' },
    { 'exec', 'x', '--', 'true' }, { 'down' },
  }

  case('is said to be missing, with 4; those elsewhere are named', function(t)
    local name = 'away-' .. t.dir:match '%d+%-%d+$'
    leave(t, 'away/', name)
    t:file('here/x', '')
    for _, words in ipairs(VERBS) do
      local result = t:run(words, { cwd = t:path 'here' })
      assert.equal(4, result.code, table.concat(words, ' ') .. result.err)
      assert.truthy(result.err:find('^pactlua: no live network here or above; '), result.err)
      assert.truthy(result.err:find('live elsewhere: ', 1, true), result.err)
    end
    local result = t:run({ 'ps', '--project', name }, { cwd = t:path 'here' })
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find(name, 1, true))
    result = t:run({ 'ps', '--project', name:gsub('^away', 'awya') }, { cwd = t:path 'away' })
    assert.equal(4, result.code)
    assert.truthy(result.err:find(("(did you mean '%s'?)"):format(name), 1, true), result.err)
    assert.equal(0, t:run({ 'down', '--project', name }, { cwd = '/' }).code)
  end)

  case('is asked for when there are several', function(t)
    local networks = { leave(t, '', 'one'), leave(t, '', 'two') }
    for _, words in ipairs(VERBS) do
      local result = t:run(words)
      assert.equal(2, result.code, table.concat(words, ' ') .. result.err)
      assert.equal('pactlua: several networks are live here: one and two; --project NAME says which one\n', result.err)
    end
    for _, verb in ipairs { 'logs', 'timeline' } do
      local result = t:run { verb }
      assert.same({ 2, '' }, { result.code, result.out })
      assert.equal(('pactlua: %s: several networks are live here: one and two; --project NAME says which one\n'):format(verb), result.err)
      assert.equal(0, t:run({ verb, '--project', 'one' }).code)
    end
    for i, name in ipairs { 'one', 'two' } do
      assert.truthy(t:run({ 'ps', '--project', name }).out:find(name .. ' +running'))
      assert.equal(0, t:run({ 'down', '--project', name }).code)
      functional.wait('the end', function() return networks[i]:clean() end)
    end
  end)
end)

describe('down', function()
  case('returns when engine and guard have ended, and says what it ended', function(t)
    local network = detached(t, [[
      pact.process 'one' { shell = 'trap "sleep 0.5; exit" TERM; echo $$ >>pids; while :; do sleep 0.05; done' }
      pact.process 'two' { command = { 'sleep', '1000' } }
    ]])
    local roles, pid = network:roles(), t:wait_pid 'pids'
    local result = t:run { 'down' }
    assert.is_true(is_gone(roles.engine) and is_gone(roles.guard) and is_gone(pid))
    assert.equal(0, result.code)
    assert.truthy(result.out:find "^ended '[^']+' after [^:]+: one and two\n$", result.out)
  end)
end)
