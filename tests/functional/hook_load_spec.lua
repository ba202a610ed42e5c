--- Many events through hooks, and many hooks that wait: the last event is seen at once, a sleeping hook is small.
local functional = require 'functional'
local case = functional.case

describe('hooks under load', function()
  case('see 10,000 events a second, the last one at once', function(t)
    local result = t:up([[
      local COUNT, RATE = 20000, 10000
      local seen, sent = 0, 0
      pact.on('load:tick', function(_, event)
        if event.number ~= seen + 1 then error 'out of order' end
        seen = event.number
      end)
      pact.start { id = 'p', command = { 'sleep', '1000' } }
      local began = pact.now()
      while sent < COUNT do
        local due = math.min(COUNT, (pact.now() - began) * RATE // 1000)
        for number = sent + 1, due do pact.emit('load:tick', { number = number }) end
        sent = math.max(sent, due)
        pact.sleep '1ms'
      end
      local last = pact.now()
      while seen < COUNT do pact.sleep '1ms' end
      pact.file.write('heard', ('%d %d\n'):format(last - began, pact.now() - last))
      pact.shutdown(0)
    ]]):wait(60)
    assert.equal(0, result.code, result.out .. result.err)
    local took, late = t:read('heard'):match '^(%d+) (%d+)'
    assert.is_true(tonumber(took) < 6000, took)
    assert.is_true(tonumber(late) <= 100, late)
  end)

  case('cost at most 2.5 KB each while they sleep', function(t)
    local result = t:up([[
      local COUNT = 10000
      pact.on('load:tick', function(_, event) pact.sleep '1h' end)
      local function pss()
        collectgarbage()
        return tonumber(pact.file.read('/proc/self/smaps_rollup'):match 'Pss:%s+(%d+)')
      end
      pact.start { id = 'p', command = { 'sleep', '1000' } }
      pact.sleep '700ms' -- until memory of the start has been given back
      local before = pss()
      for number = 1, COUNT do
        pact.emit('load:tick', { number = number })
        if number % 100 == 0 then pact.sleep '1ms' end
      end
      pact.sleep '50ms'
      pact.file.write('heard', ('%d\n'):format((pss() - before) * 1024 // COUNT))
      pact.shutdown(0)
    ]]):wait(60)
    assert.equal(0, result.code, result.out .. result.err)
    local bytes = tonumber(t:read 'heard')
    assert.is_true(bytes > 500 and bytes <= 2560, tostring(bytes))
  end, functional.sanitized)
end)
