--- Values as programs get them: a line each.
local inspect = require 'pact.observe.inspect'

local function cycle()
  local t = {}
  t.me = t
  return t
end

local hostile = setmetatable({ 'x', a = 1 }, {
  __index = error, __len = error, __pairs = error, __metatable = { __tostring = error },
})

-- value, what is shown
local SHOWN = {
  { 'bare\n\27[31m', 'bare\n\27[31m' },
  { { 'tab\tnul\0esc\27', "it's" }, "{ 'tab\\tnul\\x00esc\\x1b', 'it\\'s' }" },
  { { 1, x = { y = { z = { 1 } } } }, '{ 1, x = { y = { z = {…} } } }' },
  { { { { {} } } }, '{ { { {} } } }' },
  { cycle(), '{ me = <again> }' },
  { hostile, "{ 'x', a = 1 }" },
}

describe('a value in a line', function()
  it('is shown whole, and nothing of it is run', function()
    for _, row in ipairs(SHOWN) do
      assert.equal(row[2], inspect.text(row[1]))
    end
  end)

  it('ends where it has become very long', function()
    local numbers, names = {}, {}
    for i = 1, 1000000 do numbers[i] = i end
    for i = 1, 100000 do names['k' .. i] = i end
    assert.truthy(inspect.text(numbers):find('20000, … and 980000 more }', 1, true))
    assert.truthy(inspect.text(names):find(', … and 80000 more }', 1, true))
    assert.truthy(#inspect.text { numbers, numbers, names } < 400000)
  end)
end)
