--- Fault 38: the clock on the wall is set, the machine sleeps; nothing times out, nothing is restarted.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

local HOUR = 3600

-- Sets the wall clock of what was started with `skewed`.
local function jump(t, seconds)
  local file = assert(io.open(t:path 'skew', 'r+b'))
  file:write(string.pack('=i8', seconds))
  file:close()
end

local function skewed(t)
  t:file('skew', string.pack('=i8', 0))
  return { env = {
    LD_PRELOAD = functional.fixtures .. 'skewed_clock.so', SKEW_FILE = t:path 'skew',
    ASAN_OPTIONS = (os.getenv 'ASAN_OPTIONS' or '') .. ':verify_asan_link_order=0',
  } }
end

-- Of everything that has a time limit one: probes, a start, an edge, a pause, an hour's runtime.
local NETWORK = [[
  pact.process 'p' { shell = 'echo $$ >>pids; while :; do echo line; sleep 0.05; done', on_unhealthy = 'restart',
    health = { command = { 'sh', '-c', 'echo ok >>probes' }, interval = '100ms', timeout = '10m', retries = 2, start_period = '10m' } }
  pact.process 'slow' { shell = 'echo $$ >>pids; exec sleep 1000', timeout = '20m', health = { file = 'never', interval = '1s' } }
  pact.process 'waits' { command = { 'touch', 'ran' }, depends_on = { slow = { condition = 'ready', timeout = '20m' } } }
  pact.process 'again' { shell = 'echo $$ >>again; exit 1', restart = { delay = '500ms', factor = 1, jitter = 0, max_retries = 1000 } }
]]

local function events_of(t)
  local events = {}
  for _, line in ipairs(t:lines(t:state('events%.jsonl$')[1])) do events[#events + 1] = cjson.decode(line) end
  return events
end

local function runs_on(t, since)
  t:wait_lines('probes', #t:lines 'probes' + 3)
  t:wait_lines('again', since + 2)
end

describe('clock', function()
  for _, jumps in ipairs {
    { 'an hour forward', { HOUR } },
    { 'an hour back', { -HOUR } },
    { 'forth and back by years', { 10 * 365 * 24 * HOUR, -20 * 365 * 24 * HOUR, 0 } },
  } do
    case(('fault 38: set %s: nothing times out, restarts or hangs'):format(jumps[1]), function(t)
      local network = t:up(NETWORK, skewed(t))
      t:wait_service('p', { health = 'healthy' })
      for _, seconds in ipairs(jumps[2]) do
        local since = #t:lines 'again'
        jump(t, seconds)
        runs_on(t, since)
      end
      local services = t:ps()
      assert.equal('running', services.p.status)
      assert.equal('healthy', services.p.health)
      assert.equal('starting', services.slow.status)
      assert.equal('waiting', services.waits.status)
      assert.is_true(services.p.uptime >= 0 and services.p.uptime < 1200000, services.p.uptime)
      assert.equal(2, #t:lines 'pids')
      network:signal 'TERM'
      network:wait()
      for i, event in ipairs(events_of(t)) do assert.equal(i, event.seq) end
    end)
  end

  case('fault 38: set back: logs keep the order in which lines came', function(t)
    local options = skewed(t)
    t:up([[
      for _, id in ipairs { 'a', 'b' } do
        pact.process(id) { shell = 'i=0; while :; do i=$((i+1)); echo $i; echo $i >>count-$PACTLUA_SERVICE; sleep 0.03; done' }
      end
    ]], options)
    for _, seconds in ipairs { 0, -HOUR, 0 } do
      jump(t, seconds)
      t:wait_lines('count-a', #t:lines 'count-a' + 40)
      t:wait_lines('count-b', #t:lines 'count-b' + 40)
    end
    local last, longest = {}, 0
    local run, runs = nil, 0
    for id, number in t:run({ 'logs', '-n', '1000' }, options).out:gmatch '(%a) | (%d+)\n' do
      assert.equal((last[id] or 0) + 1, tonumber(number), 'of ' .. id)
      last[id] = tonumber(number)
      runs = id == run and runs + 1 or 1
      run, longest = id, math.max(longest, runs)
    end
    assert.is_true(last.a > 80 and last.b > 80)
    assert.is_true(longest < 40, 'lines of both, mixed') -- ordered by the clock it would be all of a while
  end)

  case('fault 38: set back: the newest run is the last one, and stays', function(t)
    local options = skewed(t)
    for i = 1, 12 do
      jump(t, -i * HOUR)
      t:recipe(([[ pact.project 'p' pact.task 'a' { shell = 'echo run %d' } ]]):format(i))
      assert.equal(0, t:run({ 'net.lua' }, options).code)
    end
    assert.equal('run 12\n', t:run({ 'logs' }, options).out)
    assert.equal('run 11\n', t:run({ 'logs', '--previous' }, options).out)
    assert.equal(10, #t:state 'runs/[^/]+$')
  end)

  case('fault 38: an engine that was stopped for a while finds nobody guilty', function(t)
    local network = t:up(NETWORK)
    t:wait_service('p', { health = 'healthy' })
    local engine = network:roles().engine
    functional.signal(engine, 'STOP')
    functional.sleep(1.5)
    functional.signal(engine, 'CONT')
    runs_on(t, #t:lines 'again')
    local services = t:ps()
    assert.equal('healthy', services.p.health)
    assert.equal(2, #t:lines 'pids')
  end)

  case('fault 38: a machine that has run for years', function(t)
    t:recipe(NETWORK)
    local year = 365 * 24 * HOUR
    local network = t:start({ '-T', '--monotonic', tostring(50 * year), '--boottime', tostring(50 * year), '--fork',
      functional.bin, 'net.lua' }, { program = 'unshare' })
    t:wait_service('p', { health = 'healthy' })
    runs_on(t, 0)
    assert.is_true(t:ps().p.uptime < 1200000)
    for _, process in ipairs(network:processes()) do
      if process.command == functional.bin .. ' net.lua' and process.ppid == network.pid then functional.signal(process.pid, 'INT') end
    end
    network:wait()
    assert.equal(2, #t:lines 'pids')
  end, not os.execute 'unshare -T --monotonic 1 true 2>/dev/null' and 'no time namespaces here')

  case('fault 38: cron runs at its time on the wall, and what a jump has missed once', function(t)
    local opts = skewed(t)
    local hour = os.time() // HOUR * HOUR -- remembered: a new one may begin meanwhile
    jump(t, hour + HOUR - 8 - os.time()) -- the hour is full in eight seconds: until then it must be up
    local up = t:up("pact.task 'job' { shell = 'echo x >>runs', schedule = { cron = '@hourly', tz = 'UTC' } }", opts)
    t:wait_lines('runs', 1)
    jump(t, hour + 6 * HOUR - os.time())
    up:expect('5 runs were missed while the clock jumped or the machine slept; one makes up for them')
    t:wait_lines('runs', 2)
    assert.is_true(t:wait_service('job', { status = 'completed' }).next_run_in > HOUR * 900)
    assert.equal(2, #t:lines 'runs')
  end)
end)
