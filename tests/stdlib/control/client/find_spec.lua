local disk = require 'pact.sim.disk'
local find = require 'pact.control.client.find'

describe('what a command is about', function()
  local sys, world
  before_each(function()
    local fs
    fs, world = disk.new()
    sys = { fs = fs }
    for _, path in ipairs { '/home/me/shop/sub' } do fs.mkdir(path) end
    world.cwd = '/home/me/shop/sub'
  end)

  it('is a recipe above when none is named', function()
    world.files['/home/me/shop/devnet.lua'] = 'x'
    local recipe = assert(find.recipe(sys, {}))
    assert.same({ path = '/home/me/shop/devnet.lua', name = '/home/me/shop/devnet.lua', directory = '/home/me/shop' }, recipe)
  end)

  it('is the nearest one, pact.lua before devnet.lua', function()
    for _, path in ipairs { '/home/me/shop/pact.lua', '/home/me/shop/sub/devnet.lua', '/home/me/shop/sub/pact.lua' } do
      world.files[path] = 'x'
    end
    assert.equal('/home/me/shop/sub/pact.lua', find.recipe(sys, {}).path)
  end)

  it('is told of when there is none', function()
    local recipe, message = find.recipe(sys, {})
    assert.is_nil(recipe)
    assert.truthy(message:find('neither pact.lua, devnet.lua nor compose.yml here or above', 1, true), message)
  end)

  local wrong = {
    { '/home/me/shop', 'is a directory' },
    { '/home/me/nowhere.lua', 'no such file' },
    { '/home/me/devnte.lua', "no such file (did you mean 'devnet.lua'?)" },
    { '/home/me/compose.yml', 'compose files are not in this version' },
  }
  for _, row in ipairs(wrong) do
    it(('refuses %s: %s'):format(row[1], row[2]), function()
      world.files['/home/me/devnet.lua'], world.files['/home/me/compose.yml'] = 'x', 'x'
      local recipe, message = find.named(sys, row[1])
      assert.is_nil(recipe)
      assert.truthy(message:find(row[2], 1, true), message)
    end)
  end

  it('is a network above, or one whose state lies elsewhere', function()
    sys.fs.mkdir '/home/me/shop/.pactlua/shop'
    sys.fs.mkdir '/state/pactlua/other-0123abcd'
    sys.fs.mkdir '/state/pactlua/foreign-0123abcd'
    world.files['/state/pactlua/other-0123abcd/directory'] = '/home/me\n'
    world.files['/state/pactlua/foreign-0123abcd/directory'] = '/home/you\n'
    sys.fs.mkdir '/state/pactlua/two-0123abcd'
    world.files['/state/pactlua/two-0123abcd/directory'] = '/home/me/shop\nof lines\ntwo\n'
    assert.same({
      { path = '/home/me/shop/.pactlua/shop', project = 'shop', directory = '/home/me/shop' },
      { path = '/state/pactlua/other-0123abcd', project = 'other', directory = '/home/me' },
    }, find.state_dirs(sys, { XDG_STATE_HOME = '/state' }))
  end)

  it('is, by its name, also one elsewhere: where an engine of ours runs, or without a place', function()
    local cwds = { ['/proc/7/cwd'] = '/srv/far', ['/proc/8/cwd'] = '/srv/not', ['/proc/9/cwd'] = '/home/me/shop' }
    sys.os = { ids = function() return 0 end }
    sys.fs.realpath = function(path) return cwds[path] end
    sys.fs.mkdir '/home/me/shop/.pactlua/shop'
    sys.fs.mkdir '/srv/far/.pactlua/far'
    sys.fs.mkdir '/srv/not/.pactlua/not'
    sys.fs.mkdir '/state/pactlua/foreign-0123abcd'
    world.files['/state/pactlua/foreign-0123abcd/directory'] = '/home/you\nforeign\n'
    for pid, name in pairs { [7] = 'pactlua-engine', [8] = 'pactlua-guard', [9] = 'pactlua-engine' } do
      sys.fs.mkdir('/proc/' .. pid)
      world.files[('/proc/%d/comm'):format(pid)] = name .. '\n'
    end
    world.files['/proc/version'] = 'x'
    local env, elsewhere = { XDG_STATE_HOME = '/state' }, {
      { path = '/srv/far/.pactlua/far', project = 'far', directory = '/srv/far' },
      { path = '/state/pactlua/foreign-0123abcd', project = 'foreign', directory = '/home/you' },
    }
    assert.same(elsewhere, find.elsewhere(sys, env))
    assert.same(elsewhere, find.state_dirs(sys, env, 'far'))
    assert.equal('/home/me/shop', find.state_dirs(sys, env, 'shop')[1].directory)
  end)
end)
