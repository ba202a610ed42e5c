--- Faults 39, 40 and 41: graphs that are wrong, that break while they are waited for, and that are large.
local functional = require 'functional'
local case = functional.case

local LONG = ('x'):rep(5000)

-- What is wrong, the lines behind the first of a recipe, what must be said, each with its place.
local WRONG = {
  { 'itself', [[
pact.process 'a' { command = RUN, depends_on = { 'a' } }]],
    { "net.lua:2: process 'a': depends_on", 'itself' } },
  { 'a cycle', [[
pact.process 'a' { command = RUN, depends_on = { 'c' } }
pact.process 'b' { command = RUN, depends_on = { 'a' } }
pact.process 'c' { command = RUN, depends_on = { 'b' } }
pact.process 'free' { command = RUN }]],
    { 'net.lua:2: ', 'cycle: a → c → b → a (a at net.lua:2, c at net.lua:4, b at net.lua:3)' } },
  { 'two cycles', [[
pact.process 'a' { command = RUN, depends_on = { 'b' } }
pact.process 'b' { command = RUN, depends_on = { 'a' } }
pact.process 'x' { command = RUN, depends_on = { 'y' } }
pact.process 'y' { command = RUN, depends_on = { 'x' } }]],
    { 'cycle: a → b → a', 'cycle: x → y → x' } },
  { 'an unknown dependency', [[
pact.process 'database' { command = RUN }
pact.process 'node' { command = RUN, depends_on = { 'databse' } }]],
    { "net.lua:3: process 'node': depends_on 'databse' is not declared (did you mean 'database'?)" } },
  { 'a name that is given twice', [[
pact.process 'a' { command = RUN }
pact.task 'b' { command = RUN }
pact.task 'a' { command = RUN }]],
    { "net.lua:4: task 'a'", 'net.lua:2' } },
  { 'all of it at once', [[
pact.process 'a' { command = RUN, depends_on = { 'a', 'nobody' } }
pact.process 'b c' { command = RUN }
pact.process 'd' { command = RUN, depends_on = { 'e' } }
pact.process 'e' { command = RUN, depends_on = { 'd' } }]],
    { 'itself', "'nobody'", "'b c'", 'cycle: d → e → d' } },
}

for _, id in ipairs { '', 'a b', 'a/b', '../x', '/etc', '-x', '.x', 'x\ny', 'a\0b', ('x'):rep(65), LONG, 'a\27[2J', 'é', '\xff' } do
  local shown = #id < 20 and ('%q'):format(id):gsub('%c', '?') or #id .. ' letters'
  WRONG[#WRONG + 1] = { 'the name ' .. shown, ('pact.process(%q) { command = RUN }'):format(id), { 'net.lua:2: ' } }
end

-- The same words from each verb, nothing else, and nothing starts.
local function refused(t, words)
  for _, args in ipairs { { 'check', 'net.lua' }, { 'net.lua' } } do
    local result = t:run(args)
    assert.equal(2, result.code, result.err)
    assert.equal('', result.out)
    for _, text in ipairs(words) do
      assert.truthy(result.err:find(text, 1, true), ('%q in:\n%s'):format(text, result.err))
    end
    assert.falsy(result.err:find('traceback', 1, true), result.err)
    assert.falsy(result.err:find '[^\n\32-\126\x80-\xff]', 'bytes that are no text')
    assert.is_true(#result.err < 2000, 'no more than can be read')
    assert.equal(0, result.left)
  end
  assert.is_false(t:exists 'ran')
end

describe('graph', function()
  for _, row in ipairs(WRONG) do
    case(('fault 39: %s: told with its place before anything starts'):format(row[1]), function(t)
      t:file('net.lua', "local pact, RUN = require 'pact', { 'touch', 'ran' }\n" .. row[2] .. '\n')
      refused(t, row[3])
    end)
  end

  case('fault 39: the longest name that is allowed is', function(t)
    local id = 'A1.b_c-' .. ('x'):rep(57)
    t:up(([[ pact.process '%s' { shell = 'echo up; exec sleep 1000' } ]]):format(id))
    t:wait_service(id, { status = 'running' })
    assert.equal(0, t:run({ 'logs', id }).code)
  end)

  ---------------------------------------------------------------------------------------------------
  case('fault 40: a dependency that gives up while it is waited for: skipped at once, with the reason', function(t)
    t:up [[
      pact.process 'db' { shell = 'until [ -e crash ]; do sleep 0.02; done; exit 4', restart = 'no', health = { file = 'never' } }
      pact.process 'api' { command = { 'touch', 'ran' }, depends_on = { db = 'healthy' } }
      pact.process 'web' { command = { 'touch', 'ran' }, depends_on = { 'api' } }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    t:wait_service('web', { status = 'waiting' })
    local waiter = t:start { 'wait', 'web' }
    t:file('crash', '')
    local result = waiter:wait()
    assert.equal(3, result.code)
    assert.truthy(result.err:find("dependency 'api'", 1, true), result.err)
    local api = t:wait_service('api', { status = 'skipped' })
    assert.truthy(api.reason:find("dependency 'db' failed", 1, true), api.reason)
    assert.is_false(t:exists 'ran')
    assert.equal('running', t:ps().other.status)
  end)

  case('fault 40: one that is restarted by its policy is waited for on', function(t)
    t:up [[
      pact.process 'db' { shell = 'echo $$ >>pids; [ -e good ] || exit 4; touch open; exec sleep 1000',
        restart = { delay = '100ms', factor = 1, max_retries = 1000 }, health = { file = 'open' } }
      pact.process 'web' { shell = 'echo up >>web; exec sleep 1000', depends_on = { db = 'healthy' } }
    ]]
    t:wait_lines('pids', 3)
    local web = t:wait_service('web', { status = 'waiting' })
    assert.truthy(web.reason:find('db', 1, true), web.reason)
    t:file('good', '')
    t:wait_lines('web', 1)
    t:wait_service('web', { status = 'running' })
  end)

  case('fault 40: a dependency that is killed between its readiness and the start of its dependent', function(t)
    t:up [[
      pact.process 'db' { shell = 'echo $$ >>pids; exec sleep 1000', restart = { delay = '2s', jitter = 0 } }
      pact.task 'slow' { shell = 'until [ -e go ]; do sleep 0.02; done' }
      pact.process 'web' { shell = 'ps -o pid= -p $(tail -n 1 pids) >>seen; exec sleep 1000', depends_on = { 'db', 'slow' } }
    ]]
    t:wait_service('db', { status = 'running' })
    functional.signal(t:lines('pids')[1], 'KILL')
    t:wait_service('db', { status = 'backoff' })
    t:file('go', '')
    local seen = t:wait_lines('seen', 1)
    assert.equal(t:lines('pids')[2], seen[1]:match '%d+', 'started beside the second life')
  end)

  case('fault 40: one that comes back from `failed` takes its dependents with it', function(t)
    t:up [[
      pact.process 'db' { shell = '[ -e good ] && exec sleep 1000; exit 4', restart = 'no', health = { file = 'good', interval = '100ms' } }
      pact.process 'web' { shell = 'echo up >>web; exec sleep 1000', depends_on = { db = 'healthy' } }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    t:wait_service('web', { status = 'skipped' })
    t:file('good', '')
    assert.equal(0, t:run({ 'start', 'db' }).code)
    t:wait_lines('web', 1)
    t:wait_service('web', { status = 'running' })
  end)

  case('fault 40: one that is stopped by hand is waited for on, and says so', function(t)
    t:up [[
      pact.process 'db' { command = { 'sleep', '1000' }, health = { file = 'good', interval = '100ms' } }
      pact.process 'web' { shell = 'echo up >>web; exec sleep 1000', depends_on = { db = 'healthy' } }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    t:wait_service('web', { status = 'waiting' })
    assert.equal(0, t:run({ 'stop', 'db' }).code)
    local web = t:wait_service('web', { status = 'waiting' })
    assert.truthy(web.reason:find('db', 1, true), web.reason)
    assert.equal(124, t:run({ 'wait', '--timeout', '200ms', 'web' }).code)
    t:file('good', '')
    assert.equal(0, t:run({ 'start', 'db' }).code)
    t:wait_lines('web', 1)
  end)

  case('fault 40: when nothing else lives, waiting for what was stopped is no life', function(t)
    local network = t:up [[
      pact.process 'db' { command = { 'sleep', '1000' }, health = { file = 'good', interval = '100ms' } }
      pact.process 'web' { command = { 'touch', 'ran' }, depends_on = { db = 'healthy' } }
    ]]
    t:wait_service('web', { status = 'waiting' })
    t:run { 'stop', 'db' }
    local result = network:wait()
    assert.equal(3, result.code)
    assert.truthy(result.out:find('shutting down: web: waiting for db (healthy: stopped', 1, true), result.out)
  end)

  ---------------------------------------------------------------------------------------------------
  case('fault 41: the corners of a diamond start once, behind what they need', function(t)
    t:up [[
      local function service(id, needs)
        pact.process(id) { depends_on = needs, health = { log = 'open' },
          shell = 'echo "start '..id..'" >>trace; sleep 0.1; echo "open '..id..'" >>trace; echo open; exec sleep 1000' }
      end
      service('top', { 'left', 'right' }) service('left', { 'base' }) service('right', { 'base' }) service('base')
    ]]
    local at = {}
    for i, line in ipairs(t:wait_lines('trace', 8)) do at[line] = i end
    assert.is_true(at['open base'] < at['start left'] and at['open base'] < at['start right'])
    assert.is_true(at['open left'] < at['start top'] and at['open right'] < at['start top'])
  end)

  case('fault 41: a chain of 1,000 comes up, is shown and goes down', function(t)
    local network = t:up([[
      for i = 1, 1000 do
        pact.process('n' .. i) { command = { 'sleep', '1000' }, depends_on = i > 1 and { 'n' .. i - 1 } or nil }
      end
      pact.task 'last' { shell = 'echo done >>trace', depends_on = { 'n1000' } }
    ]], { pipe = true })
    t:wait_lines('trace', 1)
    local services = t:ps()
    for i = 1, 1000 do assert.equal('running', services['n' .. i].status) end
    network:signal 'TERM'
    local result = network:wait()
    assert.equal(0, result.left)
    assert.truthy(result.out:find('stopped: stopped by the shutdown', 1, true))
  end)

  case('fault 41: all of a wide and deep graph is seen in one look, without recursion', function(t)
    t:recipe [[
      for i = 1, 10000 do
        pact.process('n' .. i) { command = { 'true' }, depends_on = i > 3 and { 'n' .. i - 1, 'n' .. i // 2 } or i > 1 and { 'n1' } or nil }
      end
      pact.process 'last' { command = { 'true' }, depends_on = { 'n10000' } }
    ]]
    local result = t:run { 'check', 'net.lua' }
    assert.equal(0, result.code, result.err)
    t:file('net.lua', t:read 'net.lua' .. "pact.process 'first' { command = { 'true' }, depends_on = { 'second' } }\n"
      .. "pact.process 'second' { command = { 'true' }, depends_on = { 'first', 'last' } }\n")
    result = t:run { 'check', 'net.lua' }
    assert.equal(2, result.code)
    assert.truthy(result.err:find('cycle: first → second → first', 1, true), result.err)
  end)

  -- The most that were between their start and their readiness at the same time.
  local function most_at_once(lines)
    local now, most = 0, 0
    for _, line in ipairs(lines) do
      now = now + (line == '+' and 1 or -1)
      most = math.max(most, now)
    end
    return most
  end

  case('fault 41: 500 start, no more side by side than `max_parallel_starts`', function(t)
    t:up([[
      pact.max_parallel_starts(25)
      for i = 1, 500 do
        pact.process('p' .. i) { shell = 'echo + >>trace; sleep 0.04; echo - >>trace; echo open; exec sleep 1000', health = { log = 'open' } }
      end
    ]], { pipe = true })
    local most = most_at_once(t:wait_lines('trace', 1000))
    assert.is_true(most > 5 and most <= 25, most .. ' at once')
  end)

  case('fault 41: 500 start side by side where nothing keeps them', function(t)
    local network = t:up([[
      for i = 1, 500 do pact.task('p' .. i) { shell = 'echo + >>trace; exec sleep 1000' } end
    ]], { pipe = true })
    t:wait_lines('trace', 500)
    network:signal 'TERM'
    assert.equal(0, network:wait().left)
  end)
end)
