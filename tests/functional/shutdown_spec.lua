--- How services are asked to end, and what happens when they don't.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local function up(t, recipe)
  local network = t:up(recipe)
  t:wait_lines('trace', 1)
  return network
end

describe('shutdown', function()
  case('the stop signal is TERM, and the service may take its time', function(t)
    local network = up(t, [[
      pact.process 'p' { shell = [=[
        trap 'echo got TERM >>trace; sleep 0.5; echo done >>trace; exit 0' TERM
        echo up >>trace; while true; do sleep 60 & wait; done]=] }
    ]])
    network:signal 'TERM'
    network:wait()
    assert.same({ 'up', 'got TERM', 'done' }, t:lines 'trace')
  end)

  case('another signal may be the right one', function(t)
    local network = up(t, [[
      pact.process 'p' { stop = { signal = 'INT' }, shell = [=[
        trap 'echo got INT >>trace; exit 0' INT
        echo up >>trace; while true; do sleep 60 & wait; done]=] }
    ]])
    network:signal 'TERM'
    network:wait()
    assert.same({ 'up', 'got INT' }, t:lines 'trace')
  end)

  case('a command may do it', function(t)
    local network = up(t, [[
      pact.process 'p' { stop = { command = { 'touch', 'please-end' } },
        shell = 'echo up >>trace; until [ -e please-end ]; do sleep 0.05; done; echo ended >>trace' }
    ]])
    network:signal 'TERM'
    network:wait()
    assert.same({ 'up', 'ended' }, t:lines 'trace')
  end)

  case('two signals in one moment are one', function(t)
    local network = up(t, [[
      pact.process 'p' { stop = { timeout = '10s' }, shell = [=[
        trap 'sleep 0.8; echo orderly >>trace; exit 0' TERM
        echo up >>trace; while true; do sleep 60 & wait; done]=] }
    ]])
    network:signal 'INT'
    functional.sleep(0.05)
    network:signal 'INT'
    network:wait()
    assert.same({ 'up', 'orderly' }, t:lines 'trace')
  end)

  case('a signal while things start ends them too', function(t)
    local network = t:up [[
      pact.process 'a' { shell = 'echo up >>trace; exec sleep 1000', health = { file = 'never' } }
      pact.process 'b' { command = { 'touch', 'ran' }, depends_on = { 'a' } }
    ]]
    t:wait_lines('trace', 1)
    network:signal 'TERM'
    local result = network:wait()
    assert.equal(0, result.left)
    assert.is_false(t:exists 'ran')
  end)

  case('a signal at the very beginning leaves nothing', function(t)
    t:recipe [[ for i = 1, 20 do pact.process('p' .. i) { command = { 'sleep', '1000' } } end ]]
    for i = 1, 10 do
      local network = t:start { 'net.lua' }
      functional.sleep(0.004 * i)
      network:signal 'TERM'
      network:wait()
    end
    t:wait_clean()
  end)

  case('shutdown in a backoff does not wait for it', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'echo up >>trace; exit 1', restart = { delay = '10m', max_delay = '10m' } }
    ]]
    t:wait_service('p', { status = 'backoff' })
    network:signal 'TERM'
    network:wait()
    assert.equal(1, #t:lines 'trace')
  end)

  case('a requested end is no crash', function(t)
    local network = up(t, [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]])
    network:signal 'TERM'
    local result = network:wait()
    assert.falsy((result.out .. result.err):find('crashed', 1, true))
    assert.equal(1, #t:lines 'trace')
  end)

  case('grandchildren in the group hear the signal and are gone', function(t)
    local network = up(t, [[
      pact.process 'p' { shell = 'sleep 1000 & echo $! >>children; sleep 1000 & echo $! >>children; echo up >>trace; wait' }
    ]])
    local children = t:wait_lines('children', 2)
    network:signal 'TERM'
    assert.equal(0, network:wait().left)
    for _, pid in ipairs(children) do assert.is_false(procfs.alive(tonumber(pid))) end
  end)
end)
