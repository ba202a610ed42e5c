local disk = require 'pact.sim.disk'
local free_ports = require 'pact.control.free_ports'

describe('ports that are kept', function()
  local fs, world, busy, lingering, next_port

  local function ports(live)
    return free_ports.new {
      fs = fs, live = live ~= false,
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

  it('are new when the file is rubbish', function()
    for _, text in ipairs { '', 'rubbish', '[1]', '{"web":"x"}', '{"web":70000}' } do
      world.files['/shop/.pactlua/shop/ports.json'] = text
      assert.is_true(ports():get 'web' > 40000, text)
    end
  end)

  it('of other names stay known', function()
    world.files['/shop/.pactlua/shop/ports.json'] = '{"old":5001}'
    local one = ports()
    one:get 'web'
    assert(one:save '/shop/.pactlua/shop')
    assert.truthy(saved():find('5001', 1, true))
  end)
end)
