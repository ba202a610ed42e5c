local strict = require 'pact.base.strict'

describe('base.strict', function()
  local heard, env
  before_each(function()
    heard = {}
    env = strict.new({ print = print }, function(what, name) heard[#heard + 1] = what .. ' ' .. name end)
  end)

  it('lets known names pass', function()
    assert.is_true(load('return print ~= nil and _G.print == print', 'x', 't', env)())
    assert.same({}, heard)
  end)

  it('notices an assignment once and goes on', function()
    assert.equal(2, load('x = 1; x = 2; return x', 'x', 't', env)())
    assert.same({ 'assigned x' }, heard)
  end)

  it('notices each read of what is not there', function()
    assert.is_nil(load('return databse', 'x', 't', env)())
    assert.same({ 'undefined databse' }, heard)
  end)
end)
