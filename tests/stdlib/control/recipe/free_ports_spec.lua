local disk = require 'pact.sim.disk'
local free_ports = require 'pact.control.recipe.free_ports'

describe('ports that are kept', function()
  local fs, world, busy, lingering, next_port

  local function ports(live, warn)
    return free_ports.new {
      fs = fs, live = live ~= false, warn = warn,
      places = function() return { '/shop/.pactlua/shop', '/state/shop' } end,
      net = {
        port_free = function(port) return not busy[port] end,
        port_lingers = function(port) return lingering[port] or false end,
        free_port = function()
          next_port = next_port + 1
          return next_port
        end,
      },
    }
  end

  local function saved() return world.files['/shop/.pactlua/shop/ports.json'] end

  before_each(function()
    fs, world = disk.new()
    busy, lingering, next_port = {}, {}, 40000
    fs.mkdir '/shop/.pactlua/shop'
  end)

  it('are free ones at first, and the same for the same name', function()
    local one = ports()
    assert.equal(40001, one:get 'web')
    assert.equal(40002, one:get 'db')
    assert.equal(40001, one:get 'web')
    assert(one:save '/shop/.pactlua/shop')
    assert.equal('{"db":40002,"web":40001}', (saved():gsub('%s', '')))
  end)

  it('are the last run\'s while they are free', function()
    world.files['/shop/.pactlua/shop/ports.json'] = '{"db":5001,"web":5002}'
    busy[5002] = true
    local one = ports()
    assert.equal(5001, one:get 'db')
    assert.equal(40001, one:get 'web')
    assert(one:save '/shop/.pactlua/shop')
    assert.equal('{"db":5001,"web":40001}', (saved():gsub('%s', '')))
  end)

  it('are kept when only old connections linger on them', function()
    world.files['/shop/.pactlua/shop/ports.json'] = '{"web":5002}'
    busy[5002], lingering[5002] = true, true
    assert.equal(5002, ports():get 'web')
  end)

  it('are shown as they are where nothing is started', function()
    world.files['/state/shop/ports.json'] = '{"web":5002}'
    busy[5002] = true
    assert.equal(5002, ports(false):get 'web')
  end)

  it('are never given to two names', function()
    world.files['/shop/.pactlua/shop/ports.json'] = '{"a":5001,"b":5001}'
    local one = ports()
    assert.not_equal(one:get 'a', one:get 'b')
  end)

  local rubbish = {
    { '', "can't be read: ports of pact.free_port are chosen anew" }, { '{"we', "can't be read" }, { 'rubbish', "can't be read" },
    { '[1]', 'holds what is no port' }, { '{"web":"x"}', 'holds what is no port' }, { '{"web":70000}', 'holds what is no port' },
    { '{"version":{"n":2},"web":{"port":5001}}', 'holds what is no port' }, { '7', "can't be read" },
  }
  for _, row in ipairs(rubbish) do
    it(('are new when the file is rubbish, which is told once: %q'):format(row[1]), function()
      local warned = {}
      world.files['/shop/.pactlua/shop/ports.json'] = row[1]
      local one = ports(true, function(message) warned[#warned + 1] = message end)
      assert.is_true(one:get 'web' > 40000)
      assert.is_true(one:get 'db' > 40000)
      assert.equal(1, #warned)
      assert.truthy(warned[1]:find('/shop/.pactlua/shop/ports.json ' .. row[2], 1, true), warned[1])
    end)
  end

  it('are told of nothing where all is well', function()
    world.files['/shop/.pactlua/shop/ports.json'] = '{"web":5002}'
    assert.equal(5002, ports(true, error):get 'web')
    assert.is_true(ports(true, error):get 'new' > 40000)
  end)

  it('of other names stay known', function()
    world.files['/shop/.pactlua/shop/ports.json'] = '{"old":5001}'
    local one = ports()
    one:get 'web'
    assert(one:save '/shop/.pactlua/shop')
    assert.truthy(saved():find('5001', 1, true))
  end)
end)
