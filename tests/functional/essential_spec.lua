--- A service that is essential takes the network down when it has ended for good.
local functional = require 'functional'
local case = functional.case

local function status(result) return result.code or 128 + result.signal end

local OTHERS = [[ pact.process 'other' { command = { 'sleep', '1000' } } ]]

describe('essential', function()
  case('its success is the success of the network', function(t)
    local result = t:up(OTHERS .. [[ pact.task 'main' { shell = 'sleep 0.2', essential = true } ]]):wait()
    assert.equal(0, result.code)
  end)

  case('its exit code is the status', function(t)
    assert.equal(42, t:up(OTHERS .. [[ pact.task 'main' { shell = 'exit 42', essential = true } ]]):wait().code)
  end)

  case('its death by signal is 128 and the number', function(t)
    local result = t:up(OTHERS .. [[
      pact.task 'main' { shell = 'kill -TERM $$', essential = true }
    ]]):wait()
    assert.equal(143, status(result))
  end)

  case('as long as it is restarted, it has not ended for good', function(t)
    local result = t:up(OTHERS .. [[
      pact.process 'main' { essential = true, restart = { delay = '100ms', max_retries = 5 },
        shell = 'echo x >>lives; [ $(wc -l <lives) -lt 3 ] && exit 9; exit 0' }
    ]]):wait()
    assert.equal(0, result.code)
    assert.equal(3, #t:lines 'lives')
  end)
end)
