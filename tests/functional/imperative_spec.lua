--- The imperative face: every call and option of it, from a body that acts and from hooks.
local functional = require 'functional'
local case = functional.case

-- What `say` prints in the recipe, in order.
local function said(result)
  local out = {}
  for line in result.out:gmatch '[^\n]+' do out[#out + 1] = line:match '^~ (.*)$' end
  return out
end

local HEAD = [[
  local function say(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    print('~ ' .. table.concat(words, ' '))
  end
]]

local function acts(t, body)
  local result = t:up(HEAD:gsub('\n', ' ') .. body .. '\npact.shutdown()'):wait()
  assert.equal(0, result.code, result.out .. result.err)
  return said(result)
end

describe('pact.start', function()
  case('gives the handle of what it has declared, once it is ready', function(t)
    assert.same({ 'a running none', 'h running healthy', 'waited true', 'external running' }, acts(t, [[
      local a = pact.start { id = 'a', command = { 'sleep', '1000' } }
      say(a, a.status, a.health)
      local before = pact.now()
      local h = pact.start { id = 'h', shell = 'sleep 0.3; touch up; exec sleep 1000', health = { file = 'up' } }
      say(h, h.status, h.health)
      say('waited', pact.now() - before >= 300)
      local there = pact.start { id = 'there', health = { file = 'up' } }
      say(there.kind, there.status)
    ]]))
  end)

  case('waits as told: not at all, until it lives, until it is healthy', function(t)
    assert.same({ 'false waiting', 'started starting', 'healthy running' }, acts(t, [[
      for _, wait in ipairs { false, 'started', 'healthy' } do
        local id = tostring(wait)
        local one = pact.start { id = id, wait = wait, shell = 'sleep 0.3; touch ' .. id .. '; exec sleep 1000',
          health = { file = id } }
        say(id, one.status)
      end
    ]]))
  end)

  case('starts one that is declared, by id or handle, with what it needs', function(t)
    assert.same({ 'idle idle', 'api', 'running running', 'running', 'nil off2: stopped: running' }, acts(t, [[
      pact.process 'keeps' { command = { 'sleep', '1000' } }
      local db = pact.process 'db' { command = { 'sleep', '1000' }, disabled = true }
      local api = pact.process 'api' { command = { 'sleep', '1000' }, disabled = true, depends_on = { db } }
      local off2 = pact.process 'off2' { command = { 'sleep', '1000' }, disabled = true }
      pact.services()
      pact.start 'keeps'
      say(db.status, api.status)
      say(pact.start(api))
      say(db.status, api.status)
      say(pact.start('api').status)
      off2:start { wait = false }
      off2:stop()
      say(nil, 'off2: ' .. off2.status .. ': ' .. api.status)
    ]]))
  end)

  case('gives nil, the reason and a code for what does not come up', function(t)
    local lines = acts(t, [[
      say(pact.start { id = 'gone', command = { './no-such-program' } })
      say(pact.start { id = 'ends', shell = 'exit 3', health = { file = 'never' }, autoRestart = false })
      say(pact.start { id = 'slow', command = { 'sleep', '1000' }, health = { file = 'never' }, timeout = 300, retries = 0 })
      say(pact.start { id = 'needs', command = { 'true' }, depends_on = { 'ends' } })
      say(pact.start('nobody'))
    ]])
    assert.matches("^nil gone: exec './no%-such%-program': .* failed$", lines[1])
    assert.equal('nil ends: exit code 3 failed', lines[2])
    assert.matches('^nil slow: not ready after 300ms: .* failed$', lines[3])
    assert.equal("nil needs: dependency 'ends' failed skipped", lines[4])
    assert.equal("nil no service 'nobody' unknown", lines[5])
  end)

  case('start_services starts all at once and waits for all', function(t)
    assert.same({ 'db web', 'running running', 'nil db2: exit code 1 failed' }, acts(t, [[
      local started = pact.start_services { -- each waits for the other to live
        { id = 'db', shell = 'touch a; until [ -e b ]; do sleep 0.02; done; touch db; exec sleep 1000', health = { file = 'db' } },
        { id = 'web', shell = 'touch b; until [ -e a ]; do sleep 0.02; done; touch web; exec sleep 1000', health = { file = 'web' },
          dependsOn = { db = { condition = 'service_started' } } },
      }
      say(table.unpack(started))
      say(started[1].status, started[2].status)
      say(pact.start_services { { id = 'db2', shell = 'exit 1', health = { file = 'never' }, retries = 0 } })
    ]]))
  end)
end)

describe('pact.start of what has ended', function()
  case('takes other fields for it, as often as one likes', function(t)
    assert.same({ 'one 3 skipped', 'two 4', 'three completed', 'b true', 'kept its place' }, acts(t, [[
      local a = pact.start { id = 'a', shell = 'exit 3', restart = 'no', wait = 'started' }
      a:wait 'stopped'
      local b = pact.task 'b' { shell = 'true', depends_on = { a = 'completed' } }
      b:wait 'started'
      say('one', a.exit_code, b.status)
      pact.start { id = 'a', shell = 'exit 4', restart = 'no', wait = 'started' }
      a:wait 'stopped'
      say('two', a.exit_code)
      pact.start { id = 'a', shell = 'echo $WHO; exit 0', env = { WHO = 'third' }, restart = 'no', wait = 'started' }
      a:wait 'stopped'
      assert(a:tail(1) == 'third', a:tail(1))
      say('three', a.status)
      say('b', b:wait())
      say(pact.services()[1].id == 'a' and 'kept its place' or 'lost its place')
    ]]))
  end)

  case('hears its new hooks, and no old one', function(t)
    assert.same({ 'old', 'new' }, acts(t, [[
      local heard = pact.queue(9)
      local on = function(name) return { started = function() heard:put(name) end } end
      pact.start({ id = 'a', command = { 'sleep', '1000' }, on = on 'old' }, { wait = 'started' }):stop()
      say(heard:take { timeout = '20s' })
      pact.start { id = 'a', command = { 'sleep', '1000' }, on = on 'new' }
      say(heard:take { timeout = '20s' })
      assert(#heard == 0)
    ]]))
  end)

  case('leaves it as it was when they are wrong', function(t)
    assert.same({ "net.lua:2: process 'a': unknown key 'comand' (did you mean 'command'?)", 'nil recipe', 'a running', 'a b' },
      acts(t, [[
      local a = pact.start { id = 'a', command = { 'sleep', '1000' } } a:stop()
      local _, message = pcall(pact.start, { id = 'a', comand = { 'x' }, shell = 'true' })
      say((tostring(message):gsub('^.-(net.lua):%d+', '%1:2')))
      pact.start { id = 'b', command = { 'sleep', '1000' }, depends_on = { a = 'started' } } a:stop()
      local made, why, code = pact.start { id = 'a', command = { 'x' }, depends_on = { 'b' } }
      assert(why:find 'is a cycle: ', why)
      say(made, code)
      a:start()
      say('a', a.status)
      say(pact.services()[1], pact.services()[2])
    ]]))
  end)

  case('may leave its port to a stand-in', function(t)
    assert.same({ "nil 21348 is the port of 'a' too recipe", 'b running', 'a failed' }, acts(t, [[
      local a = pact.start { id = 'a', command = { 'sleep', '1000' }, ports = { 21348 } }
      local b, why, code = pact.start { id = 'b', command = { 'sleep', '1000' }, ports = { 21348 } }
      say(b, why:match "21348 is the port of 'a' too", code)
      a:stop()
      b = pact.start { id = 'b', ports = { 21348 },
        run = function(self) self:http_server { handler = function() return 'b' end } end }
      say(b, b.status)
      a:start()
      say(a, a.status)
    ]]))
  end)

  case('while it lives is refused', function(t)
    acts(t, [[
      pact.start { id = 'a', command = { 'sleep', '1000' } }
      local ok, message = pcall(pact.start, { id = 'a', command = { 'true' } })
      assert(not ok and tostring(message):find("process 'a': is declared already, at net.lua:", 1, true), message)
    ]])
  end)
end)

describe('stop, restart, signal and wait', function()
  case('wait until it is done, or not', function(t)
    assert.same({ 'true stopped', 'true running 2', 'true stopping', 'true stopped', 'nil not ready in time: stopped by the recipe timeout' },
      acts(t, [[
      local slow = pact.start { id = 'slow', shell = 'trap "sleep 0.3; exit 0" TERM; while :; do sleep 0.05; done' }
      pact.sleep '100ms'
      say(pact.stop 'slow', slow.status)
      slow:start()
      say(slow:restart(), slow.status, #slow.history)
      pact.sleep '100ms'
      say(slow:stop { wait = false }, slow.status)
      say(slow:wait('stopped', { timeout = '5s' }), slow.status)
      pact.service('slow'):start { wait = false }
      slow:stop()
      say(select(1, slow:wait('ready', '50ms')), 'not ready in time: ' .. slow.reason, 'timeout')
    ]]))
  end)

  case('logs are found by their text, stream, time and number', function(t)
    assert.same({ 'one,two,three', 'two', 'two', 'three', 'three', '', '1000', 'stderr 2' }, acts(t, [[
      local a = pact.start { id = 'a', shell = 'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three; exec sleep 1000' }
      local function found(filter)
        local out = {}
        for i, line in ipairs(a:logs(filter)) do out[i] = line.text end
        return table.concat(out, ',')
      end
      while #a:logs() < 3 do pact.sleep '50ms' end
      say(found { since = '5m' })
      say(found { stream = 'stderr' })
      say(found { grep = { regex = '^t[vw]' } })
      say(found(1))
      say(found { count = 1, grep = 't' })
      say(found { epoch = 7 })
      say(a:logs()[1].at // a:logs()[1].at * 1000)
      say('stderr', a:logs { grep = 'two' }[1].stream)
    ]]))
  end)

  case('a restart waits for what it is told, so long as it is told', function(t)
    assert.same({ 'started 1', 'nil timeout', 'nil refused', 'true healthy', '2 2 running running' }, acts(t, [[
      local slow = pact.start { id = 'slow', shell = 'sleep 0.5; touch up; exec sleep 1000', wait = false, restart = 'no',
        health = { file = 'up', interval = '100ms', retries = 100 } }
      slow:wait 'started'
      slow:restart { wait = 'started' }
      say('started', #slow.history)
      pact.file.remove 'up'
      local ok, _, code = slow:restart { timeout = '150ms' }
      say(ok, code)
      local plain = pact.start { id = 'plain', command = { 'sleep', '1000' } }
      ok, _, code = plain:restart { wait = 'healthy' }
      say(ok, code)
      say(slow:restart { wait = 'healthy' }, slow.health)
      local group = pact.process 'group' { replicas = 2, shell = 'sleep 0.3; touch $PACTLUA_SERVICE; exec sleep 1000',
        ready = { check = function(service) return pact.file.exists(service.id) end } }
      pact.start(group)
      for n = 1, 2 do pact.file.remove('group-' .. n) end
      group:restart()
      local one, two = pact.service 'group-1', pact.service 'group-2'
      say(#one.history + 1, #two.history + 1, one.status, two.status)
    ]]))
  end)

  case('with_dependents takes them along, in their order', function(t)
    acts(t, [[
      local trap = 'trap "rm $PACTLUA_SERVICE; echo stop $PACTLUA_SERVICE >>trace; exit 0" TERM; echo start $PACTLUA_SERVICE >>trace; '
        .. 'touch $PACTLUA_SERVICE; while :; do sleep 0.05; done'
      pact.process 'db' { shell = trap, health = { file = 'db' } }
      pact.process 'web' { shell = trap, health = { file = 'web' }, depends_on = { 'db' } }
      pact.start_services()
      pact.sleep '100ms'
      pact.restart('db', { with_dependents = true })
      pact.service 'web':wait()
    ]])
    local trace = t:lines 'trace'
    assert.same({ 'start db', 'start web', 'stop web', 'stop db', 'start db', 'start web' }, table.move(trace, 1, 6, 1, {}))
  end)

  case('a signal reaches the process', function(t)
    assert.same({ 'true', 'nil', 'true', 'nil KILL' }, acts(t, [[
      local p = pact.start { id = 'p', shell = 'trap "touch heard" USR1; touch up; while :; do sleep 0.05; done',
        health = { file = 'up' }, autoRestart = false }
      say((p:signal 'USR1'))
      while not pact.file.exists 'heard' do pact.sleep '20ms' end
      say((p:signal 'NONSENSE'))
      say((p:signal 'SIGKILL'))
      p:wait 'stopped'
      say(p.exit_code, p.exit_signal)
    ]]))
  end)

  case('stop_all stops everything, and the network stays while the body goes on', function(t)
    assert.same({ 'stopped stopped', 'running' }, acts(t, [[
      local a = pact.start { id = 'a', command = { 'sleep', '1000' } }
      local b = pact.start { id = 'b', command = { 'sleep', '1000' }, depends_on = { 'a' } }
      pact.stop_all()
      say(a.status, b.status)
      a:start()
      say(a.status)
    ]]))
  end)
end)

describe('what can be asked', function()
  case('state, service, services, by_category, and fields of handles', function(t)
    assert.same({
      'running nil 0 nil', '21311 21311', 'failed 3 0', 'nil', 'nil', 'a,b,c', 'each a', 'each b', 'b', 'A|service|process|none|true|nil', 'true true',
    }, acts(t, [[
      local function ids(of) local out = {} for i, one in ipairs(of) do out[i] = one.id end return table.concat(out, ',') end
      local a = pact.start { id = 'a', displayName = 'A', ports = { 21310, web = 21311 }, command = { 'sleep', '1000' } }
      pact.start { id = 'b', category = 'network', command = { 'sleep', '1000' } }
      pact.start { id = 'c', shell = 'exit 3', autoRestart = false, wait = 'started' }
      pact.service('c'):wait 'stopped'
      local state = pact.state 'a'
      say(state.status, state.exitCode, state.restartCount, state.signal)
      say(a.ports.web, a.ports[2])
      say(pact.state(pact.service 'c').status, pact.state('c').exit_code, pact.state('c').restart_count)
      say(pact.state 'nobody')
      say(pact.service 'nobody')
      say(ids(pact.services()))
      for one in pact.services() do say('each', one.id) if one.id == 'b' then break end end
      say(ids(pact.by_category 'network'))
      say(table.concat({ a.display_name, a.category, a.kind, a.health, tostring(a.pid > 1), tostring(a.exit_code) }, '|'))
      say(a.startedAt == a.started_at, a.uptime < 600000)
    ]]))
  end)

  case("the document's own names of calls are understood", function(t)
    assert.same({ 'running', 'web', 'web', 'stopped' }, acts(t, [[
      pact.start_process { id = 'web', command = 'sleep', args = { '1000' } }
      say(pact.get_process_state('web').status)
      say(pact.getProcessesByCategory('service')[1])
      pact.restartProcess 'web'
      pact.enableTUI { refreshRate = 500 }
      say(pact.getProcess 'web')
      pact.stopAll()
      say(pact.getProcessState('web').status)
      pact.gracefulShutdown()
    ]]))
  end)
end)

describe('from hooks', function()
  case('the same calls act, wait and declare', function(t)
    local network = t:up [[
      pact.process 'web' { command = { 'sleep', '1000' } }
      pact.process 'off' { command = { 'sleep', '1000' }, disabled = true }
      local function note(...) pact.file.append('heard', table.concat({ ... }, ' ') .. '\n') end
      pact.once('ready', function(service, event)
        note(service.id, event.name, pact.state(service).status)
        note('start', pact.start('off').status)
        note('stop', tostring(pact.stop 'off'), pact.state('off').status)
        local made = pact.start { id = 'made', command = { 'sleep', '1000' } }
        note('made', made.status, #pact.services())
        note('restart', tostring(service:restart()), service.status)
        note('stop_all', tostring(pact.stop_all()), service.status, made.status)
        pact.shutdown(7)
      end)
    ]]
    local result = network:wait()
    assert.equal(7, result.code, result.out .. result.err)
    assert.same({
      'web ready running', 'start running', 'stop true stopped', 'made running 3', 'restart true running', 'stop_all true stopped stopped',
    }, t:lines 'heard')
  end)
end)

describe('used wrongly, they say where and what', function()
  for name, row in pairs {
    ['no id'] = { 'pact.start { command = { "true" } }', 'id must be text, got nothing' },
    ['an unknown field'] = { "pact.start { id = 'b', comand = { 'true' } }", "unknown key 'comand' (did you mean 'command'?)" },
    ['an unknown wait'] = { "pact.start { id = 'b', command = { 'true' }, wait = 'soon' }", "got 'soon'" },
    ['options that are no table'] = { "pact.service 'a':stop '1s'", "a table of options expected, got '1s'" },
    ['an unknown option'] = { "pact.stop('a', { tiemout = 3 })", "unknown option 'tiemout' (did you mean 'timeout'?)" },
    ['no service'] = { 'pact.stop(nil)', 'a service or its id expected, got nothing' },
    ['a timeout that is none'] = { "pact.service 'a':wait('ready', 'soon')", 'timeout' },
    ['an unknown goal'] = { "pact.service 'a':wait 'happy'", "no goal 'happy'" },
    ['an unknown call'] = { 'pact.strat()', 'there is no pact.strat (did you mean' },
    ['an unknown port'] = { "print(pact.service('a').ports.wbe)", "service 'a' has no port 'wbe' (did you mean 'web'?)" },
    ['an unknown field of a handle'] = { "print(pact.service('a').pidd)", "has no 'pidd' (did you mean 'pid'?)" },
    ['lines that are none'] = { "pact.service('a'):logs 'x'", "logs: a table of options expected, got 'x'" },
    ['an unknown filter'] = { "pact.service('a'):logs { gerp = 'x' }", "logs: unknown key 'gerp' (did you mean 'grep'?)" },
    ['a pattern that is none'] = { "pact.service('a'):logs { grep = { regex = '[' } }", 'logs: grep: ' },
    ['a time that is none'] = { "pact.service('a'):logs { since = 'soon' }", 'logs: since must be a duration' },
    ['a stream that is none'] = { "pact.service('a'):logs { stream = 3 }", "logs: stream must be 'stdout' or 'stderr', got 3" },
    ['a size that is none'] = { "pact.http.get('http://127.0.0.1:1', { max_body = 'much' })", 'max_body must be a size' },
    ['a status that is none'] = { 'pact.shutdown(1000)', 'pact.shutdown: a status of 0–255 expected' },
  } do
    case(name, function(t)
      local result = t:up("pact.start { id = 'a', command = { 'sleep', '1000' }, ports = { web = 21312 } }\n" .. row[1]):wait()
      local all = result.out .. result.err
      assert.equal(1, result.code, all)
      assert.truthy(all:find('net.lua:2: ', 1, true), all)
      assert.truthy(all:find(row[2], 1, true), all)
      assert.falsy(all:find('stdlib/', 1, true), all)
      assert.equal(0, result.left)
    end)
  end
end)
