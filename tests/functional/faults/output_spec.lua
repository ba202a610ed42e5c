--- Faults 9, 10 and 12 to 15: output that is held open, closed early, endless, unterminated, binary.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local FLAT_KB = functional.sanitized and math.huge or 2048

local function shell(command)
  local pipe = io.popen(command)
  local out = pipe:read 'a'
  pipe:close()
  return out
end

local function log_path(t, id) return t.dir .. '/' .. t:state('runs/[^/]+/' .. id .. '%.log$')[1] end

-- Lets `pid` go on until `done()`, and gives by how much kB its memory grew at most meanwhile, or since `before`.
local function growth(pid, done, seconds, before)
  local most = 0
  before = before or procfs.pss_kb(pid)
  functional.wait('the end of the flood', function()
    most = math.max(most, procfs.pss_kb(pid) or 0)
    return done()
  end, seconds)
  return math.max(most, procfs.pss_kb(pid) or 0) - before
end

-- A service that begins when the file `go` is there, and then makes the file `done`.
local function flood(t, command, log)
  t:recipe(([[
    pact.process 'flood' { log = { %s }, shell = %q }
    pact.process 'calm' { shell = 'while :; do echo tick; sleep 0.2; done' }
  ]]):format(log, 'until [ -e go ]; do sleep 0.02; done; ' .. command .. '; touch done; exec sleep 1000'))
  local network = t:start { 'up', '--json', 'net.lua' } -- the front copies none of it
  t:wait_service('flood', { status = 'running' })
  return network, network:roles().engine
end

describe('output', function()
  case('fault 12: a gigabyte of lines: memory is flat, nothing is lost, others go on', function(t)
    local last = 115000000
    local network, engine = flood(t, 'seq 1 ' .. last, "max_size = '16m', max_files = 1")
    t:file('go', '')
    local grown = growth(engine, function() return t:exists 'done' end, 60)
    assert.is_true(grown <= FLAT_KB, grown .. ' kB')
    assert.equal('running', t:ps().calm.status)
    network:signal 'TERM'
    network:wait()
    local path = log_path(t, 'flood')
    local first = shell('head -n 1 ' .. path):match '^%d+'
    assert.equal('', shell(('seq %s %d | cmp - %s 2>&1'):format(first, last, path)))
  end)

  case('fault 13: 200 MB without a newline: memory is flat, nothing is lost', function(t)
    local network, engine = flood(t, "head -c 200000000 /dev/zero | tr '\\0' x; echo", "max_size = '400m'")
    t:file('go', '')
    local grown = growth(engine, function() return t:exists 'done' end, 60)
    assert.is_true(grown <= FLAT_KB, grown .. ' kB')
    network:signal 'TERM'
    network:wait()
    assert.equal('', shell(("{ head -c 200000000 /dev/zero | tr '\\0' x; echo; } | cmp - %s 2>&1"):format(log_path(t, 'flood'))))
  end)

  case('fault 12: what goes to a pipe comes in order, and the front does not grow either', function(t)
    t:recipe [[ pact.process 'flood' { shell = 'until [ -e go ]; do sleep 0.02; done; seq 1 4000000; touch done; exec sleep 1000' } ]]
    local sum = "sed -n '/ |/s/^flood *| //p' | cksum"
    local network = t:start({ '-c', '"$0" net.lua | ' .. sum .. ' >sum', functional.bin }, { program = 'sh' })
    t:wait_service('flood', { status = 'running' })
    local engine, front = network:roles().engine, nil
    for _, process in ipairs(network:processes()) do
      if process.ppid == network.pid and process.name == 'pactlua' then front = process.pid end
    end
    local before = procfs.pss_kb(front)
    t:file('go', '')
    local grown = growth(engine, function() return t:exists 'done' end, 60)
    assert.is_true(grown <= FLAT_KB, grown .. ' kB')
    functional.signal(front, 'TERM')
    grown = growth(front, function() return not procfs.alive(front) end, 30, before)
    assert.is_true(grown <= FLAT_KB, grown .. ' kB of the front')
    network:wait()
    assert.equal(shell 'seq 1 4000000 | cksum', t:read 'sum')
  end)

  case('fault 10: a child that closes its output lives on, and nothing spins', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'echo last words; exec >&- 2>&-; touch closed; exec sleep 1000' }
      pact.process 'half' { shell = 'exec >&-; touch half; while :; do echo still there >&2; sleep 0.1; done' }
    ]]
    functional.wait('both to close', function() return t:exists 'closed' and t:exists 'half' end)
    network:expect 'last words'
    local engine = network:roles().engine
    local before = procfs.cpu_ms(engine)
    functional.sleep(1)
    assert.is_true(procfs.cpu_ms(engine) - before <= 100, procfs.cpu_ms(engine) - before)
    local services = t:ps()
    assert.same({ 'running', 'running', 0 }, { services.p.status, services.half.status, services.p.restart_count })
    network:expect('half    | still there')
  end)

  case('fault 9: what an orphan writes behind the end of its program is in the log all the same', function(t)
    t:up [[
      pact.task 'p' { stop = { scope = 'group' }, shell = [=[
        setsid sh -c 'echo $$ >orphan; until [ -e go ]; do sleep 0.02; done; echo an orphan speaks' &
        until [ -e orphan ]; do sleep 0.02; done; echo mine]=] }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    local orphan = t:wait_pid 'orphan'
    t:wait_service('p', { status = 'completed' })
    assert.is_true(procfs.alive(orphan))
    t:file('go', '')
    local path = log_path(t, 'p')
    functional.wait('its words', function() return procfs.read(path) == 'mine\nan orphan speaks\n' end)
  end)

  for _, way in ipairs { { 'a pipe', { pipe = true } }, { 'a file', {} } } do
    case('fault 14: a last line without an end is shown and kept as it is, to ' .. way[1], function(t)
      local result = t:up([[
        pact.task 'a' { shell = 'printf "one\nno newline"' }
        pact.task 'b' { shell = 'printf "killed in mid-line"; kill -KILL $$' }
      ]], way[2]):wait()
      assert.truthy(result.out:find 'a +| no newline\n', result.out)
      assert.truthy(result.out:find 'b +| killed in mid%-line\n', result.out)
      assert.equal('one\nno newline', procfs.read(log_path(t, 'a')))
      assert.equal('killed in mid-line', procfs.read(log_path(t, 'b')))
    end)

    case('fault 15: bytes that are no text come as they are, to ' .. way[1], function(t)
      local all = {}
      for byte = 0, 255 do all[#all + 1] = byte ~= 10 and string.char(byte) or nil end
      local text = table.concat(all) .. 'a\27[2Jb\195\40 \237\160\128 \240\159 c\t\0d'
      t:file('bytes', text .. '\n\0\n' .. text)
      local result = t:up([[ pact.task 'raw' { command = { 'cat', 'bytes' } } ]], way[2]):wait()
      assert.equal(0, result.code)
      local prefix = 'raw     | '
      local shown = {}
      for _, line in ipairs { text, '\0', text } do shown[#shown + 1] = prefix .. line .. '\n' end
      local from = result.out:find(prefix, 1, true)
      local expected = table.concat(shown)
      assert.equal(expected, result.out:sub(from, from + #expected - 1))
      assert.equal(t:read 'bytes', procfs.read(log_path(t, 'raw')))
    end)
  end

  case('fault 15: those who answer programs send valid text', function(t)
    t:file('bytes', 'x\0y\255\254z\n')
    t:up [[ pact.process 'raw' { shell = 'cat bytes; exec sleep 1000', health = { log = 'z' } } ]]
    t:wait_service('raw', { health = 'healthy' })
    local result = t:run { 'ps', '--json' }
    assert.truthy(utf8.len(result.out))
    result = t:run { 'logs', 'raw' }
    assert.equal('x\0y\255\254z\n', result.out)
  end)
end)
