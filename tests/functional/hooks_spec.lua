--- Hooks of a recipe: they hear what happens, and may act on the network.
local functional = require 'functional'
local case = functional.case

describe('hooks', function()
  case('hear of a crash with its facts', function(t)
    t:up [[
      pact.process 'p' { shell = 'exit 7', restart = { delay = '100ms', max_retries = 1 } }
      pact.on('crashed', function(service, event)
        local file = io.open('heard', 'a')
        file:write(service.id, ' ', event.exit_code, '\n')
        file:close()
      end)
    ]]
    assert.same({ 'p 7', 'p 7' }, t:wait_lines('heard', 2))
  end)

  case('one that fails is shown with its place, and everything goes on', function(t)
    local result = t:up([[
      pact.task 'a' { command = { 'true' } }
      pact.task 'b' { shell = 'touch ran', depends_on = { 'a' } }
      pact.on('completed', function(service) error('my mistake with ' .. service) end)
    ]]):wait()
    assert.equal(0, result.code)
    assert.is_true(t:exists 'ran')
    local all = result.out .. result.err
    assert.truthy(all:find('my mistake with a', 1, true), all)
    assert.truthy(all:find('net.lua:3', 1, true), all)
  end)

  case('one that decides is named, with its place, where it is told what became of it', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'exit 7' }
      pact.on('crashed', function() return pact.verdict.fail 'disk full' end)
      pact.on('failed', function(service)
        local decided = service:why().decided
        print(('why: %s %s:%d %s'):format(decided.hook, decided.file, decided.line, decided.verdict))
      end)
    ]]):wait()
    assert.equal(3, result.code)
    local all = result.out .. result.err
    assert.truthy(all:find("decided by the hook at net.lua:2: fail 'disk full'", 1, true), all)
    assert.truthy(all:find("why: crashed net.lua:2 fail 'disk full'", 1, true), all)
  end)

  case('may put a service anywhere into a text, however deep the code stands', function(t)
    local result = t:up([[
      pact.task 'web' { command = { 'true' } }
      local function deep(n, fn, ...)
        if n == 0 then return fn(...) end
        local text = deep(n - 1, fn, ...)
        return text
      end
      pact.on('completed', function(service)
        local joined, of = 0, 0
        for words = 1, 12 do
          local fn = load('local a, s = ... return ' .. ('a .. '):rep(words) .. 's .. a .. s')
          for depth = 0, 40 do
            local text = coroutine.wrap(function() return deep(depth, fn, 'x', service) end)()
            joined, of = joined + (text == ('x'):rep(words) .. 'webxweb' and 1 or 0), of + 1
          end
        end
        print(('%d of %d'):format(joined, of), service .. nil, pcall(function() return service .. {} end))
      end)
    ]]):wait()
    local all = result.out .. result.err
    assert.truthy(all:find('492 of 492\twebnil\ttrue\twebtable: ', 1, true), all)
  end)

  case('one that misuses pact.exec or tail hears at its own line what to write', function(t)
    local result = t:up([[
      pact.task 'a' { command = { 'true' } }
      pact.once('all_ready', function()
        print(select(2, pcall(function() pact.exec({ 'true' }, { timeout = '1s' }) end)))
        print(select(2, pcall(function() return pact.service('a'):tail 'x' end)))
      end)
    ]]):wait()
    local all = result.out .. result.err
    assert.truthy(all:find('net.lua:3: pact.exec takes one table, options beside the words', 1, true), all)
    assert.truthy(all:find("net.lua:4: tail: a number of lines expected, got 'x'", 1, true), all)
  end)

  case('one that never ends is interrupted, and holds nobody up', function(t)
    local result = t:up([[
      pact.task 'a' { command = { 'true' } }
      pact.task 'b' { shell = 'touch ran', depends_on = { 'a' } }
      pact.on('started', function() while true do pcall(function() while true do end end) end end)
    ]]):wait()
    assert.equal(0, result.code)
    assert.is_true(t:exists 'ran')
  end)

  case('all_ready may act on the network', function(t)
    t:up [[
      pact.process 'p' { shell = 'echo $$ >>pids; echo up; exec sleep 1000', health = { log = 'up' } }
      pact.once('all_ready', function() pact.restart 'p' end)
    ]]
    local pids = t:wait_lines('pids', 2)
    assert.not_equal(pids[1], pids[2])
  end)

  case('one that switches itself off hears nothing more, not even what has happened already', function(t)
    local network = t:up [[
      pact.task 'a' { command = { 'true' } }
      local hook; hook = pact.on('chain:block', function(_, event)
        local file <close> = io.open('heard', 'a')
        file:write(event.height, '\n')
        hook:off()
      end)
      pact.once('completed', function()
        for height = 1, 3 do pact.emit('chain:block', { height = height }) end
      end)
    ]]
    assert.equal(0, network:wait().code)
    assert.same({ '1' }, t:wait_lines('heard', 1))
  end)

  case('pact.shutdown ends the network with a status', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' }
      pact.once('all_ready', function() pact.shutdown(17) end)
    ]]):wait()
    assert.equal(17, result.code)
    assert.equal(0, result.left)
  end)

  case('shutdown hooks run before the first stop', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'trap "echo stop >>trace; exit 0" TERM; echo up >>trace; while true; do sleep 60 & wait; done' }
      pact.on('shutdown', function() os.execute 'echo hook >>trace' end)
    ]]
    t:wait_lines('trace', 1)
    network:signal 'TERM'
    network:wait()
    assert.same({ 'up', 'hook', 'stop' }, t:lines 'trace')
  end)

  case('decide what follows a crash: the own one before the others, and the journal says who', function(t)
    local result = t:up([[
      pact.on('crashed', function() return pact.verdict.fail 'of all' end)
      pact.process 'p' { shell = 'echo up >>trace; exit 75', on = { crashed = function(service, event)
        pact.sleep '30ms'
        if #service.history < 3 and event.exit_code == 75 then
          return pact.verdict.restart { after = '10ms', count = false }
        end
        return pact.verdict.fail 'disk full'
      end } }
    ]]):wait()
    assert.equal(3, result.code)
    assert.truthy((result.out .. result.err):find('failed: disk full', 1, true), result.out)
    assert.equal(3, #t:lines 'trace')
    local told = t:events('hook_ended')
    assert.equal(6, #told)
    local first = told[1]
    assert.same({ 'crashed', 'p', 'net.lua', 2, 'restart after 10 ms uncounted', true },
      { first.hook, first.service, first.file, first.line, first.verdict, first.used })
    assert.is_true(first.ms >= 30)
    assert.same({ "fail 'of all'", false, 'net.lua:2 decided' }, { told[2].verdict, told[2].used, told[2].overruled })
  end)

  case('that are slow are waited for, which `why` shows, until hook_timeout', function(t)
    t:up [[
      pact.hook_timeout '3s'
      pact.process 'p' { shell = 'echo up >>trace; exit 1', restart = { delay = '10ms', max_retries = 1 } }
      pact.on('crashed', function() pact.sleep '1h' end)
    ]]
    t:wait_service('p', { status = 'backoff' })
    assert.truthy(t:run({ 'why', 'p' }).out:find("hooks for 'crashed' are being waited for", 1, true))
    assert.equal(1, #t:lines 'trace')
    t:wait_lines('trace', 2)
  end)

  case('a command that a hook gives is its verdict', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'echo up >>trace; exit 1', restart = { delay = '1h', max_retries = 5 } }
      pact.on('crashed', function(service)
        if service.restart_count < 3 then return service:restart { wait = false } end
        service:stop()
      end)
    ]]):wait()
    assert.equal(0, result.code, result.out)
    assert.equal(4, #t:lines 'trace')
    local told = t:events('hook_ended')
    assert.same({ 'restart by command', true }, { told[1].verdict, told[1].used })
    assert.equal('stop by command', told[4].verdict)
  end)

  case('what is no verdict is told with its place, and the policy decides', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'echo up >>trace; exit 1', restart = { delay = '10ms', max_retries = 1 } }
      pact.on('crashed',
        function() return 'restart' end)
    ]]):wait()
    assert.equal(3, result.code)
    assert.equal(2, #t:lines 'trace')
    local all = result.out .. result.err
    assert.truthy(all:find("hook for crashed failed at net.lua:3: returned 'restart', which is no verdict", 1, true), all)
  end)

  case('a script gets service and event, and is read again when it has changed', function(t)
    t:file('hooks/recover.lua', [[
      local pact, service, event = require 'pact', ...
      pact.file.append('heard', service .. ' one ' .. event.exit_code .. '\n')
      return pact.verdict.restart { after = '10ms', count = false }
    ]])
    t:up [[
      pact.process 'p' { shell = 'while [ ! -e go ]; do sleep 0.01; done; rm go; exit 3', on = { crashed = 'hooks/recover.lua' } }
    ]]
    t:file('go', '')
    assert.same({ 'p one 3' }, t:wait_lines('heard', 1))
    t:file('hooks/recover.lua', "local pact = require 'pact' pact.file.append('heard', 'another\\n') nonsense.x = 1")
    t:file('go', '')
    assert.same({ 'p one 3', 'another' }, t:wait_lines('heard', 2))
    functional.wait('the failure', function() return t:events('hook_failed')[1] end)
    local failed = t:events('hook_failed')[1]
    assert.same({ 'hooks/recover.lua', 1, 'p' }, { failed.file, failed.line, failed.service })
  end)

  case('a command of the recipe that hogs is interrupted, one that waits ends with the network', function(t)
    local network = t:up [[
      pact.process 'p' { command = { 'sleep', '1000' } }
      pact.command('hog', function() while true do end end)
      pact.command('wait', function()
        local _ <close> = setmetatable({}, { __close = function() pact.file.write('closed', '') end })
        pact.file.write('waits', '')
        pact.sleep '1h'
      end)
    ]]
    t:wait_service('p', { status = 'running' })
    local result = t:run { 'do', 'hog' }
    assert.equal(1, result.code)
    assert.truthy((result.out .. result.err):find('net.lua:2: interrupted: ran for more than 250 ms', 1, true), result.err)
    t:start { 'do', 'wait' }
    functional.wait('the command', function() return t:exists 'waits' end)
    network:signal 'TERM'
    network:wait()
    assert.is_true(t:exists 'closed')
  end)
end)
