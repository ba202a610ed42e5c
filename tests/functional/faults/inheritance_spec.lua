--- Fault 58: nothing of the shell's disorder and nothing of ours reaches what pactlua starts.
local functional = require 'functional'
local case = functional.case

-- What a child writes about itself, in a shell; `ls` itself has one more descriptor.
local LOOK = [[{ echo "fds $(ls /proc/self/fd | tr '\n' ' ')"; grep -E 'Sig(Blk|Ign)' /proc/self/status; ]]
  .. [[echo "nofile $(ulimit -S -n) $(ulimit -H -n)"; ]]
  .. [[echo "umask $(umask)"; env | grep -E '^(LUA_INIT|LISTEN_|NOTIFY_SOCKET|WATCHDOG_|PACTLUA_DEBUG|PACTLUA_STDLIB)'; ]]
  .. [[echo end; } >seen.new.$$; mv seen.new.$$ seen.]]

-- Everybody who is started: a service, a probe, a stop command, a program of a hook, the command of `run`.
local RECIPE = ([[
  pact.process 'service' { shell = LOOK .. 'service; exec sleep 1000',
    health = { shell = LOOK .. 'probe', interval = '1s' },
    stop = { command = { 'sh', '-c', LOOK .. 'stop; kill $PACTLUA_PID' } } }
  pact.on('running', function() pact.exec { 'sh', '-c', LOOK .. 'exec' } end)
]]):gsub('LOOK', function() return ('%q'):format(LOOK) end)

local WHO = { 'service', 'probe', 'stop', 'exec', 'run' }

-- Runs the recipe from a shell that has been prepared in some way.
local function look(t, prepare)
  t:recipe(RECIPE)
  t:file('run.sh', 'until [ -e seen.probe ] && [ -e seen.exec ] && [ -e seen.service ]; do sleep 0.02; done\n' .. LOOK .. 'run\n')
  local result = t:run({ '-c', prepare .. '; exec "$0" run net.lua -- sh run.sh', functional.bin }, { program = 'bash' })
  assert.equal(0, result.code, result.out .. result.err)
  local seen = {}
  for _, who in ipairs(WHO) do
    seen[who] = t:read('seen.' .. who)
    assert.truthy(seen[who] and seen[who]:find('\nend\n', 1, true), who)
  end
  return seen, result
end

local function each(seen, expected, pattern)
  for _, who in ipairs(WHO) do assert.equal(expected, seen[who]:match(pattern), who) end
end

describe('children', function()
  case('fault 58: get descriptors 0, 1 and 2 alone, though the shell has more open', function(t)
    local seen = look(t, 'exec 3</dev/null 4>/dev/null 7<>/dev/null 200</etc/passwd')
    each(seen, '0 1 2 3 ', 'fds ([^\n]*)')
  end)

  case('fault 58: get no blocked and no ignored signal, though the shell ignores some', function(t)
    local seen = look(t, "trap '' HUP INT QUIT PIPE TERM USR1 CHLD TSTP TTOU")
    for _, who in ipairs(WHO) do
      for name, mask in seen[who]:gmatch 'Sig(%a+):%s*(%x+)' do
        -- 32 and 33 belong to the C library; no program can set what becomes of them
        assert.equal(0, tonumber(mask, 16) & ~0x180000000, who .. ' ' .. name .. ' ' .. mask)
      end
    end
  end)

  case('fault 58: get the limits and the mask of the shell, not those that the engine gives itself', function(t)
    local seen = look(t, 'ulimit -S -n 333; umask 027')
    local hard = io.popen('bash -c "ulimit -H -n"'):read 'l'
    each(seen, '333 ' .. hard, 'nofile ([^\n]*)')
    each(seen, '0027', 'umask (%d+)')
  end)

  case('fault 58: get no variable that was meant for us', function(t)
    local seen, result = look(t, [[export LUA_INIT='print("from LUA_INIT")' LUA_INIT_5_4='print("from LUA_INIT")' LISTEN_FDS=1 LISTEN_PID=$$
      export LISTEN_FDNAMES=x NOTIFY_SOCKET=/run/x WATCHDOG_USEC=1 WATCHDOG_PID=$$ PACTLUA_DEBUG=1 PACTLUA_STDLIB=]] .. functional.root .. '/stdlib')
    for _, who in ipairs(WHO) do
      assert.equal('end', seen[who]:match 'umask %d+\n([^\n]*)', who)
    end
    assert.falsy((result.out .. result.err):find('from LUA_INIT', 1, true))
  end)

  case('fault 58: a standard descriptor that is closed becomes no other file', function(t)
    t:recipe [[ pact.task 'p' { shell = 'ls -l /proc/self/fd | grep -c " [0-9]* -> /tmp/.*\\.log" >seen; ls /proc/self/fd | tr "\n" " " >>seen; true' } ]]
    for _, closed in ipairs { '<&-', '>&-', '2>&-', '<&- >&- 2>&-' } do
      local result = t:run({ '-c', '"$0" net.lua ' .. closed, functional.bin }, { program = 'sh' })
      assert.equal(0, result.code, closed)
      assert.equal('0\n0 1 2 3 ', t:read 'seen')
    end
  end)

  case('fault 58: a service sees the engine neither by its descriptors nor by its session', function(t)
    t:up [[ pact.process 'p' { shell = 'echo $$ >pid; exec sleep 1000' } ]]
    local pid = t:wait_pid 'pid'
    local process = functional.procfs.process(pid)
    assert.equal(pid, process.pgid)
    assert.equal(pid, process.sid)
    -- the program that the shell has become opens its libraries for a moment
    functional.wait('three descriptors', function() return functional.procfs.descriptors(pid) == 3 end)
  end)
end)
