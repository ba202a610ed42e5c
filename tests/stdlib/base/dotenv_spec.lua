local dotenv = require 'pact.base.dotenv'

local function parse(text, outer)
  local out = assert(dotenv.parse(text, function(name) return (outer or {})[name] end))
  local map = {}
  for _, variable in ipairs(out) do map[variable.name] = variable.value end
  return map
end

describe('base.dotenv', function()
  it('reads plain, quoted, exported and commented lines', function()
    assert.same({
      A = '1', B = 'two words', C = "single ${A} \\n", D = 'a\tb "c" $x', E = '', F = 'x#y', G = '',
      H = 'spaced', I = '',
    }, parse [[
# a comment
A=1
export B = two words   # behind it
C='single ${A} \n'
D="a\tb \"c\" \$x" # comment
E=
F=x#y
G=# nothing
  H = spaced
I=""
export A
]])
  end)

  it('reads values over many lines', function()
    assert.same({ KEY = '-----BEGIN\nabc\n-----END', NEXT = '1', S = 'a\nb' },
      parse 'KEY="-----BEGIN\nabc\n-----END"\nNEXT=1\nS=\'a\nb\'\n')
  end)

  it('takes Windows line ends and a byte order mark', function()
    assert.same({ A = '1', B = '2' }, parse '\239\187\191A=1\r\nB="2"\r\n')
  end)

  it('expands ${NAME} from what stands above, then from outside', function()
    assert.same({
      A = 'x', B = 'x-o', C = 'def', D = '', E = '', F = '${A}', G = '${A}', H = 'x a$$b', I = 'o/x.y', J = 'pa$word $5',
      K = '$A', L = '$A', M = '',
    }, parse([[
A=x
B=${A}-${OUTER}
C=${NONE:-def}
D=${EMPTY-def}
E="${NONE}"
F=\${A}
G="\${A}"
H=$A a$$b
I="$OUTER/$A.y"
J=pa$word $5
K='$A'
L=\$A
M=$EMPTY
]], { OUTER = 'o', EMPTY = '' }))
  end)

  it('keeps the order and the last value', function()
    assert.same({ { name = 'B', value = '3' }, { name = 'A', value = '2' } }, (dotenv.parse 'B=1\nA=2\nB=3'))
  end)

  it('names the line of what it cannot read', function()
    for _, row in ipairs {
      { 'A=1\nFOO\n', "'FOO' has no '=' behind it", 2 },
      { 'A=1\n\nB="open\n\n', 'has a " that is never closed', 3 },
      { 'A="x" y', 'has text behind its closing "', 1 },
      { '1A=x', "has a name '1A' that no variable can have", 1 },
      { '=x', 'has no name', 1 },
      { 'A=${', "has a '${' without its name and '}'", 1 },
      { 'A=\0', 'is binary, not lines of NAME=value', 1 },
    } do
      local out, message, line = dotenv.parse(row[1])
      assert.is_nil(out)
      assert.equal(row[2], message)
      assert.equal(row[3], line)
    end
  end)
end)
