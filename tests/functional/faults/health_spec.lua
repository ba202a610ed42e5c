--- Faults 45, 46 and 47: endpoints and probe programs that misbehave, readiness in the hour of death.
local functional = require 'functional'
local cjson = require 'cjson'
local case, procfs = functional.case, functional.procfs

local WEB = functional.fixtures .. 'web'
local SANITIZED = os.getenv 'ASAN_OPTIONS' ~= nil -- memory means nothing then
local IS_ROOT = os.execute 'test "$(id -u)" = 0'

local function free_ports(t, count)
  local result = t:run { 'check', t:recipe(([[
    local file = io.open('ports', 'w')
    for i = 1, %d do file:write(pact.free_port('p' .. i), '\n') end
    file:close()
    pact.task 'a' { command = { 'true' } } ]]):format(count), 'ports.lua') }
  assert.equal(0, result.code, result.err)
  return table.unpack(t:lines 'ports')
end

-- A web server that is in each of these moods, by the path.
local function serve(t, port, moods)
  t:file('mood', '200 ok')
  for name, mood in pairs(moods) do t:file('mood.' .. name, mood) end
  t:start({ port, t:path 'mood' }, { program = WEB })
  functional.wait('the server', function()
    return os.execute(('bash -c "</dev/tcp/127.0.0.1/%s" 2>/dev/null'):format(port))
  end)
end

local function requests(t) return tonumber(t:read 'mood.count' or 0) or 0 end

-- Services without a life of their own, each with one check.
local function checked(checks)
  local out = {}
  for id, check in pairs(checks) do
    out[#out + 1] = ("pact.process '%s' { command = { 'sleep', '1000' }, health = %s }"):format(id, check)
  end
  return table.concat(out, '\n')
end

-- id, mood, the health it must come to, what its last probe must say
local ENDPOINTS = {
  { 'ok', '200 ok', 'healthy', '^http 200$' },
  { 'hangs', 'hang', 'unhealthy', '^no answer in 600ms' },
  { 'trickles', 'trickle', 'unhealthy', '^no answer in 600ms' },
  { 'trickles-body', 'trickle-body', 'unhealthy', '^no answer in 600ms' },
  { 'endless-head', 'head', 'unhealthy', 'head is larger than 64 KiB' },
  { 'huge', 'huge', 'healthy', '^http 200$' },
  { 'loops', 'redirect /loops', 'unhealthy', '^http 302$' },
  { 'elsewhere', 'redirect http://127.0.0.1:OTHER/', 'unhealthy', '^http 302$' },
  { 'forbidden', '401 who are you', 'unhealthy', '^http 401$' },
  { 'broken', '500 sorry', 'unhealthy', '^http 500$' },
  { 'garbage', 'garbage', 'unhealthy', "^the answer isn't HTTP$" },
  { 'closes', 'close', 'unhealthy', '^connection closed without an answer$' },
  { 'cut', 'cut', 'unhealthy', '^connection closed in the middle of the answer$' },
  { 'resets', 'reset', 'unhealthy', '^connection reset' },
}

describe('health', function()
  case('fault 45: endpoints of every bad kind are judged within the deadline, and said what they are', function(t)
    local port, other, closed = free_ports(t, 3)
    local checks, moods = {}, {}
    local common = "interval = '200ms', timeout = '600ms', retries = 2, start_period = '1500ms' }"
    for _, row in ipairs(ENDPOINTS) do
      moods[row[1]] = row[2]:gsub('OTHER', other)
      checks[row[1]] = ("{ http = 'http://127.0.0.1:%s/%s', %s"):format(port, row[1], common)
    end
    serve(t, port, moods)
    serve(t, other, {})
    checks.refused = ("{ http = 'http://127.0.0.1:%s/', %s"):format(closed, common)
    checks['no-tls'] = ("{ http = 'https://127.0.0.1:%s/ok', %s"):format(port, common)
    local network = t:up(checked(checks))
    local engine = network:roles().engine
    t:wait_service('ok', { health = 'healthy' })
    local before = procfs.status(engine, 'VmRSS')
    local rows = { table.unpack(ENDPOINTS) }
    rows[#rows + 1] = { 'refused', nil, 'unhealthy', '^connection refused$' }
    rows[#rows + 1] = { 'no-tls', nil, 'unhealthy', "doesn't speak TLS$" }
    for _, row in ipairs(rows) do
      local service = t:wait_service(row[1], { health = row[3] })
      assert.truthy(service.last_probe.reason:find(row[4]), row[1] .. ': ' .. service.last_probe.reason)
      assert.is_true(service.last_probe.ms < 5000, row[1] .. ': ' .. service.last_probe.ms)
    end
    local grown
    functional.wait(function() return ('what the start left to be collected: %d KB more'):format(grown) end, function()
      grown = procfs.status(engine, 'VmRSS') - before
      return SANITIZED or grown < 3000
    end)
    assert.is_true(procfs.descriptors(engine) < 160)
  end)

  case('fault 45: a redirect leads nowhere else', function(t)
    local port, other = free_ports(t, 2)
    serve(t, port, { there = ('redirect http://127.0.0.1:%s/visited'):format(other) })
    t:file('other', '200 ok')
    t:start({ other, t:path 'other' }, { program = WEB })
    t:up(checked { p = ("{ http = 'http://127.0.0.1:%s/there', interval = '100ms', retries = 2 }"):format(port) })
    t:wait_service('p', { health = 'unhealthy' })
    assert.is_false(t:exists 'other.count')
  end)

  case('fault 45: certificates: a self-signed one is named, and may be let pass', function(t)
    local port = free_ports(t, 1)
    assert.is_true(os.execute(('cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes '
      .. '-keyout key -out cert -days 2 -subj /CN=localhost >/dev/null 2>&1'):format(t.dir)))
    local url = ("http = 'https://localhost:%s/', interval = '200ms', timeout = '2s', retries = 2, start_period = '1s'"):format(port)
    t:up(([[
      pact.process 'tls' { command = { 'openssl', 's_server', '-accept', '%s', '-cert', 'cert', '-key', 'key', '-www', '-quiet' } }
    ]]):format(port) .. checked { strict = '{ ' .. url .. ' }', lax = '{ ' .. url .. ', insecure = true }' })
    t:wait_service('lax', { health = 'healthy' })
    local strict = t:wait_service('strict', { health = 'unhealthy' })
    assert.equal('certificate is self-signed', strict.last_probe.reason)
  end, not os.execute 'command -v openssl >/dev/null' and 'no openssl here')

  case('fault 45: a name server that is silent delays nobody else, and no shutdown', function(t)
    local port = free_ports(t, 1)
    serve(t, port, {})
    local server = t:start({ '127.0.0.99', '53' }, { program = functional.fixtures .. 'silent_udp' })
    server:expect 'listening'
    t:file('resolv.conf', 'nameserver 127.0.0.99\noptions timeout:30 attempts:3\n')
    t:recipe(checked {
      lost = "{ http = 'http://name.invalid:80/', interval = '200ms', timeout = '400ms', retries = 2, start_period = '500ms' }",
      gone = "{ tcp = 'other.invalid:80', interval = '200ms', timeout = '400ms', retries = 2, start_period = '500ms' }",
      near = ("{ http = 'http://localhost:%s/', interval = '100ms', timeout = '400ms', retries = 1 }"):format(port),
    })
    local network = t:start({ '-m', 'sh', '-c', 'mount --bind resolv.conf /etc/resolv.conf && exec "$0" net.lua', functional.bin },
      { program = 'unshare' })
    local lost = t:wait_service('lost', { health = 'unhealthy' })
    assert.equal('no answer in 400ms', lost.last_probe.reason)
    assert.is_true(lost.last_probe.ms < 5000, lost.last_probe.ms) -- the look-up itself takes 90 s
    local gone = t:wait_service('gone', { health = 'unhealthy' })
    assert.equal('no answer in 400ms', gone.last_probe.reason)
    assert.equal('healthy', t:wait_service('near', { health = 'healthy' }).health)
    local began = functional.now()
    network:signal 'TERM'
    network:wait()
    assert.is_true(functional.now() - began < 20)
  end, not IS_ROOT and 'only root may put another resolv.conf in place')

  case('fault 45: the answer to an earlier life says nothing about this one', function(t)
    local port = free_ports(t, 1)
    serve(t, port, { p = 'later 700 200' })
    t:up(([[
      pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', restart = { delay = 0 },
        health = { http = 'http://127.0.0.1:%s/p', interval = '100ms', timeout = '5s', retries = 1000 } }
    ]]):format(port))
    t:wait_lines('pids', 1)
    functional.wait('the request of the first life', function() return requests(t) > 0 end)
    t:file('mood.p', '503 not yet')
    functional.signal(t:lines('pids')[1], 'KILL')
    t:wait_lines('pids', 2)
    functional.wait('some answers to the second', function() return requests(t) >= 10 end)
    local p = t:wait_service('p', { status = 'starting', health = 'unknown', epoch = 2 })
    assert.equal('http 503', p.last_probe.reason)
    for _, line in ipairs(t:lines(t:state('events%.jsonl$')[1])) do
      assert.falsy(cjson.decode(line).name == 'healthy', line)
    end
  end)

  ---------------------------------------------------------------------------------------------------
  -- Probe commands: what it does, whether it succeeds, what its last probe must say.
  local PROGRAMS = {
    { 'hangs', "'sh', '-c', 'sleep 1000 & sleep 1000'", 'unhealthy', '^no answer in 500ms$' },
    { 'deaf', [['sh', '-c', 'trap "" TERM HUP INT; while :; do sleep 0.1; done']], 'unhealthy', '^no answer in 500ms$' },
    { 'stopped', "'sh', '-c', 'kill -STOP $$'", 'unhealthy', '^no answer in 500ms$' },
    { 'floods', "'sh', '-c', 'yes 2>&1; exit 0'", 'unhealthy', '^no answer in 500ms$' },
    { 'says-much', "'sh', '-c', 'head -c 3000000 /dev/zero; exit 0'", 'healthy', '^exit code 0' },
    { 'killed', "'sh', '-c', 'kill -KILL $$'", 'unhealthy', '^killed by SIGKILL$' },
    { 'missing', "'no-such-program'", 'unhealthy', 'no%-such%-program' },
    { 'leaves', "'sh', '-c', '(setsid sleep 1001 >/dev/null 2>&1 &) ; exit 0'", 'healthy', '^exit code 0' },
    { 'holds', "'sh', '-c', 'setsid sleep 1002 & echo said; exit 0'", 'healthy', '^exit code 0' },
    { 'fails', "'sh', '-c', 'echo first; echo why not >&2; exit 3'", 'unhealthy', '^exit code 3: why not$' },
  }

  case('fault 46: probe programs of every bad kind are ended in time, with all they have started', function(t)
    local checks = {}
    for _, row in ipairs(PROGRAMS) do
      checks[row[1]] = ("{ command = { %s }, interval = '300ms', timeout = '500ms', retries = 2, start_period = '1s' }"):format(row[2])
    end
    checks.calm = "{ command = { 'true' }, interval = '100ms', timeout = '2s', retries = 1, start_period = '2s' }"
    local network = t:up(checked(checks))
    local engine = network:roles().engine
    for _, row in ipairs(PROGRAMS) do
      local service = t:wait_service(row[1], { health = row[3] })
      assert.truthy(service.last_probe.reason:find(row[4]), row[1] .. ': ' .. service.last_probe.reason)
      assert.is_true(service.last_probe.ms < 5000, row[1] .. ': ' .. service.last_probe.ms)
    end
    assert.equal('healthy', t:ps().calm.health)
    local rss = procfs.status(engine, 'VmRSS')
    assert.is_true(SANITIZED or rss < 40000, rss .. ' KB')
    -- never more than what the probes of one moment may be: no heap of leftovers
    assert.is_true(#network:processes() < 60, #network:processes() .. ' processes')
  end)

  case('fault 46: the children of a probe that hangs are gone with it', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, health = { timeout = '300ms', interval = '300ms', retries = 1,
        command = { 'sh', '-c', 'setsid sh -c "echo \\$\\$ >>probes; exec sleep 1000" & echo $$ >>probes; sleep 1000' } } }
    ]]
    local probes = t:wait_lines('probes', 6)
    functional.wait('the end of the first ones', function()
      for i = 1, 4 do
        if procfs.alive(tonumber(probes[i])) then return false end
      end
      return true
    end)
    t:wait_service('p', { health = 'unhealthy' })
  end)

  case('fault 46: one probe at a time, whatever the interval', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, health = { interval = '100ms', timeout = '5s',
        command = { 'sh', '-c', 'echo + >>trace; sleep 0.3; echo - >>trace' } } }
    ]]
    for i, line in ipairs(t:wait_lines('trace', 6)) do assert.equal(i % 2 == 1 and '+' or '-', line) end
  end)

  case('fault 46: a probe runs in the environment of its service', function(t)
    t:file('sub/x', '')
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, cwd = 'sub', env = { WORD = 'magic' },
        health = { command = { 'sh', '-c', 'test -e x && test "$WORD" = magic' }, interval = '200ms' } }
    ]]
    t:wait_service('p', { status = 'running', health = 'healthy' })
  end)

  case('fault 46: a service that ends takes its probe with it', function(t)
    t:up [[
      pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', restart = 'no', health = { timeout = '10m', interval = '1s',
        command = { 'sh', '-c', 'echo $$ >>probes; sleep 1000' } } }
      pact.process 'stay' { command = { 'sleep', '1000' } }
    ]]
    local probe = tonumber(t:wait_lines('probes', 1)[1])
    functional.signal(t:lines('pids')[1], 'KILL')
    t:wait_service('p', { status = 'failed' })
    functional.wait('the end of the probe', function() return not procfs.alive(probe) end)
  end)

  ---------------------------------------------------------------------------------------------------
  -- Each ends and says that it is ready while the engine doesn't look.
  local LAST_WORDS = {
    { 'a line', "shell = 'until [ -e go ]; do sleep 0.01; done; echo open; exit 1'", "{ log = 'open' }" },
    { 'a file', "shell = 'until [ -e go ]; do sleep 0.01; done; touch open; exit 1'", "{ file = 'open', interval = '100ms' }" },
    { 'a program', "shell = 'until [ -e go ]; do sleep 0.01; done; exit 1'",
      "{ command = { 'sh', '-c', 'until [ -e go ]; do sleep 0.01; done' }, interval = '100ms', timeout = '30s', start_period = '30s' }" },
  }

  for _, row in ipairs(LAST_WORDS) do
    case(('fault 47: %s says it is ready and the process has died in the same tick: dead it is'):format(row[1]), function(t)
      local network = t:up(([[
        pact.process 'db' { %s, restart = 'no', health = %s }
        pact.process 'web' { command = { 'touch', 'ran' }, depends_on = { db = 'healthy' } }
        pact.process 'stay' { command = { 'sleep', '1000' } }
      ]]):format(row[2], row[3]))
      t:wait_service('web', { status = 'waiting' })
      local engine, pid = network:roles().engine, t:wait_service('db', { status = 'starting' }).pid
      functional.sleep(0.15) -- that the probe has begun is not to be seen from outside
      functional.signal(engine, 'STOP')
      t:file('go', '')
      functional.wait('the end of the service', function() return not procfs.alive(pid) end)
      functional.sleep(0.05)
      functional.signal(engine, 'CONT')
      t:wait_service('db', { status = 'failed' })
      t:wait_service('web', { status = 'skipped' })
      assert.is_false(t:exists 'ran')
    end)
  end

  case('fault 47: dependents of what was ready for a moment only wait on', function(t)
    t:up [[
      pact.process 'db' { shell = 'echo x >>lives; touch open; [ $(wc -l <lives) -lt 4 ] && { rm open; exit 1; }; exec sleep 1000',
        restart = { delay = '50ms', factor = 1, max_retries = 100 }, health = { file = 'open', interval = '50ms' } }
      pact.process 'web' { shell = 'echo $(wc -l <lives) >>web; exec sleep 1000', depends_on = { db = 'healthy' } }
    ]]
    t:wait_service('web', { status = 'running' })
    assert.same({ '4' }, t:lines 'web')
  end)
end)
