local address = require 'pact.base.address'

describe('base.address', function()
  it('reads what can be listened on', function()
    for value, expected in pairs {
      ['3000'] = '127.0.0.1 3000', [3000] = '127.0.0.1 3000', [0] = '127.0.0.1 0', [':80'] = '127.0.0.1 80',
      ['0.0.0.0:1'] = '0.0.0.0 1', ['*:65535'] = '0.0.0.0 65535', ['[::1]:80'] = '::1 80', ['localhost:0'] = 'localhost 0',
      ['web-1.test:80'] = 'web-1.test 80', ['65536'] = 'nil nil', ['1234567'] = 'nil nil', ['::1:80'] = 'nil nil',
      ['localhost'] = 'nil nil', [''] = 'nil nil', ['a b:80'] = 'nil nil', ['127.0.0.1:'] = 'nil nil', ['80 '] = 'nil nil',
      ['127.0.0.1:80x'] = 'nil nil', [-1] = 'nil nil',
    } do
      local host, port = address.parse(value)
      assert.equal(expected, ('%s %s'):format(host, port), value)
    end
  end)

  it('knows numbers from names, and this machine from others', function()
    for host, expected in pairs {
      ['127.0.0.1'] = { true, true }, ['127.1.2.3'] = { true, true }, ['0.0.0.0'] = { true, false }, ['::1'] = { true, true },
      ['::'] = { true, false }, ['fe80::1'] = { true, false }, ['10.0.0.1'] = { true, false }, ['127.0.0.1.test'] = { false, false },
      ['1.2.3.256'] = { false, false }, ['1.2.3'] = { false, false }, localhost = { false, false },
    } do
      assert.same(expected, { address.is_numeric(host), address.is_local(host) }, host)
    end
  end)

  it('writes IPv6 in brackets', function()
    assert.same({ '127.0.0.1:80', '[::1]:80' }, { address.text('127.0.0.1', 80), address.text('::1', 80) })
  end)
end)
