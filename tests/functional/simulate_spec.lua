--- `pactlua simulate`: a recipe is played in virtual time, and nothing is started.
local cjson = require 'cjson'
local functional = require 'functional'
local case = functional.case

local RECIPE = [[
  local db = pact.process 'db' {
    command = { 'touch', 'started' }, ports = { 5432 },
    health = { tcp = 5432, interval = '2s', timeout = '1s' }, restart = { delay = '1s', jitter = 0, max_retries = 2 },
  }
  pact.process 'web' {
    command = { 'touch', 'started' }, depends_on = { db = 'healthy' },
    health = { http = 'http://localhost:3000/health', interval = '5s' },
  }
  pact.on('health_check_failed', function(service, event)
    if service.restart_count < 1 then service:restart() else print(service .. ' keeps failing: ' .. event.reason) end
  end)
]]

local function simulate(t, recipe, ...)
  t:recipe(recipe or RECIPE)
  return t:run { 'simulate', 'net.lua', ... }
end

local function records(result)
  local out = {}
  for line in result.out:gmatch '[^\n]+' do out[#out + 1] = cjson.decode(line) end
  return out, out[#out]
end

local function refused(t, fragment, ...)
  local result = simulate(t, ...)
  assert.equal(2, result.code, result.out .. result.err)
  assert.truthy(result.err:find(fragment, 1, true), result.err)
  return result
end

describe('simulate', function()
  case('plays ten minutes in a moment, and starts nothing', function(t)
    local result = simulate(t)
    assert.equal(0, result.code, result.err)
    assert.matches('0.000  db   started', result.out)
    assert.matches('all_ready', result.out)
    assert.matches('\nplayed 10 m; %d+ events\n', result.out)
    assert.is_false(t:exists 'started')
    assert.is_false(t:exists '.pactlua')
    assert.is_true(result.cpu_ms < 5000)
  end)

  case('lets happen what a file says, and tells who decided', function(t)
    t:file('faults.lua', [[return {
      { at = '5s', service = 'db', crash = 1 },
      { at = '20s', service = 'web', unhealthy = 'http 500', lasts = '2m' },
    }]])
    local result = simulate(t, nil, '--faults', 'faults.lua', '--for', '3m')
    assert.equal(0, result.code, result.err)
    for _, line in ipairs {
      '    5.000  db   fault               crash exit code 1  [faults.lua:2]\n',
      '    5.000  db   backoff             next start in 1 s  [policy on-failure, attempt 1 of 2]\n',
      'restart  [hook net.lua:10]\n', 'web keeps failing: ',
    } do
      assert.truthy(result.out:find(line, 1, true), line .. '\n' .. result.out)
    end
  end)

  case('ends with 3 when a wanted service has failed', function(t)
    t:file('faults.lua', "return { { service = 'db', after = '1s', crash = 'KILL' } }")
    local result = simulate(t, nil, '--faults', 'faults.lua', '--json')
    assert.equal(3, result.code, result.err)
    local all, last = records(result)
    assert.equal('end', last.event)
    assert.same({ 'db' }, last.failed)
    assert.equal('killed by SIGKILL; gave up after 2 restarts', last.services[1].reason)
    for i = 2, #all do assert.is_true(all[i].at >= all[i - 1].at) end
    local failed
    for _, record in ipairs(all) do failed = record.event == 'failed' and record or failed end
    assert.equal('policy on-failure', failed.by.words)
  end)

  case('plays the same faults at random for the same seed', function(t)
    local first = simulate(t, nil, '--seed', '7', '--json')
    assert.matches('random', first.out)
    assert.equal(first.out, simulate(t, nil, '--seed', '7', '--json').out)
    assert.not_equal(first.out, simulate(t, nil, '--seed', '8', '--json').out)
  end)

  case('says which row would answer what nobody answers', function(t)
    local result = simulate(t, RECIPE .. [[
      pact.on('all_ready', function() pact.exec { 'npm', 'run', 'seed' } end)
    ]])
    assert.equal(2, result.code)
    assert.truthy(result.err:find("net.lua:12: the program { 'npm', 'run', 'seed' } has no answer", 1, true), result.err)
    assert.truthy(result.err:find("{ exec = { 'npm', 'run', 'seed' }, status = 0, stdout = '…' }", 1, true), result.err)
    assert.matches('hook_failed', result.out)
  end)

  case('plays the acting part of a recipe too', function(t)
    local result = simulate(t, [[
      pact.task 'seed' { command = { 'seed' } }
      pact.start 'seed'
      local answer = pact.http.get 'http://api/version'
      print('version ' .. answer.body)
      pact.sleep '5s'
      pact.shutdown(0)
    ]], '--faults', t:file('answers.lua', "return { { http = 'http://api/*', body = '7' } }"))
    assert.equal(0, result.code, result.err)
    assert.matches('version 7', result.out)
    assert.matches('ended after 5%.1 s: the recipe asked for it', result.out)
  end)

  case('refuses wrong faults, all of them at once', function(t)
    t:file('faults.lua', [[return {
      { at = '5s', service = 'bd', crash = 1 },
      { at = '5s', service = 'db', crsh = 1 },

      { at = 'soon', service = 'db', hang = true },
      { service = 'db', crash = 1, hang = true },
    }]])
    local result = refused(t, "faults.lua:3: row 2: unknown key 'crsh' (did you mean 'crash'?)", nil, '--faults', 'faults.lua')
    assert.truthy(result.err:find('faults.lua:5: row 3: at ', 1, true), result.err)
    assert.truthy(result.err:find("faults.lua:6: row 4: has 'crash' and 'hang': one thing a row", 1, true), result.err)
    t:file('faults.lua', "return { { at = '5s', service = 'bd', crash = 1 } }")
    refused(t, "faults.lua:1: row 1: no service 'bd' (did you mean 'db'?)", nil, '--faults', 'faults.lua')
  end)

  case('refuses what it cannot play', function(t)
    refused(t, "faults file 'faulst.lua': no such file (did you mean 'faults.lua'?)", nil, '--faults',
      (t:file('faults.lua', 'return {}') and 'faulst.lua'))
    refused(t, 'bad.lua:1: ', nil, '--faults', (t:file('bad.lua', 'return {') and 'bad.lua'))
    refused(t, 'ran for more than', nil, '--faults', (t:file('loop.lua', 'while true do end') and 'loop.lua'))
    refused(t, 'must give a list of rows', nil, '--faults', (t:file('five.lua', 'return 5') and 'five.lua'))
    refused(t, "'os' is not in a faults file", nil, '--faults', (t:file('os.lua', 'return { os.time() }') and 'os.lua'))
    refused(t, '--for ', nil, '--for', 'soon')
    refused(t, '--for ', nil, '--for', '-5s')
    refused(t, '--seed ', nil, '--seed', 'x')
    refused(t, "unknown option --fault (did you mean --faults?)", nil, '--fault', 'x')
    refused(t, "net.lua:1: process 'web': unknown key 'comand' (did you mean 'command'?)",
      "pact.process 'web' { comand = { 'x' } }")
  end)

  case('ends a hook that never waits, and one that never lets time pass', function(t)
    t:file('faults.lua', "return { { at = '1s', service = 'a', crash = 1 } }")
    local result = simulate(t, [[
      pact.process 'a' { command = { 'a' } }
      pact.on('crashed', function() while true do pcall(function() while true do end end) end end)
    ]], '--faults', 'faults.lua')
    assert.equal(0, result.code, result.err)
    assert.matches('ran for more than 250 ms without waiting', result.out)
    result = simulate(t, [[
      pact.process 'a' { command = { 'a' } }
      pact.after('1s', function() while true do pact.sleep(0) end end)
    ]])
    assert.equal(1, result.code)
    assert.matches('virtual time stands still at 1000 ms', result.err)
  end)

  case('explains itself', function(t)
    local help = t:run { 'help', 'simulate' }
    assert.equal(0, help.code)
    for _, words in ipairs { '--faults FILE', '--for T           how long, in virtual time', 'slow_start', "crash = 1" } do
      assert.truthy(help.out:find(words, 1, true), help.out)
    end
    assert.matches('%-%-for ready|healthy', t:run({ 'help', 'wait' }).out)
  end)
end)

describe("require 'pact.sim'", function()
  local SPEC = [[
    local sim = require 'pact.sim'
    local net = sim.new('net.lua', { faults = { { at = '5s', service = 'db', crash = 1 } } })
    net:advance '5s'
    assert(net:status 'db' == 'backoff', net:status 'db')
    assert(net:until_({ db = 'running' }, '5s'))
    print('db is ' .. net:status 'db' .. ' after ' .. net:now() .. ' ms')
  ]]

  case('plays a recipe inside pactlua', function(t)
    t:recipe(RECIPE)
    t:file('test.lua', SPEC)
    local result = t:run { 'test.lua' }
    assert.equal(0, result.code, result.out .. result.err)
    assert.matches('db is running after 6%d%d%d ms', result.out)
    assert.is_false(t:exists 'started')
    t:file('test.lua', SPEC:gsub("'backoff'", "'running'"))
    result = t:run { 'test.lua' }
    assert.equal(2, result.code)
    assert.matches('test.lua:4: backoff', result.err)
  end)

  case('plays a recipe under plain Lua', function(t)
    t:recipe(RECIPE)
    t:file('test.lua', SPEC)
    local stdlib = functional.root .. '/stdlib/'
    local result = t:run({ 'test.lua' }, {
      program = 'lua5.4', env = { LUA_PATH = stdlib .. '?.lua;' .. stdlib .. '?/init.lua;;', PWD = t.dir },
    })
    assert.equal(0, result.code, result.out .. result.err)
    assert.matches('db is running after 6%d%d%d ms', result.out)
  end)
end)
