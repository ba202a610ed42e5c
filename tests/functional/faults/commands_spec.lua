--- Fault 42: commands that cross each other. The newest intent wins, no two lives at a time, none a crash.
local functional = require 'functional'
local cjson = require 'cjson'
local lfs = require 'lfs'
local case, procfs = functional.case, functional.procfs

-- Writes down a second life beside the first; takes its time to end.
local SINGLE = [=[
  pact.process 'p' { shell = [[
    exec 9>>guard; flock -n 9 || echo double >>trace
    echo $$ >>pids; trap 'sleep 0.2; exit 0' TERM
    while :; do sleep 60 & wait $!; done]], restart = { delay = '100ms' } }
  pact.process 'stay' { command = { 'sleep', '1000' } }
]=]

-- The same, ending only when it may.
local GATED = SINGLE:gsub('sleep 0%.2;', 'until [ -e go ]; do sleep 0.02; done;')

local function lives(t) return #t:lines 'pids' end

local function events_of(t, id)
  local found = {}
  for _, line in ipairs(t:lines(t:state('events%.jsonl$')[1])) do
    local event = cjson.decode(line)
    if event.service == id then found[#found + 1] = event end
  end
  return found
end

-- Nothing was a crash, nothing lived twice, one process is left where one is wanted.
local function in_order(t, wanted)
  local p = t:wait_service('p', { status = wanted })
  assert.same({}, t:lines 'trace')
  assert.equal(0, p.restart_count)
  for _, event in ipairs(events_of(t, 'p')) do
    assert.falsy(event.name == 'crashed' or event.name == 'failed', event.name)
  end
  local alive = 0
  for _, pid in ipairs(t:lines 'pids') do
    if procfs.alive(tonumber(pid)) then alive = alive + 1 end
  end
  assert.equal(wanted == 'running' and 1 or 0, alive)
end

-- It sleeps, connected.
local function asks(pid)
  local process = procfs.process(pid)
  if not process or process.state ~= 'S' then return false end
  for fd = 3, 40 do
    local target = lfs.symlinkattributes(('/proc/%d/fd/%d'):format(pid, fd), 'target')
    if target and target:find '^socket:' then return true end
  end
  return false
end

local function all_at_once(t, commands)
  local started = {}
  for i, words in ipairs(commands) do started[i] = t:start(words) end
  for i, one in ipairs(started) do started[i] = one:wait() end
  return started
end

describe('commands', function()
  case('fault 42: a stop while it starts ends it, and who waited for it hears why', function(t)
    t:up [[
      pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', health = { file = 'never', interval = '100ms' } }
      pact.process 'stay' { command = { 'sleep', '1000' } }
    ]]
    t:wait_lines('pids', 1)
    local start, wait = t:start { 'start', 'p' }, t:start { 'wait', 'p' }
    functional.wait('both to have asked', function() return asks(start.pid) and asks(wait.pid) end)
    functional.sleep(0.1) -- that the engine has heard them is not to be seen from outside
    assert.equal(0, t:run({ 'stop', 'p' }).code)
    t:wait_service('p', { status = 'stopped' })
    for _, one in ipairs { start, wait } do
      local result = one:wait()
      assert.equal(3, result.code)
      assert.truthy(result.err:find('stopped', 1, true), result.err)
    end
  end)

  case('fault 42: a stop before its start has begun leaves it unstarted', function(t)
    t:up [[
      pact.process 'db' { command = { 'sleep', '1000' }, health = { file = 'good', interval = '100ms' } }
      pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', depends_on = { 'db' } }
    ]]
    t:wait_service('p', { status = 'waiting' })
    assert.equal(0, t:run({ 'stop', 'p' }).code)
    t:file('good', '')
    t:wait_service('db', { status = 'running' })
    t:wait_service('p', { status = 'stopped' })
    assert.equal(0, lives(t))
  end)

  case('fault 42: a start while it stops comes after the stop', function(t)
    t:up(GATED)
    t:wait_service('p', { status = 'running' })
    local stop = t:start { 'stop', 'p' }
    t:wait_service('p', { status = 'stopping', want = 'down' })
    local start = t:start { 'start', 'p' }
    t:wait_service('p', { status = 'stopping', want = 'up' })
    local result = stop:wait()
    assert.equal(3, result.code)
    assert.truthy(result.err:find('started again', 1, true), result.err)
    t:file('go', '')
    assert.equal(0, start:wait().code)
    in_order(t, 'running')
    assert.equal(2, lives(t))
  end)

  case('fault 42: a stop while it restarts is the last word', function(t)
    t:up(GATED)
    t:wait_service('p', { status = 'running' })
    local restart = t:start { 'restart', 'p' }
    t:wait_service('p', { status = 'stopping', want = 'up' })
    local stop = t:start { 'stop', 'p' }
    t:wait_service('p', { status = 'stopping', want = 'down' })
    t:file('go', '')
    assert.equal(0, stop:wait().code)
    assert.equal(3, restart:wait().code)
    in_order(t, 'stopped')
    assert.equal(1, lives(t))
  end)

  case('fault 42: a stop in a pause before a restart ends the waiting, a start cuts it short', function(t)
    t:up [[
      pact.process 'p' { shell = 'echo $$ >>pids; [ -e good ] && exec sleep 1000; exit 4', restart = { delay = '60s', jitter = 0 } }
      pact.process 'stay' { command = { 'sleep', '1000' } }
    ]]
    t:wait_service('p', { status = 'backoff' })
    assert.equal(0, t:run({ 'stop', 'p' }).code)
    t:wait_service('p', { status = 'stopped' })
    t:file('good', '')
    t:run { 'start', 'p' }
    t:wait_service('p', { status = 'running', attempt = 0 })
    assert.equal(2, lives(t))
  end)

  case('fault 42: forty restarts at once are some, one after the other', function(t)
    t:up(SINGLE)
    t:wait_service('p', { status = 'running' })
    local commands = {}
    for i = 1, 40 do commands[i] = { 'restart', 'p' } end
    for _, result in ipairs(all_at_once(t, commands)) do assert.equal(0, result.code, result.err) end
    in_order(t, 'running')
    assert.is_true(lives(t) > 1 and lives(t) < 41, lives(t) .. ' lives')
  end)

  case('fault 42: any mixture ends as the last command says', function(t)
    t:up(SINGLE)
    t:wait_service('p', { status = 'running' })
    local commands = {}
    for i = 1, 36 do commands[i] = { ({ 'start', 'stop', 'restart', 'stop', 'start' })[i % 5 + 1], 'p' } end
    all_at_once(t, commands)
    assert.equal(0, t:run({ 'stop', 'p' }).code)
    in_order(t, 'stopped')
    assert.equal(0, t:run({ 'start', 'p' }).code)
    in_order(t, 'running')
  end)

  case('fault 42: a process that dies by itself while it is stopped was stopped', function(t)
    t:up(GATED)
    t:wait_service('p', { status = 'running' })
    local stop = t:start { 'stop', 'p' }
    t:wait_service('p', { status = 'stopping' })
    functional.signal(t:lines('pids')[1], 'KILL')
    assert.equal(0, stop:wait().code)
    in_order(t, 'stopped')
  end)

  case('fault 42: commands during a shutdown are refused, and it goes on', function(t)
    local network = t:up [[
      pact.process 'slow' { shell = 'echo up >>trace; trap "until [ -e go ]; do sleep 0.02; done; exit 0" TERM; while :; do sleep 60 & wait; done' }
      pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' }
    ]]
    t:wait_lines('trace', 1)
    t:wait_lines('pids', 1)
    network:signal 'TERM'
    t:wait_service('p', { status = 'stopped' })
    for _, verb in ipairs { 'start', 'restart' } do
      local result = t:run { verb, 'p' }
      assert.not_equal(0, result.code)
      assert.truthy(result.err:find('shutting down', 1, true), result.err)
    end
    t:file('go', '')
    assert.equal(0, network:wait().left)
    assert.equal(1, lives(t))
  end)

  case('fault 42: two ends at once are one, and both are answered', function(t)
    local network = t:up(SINGLE)
    t:wait_service('p', { status = 'running' })
    for _, result in ipairs(all_at_once(t, { { 'down' }, { 'down' }, { 'down' } })) do
      assert.truthy(result.code == 0 or result.code == 4, result.err)
    end
    assert.equal(0, network:wait().left)
    assert.equal(1, lives(t))
  end)

  case('fault 42: a start and a stop of the network in the same breath', function(t)
    t:recipe [[ for i = 1, 30 do pact.process('p' .. i) { command = { 'sleep', '1000' } } end ]]
    for i = 0, 8 do
      local network = t:start { 'net.lua' }
      functional.sleep(0.003 * i)
      network:signal 'INT'
      network:wait()
    end
    t:wait_clean()
  end)
end)
