--- Fault 55: clients that read slowly or not at all, that die, that send half of something, too much, or nonsense, that are
-- very many or somebody else's. Each gets what it should, and the network minds none of them.
local functional = require 'functional'
local cjson = require 'cjson'
local case, procfs = functional.case, functional.procfs

local NODE = functional.root .. '/tests/fixtures/node/'
local MB = 1024

-- Numbers, as fast as they can be written and a little slower; the files turn over quickly.
local FLOOD = [[
  pact.process 'flood' { log = { max_size = '2m', max_files = 3 }, command = { 'seq', '1', '100000000000' } }
  pact.process 'steady' { log = { max_size = '100k', max_files = 20 },
    shell = 'i=0; while :; do n=0; while [ $n -lt 20 ]; do i=$((i+1)); n=$((n+1)); echo $i; done; sleep 0.02; done' }
  pact.process 'web' { command = { 'sleep', '1000' } }
]]

local function up(t, recipe)
  t:recipe(recipe or FLOOD)
  local network = t:start { 'up', 'net.lua', '--json' } -- a front that shows no output
  functional.wait('all to be up', function() return t:run({ 'wait' }).code == 0 end)
  return network, t:path(t:state('control%.sock$')[1]), network:roles().engine
end

local function node(t, script, ...) return t:start({ NODE .. script, ... }, { program = 'node' }) end

local function curl(t, socket, path, ...)
  local words = { '-sS', '--max-time', '60', '--unix-socket', socket, '-o', t:path 'answer', '-w', '%{http_code}', 'http://x' .. path, ... }
  local result = t:run(words, { program = 'curl' })
  return tonumber(result.out), t:read 'answer', result
end

-- The network answers, and nothing has happened to what it runs.
local function undisturbed(t, pid)
  local services = t:ps()
  assert.same({ 'running', pid }, { services.web.status, services.web.pid })
  local result = t:run { 'eval', '6 * 7' }
  assert.equal('42\n', result.out, result.err)
end

local function anonymous_kb(pid) return procfs.status(pid, 'RssAnon') end

describe('clients', function()
  case('fault 55: fifty follow a flood and lose nothing that they are not told of', function(t)
    local _, socket = up(t)
    local pid = t:ps().web.pid
    local flood = node(t, 'follow.js', socket, '/v1/services/flood/logs?follow=1&lines=5', '50', '2000')
    local steady = node(t, 'follow.js', socket, '/v1/logs?ids=steady&follow=true&lines=50', '10', '500')
    for _ = 1, 3 do undisturbed(t, pid) end
    for client, count in pairs { [flood] = 50 * 2000, [steady] = 10 * 500 } do
      local result = client:wait(90)
      assert.equal(0, result.code, result.out .. result.err)
      assert.is_true(cjson.decode(result.out).lines >= count, result.out)
    end
    assert.equal(0, cjson.decode(steady:out()).missed)
    undisturbed(t, pid)
  end)

  case('fault 55: those that stop reading slow nobody, cost little, and are told what they missed', function(t)
    local _, socket, engine = up(t)
    local pid = t:ps().web.pid
    local before = anonymous_kb(engine)
    local stopped = node(t, 'follow.js', socket, '/v1/logs?ids=flood&follow=1&lines=1', '20', '3000', t:path 'paused')
    functional.wait('all to stop', function() return t:exists 'paused' end)
    local written = function() return tonumber(t:run({ 'eval', 'svc.flood:tail(1)' }).out:match '%d+') end
    local first = written()
    functional.wait('much more to be written', function() return written() > first + 3000000 end)
    undisturbed(t, pid)
    if not functional.sanitized then
      local grown = anonymous_kb(engine) - before
      assert.is_true(grown < 16 * MB, ('%d KB more with 20 clients that stand still'):format(grown))
    end
    os.remove(t:path 'paused')
    local result = stopped:wait(90)
    assert.equal(0, result.code, result.out .. result.err)
    assert.is_true(cjson.decode(result.out).missed > 20 * 1000000, result.out)
  end)

  case('fault 55: one that stops reading events keeps them from nobody', function(t)
    local _, socket = up(t)
    local pid = t:ps().web.pid
    t:file('stand.js', [[
      const http = require('http')
      http.get({ socketPath: process.argv[2], path: '/v1/events?follow=1' }, answer => { answer.pause(); console.log('stands') })
      setInterval(() => {}, 1000)
    ]])
    local stands = t:start({ t:path 'stand.js', socket }, { program = 'node' })
    stands:expect 'stands'
    local emit = 'local text = ("x"):rep(1000) for i = 1, 2000 do pact.emit("load:tick", { text = text, number = i }) end'
    for _ = 1, 3 do assert.equal(0, t:run({ 'eval', emit }).code) end
    assert.equal(6000, select(2, t:run({ 'events', '--json' }).out:gsub('"name":"load:tick"', '')))
    undisturbed(t, pid)
    stands:signal 'KILL'
  end)

  case('fault 55: killed in the middle of a request or an answer, they leave nothing', function(t)
    local _, socket, engine = up(t)
    local pid = t:ps().web.pid
    local function open() return procfs.descriptors(engine) end
    functional.wait('their logs', function() return #t:state '/flood%.log$' == 1 and #t:state '/steady%.log$' == 1 end)
    local before = open()
    for _ = 1, 3 do
      local follower = t:start({ '-sSN', '--unix-socket', socket, 'http://x/v1/logs?ids=steady&follow=1' }, { program = 'curl' })
      functional.wait('lines', function() return #follower:out() > 1000 end)
      follower:signal 'KILL'
      assert.equal(9, node(t, 'odd.js', socket, 'die'):wait().signal)
      local evaluates = t:start({ '-sS', '--unix-socket', socket, 'http://x/v1/eval', '-d', 'pact.sleep "1h"' }, { program = 'curl' })
      functional.wait('its request', function() return open() > before end)
      evaluates:signal 'KILL'
      undisturbed(t, pid)
    end
    functional.wait('all to be closed', function() return open() <= before end)
  end)

  case('fault 55: half a request and then silence is answered 408 after a while', function(t)
    local _, socket = up(t)
    local pid = t:ps().web.pid
    local silent = node(t, 'odd.js', socket, 'silence')
    undisturbed(t, pid)
    local found = cjson.decode(silent:wait().out)
    assert.equal('HTTP/1.1 408 Request Timeout', found.got)
    assert.is_true(found.ms > 5000, found.ms)
    undisturbed(t, pid)
  end)

  case('fault 55: a body of 100 MB is refused, and not kept', function(t)
    local _, socket, engine = up(t)
    local pid = t:ps().web.pid
    os.execute(('truncate -s 100M %s'):format(functional.quote(t:path 'large')))
    local before = anonymous_kb(engine)
    for _, path in ipairs { '/v1/eval', '/v1/services/web/stop', '/v1/nothing' } do
      assert.equal(413, (curl(t, socket, path, '--data-binary', '@' .. t:path 'large')), path)
      assert.equal(413, (curl(t, socket, path, '-X', 'POST', '-H', 'Transfer-Encoding: chunked', '-T', t:path 'large')), path)
    end
    if not functional.sanitized then assert.is_true(anonymous_kb(engine) - before < 8 * MB) end
    undisturbed(t, pid)
  end)

  case('fault 55: what is no HTTP is refused', function(t)
    local _, socket = up(t)
    local pid = t:ps().web.pid
    local answers = cjson.decode(node(t, 'odd.js', socket, 'garbage'):wait().out)
    for i, answer in ipairs(answers) do
      assert.truthy(answer:find '^HTTP/1%.1 [45]%d%d ' or answer == '', ('%d: %s'):format(i, answer))
    end
    undisturbed(t, pid)
  end)

  case('fault 55: four hundred at once are answered, or told that they are too many', function(t)
    local _, socket = up(t)
    local pid = t:ps().web.pid
    local tally = cjson.decode(node(t, 'odd.js', socket, 'crowd', '400'):wait().out)
    assert.is_nil(tally.none)
    assert.equal(400, (tally['200'] or 0) + (tally['503'] or 0), cjson.encode(tally))
    undisturbed(t, pid)
  end)

  local root = procfs.read('/proc/self/status'):match 'Uid:%s+(%d+)' == '0'
  case('fault 55: one of another user is not let in', function(t)
    local _, socket = up(t)
    local pid = t:ps().web.pid
    local function as_stranger(...)
      return t:run({ '--reuid=65534', '--regid=65534', '--clear-groups', ... }, { program = 'setpriv' })
    end
    local function stranger(...)
      return as_stranger('curl', '-sS', '--max-time', '10', '--unix-socket', socket, ...)
    end
    for _, path in ipairs { socket, (socket:match '^(.*)/') } do
      local pipe <close> = io.popen('stat -c %a ' .. functional.quote(path))
      assert.equal(path == socket and '600\n' or '700\n', pipe:read 'a')
    end
    assert.equal(7, stranger('http://x/v1/status').code) -- can't even reach it
    -- Where somebody has opened the way, it is still asked who comes.
    os.execute(('chmod 666 %s && chmod 755 %s'):format(socket, socket:match '^(.*)/'))
    assert.equal(0, as_stranger('test', '-w', socket).code)
    for _, words in ipairs { { 'http://x/v1/status' }, { 'http://x/v1/eval', '-d', 'io.open("evil", "w"):close()' } } do
      local result = stranger(table.unpack(words))
      assert.not_equal(0, result.code) -- sometimes before it has connected
      assert.equal('', result.out)
    end
    assert.is_false(t:exists 'evil')
    undisturbed(t, pid)
  end, not root and 'only root can be somebody else')
end)
