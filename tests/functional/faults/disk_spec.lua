--- Faults 23 and 24: the disk is full, log files and directories are taken away: services go on, and are told what was lost.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local OWN = os.execute 'unshare -m true 2>/dev/null' and '-m' or '-rm'
local NO_MOUNT = not os.execute(('unshare %s mount -t tmpfs none /mnt 2>/dev/null'):format(OWN)) and 'nothing may be mounted here'

-- Starts a network whose state directory is a disk of its own, of which `ballast` takes a part. Gives
-- that directory as it is seen from here, too.
local function on_small_disk(t, recipe, size, ballast)
  t:recipe(recipe)
  t:file('.pactlua/x', '')
  local script = ('mount -t tmpfs -o size=%s none .pactlua && head -c %s /dev/zero >.pactlua/ballast && exec "$0" net.lua')
    :format(size, ballast)
  local network = t:start({ OWN, 'sh', '-c', script, functional.bin }, { program = 'unshare' })
  network:expect 'all ready'
  return network, ('/proc/%d/root%s/.pactlua'):format(network.pid, t.dir)
end

local function count(text, pattern) return select(2, text:gsub(pattern, '')) end

local function run_file(dir, name)
  local pipe = io.popen(('ls %s/*/latest/%s'):format(dir, name))
  local path = pipe:read 'l'
  pipe:close()
  return procfs.read(path)
end

describe('disk', function()
  case('fault 23: full: services run on, it is told once, and how much was lost when there is room again', function(t)
    local network, dir = on_small_disk(t, [[
      pact.process 'flood' { shell = [=[
        until [ -e go ]; do sleep 0.02; done; seq 100001 300000; touch done
        until [ -e more ]; do sleep 0.02; done; echo afterwards; exec sleep 1000]=] }
      pact.process 'calm' { shell = 'while :; do echo tick >>ticks; sleep 0.1; done' }
    ]], '700k', '300k')
    t:file('go', '')
    functional.wait('the flood to end', function() return t:exists 'done' end)
    network:expect 'No space left on device'
    local ticks = #t:lines 'ticks'
    functional.sleep(2.5) -- one more try without room: nothing is said again
    t:wait_lines('ticks', ticks + 6)
    assert.equal(1, count(network:out() .. network:err(), "the log of 'flood': [^\n]*No space left on device"))
    os.remove(dir .. '/ballast')
    local out = network:expect("the log of 'flood' goes on; %d+ bytes were lost", nil, false)
    local lost = tonumber(out:match 'goes on; (%d+) bytes')
    t:file('more', '')
    network:expect('flood   | afterwards')
    local log = run_file(dir, 'flood.log')
    local before, told, behind = log:match '^(.-)pactlua: (%d+) bytes are lost here[^\n]*\n(.*)$'
    assert.equal(lost, tonumber(told))
    assert.equal('afterwards\n', behind)
    local last = 100000
    for number in before:gmatch '(%d+)\n' do
      last = last + 1
      assert.equal(last, tonumber(number))
    end
    assert.is_true(last > 101000)
    assert.equal(7 * 200000, #before + lost)
    network:signal 'TERM'
    assert.equal(0, network:wait().left)
  end, NO_MOUNT)

  case('fault 23: full from the beginning: it is said which file could not be written, and nothing starts', function(t)
    t:recipe [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:file('.pactlua/x', '')
    local result = t:run({ OWN, 'sh', '-c', 'mount -t tmpfs -o size=100k none .pactlua; head -c 100k /dev/zero >.pactlua/ballast;'
      .. 'exec "$0" net.lua', functional.bin }, { program = 'unshare' })
    assert.equal(1, result.code)
    assert.truthy(result.err:find 'pactlua: /%S+/%.pactlua/%S+: No space left on device\n', result.err)
    assert.equal(0, result.left)
    assert.falsy(t:exists 'trace')
  end, NO_MOUNT)

  case('fault 23: full from the beginning: nothing is left running in the background either', function(t)
    t:recipe [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:file('.pactlua/x', '')
    local result = t:run({ OWN, 'sh', '-c', 'mount -t tmpfs -o size=100k none .pactlua; head -c 100k /dev/zero >.pactlua/ballast;'
      .. '"$0" up --detach net.lua; status=$?; find .pactlua -type s -o -name running; exit $status', functional.bin },
      { program = 'unshare' })
    assert.equal(1, result.code)
    assert.truthy(result.err:find 'pactlua: /%S+/%.pactlua/%S+: No space left on device\n', result.err)
    assert.equal('', result.out)
    assert.equal(0, result.left)
    assert.falsy(t:exists 'trace')
  end, NO_MOUNT)

  local CHATTY = [[ pact.process 'p' { shell = 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done' } ]]

  local function log_path(t) return t.dir .. '/' .. t:state('runs/[^/]+/p%.log$')[1] end

  case('fault 24: a log directory that is deleted is noticed, told and made again', function(t)
    local network = t:up(CHATTY)
    network:expect 'line 5'
    local path = log_path(t)
    os.execute('rm -rf ' .. functional.quote(path:match '^(.*)/'))
    network:expect 'removed or replaced from outside and is begun anew'
    functional.wait('new lines', function() return (procfs.read(path) or ''):find 'line %d+\nline %d+\n' end)
    assert.equal('running', t:ps().p.status)
    local tail = t:run { 'logs', '-n', '1', 'p' }
    assert.truthy(tail.out:find '^line %d+\n$', tail.out)
  end)

  case('fault 24: a log that is moved away keeps what it had, and another goes on', function(t)
    local network = t:up(CHATTY)
    network:expect 'line 5'
    local path = log_path(t)
    assert(os.rename(path, path .. '.theirs'))
    functional.wait('a new file', function() return (procfs.read(path) or ''):find 'line %d+\n' end)
    local theirs, ours = procfs.read(path .. '.theirs'), procfs.read(path)
    local expected = 0
    for number in (theirs .. ours):gmatch 'line (%d+)\n' do
      expected = expected + 1
      assert.equal(expected, tonumber(number), 'not one is missing between the two')
    end
    network:expect('line ' .. expected)
  end)
end)
