--- What pactlua's own exit status says.
local functional = require 'functional'
local case = functional.case

-- As a shell would show it.
local function status(result) return result.code or 128 + result.signal end

describe('exit status', function()
  case('0 when all has completed', function(t)
    assert.equal(0, t:up([[ pact.task 'a' { command = { 'true' } } ]]):wait().code)
  end)

  case('3 when something wanted has failed', function(t)
    assert.equal(3, t:up([[ pact.task 'a' { command = { 'false' } } ]]):wait().code)
  end)

  case('2 for a recipe that is wrong', function(t)
    assert.equal(2, t:up([[ pact.task 'a' { comand = { 'true' } } ]]):wait().code)
  end)

  case('2 for wrong usage', function(t)
    assert.equal(2, t:run({ 'up', '--no-such-option' }).code)
  end)

  case('4 where there is no network', function(t)
    assert.equal(4, t:run({ 'ps' }).code)
  end)

  for _, one in ipairs { { 'INT', 130 }, { 'TERM', 143 }, { 'HUP', 129 } } do
    case(('%d after SIG%s'):format(one[2], one[1]), function(t)
      local network = t:up [[ pact.process 'a' { shell = 'echo up >>trace; exec sleep 1000' } ]]
      t:wait_lines('trace', 1)
      network:signal(one[1])
      local result = network:wait()
      assert.equal(one[2], status(result))
      assert.equal(0, result.left)
    end)
  end

  case('a SIGINT ends the front by SIGINT, so that shells and makes stop too', function(t)
    local network = t:up [[ pact.process 'a' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    network:signal 'INT'
    assert.equal(2, network:wait().signal)
  end)

  case('when the front has ended, nothing of the network lives', function(t)
    local result = t:up([[
      pact.process 'a' { shell = 'sleep 1000 & sleep 1000 & exec sleep 1000' }
      pact.task 'b' { shell = 'sleep 0.3', essential = true }
    ]]):wait()
    assert.equal(0, result.code)
    assert.equal(0, result.left)
  end)
end)
