local list = require 'pact.base.list'

describe('base.list', function()
  it('gives keys in order, numbers before words', function()
    assert.same({ 1, 2, 10, 'a', 'b' }, list.keys { b = 1, a = 1, [10] = 1, [2] = 1, [1] = 1 })
    local seen = {}
    for key, value in list.sorted { z = 1, a = 2 } do seen[#seen + 1] = key .. value end
    assert.same({ 'a2', 'z1' }, seen)
  end)

  it('tells sequences from maps', function()
    assert.is_true(list.is_sequence {})
    assert.is_true(list.is_sequence { 1, 2 })
    assert.is_false(list.is_sequence { 1, nil, 3 })
    assert.is_false(list.is_sequence { a = 1 })
    assert.is_false(list.is_sequence { [1.5] = 1 })
  end)

  it('maps, filters, finds, turns round, copies', function()
    assert.same({ 2, 4 }, list.map({ 1, 2 }, function(x) return x * 2 end))
    assert.same({ 2 }, list.filter({ 1, 2 }, function(x) return x > 1 end))
    assert.equal(2, list.index({ 'a', 'b' }, 'b'))
    assert.same({ 3, 2, 1 }, list.reverse { 1, 2, 3 })
    assert.same({ a = true }, list.set { 'a' })
    assert.equal(2, list.count { a = 1, b = 2 })
  end)
end)
