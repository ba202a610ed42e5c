--- Files of variables.
local functional = require 'functional'
local case = functional.case

local function seen(t, fields, script)
  local result = t:up(([[ pact.task 'probe' { %s shell = %q } ]]):format(fields, '{ ' .. script .. '; } >seen')):wait()
  assert.equal(0, result.code, result.out .. result.err)
  return t:read 'seen'
end

describe('env_file', function()
  case('names, quotes, export, comments', function(t)
    t:file('.env', table.concat({
      '# a comment', '', 'PLAIN=value', 'export EXPORTED=yes', 'SPACED = around ', 'DOUBLE="two words"', "SINGLE='$HOME stays'",
      'EMPTY=', 'HASH="a # b"', '',
    }, '\n'))
    assert.equal('value|yes|two words|$HOME stays||a # b\n', seen(t, "env_file = '.env',",
      'echo "$PLAIN|$EXPORTED|$DOUBLE|$SINGLE|$EMPTY|$HASH"'))
  end)

  case('env beats the file, a later file an earlier one', function(t)
    t:file('a.env', 'A=a\nB=a\nC=a\n')
    t:file('b.env', 'B=b\nC=b\n')
    assert.equal('a b c\n', seen(t, "env_file = { 'a.env', 'b.env' }, env = { C = 'c' },", 'echo "$A $B $C"'))
  end)

  case('a file that is not there is an error that names it', function(t)
    local result = t:up([[ pact.task 'probe' { env_file = 'missing.env', command = { 'true' } } ]]):wait()
    assert.not_equal(0, result.code)
    assert.truthy((result.out .. result.err):find('missing.env', 1, true))
  end)

  case('a line that is none is an error with its number', function(t)
    t:file('.env', 'GOOD=1\nthis is no assignment\n')
    local result = t:up([[ pact.task 'probe' { env_file = '.env', command = { 'true' } } ]]):wait()
    assert.not_equal(0, result.code)
    assert.truthy((result.out .. result.err):find('.env:2', 1, true), result.out .. result.err)
  end)
end)
