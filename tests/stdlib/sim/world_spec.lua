local disk = require 'pact.sim.disk'
local sim_sys = require 'pact.sim.sys'
local worlds = require 'pact.sim.world'

describe('a world', function()
  it('lets what is due happen in the order in which it was arranged', function()
    local world, seen = worlds.new { now = 0 }, {}
    for _, delay in ipairs { 30, 10, 20, 10, 0 } do
      world:at(delay, function() seen[#seen + 1] = ('%d@%d'):format(delay, world.now) end)
    end
    world:advance(20)
    assert.same({ '0@0', '10@10', '10@10', '20@20' }, seen)
    assert.equal(20, world.now)
  end)

  it('keeps its order over thousands, most of which are taken back', function()
    local world, seen, kept = worlds.new { now = 0, seed = 4 }, {}, 0
    for i = 1, 5000 do
      local id = world:operation(math.floor(world:random() * 1000), function() seen[#seen + 1] = world.now end)
      if i % 7 ~= 0 then world:cancel(id) else kept = kept + 1 end
    end
    world:advance(1000)
    assert.equal(kept, #seen)
    for i = 2, #seen do assert.is_true(seen[i] >= seen[i - 1]) end
    assert.is_true(world:quiet())
  end)

  it('has turns: what is made in one comes in the next', function()
    local sys, world = sim_sys.new()
    local turns, seen = 0, {}
    sys.turn(function() turns = turns + 1 end)
    world:at(0, function()
      world:at(0, function() seen[#seen + 1] = turns end)
      seen[#seen + 1] = turns
    end)
    world:advance(0)
    assert.same({ 0, 1 }, seen)
  end)

  it('refuses to stand still for ever', function()
    local world = worlds.new { now = 5 }
    world.limit = 100
    local function again() world:at(0, again) end
    again()
    local ok, message = pcall(world.advance, world, 1)
    assert.is_false(ok)
    assert.matches('virtual time stands still at 5 ms', message)
  end)

  it('needs pactlua for regular expressions', function()
    local sys = sim_sys.new()
    assert.has_error(function() sys.text.find({ regex = 'a+' }, 'aaa') end,
      "regular expressions, such as 'a+', are pactlua's own: run this inside pactlua")
  end)
end)

describe('the disk of a simulation', function()
  local real = {
    ['/net/net.lua'] = 'recipe', ['/net/data/a'] = 'A', ['/etc/passwd'] = 'secret',
  }
  local beneath = {
    within = '/net',
    read = function(path)
      if not real[path] then return nil, path .. ': no', 'ENOENT' end
      return real[path]
    end,
    stat = function(path)
      if not real[path] then return nil, path .. ': no', 'ENOENT' end
      return { type = 'file', size = #real[path] }
    end,
    list = function(path) return path == '/net/data' and { 'a' } or nil end,
  }
  local fs, world
  before_each(function() fs, world = disk.new { beneath = beneath } end)

  it('reads what is below the recipe\'s directory, and nothing else', function()
    assert.equal('A', fs.read '/net/data/a')
    assert.is_nil(fs.read '/etc/passwd')
    assert.is_nil(fs.stat '/net/data/b')
  end)

  it('keeps what is written to itself', function()
    assert.is_true(fs.write('/net/data/a', 'B'))
    assert.is_true(fs.write('/net/data/b', 'C'))
    assert.is_true(fs.write('/net/data/b', 'D', { append = true }))
    assert.same({ 'B', 'CD' }, { fs.read '/net/data/a', fs.read '/net/data/b' })
    assert.same({ 'a', 'b' }, fs.list '/net/data')
    assert.equal('A', real['/net/data/a'])
  end)

  it('hides what was removed, and what a row says is absent', function()
    fs.remove '/net/data/a'
    assert.is_nil(fs.read '/net/data/a')
    assert.same({}, fs.list '/net/data')
    world.answer = function(path) return path ~= '/net/net.lua' and nil end
    assert.is_nil(fs.read '/net/net.lua')
  end)

  it('appends in pieces, which are whole where somebody looks', function()
    local id = fs.open_append '/log'
    for i = 1, 3 do fs.append(id, i .. '\n') end
    assert.equal('1\n2\n3\n', world.files['/log'])
    fs.append(id, '4\n')
    assert.equal('3\n4\n', fs.read_at('/log', 4, 4))
    fs.write('/log', 'new')
    fs.append(id, '!')
    local found = {}
    for path, bytes in pairs(world.files) do found[path] = bytes end
    assert.same({ ['/log'] = 'new!' }, found)
  end)
end)
