--- Fault 48: hooks that err, hang, hog, hoard, return nonsense and misuse what they are given. Each is told with
-- what and where; the network goes on as if they weren't there.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

-- A task that is to complete whatever the hooks do, one behind the other.
local NETWORK = [[
  pact.task 'a' { command = { 'true' } }
  pact.task 'b' { shell = 'touch ran', depends_on = { 'a' } }
]]

local function undisturbed(t, result)
  local all = result.out .. result.err
  assert.equal(0, result.code, all)
  assert.is_true(t:exists 'ran', all)
  assert.is_nil(all:find('internal error', 1, true), all)
end

-- Hooks of line 3: what each does, what is said.
local WRONG = {
  { "raises text", "error('my mistake')", 'net.lua:3: my mistake' },
  { "raises a table", "error { code = 5 }", 'net.lua:3: raised {"code":5}' },
  { "raises nil", "error(nil)", 'net.lua:3: raised nothing' },
  { "raises what has no text", "error(setmetatable({}, { __tostring = function() error 'no' end }))", 'has no text' },
  { "raises what gives no text", "error(setmetatable({}, { __tostring = function() return {} end }))", 'has no text' },
  { "fails in a C function", "('x'):rep(-1, {})", "net.lua:3: bad argument #2 to 'rep'" },
  { "fails behind a pcall that waited", "pcall(function() pact.sleep '1ms' error 'x' end) error 'behind'",
    'net.lua:3: behind' },
  { "waits inside gsub", "('x'):gsub('x', function() pact.sleep '1ms' end)", "net.lua:3: can't wait here" },
  { "waits inside a metamethod's C call", "table.sort({ 2, 1 }, function() pact.sleep '1ms' end)",
    "net.lua:3: can't wait here" },
  { "yields to nobody", "coroutine.yield(5)", 'yielded outside a coroutine of its own' },
  { "fails in a coroutine of its own", "coroutine.wrap(function() pact.sleep '1ms' error 'inside' end)()",
    'net.lua:3: inside' },
  { "recurses without end", "local function f() return 1 + f() end f()", 'net.lua:3: ' },
  { "loops without end inside pcall", "while true do pcall(function() while true do end end) end",
    'net.lua:3: interrupted: ran for more than 250 ms' },
  { "loops without end in a coroutine", "while true do coroutine.wrap(function() pcall(string.rep, 'x', 1e5) end)() end",
    'net.lua:3: interrupted: ran for more than 250 ms' },
  { "matches a pattern without end", "return ('a'):rep(60):find(('a?'):rep(60) .. ('a'):rep(60))",
    'net.lua:3: interrupted: ran for more than 250 ms' },
  { "replaces by one inside pcall", "while true do pcall(string.gsub, ('a'):rep(60), ('a*'):rep(60) .. 'b', '') end",
    'net.lua:3: interrupted: ran for more than 250 ms' },
  { "moves more than there is", "table.move({}, 1, 1 << 60, 2)", 'net.lua:3: interrupted: ran for more than 250 ms' },
  { "asks for a terabyte", "return #('x'):rep(1 << 40)", 'resulting string too large' },
  { "calls what isn't there", "pact.strat 'a'", "there is no pact.strat (did you mean 'start'?)" },
  { "calls with the wrong thing", "pact.start(5)", 'net.lua:3: a service or its id expected, got 5' },
  { "reads a field that isn't there", "return service.statsu", "has no 'statsu' (did you mean 'status'?)" },
  { "sets a field", "service.status = 'running'", "'status' cannot be set" },
  { "sleeps a word", "pact.sleep 'soon'", "pact.sleep must be a duration such as '500ms'" },
  { "emits our events", "pact.emit('crashed')", 'an event of your own has a colon' },
  { "sets a global", "oops = 1", "sets the global 'oops'" },
  { "declares badly", "pact.process 'c' { comand = { 'x' } }", "(did you mean 'command'?)" },
  { "starts a command that isn't there", "pact.exec { 'x', tiemout = '1s' }", "(did you mean 'timeout'?)" },
  { "shuts down with nonsense", "pact.shutdown 'now'", 'a status of 0–255 expected' },
  { "waits for a goal that isn't there", "service:wait 'raedy'", 'raedy' },
  { "signals a word", "assert(service:signal 'BOO')", "BOO" },
  { "gives a verdict where none counts", "return pact.verdict.ignore()", "nothing is decided on 'completed'" },
}

describe('fault 48: a hook that', function()
  for _, row in ipairs(WRONG) do
    case(row[1], function(t)
      local result = t:up(NETWORK .. ("pact.once('completed', function(service, event) %s end)"):format(row[2])):wait()
      undisturbed(t, result)
      local failed = t:events('hook_failed')
      assert.equal(1, #failed, cjson.encode(failed))
      assert.same({ 'completed', 'a' }, { failed[1].hook, failed[1].service })
      assert.truthy(failed[1].line, cjson.encode(failed[1]))
      local said = ('%s:%d: %s'):format(failed[1].file, failed[1].line, failed[1].message)
      assert.truthy(said:find(row[3], 1, true), said)
      assert.truthy(result.out:find('hook for completed failed at net.lua:3', 1, true), result.out)
    end)
  end

  case('hoards a gigabyte is refused more; the others still have some', function(t)
    local result = t:up(NETWORK .. [[
      local hoard, refused = {}, nil
      pact.on('started', function()
        while not refused do
          hoard[#hoard + 1] = ('x'):rep(4 << 20)
          pact.sleep '1ms'
        end
      end)
      pact.on('hook_failed', function(_, event)
        refused = event.message
        pact.file.write('heard', #hoard * 4 .. ' ' .. refused)
      end)
      pact.after('50ms', function()
        while not refused do pact.sleep '10ms' end
        hoard = nil
      end)
    ]]):wait()
    undisturbed(t, result)
    local megabytes, message = t:read('heard'):match '^(%d+) (.*)$'
    assert.equal('not enough memory', message)
    assert.is_true(tonumber(megabytes) <= 1024 and tonumber(megabytes) > 500, megabytes)
  end)

  case('changes what it is given changes it for nobody else', function(t)
    local result = t:up(NETWORK .. [[
      pact.on('completed', function(service, event)
        for key in pairs(event) do event[key] = nil end
        event.exit_code, service.history[1] = 99, nil
      end)
      pact.on('completed', function(service, event)
        pact.file.append('heard', ('%s %s %d\n'):format(event.name, event.exit_code, #service.history))
      end)
    ]]):wait()
    undisturbed(t, result)
    assert.same({ 'completed 0 1', 'completed 0 1' }, t:lines 'heard')
    assert.equal(0, t:events('completed')[1].exit_code)
  end)

  case('calls os.exit ends the network in order, not the process', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'trap "echo stopped >>trace; exit 0" TERM; echo up; while :; do sleep 0.05; done',
        health = { log = 'up' } }
      pact.on('ready', function() os.exit(42) pact.file.append('trace', 'never\n') end)
    ]]):wait()
    assert.equal(42, result.code)
    assert.same({ 'stopped' }, t:lines 'trace')
  end)

  case('starts what runs, stops what has ended, and waits for what never comes is answered', function(t)
    local result = t:up([[
      pact.process 'p' { command = { 'sleep', '1000' } }
      pact.task 'a' { command = { 'true' } }
      pact.process 'bad' { command = { 'no-such-program' }, essential = false }
      pact.on('completed', function()
        local function say(...)
          local parts = table.pack(...)
          for i = 1, parts.n do parts[i] = tostring(parts[i]) end
          pact.file.append('heard', table.concat(parts, ' ', 1, parts.n) .. '\n')
        end
        say(pact.start 'p')
        say(pact.stop 'a')
        say(select('#', pact.service 'nothing'), pact.service 'nothing')
        say(select(3, pact.stop 'nothing'))
        say(select(3, pact.service('bad'):wait 'ready'))
        say(select(3, pact.service('p'):wait('stopped', '50ms')))
        say(select(3, pact.service('a'):signal 'TERM'))
        pact.shutdown(0)
      end)
    ]]):wait()
    assert.equal(0, result.code, result.out)
    assert.same({ 'p', 'true', '1 nil', 'unknown', 'failed', 'timeout', 'gone' }, t:lines 'heard')
    assert.is_nil(result.out:find('hook_failed', 1, true))
  end)

  case('restarts during the shutdown is refused', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' }
      pact.on('stopped', function(service)
        pact.file.append('heard', table.concat({ select(2, service:restart()) }, ' ') .. '\n')
      end)
      pact.on('shutdown', function(_, event)
        pact.file.append('heard', event.reason .. '\n')
        pact.shutdown(9)
        pact.start { id = 'late', command = { 'sh', '-c', 'touch late' }, wait = false }
      end)
    ]]
    t:wait_lines('trace', 1)
    network:signal 'TERM'
    local result = network:wait()
    assert.equal(15, result.signal)
    assert.same({ 'SIGTERM', 'p: the network is shutting down busy' }, t:lines 'heard')
    assert.is_false(t:exists 'late')
  end)

  case('removes itself and others while they are called', function(t)
    local result = t:up(NETWORK .. [[
      local hooks = {}
      for i = 1, 3 do
        hooks[i] = pact.on('completed', function(service)
          pact.file.append('heard', i .. service .. '\n')
          for _, hook in ipairs(hooks) do hook:off() hook:off() end
          if i == 1 then pact.on('completed', function(other) pact.file.append('heard', 'new' .. other .. '\n') end) end
        end)
      end
    ]]):wait()
    undisturbed(t, result)
    assert.same({ '1a', 'newb' }, t:lines 'heard')
  end)

  case('never ends delays no other, and a shutdown no longer than its own time', function(t)
    local network = t:up [[
      pact.hook_timeout '10m'
      pact.shutdown_timeout '10m'
      pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' }
      pact.on('started', function() while true do pcall(pact.sleep, '1h') end end)
      pact.on('started', function() pact.file.append('heard', 'other\n') end)
    ]]
    t:wait_lines('heard', 1)
    network:signal 'TERM'
    network:wait()
  end)

  case('fails while another hears of failures makes no circle', function(t)
    local result = t:up(NETWORK .. [[
      pact.on('completed', function() error 'first' end)
      pact.on('hook_failed', function(_, event) pact.file.append('heard', event.message .. '\n') error 'second' end)
    ]]):wait()
    undisturbed(t, result)
    assert.same({ 'first', 'first' }, t:lines 'heard')
  end)
end)

describe('fault 48: a script that', function()
  for _, row in ipairs {
    { 'has a syntax error', 'local x = = 1', 'syntax error' },
    { 'is binary', '\27Lua\84\0', 'is compiled Lua' },
    { 'raises', "error 'my mistake'", 'my mistake' },
    { 'sets a global', 'oops = 1', "sets the global 'oops'" },
  } do
    case(row[1], function(t)
      t:file('hooks/h.lua', row[2])
      local result = t:up(NETWORK .. "pact.on('completed', 'hooks/h.lua')"):wait()
      undisturbed(t, result)
      local failed = t:events('hook_failed')
      assert.equal(2, #failed)
      assert.equal('hooks/h.lua', failed[1].file)
      assert.truthy(failed[1].message:find(row[3], 1, true), failed[1].message)
    end)
  end
end)
