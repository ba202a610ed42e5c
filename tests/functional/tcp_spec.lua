--- The control protocol over TCP, as curl, node and rude clients use it.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

local SITE = 'http://localhost:5173'
local RECIPE = [[
  pact.process 'db' { command = { 'sleep', '1000' }, env = { DB_PASSWORD = 'hunter2' } }
  pact.process 'web' { shell = 'env >env; exec sleep 1000', depends_on = { 'db' } }
]]

local function up(t, opts, address, ...)
  t:recipe(RECIPE)
  return t:start({ 'up', 'net.lua', '--listen', address, ... }, opts)
end

-- A network that listens; gives what is needed to ask: the address, the token, and a function that asks by curl.
local function network(t, opts, ...)
  local started = up(t, opts, '0', ...)
  started:expect 'all ready'
  local url = started:out():match 'the control API listens on (http://127%.0%.0%.1:%d+); token: see '
  local token = t:read(t:state('/token$')[1]):gsub('\n', '')
  local function ask(path, ...)
    local words = { '-sS', '--max-time', '20', '--path-as-is', '-w', '\n%{http_code}', '-H', 'authorization: Bearer ' .. token,
      url .. path, ... }
    local result = t:run(words, { program = 'curl' })
    local body, status = result.out:match '^(.*)\n(%d+)$'
    return tonumber(status), body, result
  end
  return ask, { url = url, token = token, port = url:match '%d+$', started = started }
end

-- Without our header.
local function plain(t, url, ...)
  local result = t:run({ '-sS', '--max-time', '20', '-i', url, ... }, { program = 'curl' })
  return tonumber(result.out:match '^HTTP/1.1 (%d+)'), result.out
end

describe('the control API over TCP', function()
  case('lets in who has the token, and says to others why not', function(t)
    local ask, at = network(t)
    local status, body = ask '/v1/services'
    assert.equal(200, status)
    assert.equal(2, #cjson.decode(body).services)
    local rows = {
      { 401, 'token' },
      { 401, 'token', '-H', 'authorization: Bearer wrong' },
      { 401, 'token', '-H', 'authorization: Basic ' .. at.token },
      { 421, 'host', '-H', 'authorization: Bearer ' .. at.token, '-H', 'host: evil.test' },
      { 421, 'host', '-H', 'authorization: Bearer ' .. at.token, '-H', 'host: evil.test:' .. at.port },
      { 403, 'origin', '-H', 'authorization: Bearer ' .. at.token, '-H', 'origin: http://evil.test' },
      { 403, 'origin', '-H', 'authorization: Bearer ' .. at.token, '-H', 'origin: null' },
      { 403, 'origin', '-X', 'OPTIONS', '-H', 'origin: http://evil.test', '-H', 'access-control-request-method: POST' },
    }
    for _, row in ipairs(rows) do
      local got, answer = plain(t, at.url .. '/v1/services', table.unpack(row, 3))
      assert.equal(row[1], got, answer)
      assert.truthy(answer:find(('"code":"%s"'):format(row[2]), 1, true), answer)
      assert.is_nil(answer:lower():find 'access%-control')
      assert.equal(row[1] == 401, answer:lower():find('www-authenticate: bearer realm="pactlua"', 1, true) ~= nil)
    end
    assert.equal(401, (plain(t, at.url .. '/v1/services?token=' .. at.token)))
  end)

  case('does what the socket does, but for secrets as they are', function(t)
    local ask = network(t)
    assert.equal(200, (ask('/v1/services/web/restart', '-X', 'POST')))
    local status, body = ask('/v1/eval', '-d', '6 * 7')
    assert.same({ 200, { '42' } }, { status, cjson.decode(body).values })
    status, body = ask '/v1/services/db/env'
    assert.same({ 200, '********' }, { status, cjson.decode(body).env.DB_PASSWORD })
    status, body = ask '/v1/services/db/surroundings'
    assert.equal(403, status)
    assert.is_nil(body:find('hunter2', 1, true))
    assert.equal(403, (ask '/v1/session'))
    assert.equal(200, (ask('/v1/shutdown', '-X', 'POST')))
  end)

  case('keeps the token in a file of the user alone, out of logs, journal and environments', function(t)
    local _, at = network(t)
    local file = t:state('/token$')[1]
    assert.equal('600', io.popen('stat -c %a ' .. t:path(file)):read 'l')
    assert.truthy(at.token:find '^%x+$')
    assert.equal(48, #at.token)
    local found = io.popen(('grep -rl %s %s/.pactlua %s/.run'):format(at.token, t.dir, t.dir)):read 'a'
    assert.equal(t:path(file) .. '\n', found)
    local ps = t:run { 'ps' }
    assert.truthy(ps.out:find(('control API: %s, token in %s\n'):format(at.url, t:path(file)), 1, true), ps.out)
    t:run { 'down' }
    at.started:wait()
    assert.same({}, t:state '/token$')
  end)

  case('leaves no token behind when its engine is killed', function(t)
    local _, at = network(t)
    at.started:signal('KILL', at.started:roles().engine)
    at.started:wait()
    assert.same({}, t:state '/token$')
  end)

  case('takes the token of PACTLUA_TOKEN, which no service gets', function(t)
    local token = 'given-by-the-environment'
    local ask, at = network(t, { env = { PACTLUA_TOKEN = token } })
    assert.equal(token, at.token)
    assert.equal(200, (ask '/v1/status'))
    assert.is_nil((t:read 'env'):find(token, 1, true))
    local result = up(t, { env = { PACTLUA_TOKEN = 'short', PACTLUA_PROJECT = 'other' } }, '0'):wait()
    assert.equal(1, result.code)
  end)

  case('a port that is taken names its holder; nothing starts', function(t)
    local _, at = network(t)
    t:recipe([[ pact.process 'p' { command = { 'touch', 'ran' } } ]], 'second/net.lua')
    local result = t:run({ 'up', 'net.lua', '--listen', at.port }, { cwd = t:path 'second' })
    assert.equal(1, result.code)
    assert.truthy(result.err:find(('--listen 127.0.0.1:%s: port %s is taken by pid %d '):format(at.port, at.port,
      at.started:roles().engine), 1, true), result.err)
    assert.is_false(t:exists 'second/ran')
    for _, path in ipairs { 'control.sock', 'token' } do
      assert.is_false(t:exists('second/.pactlua/second-net/' .. path))
    end
  end)

  case('listens where it is told, and warns where others get in', function(t)
    for _, row in ipairs { { '[::1]:0', '[::1]', false }, { 'localhost:0', '127.0.0.1', false }, { '0.0.0.0:0', '127.0.0.1', true } } do
      local started = up(t, nil, row[1])
      local out = started:expect 'all ready'
      local port = out:match 'listens on http://%S+:(%d+);'
      assert.equal(row[3], out:find('warning: other machines reach', 1, true) ~= nil, out)
      assert.equal(401, (plain(t, ('http://%s:%s/v1/status'):format(row[2], port), '-g')))
      t:run { 'down' }
      started:wait()
    end
    for _, bad in ipairs { 'evil.test:80', '70000', 'x', '127.0.0.1' } do
      local result = t:run { 'up', 'net.lua', '--listen', bad }
      assert.equal(2, result.code)
      assert.truthy(result.err:find('--listen must be a port or an address in numbers such as 127.0.0.1:4000', 1, true), result.err)
    end
    assert.equal(2, t:run({ 'up', 'net.lua', '--listen', '0', '--allow-origin', '*' }).code)
    assert.equal(2, t:run({ 'up', 'net.lua', '--allow-origin', SITE }).code)
  end)

  case('lets the pages of a site in that is named', function(t)
    local ask, at = network(t, nil, '--allow-origin', SITE)
    local status, answer = plain(t, at.url .. '/v1/eval', '-X', 'OPTIONS', '-H', 'origin: ' .. SITE,
      '-H', 'access-control-request-method: POST', '-H', 'access-control-request-headers: authorization')
    assert.equal(204, status, answer)
    assert.truthy(answer:find('access-control-allow-origin: ' .. SITE .. '\r\n', 1, true), answer)
    assert.truthy(answer:find('access%-control%-allow%-headers: [^\r]*authorization'), answer)
    status, answer = ask('/v1/eval', '-i', '-H', 'origin: ' .. SITE, '-d', '1')
    assert.equal(200, status)
    assert.truthy(answer:find('access-control-allow-origin: ' .. SITE .. '\r\n', 1, true), answer)
    assert.equal(403, (plain(t, at.url .. '/v1/eval', '-H', 'origin: http://localhost:5174')))
  end)

  case('streams events, as lines and as server-sent ones', function(t)
    local ask, at = network(t, nil, '--allow-origin', SITE)
    local _, lines = ask '/v1/events'
    assert.equal('started', cjson.decode(lines:match '^[^\n]+').name)
    local words = { '-sSN', '-i', '--max-time', '60', '-H', 'authorization: Bearer ' .. at.token, at.url .. '/v1/events?follow=1' }
    local follower = t:start(words, { program = 'curl' })
    local sse = t:start({ '-H', 'accept: text/event-stream', '-H', 'origin: ' .. SITE, table.unpack(words) }, { program = 'curl' })
    follower:expect 'all_ready'
    sse:expect 'all_ready'
    ask('/v1/services/web/stop', '-X', 'POST')
    follower:expect '"name":"stopped"'
    assert.truthy(sse:expect('"name":"stopped"'):find('\nid: 1\ndata: {', 1, true))
    assert.truthy(sse:out():find('access-control-allow-origin: ' .. SITE .. '\r\n', 1, true), sse:out())
    t:run { 'down' }
    assert.equal(0, follower:wait().code) -- whole, to the last event
    assert.truthy(follower:out():find('"name":"shutdown"', 1, true))
  end)

  case('answers one request after another on a connection', function(t)
    local _, at = network(t)
    local words = { '-sS', '--max-time', '20', '-H', 'authorization: Bearer ' .. at.token, '-w', '%{num_connects}\n' }
    for _ = 1, 3 do table.move({ '-o', '/dev/null', at.url .. '/v1/status' }, 1, 3, #words + 1, words) end
    assert.equal('1\n0\n0\n', t:run(words, { program = 'curl' }).out)
  end)

  case('is not impressed by tricks', function(t)
    local ask, at = network(t)
    for path, expected in pairs {
      ['/v1/../v1/status'] = 404, ['//v1/status'] = 404, ['/v1/services/%2e%2e/status'] = 404, ['/v1/status/'] = 404,
      ['/v1/services/web%2Fsurroundings'] = 403, ['/v1/services/%00'] = 400, ['/v1/services/%ff'] = 400,
      ['/V1/STATUS'] = 404, ['/v1/services/web/surroundings/'] = 404, ['/v1/services/web/%73urroundings'] = 403,
    } do
      assert.equal(expected, (ask(path)), path)
    end
    -- what goes both ways is asked for like everything else
    for header, expected in pairs { ['authorization: Bearer ' .. at.token] = 409, ['authorization: none'] = 401 } do
      assert.equal(expected, (plain(t, at.url .. '/v1/services/web/attach', '-H', 'connection: upgrade', '-H', 'upgrade: pactlua/1',
        '-H', header)))
    end
    -- a gigabyte announced, with the token and without: refused at once, nothing of it is read
    for _, words in ipairs { { '-H', 'authorization: Bearer ' .. at.token }, {} } do
      local status = plain(t, at.url .. '/v1/eval', '-X', 'POST', '-H', 'content-length: 1000000000', '-H', 'expect:', '-d', 'x',
        table.unpack(words))
      assert.equal(413, status)
    end
    assert.equal(413, (plain(t, at.url .. '/v1/eval', '-H', 'transfer-encoding: chunked', '-H', 'expect:', '--data-binary', '@' .. functional.bin)))
    assert.equal(431, (plain(t, at.url .. '/v1/status', '-H', 'x: ' .. ('x'):rep(70000))))
    assert.equal(200, (ask '/v1/status'))
  end)

  case('gives a slow head ten seconds and no more', function(t)
    local _, at = network(t)
    t:file('slow.py', ([[
import socket, time
s = socket.create_connection(('127.0.0.1', %s))
began = time.monotonic()
s.sendall(b'GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n')
s.settimeout(0.3)
while True:
    try:
        got = s.recv(1000)
        break
    except TimeoutError:
        s.sendall(b'x: y\r\n')
print(got[:12].decode(), 8 < time.monotonic() - began < 60)
]]):format(at.port, at.port))
    local slow = t:start({ 'slow.py' }, { program = 'python3' })
    assert.equal(408, tonumber(slow:wait().out:match '^HTTP/1.1 (%d+) True\n'), slow:out())
  end, not os.execute 'command -v python3 >/dev/null' and 'python3 is missing')

  case('is read by a page\'s fetch, header and all (node)', function(t)
    local _, at = network(t)
    t:file('client.mjs', ([[
      const headers = { authorization: 'Bearer %s', accept: 'text/event-stream' };
      const answer = await fetch('%s/v1/events?follow=1', { headers });
      let text = '';
      for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
        text += piece;
        if (text.includes('all_ready')) break;
      }
      console.log(answer.status, text.startsWith('id: 1\ndata: {'));
      process.exit();
    ]]):format(at.token, at.url))
    assert.equal('200 true\n', t:run({ 'client.mjs' }, { program = 'node' }).out)
  end, not os.execute 'command -v node >/dev/null' and 'node is missing')

  case('listens also beside run, ci and --detach', function(t)
    t:recipe(RECIPE)
    local result = t:run { 'run', 'net.lua', '--listen', '0', '--', 'sh', '-c', 'echo $PACTLUA_TOKEN; cat .pactlua/*/token | wc -c' }
    assert.equal('\n49\n', result.out)
    assert.truthy(result.err:find('the control API listens on http://127.0.0.1:', 1, true), result.err)
    result = t:run { 'up', 'net.lua', '--listen', '0', '--detach' }
    assert.equal(0, result.code, result.err)
    local status = cjson.decode(t:run({ '-sS', '--unix-socket', t:path(t:state('control%.sock$')[1]), 'http://x/v1/status' },
      { program = 'curl' }).out)
    assert.equal(401, (plain(t, status.listens.url .. '/v1/status')))
    t:run { 'down' }
    t:wait_clean()
  end)
end)
