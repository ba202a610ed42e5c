local size = require 'pact.base.size'

describe('base.size', function()
  it('reads sizes', function()
    for text, bytes in pairs {
      ['512m'] = 512 << 20, ['10k'] = 10240, ['1g'] = 1 << 30, ['1.5M'] = 3 << 19, ['256MB'] = 256 << 20,
      ['4 KiB'] = 4096, ['17'] = 17, ['17b'] = 17, [4096] = 4096, [0] = 0,
    } do
      assert.equal(bytes, size.parse(text), text)
    end
  end)

  it('says what is wrong with others', function()
    local expected = "must be a size such as '512m', '10k' or a number of bytes, got "
    for _, row in ipairs {
      { 'big', expected .. "'big'" }, { '5x', expected .. "'5x'" }, { 1.5, expected .. '1.5' },
      { {}, expected .. 'a table' }, { true, expected .. 'true' }, { '5ki', expected .. "'5ki'" },
      { '-1k', "must not be negative, got '-1k'" }, { '9999999999t', "must be less than 1024t, got '9999999999t'" },
    } do
      local bytes, message = size.parse(row[1])
      assert.is_nil(bytes)
      assert.equal(row[2], message)
    end
  end)

  it('writes for people', function()
    assert.equal('17 B', size.format(17))
    assert.equal('1.5 KB', size.format(1536))
    assert.equal('256 MB', size.format(256 << 20))
    assert.equal('2.0 GB', size.format(2 << 30))
  end)
end)
