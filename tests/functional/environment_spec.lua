--- What a service gets: variables, descriptors, session, dispositions.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

-- Runs a task that writes what it sees into `seen`, and gives that.
local function seen(t, fields, script, opts)
  local result = t:up(([[
    pact.task 'probe' { %s shell = %q }
  ]]):format(fields, '{ ' .. script .. '; } >seen 2>&1'), opts):wait()
  assert.equal(0, result.code, result.out .. result.err .. (t:read 'seen' or ''))
  return t:read 'seen'
end

describe('environment', function()
  case('ours is inherited', function(t)
    assert.equal('from outside\n', seen(t, '', 'echo "$OUTSIDE"', { env = { OUTSIDE = 'from outside' } }))
  end)

  case('env adds, overrides and removes', function(t)
    assert.equal('added new gone\n', seen(t, "env = { A = 'added', B = 'new', C = false },",
      'echo "$A $B ${C-gone}"', { env = { B = 'old', C = 'here' } }))
  end)

  case('numbers and true become text, functions are called at each start', function(t)
    assert.equal('5433 true computed\n', seen(t, "env = { N = 5433, T = true, F = function() return 'computed' end },",
      'echo "$N $T $F"'))
  end)

  case('the network is named', function(t)
    local text = seen(t, '', 'env | grep ^PACTLUA_ | sort')
    assert.truthy(text:find('PACTLUA_SERVICE=probe\n', 1, true), text)
    assert.truthy(text:find('PACTLUA_PROJECT=%S+\n'), text)
    assert.truthy(text:find('PACTLUA_RUN=%S+\n'), text)
    assert.truthy(text:find('PACTLUA_SOCKET=/%S+control.sock\n'), text)
  end)

  case('dependencies tell where they are', function(t)
    t:up [[
      pact.process 'my-db' { command = { 'sleep', '1000' }, ports = { 15433 }, endpoints = { url = 'postgres://127.0.0.1:15433' } }
      pact.task 'probe' { depends_on = { ['my-db'] = 'started' }, shell = 'env | grep ^MY_DB_ | sort >seen.new; mv seen.new seen' }
    ]]
    local text = functional.wait('the environment', function() return t:read 'seen' end)
    assert.truthy(text:find('MY_DB_HOST=127.0.0.1\n', 1, true), text)
    assert.truthy(text:find('MY_DB_PORT=15433\n', 1, true), text)
    assert.truthy(text:find('MY_DB_URL=%S*15433'), text)
  end)

  case('one declared port is PORT', function(t)
    assert.equal('15599\n', seen(t, 'ports = { 15599 },', 'echo "$PORT"'))
  end)

  case('the working directory is that of the recipe, or cwd below it', function(t)
    t:file('sub/x', '')
    assert.equal(t.dir .. '\n', seen(t, '', 'pwd'))
    t:recipe [[ pact.task 'probe' { cwd = 'sub', shell = 'pwd >../seen' } ]]
    assert.equal(0, t:run({ t:path 'net.lua' }, { cwd = '/' }).code)
    assert.equal(t.dir .. '/sub\n', t:read 'seen')
  end)

  case('it leads a session of its own, without a terminal', function(t)
    local fields = seen(t, '', 'cat /proc/$$/stat')
    local pid, pgid, sid, tty = fields:match '^(%d+) %b() %a %d+ (%d+) (%d+) (%-?%d+)'
    assert.equal(pid, pgid)
    assert.equal(pid, sid)
    assert.equal('0', tty)
  end)

  case('standard input is open and silent', function(t)
    t:up [[ pact.process 'reader' { shell = 'echo $$ >pid; exec cat' } ]]
    local pid = t:wait_pid 'pid'
    t:wait_service('reader', { status = 'running' })
    functional.sleep(0.3)
    assert.is_true(procfs.alive(pid))
  end)

  case("stdin = 'null' is at its end", function(t)
    assert.equal('end\n', seen(t, "stdin = 'null',", 'cat; echo end'))
  end)

  case('limits, umask and nice are set', function(t)
    local text = seen(t, "limits = { nofile = 321 }, nice = 19, umask = '077',", 'ulimit -n; umask; nice')
    assert.equal('321\n0077\n19\n', text)
  end)

  case('oom_score_adj is set', function(t)
    assert.equal('200\n', seen(t, 'oom_score_adj = 200,', 'cat /proc/self/oom_score_adj'))
  end)

  case('another user is somebody else entirely', function(t)
    if not os.execute 'test "$(id -u)" = 0' then return end
    os.execute('chmod 777 ' .. functional.quote(t.dir))
    assert.equal('nobody 65534 65534\n', seen(t, "user = 'nobody',", 'echo "$(id -un) $(id -g) $(id -G)"'))
  end)

  case('PATH of the service finds its program', function(t)
    t:file('bin/only-here', '#!/bin/sh\necho found >seen\n', true)
    local result = t:up([[ pact.task 'probe' { command = { 'only-here' }, env = { PATH = ']] .. t.dir
      .. [[/bin:/usr/bin:/bin' } } ]]):wait()
    assert.equal(0, result.code)
    assert.equal('found\n', t:read 'seen')
  end)

  case('arguments go through as they are', function(t)
    t:file('args', '#!/bin/sh\nfor a; do echo "[$a]"; done >seen\n', true)
    local result = t:up([[ pact.task 'probe' { command = { './args', '', 'a b', '$HOME', '*', "it's", 42 } } ]]):wait()
    assert.equal(0, result.code)
    assert.equal("[]\n[a b]\n[$HOME]\n[*]\n[it's]\n[42]\n", t:read 'seen')
  end)
end)
