--- Hooks of a recipe: events through one at a steady rate, and very many that sleep.
local bench = require 'setting'

local RECIPE = [[
  local pact = require 'pact'
  local SECONDS, RATE, SLEEPERS = %d, 10000, 10000
  local function pss()
    collectgarbage()
    return tonumber(pact.file.read('/proc/self/smaps_rollup'):match 'Pss:%%s+(%%d+)')
  end
  local seen, worst = 0, 0
  pact.on('load:tick', function(_, event) seen, worst = event.number, math.max(worst, pact.now() - event.sent) end)
  pact.on('load:sleep', function() pact.sleep '1h' end)
  pact.start { id = 'p', command = { 'sleep', '1000' } }
  pact.sleep '700ms' -- until memory of the start has been given back
  local began, cpu, sent, count = pact.now(), os.clock(), 0, SECONDS * RATE
  while sent < count do
    local due = math.min(count, (pact.now() - began) * RATE // 1000)
    for number = sent + 1, due do pact.emit('load:tick', { number = number, sent = pact.now() }) end
    sent = math.max(sent, due)
    pact.sleep '1ms'
  end
  local last = pact.now()
  while seen < count do pact.sleep '1ms' end
  local late, used = pact.now() - last, os.clock() - cpu
  local before = pss()
  for number = 1, SLEEPERS do
    pact.emit('load:sleep', { number = number })
    if number %% 100 == 0 then pact.sleep '1ms' end
  end
  local each = (pss() - before) * 1024 / SLEEPERS
  io.write(('found %%d %%d %%f %%f\n'):format(late, worst, used / count * 1e6, each))
  pact.shutdown(0)
]]

---@return table[] rows
return function(options)
  local dir = bench.directory()
  bench.write(dir .. '/net.lua', RECIPE:format(options.quick and 2 or 10))
  local said = bench.output(("cd '%s' && '%s' net.lua"):format(dir, bench.bin))
  local last, worst, cpu, each = said:match 'found (%d+) (%d+) ([%d.]+) ([%d.]+)'
  return {
    { what = '10,000 events/s through a hook, the last seen after', value = tonumber(last), unit = 'ms', goal = 100 },
    { what = 'the same, the latest of all', value = tonumber(worst), unit = 'ms' },
    { what = 'processor time of an event through a hook', value = tonumber(cpu), unit = 'µs' },
    { what = '10,000 sleeping hooks, PSS each', value = tonumber(each), unit = 'bytes', goal = 2560 },
  }
end
