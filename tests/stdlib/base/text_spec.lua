local text = require 'pact.base.text'

describe('base.text', function()
  it('counts edits, a swap of neighbours as one', function()
    for _, row in ipairs {
      { '', '', 0 }, { 'abc', '', 3 }, { '', 'ab', 2 }, { 'kitten', 'sitting', 3 },
      { 'command', 'comamnd', 1 }, { 'ab', 'ba', 1 }, { 'same', 'same', 0 }, { 'databse', 'database', 1 },
    } do
      assert.equal(row[3], text.distance(row[1], row[2]), row[1] .. '/' .. row[2])
    end
  end)

  it('suggests what was meant, and nothing far away', function()
    local words = { 'command', 'cwd', 'category', 'depends_on', 'display_name', 'health', 'env' }
    for _, row in ipairs {
      { 'comand', 'command' }, { 'helth', 'health' }, { 'dependsOn', 'depends_on' }, { 'depend_on', 'depends_on' },
      { 'evn', 'env' }, { 'categorie', 'category' }, { 'zebra', nil }, { 'x', nil }, { 'HEALTH', 'health' },
    } do
      assert.equal(row[2], text.nearest(row[1], words), row[1])
    end
    assert.equal(" (did you mean 'cwd'?)", text.suggest('cdw', words))
    assert.equal('', text.suggest(5, words))
  end)

  it('decides between equally near words by first letter, then alphabet', function()
    assert.equal('web1', text.nearest('web', { 'web2', 'web1', 'feb' }))
    assert.equal('depends_on', text.nearest('depend_on', { 'dependsOn', 'depends_on' }))
    assert.equal('dependsOn', text.nearest('dependOn', { 'dependsOn', 'depends_on' }))
  end)

  it('counts nouns, joins words, pads and cuts', function()
    assert.equal('1 service', text.plural(1, 'service'))
    assert.equal('0 services', text.plural(0, 'service'))
    assert.equal('2 processes', text.plural(2, 'process', 'processes'))
    assert.equal("'a', 'b' and 'c'", text.quoted { 'a', 'b', 'c' })
    assert.equal('a or b', text.enumerate({ 'a', 'b' }, 'or'))
    assert.equal('é  |', text.pad('é', 3) .. '|')
    assert.equal(' 12', text.pad_left('12', 3))
    assert.equal('grüß…', text.truncate('grüßen', 5))
    assert.equal('abc', text.truncate('abc', 3))
  end)

  it('splits lines, lists and command lines', function()
    assert.same({ 'a', '', 'b' }, text.lines 'a\n\r\nb\n')
    assert.same({}, text.lines '')
    assert.same({ 'a', '', 'b' }, text.split('a,,b', ','))
    assert.same({ 'npm', 'run', 'two words', '' }, text.words [[npm  run 'two words' ""]])
  end)

  it('shows any value as a message would', function()
    assert.equal([['it\'s\n']], text.show "it's\n")
    assert.equal('5', text.show(5))
    assert.equal('a table', text.show {})
    assert.equal('nothing', text.show(nil))
    assert.equal('a function', text.show(print))
  end)
end)
