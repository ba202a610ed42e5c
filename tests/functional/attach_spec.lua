--- `tty = true` and `attach`: terminals of services, used from terminals.
local cjson = require 'cjson'
local functional = require 'functional'
local terminal = require 'terminal'
local case = functional.case

local RECIPE = [[
  pact.process 'sh' { command = { 'sh', '-i' }, env = { PS1 = 'inner> ', ENV = false }, tty = true, stop = { signal = 'HUP' },
    restart = { delay = '10ms' } }
  pact.process 'plain' { command = { 'sleep', '1000' } }
]]

local function network(t, recipe)
  local started = t:up(recipe or RECIPE, nil, '--no-tui')
  started:expect 'all ready'
  return started
end

-- A terminal attached to a service.
local function attach(t, id, opts)
  local term = terminal.open(t, opts)
  local before = term:attributes()
  term:type(('$PACTLUA attach %s'):format(id or 'sh'))
  term:expect(("attached to '%s'"):format(id or 'sh'))
  assert.is_true(term:raw())
  return term, before
end

-- Its attributes are what they were, and the outer shell goes on.
local function back(term, before, status)
  functional.wait('the terminal to be given back', function() return term:attributes() == before end)
  term:type 'echo status $?'
  return term:expect(('status %s'):format(status or ''))
end

describe('attach', function()
  case('types into a service and shows what it writes; detaching leaves it as it is', function(t)
    network(t)
    local pid = t:ps().sh.pid
    local term, before = attach(t)
    term:expect 'Ctrl-] detaches'
    term:expect 'inner>'
    term:type 'echo $((6*7)) $TERM; test -t 2 && tty'
    term:expect '42 xterm-256color'
    term:expect '/dev/pts/'
    term:press 'C-]'
    back(term, before, 0)
    term:expect "detached from 'sh', which goes on"
    assert.equal(pid, t:ps().sh.pid)
    -- what was to be seen is seen again
    term:clear '42 xterm-256color'
    term:type '$PACTLUA attach sh'
    term:expect '42 xterm-256color'
    term:press 'C-]'
    back(term, before, 0)
    assert.truthy(t:run({ 'logs', 'sh' }).out:find('42 xterm-256color\n', 1, true))
    term:close()
  end)

  case('gives the service the size of the terminal, and each new one', function(t)
    network(t)
    local term, before = attach(t, 'sh', { columns = 97, rows = 33 })
    term:type 'stty size'
    term:expect '33 97'
    term:size(60, 12)
    functional.wait('the new size', function()
      term:type 'stty size'
      return term:screen():find('12 60', 1, true)
    end)
    local second, second_before = attach(t, 'sh', { columns = 50, rows = 40 })
    second:type 'clear; stty size'
    second:expect '12 50'
    term:expect '12 50'
    second:press 'C-]'
    back(second, second_before, 0)
    functional.wait('the size of the one that is left', function()
      term:type 'stty size'
      return select(2, term:screen():gsub('12 60', '')) > 1
    end)
    term:press 'C-]'
    back(term, before, 0)
    second:close()
    term:close()
  end)

  case('keys for jobs go to the service: Ctrl-C, Ctrl-Z, Ctrl-D', function(t)
    network(t)
    local term, before = attach(t)
    local function runs(command)
      term:type(command)
      functional.wait(command, function()
        for _, process in ipairs(functional.procfs.below(t.started[1].keeper)) do
          if process.command == command then return true end
        end
      end)
    end
    runs 'sleep 1000'
    term:press 'C-c'
    term:type 'echo one $?'
    term:expect 'one 130'
    runs 'sleep 1001'
    term:press 'C-z'
    term:expect 'Stopped'
    term:type 'kill -9 %1; wait; clear; echo two'
    term:expect 'two'
    term:press 'C-d'
    term:expect "'sh' has ended: exit code "
    back(term, before)
    assert.equal('completed', t:ps().sh.status)
    term:close()
  end)

  case('several see the same, and all may type', function(t)
    network(t)
    local one, before = attach(t)
    local two = attach(t)
    one:type 'echo from-$((1))'
    two:expect 'from-1'
    two:type 'echo from-$((2))'
    one:expect 'from-2'
    one:press 'C-]'
    back(one, before, 0)
    two:type 'echo from-$((3))'
    two:expect 'from-3'
    one:close()
    two:close()
  end)

  case('stays over a crash and a restart, and ends with the status of the service', function(t)
    network(t)
    local term, before = attach(t)
    term:type 'exit 7'
    term:expect "'sh' has crashed: exit code 7"
    term:expect "'sh' has started"
    term:type 'clear; echo second $((20+1))'
    term:expect 'second 21'
    assert.equal(0, t:run({ 'restart', 'sh' }).code)
    term:expect "'sh' has started"
    term:type 'clear; stty size'
    term:expect '24 80'
    assert.equal(0, t:run({ 'stop', 'sh' }).code)
    term:expect "'sh' has ended: "
    back(term, before, 129)
    term:type 'clear; $PACTLUA attach sh; echo again $?'
    term:expect "'sh' does not run (stopped"
    term:expect 'again 1'
    term:close()
  end)

  case('ends when the network does', function(t)
    local started = network(t)
    local term, before = attach(t)
    assert.equal(0, t:run({ 'down' }).code)
    term:expect "[pactlua: 'sh' has ended"
    back(term, before, 129)
    started:wait()
    term:close()
  end)

  case('ends when the network is killed, with the terminal as it was', function(t)
    local started = network(t)
    local term, before = attach(t)
    functional.signal(started:roles().engine, 'KILL')
    term:expect 'the network is gone'
    back(term, before, 4)
    started:wait()
    term:close()
  end)

  case('ends when its terminal is closed', function(t)
    network(t)
    local term = attach(t)
    term:close()
    functional.wait('the end of the client', function() return term.server:clean() end)
    assert.equal('running', t:ps().sh.status)
    local other, before = attach(t)
    other:press 'C-]'
    back(other, before, 0)
    other:close()
  end)

  -- signal → the shell's word for the status
  for name, status in pairs { TERM = 143, HUP = 129, INT = 130, QUIT = 131 } do
    case(('gives the terminal back when it is ended by SIG%s'):format(name), function(t)
      network(t)
      local term, before = attach(t)
      term:type 'printf "\\033[?1049h\\033[?25lfull screen"'
      term:expect 'full screen'
      for _, process in ipairs(functional.procfs.below(term.server.keeper)) do
        if process.command:find(' attach sh', 1, true) then functional.signal(process.pid, name) end
      end
      local screen = back(term, before, status)
      -- the normal screen, where it was asked for
      assert.truthy(screen:find('$PACTLUA attach sh', 1, true), screen)
      assert.equal('1\n', term:tmux('display-message', '-p', '-t', '0', '#{cursor_flag}'))
      term:close()
    end)
  end

  case('uses the detach keys that are given', function(t)
    network(t)
    local term = terminal.open(t)
    local before = term:attributes()
    term:type '$PACTLUA attach sh --detach-keys ctrl-p,ctrl-q'
    term:expect 'Ctrl-P Ctrl-Q detaches'
    term:type 'echo $((3*3))'
    term:expect '9'
    term:press 'C-p'
    term:press 'C-q'
    back(term, before, 0)
    term:close()
  end)

  -- words, exit status, what is said
  local REFUSED = {
    { { 'attach', 'plain' }, 1, "'plain' has no terminal: give it tty = true in the recipe" },
    { { 'attach', 'shh' }, 1, "no service 'shh' (did you mean 'sh'?)" },
    { { 'attach', 'sh', '--detach-keys', 'strg-x' }, 2, "--detach-keys: 'strg-x' is no key" },
    { { 'attach' }, 2, 'usage: pactlua attach ID' },
    { { 'attach', 'sh', 'plain' }, 2, "'plain' is too much" },
  }
  case('says what is wrong', function(t)
    network(t)
    for _, row in ipairs(REFUSED) do
      local result = t:run(row[1], { tty = true, env = { TERM = 'xterm' } })
      assert.equal(row[2], result.code, result.out .. result.err)
      assert.truthy((result.out .. result.err):find(row[3], 1, true), result.out .. result.err)
    end
    local result = t:run { 'attach', 'sh' }
    assert.equal(1, result.code)
    assert.truthy(result.err:find("this needs a terminal ('pactlua logs -f sh'", 1, true), result.err)
  end)

  case('without a network: 4', function(t)
    assert.equal(4, t:run({ 'attach', 'sh' }, { tty = true }).code)
  end)

  case('a flood waits for nobody: the log has all of it, a stopped client misses some and is told', function(t)
    local started = network(t, [[
      pact.process 'flood' { shell = 'read go; seq 1 400000; echo done; read end', tty = true } ]])
    local term = attach(t, 'flood')
    local client
    for _, process in ipairs(functional.procfs.below(term.server.keeper)) do
      if process.command:find(' attach flood', 1, true) then client = process.pid end
    end
    functional.signal(client, 'STOP')
    local engine = started:roles().engine
    local function memory() return tonumber(functional.procfs.read(('/proc/%d/status'):format(engine)):match 'VmRSS:%s+(%d+)') end
    local before = memory()
    assert.equal(0, t:run({ 'send', 'flood', 'go' }).code)
    functional.wait('all of it in the log', function()
      return t:run({ 'logs', 'flood', '-n', '1' }).out:find('done', 1, true)
    end)
    if not functional.sanitized then assert.is_true(memory() - before < 4096, memory() - before) end
    functional.signal(client, 'CONT')
    term:expect 'done'
    assert.truthy(term:history():find('%[pactlua: %d+ bytes are left out here; the log has them%]'))
    local log = t:state '/flood%.log$'[1]
    local text = t:read(log)
    local count, last = 0, nil
    for number in text:gmatch '(%d+)\r\n' do
      count, last = count + 1, number
    end
    assert.same({ 400000, '400000' }, { count, last })
    term:close()
  end)
end)

describe('a service with a terminal', function()
  case('is like any other: health by its log, send, tail, rotation, what it ran in', function(t)
    t:up([[
      pact.process 'p' { tty = { columns = 132, rows = 50 }, ready = { log = { regex = 'size 50 132$' } },
        log = { max_size = '64k', max_files = 2 }, shell = 'echo size $(stty size); read a; echo got $a >>trace; echo $a; '
          .. 'seq 1 60000; echo counted >>trace; read b; exit 3', restart = 'no' }
      pact.on('failed', function(service) print('tail: ' .. service:tail(1)) end)
    ]], nil, '--no-tui')
    t:wait_service('p', { status = 'running' })
    assert.equal(0, t:run({ 'send', 'p', 'hello there' }).code)
    assert.same({ 'got hello there' }, t:wait_lines('trace', 1))
    functional.wait('rotation', function() return #t:state '/p%.log[^/]*$' >= 3 end)
    t:wait_lines('trace', 2) -- what is typed meanwhile is echoed among the numbers
    assert.equal(0, t:run({ 'send', 'p', 'on' }).code)
    local result = t.started[1]:wait()
    assert.equal(3, result.code)
    assert.truthy(result.out:find('tail: on', 1, true), result.out)
  end)

  case('is asked for by upgrade', function(t)
    network(t)
    local socket = t:state 'control%.sock$'[1]
    local result = t:run({ '-s', '-i', '--unix-socket', t:path(socket), 'http://localhost/v1/services/sh/attach' },
      { program = 'curl' })
    assert.truthy(result.out:find('^HTTP/1.1 426 Upgrade Required\r\n'), result.out)
    assert.equal('upgrade', cjson.decode(result.out:match '\r\n\r\n(.*)').code)
  end)
end)
