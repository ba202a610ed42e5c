--- What a recipe writes comes in whole lines.
local lines = require 'pact.control.recipe.lines'
local sched = require 'pact.base.sched'
local sim_sys = require 'pact.sim.sys'

describe('lines', function()
  local said, world, it_lines

  before_each(function()
    local sys
    sys, world = sim_sys.new()
    said = {}
    it_lines = lines.new(sched.new(sys), function(text) said[#said + 1] = text end)
  end)

  it('are said when they are whole', function()
    it_lines:write '1 '
    it_lines:write '2 '
    assert.same({}, said)
    it_lines:write '3\nfour\nfi'
    assert.same({ '1 2 3\nfour\n' }, said)
  end)

  it('are said unterminated after a while', function()
    it_lines:write 'name? '
    world:advance(200)
    assert.same({}, said)
    world:advance(100)
    assert.same({ 'name? \n' }, said)
    world:advance(1000)
    assert.equal(1, #said)
  end)

  it('are said at the end', function()
    it_lines:write 'the last'
    it_lines:flush()
    it_lines:flush()
    assert.same({ 'the last\n' }, said)
  end)
end)
