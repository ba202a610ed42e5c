local raised = require 'pact.base.raised'

describe('what was raised', function()
  local function told(words)
    return setmetatable({}, { __tostring = function() return words() end })
  end

  for name, row in pairs {
    text = { 'disk full', 'disk full' },
    ['an empty text'] = { '', '' },
    nothing = { nil, 'raised nothing' },
    ['a number'] = { 4, 'raised 4' },
    ['a function'] = { print, 'raised a function' },
    ['a table'] = { { code = 4 }, 'raised {"code":4}' },
    ['a table that contains itself'] = { (function() local t = {} t.t = t return t end)(), 'raised ', 'begins' },
    ['a table with a message'] = { { message = 'disk full' }, 'disk full' },
    ['a table with words'] = { told(function() return 'disk full' end), 'disk full' },
    ['words that raise'] = { told(function() error 'inner' end), 'an error that has no text' },
    ['words that are none'] = { told(function() return {} end), 'an error that has no text' },
    ['fields that raise'] = { setmetatable({}, { __index = function() error 'inner' end }), 'raised ', 'begins' },
    ['a hidden metatable'] = { setmetatable({}, { __metatable = false }), 'table: 0x', 'begins' },
  } do
    it('is text: ' .. name, function()
      local text = raised(row[1])
      assert.equal(row[2], row[3] and text:sub(1, #row[2]) or text)
    end)
  end
end)
