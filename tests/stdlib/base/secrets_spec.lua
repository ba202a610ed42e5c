local secrets = require 'pact.base.secrets'

describe('secrets', function()
  it('are hidden, also when their list has been left', function()
    local one, two = { 'hidden-one' }, { 'hidden-two', 'hidden-one' }
    local all = secrets.new()
    all:follow(one)
    all:follow(two)
    two[3] = 'hidden-three'
    all:leave(one)
    all:leave(two)
    for _, word in ipairs { 'one', 'two', 'three' } do
      assert.is_nil(all:words('it says hidden-' .. word):find('hidden-' .. word, 1, true))
      assert.is_nil(all:json(('{"x":"hidden-%s"}'):format(word)):find('hidden-' .. word, 1, true))
    end
    assert.truthy(all:words('it says another'):find('another', 1, true))
  end)

  it('of lists that come and go are kept once', function()
    local all = secrets.new()
    for _ = 1, 100 do
      local values = { 'hidden-one', 'hidden-two' }
      all:follow(values)
      all:leave(values)
    end
    assert.same({ 'hidden-one', 'hidden-two' }, all.past)
    assert.equal(1, #all.lists)
  end)
end)
