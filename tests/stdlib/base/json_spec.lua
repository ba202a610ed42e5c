local json = require 'pact.base.json'

describe('base.json', function()
  it('encodes with sorted keys, exact integers and told arrays', function()
    for _, row in ipairs {
      { { b = 1, a = 2, c = {} }, '{"a":2,"b":1,"c":{}}' },
      { { 1, 2, 3 }, '[1,2,3]' },
      { json.array {}, '[]' },
      { { json.null, true, false }, '[null,true,false]' },
      { 9007199254740993, '9007199254740993' },
      { 8080.0, '8080' }, { 0.1, '0.1' }, { 1e300, '1e+300' },
      { 'a"b\\\n\0é', '"a\\"b\\\\\\n\\u0000é"' },
      { 'x\255y', '"x\u{FFFD}y"' },
      { { [1] = 'a', [3] = 'c' }, '{"1":"a","3":"c"}' },
      { { 'a', k = 1 }, '{"1":"a","k":1}' },
    } do
      assert.equal(row[2], json.encode(row[1]))
    end
  end)

  it('writes over many lines', function()
    assert.equal('{\n  "a": [\n    1,\n    2\n  ],\n  "b": {}\n}',
      json.encode({ a = { 1, 2 }, b = {} }, { indent = true }))
  end)

  it('names what it cannot encode, or makes text of it', function()
    local loop = {}
    loop.me = loop
    assert.has_error(function() json.encode { a = { b = print } } end, "json: cannot encode a function at 'a.b'")
    assert.has_error(function() json.encode { a = 0 / 0 } end, ("json: cannot encode %s at 'a'"):format(0 / 0))
    assert.has_error(function() json.encode(loop) end, "json: a table contains itself at 'me'")
    assert.equal('{"me":{"me":null},"x":null}', json.encode({ me = loop, x = math.huge }, { lenient = true }))
    assert.matches('^"function', json.encode(print, { lenient = true }))
  end)

  it('lets one table stand at two places', function()
    local t = { 1 }
    assert.equal('{"a":[1],"b":[1]}', json.encode { a = t, b = t })
  end)

  local texts = {
    { '{"port":8080,"f":2.5,"n":null,"l":[],"s":"\\u00e9\\ud83d\\ude00\\n"}',
      { port = 8080, f = 2.5, n = json.null, l = {}, s = 'é😀\n' } },
    { ' [ 1 , -2 , true , false , [ ] , { } ] ', { 1, -2, true, false, {}, {} } },
    { '"x"', 'x' },
  }

  it('decodes with lua-cjson, integers staying integers', function()
    for _, row in ipairs(texts) do assert.same(row[2], (json.decode(row[1]))) end
    assert.equal('integer', math.type(json.decode('{"p":8080}').p))
  end)

  it('decodes by itself where there are long numbers', function()
    for _, row in ipairs(texts) do
      local got = json.decode('[123456789012345678,' .. row[1] .. ']')
      assert.equal(123456789012345678, got[1])
      assert.same(row[2], got[2])
    end
    assert.equal(-9007199254740993, json.decode '-9007199254740993')
  end)

  it('refuses what is not JSON', function()
    for _, tail in ipairs { '', ' 123456789012345678' } do
      for _, text in ipairs {
        '{', '[1,]', '{"a"}', 'nul', '01', '"a', '"\\x"', '[1 2]', '{"a":1,}', 'NaN', '1 2', '+1', '\1',
      } do
        local value, message = json.decode(text .. tail)
        assert.is_nil(value, text)
        assert.matches('^not JSON: ', message)
      end
    end
    assert.is_nil((json.decode(('['):rep(5000))))
    assert.is_nil((json.decode(('[123456789012345678,'):rep(5000))))
  end)
end)
