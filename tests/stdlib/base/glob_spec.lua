local glob = require 'pact.base.glob'
local ignore = require 'pact.base.ignore'

-- pattern, path, does it match
local ROWS = {
  { 'src/*.js', 'src/a.js', true }, { 'src/*.js', 'src/.a.js', true }, { 'src/*.js', 'src/x/a.js', false },
  { 'src/*.js', 'src/a.jsx', false }, { 'src/*.js', 'src/', false }, { 'src/**/*.js', 'src/a.js', true },
  { 'src/**/*.js', 'src/x/y/a.js', true }, { 'src/**/*.js', 'lib/a.js', false }, { 'src/**', 'src/a', true },
  { 'src/**', 'src/x/y', true }, { 'src/**', 'src', false }, { 'src/', 'src/x/y', true }, { '**/*.lua', 'a.lua', true },
  { '**/*.lua', 'x/y/a.lua', true }, { '**', 'a', true }, { 'a/**/b/**/c', 'a/b/c', true }, { 'a/**/b/**/c', 'a/x/b/y/z/c', true },
  { 'a/**/b/**/c', 'a/x/c', false }, { '?.txt', 'a.txt', true }, { '?.txt', 'ä.txt', true }, { '?.txt', 'ab.txt', false },
  { '[ab].txt', 'a.txt', true }, { '[!ab].txt', 'a.txt', false }, { '[^ab].txt', 'c.txt', true }, { '[a-c]x', 'bx', true },
  { '[]a]x', ']x', true }, { '[%d]x', '1x', false }, { '[%d]x', '%x', true }, { '*.{js,ts}', 'a.ts', true }, { '*.{js,ts}', 'a.css', false },
  { '{a,b/{c,d}}/x', 'b/d/x', true }, { '{a,b/{c,d}}/x', 'a/x', true }, { '{,x}a', 'xa', true }, { 'a.b+c-d(e)', 'a.b+c-d(e)', true },
  { 'a.b', 'axb', false }, { [[\*.js]], '*.js', true }, { [[\*.js]], 'a.js', false }, { [[a\{b]], 'a{b', true },
  { './src/./*.js', 'src/a.js', true }, { 'src/../lib/*', 'lib/a', true }, { '../x/*', '../x/a', true }, { '/abs/*', '/abs/a', true },
  { '*', 'a', true }, { 'a*b*c', 'aXbYc', true }, { '%a', 'b', false }, { '%a', '%a', true },
}

-- pattern, directory, may something below match
local HOLD = {
  { 'src/**/*.js', 'src', true }, { 'src/**/*.js', 'src/x/y', true }, { 'src/**/*.js', 'lib', false }, { 'src/*.js', 'src/x', false },
  { 'src/*/a', 'src/x', true }, { 'src/*/a', 'src/x/y', false }, { 'a', 'a', false }, { '**/a', 'x/y', true }, { '{a,b}/c', 'b', true },
}

-- patterns, bases
local BASES = {
  { { 'src/**/*.js' }, { '/p/src' } }, { { 'src/*.js', 'src/*.ts' }, { '/p/src' } }, { { 'a.txt' }, { '/p' } },
  { { 'a/b/c.txt', 'a/{x,y}/*' }, { '/p/a/b', '/p/a/x', '/p/a/y' } }, { { '**/*' }, { '/p' } }, { { '../q/*' }, { '/q' } },
  { { '/abs/x/' }, { '/abs/x' } }, { { 'a/?/b/c' }, { '/p/a' } },
}

describe('a glob', function()
  for _, row in ipairs(ROWS) do
    it(("'%s' and '%s'"):format(row[1], row[2]), function()
      assert.equal(row[3], assert(glob.new { row[1] }):match(row[2]))
    end)
  end
  for _, row in ipairs(HOLD) do
    it(("'%s' in '%s'"):format(row[1], row[2]), function()
      assert.equal(row[3], assert(glob.new { row[1] }):may_hold(row[2]))
    end)
  end
  for _, row in ipairs(BASES) do
    it('begins at ' .. table.concat(row[2], ' '), function()
      assert.same(row[2], assert(glob.new(row[1], '/p')):bases())
    end)
  end

  it('that is wrong is refused', function()
    assert.equal("has a '[' without its ']'", glob.check 'a[b')
    assert.equal("has a '{' without its '}'", glob.check 'a{b,c')
    assert.equal('has too many alternatives', glob.check(('{a,b}'):rep(12)))
    assert.is_nil(glob.check 'a}b]c')
  end)

  it('of many stars takes no time', function()
    local set = assert(glob.new { '**/a/**/b/**/c/**/d' })
    local began = os.clock()
    assert.is_false(set:match(('a/b/c/'):rep(8) .. 'e'))
    assert.is_true(os.clock() - began < 1)
  end)
end)

describe('rules of .gitignore', function()
  -- lines, path, is a directory, ignored
  local rows = {
    { '*.log', 'x/a.log', false, true }, { '*.log', 'a.txt', false, false }, { '/a', 'a', false, true }, { '/a', 'x/a', false, false },
    { 'build/', 'x/build', true, true }, { 'build/', 'build', false, false }, { 'doc/*.txt', 'doc/a.txt', false, true },
    { 'doc/*.txt', 'x/doc/a.txt', false, false }, { '**/doc', 'x/y/doc', true, true }, { 'a/**', 'a/b/c', false, true },
    { '*.log\n!keep.log', 'keep.log', false, false }, { '!keep.log\n*.log', 'keep.log', false, true }, { '# comment\n\n', '# comment', false, false },
    { [[\#a]], '#a', false, true }, { [[\!a]], '!a', false, true }, { 'a  \r', 'a', false, true }, { [[a\ ]], 'a ', false, true }, { '/', 'a', true, false },
    { 'a[', 'a[', false, false },
  }
  for i, row in ipairs(rows) do
    it(('%d: %s %s %s'):format(i, (row[1]:gsub('%s', ' ')), row[4] and 'hide' or 'show', row[2]), function()
      assert.equal(row[4], ignore.parse('/p', nil, row[1]):ignores('/p/' .. row[2], row[3]))
    end)
  end

  it('deeper ones are stronger', function()
    local above = ignore.parse('/p', nil, '*.log\n')
    local below = ignore.parse('/p/x', above, '!a.log\n')
    assert.is_false(below:ignores('/p/x/a.log', false))
    assert.is_true(below:ignores('/p/x/b.log', false))
    assert.is_true(above:ignores('/p/a.log', false))
  end)
end)
