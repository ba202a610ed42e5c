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
      local began, clock = pact.now(), os.clock()
      while sent < COUNT do
        local due = math.min(COUNT, (pact.now() - began) * RATE // 1000)
        for number = sent + 1, due do pact.emit('load:tick', { number = number }) end
        sent = math.max(sent, due)
        pact.sleep '1ms'
      end
      local last, naps = os.clock(), 0
      while seen < COUNT do
        naps = naps + 1
        pact.sleep '1ms'
      end
      pact.file.write('heard', ('%.0f %.0f %d\n'):format((last - clock) * 1000, (os.clock() - last) * 1000, naps))
      pact.shutdown(0)
    ]]):wait()
    assert.equal(0, result.code, result.out .. result.err)
    -- In processor time, and in naps of a millisecond or more: what others take of a busy machine isn't ours.
    local took, late, naps = t:read('heard'):match '^(%d+) (%d+) (%d+)'
    assert.is_true(tonumber(took) < 6000, took)
    assert.is_true(tonumber(late) <= 100, late)
    assert.is_true(tonumber(naps) <= 100, naps)
  end)

  case('cost at most 2.5 KB each while they sleep', function(t)
    local result = t:up([[
      local COUNT = 10000
      local asleep = 0
      pact.on('load:tick', function(_, event)
        asleep = asleep + 1
        pact.sleep '1h'
      end)
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
      while asleep < COUNT do pact.sleep '10ms' end
      pact.file.write('heard', ('%d\n'):format((pss() - before) * 1024 // COUNT))
      pact.shutdown(0)
    ]]):wait()
    assert.equal(0, result.code, result.out .. result.err)
    local bytes = tonumber(t:read 'heard')
    assert.is_true(bytes > 500 and bytes <= 2560, tostring(bytes))
  end, functional.sanitized)
end)
