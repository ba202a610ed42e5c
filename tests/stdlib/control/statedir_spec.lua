local disk = require 'pact.sim.disk'
local statedir = require 'pact.control.statedir'

describe('the directory of a network', function()
  local sys, world, wall
  before_each(function()
    local fs
    fs, world = disk.new()
    wall = 1700000000000
    sys = {
      fs = fs,
      os = { pid = function() return 4711 end, ids = function() return 1000, 1000 end },
      text = { hash = function() return '0123456789abcdef' end },
      time = { wall = function() return wall end },
    }
  end)

  it('lies beside the recipe, is ours alone and is not for git', function()
    local dir = assert(statedir.open(sys, '/home/me/shop', 'shop', {}, '/shop/net.lua'))
    assert.equal('/home/me/shop/.pactlua/shop', dir.path)
    assert.equal('/home/me/shop/.pactlua/shop/control.sock', dir.socket)
    assert.is_false(dir.fallback)
    assert.truthy(world.files['/home/me/shop/.pactlua/.gitignore']:find('\n*\n', 1, true))
    assert.equal('4711\n1700000000000\n/shop/net.lua\n', world.locked['/home/me/shop/.pactlua/shop/lock'])
  end)

  it('names who holds it', function()
    world.locked['/shop/.pactlua/shop/lock'] = '99\n'
    local dir, message, code = statedir.open(sys, '/shop', 'shop', {}, '/shop/net.lua')
    assert.is_nil(dir)
    assert.equal('held', code)
    assert.truthy(message:find("'shop' is up already (engine: pid 99); 'pactlua ps'", 1, true), message)
    world.locked['/shop/.pactlua/shop/lock'] = ('99\n%d\n/shop/other.lua\n'):format(os.time { year = 2026, month = 2, day = 3 } * 1000)
    message = select(2, statedir.open(sys, '/shop', 'shop', {}, '/shop/net.lua'))
    assert.truthy(message:find('(engine: pid 99, since 2026-02-03 12:00:00, recipe /shop/other.lua)', 1, true), message)
  end)

  it('says no more than what it knows of who holds it', function()
    for _, card in ipairs { '', 'x', '\0\255', '\n\n', ('9'):rep(4000) .. 'z' } do
      world.locked['/shop/.pactlua/shop/lock'] = card
      local _, message = statedir.open(sys, '/shop', 'shop', {}, '/shop/net.lua')
      assert.truthy(message:find("^'shop' is up already; 'pactlua ps'"), message)
    end
  end)

  it('is elsewhere where that cannot be written', function()
    world.readonly['/ro'] = true
    local dir = assert(statedir.open(sys, '/ro', 'shop', { XDG_STATE_HOME = '/state' }, '/shop/net.lua'))
    assert.equal('/state/pactlua/shop-01234567', dir.path)
    assert.is_true(dir.fallback)
    assert.equal('/ro\nshop\n', world.files['/state/pactlua/shop-01234567/directory'])
  end)

  it('is elsewhere where the path of the socket would be too long', function()
    local dir = assert(statedir.open(sys, '/' .. ('x'):rep(100), 'shop', { HOME = '/home/me' }, '/shop/net.lua'))
    assert.equal('/home/me/.local/state/pactlua/shop-01234567', dir.path)
  end)

  it('cuts a long name so that the path of the socket fits', function()
    local project = ('p'):rep(64)
    local dir = assert(statedir.open(sys, '/' .. ('x'):rep(100), project, { HOME = '/home/somebody' }, '/shop/net.lua'))
    assert.is_true(#dir.socket <= 107, dir.socket)
    assert.equal(project, dir.project)
    assert.truthy(dir.path:find('/ppp+%-01234567$'), dir.path)
  end)

  it('says so when there is no place at all', function()
    world.readonly['/ro'] = true
    world.readonly['/state/pactlua/shop-01234567'] = true
    local dir, message = statedir.open(sys, '/ro', 'shop', { XDG_STATE_HOME = '/state' }, '/shop/net.lua')
    assert.is_nil(dir)
    assert.truthy(message:find('no place for the state', 1, true))
  end)

  it('keeps the last ten runs and points at the latest', function()
    local dir = assert(statedir.open(sys, '/shop', 'shop', {}, '/shop/net.lua'))
    local last
    for i = 1, 13 do
      wall = wall + 1000
      last = assert(statedir.new_run(sys, dir))
      sys.fs.write(last.dir .. '/web.log', 'run ' .. i)
    end
    local runs = statedir.runs(sys, dir.path)
    assert.equal(10, #runs)
    assert.equal(last.id, runs[10])
    assert.equal('run 13', sys.fs.read(dir.path .. '/latest/web.log'))
    for path in pairs(world.files) do assert.falsy(path:find('T221321', 1, true), path) end
  end)
end)
