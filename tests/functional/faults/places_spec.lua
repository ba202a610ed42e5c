--- Fault 59: nowhere to write, no home, paths that are too long.
local functional = require 'functional'
local case = functional.case

local IS_ROOT = os.execute 'test "$(id -u)" = 0'
local UP = [[ pact.process 'p' { shell = 'echo up >&2; exec sleep 1000' } ]]

-- Starts without the variables named; XDG_STATE_HOME is the harness's otherwise.
local function without(t, names, args, opts)
  local words = {}
  for _, name in ipairs(names) do words[#words + 1] = '--unset=' .. name end
  words[#words + 1] = functional.bin
  table.move(args, 1, #args, #words + 1, words)
  opts = opts or {}
  opts.program = 'env'
  return t:start(words, opts)
end

local function running(ps)
  local result = ps:wait()
  return result.code == 0 and result.out:find 'p%s+running' and result
end

describe('places', function()
  case('fault 59: a file system that is read only: state and logs are elsewhere, and it says where', function(t)
    t:recipe(UP, 'ro/net.lua')
    local network = t:start({ '-m', 'sh', '-c',
      'mount --bind ro ro && mount -o remount,ro,bind ro && cd ro && exec "$0" net.lua', functional.bin }, { program = 'unshare' })
    network:expect 'up'
    local place = network:expect('files of this run are in'):match 'files of this run are in (%S+)\n'
    assert.equal(t:path '.state/pactlua/', place:sub(1, #t:path '.state/pactlua/'))
    functional.wait('ps', function() return running(t:start({ 'ps' }, { cwd = t:path 'ro' })) end)
    local result = t:run({ 'logs', 'p' }, { cwd = t:path 'ro' })
    assert.equal('up\n', result.out)
    assert.equal(0, t:run({ 'down' }, { cwd = t:path 'ro' }).code)
    network:wait()
    assert.is_false(t:exists 'ro/.pactlua')
  end, not IS_ROOT and 'only root may mount')

  case('fault 59: no place at all is told, with all that was tried, and nothing starts', function(t)
    t:recipe([[ pact.process 'p' { command = { 'touch', '/tmp/never' } } ]], 'ro/net.lua')
    local result = t:run({ '-m', 'sh', '-c',
      'mount --bind ro ro && mount -o remount,ro,bind ro && cd ro && XDG_STATE_HOME=$PWD exec "$0" net.lua', functional.bin },
      { program = 'unshare' })
    assert.equal(1, result.code)
    assert.truthy(result.err:find('no place for the state of this network', 1, true), result.err)
    assert.truthy(result.err:find('Read-only file system', 1, true), result.err)
    assert.equal(0, result.left)
  end, not IS_ROOT and 'only root may mount')

  case('fault 59: a directory that may not be written', function(t)
    t:recipe(UP, 'ro/net.lua')
    os.execute(('chmod 777 %s; chmod 555 %s'):format(t.dir, t:path 'ro'))
    local network
    if IS_ROOT then -- whom no mode stops
      network = t:start({ '--reuid=65534', '--regid=65534', '--clear-groups', functional.bin, 'ro/net.lua' }, { program = 'setpriv' })
    else
      network = t:start { 'ro/net.lua' }
    end
    network:expect 'up'
    network:expect(t:path '.state/pactlua/')
    network:signal 'TERM'
    network:wait()
  end)

  case('fault 59: neither HOME nor XDG_STATE_HOME: beside the recipe all is as always', function(t)
    t:recipe(UP)
    local network = without(t, { 'HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR', 'USER', 'PATH' }, { 'net.lua' })
    network:expect 'up'
    assert.equal('running', t:wait_service('p', { status = 'running' }).status)
    assert.equal(1, #t:state '^%.pactlua/[^/]+/control%.sock$')
    assert.equal(0, t:run({ 'down' }).code)
    network:wait()
  end)

  case('fault 59: with no home at all, state is in a directory of our own in /tmp', function(t)
    local deep = ('d'):rep(60) .. '/' .. ('e'):rep(60)
    t:recipe(UP, deep .. '/net.lua')
    local unset, opts = { 'HOME', 'XDG_STATE_HOME' }, { cwd = t:path(deep) }
    local network = without(t, unset, { 'net.lua' }, opts)
    network:expect 'up'
    local place = network:expect('files of this run are in'):match 'files of this run are in (%S+)\n'
    local uid = io.popen('id -u'):read 'l'
    assert.equal(('/tmp/pactlua-%s/pactlua/'):format(uid), place:match '^(.*/)[^/]+$')
    assert.equal('700', io.popen('stat -c %a /tmp/pactlua-' .. uid):read 'l')
    functional.wait('ps', function() return running(without(t, unset, { 'ps' }, { cwd = t:path(deep) })) end)
    network:signal 'TERM'
    network:wait()
    os.execute(('rm -rf %s; rmdir /tmp/pactlua-%s/pactlua /tmp/pactlua-%s 2>/dev/null'):format(functional.quote(place), uid, uid))
  end)

  case('fault 59: a socket path of more than 107 bytes: the network works, verbs find it', function(t)
    local deep = ('d'):rep(100) .. '/' .. ('e'):rep(100)
    t:recipe(UP, deep .. '/net.lua')
    local network = t:start({ 'net.lua' }, { cwd = t:path(deep) })
    network:expect 'files of this run are in'
    functional.wait('ps', function() return running(t:start({ 'ps' }, { cwd = t:path(deep) })) end)
    local second = t:run({ 'net.lua' }, { cwd = t:path(deep) })
    assert.equal(1, second.code)
    assert.truthy(second.err:find('is up already', 1, true), second.err)
    assert.equal(0, t:run({ 'down' }, { cwd = t:path(deep) }).code)
    network:wait()
  end)

  case('fault 59: when that is too long, too, it is told with the path', function(t)
    local deep = ('d'):rep(120)
    t:recipe(UP, deep .. '/net.lua')
    local result = t:run({ 'net.lua' }, { cwd = t:path(deep), env = { XDG_STATE_HOME = t:path(deep) } })
    assert.equal(1, result.code)
    assert.truthy(result.err:find('the path of the control socket is too long: ' .. t.dir, 1, true), result.err)
    assert.equal(0, result.left)
  end)

  case('fault 59: a working directory that is gone', function(t)
    t:recipe(UP)
    local result = t:run({ '-c', 'mkdir gone && cd gone && rmdir ../gone && "$0" ps; echo $?; "$0" check ../net.lua; echo $?; "$0" check "$1"; echo $?',
      functional.bin, t:path 'net.lua' }, { program = 'sh' })
    assert.equal(0, result.code)
    assert.truthy(result.out:find '^4\n', result.out .. result.err)
    assert.truthy(result.out:find '1 service, all is well\n0\n$', result.out .. result.err)
    assert.falsy((result.out .. result.err):find('traceback', 1, true), result.err)
  end)
end)
