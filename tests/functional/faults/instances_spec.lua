--- Fault 43: one network of a name at a time, whatever an earlier one has left.
local functional = require 'functional'
local case = functional.case

describe('instances', function()
  case('fault 43: a second one is refused, and told who is there', function(t)
    local network = t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    local result = t:run { 'net.lua' }
    assert.equal(1, result.code, result.out .. result.err)
    assert.truthy((result.out .. result.err):find(tostring(network:roles().engine), 1, true), result.err)
    assert.equal(1, #t:lines 'trace')
    assert.is_false(network:ended())
  end)

  case('fault 43: a second one is told since when and by which recipe the first is up, also when that was left running', function(t)
    t:recipe([[ pact.project 'shop' pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]], 'first.lua')
    t:recipe [[ pact.project 'shop' pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    local network = t:start { 'up', '--detach', 'first.lua' }
    assert.equal(0, network:wait().code)
    for _, words in ipairs { { 'net.lua' }, { 'up', '--detach', 'net.lua' }, { 'ci', 'first.lua' }, { 'run', 'net.lua', '--', 'true' } } do
      local result = t:run(words)
      assert.equal(words[1] == 'run' and 125 or 1, result.code)
      local pid, since, recipe = result.err:match "^pactlua: 'shop' is up already %(engine: pid (%d+), since ([%d: -]+), recipe ([^)]+)%)"
      assert.equal(network:roles().engine, tonumber(pid), result.err)
      assert.truthy(since:find '^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$', since)
      assert.equal(t:path 'first.lua', recipe)
      assert.truthy(result.err:find("'pactlua ps' shows it, 'pactlua down' ends it", 1, true), result.err)
      assert.equal(0, result.left)
    end
    assert.equal(1, #t:lines 'trace')
    assert.equal(0, t:run({ 'down' }).code)
    assert.equal(0, t:run({ 'ci', 'net.lua' }).code)
  end)

  case('fault 43: one of another project may be up beside it', function(t)
    t:up [[ pact.project 'one' pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    t:recipe([[ pact.project 'two' pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]], 'two.lua')
    t:start { 'two.lua' }
    t:wait_lines('trace', 2)
  end)

  case('fault 43: the next one starts when the first has gone', function(t)
    t:recipe [[ pact.task 'p' { shell = 'echo up >>trace' } ]]
    for _ = 1, 3 do assert.equal(0, t:run({ 'net.lua' }).code) end
    assert.equal(3, #t:lines 'trace')
  end)

  case('fault 43: of several that start in one moment one comes up', function(t)
    t:recipe [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    local all = {}
    for i = 1, 6 do all[i] = t:start { 'net.lua' } end
    local function ended()
      local count = 0
      for _, one in ipairs(all) do count = count + (one:ended() and 1 or 0) end
      return count
    end
    functional.wait('the end of all but one', function() return ended() == 5 end)
    t:wait_lines('trace', 1)
    for _, one in ipairs(all) do
      if one:ended() then
        local result = one:wait()
        assert.equal(1, result.code)
        assert.truthy(result.err:find('is up already (engine: pid ', 1, true), result.err)
      end
    end
    assert.equal(1, #t:lines 'trace')
  end)

  case('fault 43: a socket that a killed engine has left misleads nobody', function(t)
    t:recipe [[ pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' } ]]
    local network = t:start { 'net.lua' }
    t:wait_lines('pids', 1)
    local roles = network:roles()
    functional.signal(roles.engine, 'KILL')
    network:wait()
    t:start { 'net.lua' }
    t:wait_lines('pids', 2)
    assert.equal('running', t:wait_service('p', { status = 'running' }).status)
  end)

  case('fault 43: what is left when all of a network were killed is told, cleared away, and taken over', function(t)
    local leave = "(env -i PACTLUA_SOCKET=$PACTLUA_SOCKET /usr/bin/setsid /bin/sleep 1000 </dev/null >/dev/null 2>&1 &)"
    t:recipe("pact.project 'shop' pact.process 'p' { shell = [[ " .. leave .. '; echo $$ >>pids; exec sleep 1000 ]] }')
    local function kill_all(count)
      local network = t:start { 'up', '--detach', 'net.lua' }
      assert.equal(0, network:wait().code)
      t:wait_lines('pids', count)
      local roles = network:roles()
      -- stopped first, so that neither sees the other's end
      functional.kill { roles.guard, roles.engine }
      functional.wait('their end', function()
        return not functional.procfs.alive(roles.engine) and not functional.procfs.alive(roles.guard)
      end)
      assert.is_true(t:exists '.pactlua/shop/control.sock')
    end
    kill_all(1)
    local result = t:run { 'ps' }
    assert.equal(4, result.code)
    assert.truthy(result.err:find("the last run of 'shop' was killed: 'pactlua down' ends what it left", 1, true), result.err)
    result = t:run { 'down' }
    assert.equal(0, result.code)
    assert.truthy(result.out:find '^ended what a dead run had left: sleep %(pid %d+%)\n$', result.out .. result.err)
    assert.is_false(t:exists '.pactlua/shop/control.sock')
    assert.equal(4, t:run({ 'down' }).code)
    kill_all(2)
    local network = t:start { 'net.lua' }
    network:expect 'ended what a dead run had left: sleep (pid '
    assert.equal('running', t:wait_service('p', { status = 'running' }).status)
  end)

  case('fault 43: a run that was killed and left nothing is no reason to ask anybody', function(t)
    t:recipe [[ pact.project 'shop' pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' } ]]
    local network = t:start { 'up', '--detach', 'net.lua' }
    assert.equal(0, network:wait().code)
    functional.signal(network:roles().engine, 'KILL')
    functional.wait('the end', function() return network:clean() end)
    local result = t:run { 'down' }
    assert.equal("the last run of 'shop' was killed; no process of it is left\n", result.out, result.err)
    assert.equal(0, result.code)
    assert.is_false(t:exists '.pactlua/shop/control.sock')
  end)

  -- What may lie in the directory of a network after a power cut.
  local LEFT = {
    { 'a lock file with the pid of somebody else', 'echo 1 >lock' },
    { 'a lock file of nonsense', 'head -c 100000 /dev/urandom >lock' },
    { 'an empty lock file', ': >lock' },
    { 'a plain file for a socket', 'echo x >control.sock' },
    { 'a socket that nobody listens on', 'mv "$OLD_SOCKET" control.sock' },
    { 'a link to nowhere for a socket', 'ln -s /nonexistent/x control.sock' },
    { 'half of a state file', 'printf "{" >ports.json; ln -sfn runs/gone latest' },
  }

  for _, left in ipairs(LEFT) do
    case(('fault 43: %s is no network'):format(left[1]), function(t)
      t:recipe [[ pact.project 'p' pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', ports = { x = pact.free_port 'x' } } ]]
      local command = 'mkdir -p .pactlua/p && cd .pactlua/p && ' .. left[2]:gsub('%$OLD_SOCKET', t:path 'old.sock')
      if left[2]:find 'OLD_SOCKET' then
        local network = t:start { 'net.lua' }
        t:wait_lines('pids', 1)
        os.execute(('ln %s %s'):format(t:path '.pactlua/p/control.sock', t:path 'old.sock'))
        network:signal 'TERM'
        network:wait()
        os.remove(t:path 'pids')
      end
      assert.is_true(os.execute(('cd %s && %s'):format(t.dir, command)))
      assert.equal(4, t:run({ 'ps' }).code)
      local network = t:start { 'net.lua' }
      t:wait_lines('pids', 1)
      assert.equal('running', t:wait_service('p', { status = 'running' }).status)
      network:signal 'TERM'
      assert.equal('', network:wait().err)
    end)
  end

  case('fault 43: the same directory by another path is the same network', function(t)
    t:file('real/net.lua', "local pact = require 'pact' pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' }")
    os.execute(('ln -s real %s'):format(t:path 'link'))
    t:start { 'real/net.lua' }
    t:wait_lines('real/trace', 1)
    local result = t:run { 'link/net.lua' }
    assert.equal(1, result.code)
    assert.truthy(result.err:find('is up already', 1, true), result.err)
    assert.equal(1, #t:lines 'real/trace')
  end)

  case('fault 43: what a killed network has left holds no lock', function(t)
    t:recipe [[
      pact.process 'p' { shell = 'echo $$ >>pids; (env -i setsid /bin/sleep 1000 </dev/null >/dev/null 2>&1 &); exec sleep 1000' }
    ]]
    local network = t:start { 'net.lua' }
    t:wait_lines('pids', 1)
    local roles = network:roles()
    functional.kill { roles.guard, roles.engine, network.pid }
    functional.wait('the end', function() return not functional.procfs.alive(roles.engine) end)
    t:start { 'net.lua' }
    t:wait_lines('pids', 2)
    for _, process in ipairs(network:processes()) do functional.signal(process.pid, 'KILL') end
  end)
end)
