--- Sockets that are bound for services and stay open over their restarts.
local functional = require 'functional'
local case = functional.case

local TAKE = functional.fixtures .. 'take_listen'
local quote = functional.quote

local function recipe(listen, more)
  return ([[ pact.process 'web' { command = { %s }, listen = %s, %s } ]]):format(('%q'):format(TAKE), listen, more or '')
end

-- The service's answer, or nil and curl's status.
local function ask(t, ...)
  local result = t:run({ '-sS', '--max-time', '20', ... }, { program = 'curl' })
  if result.code ~= 0 then return nil, result.code end
  return result.out
end

local function url(t, name) return ('http://127.0.0.1:%d/'):format(t:ps().web.ports[name or 'http']) end

local function pid_of(t, id) return ('%d'):format(t:ps()[id].pid) end

-- A client of a port or path that goes on until `stop` is called, which gives its three figures.
local function hammer(t, place)
  local client = t:start({ place, t:path 'enough' }, { program = functional.fixtures .. 'hammer' })
  return function()
    t:file('enough', '')
    local result = client:wait()
    local answered, refused, cut = result.out:match '^(%d+) (%d+) (%d+)\n$'
    return tonumber(answered), tonumber(refused), tonumber(cut), result.err
  end
end

describe('listen', function()
  case('gives a process its sockets in a stable order, with its own pid', function(t)
    local network = t:up(recipe "{ http = 0, admin = './run/a.sock', other = 'auto' }")
    network:expect 'web     | serving'
    local out = network:out()
    for i, line in ipairs { '3 admin', '4 http', '5 other' } do
      assert.truthy(out:find('web     | ' .. line .. '\n', 1, true), i .. out)
    end
    local pid = pid_of(t, 'web')
    assert.equal(pid .. ' http', ask(t, url(t)))
    assert.equal(pid .. ' other', ask(t, url(t, 'other')))
    assert.equal(pid .. ' admin', ask(t, '--unix-socket', t:path 'run/a.sock', 'http://x/'))
    t:run { 'down' }
    network:wait()
    assert.is_false(t:exists 'run/a.sock')
  end)

  case('during ten restarts nobody who connects is refused', function(t)
    for _, place in ipairs { '0', "'./web.sock'" } do
      os.remove(t:path 'enough')
      local network = t:up(recipe(("{ http = %s }"):format(place), 'restart = { delay = 0, max_retries = 100 }'))
      network:expect 'serving'
      local stop = hammer(t, place == '0' and ('%d'):format(t:ps().web.ports.http) or t:path 'web.sock')
      for i = 1, 10 do
        local before = t:ps().web.pid
        if i % 2 == 0 then -- a crash and its backoff, or by hand
          assert.equal(0, t:run({ 'signal', 'web', '--signal', 'KILL' }).code)
        else
          assert.equal(0, t:run({ 'restart', 'web' }).code)
        end
        functional.wait('the next life', function()
          local web = t:ps().web
          return web.status == 'running' and web.pid ~= before
        end)
      end
      local answered, refused, cut, why = stop()
      assert.equal(0, refused, why)
      assert.is_true(answered > 20, answered)
      assert.is_true(cut <= 10, cut) -- what a life had accepted when it was ended
      t:run { 'down' }
      network:wait()
    end
  end)

  case('a client waits through a backoff', function(t)
    t:up(recipe("{ http = 0 }", "restart = { delay = '1s', factor = 1 }")):expect 'serving'
    local place, before = url(t), pid_of(t, 'web')
    t:run { 'signal', 'web', '--signal', 'KILL' }
    functional.wait('the pause', function() return t:events('backoff')[1] end)
    local answer = ask(t, place) or ''
    assert.truthy(answer:find '^%d+ http$', answer)
    assert.not_equal(before, answer:match '^%d+')
  end)

  case('one that was stopped by hand refuses; started again it has the same port', function(t)
    t:up(recipe "{ http = 'auto', admin = './a.sock' }" .. [[ pact.process 'stay' { command = { 'sleep', '1000' } } ]])
      :expect 'serving'
    local place = url(t)
    assert.equal(0, t:run({ 'stop', 'web' }).code)
    local _, status = ask(t, place)
    assert.equal(7, status) -- curl: couldn't connect
    assert.is_false(t:exists 'a.sock')
    assert.equal(0, t:run({ 'start', 'web' }).code)
    assert.truthy(ask(t, place))
    assert.equal(place, url(t))
  end)

  case('a life that makes its socket non-blocking does not pass that on', function(t)
    local network = t:up(([[ pact.process 'web' { command = { %s, '--nonblock' }, listen = 0 } ]]):format(quote(TAKE)))
    network:expect 'serving'
    t:run { 'restart', 'web' }
    functional.wait('a second life', function() return select(2, network:out():gsub('serving', '')) == 2 end)
    assert.is_nil(network:out():find 'nonblocking')
  end)

  case('a reload keeps the socket of who restarts, and moves it when the place has changed', function(t)
    local network = t:up(recipe "{ http = 0 }")
    network:expect 'serving'
    local place = url(t)
    local stop = hammer(t, place:match ':(%d+)')
    t:recipe(recipe('{ http = 0 }', 'env = { A = 1 }'))
    local result = t:run { 'reload' }
    assert.equal('web: restarted (env.A)\n', result.out)
    functional.wait('a second life', function() return select(2, network:out():gsub('serving', '')) == 2 end)
    local _, refused, _, why = stop()
    assert.equal(0, refused, why)
    assert.equal(place, url(t))
    t:recipe(recipe("{ http = './web.sock' }", 'env = { A = 1 }'))
    assert.truthy(t:run({ 'reload' }).out:find('^web: restarted %(.*listen'))
    functional.wait('a third life', function() return select(2, network:out():gsub('serving', '')) == 3 end)
    assert.equal(pid_of(t, 'web') .. ' http', ask(t, '--unix-socket', t:path 'web.sock', 'http://x/'))
    assert.equal(7, (select(2, ask(t, place))))
    t:recipe "pact.process 'other' { command = { 'sleep', '1000' } }"
    assert.equal(0, t:run({ 'reload' }).code)
    functional.wait('its end', function() return not t:exists 'web.sock' end)
  end)

  case('replicas share one socket, or have one each with a plus', function(t)
    local network = t:up(recipe("{ http = 0 }", 'replicas = 3'))
    functional.wait('all', function() return select(2, network:out():gsub('serving', '')) == 3 end)
    local all = t:ps()
    local port = all['web-1'].ports.http
    assert.same({ port, port }, { all['web-2'].ports.http, all['web-3'].ports.http })
    local stop = hammer(t, ('%d'):format(port))
    assert.equal(0, t:run({ 'stop', 'web-1', 'web-3' }).code)
    local answer = functional.wait('the one that is left', function()
      return ask(t, ('http://127.0.0.1:%d/'):format(port))
    end)
    assert.equal(pid_of(t, 'web-2') .. ' http', answer)
    assert.equal(0, (select(2, stop())))
    t:run { 'down' }
    network:wait()
    local free = t:run({ '-c', 'import socket; a = socket.socket(); a.bind(("127.0.0.1", 0)); print(a.getsockname()[1])' },
      { program = 'python3' }).out:match '%d+'
    t:up(recipe(("{ http = '%s+' }"):format(free), 'replicas = 2')):expect 'serving'
    functional.wait('ports that count up', function()
      local two = t:ps()
      return two['web-1'].ports.http == tonumber(free) and two['web-2'].ports.http == tonumber(free) + 1
    end)
  end)

  case('dependents, health and hooks know the port', function(t)
    t:up(([[
      local web
      web = pact.process 'web' { command = { %s }, listen = { http = 0 },
        env = { OWN = function() return 'at ' .. tostring(web.ports and web.ports.http) end },
        ready = { check = function() return pact.http.get('http://127.0.0.1:' .. web.ports.http).status == 200 end } }
      pact.process 'api' { shell = 'echo $WEB_PORT $WEB_URL [$LISTEN_FDS$LISTEN_PID$LISTEN_FDNAMES] >got; exec sleep 1000',
        depends_on = { web } }
    ]]):format(quote(TAKE)))
    local got = t:wait_lines('got', 1)[1]
    local port = t:ps().web.ports.http
    assert.equal(('%d http://127.0.0.1:%d []'):format(port, port), got)
  end)

  case('what is in our own environment is nobody\'s; commands beside the service have none of it', function(t)
    local env = { LISTEN_FDS = '7', LISTEN_PID = '1', LISTEN_FDNAMES = 'x' }
    t:up(([[
      pact.process 'web' { command = { %s }, listen = 0,
        health = { command = { 'sh', '-c', 'echo "[$LISTEN_FDS$LISTEN_FDNAMES]" >probe; ls /proc/self/fd >>probe' } } }
      pact.process 'plain' { shell = 'echo "[$LISTEN_FDS$LISTEN_PID$LISTEN_FDNAMES]" >plain; exec sleep 1000' }
    ]]):format(quote(TAKE)), { env = env })
    assert.same({ '[]' }, t:wait_lines('plain', 1))
    local probe = t:wait_lines('probe', 5)
    assert.same({ '[]', '0', '1', '2', '3' }, probe) -- 3 is ls's own
    local shown = t:run({ 'exec', 'web', '--', 'sh', '-c', 'echo "[$LISTEN_FDS]"' })
    assert.equal('[]\n', shown.out)
  end)

  case('a port that is taken names its holder', function(t)
    local holder = t:up(recipe "{ http = 0 }")
    holder:expect 'serving'
    local port = math.tointeger(t:ps().web.ports.http)
    t:recipe(recipe(("{ http = %d }"):format(port)), 'second/net.lua')
    local result = t:run({ 'net.lua' }, { cwd = t:path 'second' })
    assert.equal(3, result.code)
    assert.truthy(result.out:find(('port %d is taken by pid '):format(port), 1, true), result.out)
  end)

  case('servers of others take them: python, node', function(t)
    t:file('server.py', [[
import http.server, os, socket
assert int(os.environ['LISTEN_PID']) == os.getpid() and os.environ['LISTEN_FDNAMES'] == 'http'
class Server(http.server.HTTPServer):
    def server_bind(self):
        self.socket.close()
        self.socket = socket.socket(fileno=3)
        self.server_address = self.socket.getsockname()
    def server_activate(self):
        pass
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'python %d' % os.getpid())
Server(('', 0), Handler).serve_forever()
]])
    t:file('server.js', [[
require('http').createServer((q, r) => r.end('node ' + process.pid)).listen({ fd: 3 });
]])
    t:up [[ pact.process 'py' { command = { 'python3', 'server.py' }, listen = { http = 0 } }
      pact.process 'js' { command = { 'node', 'server.js' }, listen = { http = 0 } } ]]
    for id, what in pairs { py = 'python', js = 'node' } do
      t:wait_service(id, { status = 'running' })
      for _ = 1, 2 do
        local service = t:ps()[id]
        local answer = ask(t, ('http://127.0.0.1:%d/'):format(service.ports.http))
        assert.equal(('%s %d'):format(what, service.pid), answer)
        assert.equal(0, t:run({ 'restart', id }).code)
      end
    end
  end, not os.execute 'command -v python3 node >/dev/null' and 'python3 or node is missing')
end)
