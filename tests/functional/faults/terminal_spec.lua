--- Faults 16, 33, 34 and 35: what programs send to a terminal, one that is closed, jobs in the background, and no
--- terminal at all.
local functional = require 'functional'
local case = functional.case

local TERMINAL = { tty = true, env = { TERM = 'xterm-256color' } }

-- What a program may try to do to the terminal that shows its output.
local ATTACKS = {
  { 'the cursor', '\27[2J\27[1;1H\27[10A\27[s\27[u\27[K' },
  { 'the clipboard', '\27]52;c;cm0gLXJmIH4K\7' },
  { 'the title', '\27]0;root@bank\7\27]2;x\27\\' },
  { 'the other screen', '\27[?1049h\27[?47h' },
  { 'the mouse and the keys', '\27[?1000h\27[?1006h\27[?2004h\27[?1h\27=' },
  { 'answers of the terminal as input', '\27[6n\27[c\27[>c\27P$q"p\27\\\27[21t' },
  { 'an OSC without end', '\27]0;for ever' },
  { 'a DCS without end', '\27Pq#0;2;0;0;0' },
  { 'a reset', '\27c\27[!p\27#8' },
  { 'the character set', '\14\27(0\27)0' },
  { 'controls of one byte', '\1\5\7\8\8\8\11\12\26\127' },
  { 'controls above 127, in UTF-8', 'a\xc2\x9b2Jb\xc2\x90c\xc2\x9d0;x\xc2\x9c' },
  { 'controls above 127, bare', 'a\x9b2Jb\x90c\x9d0;x\x9c' },
  { 'the line of another', 'mine\rp       | forged' },
}

-- Nothing but text, colours and ends of lines.
local function harmless(screen)
  local bare = screen:gsub('\27%[[%d;:]*m', ''):gsub('\r\n', '\n'):gsub('\t', '')
  local at = bare:find '[^\n\32-\126\xc2-\xf4\x80-\xbf]' or bare:find '\xc2[\x80-\x9f]' or bare:find '%f[\x80-\xbf]\x9b'
  assert.equal(nil, at and ('%q'):format(bare:sub(at, at + 20)), screen)
  assert.truthy(utf8.len(bare), 'no UTF-8')
end

describe('terminal', function()
  for _, attack in ipairs(ATTACKS) do
    case(('fault 16: a program that sends %s is shown harmlessly'):format(attack[1]), function(t)
      t:file('bytes', 'before ' .. attack[2] .. ' after\nnext\n')
      local result = t:up([[
        pact.task 'out' { command = { 'cat', 'bytes' } }
        pact.task 'err' { shell = 'cat bytes >&2; exit 1' }
      ]], TERMINAL, '--no-tui'):wait()
      assert.equal(3, result.code)
      harmless(result.out)
      local _, shown = result.out:gsub('before ', '')
      assert.equal(3, shown, 'both streams and the last lines of the failure')
      assert.truthy(result.out:find('next', 1, true))
      harmless(t:run({ 'logs' }, TERMINAL).out)
    end)
  end

  case('fault 16: colours stay, and end with their line', function(t)
    t:file('bytes', '\27[31mred\nplain\n')
    local result = t:up([[ pact.task 'p' { command = { 'cat', 'bytes' } } ]], TERMINAL, '--no-tui'):wait()
    assert.truthy(result.out:find('\27[31mred\27[0m\r\n', 1, true), result.out)
  end)

  case('fault 16: words that quote a program are harmless, too', function(t)
    t:file('bytes', 'evil \27[2J\27]52;c;AAAA\7 \xc2\x9b2J')
    t:up([[
      local evil = io.open('bytes'):read 'a'
      print(evil)
      pact.process 'p' { command = { 'sleep', '1000' }, on_unhealthy = function() error(evil) end,
        health = { command = { 'sh', '-c', 'if [ -e bad ]; then cat bytes; exit 1; fi; echo $$ >>probes' }, interval = '100ms', retries = 1 } }
      pact.on('healthy', function() print(evil) pact.log.info(evil) io.stderr:write(evil, '\n') end)
      pact.command('say', {}, function() return evil end)
    ]], TERMINAL, '--no-tui')
    t:wait_lines('probes', 1)
    t:file('bad', '')
    t:wait_service('p', { health = 'unhealthy' })
    local network = t.started[1]
    network:expect 'hook for on_unhealthy'
    for _, words in ipairs { { 'ps' }, { 'why', 'p' }, { 'events' }, { 'do', 'say' } } do
      harmless(t:run(words, TERMINAL).out)
    end
    network:signal 'TERM'
    local result = network:wait()
    harmless(result.out)
    local _, shown = result.out:gsub('evil ', '')
    assert.is_true(shown >= 5, ('%d times'):format(shown))
  end)

  ---------------------------------------------------------------------------------------------------
  local NETWORK = [[
    pact.process 'p' { shell = 'echo up >>trace; while :; do echo line; sleep 0.05; done', health = { log = 'line' } }
    pact.task 'q' { depends_on = { 'p' }, shell = 'echo done >>trace' }
  ]]
  local COOKED = 'stty -a | sed 1d >'

  -- A shell with job control in a terminal of its own; $PACTLUA is the binary.
  local function job_control(t, text)
    return t:start({ '-c', 'set -m; ' .. text }, { program = 'bash', tty = true,
      env = { PACTLUA = functional.bin, TERM = 'xterm' } })
  end

  local function state_of(pid) return (functional.procfs.process(pid) or {}).state end

  -- The front of the network that a shell runs as a job.
  local function front_of(started)
    return functional.wait('the front', function()
      for _, process in ipairs(started:processes()) do
        if process.command == functional.bin .. ' net.lua' and process.sid == started.pid then return process.pid end
      end
    end)
  end

  -- Programs that write all the time, one that hears TERM.
  local LOUD = [[
    pact.process 'loud' { shell = 'echo $$ >loud; while :; do echo line; sleep 0.01; done' }
    pact.process 'calm' { shell = 'trap "echo ended >>trace; exit" TERM; echo $$ >calm; while :; do sleep 0.05; done' }
  ]]

  local function wait_gone(pids)
    functional.wait('the end of all', function()
      for _, pid in ipairs(pids) do
        if functional.procfs.alive(pid) then return false end
      end
      return true
    end)
  end

  case('fault 33: a terminal that is closed ends the network in order', function(t)
    local network = t:up(LOUD, TERMINAL)
    local pids, roles = { t:wait_pid 'loud', t:wait_pid 'calm' }, network:roles()
    network:expect 'line'
    network:hang_up()
    local result = network:wait()
    assert.equal(1, result.signal, 'SIGHUP')
    assert.equal(0, result.left)
    assert.same({ 'ended' }, t:lines 'trace')
    wait_gone { pids[1], pids[2], roles.engine, roles.guard }
    local reason = t:events('shutdown')[1].reason
    assert.truthy(reason == 'SIGHUP' or reason == 'nobody reads the output any more', reason)
  end)

  case('fault 33: who ignores SIGHUP ends all the same, for nobody is there, and spins over no error', function(t)
    t:recipe(LOUD)
    local network = t:start({ '-c', 'trap "" HUP; exec "$0" net.lua', functional.bin }, { program = 'sh', tty = true })
    t:wait_pid 'calm'
    network:expect 'line'
    local before = functional.procfs.cpu_ms(network.pid)
    network:hang_up()
    functional.wait('the end', function()
      local lives, now = pcall(functional.procfs.cpu_ms, network.pid)
      assert.is_true(not lives or now - before < 1000, ('%s ms of processor time'):format(now))
      return network:ended()
    end)
    assert.equal(0, network:wait().left)
    assert.same({ 'ended' }, t:lines 'trace')
  end)

  case('fault 33: a network that was left running does not notice', function(t)
    t:recipe(LOUD)
    local shell = t:start({ '-c', '"$0" up --detach net.lua; echo returned; read forever', functional.bin },
      { program = 'bash', tty = true, input = true })
    shell:expect 'returned'
    local roles = shell:roles()
    shell:hang_up()
    assert.equal(1, shell:wait().signal)
    local function lines()
      local result = t:run { 'logs', '-n', '1000000', 'loud' }
      return select(2, result.out:gsub('\n', ''))
    end
    local before = lines()
    functional.wait('more lines', function() return lines() > before + 20 end)
    assert.equal('running', t:ps().calm.status)
    assert.same(roles, shell:roles())
    assert.same({}, t:lines 'trace')
    assert.equal(0, t:run({ 'down' }).code)
    assert.same({ 'ended' }, t:lines 'trace')
  end)

  case('fault 33: a terminal that is closed while a network is to be left running ends it, as long as it is not', function(t)
    t:recipe(LOUD .. [[ pact.process 'late' { command = { 'sleep', '1000' }, health = { file = 'never' } } ]])
    local network = t:start({ 'up', '--detach', 'net.lua' }, TERMINAL)
    t:wait_pid 'calm'
    network:expect 'line'
    network:hang_up()
    local result = network:wait()
    assert.equal(1, result.signal)
    assert.equal(0, result.left)
  end)

  case('fault 33: `logs -f` and `events -f` end with their terminal, the network stays', function(t)
    t:up(LOUD, {}, '--no-tui')
    t:wait_pid 'calm'
    for _, verb in ipairs { 'logs', 'events' } do
      local reader = t:start({ verb, '-f' }, TERMINAL)
      reader:expect(verb == 'logs' and 'line' or 'started')
      reader:hang_up()
      reader:wait()
    end
    assert.equal('running', t:ps().loud.status)
  end)

  case('fault 34: a network that `timeout` runs comes up, is shown and ends in time', function(t)
    t:recipe(NETWORK)
    local timed = t:start({ '-s', 'INT', '600', functional.bin, 'net.lua' }, { program = 'timeout', tty = true })
    assert.same({ 'up', 'done' }, t:wait_lines('trace', 2))
    timed:expect 'line'
    timed:signal 'ALRM' -- its time is over
    local result = timed:wait()
    assert.equal(124, result.code)
    assert.truthy(result.out:find('shutting down', 1, true), result.out)
    assert.equal(0, result.left)
  end)

  case('fault 34: `run` in the background does not stop, and gives the terminal back', function(t)
    t:recipe(NETWORK)
    local shell = job_control(t, COOKED .. 'before; "$PACTLUA" run net.lua -- sh -c "echo in the background" & wait; '
      .. 'echo status $?; ' .. COOKED .. 'after')
    shell:expect 'in the background'
    shell:wait()
    assert.truthy(shell:out():find('status 0', 1, true), shell:out())
    assert.equal(t:read 'before', t:read 'after')
  end)

  case('fault 34: `stty tostop` freezes no front in the background', function(t)
    t:recipe(NETWORK .. "print 'said by the recipe'")
    local shell = job_control(t, 'stty tostop; "$PACTLUA" net.lua & wait')
    assert.same({ 'up', 'done' }, t:wait_lines('trace', 2))
    shell:expect 'said by the recipe'
    shell:expect 'line'
    local front = front_of(shell)
    functional.signal(front, 'INT')
    functional.wait('the end of the front', function() return not functional.procfs.alive(front) end)
    shell:expect 'shutting down'
    shell:wait()
  end)

  case('fault 34: Ctrl-Z stops the front alone, `fg` goes on where it was', function(t)
    t:recipe(NETWORK)
    local shell = t:start({ '-c', 'set -m; "$PACTLUA" net.lua; echo stopped; until [ -e go ]; do sleep 0.02; done; fg' },
      { program = 'bash', tty = true, input = true, env = { PACTLUA = functional.bin, TERM = 'xterm', NO_COLOR = '1' } })
    t:wait_lines('trace', 2)
    shell:expect 'line'
    local front = front_of(shell)
    shell:type '\26'
    shell:expect 'stopped'
    assert.equal('T', state_of(front))
    assert.equal('running', t:ps().p.status)
    t:file('go', '')
    functional.wait('the front to go on', function() return state_of(front) ~= 'T' end)
    shell:type '\3'
    local result = shell:wait()
    assert.truthy(result.out:find('shutting down: Ctrl-C', 1, true), result.out)
  end)

  ---------------------------------------------------------------------------------------------------
  -- Each: what is different, options of `start`, whether colours are right there.
  local PLACES = {
    { 'no terminal', { pipe = true } },
    { 'no terminal and TERM unset', { env = { TERM = false } } },
    { 'TERM=dumb', { tty = true, env = { TERM = 'dumb' } } },
    { 'TERM unset on a terminal', { tty = true, env = { TERM = false } } },
    { 'TERM=nonsense', { tty = true, env = { TERM = 'no-such-terminal' } }, colour = true },
    { 'CI=1', { pipe = true, env = { CI = '1', TERM = 'xterm' } } },
    { 'CI=1 on a terminal', { tty = true, env = { CI = '1', TERM = 'xterm' } }, colour = true },
    { 'NO_COLOR', { tty = true, env = { NO_COLOR = '1', TERM = 'xterm' } } },
  }

  for _, place in ipairs(PLACES) do
    case(('fault 35: %s: prefixed lines, and the same exit status'):format(place[1]), function(t)
      local result = t:up([[
        pact.task 'good' { shell = 'echo fine' }
        pact.task 'bad' { shell = 'echo wrong >&2; exit 5' }
      ]], place[2]):wait()
      assert.equal(3, result.code)
      local colours = result.out:find '\27%[%d+m' ~= nil
      assert.equal(place.colour or false, colours, result.out)
      local bare = result.out:gsub('\27%[[%d;]*m', ''):gsub('\r', '')
      assert.falsy(bare:find('\27', 1, true))
      assert.truthy(bare:find('good    | fine\n', 1, true), bare)
      assert.truthy(bare:find('bad     | wrong\n', 1, true), bare)
      assert.truthy(bare:find('\nbad       failed', 1, true) or bare:find('\nbad      failed', 1, true), bare)
    end)
  end

  case('fault 35: without standard descriptors a network runs all the same', function(t)
    t:recipe [[ pact.task 'p' { shell = 'echo ran >>trace; ls -l /proc/self/fd >fds' } ]]
    local result = t:run({ '-c', '"$PACTLUA" net.lua <&- >&- 2>&-' }, { program = 'sh', env = { PACTLUA = functional.bin } })
    assert.equal(0, result.code)
    assert.same({ 'ran' }, t:lines 'trace')
  end)
end)
