local exchange = require 'pact.drivers.worker.exchange'
local json = require 'pact.base.json'
local network = require 'network'
local router = require 'pact.drivers.worker.router'

describe('the HTTP server of a worker', function()
  local net, web

  -- A worker that serves with these options on 8081.
  local function serve(options, run)
    options.listen = 8081
    net = network.new { { 'w', {
      kind = 'worker', command = false, cwd = '/srv',
      run = run or function(self) self:http_server(options) end,
    } } }
    web = net.world.web
    net:up(10)
    assert.equal('running', net:status 'w', net.sup:snapshot('w').reason)
  end

  local function begin(method, path, opts)
    local id = assert(web.ask(8081, method, path, opts))
    net.world:advance(1)
    return id, web.answers[id]
  end

  local function get(path, opts)
    local _, answer = begin('GET', path, opts)
    return answer
  end

  local function log()
    local out = {}
    for i, line in ipairs(net.sys.log.lines(net.sup:log 'w', { count = 1000 })) do out[i] = line.text end
    return table.concat(out, '\n')
  end

  after_each(function()
    if net then assert.same({}, net.errors) end
  end)

  describe('what a handler gives becomes an answer:', function()
    local PLAIN = 'text/plain; charset=utf-8'
    for _, row in ipairs {
      { 'nothing', function() end, 204, nil, '' },
      { 'text', function() return 'hi' end, 200, PLAIN, 'hi' },
      { 'a status', function() return 404 end, 404, nil, '' },
      { 'json', function() return { json = { ok = true } } end, 200, 'application/json', '{"ok":true}' },
      { 'an empty list', function() return { json = json.array {} } end, 200, 'application/json', '[]' },
      { 'html', function() return { html = '<p>' } end, 200, 'text/html; charset=utf-8', '<p>' },
      { 'text with a status', function() return { status = 418, text = 'tea' } end, 418, PLAIN, 'tea' },
      { 'bytes', function() return { body = '\0\1' } end, 200, 'application/octet-stream', '\0\1' },
      { 'a type of its own', function() return { body = 'a,b', headers = { ['Content-Type'] = 'text/csv' } } end,
        200, 'text/csv', 'a,b' },
      { 'a status alone', function() return { status = 503 } end, 503, nil, '' },
      { 'an error that is an answer', function() error { status = 409, text = 'taken' } end, 409, PLAIN, 'taken' },
      { 'a file', function() return { file = 'page.html' } end, 200, 'text/html; charset=utf-8', '<h1>' },
      { 'a file that is not there', function() return { file = 'none' } end, 404, PLAIN, 'not found\n' },
      { 'a file outside', function(req) return { file = 'public' .. req.query.at } end, 404, PLAIN, 'not found\n' },
      { 'a stream', function() return function(write) write 'a' write 'b' end end, 200, PLAIN, 'ab' },
      { 'a stream in a table', function() return { stream = function(write) write 'x' end, status = 201 } end,
        201, 'application/octet-stream', 'x' },
      { 'written pieces', function(_, res)
        res.status, res.headers['content-type'] = 202, 'text/x'
        res:write 'one'
        res:write(2)
      end, 202, 'text/x', 'one2' },
      { 'what it waited for', function()
        net.loop:sleep(0)
        return 'later'
      end, 200, PLAIN, 'later' },
    } do
      it(row[1], function()
        serve { handler = row[2] }
        net.world.files['/srv/page.html'] = '<h1>'
        net.world.files['/etc/passwd'] = 'root'
        local answer = get '/?at=/../../etc/passwd'
        assert.same({ row[3], row[4], row[5], true },
          { answer.status, answer.headers['content-type'], answer.body, answer.finished })
        assert.equal('', log())
      end)
    end

    it('framing is the server\'s, other headers go as they are', function()
      serve { handler = function()
        return { text = 'x', headers = {
          ['Content-Length'] = 5, Connection = 'close', ['X-A'] = 7, ['Set-Cookie'] = { 'a=1', 'b=2' },
        } }
      end }
      assert.same({
        ['content-type'] = 'text/plain; charset=utf-8', ['x-a'] = '7', ['set-cookie'] = { 'a=1', 'b=2' },
      }, get('/').headers)
    end)
  end)

  describe('a mistake of a handler is answered 500 and told with its place:', function()
    for _, row in ipairs {
      { function() error 'boom' end, 'boom' },
      { function() error({}) end, '' },
      { function() local x = nil; return x.y end, 'attempt to index a nil value' },
      { function() return { ok = true } end, "the answer has the unknown key 'ok'; data goes into { json = … }" },
      { function() return { jsn = {} } end, "the answer has the unknown key 'jsn' (did you mean 'json'?)" },
      { function() return { json = 1, text = 'x' } end, "the answer has 'json' and 'text': one of them" },
      { function() return { status = 99 } end, 'the answer has a status that must be a number from 200 to 599, got 99' },
      { function() return true end, 'the answer must be a table, text or a function, got true' },
      { function() return { text = {} } end, "the answer has a 'text' that must be text, got a table" },
      { function() return { headers = { a = {}, b = print } } end, "the answer has a header 'b' that must be text" },
      { function() return { json = print } end, 'the answer ' },
      { function() return { stream = 'x' } end, "the answer has a 'stream' that must be a function, got 'x'" },
    } do
      it(row[2], function()
        serve { handler = row[1] }
        local answer = get '/'
        assert.equal(500, answer.status)
        assert.truthy(answer.body:find(row[2], 1, true), answer.body)
        assert.truthy(log():find(row[2], 1, true), log())
        local event = net:last 'hook_failed'
        assert.same({ 'w', 'http handler' }, { event.service, event.hook })
        if row[2] ~= '' then assert.truthy((event.file or ''):find 'worker_http_spec') end
        assert.equal(500, get('/').status) -- it lives on
        assert.equal('running', net:status 'w')
      end)
    end

    it('what is found wrong in our own code is in the log, too, without its place', function()
      serve { handler = function()
        error('@stdlib/pact/drivers/worker/exchange.lua:163: interrupted: ran for more than 250 ms', 0)
      end }
      get '/'
      assert.equal(1, (log():find('http handler: interrupted: ran for more than 250 ms\n', 1, true)), log())
    end)

    it('one in the middle of an answer cuts it off', function()
      serve { handler = function() return function(write)
        write 'half'
        error 'broke'
      end end }
      local answer = get '/'
      assert.same({ 200, 'half', false, true }, { answer.status, answer.body, answer.finished, answer.dead })
      assert.truthy(log():find('broke', 1, true))
    end)
  end)

  it('a request has method, path, query, headers, body, parameters and where it is from', function()
    local seen
    serve { routes = { ['PUT /a/:name'] = function(req)
      seen = { req.method, req.path, req.query.q, req.headers['x-y'], req.body, req.params.name, req.remote, req:json().n }
    end } }
    begin('PUT', '/a/b%20c?q=1+2', { headers = { ['X-Y'] = 'z' }, body = '{"n":5}' })
    assert.same({ 'PUT', '/a/b c', '1 2', 'z', '{"n":5}', 'b c', '127.0.0.1:50000', 5 }, seen)
  end)

  it('a body that is no JSON is answered 400, and nobody is blamed', function()
    serve { handler = function(req) return { json = req:json() } end }
    local _, answer = begin('POST', '/', { body = '{' })
    assert.equal(400, answer.status)
    assert.truthy(answer.body:find('the body is no JSON', 1, true), answer.body)
    assert.same({ '', nil }, { log(), net:last 'hook_failed' })
  end)

  describe('routes', function()
    local function answer_of(method, path)
      local _, answer = begin(method, path)
      return answer
    end

    before_each(function()
      local function say(name)
        return function(req) return name .. ' ' .. (req.params.id or req.params['*'] or req.params.rest or '') end
      end
      serve {
        routes = {
          ['GET /items'] = say 'list', ['POST /items'] = say 'add', ['GET /items/:id'] = say 'one', ['/items/new'] = say 'new',
          ['GET /files/*'] = say 'file', ['/any/*rest'] = say 'any', ['GET /version'] = { json = { v = 1 } }, ['GET /'] = 'root',
        },
      }
    end)

    for _, row in ipairs {
      { 'GET', '/items', 200, 'list ' }, { 'POST', '/items', 200, 'add ' }, { 'GET', '/items/7', 200, 'one 7' },
      { 'GET', '/items/new', 200, 'new ' }, { 'DELETE', '/items/new', 200, 'new ' }, { 'GET', '/items/', 200, 'list ' },
      { 'GET', '/files/a/b.txt', 200, 'file a/b.txt' }, { 'GET', '/files', 200, 'file ' },
      { 'PATCH', '/any/x/y', 200, 'any x/y' }, { 'GET', '/version', 200, '{"v":1}' }, { 'GET', '/', 200, 'root' },
      { 'HEAD', '/items/7', 200, 'one 7' },
      { 'GET', '/none', 404, 'no such thing: /none\n' }, { 'GET', '/items/1/2', 404, 'no such thing: /items/1/2\n' },
      { 'DELETE', '/items', 405, 'GET, HEAD, POST only\n' }, { 'OPTIONS', '/items', 204, '' },
    } do
      it(('%s %s is %d %s'):format(row[1], row[2], row[3], row[4]), function()
        local answer = answer_of(row[1], row[2])
        assert.same({ row[3], row[4] }, { answer.status, answer.body or '' })
        if row[3] == 405 then assert.equal('GET, HEAD, POST', answer.headers.allow) end
      end)
    end
  end)

  it('the handler takes what no route does, but not the wrong method', function()
    serve { routes = { ['GET /a'] = 'a' }, handler = function(req) return 'else ' .. req.path end }
    assert.same({ 'a', 'else /b' }, { get('/a').body, get('/b').body })
    local _, answer = begin('POST', '/a')
    assert.equal(405, answer.status)
  end)

  it('the router survives any path and any key', function()
    local state = 7
    local function random(n)
      state = (state * 1103515245 + 12345) % 2147483648
      return (state >> 8) % n + 1
    end
    local alphabet = { '/', ':', '*', 'a', 'b', '.', '%', ' ', 'GET', 'ä', '\0' }
    local function word(n)
      local out = {}
      for i = 1, random(n) do out[i] = alphabet[random(#alphabet)] end
      return table.concat(out)
    end
    for _ = 1, 3000 do
      local keys = {}
      for _ = 1, random(4) do keys[word(8)] = true end
      local made, message = router.new(keys)
      if made then
        local route, params, methods = made:find('GET', '/' .. word(10))
        assert.is_true(route == nil or keys[route.key] and type(params) == 'table')
        assert.is_true(methods == nil or #methods > 0)
      else
        assert.truthy(message:find 'must be' or message:find "'%*'" or message:find 'without a name', message)
      end
    end
  end)

  describe('a stream', function()
    it('waits while its client is slow, and goes on when it has taken', function()
      local written = 0
      serve { handler = function() return function(write)
        for _ = 1, 3 do
          write 'piece'
          written = written + 1
        end
      end end }
      web.queued = 300000
      local id, answer = begin('GET', '/')
      assert.equal(0, written)
      web.queued = 0
      web.drain(id)
      net.world:advance(1)
      assert.same({ 3, 'piecepiecepiece', true }, { written, answer.body, answer.finished })
    end)

    it('leaves others their turn, though its client takes all at once', function()
      local turns, went = 0, 0
      serve { handler = function() return function(write)
        local now, later = net.sys.time.now, 0
        net.sys.time.now = function() return now() + later end -- each piece takes its time
        for n = 1, 100 do
          later = later + 5
          write 'x'
          went = n
        end
        net.sys.time.now = now
      end end }
      local before = 0
      net.loop:on_turn(function()
        if went > before then turns, before = turns + 1, went end
      end)
      local _, answer = begin('GET', '/')
      net.world:advance(100)
      assert.same({ 100, ('x'):rep(100), true }, { went, answer.body, answer.finished })
      assert.is_true(turns > 10 and turns < 40, turns)
    end)

    it('ends where it waits when its client leaves, with its to-be-closed variables', function()
      local closed, went_on
      serve { handler = function() return function(write)
        local _ <close> = setmetatable({}, { __close = function() closed = true end })
        write 'first'
        net.loop:sleep(1000)
        went_on = true
      end end }
      local id = begin('GET', '/')
      web.leave(id)
      net.world:advance(5000)
      assert.same({ true, nil, '' }, { closed, went_on, log() })
    end)

    it('that writes on without waiting is ended by its next write', function()
      local after
      serve { handler = function() return function(write)
        write 'a'
        for _, answer in pairs(web.answers) do answer.gone = true end
        write 'b'
        after = true
      end end }
      begin('GET', '/')
      assert.same({ nil, '', 'running' }, { after, log(), net:status 'w' })
    end)

    it('a handler that thinks when its client leaves goes on to its end', function()
      local done
      serve { handler = function(req)
        net.loop:sleep(100)
        done = req:gone()
        return 'too late'
      end }
      local id = begin('GET', '/')
      web.leave(id)
      net.world:advance(200)
      assert.same({ true, '' }, { done, log() })
    end)

    it('a mistake behind its client\'s back is told all the same', function()
      serve { handler = function()
        net.loop:sleep(100)
        error 'unseen'
      end }
      local id, answer = begin('GET', '/')
      web.leave(id)
      net.world:advance(200)
      assert.truthy(log():find('unseen', 1, true), log())
      assert.is_nil(answer.status)
    end)

    it('is not run for HEAD', function()
      local ran
      serve { handler = function() return function() ran = true end end }
      local _, answer = begin('HEAD', '/')
      assert.same({ 200, true, nil }, { answer.status, answer.finished, ran })
    end)
  end)

  describe('server-sent events', function()
    for _, row in ipairs {
      { { 'hi' }, 'data: hi\n\n' },
      { { 'two\nlines' }, 'data: two\ndata: lines\n\n' },
      { { 'tick', { n = 1 } }, 'event: tick\ndata: {"n":1}\n\n' },
      { { { price = 3 } }, 'data: {"price":3}\n\n' },
      { { { event = 'e', data = 'd', id = 5, retry = 100 } }, 'event: e\nid: 5\nretry: 100\ndata: d\n\n' },
      { { { comment = 'c' } }, ': c\n\n' },
      { { { event = 'a\nb', data = 'x\r\ny' } }, 'event: a b\ndata: x\ndata: y\n\n' },
      { { '' }, 'data: \n\n' },
    } do
      it(('%q'):format(row[2]), function()
        assert.equal(row[2], exchange.event(table.unpack(row[1])))
      end)
    end

    it('come from the function of the answer, and end with it', function()
      serve { handler = function() return { events = function(send)
        send 'one'
        net.loop:sleep(100)
        send('two', { 2 })
      end } end }
      local _, answer = begin('GET', '/')
      assert.same({ 'text/event-stream', 'no-store', 'data: one\n\n' },
        { answer.headers['content-type'], answer.headers['cache-control'], answer.body })
      net.world:advance(100)
      assert.same({ 'data: one\n\nevent: two\ndata: [2]\n\n', true }, { answer.body, answer.finished })
    end)

    it('may be sent by others while the handler waits; who has left is skipped', function()
      local clients, results = {}, {}
      serve({}, function(self)
        self:http_server { listen = 8081, handler = function(req)
          local client <close> = setmetatable({ stream = req:events() }, {
            __close = function(client) clients[client] = nil end,
          })
          clients[client] = true
          client.stream:wait()
        end }
        self:every('1s', function()
          for client in pairs(clients) do results[#results + 1] = client.stream:send 'tick' or 'left' end
        end)
      end)
      local first, answer = begin('GET', '/')
      begin('GET', '/')
      net.world:advance(1000)
      assert.equal('data: tick\n\n', answer.body)
      web.leave(first)
      net.world:advance(1000)
      assert.same({ true, true, true }, results)
      assert.equal('data: tick\n\n', answer.body)
    end)

    it('to who hears nothing a comment is sent now and then', function()
      serve { handler = function(req) req:events():wait() end }
      local id, answer = begin('GET', '/')
      net.world:advance(31000)
      assert.equal(':\n\n:\n\n', answer.body)
      web.leave(id)
      net.world:advance(60000)
      assert.equal(':\n\n:\n\n', answer.body)
    end)
  end)

  describe('its end', function()
    it('tells those who wait for an answer, cuts off those who stream', function()
      serve { routes = {
        ['GET /slow'] = function() net.loop:sleep(100000) end,
        ['GET /stream'] = function() return function(write)
          write 'x'
          net.loop:sleep(100000)
        end end,
      } }
      local _, slow = begin('GET', '/slow')
      local _, stream = begin('GET', '/stream')
      net.sup:stop 'w'
      net.world:advance(10)
      assert.same({ 503, 'the server is stopping\n' }, { slow.status, slow.body })
      assert.same({ 'x', false, true }, { stream.body, stream.finished, stream.dead })
    end)

    it('a handler may close its own server and still answer', function()
      local server
      serve({}, function(self)
        server = self:http_server { listen = 8081, handler = function()
          server:close()
          return 'bye'
        end }
      end)
      local answer = get '/'
      assert.same({ 200, 'bye', 'completed' }, { answer.status, answer.body, net:status 'w' })
    end)
  end)
end)
