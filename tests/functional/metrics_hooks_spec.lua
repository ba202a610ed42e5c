--- Hooks that hear what services use: only those that somebody asks about are measured.
local functional = require 'functional'
local case = functional.case

describe('a hook of metrics', function()
  case('hears what each living service uses', function(t)
    t:up([[
      pact.process 'busy' { shell = 'while :; do :; done' }
      pact.process 'calm' { command = { 'sleep', '1000' } }
      pact.task 'over' { command = { 'true' } }
      pact.on('metrics', function(service, event)
        pact.file.append(service .. '.heard', ('%.0f %d %d\n'):format(event.cpu, event.memory, event.processes))
      end)
    ]], { env = { TUI_REFRESH_RATE = '100ms' } })
    local busy, calm = t:wait_lines('busy.heard', 10), t:wait_lines('calm.heard', 5)
    local most = 0
    for _, line in ipairs(busy) do most = math.max(most, tonumber(line:match '^%d+')) end
    assert.is_true(most > 5 and most < 250, tostring(most))
    local cpu, memory, processes = calm[5]:match '^(%d+) (%d+) (%d+)$'
    assert.is_true(tonumber(cpu) < 5 and tonumber(memory) > 100000, calm[5])
    assert.equal('1', processes)
    assert.is_false(t:exists 'over.heard')
  end)

  case('of one service hears of that one alone, and ends when it is off', function(t)
    t:up([[
      pact.process 'a' { command = { 'sleep', '1000' }, on = { metrics = function(service)
        pact.file.append('heard', service .. '\n')
      end } }
      pact.process 'b' { command = { 'sleep', '1000' } }
      local hook, count = nil, 0
      hook = pact.on('metrics', function(service)
        count = count + 1
        pact.file.append('all', service .. '\n')
        if count == 4 then hook:off() end
      end)
    ]], { env = { TUI_REFRESH_RATE = '50ms' } })
    for _, line in ipairs(t:wait_lines('heard', 10)) do assert.equal('a', line) end
    assert.equal(4, #t:lines 'all')
  end)
end)
