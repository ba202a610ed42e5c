--- A collector that never rests finds what the engine needs and nobody holds.
local functional = require 'functional'
local case = functional.case

describe('with a collector that never rests', function()
  case('a network starts, recovers, is shown and ends as always', function(t)
    local network = t:up([[
      collectgarbage('incremental', 100, 1000, 5)
      local pact = require 'pact'
      pact.process 'a' { shell = 'echo up; exec sleep 1000', health = { command = { 'true' }, interval = '100ms' } }
      pact.task 'b' { command = { 'true' }, depends_on = { a = 'healthy' } }
      pact.process 'c' { shell = 'echo crash; sleep 0.2; exit 3', restart = { delay = '50ms', max_retries = 3 } }
      pact.on('crashed', function(service, event) pact.log.info(service.id, event.exit_code) end)
      pact.process 'd' { shell = 'echo ready; exec sleep 1000', depends_on = { 'b' }, health = { log = 'ready' } }
    ]])
    t:wait_service('d', { status = 'running' })
    t:wait_service('c', { status = 'failed' })
    for _ = 1, 10 do t:ps() end
    network:signal 'INT'
    network:wait()
    assert.falsy(network:err():find('stack traceback', 1, true))
  end)
end)
