--- Fault 58, of sockets that are bound for services: they are all that a service has besides 0 to 2. Fault 59: paths that
--- are too long, places that may not be written, files that a killed run left or that are somebody else's.
local functional = require 'functional'
local case = functional.case

local IS_ROOT = os.execute 'test "$(id -u)" = 0'
local TAKE = functional.fixtures .. 'take_listen'

local function recipe(path)
  return ([[ pact.process 'web' { command = { '%s' }, listen = { web = '%s' } } ]]):format(TAKE, path)
end

local function answers(t, path)
  local words = { '-sS', '--max-time', '20', '--unix-socket', t:path(path), 'http://x/' }
  local result = t:run(words, { program = 'curl' })
  return result.code == 0 and result.out:find '^%d+ web$' ~= nil
end

describe('a socket that is bound for a service', function()
  case('fault 58: its descriptors are 0 to 2 and its sockets; other services have none of them', function(t)
    t:up [[
      local tell = 'all=; for fd in /proc/$$/fd/*; do [ -e $fd ] && all="$all ${fd##*/}"; done; echo $all >$1; exec sleep 1000'
      pact.process 'web' { command = { 'sh', '-c', tell, 'sh', 'web' }, listen = { a = 'auto', b = './b', c = 0 } }
      pact.process 'plain' { command = { 'sh', '-c', tell, 'sh', 'plain' }, depends_on = { 'web' } }
    ]]
    assert.same({ '0 1 2 3 4 5' }, t:wait_lines('web', 1))
    assert.same({ '0 1 2' }, t:wait_lines('plain', 1))
    assert.equal(0, t:run({ 'restart', 'web' }).code)
    functional.wait('the same again', function() return (t:read 'web') == '0 1 2 3 4 5\n' end)
  end)

  case('fault 59: a path of more than 107 bytes is told before anything starts', function(t)
    local path = t:path(('d'):rep(108 - #t.dir - 1))
    local result = t:up(recipe(path)):wait()
    assert.equal(2, result.code)
    assert.truthy(result.err:find(("listen.web is a path of 108 bytes, and a socket can have 107: %s"):format(path), 1, true), result.err)
    path = t:path(('d'):rep(107 - #t.dir - 1))
    t:up(recipe(path)):expect 'serving'
    assert.is_true(answers(t, path:match '[^/]+$'))
  end)

  case('fault 59: a read-only place: failed, and it says where', function(t)
    t:file('ro/x', '')
    t:recipe(recipe './ro/run/web.sock')
    local result = t:run({ '-m', 'sh', '-c', 'mount --bind ro ro && mount -o remount,ro,bind ro && exec "$0" net.lua', functional.bin },
      { program = 'unshare' })
    assert.equal(3, result.code)
    assert.truthy(result.out:find('/ro/run: Read-only file system', 1, true), result.out)
  end, not IS_ROOT and 'only root may mount')

  case('fault 59: a name that is a file: nothing is overwritten', function(t)
    t:file('web', 'precious')
    local result = t:up(recipe './web'):wait()
    assert.equal(3, result.code)
    assert.truthy(result.out:find('/web\': File exists: what is there is no socket', 1, true), result.out)
    assert.equal('precious', t:read 'web')
  end)

  case('fault 59: the file that a killed run left is taken over, and goes at the end', function(t)
    local network = t:up(recipe './web')
    network:expect 'serving'
    local roles = network:roles()
    functional.kill { roles.guard, roles.engine, network.pid }
    t:wait_clean()
    assert.is_true(t:exists 'web')
    local second = t:up(recipe './web')
    second:expect 'serving'
    assert.is_true(answers(t, 'web'))
    t:run { 'down' }
    second:wait()
    assert.is_false(t:exists 'web')
  end)

  case('fault 59: one on which another network listens is left to it', function(t)
    t:up(recipe(t:path 'web')):expect 'serving'
    t:recipe(recipe(t:path 'web'), 'second/net.lua')
    local result = t:run({ 'net.lua' }, { cwd = t:path 'second' })
    assert.equal(3, result.code)
    assert.truthy(result.out:find("Address already in use: another program listens there", 1, true), result.out)
    assert.is_true(answers(t, 'web'))
  end)
end)
