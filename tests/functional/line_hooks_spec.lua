--- Hooks that hear lines of services' output: only what matches, of whom and from where they say.
local functional = require 'functional'
local case = functional.case

describe('a hook of line', function()
  case('hears what matches, with its service and stream', function(t)
    t:up [[
      pact.process 'a' { shell = 'echo one panic; echo two; echo three panic >&2; exec sleep 1000' }
      pact.process 'b' { shell = 'echo panic of b; exec sleep 1000' }
      local function say(word)
        return function(service, event)
          pact.file.append('heard', ('%s %s %s %s\n'):format(word, service, event.stream, event.text))
        end
      end
      pact.on('line', 'panic', say 'all')
      pact.on('line', { service = 'a', match = { regex = '^t[wh]' } }, say 'regex')
      pact.on('line', { services = { 'a', 'b' }, match = 'panic', stream = 'stderr' }, say 'stderr')
    ]]
    local lines = t:wait_lines('heard', 6)
    table.sort(lines)
    assert.same({
      'all a stderr three panic', 'all a stdout one panic', 'all b stdout panic of b',
      'regex a stderr three panic', 'regex a stdout two', 'stderr a stderr three panic',
    }, lines)
  end)

  case('hears no more once it is off, or has heard one', function(t)
    t:up [[
      pact.process 'a' { shell = 'while :; do echo tick; sleep 0.02; done' }
      pact.once('line', 'tick', function() pact.file.append('once', 'x\n') end)
      local count, hook = 0, nil
      hook = pact.on('line', 'tick', function()
        count = count + 1
        pact.file.append('twice', count .. '\n')
        if count == 2 then hook:off() end
      end)
      pact.on('line', 'tick', function() pact.file.append('always', 'x\n') end)
    ]]
    t:wait_lines('always', 10)
    assert.same({ 1, 2 }, { #t:lines 'once', #t:lines 'twice' })
  end)

  case('that is declared later hears services that are started later', function(t)
    t:up [[
      pact.start { id = 'a', command = { 'sleep', '1000' } }
      pact.on('line', { match = 'hello' }, function(service) pact.file.append('heard', service .. '\n') end)
      pact.start { id = 'late', shell = 'echo hello; exec sleep 1000' }
      pact.sleep '1h'
    ]]
    assert.same({ 'late' }, t:wait_lines('heard', 1))
  end)

  case('that is slow leaves lines out, and knows how many', function(t)
    local result = t:up([[
      pact.task 'flood' { shell = 'seq -f "line %g" 1 5000; echo end' }
      local most, now = 0, 0
      pact.on('line', 'line', function(_, event)
        now = now + 1
        most = math.max(most, now)
        pact.sleep '300ms'
        now = now - 1
      end)
      pact.on('completed', function() pact.sleep '500ms' pact.file.write('heard', most .. '\n') end)
    ]]):wait()
    assert.equal(0, result.code, result.out)
    assert.same({ '100' }, t:lines 'heard')
  end)

  case('that fits all of a flood hears some of it, and the network answers meanwhile', function(t)
    local network = t:up [[
      local heard, left_out = 0, 0
      pact.process 'y' {
        shell = 'yes | head -c 40000000; touch over; while :; do echo y; sleep 0.1; done', log = { max_size = '1m', max_files = 1 },
      }
      pact.on('line', 'y', function(_, event) heard, left_out = heard + 1, left_out + (event.left_out or 0) end)
      pact.command('heard', function() return heard .. ' ' .. left_out end)
    ]]
    t:wait_service('y', { status = 'running' })
    functional.wait('the end of the flood', function() return t:exists 'over' end)
    local heard = functional.wait('lines that were left out', function()
      local n, left_out = t:run({ 'do', 'heard' }).out:match '(%d+) (%d+)'
      return n and tonumber(left_out) > 0 and tonumber(n)
    end)
    assert.truthy(heard < 10000000, heard)
    network:expect "net.lua:5: 'y' says more than it can hear; some lines are left out"
  end)

  for _, row in ipairs {
    { "pact.on('line', function() end)", "needs a filter: pact.on('line', { service = 'web', match = 'text' }" },
    { "pact.on('line', { service = 'a' }, print)", "needs match = 'text'" },
    { "pact.on('line', { mtach = 'x' }, print)", "unknown key 'line.mtach' (did you mean 'match'?)" },
    { "pact.on('line', { match = 'x', service = 'aa' }, print)", "'aa' is not declared" },
    { "pact.on('line', { match = 'x', stream = 'both' }, print)", "'stdout' or 'stderr'" },
    { "pact.on('line', { regex = '(' }, print)", 'has a regex that is wrong' },
    { "pact.on('ready', 'x', print)", "takes a name and a function, got 'x' between them" },
    { "pact.process 'b' { command = { 'x' }, on = { line = print } }", "needs a filter: pact.on('line'" },
  } do
    case('wrongly declared: ' .. row[2], function(t)
      t:recipe("pact.process 'a' { command = { 'true' } }\n" .. row[1])
      local result = t:run { 'check', 'net.lua' }
      assert.equal(2, result.code, result.out)
      assert.truthy((result.out .. result.err):find(row[2], 1, true), result.out .. result.err)
      assert.truthy((result.out .. result.err):find('net.lua:2:', 1, true), result.out .. result.err)
    end)
  end
end)
