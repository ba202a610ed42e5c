--- `pactlua reload` and `up --watch-recipe`: the least is done, and what stays keeps its pid.
local cjson = require 'cjson'
local functional = require 'functional'
local case = functional.case

local function recipe(t, text) return t:file('net.lua', "local pact = require 'pact'\n" .. text) end

local function pids(t)
  local out = {}
  for id, service in pairs(t:ps()) do out[id] = service.pid end
  return out
end

local A = "pact.process 'a' { command = { 'sleep', '1000' } }\n"
local B = "pact.process 'b' { command = { 'sleep', '1000' }, depends_on = { 'a' } }\n"

local B_ALONE = "pact.process 'b' { command = { 'sleep', '1000' } }\n"

-- A network of a and b that is ready.
local function network(t, text, ...)
  recipe(t, text or A .. B)
  local up = t:start { 'up', 'net.lua', ... }
  up:expect 'all ready'
  return up
end

local function reload(t, text, ...)
  if text then recipe(t, text) end
  return t:run { 'reload', ... }
end

local function descriptors(pid)
  local pipe = io.popen(('ls /proc/%d/fd | wc -l'):format(pid))
  local count = tonumber(pipe:read 'a')
  pipe:close()
  return count
end

-- Two that have ports, a socket and a path, and who hinders their end for a while.
local function holders(first, second, more)
  return ([[
    local p, q = pact.free_port 'p', pact.free_port 'q'
    pact.process '%s' { command = { 'sleep', '1000' }, ports = { p } }
    pact.process '%s' { command = { 'sleep', '1000' }, listen = { tcp = q, path = './run/x.sock' } }
    ]]):format(first, second) .. (more or '')
end

local SLOW_END = [[ pact.process 'behind' { depends_on = { 'a', 'b' }, shell = 'trap "sleep 1; exit" TERM; touch up; while :; do sleep 0.05; done',
  health = { file = 'up' } } ]]

describe('reload', function()
  case('stops, starts and restarts the least, and says so', function(t)
    local up = network(t, A .. B .. "pact.process 'old' { command = { 'sleep', '1000' } }")
    local before = pids(t)
    local result = reload(t, A .. "pact.process 'b' { command = { 'sleep', '1001' }, env = { PORT = 80 }, "
      .. "restart = 'always', depends_on = { 'a' } }\npact.process 'new' { command = { 'sleep', '1000' } }")
    assert.same({ 0, '' }, { result.code, result.err })
    assert.equal("old: removed, stopped\nb: restarted (command, env.PORT, restart.policy)\n"
      .. 'new: added, started\n1 service unchanged\n', result.out)
    t:wait_service('new', { status = 'running' })
    functional.wait('b to be another', function()
      local now = pids(t)
      return now.b and now.b ~= before.b and not now.old
    end)
    assert.equal(before.a, pids(t).a)
    functional.wait('the end of the old one', function() return not functional.procfs.alive(before.old) end)
    up:expect 'reloaded: old removed, stopped; b restarted (command'
    local restarted = functional.wait('the event', function() return t:events 'restarted'[1] end)
    assert.same({ 'b', 'reload' }, { restarted.service, restarted.by })
    assert.same({}, t:events 'crashed')
    local event = t:events 'reloaded'[1]
    assert.same({ 3, 'removed' }, { #event.services, event.services[1].action })
  end)

  case('of what has not changed says so', function(t)
    network(t)
    local before = pids(t)
    local result = reload(t)
    assert.same({ 0, 'nothing has changed\n', '' }, { result.code, result.out, result.err })
    result = reload(t, A .. B .. '-- a comment')
    assert.same({ 0, "nothing has changed but the recipe's text\n" }, { result.code, result.out })
    assert.same(before, pids(t))
  end)

  case('as a trial only tells', function(t)
    network(t)
    local before = pids(t)
    local result = reload(t, A .. "pact.process 'c' { command = { 'touch', 'c-ran' } }", '--dry-run')
    assert.same({ 0, 'b: would be stopped and removed\nc: would be added and started\n1 service unchanged\n' },
      { result.code, result.out })
    result = reload(t, nil, '--dry-run', '--json')
    local answer = cjson.decode(result.out)
    assert.same({ true, true, 'b', 'removed' },
      { answer.dry_run, answer.changed, answer.services[1].id, answer.services[1].action })
    assert.same(before, pids(t))
    assert.is_false(t:exists 'c-ran')
  end)

  case('changes in place what needs no new process: probes, stop, restart, hooks', function(t)
    local function text(interval, signal, word)
      return ([[pact.process 'a' { shell = 'trap "echo int; exit 0" INT; echo up; while :; do sleep 0.05; done',
        health = { command = { 'sh', '-c', 'echo p >>probes' }, interval = '%s' }, stop = { signal = '%s', timeout = '20s' },
        on = { healthy = function() end } }
      pact.command('word', function() return '%s' end)]]):format(interval, signal, word)
    end
    local up = network(t, text('1h', 'TERM', 'one'))
    t:wait_service('a', { health = 'healthy' })
    local before, probes = pids(t).a, #t:lines 'probes'
    local result = reload(t, text('50ms', 'INT', 'two'))
    assert.same({ 0, ('a: health.interval, stop.signal changed, pid %d kept\ncommands of the recipe: taken over\n')
      :format(before) }, { result.code, result.out })
    t:wait_lines('probes', probes + 3)
    assert.equal(before, pids(t).a)
    assert.equal('two\n', t:run({ 'do', 'word' }).out)
    assert.equal(0, t:run({ 'stop', 'a' }).code)
    up:expect 'a       | int'
  end)

  case('gives a log another form with the next process, and other limits at once', function(t)
    local function text(log) return ([[pact.process 'a' { shell = 'while :; do echo some line of output; sleep 0.02; done',
      log = { %s } }]]):format(log) end
    network(t, text "format = 'raw'")
    assert.equal('a: restarted (log.format)\n', reload(t, text "format = 'json'").out)
    local path = functional.wait('the log', function() return t:state '/a%.log$'[1] end)
    functional.wait('lines of JSON', function() return (t:lines(path)[1] or ''):find '^{' end)
    t:wait_service('a', { status = 'running', epoch = 2 })
    local pid = pids(t).a
    assert.equal(('a: log.max_files, log.max_size changed, pid %d kept\n'):format(pid),
      reload(t, text "format = 'json', max_size = 1500, max_files = 2").out)
    functional.wait('it to be rotated', function() return t:exists(path .. '.2') end)
    assert.equal(pid, pids(t).a)
  end)

  case('watches other paths at once', function(t)
    local function text(paths) return ([[pact.process 'a' { shell = 'echo $$ >>pids; exec sleep 1000',
      watch = { paths = { '%s' }, debounce = '5ms' } }]]):format(paths) end
    t:file('src/one', '')
    t:file('lib/one', '')
    local up = network(t, text 'src/*')
    t:wait_lines('pids', 1)
    assert.truthy(reload(t, text 'lib/*').out:find('a: watch.paths changed', 1, true))
    t:file('src/one', 'changed')
    functional.wait('a change to be seen', function() -- the search for directories takes a moment
      t:file('lib/one', 'changed')
      return up:out():find('lib/one changed', 1, true)
    end)
    t:wait_lines('pids', 2)
    assert.is_nil(up:out():find('src/one', 1, true))
  end)

  case('with a command to stop, or a probe by a command, that had none', function(t)
    local function text(more) return ("pact.process 'a' { command = { 'sleep', '1000' }, env = { MARK = 'mine' } %s }"):format(more) end
    network(t, text '')
    local result = reload(t, text [[, stop = { command = { 'sh', '-c', 'echo $MARK $PACTLUA_SERVICE >stopped; kill $PACTLUA_PID' } },
      health = { command = { 'sh', '-c', 'echo $MARK >>probed' }, interval = '50ms' }]])
    assert.equal(0, result.code)
    assert.equal('mine', t:wait_lines('probed', 2)[2])
    assert.equal(0, t:run({ 'stop', 'a' }).code)
    assert.same({ 'mine a' }, t:lines 'stopped')
  end)

  case("a worker's text restarts it, on the same port", function(t)
    local function text(answer) return ([[local port = pact.free_port 'w'
      pact.worker 'w' { ports = { http = port }, run = function(self)
        self:http_server { handler = function() return '%s' end }
      end }
      pact.command('ask', function() return pact.http.get('http://127.0.0.1:' .. port).body end)]]):format(answer) end
    network(t, text 'one')
    assert.equal('one\n', t:run({ 'do', 'ask' }).out)
    assert.equal('commands of the recipe: taken over\n1 service unchanged\n', reload(t, text 'one' .. '\n'
      .. "pact.command('more', function() end)").out)
    assert.equal('w: restarted (run)\n', (reload(t, text 'two').out:match '^[^\n]*\n'))
    t:wait_service('w', { status = 'running' })
    functional.wait('the new answer', function() return t:run({ 'do', 'ask' }).out == 'two\n' end)
  end)

  case('of an acting recipe reads it up to where it acts', function(t)
    local up = network(t, A .. "pact.start 'a'\npact.start { id = 'late', command = { 'sleep', '1000' } }\nprint 'body'")
    up:expect 'body'
    local before = pids(t)
    local result = reload(t, A .. B .. "pact.start 'a'\npact.start { id = 'late', command = { 'sleep', '1000' } }\nprint 'again'")
    assert.same({ 0, 'b: added, started\n1 service unchanged\n' }, { result.code, (result.out:gsub('2 services', '1 service')) })
    assert.equal('pactlua: reload stops at net.lua:4: what the recipe does from there on is not done again, and what it '
      .. 'has started stays\n', result.err)
    t:wait_service('b', { status = 'running' })
    local now = pids(t)
    assert.same({ before.a, before.late }, { now.a, now.late })
    assert.is_nil(up:out():find('again', 1, true))
  end)

  case('holds no more descriptors than before, whatever came and went', function(t)
    local up = network(t)
    local engine = up:roles().engine
    local function round(i)
      assert.equal(0, reload(t, A .. ("pact.process 'n%d' { command = { 'sleep', '1000' } }\n"):format(i % 7)
        .. "pact.on('line', { match = 'x' }, function() end)").code)
    end
    local function settled()
      assert.equal(0, reload(t, A).code)
      functional.wait('only a to be left', function()
        local all = t:ps()
        return all.a and next(all, next(all)) == nil
      end)
      functional.wait('the log of a', function() return t:state('runs/[^/]+/a%.idx$')[1] end) -- made once all is quiet
      return descriptors(engine)
    end
    for i = 1, 10 do round(i) end
    local before = settled()
    for i = 1, 40 do round(i) end
    settled()
    functional.wait(function() return ('%d descriptors, not %d'):format(descriptors(engine), before) end,
      function() return descriptors(engine) <= before end)
  end)

  case('without a network, or with what it does not know', function(t)
    recipe(t, A)
    local result = t:run { 'reload' }
    assert.equal(4, result.code)
    assert.truthy(result.err:find('pactlua: no live network here or above', 1, true), result.err)
    result = t:run { 'reload', '--dry-rum' }
    assert.equal(2, result.code)
    assert.truthy(result.err:find('--dry-run', 1, true), result.err)
    result = t:run { 'reload', 'a' }
    assert.equal(2, result.code)
  end)

  case('is refused when the project has another name', function(t)
    network(t, A)
    local before = pids(t)
    local result = reload(t, "pact.project 'other'\n" .. A .. B)
    assert.equal(2, result.code)
    assert.truthy(result.err:find("the project is 'other' now", 1, true), result.err)
    assert.truthy(result.err:find('shut it down and start it again', 1, true), result.err)
    assert.same(before, pids(t))
  end)

  case('renews what comes back as another one before its stop has begun', function(t)
    local function as(n) return ([[ pact.process 'a' { command = { 'sleep', '1000' }, env = { N = %d } } ]]):format(n) end
    network(t, as(1) .. B_ALONE .. SLOW_END)
    local before = pids(t).a
    assert.equal(0, reload(t, B_ALONE).code)
    assert.equal(0, reload(t, as(2)).code)
    functional.wait('another process of a', function()
      local a = t:ps().a
      return a and a.status == 'running' and a.pid ~= before
    end)
  end)

  case('gives ports, sockets and paths to services of another name when those that had them have ended', function(t)
    network(t, holders('a', 'b', SLOW_END))
    local before = t:ps()
    local result = reload(t, holders('c', 'd'))
    assert.equal(0, result.code, result.out .. result.err)
    local waited = t:run { 'wait' }
    assert.equal(0, waited.code, waited.err)
    local now = t:ps()
    assert.same({ before.a.ports, before.b.ports }, { now.c.ports, now.d.ports })
    assert.is_nil(now.a)
    assert.is_true(t:exists 'run/x.sock')
  end)
end)

local function said(up, text) return select(2, (up:out() .. up:err()):gsub(text, '')) end

describe('up --watch-recipe', function()
  case('reloads when the recipe is saved, in whatever way', function(t)
    local up = network(t, A, '--watch-recipe')
    local before = pids(t)
    recipe(t, A .. B)
    up:expect 'reloaded: b added, started'
    t:file('.net.lua.tmp', "local pact = require 'pact'\n" .. A .. B .. "pact.process 'c' { command = { 'sleep', '1000' } }")
    os.rename(t:path '.net.lua.tmp', t:path 'net.lua')
    up:expect 'reloaded: c added, started'
    os.execute(('cd %s && mv net.lua net.lua~ && cp net.lua~ net.lua && echo "-- end" >>net.lua'):format(t.dir))
    up:expect "reloaded: nothing has changed but the recipe's text"
    t:wait_service('c', { status = 'running' })
    assert.equal(before.a, pids(t).a)
    t:file('other.lua', 'return 1')
    t:file('.gitignore', 'net.lua\n')
    recipe(t, A .. B)
    up:expect 'reloaded: c removed, stopped'
    assert.equal(4, said(up, ' reloaded: '))
  end)

  case('follows modules, those that come and those that are looked for', function(t)
    t:file('lib/one.lua', 'return { word = 1 }')
    local function text(module) return ("local m = require '%s'\npact.process 'a' { command = { 'sleep', '1000' }, env = { N = m.word } }"):format(module) end
    local up = network(t, text 'lib.one', '--watch-recipe')
    t:file('lib/one.lua', 'return { word = 2 }')
    up:expect 'reloaded: a restarted (env.N)'
    recipe(t, text 'two')
    up:expect "module 'two' is not there"
    up:expect 'pactlua: the recipe does not load, nothing has changed'
    t:file('two.lua', 'return { word = = }')
    up:expect 'two.lua:1: syntax error'
    t:file('two.lua', 'return { word = 3 }')
    functional.wait('the second reload', function() return said(up, 'reloaded: a restarted %(env.N%)') == 2 end)
    t:wait_service('a', { status = 'running' })
  end)

  case('takes over a script of a hook when it is saved', function(t)
    t:file('hooks/said.lua', "print 'first'")
    local up = network(t, A .. "pact.on('reloaded', 'hooks/said.lua')", '--watch-recipe')
    t:file('hooks/said.lua', "print 'second'")
    up:expect 'reloaded: nothing has changed'
    up:expect 'second'
    assert.is_nil(up:out():find('first', 1, true))
  end)

  case('says why a broken recipe changes nothing, and goes on when it is mended', function(t)
    local up = network(t, A .. B, '--watch-recipe')
    local before = pids(t)
    recipe(t, A .. 'pact.process')
    up:expect 'net.lua:3: syntax error'
    up:expect 'pactlua: the recipe does not load, nothing has changed'
    os.remove(t:path 'net.lua')
    up:expect 'net.lua: no such file'
    recipe(t, A)
    up:expect 'reloaded: b removed, stopped'
    assert.equal(before.a, pids(t).a)
  end)
end)
