--- Faults 11, 34, 36 and 37, as far as services with a terminal of their own and `attach` are concerned.
local functional = require 'functional'
local terminal = require 'terminal'
local case = functional.case

local SH = [[
  pact.process 'sh' { command = { 'sh', '-i' }, env = { PS1 = 'inner> ', ENV = false }, tty = true, stop = { signal = 'HUP' } }
]]

local function network(t, recipe)
  local started = t:up(recipe, nil, '--no-tui')
  started:expect 'all ready'
  return started
end

local function attach(t, id)
  local term = terminal.open(t)
  local before = term:attributes()
  term:type('$PACTLUA attach ' .. id)
  term:expect(("attached to '%s'"):format(id))
  return term, before
end

local function client_of(term, id)
  for _, process in ipairs(functional.procfs.below(term.server.keeper)) do
    if process.command:find(' attach ' .. id, 1, true) then return process.pid end
  end
end

local function state_of(pid) return (functional.procfs.process(pid) or {}).state end

-- Processor time of a process so far, in ticks.
local function ticks(pid)
  local rest = functional.procfs.read(('/proc/%d/stat'):format(pid)):match '%)(.*)$'
  local user, system = rest:match('^ %a' .. (' %S+'):rep(10) .. ' (%d+) (%d+)')
  return tonumber(user) + tonumber(system)
end

local function given_back(term, before)
  functional.wait('the terminal to be given back', function() return term:attributes() == before end)
end

describe('a terminal of its own', function()
  -- The daemon ignores the hang-up and goes on writing; it is told that nobody listens.
  local DAEMON = [[trap '' HUP; setsid sh -c 'trap "" TERM; : >begun; while echo x; do sleep 0.02; done 2>/dev/null; : >refused;
    while [ ! -e go ]; do sleep 0.02; done' & until [ -e begun ]; do sleep 0.02; done; echo last words; exit 3]]

  case('fault 11: what a program leaves behind is told that nobody listens, and is ended with it', function(t)
    t:file('left.sh', DAEMON)
    local started = t:up([[ pact.task 'p' { command = { 'sh', 'left.sh' }, tty = true } ]], nil, '--no-tui')
    local result = started:wait()
    assert.equal(3, result.code)
    assert.truthy(result.out:find('last words', 1, true))
    assert.is_true(t:exists 'refused')
  end)

  case('fault 11: also what is meant to stay; nothing spins meanwhile', function(t)
    t:file('left.sh', DAEMON)
    local started = t:up([[
      pact.process 'p' { command = { 'sh', 'left.sh' }, tty = true, restart = 'no', stop = { scope = 'group' } }
      pact.process 'q' { command = { 'sleep', '1000' } }
    ]], nil, '--no-tui')
    functional.wait('the refusal', function() return t:exists 'refused' end)
    t:wait_service('p', { status = 'failed' })
    local engine = started:roles().engine
    local before = ticks(engine)
    functional.sleep(0.5)
    assert.is_true(ticks(engine) - before < 15, ticks(engine) - before)
    assert.equal('running', t:ps().q.status)
    t:file('go', '')
  end)
end)

describe('attach', function()
  case('fault 34: in the background it says so and ends', function(t)
    network(t, SH)
    local term = terminal.open(t)
    local before = term:attributes()
    term:type "sh -c 'timeout 20 $PACTLUA attach sh; echo status $?'"
    term:expect 'pactlua: attach: this job is in the background'
    term:expect 'status 1'
    term:clear 'in the background'
    term:type '$PACTLUA attach sh & wait; echo again-$((1))'
    term:expect 'this job is in the background'
    term:expect 'again-1'
    assert.equal(before, term:attributes())
    term:close()
  end)

  case('fault 36: no size of the terminal hurts', function(t)
    local started = network(t, SH)
    local term, before = attach(t, 'sh')
    for _, size in ipairs { { 1, 1 }, { 500, 200 }, { 20, 4 }, { 1, 200 }, { 500, 1 } } do
      term:size(size[1], size[2])
      functional.wait(('%d by %d'):format(size[1], size[2]), function()
        assert.equal(0, t:run({ 'send', 'sh', 'stty size >size' }).code)
        return t:read 'size' == ('%d %d\n'):format(size[2], size[1])
      end)
    end
    term:size(80, 24)
    local tty = term:tmux('display-message', '-p', '-t', '0', '#{pane_tty}'):gsub('\n', '')
    os.execute(('stty cols 0 rows 0 -F %s'):format(tty)) -- the kernel tells all who are there
    functional.signal(client_of(term, 'sh'), 'WINCH')
    functional.wait('a usual size', function()
      t:run { 'send', 'sh', 'stty size >size' }
      return t:read 'size' == '24 80\n'
    end)
    os.execute(('stty cols 80 rows 24 -F %s'):format(tty))
    term:press 'C-]'
    given_back(term, before)
    assert.equal('running', t:ps().sh.status)
    assert.falsy(started:out():find('internal error', 1, true))
    term:close()
  end)

  local DRAW = [[n=0; trap 'n=$((n+1)); echo drawn-$n' WINCH; while :; do sleep 0.05; done]]
  local DRAWS = [[
    pact.process 'draws' { tty = true, stop = { signal = 'HUP' },
      command = { 'sh', 'draws.sh' } }
  ]]

  case('fault 37: a stopped client gives the terminal back; continued it takes it again and all is drawn anew', function(t)
    t:file('draws.sh', DRAW)
    network(t, DRAWS)
    local term, before = attach(t, 'draws')
    term:expect 'drawn-1'
    local client = client_of(term, 'draws')
    functional.signal(client, 'TSTP')
    term:expect 'Stopped'
    given_back(term, before)
    assert.equal('T', state_of(client))
    term:type 'echo shell-$((40+2))'
    term:expect 'shell-42'
    term:type 'clear; fg'
    functional.wait('the terminal to be taken', function() return term:raw() end)
    term:expect 'drawn-2'
    term:press 'C-]'
    given_back(term, before)
    term:close()
  end)

  case('fault 37: also who is stopped without being asked, and finds the terminal changed', function(t)
    t:file('draws.sh', DRAW)
    network(t, DRAWS)
    local term, before = attach(t, 'draws')
    term:expect 'drawn-1'
    local client = client_of(term, 'draws')
    functional.signal(client, 'STOP')
    term:expect 'Stopped'
    term:press('-l', 'clear; stty sane; fg') -- the terminal is still raw: Enter is no end of a line there
    term:press 'C-j'
    functional.wait('the terminal to be taken', function() return term:raw() end)
    term:expect 'drawn-2'
    term:press 'C-]'
    given_back(term, before)
    term:close()
  end)
end)
