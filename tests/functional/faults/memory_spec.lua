--- Fault 50: memory that can't be had. What needed it fails; the network goes on. (Each single allocation of Lua is denied
-- once in tests/lua/test_memory*.c.)
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local RECIPE = [[
  pact.process 'p' { shell = 'echo $$ >>pids; while :; do echo line; sleep 0.02; done',
    health = { command = { 'sh', '-c', 'echo ok >>probes' }, interval = '100ms' } }
  pact.process 'again' { shell = 'echo $$ >>again; exit 1', restart = { delay = '200ms', factor = 1, jitter = 0, max_retries = 1000 } }
  local function eat()
    local text = 'x'
    while true do text = text .. text end
  end
  pact.command('eat', {}, eat)
  pact.command('fine', {}, function() return 'fine' end)
]]

-- Leaves a process no more than so much beside what it has.
local function corner(pid, kb)
  local limit = (procfs.status(pid, 'VmSize') + kb) * 1024
  assert.is_true(os.execute(('prlimit --pid %d --as=%d:'):format(pid, limit)))
end

local SKIP = functional.sanitized

describe('memory', function()
  case('fault 50: an engine that gets no more fails what asks for it, and goes on', function(t)
    local network = t:up(RECIPE)
    t:wait_lines('pids', 1)
    local engine = network:roles().engine
    t:wait_service('p', { health = 'healthy' })
    for _, kb in ipairs { 8000, 4000, 2000 } do
      corner(engine, kb)
      local probes, again = #t:lines 'probes', #t:lines 'again'
      for _ = 1, 3 do
        local result = t:run { 'do', 'eat' }
        assert.equal(1, result.code)
        assert.truthy(result.err:find('not enough memory', 1, true), result.err)
      end
      assert.equal('fine\n', t:run({ 'do', 'fine' }).out)
      for _ = 1, 5 do assert.equal('running', t:ps().p.status) end
      t:wait_lines('probes', probes + 3)
      t:wait_lines('again', again + 2)
    end
    assert.equal(engine, network:roles().engine)
    assert.equal(1, #t:lines 'pids')
    network:signal 'TERM'
    assert.equal(0, network:wait().left)
  end, SKIP)

  case('fault 50: with too little from the start it says so and ends, or works', function(t)
    t:recipe [[ pact.task 'p' { shell = 'echo ran >>trace' } ]]
    for _, kb in ipairs { 2500, 3500, 4500, 5300, 9000, 12000 } do
      os.remove(t:path 'trace')
      local network = t:start({ '-c', ('ulimit -v %d; exec "$0" net.lua'):format(kb), functional.bin }, { program = 'bash' })
      local tries = functional.wait('an end, or another try', function()
        return network:ended() or network:out():find('cannot be started now', 1, true)
      end)
      if tries ~= true then network:signal 'TERM' end
      local result = network:wait()
      assert.truthy(result.code or result.signal == 15 and tries ~= true, kb .. ' KB')
      local ran = #t:lines 'trace' == 1
      assert.truthy(ran and result.code == 0 or result.code ~= 0 and result.out .. result.err ~= '', ('%d KB: %s'):format(kb, result.err))
    end
    assert.equal(1, #t:lines 'trace')
    functional.wait('nothing left', function()
      for _, network in ipairs(t.started) do
        if not network:clean() then return false end
      end
      return true
    end)
    os.execute(('rm -f %s/.pactlua/*/control.sock'):format(t.dir))
  end, SKIP)
end)
