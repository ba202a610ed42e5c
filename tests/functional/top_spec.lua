--- `top`: what services of a real network use, in a pipe and on a terminal; every way out gives the terminal back.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

local BUSY = [[
  pact.project 'shop'
  pact.process 'quiet' { command = { 'sleep', '1000' } }
  pact.process 'busy' { shell = 'sh -c "while :; do :; done" & while :; do :; done', nice = 5 }
  pact.task 'done' { command = { 'true' } }
]]

local ENTER, LEAVE = '\27[?1049h', '\27[?1049l'
local TERMINAL = { tty = true, env = { TERM = 'xterm' } }

local function up(t, text)
  local network = t:up(text or BUSY)
  t:wait_service('busy', { status = 'running' })
  t:wait_service('done', { status = 'completed' })
  return network
end

-- In a shell that notes how the terminal was before, and is behind it.
local function on_terminal(t, args, opts)
  local started = t:start({ '-c', ('stty -g >before; "$0" top %s; echo "status $?"; stty -g >after'):format(args or ''), functional.bin },
    { tty = true, program = '/bin/sh', env = opts or TERMINAL.env })
  started:expect(ENTER)
  started:expect 'busy'
  return started
end

-- The pid of `pactlua top` itself.
local function top_of(started)
  for _, process in ipairs(started:processes()) do
    if process.command:find(functional.bin .. ' top', 1, true) == 1 then return process.pid end
  end
end

local function given_back(t, started, status)
  local result = started:wait()
  local out = result.out
  assert.truthy(out:find(LEAVE, 1, true), out)
  assert.falsy(out:find(ENTER, out:find(LEAVE, 1, true), true), out)
  assert.truthy(out:find('\27[?25h', 1, true), out)
  if status then assert.truthy(out:find('status ' .. status, 1, true), out) end
  assert.equal(t:read 'before', t:read 'after')
  return out
end

describe('top', function()
  case('is a table of one sample in a pipe, who uses most first', function(t)
    up(t)
    local result = t:run({ 'top' }, { pipe = true })
    assert.equal(0, result.code, result.err)
    local lines = {}
    for line in result.out:gmatch '[^\n]+' do lines[#lines + 1] = line end
    assert.truthy(lines[1]:find '^shop  up .*  3 services: 2 running, 1 completed  cpu ', lines[1])
    assert.truthy(lines[2]:find '^machine  .*load .*memory .* of ', lines[2])
    assert.truthy(lines[3]:find '^SERVICE +STATUS +HEALTH +PID +UP +RESTARTS +PROCS +CPU +MEMORY$', lines[3])
    assert.truthy(lines[4]:find '^busy +running +%d+ +[%d.]+m?s +2 +[%d.]+%% +', lines[4])
    assert.truthy(lines[5]:find '^quiet ', lines[5])
    assert.truthy(lines[6]:find '^done +completed$', lines[6])
    assert.falsy(result.out:find '\27')
  end)

  case('--json is an object a line, as many as are asked for', function(t)
    up(t)
    local result = t:run { 'top', '--json', '-n', '3', '--sort', 'name' }
    assert.equal(0, result.code, result.err)
    local count, last = 0, nil
    for line in result.out:gmatch '[^\n]+' do
      count, last = count + 1, cjson.decode(line)
      assert.same({ 'busy', 'done', 'quiet' }, { last.services[1].id, last.services[2].id, last.services[3].id })
    end
    assert.equal(3, count)
    local busy, quiet = last.services[1], last.services[3]
    assert.is_true(busy.cpu > 1, result.out)
    assert.is_true(quiet.cpu < busy.cpu)
    assert.equal(2, busy.processes)
    assert.is_true(busy.memory > 0 and last.machine.mem_total > last.machine.mem_used and last.uptime > 0)
    assert.is_nil(last.services[2].cpu)
  end)

  case('knows services by name, and is told of wrong ones', function(t)
    up(t)
    local one = t:run { 'top', 'quiet' }
    assert.truthy(one.out:find('\nquiet ', 1, true) and not one.out:find('\nbusy', 1, true), one.out)
    local wrong = {
      { { 'quite' }, 1, "pactlua: top: no service 'quite' (did you mean 'quiet'?)\n" },
      { { '--sort', 'ram' }, 2, "pactlua: top: --sort 'ram' is no column: name, status, health, pid, uptime, restarts, processes, cpu, memory\n" },
      { { '-n', '0' }, 2, 'pactlua: top: --samples must be at least 1\n' },
      { { '-n', 'x' }, 2, "pactlua: --samples must be a number, got 'x'\n" },
    }
    for _, row in ipairs(wrong) do
      local result = t:run { 'top', table.unpack(row[1]) }
      assert.same({ row[2], row[3], '' }, { result.code, result.err, result.out })
    end
  end)

  case('is 4 where nothing is up', function(t) assert.equal(4, t:run({ 'top' }).code) end)

  case('is a table of one sample on a terminal that can draw nothing', function(t)
    up(t)
    local result = t:run({ 'top' }, { tty = true, env = { TERM = 'dumb' } })
    assert.equal(0, result.code, result.out)
    assert.truthy(result.out:find('busy', 1, true) and not result.out:find '\27', result.out)
  end)

  case('has a screen of its own on a terminal, which is looked at anew', function(t)
    up(t)
    local started = on_terminal(t)
    local _, first = started:out():gsub('\27%[%?2026h', '')
    functional.wait('further frames', function()
      local _, frames = started:out():gsub('\27%[%?2026h', '')
      return frames >= first + 3
    end)
    started:type 'q'
    given_back(t, started, 0)
  end)

  case('keys choose the column, filter, and end it', function(t)
    up(t)
    local started = on_terminal(t)
    local function after(keys, text)
      local from = #started:out()
      started:type(keys)
      functional.wait(('%q after %q'):format(text, keys), function() return started:out():find(text, from) end)
    end
    after('>', '\27%[7m *MEMORY')
    after('\27[D', '\27%[7m *CPU')
    after('/qui', '/qui\27%[0m_')
    after('\r', '/qui %(Esc: all%)')
    started:type 'q'
    local out = given_back(t, started, 0)
    local last = out:match '.*\27%[%?2026h(.-)\27%[%?2026l'
    assert.truthy(last:find('quiet', 1, true) and not last:find('busy ', 1, true), last)
  end)

  case('Ctrl-C and signals give the terminal back, and end it as others', function(t)
    up(t)
    local started = on_terminal(t)
    started:type '\3'
    given_back(t, started, 130)
    for name, number in pairs { TERM = 143, HUP = 129, INT = 130, QUIT = 131 } do
      started = on_terminal(t)
      functional.signal(functional.wait('top', function() return top_of(started) end), name)
      given_back(t, started, number)
    end
  end)

  case('ends with the network, and says so on the screen that was there before', function(t)
    local network = up(t)
    local started = on_terminal(t)
    network:signal 'TERM'
    local out = given_back(t, started, 4)
    assert.truthy(out:find('pactlua: top: the network is gone', out:find(LEAVE, 1, true), true), out)
  end)

  case('goes on after Ctrl-Z', function(t)
    up(t)
    t:file('job.sh', ('set -m; %s top & fg %%1; echo stopped; stty -a >between; fg %%1; echo "status $?"'):format(functional.bin))
    local started = t:start({ t:path 'job.sh' }, { tty = true, program = '/bin/bash', env = TERMINAL.env })
    started:expect(ENTER)
    started:expect 'busy'
    started:type '\26'
    started:expect 'stopped'
    local from = #started:out()
    functional.wait('its screen again', function() return started:out():find('busy', from, true) end)
    assert.truthy(t:read 'between':find('[^-]icanon'), t:read 'between')
    started:type 'q'
    started:expect 'status 0'
  end, not os.execute 'command -v bash >/dev/null' and 'bash is missing')

  case('follows the size of its window, down to a tiny one', function(t)
    up(t)
    local started = on_terminal(t)
    local pid = functional.wait('top', function() return top_of(started) end)
    os.execute(('stty rows 4 cols 20 </proc/%d/fd/0'):format(pid))
    local last = functional.wait('a frame of four rows', function()
      local frame = started:out():match '.*\27%[%?2026h(.-)\27%[%?2026l'
      return select(2, frame:gsub('\r\n', '')) <= 4 and frame -- the last one is empty: what was below is wiped
    end)
    for line in last:gsub('\27%[[%d;?]*%a', ''):gmatch '[^\r\n]+' do assert.is_true((utf8.len(line) or #line) <= 20, line) end
    started:type 'q'
    given_back(t, started, 0)
  end)

  case('needs no colour and no keys', function(t)
    up(t)
    local started = on_terminal(t, '', { TERM = 'xterm', NO_COLOR = '1' })
    started:expect '*CPU'
    assert.falsy(started:out():find '\27%[[%d;]*m', started:out())
    started:type 'q'
    given_back(t, started, 0)
    local without = t:start({ '-c', '"$0" top </dev/null; echo "status $?"', functional.bin }, { tty = true, program = '/bin/sh', env = TERMINAL.env })
    without:expect 'status 0'
    assert.falsy(without:out():find(ENTER, 1, true))
  end)
end)
