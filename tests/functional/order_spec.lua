--- What starts when, and what stops when.
local functional = require 'functional'
local case = functional.case

-- A service that writes down its start and its end, and opens after a moment.
local SERVICE = [[
  local function service(id, needs)
    return pact.process(id) {
      depends_on = needs,
      shell = ([[
        echo "start %s" >>trace
        trap 'echo "stop %s" >>trace; exit 0' TERM
        sleep 0.1; echo "open %s" >>trace; echo open
        while true; do sleep 60 & wait; done]].."]]"..[[):format(id, id, id),
      health = { log = 'open' },
    }
  end
]]

describe('order', function()
  case('a service starts when what it depends on is ready', function(t)
    t:up(SERVICE .. [[
      service('web', { 'api' })
      service('api', { 'db' })
      service('db')
    ]])
    assert.same({ 'start db', 'open db', 'start api', 'open api', 'start web', 'open web' },
      t:wait_lines('trace', 6))
  end)

  case('independent services start side by side', function(t)
    t:up [[
      for i = 1, 5 do
        pact.task('t' .. i) { shell = 'echo begin >>trace; until [ $(grep -c begin trace) = 5 ]; do sleep 0.02; done' }
      end
    ]]
    assert.equal(5, #t:wait_lines('trace', 5))
    assert.equal(0, t.started[1]:wait().code)
  end)

  case('shutdown goes the other way round', function(t)
    local network = t:up(SERVICE .. [[
      service('web', { 'api' })
      service('api', { 'db' })
      service('db')
    ]])
    t:wait_lines('trace', 6)
    network:signal 'TERM'
    network:wait()
    local lines = t:lines 'trace'
    assert.same({ 'stop web', 'stop api', 'stop db' }, { table.unpack(lines, 7) })
  end)

  case('the other way round holds across a task that has completed', function(t)
    local network = t:up(SERVICE .. [[
      service('web', { 'migrate' })
      pact.task 'migrate' { command = { 'true' }, depends_on = { 'db' } }
      service('db')
    ]])
    t:wait_lines('trace', 4)
    network:signal 'TERM'
    network:wait()
    assert.same({ 'stop web', 'stop db' }, { table.unpack(t:lines 'trace', 5) })
  end)

  case('what nothing depends on stops side by side', function(t)
    local network = t:up [[
      for i = 1, 3 do
        pact.process('p' .. i) { shell = [=[
          trap 'echo stop >>stops; until [ $(grep -c stop stops) = 3 ]; do sleep 0.02; done; exit 0' TERM
          echo up >>trace; while true; do sleep 60 & wait; done]=] }
      end
    ]]
    t:wait_lines('trace', 3)
    network:signal 'TERM'
    network:wait()
    assert.equal(3, #t:lines 'stops')
  end)
end)
