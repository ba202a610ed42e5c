--- Faults 31 and 32: descriptors that refuse, give and take less than asked, and readers that leave.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local SLOW = functional.fixtures .. 'slow_reader'
local NONBLOCK = tonumber('4000', 8)

-- Runs a shell text with the binary as $PACTLUA.
local function shell(t, text, opts)
  opts = opts or {}
  opts.program = 'bash'
  opts.env = { PACTLUA = functional.bin }
  return t:run({ '-c', text }, opts)
end

-- The flags of a process's descriptor, as the kernel tells.
local function flags(pid, fd)
  return tonumber(procfs.read(('/proc/%s/fdinfo/%d'):format(pid, fd)):match 'flags:%s*(%d+)', 8)
end

local function blocks(pid, fd) return flags(pid, fd) & NONBLOCK == 0 end

local function numbers(text, pattern)
  local expected = 0
  for number in text:gmatch(pattern) do
    expected = expected + 1
    if tonumber(number) ~= expected then return expected, number end
  end
  return expected
end

describe('streams', function()
  case('fault 31: a slow pipe that does not block gets every byte, in order', function(t)
    t:recipe [[ pact.task 'many' { shell = 'seq 1 20000' } ]]
    local result = t:run({ '1', functional.bin, 'net.lua' }, { program = SLOW })
    assert.equal(0, result.code, result.err)
    assert.equal(20000, (numbers(result.out, 'many%s+| (%d+)\n')))
    assert.truthy(result.out:find('completed: exit code 0', 1, true))
  end)

  case('fault 31: verbs write all of their answer to one, too', function(t)
    t:up [[
      pact.task 'many' { shell = 'seq 1 30000' }
      pact.process 'stay' { command = { 'sleep', '1000' } }
    ]]
    t:wait_service('many', { status = 'completed' })
    local result = t:run({ '1', functional.bin, 'logs', '-n', '30000', 'many' }, { program = SLOW })
    assert.equal(0, result.code, result.err)
    assert.equal(30000, (numbers(result.out, '(%d+)\n')))
  end)

  case('fault 31: a terminal that is shared never stops blocking', function(t)
    t:recipe [[
      pact.process 'p' { shell = 'echo up >>trace; while :; do echo line; sleep 0.01; done' }
    ]]
    local shared = t:start({ '-c', '"$PACTLUA" net.lua & wait; cat /proc/self/fdinfo/[012] >after' },
      { program = 'bash', tty = true, env = { PACTLUA = functional.bin, NO_COLOR = '1' } })
    t:wait_lines('trace', 1)
    local front = functional.wait('the front', function()
      for _, process in ipairs(shared:processes()) do
        if process.ppid == shared.pid then return process end
      end
    end)
    shared:expect 'p       | line'
    for fd = 0, 2 do assert.is_true(blocks(front.pid, fd), 'descriptor ' .. fd) end
    functional.signal(front.pid, 'TERM')
    shared:wait()
    for octal in t:read('after'):gmatch 'flags:%s*(%d+)' do assert.equal(0, tonumber(octal, 8) & NONBLOCK) end
  end)

  case('fault 31: the command of `run` gets descriptors that block', function(t)
    t:recipe [[ pact.process 'p' { command = { 'sleep', '1000' } } ]]
    local result = t:run({ 'run', 'net.lua', '--', 'cat', '/proc/self/fdinfo/0', '/proc/self/fdinfo/1',
      '/proc/self/fdinfo/2' }, { pipe = true })
    assert.equal(0, result.code, result.err)
    local _, count = result.out:gsub('flags:%s*(%d+)', function(octal) assert.equal(0, tonumber(octal, 8) & NONBLOCK) end)
    assert.equal(3, count)
  end)

  case('fault 31: an output that was not blocking already is left as it was', function(t)
    t:recipe [[ pact.task 'p' { shell = 'echo hello' } ]]
    local result = t:run({ '0', 'sh', '-c', '"$0" net.lua; grep flags /proc/self/fdinfo/1', functional.bin }, { program = SLOW })
    assert.truthy(result.out:find('| hello', 1, true), result.out)
    assert.equal(NONBLOCK, tonumber(result.out:match 'flags:%s*(%d+)', 8) & NONBLOCK)
  end)

  case('fault 31: a disk that takes no more of the answer is told', function(t)
    t:recipe [[ pact.task 'p' { command = { 'true' } } ]]
    for _, verb in ipairs { 'version', 'help', 'check net.lua', 'plan net.lua' } do
      local result = shell(t, '"$PACTLUA" ' .. verb .. ' >/dev/full')
      assert.equal(1, result.code, verb)
      assert.truthy(result.err:find('No space left on device', 1, true), result.err)
    end
  end)

  local CHATTY = [[ pact.process 'chatty' { shell = 'echo up >>trace; while :; do echo line; sleep 0.02; done' } ]]

  case('fault 32: `logs -f` ends when its reader has gone, the network stays', function(t)
    t:up(CHATTY)
    t:wait_lines('trace', 1)
    local result = shell(t, '"$PACTLUA" logs -f | head -n 3; echo "${PIPESTATUS[@]}"')
    assert.truthy(result.out:find 'line\nline\nline\n141 0\n$', result.out)
    assert.equal('', result.err)
    assert.equal('running', t:ps().chatty.status)
  end)

  case('fault 32: what follows ends when its reader has gone, though nothing comes', function(t)
    t:up [[ pact.process 'p' { shell = 'echo up; echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    for _, verb in ipairs { 'logs -f', 'logs -f --json', 'logs -f --grep up', 'events -f' } do
      local pipe = ('{ "$PACTLUA" %s; echo $? >status; } | { read line; echo "$line"; }'):format(verb)
      local result = shell(t, pipe)
      assert.truthy(result.out:find('up', 1, true) or result.out:find('p', 1, true), result.out .. result.err)
      assert.equal('141\n', functional.wait('the status', function() return t:read 'status' end), verb)
      os.remove(t:path 'status')
    end
  end)

  case('fault 32: `logs -f` ends with the network', function(t)
    local network = t:up(CHATTY)
    t:wait_lines('trace', 1)
    local follower = t:start { 'logs', '-f' }
    follower:expect 'line'
    network:signal 'TERM'
    network:wait()
    assert.equal(0, follower:wait().code)
  end)

  case('fault 32: a verb whose answer nobody reads ends without a word', function(t)
    t:up(CHATTY)
    t:wait_lines('trace', 1)
    for _, verb in ipairs { 'ps', 'logs', 'events', 'why chatty', 'help' } do
      local result = shell(t, ('{ sleep 0.05; "$PACTLUA" %s; echo $? >status; } | true'):format(verb))
      assert.equal('', result.err)
      assert.equal('141\n', functional.wait('the status', function() return t:read 'status' end), verb)
      os.remove(t:path 'status')
    end
    assert.equal('running', t:ps().chatty.status)
  end)

  case('fault 32: a reader of the network that goes away ends it in order', function(t)
    t:recipe [[
      pact.process 'p' { shell = 'trap "echo heard >>trace; exit 0" TERM; while :; do echo line; sleep 0.02; done' }
    ]]
    local result = shell(t, '"$PACTLUA" net.lua | head -n 2')
    assert.equal(0, result.code)
    functional.wait('the end of everything', function() return t.started[1]:clean() end)
    assert.same({ 'heard' }, t:lines 'trace')
  end)

  case('fault 32: services and probes die of SIGPIPE as programs do', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' }, health = {
        command = { 'bash', '-c', 'yes | head -n 1 >/dev/null; echo ${PIPESTATUS[0]} >>probe' }, interval = '1s' } }
      pact.task 'q' { command = { 'bash', '-c', 'yes | head -n 1 >/dev/null; echo ${PIPESTATUS[0]} >>service' } }
    ]]
    assert.equal('141', t:wait_lines('probe', 1)[1])
    assert.equal('141', t:wait_lines('service', 1)[1])
  end)
end)
