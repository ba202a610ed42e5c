--- Workers: Lua inside the engine's loop, and the HTTP servers they run.
local cjson = require 'cjson'
local functional = require 'functional'
local case = functional.case

local CLIENTS = functional.fixtures .. 'clients'

local function output_of(command)
  local pipe = io.popen(command .. ' 2>&1')
  local out = pipe:read 'a'
  pipe:close()
  return out
end

-- A worker `w` on a free port with this body behind `options = `; gives the network and the port.
local function serve(t, options, more)
  local network = t:up(([[
    %s
    pact.worker 'w' { run = function(self)
      local options = %s
      options.listen = options.listen or 0
      self:http_server(options)
    end }
  ]]):format(more or '', options))
  local service = t:wait_service('w', { status = 'running' })
  return network, service.ports.http
end

-- A port nobody listens on; asks pactlua itself.
local function free_port(t)
  local recipe = t:recipe(([[
    local file <close> = io.open('%s', 'w')
    file:write(pact.free_port 'x')
    pact.task 'a' { command = { 'true' } } ]]):format(t:path 'port'), 'port.lua')
  assert.equal(0, t:run({ 'check', recipe }).code)
  return tonumber(t:read 'port')
end

local function curl(port, path, words)
  return output_of(('curl -s -m 20 %s http://127.0.0.1:%d%s'):format(words or '', port, path))
end

-- What a raw connection hears to this text, until the server closes it; says so if it doesn't.
local function raw(port, text)
  local script = ('exec 3<>/dev/tcp/127.0.0.1/%d; printf %%b %s >&3; timeout 60 cat <&3; test $? != 124 || echo "[still open]"')
    :format(port, functional.quote(text))
  return output_of('bash -c ' .. functional.quote(script))
end

describe('a worker', function()
  case('of the document answers JSON, in the service\'s own port', function(t)
    local _, port = serve(t, [[{ handler = function(req) return { json = { ok = true } } end }]])
    assert.same({ ok = true }, cjson.decode(curl(port, '/anything')))
    assert.truthy(curl(port, '/', '-i'):find 'HTTP/1.1 200 OK\r\n.-application/json')
  end)

  case('prints into its log, and so does Lua\'s own print', function(t)
    local network = t:up [[
      pact.worker 'w' { run = function(self)
        self:print('one', 2)
        print 'three'
        io.write 'four\n'
      end }
    ]]
    local result = network:wait()
    assert.equal(0, result.code)
    assert.equal('one\t2\nthree\nfour\n', t:read('.pactlua/' .. t:state '/w%.log$'[1]:match '^%.pactlua/(.*)$'))
  end)

  case('that raises is started again by its policy; the log says where', function(t)
    local network = t:up [[
      local lives = 0
      pact.worker 'w' { restart = { delay = '50ms', max_retries = 2 }, run = function(self)
        lives = lives + 1
        self:print('life ' .. lives)
        local nothing
        if lives < 3 then return nothing.field end
        self:sleep '1h'
      end }
    ]]
    t:wait_service('w', { status = 'running' })
    network:expect 'life 3'
    network:expect 'net.lua:6: attempt to index a nil value (local \'nothing\')'
    network:expect 'stack traceback:'
  end)

  case('that hogs the processor is interrupted, even inside its own pcall; others go on', function(t)
    local network = t:up [[
      pact.process 'p' { command = { 'sleep', '1000' } }
      pact.worker 'w' { restart = { policy = 'no' }, run = function()
        while true do pcall(function() while true do end end) end
      end }
    ]]
    network:expect 'interrupted: ran for more than 250 ms without waiting'
    t:wait_service('w', { status = 'failed' })
    t:wait_service('p', { status = 'running' })
  end)

  case('whose variables hog the processor while they are closed is stopped all the same', function(t)
    local network = t:up [[
      pact.worker 'w' { run = function(self)
        local _ <close> = setmetatable({}, { __close = function() while true do pcall(function() while true do end end) end end })
        local second <close> = setmetatable({}, { __close = function() self:print 'second closed' end })
        self:sleep '1h'
      end }
    ]]
    t:wait_service('w', { status = 'running' })
    network:signal 'TERM'
    local result = network:wait()
    assert.truthy(result.out:find('second closed', 1, true), result.out)
    assert.truthy(result.out:find('stopped by the shutdown', 1, true), result.out)
  end)

  case('lives as long as its servers and timers, and so does the network', function(t)
    local result = t:up([[
      pact.worker 'w' { run = function(self)
        local n, timer = 0
        timer = self:every('20ms', function()
          n = n + 1
          self:print(n)
          if n == 3 then timer.off() end
        end)
      end }
    ]]):wait()
    assert.equal(0, result.code)
    assert.truthy(result.out:find '| 3\n', result.out)
  end)

  case('restarted by hand serves again on the same port at once', function(t)
    local network, port = serve(t, [[{ handler = function() return tostring(self.epoch) end, listen = pact.free_port 'w' }]])
    assert.equal('1', curl(port, '/'))
    for epoch = 2, 4 do
      assert.equal(0, t:run({ 'restart', 'w' }).code)
      t:wait_service('w', { status = 'running', epoch = epoch })
      assert.equal(tostring(epoch), curl(port, '/'))
    end
    assert.equal(0, t:run({ 'stop', 'w' }).code)
    network:expect 'stopped: stopped by hand'
    assert.equal('', curl(port, '/'))
  end)

  case('whose port is taken fails at once, and the holder is named', function(t)
    local port = free_port(t)
    t:file('mood', '200 ok')
    local holder = t:start({ tostring(port), t:path 'mood' }, { program = functional.fixtures .. 'web' })
    functional.wait('the holder', function() return curl(port, '/') ~= '' end)
    local result = t:up(([[ pact.worker 'w' { run = function(self)
      self:http_server { listen = %d, handler = function() return 'x' end }
    end } ]]):format(port)):wait()
    assert.equal(3, result.code)
    local all = result.out .. result.err
    assert.truthy(all:find(('port %d is taken by pid %d (%s'):format(port, holder.pid, functional.fixtures), 1, true), all)
    assert.is_nil(all:find('backoff', 1, true), all)
  end)

  case('is probed like any service, and dependents are told its address', function(t)
    t:up [[
      local port = pact.free_port 'w'
      pact.worker 'w' { ports = { port }, health = { http = ('http://127.0.0.1:%d/health'):format(port), interval = '50ms' },
        run = function(self)
          self:sleep '200ms'
          self:http_server { routes = { ['GET /health'] = 'well' } }
        end }
      pact.process 'p' { shell = 'curl -s $W_URL/health >got; sleep 1000', depends_on = { w = 'healthy' } }
    ]]
    t:wait_service('w', { status = 'running', health = 'healthy' })
    functional.wait('the answer', function() return t:read 'got' == 'well' end)
  end)

  case('serves on a Unix socket, which goes with it', function(t)
    local network = t:up [[
      pact.worker 'w' { run = function(self)
        self:http_server { listen = 'unix:w.sock', handler = function(req) return req.path end }
      end }
    ]]
    t:wait_service('w', { status = 'running' })
    assert.equal('/a b', output_of(('curl -s --unix-socket %s http://x/a%%20b'):format(t:path 'w.sock')))
    network:signal 'TERM'
    network:wait()
    assert.is_false(t:exists 'w.sock')
  end)
end)

describe('its HTTP server', function()
  case('has routes, parameters, bodies and mistakes', function(t)
    local _, port = serve(t, [[{ routes = {
      ['GET /items/:id'] = function(req) return { json = { id = req.params.id, q = req.query.q } } end,
      ['POST /items'] = function(req) return { status = 201, json = { size = #req.body, n = req:json().n } } end,
      ['GET /boom'] = function() error 'my mistake' end,
      ['GET /wait'] = function() pact.sleep '100ms' return pact.exec { 'echo', 'hi' }.stdout end,
      ['GET /page'] = function() return { file = 'page.html' } end,
      ['GET /cookies'] = { text = 'x', headers = { ['Set-Cookie'] = { 'a=1', 'b=2' }, ['X-Bad'] = 'fine' } },
      ['GET /split'] = function() return { text = 'x', headers = { ['X-Bad'] = 'a\r\nSet-Cookie: c=3' } } end,
      ['GET /teapot'] = function() return 418 end,
    } }]])
    t:file('page.html', '<h1>')
    assert.same({ id = 'a b', q = '1 2' }, cjson.decode(curl(port, '/items/a%20b?q=1+2')))
    assert.same({ size = 7, n = 5 }, cjson.decode(curl(port, '/items', [[-d '{"n":5}']])))
    assert.truthy(curl(port, '/items', '-i -d "{"'):find 'HTTP/1.1 400 .-the body is no JSON')
    assert.truthy(curl(port, '/none', '-i'):find 'HTTP/1.1 404 ')
    assert.truthy(curl(port, '/teapot', '-i'):find '^HTTP/1.1 418 \r\n')
    assert.truthy(curl(port, '/items', '-i -X DELETE'):find 'HTTP/1.1 405 .-allow: POST')
    assert.equal('hi\n', curl(port, '/wait'))
    assert.truthy(curl(port, '/page', '-i'):find 'text/html.-<h1>')
    assert.truthy(curl(port, '/cookies', '-i'):find 'set%-cookie: a=1\r\nset%-cookie: b=2\r\n')
    assert.truthy(curl(port, '/split', '-i'):find "HTTP/1.1 500 .-header 'x%-bad' can't be sent")
    assert.truthy(curl(port, '/boom', '-i'):find 'HTTP/1.1 500 .-net.lua:6: my mistake')
    assert.truthy(curl(port, '/items/1', '-I'):find 'HTTP/1.1 200 OK\r\nContent%-Length: 10\r\n')
    assert.equal('running', t:wait_service('w', { status = 'running' }).status)
  end)

  case('a handler that waits holds no other up, one that hogs is a 500', function(t)
    local _, port = serve(t, [[{ routes = {
      ['GET /slow'] = function()
        while not pact.file.exists 'go' do pact.sleep '20ms' end
        return 'slow'
      end,
      ['GET /fast'] = 'fast',
      ['GET /hog'] = function() while true do end end,
    } }]])
    local slow = io.popen(('curl -s http://127.0.0.1:%d/slow'):format(port))
    assert.equal('fast', curl(port, '/fast'))
    assert.truthy(curl(port, '/hog', '-i'):find 'HTTP/1.1 500 .-interrupted: ran for more than 250 ms')
    assert.equal('fast', curl(port, '/fast'))
    t:file('go', '')
    assert.equal('slow', slow:read 'a')
    slow:close()
  end)

  case('a large body is refused with 413 while it is still being sent', function(t)
    local _, port = serve(t, [[{ max_body = '100k', handler = function(req) return tostring(#req.body) end }]])
    local big = "head -c 50000000 /dev/zero | curl -s -m 20 -i -H 'Expect:' --data-binary @- http://127.0.0.1:%d/"
    assert.truthy(output_of(big:format(port)):find 'HTTP/1.1 413 ')
    local chunked = "head -c 50000000 /dev/zero | curl -s -m 20 -i -T - http://127.0.0.1:%d/"
    assert.truthy(output_of(chunked:format(port)):find 'HTTP/1.1 413 ')
    assert.equal('100000', output_of(("head -c 100000 /dev/zero | curl -s -T - http://127.0.0.1:%d/"):format(port)))
  end)

  case('malformed requests get their answers, and disturb nobody', function(t)
    local _, port = serve(t, [[{ handler = function() return 'ok' end }]])
    for _, row in ipairs {
      { 'hello\\r\\n\\r\\n', 400 }, { 'GET /%zz HTTP/1.1\\r\\n\\r\\n', 400 }, { 'GET / HTTP/7.7\\r\\n\\r\\n', 505 },
      { 'POST / HTTP/1.1\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n', 400 },
      { 'POST / HTTP/1.1\\r\\nContent-Length: x\\r\\n\\r\\n', 400 },
      { 'POST / HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n', 400 },
      { 'GET /' .. ('a'):rep(9000) .. ' HTTP/1.1\\r\\n\\r\\n', 414 },
      { 'GET / HTTP/1.1\\r\\nX: ' .. ('a'):rep(70000) .. '\\r\\n\\r\\n', 431 },
    } do
      local answer = raw(port, row[1])
      assert.truthy(answer:find('^HTTP/1.1 ' .. row[2] .. ' '), row[1]:sub(1, 60) .. ' gave ' .. answer:sub(1, 200))
    end
    assert.equal('ok', curl(port, '/'))
    local pipelined = raw(port, 'GET /1 HTTP/1.1\\r\\n\\r\\nHEAD /2 HTTP/1.1\\r\\n\\r\\n' .. 'GET /3 HTTP/1.0\\r\\n\\r\\n')
    assert.equal(3, select(2, pipelined:gsub('HTTP/1.1 200 OK', '')))
    assert.equal(2, select(2, pipelined:gsub('\r\n\r\nok', '')))
  end)

  case('a slow client is told 408, an idle one is closed', function(t)
    local _, port = serve(t, [[{ head_timeout = '200ms', body_timeout = '300ms', idle_timeout = '400ms',
      handler = function() return 'ok' end }]])
    assert.truthy(raw(port, 'GET / HTTP/1.1\\r\\nX: lo'):find "^HTTP/1.1 408 .-the request wasn't complete within 200ms")
    assert.truthy(raw(port, 'POST / HTTP/1.1\\r\\nContent-Length: 5\\r\\n\\r\\nab'):find "^HTTP/1.1 408 .-the request's body")
    assert.equal('', raw(port, ''))
  end)

  case('a stream comes piece by piece; a client that leaves ends it, and its variables are closed', function(t)
    local network, port = serve(t, [[{ routes = {
      ['GET /count'] = function() return function(write) for i = 1, 3 do write(i .. '\n') pact.sleep '50ms' end end end,
      ['GET /events'] = function(req)
        local last <close> = setmetatable({}, { __close = function() self:print 'closed' end })
        local events = req:events()
        for n = 1, math.huge do
          events:send('tick', { n = n })
          pact.sleep '20ms'
        end
      end,
    } }]])
    assert.equal('1\n2\n3\n', curl(port, '/count'))
    assert.truthy(curl(port, '/count', '-i'):find 'Transfer%-Encoding: chunked')
    local events = output_of(('timeout 1 curl -sN http://127.0.0.1:%d/events'):format(port))
    assert.equal('event: tick\ndata: {"n":1}\n\nevent: tick\ndata: {"n":2}\n\n', events:sub(1, 54))
    network:expect '| closed'
  end)

  case('a stream may go on for long to a client that takes all of it at once', function(t)
    local _, port = serve(t, [[{ handler = function(req)
      local events = req:events()
      for n = 1, 60000 do events:send('tick', { n = n }) end
      events:send('over', 'x')
    end }]])
    local counted = output_of(('curl -sN -m 60 http://127.0.0.1:%d/ | grep -c "^event: "; echo $?'):format(port))
    assert.equal('60001\n0\n', counted)
  end)

  case('a fast stream waits for a slow client: memory stays', function(t)
    local network, port = serve(t, [[{ handler = function() return function(write)
      local piece = ('x'):rep(65536)
      for _ = 1, 3200 do write(piece) end
      self:print 'all written'
    end end }]])
    local engine = network:roles().engine
    local function rss() return functional.procfs.status(engine, 'VmRSS') end
    local most = functional.sanitized and 1e6 or 20000 -- a sanitizer keeps what is freed for a while
    local before = rss()
    local slow = io.popen(('curl -s --limit-rate 200M http://127.0.0.1:%d/ | (until [ -e %s ]; do sleep 0.05; done; wc -c)')
      :format(port, functional.quote(t:path 'go')))
    functional.wait('some of it', function() return rss() > before end)
    assert.is_nil(network:out():find('all written', 1, true))
    assert.is_true(rss() - before < most, 'memory grew')
    t:file('go', '')
    assert.equal(tostring(3200 * 65536), slow:read('a'):match '%d+')
    slow:close()
    network:expect 'all written'
    assert.is_true(rss() - before < most, 'memory grew')
  end)

  case('a thousand connections at once are served, and those beyond are told', function(t)
    local _, port = serve(t, [[{ handler = function() return 'ok' end }]])
    local ok, refused, other, rate = output_of(('%s %d 1000 3000 /'):format(CLIENTS, port)):match '(%d+) (%d+) (%d+) (%d+)'
    assert.same({ '3000', '0', '0' }, { ok, refused, other })
    print(('      %s requests a second over 1000 connections'):format(rate))
    ok, refused = output_of(('%s %d 1010 1010 /'):format(CLIENTS, port)):match '(%d+) (%d+)'
    assert.same({ '1000', '10' }, { ok, refused })
    assert.equal('ok', curl(port, '/'))
  end)
end)
