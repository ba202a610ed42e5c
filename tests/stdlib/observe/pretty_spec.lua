--- Values as a person at a prompt sees them.
local pretty = require 'pact.observe.pretty'

local function cycle()
  local t = { name = 'a' }
  t.me, t.deep = t, { back = t }
  return t
end

local function many(count)
  local out = {}
  for i = 1, count do out[i] = i end
  return out
end

local named = setmetatable({}, { __tostring = function() return 'by its own words' end })
local mute = setmetatable({}, { __tostring = function() error('no words', 0) end })
local protected = setmetatable({ a = 1 }, { __metatable = false, __index = error, __pairs = error, __len = error })

-- value, options, what is shown
local SHOWN = {
  { nil, {}, 'nil' },
  { 'bare\ntext', {}, 'bare\ntext' },
  { 5, {}, '5' },
  { 5.5, {}, '5.5' },
  { true, {}, 'true' },
  { {}, {}, '{}' },
  { print, {}, 'function' },
  { { 1, 2, x = 'y', ['a-b'] = true, [10] = 1 }, {}, "{ 1, 2, [10] = 1, ['a-b'] = true, x = 'y' }" },
  { { "it's", 'a\nb', 'tab\t\27', '\\', [[both ' and "]] }, {}, [[{ "it's", 'a\nb', 'tab\t\x1b', '\\', 'both \' and "' }]] },
  { cycle(), {}, "{ deep = { back = <again> }, me = <again>, name = 'a' }" },
  { { { 1 }, { 1 } }, {}, '{ { 1 }, { 1 } }' },
  { { { { { { 1 } } } } }, { depth = 3 }, '{ { { {…} } } }' },
  { { { {} } }, { depth = 1 }, '{ {…} }' },
  { many(5), { items = 3 }, '{ 1, 2, 3, … and 2 more }' },
  { named, {}, 'by its own words' },
  { { named }, {}, '{ by its own words }' },
  { { mute }, {}, "{ <its __tostring failed: 'no words'> }" },
  { protected, {}, '{ a = 1 }' },
  { { ('x'):rep(30), ('y'):rep(30) }, { width = 40 }, "{\n  '" .. ('x'):rep(30) .. "',\n  '" .. ('y'):rep(30) .. "'\n}" },
  { { a = { ('x'):rep(30), 'y' }, b = 1 }, { width = 40 },
    "{\n  a = {\n    '" .. ('x'):rep(30) .. "',\n    'y'\n  },\n  b = 1\n}" },
  { { 1, 'x' }, { colour = true }, "{ \27[33m1\27[0m, \27[32m'x'\27[0m }" },
  { { id = 'web' }, { known = function(value) return value.id and 'service ' .. value.id end }, 'service web' },
}

describe('pretty', function()
  for i, row in ipairs(SHOWN) do
    it(('shows value %d as %q'):format(i, row[3]), function()
      assert.equal(row[3], pretty.text(row[1], row[2]))
    end)
  end

  it('keeps within the width, whatever the width is', function()
    local value = { list = many(40), deep = { a = { b = many(12) } }, 'x' }
    for width = 20, 100 do
      for line in (pretty.text(value, { width = width }) .. '\n'):gmatch '([^\n]*)\n' do
        assert.is_true(#line <= width or not line:find('{ ', 1, true), ('%d: %s'):format(width, line))
      end
    end
  end)

  it('tells how much more there is of very much', function()
    local numbers, names = many(1000000), {}
    for i = 1, 200000 do names['name' .. i] = i end
    assert.equal(100, select(2, pretty.text(numbers):gsub('%d,', '')))
    assert.truthy(pretty.text(numbers):find('and 999900 more', 1, true))
    assert.truthy(pretty.text(names):find('and 199900 more', 1, true))
  end)

  it('cuts long texts in tables, never within a character', function()
    local shown = pretty.text { ('ö'):rep(300) }
    assert.equal("{ '" .. ('ö'):rep(200) .. "'… (600 bytes) }", (shown:gsub('^{%s+', '{ '):gsub('%s+}$', ' }')))
    assert.truthy(utf8.len(pretty.text { 'x' .. ('ö'):rep(300) }))
    assert.truthy(pretty.text({ ('\xff'):rep(500) }):find('500 bytes', 1, true))
  end)

  it('says where a function is written', function()
    local shown = pretty.text(function() end, { place = function() return { file = 'net.lua', line = 3 } end })
    assert.equal('function at net.lua:3', shown)
  end)

  local SERVICES = {
    { { id = 'web', status = 'running', health = 'healthy', pid = 12, uptime = 3000 }, 'web  running, healthy, pid 12, up 3s' },
    { { id = 'web', status = 'failed', health = 'none', reason = 'exit code 1' }, 'web  failed, exit code 1' },
    { { id = 'web', status = 'idle', reason = 'not wanted' }, 'web  idle, not wanted' },
    { { id = 'web', status = 'running', reason = 'ready', instances = { 'web-1', 'web-2' } }, 'web  running, 2 instances' },
  }
  for _, row in ipairs(SERVICES) do
    it('shows a service: ' .. row[2], function() assert.equal(row[2], pretty.service(row[1])) end)
  end
end)
