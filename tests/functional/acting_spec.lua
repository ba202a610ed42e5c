--- Recipes that act: what is declared behind the first acting call, and what goes wrong there.
local functional = require 'functional'
local case = functional.case

describe('a recipe that acts', function()
  case('goes on to declare: what comes later is started too', function(t)
    local network = t:up [[
      pact.start { id = 'first', shell = 'echo first >>trace; exec sleep 1000' }
      local late = pact.process 'late' { shell = 'echo late >>trace; exec sleep 1000', depends_on = { 'first' } }
      pact.process 'off' { command = { 'sleep', '1000' }, disabled = true }
      late:wait()
      print('late is', late.status)
    ]]
    network:expect 'late is\trunning'
    local trace = t:wait_lines('trace', 2)
    table.sort(trace) -- each is ready when it has started, before its first word
    assert.same({ 'first', 'late' }, trace)
    assert.equal('idle', t:ps().off.status)
  end)

  for name, row in pairs {
    ['misspells a key'] = { "pact.process 'b' { shel = 'x' }", "net.lua:2: process 'b': unknown key 'shel'" },
    ['declares twice'] = { "pact.process 'a' { shell = 'x' }", "net.lua:2: process 'a': is declared already" },
    ['needs what is not there'] = {
      "pact.process 'b' { shell = 'x', depends_on = { 'aa' } }",
      "net.lua:2: process 'b': depends_on 'aa' is not declared",
    },
  } do
    case(name .. ' behind that is told as before it', function(t)
      local result = t:up("pact.start { id = 'a', shell = 'exec sleep 1000' }\n" .. row[1]):wait()
      assert.truthy((result.out .. result.err):find(row[2], 1, true), result.out .. result.err)
      assert.falsy((result.out .. result.err):find('traceback', 1, true), result.out .. result.err)
      assert.equal(0, result.left)
    end)
  end

  case('raises behind that with a traceback of its own lines alone', function(t)
    local result = t:up("pact.start { id = 'a', shell = 'exec sleep 1000' }\nerror 'mine'"):wait()
    assert.truthy((result.out .. result.err):find('net.lua:2: mine', 1, true), result.out .. result.err)
    assert.falsy((result.out .. result.err):find('stdlib/', 1, true), result.out .. result.err)
    assert.equal(0, result.left)
  end)
end)

describe('commands for several services', function()
  case('do nothing when one is unknown', function(t)
    t:up [[ pact.process 'p' { shell = 'echo $$ >pid; exec sleep 1000' } ]]
    local pid = t:wait_pid 'pid'
    t:wait_service('p', { status = 'running' })
    for _, args in ipairs { { 'signal', 'USR1', 'p' }, { 'stop', 'p', 'q' } } do
      local result = t:run(args)
      assert.equal(1, result.code, result.err)
      assert.truthy(result.err:find(("no service '%s'"):format(args[1] == 'stop' and 'q' or 'USR1'), 1, true), result.err)
    end
    assert.equal(pid, t:wait_service('p', { status = 'running' }).pid)
  end)

  case('start by hand what is needed, even where it is disabled', function(t)
    t:up [[
      pact.process 'off' { command = { 'sleep', '1000' }, disabled = true }
      pact.process 'p' { command = { 'sleep', '1000' }, depends_on = { 'off' } }
      pact.process 'q' { command = { 'sleep', '1000' } }
    ]]
    t:wait_service('p', { status = 'skipped' })
    local result = t:run { 'start', 'p' }
    assert.equal(0, result.code, result.err)
    t:wait_service('off', { status = 'running' })
  end)
end)
