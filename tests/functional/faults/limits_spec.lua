--- Faults 21, 22 and 27: no more processes, no more descriptors, and a service that takes all it can get.
local cjson = require 'cjson'
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local UID = 54321 -- nobody else's, so that its processes are ours alone to count
local ROOT = os.execute 'test "$(id -u)" = 0'
local AS = ('setpriv --reuid %d --regid %d --clear-groups '):format(UID, UID)
local NO_USER = (not ROOT and 'needs root, to become another user')
  or (not os.execute(AS .. '-- test -x ' .. functional.quote(functional.bin) .. ' 2>/dev/null')
    and 'another user may not run ' .. functional.bin)

-- Forks until it may not, says so in `full`, and gives all of it back when `release` is there.
local HOG = [==[
  pact.process 'hog' { health = { file = 'full', interval = '100ms' }, command = { 'perl', '-e', [=[
    my @pids;
    while (@pids < 200) { my $p = fork; last unless defined $p; if (!$p) { sleep 1000; exit } push @pids, $p }
    open F, ">full" and close F;
    until (-e "release") { # whoever asks how things are leaves a place when he ends: it is taken, too
      my $p = fork; if (defined $p) { if (!$p) { sleep 1000; exit } push @pids, $p } select undef, undef, undef, 0.002 }
    kill 9, @pids; 1 while wait > 0;
    sleep 1000]=] } }
]==]

-- Runs the binary as that user, with at most so many processes; `ps` asks as that user, too.
local function limited(t, processes)
  os.execute('chmod 777 ' .. t.dir)
  local function words(...)
    local out = { '--reuid', UID, '--regid', UID, '--clear-groups', ... }
    return out, { program = 'setpriv', env = { HOME = t.dir } }
  end
  function t:ps()
    local result = self:run(words(functional.bin, 'ps', '--json'))
    if result.code ~= 0 then return nil end
    local by_id = {}
    for _, service in ipairs(cjson.decode(result.out)) do by_id[service.id] = service end
    return by_id
  end
  return t:start(words('prlimit', '--nproc=' .. processes, functional.bin, 'net.lua'))
end

describe('limits', function()
  case('fault 21: fork denied (EAGAIN): told once, tried again uncounted, started when there is room', function(t)
    t:recipe(HOG .. [[
      pact.process 'p' { command = { 'sleep', '1000' }, depends_on = { hog = 'healthy' }, restart = { delay = '100ms', factor = 1, jitter = 0 } }
    ]])
    local network = limited(t, 40)
    local service = t:wait_service('p', { status = 'backoff' })
    assert.truthy(service.reason:find('fork: Resource temporarily unavailable (the limit of processes is reached', 1, true), service.reason)
    network:expect 'the limit of processes'
    functional.wait('some more tries', function() return t:ps().p.epoch > 6 end)
    t:file('release', '')
    service = t:wait_service('p', { status = 'running' })
    assert.same({ 0, 0 }, { service.attempt, service.restart_count })
    assert.equal('running', t:ps().hog.status)
    local _, count = (network:out() .. network:err()):gsub('the limit of processes', '')
    assert.equal(1, count)
  end, NO_USER)

  case('fault 21: its user has no process left: backoff, and started when there is room', function(t)
    os.execute('chmod 777 ' .. t.dir)
    t:up [[
      pact.process 'hog' { user = 'nobody', health = { file = 'full', interval = '100ms' }, shell = [=[
        for i in 1 2 3 4; do sleep 1000 & pids="$pids $!"; done; touch full
        until [ -e release ]; do sleep 0.05; done; kill $pids; wait; exec sleep 1000]=] }
      pact.process 'p' { user = 'nobody', limits = { nproc = 4 }, command = { 'sleep', '1000' },
        depends_on = { hog = 'healthy' }, restart = { delay = '100ms', factor = 1, jitter = 0 } }
    ]]
    local service = t:wait_service('p', { status = 'backoff' })
    assert.truthy(service.reason:find("exec 'sleep': Resource temporarily unavailable (its user may have no more processes: nproc)", 1, true),
      service.reason)
    t:file('release', '')
    service = t:wait_service('p', { status = 'running' })
    assert.equal(0, service.restart_count)
  end, not ROOT and 'needs root, to become another user')

  case('fault 22: no descriptors left: what runs runs on, `ps` answers, the rest starts when there are some', function(t)
    t:recipe [[
      for i = 1, 60 do
        pact.process('p' .. i) { shell = 'echo $PACTLUA_SERVICE; exec sleep 1000', restart = { delay = '200ms', factor = 1, jitter = 0 } }
      end
    ]]
    local network = t:start({ '--nofile=256:256', functional.bin, 'net.lua' }, { program = 'prlimit' })
    network:expect 'Too many open files'
    local function ids(status)
      local found = {}
      for id, service in pairs(assert(t:ps(), 'ps is not answered')) do
        if service.status == status then found[#found + 1] = id end
      end
      return found
    end
    functional.wait('all to have tried', function() return #ids 'running' + #ids 'backoff' == 60 end)
    local running, waiting = ids 'running', ids 'backoff'
    assert.is_true(#running > 10 and #waiting > 10, #running)
    local engine = network:roles().engine
    local before = procfs.cpu_ms(engine)
    functional.sleep(1)
    assert.is_true(procfs.cpu_ms(engine) - before < 300, 'it spins')
    assert.equal(0, t:run({ 'stop', table.unpack(running) }).code)
    functional.wait('others to run', function() return #ids 'running' > 10 end)
    for _, service in pairs(t:ps()) do assert.equal(0, service.restart_count) end
    local told = {}
    for id in (network:out() .. network:err()):gmatch '(p%d+) +%* cannot be started now: [^\n]*Too many open files' do
      assert.falsy(told[id], id .. ' is told twice')
      told[id] = true
    end
    for _, id in ipairs(waiting) do assert.is_true(told[id], id) end
    assert.falsy((network:out() .. network:err()):match '[^\n]*bytes were lost[^\n]*')
  end)

  case('fault 27: a fork bomb stays within limits.nproc, and is ended to the last process', function(t)
    t:recipe [==[
      pact.process 'bomb' { limits = { nproc = 50 }, stop = { timeout = '300ms' }, command = { 'perl', '-MPOSIX', '-e', [=[
        $SIG{TERM} = $SIG{HUP} = 'IGNORE';
        while (1) { my $p = fork; setsid() if defined $p and !$p and rand() < 0.5; select undef, undef, undef, 0.01 }]=] } }
      pact.process 'calm' { shell = 'echo $$ >pid; exec sleep 1000' }
    ]==]
    local network = limited(t, 100) -- should the limit not work
    local calm = t:wait_pid 'pid'
    local function bombs()
      local found = {}
      for _, process in ipairs(network:processes()) do
        if process.name == 'perl' then found[#found + 1] = process.pid end
      end
      return found
    end
    functional.wait('the limit to be reached', function() return #bombs() >= 35 end)
    local most = 0
    for _ = 1, 10 do
      most = math.max(most, #bombs())
      functional.sleep(0.02)
    end
    assert.is_true(most < 50, most)
    assert.equal('running', t:ps().bomb.status)
    local stop = t:start({ '--reuid', UID, '--regid', UID, '--clear-groups', functional.bin, 'stop', 'bomb' },
      { program = 'setpriv', env = { HOME = t.dir } })
    assert.equal(0, stop:wait().code)
    assert.same({}, bombs())
    assert.equal('stopped', t:ps().bomb.status)
    assert.is_true(procfs.alive(calm))
  end, NO_USER)
end)
