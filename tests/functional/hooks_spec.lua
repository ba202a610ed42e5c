--- Hooks of a recipe: they hear what happens, and may act on the network.
local functional = require 'functional'
local case = functional.case

describe('hooks', function()
  case('hear of a crash with its facts', function(t)
    t:up [[
      pact.process 'p' { shell = 'exit 7', restart = { delay = '100ms', max_retries = 1 } }
      pact.on('crashed', function(service, event)
        local file = io.open('heard', 'a')
        file:write(service.id, ' ', event.exit_code, '\n')
        file:close()
      end)
    ]]
    assert.same({ 'p 7', 'p 7' }, t:wait_lines('heard', 2))
  end)

  case('one that fails is shown with its place, and everything goes on', function(t)
    local result = t:up([[
      pact.task 'a' { command = { 'true' } }
      pact.task 'b' { shell = 'touch ran', depends_on = { 'a' } }
      pact.on('completed', function(service) error('my mistake with ' .. service) end)
    ]]):wait()
    assert.equal(0, result.code)
    assert.is_true(t:exists 'ran')
    local all = result.out .. result.err
    assert.truthy(all:find('my mistake with a', 1, true), all)
    assert.truthy(all:find('net.lua:3', 1, true), all)
  end)

  case('one that never ends is interrupted, and holds nobody up', function(t)
    local result = t:up([[
      pact.task 'a' { command = { 'true' } }
      pact.task 'b' { shell = 'touch ran', depends_on = { 'a' } }
      pact.on('started', function() while true do pcall(function() while true do end end) end end)
    ]]):wait(15)
    assert.equal(0, result.code)
    assert.is_true(t:exists 'ran')
  end)

  case('all_ready may act on the network', function(t)
    t:up [[
      pact.process 'p' { shell = 'echo $$ >>pids; echo up; exec sleep 1000', health = { log = 'up' } }
      pact.once('all_ready', function() pact.restart 'p' end)
    ]]
    local pids = t:wait_lines('pids', 2)
    assert.not_equal(pids[1], pids[2])
  end)

  case('one that switches itself off hears nothing more, not even what has happened already', function(t)
    local network = t:up [[
      pact.task 'a' { command = { 'true' } }
      local hook; hook = pact.on('chain:block', function(_, event)
        local file <close> = io.open('heard', 'a')
        file:write(event.height, '\n')
        hook:off()
      end)
      pact.once('completed', function()
        for height = 1, 3 do pact.emit('chain:block', { height = height }) end
      end)
    ]]
    assert.equal(0, network:wait().code)
    assert.same({ '1' }, t:wait_lines('heard', 1))
  end)

  case('pact.shutdown ends the network with a status', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' }
      pact.once('all_ready', function() pact.shutdown(17) end)
    ]]):wait()
    assert.equal(17, result.code)
    assert.equal(0, result.left)
  end)

  case('shutdown hooks run before the first stop', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'trap "echo stop >>trace; exit 0" TERM; echo up >>trace; while true; do sleep 60 & wait; done' }
      pact.on('shutdown', function() os.execute 'echo hook >>trace' end)
    ]]
    t:wait_lines('trace', 1)
    network:signal 'TERM'
    network:wait(10)
    assert.same({ 'up', 'hook', 'stop' }, t:lines 'trace')
  end)
end)
