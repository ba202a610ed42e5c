--- Sockets that are bound for services, over the lives of these.
local network = require 'network'

local function place(fields)
  fields.listen, fields.fallback = true, false
  if fields.port then fields.host = fields.host or '127.0.0.1' end
  return fields
end

-- Fields of a service as the plan has them.
local function listens(places, more)
  local out, ports = more or {}, {}
  for _, one in ipairs(places) do
    if one.port then ports[#ports + 1] = one end
  end
  out.listen, out.ports = places, ports
  return out
end

describe('sockets bound for services', function()
  local net
  after_each(function() assert.same({}, net.errors) end)

  -- what is bound now
  local function bound()
    local out = {}
    for _, socket in pairs(net.world.operations) do out[#out + 1] = socket.place end
    table.sort(out)
    return out
  end

  local function env_of(proc, name)
    for _, pair in ipairs(proc.spec.env) do
      local value = pair:match('^' .. name .. '=(.*)$')
      if value then return value end
    end
  end

  local function http(port) return place { name = 'http', port = port or 3000 } end

  it('are given to each life, with their number and names', function()
    net = network.new { { 'web', listens({ place { name = 'admin', path = '/run/a.sock' }, http() }, {
      env = { LISTEN_FDS = '9', LISTEN_X = 'mine' },
    }) } }
    net:up(10)
    local first = net:runs('web')[1]
    assert.same({ '2', 'admin:http' }, { env_of(first, 'LISTEN_FDS'), env_of(first, 'LISTEN_FDNAMES') })
    assert.equal('3000', env_of(first, 'PORT'))
    assert.same({ http = 3000 }, net.sup:snapshot('web').ports)
    net.sup:restart 'web'
    net.world:advance(10)
    assert.same(first.spec.listen, net:runs('web')[2].spec.listen)
  end)

  it('are not told to commands of probes', function()
    net = network.new({ { 'web', listens({ http() }, { health = { kind = 'command', command = { 'probe' } } }) } },
      { programs = { web = {}, probe = { exit_after = 1 } } })
    net:up(500)
    assert.is_nil(env_of(net:runs('probe')[1], 'LISTEN_FDS'))
    assert.is_nil(net:runs('probe')[1].spec.listen)
  end)

  -- what is left of the socket in each status that a service can come to
  local ROWS = {
    { 'running', { {} }, nil, true },
    { 'backoff', { { exit_after = 5, code = 1 } }, nil, true },
    { 'stopping', { { deaf = true } }, 'stop', true },
    { 'stopped', { {} }, 'stop', false },
    { 'completed', { { exit_after = 5, code = 0 } }, nil, false },
    { 'failed', { { fail = 'ENOENT', step = 'exec', message = 'no' } }, nil, false },
  }
  for _, row in ipairs(ROWS) do
    it(('of a service that is %s: %s'):format(row[1], row[4] and 'open' or 'closed'), function()
      net = network.new({ { 'web', listens { http() } } }, { programs = { web = row[2][1] } })
      net:up(600)
      if row[3] then net.sup:stop 'web' end
      net.world:advance(100)
      assert.same({ row[1], row[4] and { '127.0.0.1:3000' } or {} }, { net:status 'web', bound() })
    end)
  end

  it('that may be any keep the one they got, also when started again by hand', function()
    net = network.new { { 'web', listens { http(0) } }, { 'api', { depends_on = { 'web' } } } }
    net:up(10)
    local port = net.sup:snapshot('web').ports.http
    assert.is_true(port > 1024)
    assert.equal(tostring(port), env_of(net:runs('api')[1], 'WEB_PORT'))
    net.sup:stop 'web'
    net.world:advance(10)
    net.sup:start 'web'
    net.world:advance(10)
    assert.same({ http = port }, net.sup:snapshot('web').ports)
  end)

  it('name who has a port', function()
    net = network.new { { 'web', listens { http() } }, { 'api', { ports = { { name = 'x', port = 3001, fallback = false } } } },
      { 'late', listens { http(3001) } } }
    net.world.holders[3000] = { pid = 12, name = 'node', command = 'node server.js', uid = 0 }
    net:up(10)
    assert.equal('port 3000 is taken by pid 12 (node server.js)', net.sup:snapshot('web').reason)
    assert.equal("port 3001 is taken by service 'api'", net.sup:snapshot('late').reason)
  end)

  it('are known to others of the network as taken, also between lives', function()
    net = network.new({ { 'web', listens { http() } }, { 'api', { ports = { { name = 'x', port = 3000, fallback = true } } } } },
      { programs = { web = { exit_after = 5, code = 1 }, api = {} } })
    net.sup:want({ 'web' }, 'up', 'person', {})
    net.world:advance(600)
    assert.equal('backoff', net:status 'web')
    net.sup:start 'api'
    net.world:advance(10)
    assert.same({ x = 3001 }, net.sup:snapshot('api').ports)
  end)

  it('wait for a port that another service still has on its way to its end', function()
    net = network.new({
      { 'shop', { ports = { { name = 'x', port = 3000, fallback = false } }, restart = { policy = 'no' } } }, { 'web', listens { http() } },
    }, { programs = { shop = { deaf = true }, web = {} } })
    net.sup:want({ 'shop' }, 'up', 'person', {})
    net.world:advance(10)
    net.sup:stop 'shop'
    net.sup:start 'web'
    net.world:advance(5000)
    assert.equal("port 3000 is still held by service 'shop', which is ending; waiting for it", net.sup:snapshot('web').reason)
    assert.same({}, bound())
    net.world:advance(6000)
    assert.same({ 'running', { '127.0.0.1:3000' } }, { net:status 'web', bound() })
  end)

  it('tell what the kernel refused', function()
    net = network.new { { 'web', listens { http(80) } }, { 'far', listens { place { name = 'x', port = 90, host = '10.9.8.7', said = true } } } }
    local refusals = { [80] = 'EACCES', [90] = 'EADDRNOTAVAIL' }
    net.sys.net.listen = function(opts) return nil, opts.host .. ': refused', refusals[opts.port] end
    net:up(10)
    assert.equal('listen: port 80: not permitted to listen on it (below 1024 only root may)', net.sup:snapshot('web').reason)
    assert.equal('listen: 10.9.8.7: refused', net.sup:snapshot('far').reason)
  end)

  it('are one for all replicas, or one each where they count up; the last one to go closes it', function()
    local function replica(n, more)
      return { 'web-' .. n, listens({ http(), more }, { group = 'web', replica = n }) }
    end
    net = network.new {
      replica(1, place { name = 'own', port = 4001, counts = true }), replica(2, place { name = 'own', port = 4002, counts = true }),
    }
    net:up(10)
    assert.same({ '127.0.0.1:3000', '127.0.0.1:4001', '127.0.0.1:4002' }, bound())
    assert.equal(net:runs('web-1')[1].spec.listen[1], net:runs('web-2')[1].spec.listen[1])
    net.sup:stop 'web-1'
    net.world:advance(10)
    assert.same({ '127.0.0.1:3000', '127.0.0.1:4002' }, bound())
    net.sup:stop 'web-2'
    net.world:advance(10)
    assert.same({}, bound())
  end)

  it('block again for the first life that has them, and are left alone while somebody lives with them', function()
    local blocked = {}
    net = network.new {
      { 'web-1', listens({ http() }, { group = 'web', replica = 1 }) }, { 'web-2', listens({ http() }, { group = 'web', replica = 2 }) },
    }
    net.sys.net.block = function(id) blocked[#blocked + 1] = id end
    net:up(10)
    assert.equal(1, #blocked)
    net.sup:restart 'web-1'
    net.world:advance(10)
    assert.equal(1, #blocked)
    net.sup:stop 'web-2'
    net.world:advance(10)
    net.sup:restart 'web-1'
    net.world:advance(10)
    assert.equal(2, #blocked)
  end)

  it('of a declaration that has changed go, and others come', function()
    net = network.new { { 'web', listens { http(), place { name = 'admin', path = '/run/a.sock' } } } }
    net:up(10)
    local service = net.sup:service 'web'
    service.listen = { http(3001) }
    service.ports = service.listen
    net.sup:restart 'web'
    net.world:advance(10)
    assert.same({ '127.0.0.1:3001' }, bound())
    service.listen, service.ports = nil, {}
    net.sup:restart 'web'
    net.world:advance(10)
    assert.same({}, bound())
  end)
end)
