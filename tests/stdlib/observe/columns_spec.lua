local columns = require 'pact.observe.columns'

describe('columns', function()
  local rows = { { 'NAME', 'N', 'WHY' }, { 'a', '10', 'x' }, { 'längst', '7' }, { 'c', nil, 'a long reason' } }

  it('are aligned by what is seen, without blanks at the end', function()
    assert.equal(table.concat {
      'NAME    N   WHY\n',
      'a       10  x\n',
      'längst  7\n',
      'c           a long reason\n',
    }, columns.render(rows, {}))
  end)

  it('may be aligned on the right', function()
    assert.equal(table.concat {
      'NAME     N  WHY\n',
      'a       10  x\n',
      'längst   7\n',
      'c           a long reason\n',
    }, columns.render(rows, { right = { [2] = true } }))
  end)

  it('cut the last one to the terminal', function()
    local out = columns.render(rows, { limit = 18 })
    assert.truthy(out:find('c           a lon…\n', 1, true), out)
  end)

  it('are painted without moving them', function()
    local out = columns.render(rows, { paint = function(cell, column) return column == 1 and '<' .. cell .. '>' or cell end })
    assert.equal(table.concat {
      'NAME    N   WHY\n',
      '<a>       10  x\n',
      '<längst>  7\n',
      '<c>           a long reason\n',
    }, out)
  end)

  it('are nothing but a heading without rows', function()
    assert.equal('A  B\n', columns.render({ { 'A', 'B' } }, {}))
  end)
end)
