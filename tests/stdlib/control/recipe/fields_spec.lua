--- What a handle tells of what its service uses.
local fields = require 'pact.control.recipe.fields'

describe("a handle's cpu", function()
  local now, network, lives

  before_each(function()
    now, lives = 10000, { a = { epoch = 1, began = 8000, cpu = 500 }, b = { epoch = 1, began = 9000, cpu = 100 } }
    network = {
      plan = { groups = { both = { 'a', 'b' } } },
      sys = { time = { now = function() return now end } },
      look = function(_, id) return { epoch = lives[id].epoch, uptime = now - lives[id].began } end,
      supervisor = { sample = function(_, id) return lives[id].cpu and { cpu = lives[id].cpu, rss = 4096 } end },
    }
  end)

  local function cpu(id) return fields.now(network, id, 'cpu') end

  it('is a share of one processor: at first of its life, then since the last look', function()
    assert.equal(25.0, cpu 'a')
    now, lives.a.cpu = now + 1000, 1500
    assert.equal(100.0, cpu 'a')
    now = now + 499
    assert.equal(100.0, cpu 'a') -- the same look
    now = now + 501
    assert.equal(0, cpu 'a')
  end)

  it('begins anew with another life', function()
    cpu 'a'
    now, lives.a = now + 100, { epoch = 2, began = now, cpu = 10 }
    assert.equal(10.0, cpu 'a')
  end)

  it('is, of a group, that of all its instances; nil of what does not run', function()
    assert.equal(35.0, cpu 'both')
    assert.equal(8192, fields.now(network, 'both', 'memory'))
    lives.a.cpu = nil
    assert.is_nil(cpu 'a')
  end)
end)
