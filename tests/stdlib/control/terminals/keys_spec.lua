--- Keys that leave a terminal, and what a program has switched on in it.
local keys = require 'pact.control.terminals.keys'
local modes = require 'pact.control.terminals.modes'

describe('detach keys', function()
  for words, bytes in pairs { ['ctrl-]'] = '\29', ['ctrl-p,ctrl-q'] = '\16\17', ['Ctrl-A,d'] = '\1d', ['~,.'] = '~.', ['ctrl-\\'] = '\28' } do
    it(words .. ' are read', function() assert.equal(bytes, keys.parse(words)) end)
  end

  for _, words in ipairs { 'ctrl-', 'ctrl-1', 'f1', 'ctrl-pq', 'strg-p' } do
    it(words .. ' are told to be none', function()
      local bytes, message = keys.parse(words)
      assert.is_nil(bytes)
      assert.truthy(message:find(("'%s' is no key"):format(words), 1, true), message)
    end)
  end

  it('are named as people know them', function()
    assert.equal('Ctrl-P Ctrl-Q', keys.words '\16\17')
    assert.equal('Ctrl-A d', keys.words '\1d')
  end)

  -- keys, what is typed in pieces → what goes on, whether they were found
  local TYPED = {
    { '\29', { 'abc' }, 'abc', false },
    { '\29', { 'a\29b' }, 'a', true },
    { '\16\17', { 'a\16', '\17' }, 'a', true },
    { '\16\17', { '\16', 'x', '\16', '\16\17' }, '\16x\16', true },
    { '\16\17', { '\16' }, '', false },
    { 'aab', { 'a', 'a', 'a', 'b' }, 'a', true },
    { 'aab', { 'aaaa', 'c' }, 'aaaac', false },
  }
  for _, row in ipairs(TYPED) do
    it(('%q in %s'):format(row[1], table.concat(row[2], '|'):gsub('%c', '^')), function()
      local watch, passed, found = keys.watch(row[1]), {}, false
      for _, piece in ipairs(row[2]) do
        local on
        on, found = watch:take(piece)
        passed[#passed + 1] = on
      end
      assert.same({ row[3], row[4] }, { table.concat(passed), found })
    end)
  end
end)

describe('what is switched on', function()
  -- what a terminal is shown, in pieces → what switches it off
  local ROWS = {
    { { 'plain' }, '' },
    { { '\27[?1049h' }, '\27[?1049l' },
    { { '\27[?10', '49h' }, '\27[?1049l' },
    { { '\27', '[?1049h', 'x', '\27[?1049l' }, '' },
    { { '\27[?25l' }, '\27[?25h' },
    { { '\27[?25l\27[?25h' }, '' },
    { { '\27[?1000;1006h\27[?2004h' }, '\27[?1000l\27[?1006l\27[?2004l' },
    { { '\27[?1h\27=' }, '\27[?1l\27>' },
    { { '\27=\27>' }, '' },
    { { '\27[?1049h\27c' }, '' },
    { { '\27[?7l\27[?12h' }, '' },
    { { '\27[31m\27' }, '' },
    { { ('\27['):rep(1000), '\27[?1049h' }, '\27[?1049l' },
  }
  for i, row in ipairs(ROWS) do
    it(('is switched off again, %d'):format(i), function()
      local seen = modes.new()
      for _, piece in ipairs(row[1]) do seen:see(piece) end
      assert.equal('\27[0m' .. row[2], seen:off())
      assert.is_true(#seen.rest <= 64)
    end)
  end
end)
