--- What verbs do with their standard input: code for `eval -`, and a terminal that isn't there.
local functional = require 'functional'
local case = functional.case

local NETWORK = [[
  pact.process 'web' { command = { 'sleep', '1000' } }
  pact.process 'shell' { command = { 'cat' }, tty = true }
]]

-- Runs a shell's line in which $0 is the binary.
local function shell(t, line)
  return t:run({ '-c', line, functional.bin }, { program = 'sh' })
end

describe('eval -', function()
  case('runs what comes on the standard input, from where that is read already', function(t)
    t:up(NETWORK):expect 'all ready'
    local result = shell(t, [[printf 'local x = 1\nprint "said"\nreturn x + 1\n' | "$0" eval -]])
    assert.same({ 0, 'said\n2\n', '' }, { result.code, result.out, result.err })
    t:file('code', 'read already\nreturn 6 * 7\n')
    assert.equal('42\n', shell(t, '{ read line; "$0" eval -; } <code').out)
    assert.equal(0, shell(t, '"$0" eval - </dev/null').code)
    assert.equal(0, shell(t, '"$0" eval - <&-').code)
    result = shell(t, "printf 'return (' | \"$0\" eval -")
    assert.equal(1, result.code)
    assert.truthy(result.err:find('eval:1: unexpected symbol near <eof>', 1, true), result.err)
    result = shell(t, '"$0" eval - <.')
    assert.same({ 1, 'pactlua: eval: standard input: Is a directory\n' }, { result.code, result.err })
    result = shell(t, 'head -c 2000000 /dev/zero | "$0" eval -')
    assert.same({ 1, 'pactlua: eval: standard input: more than 1 MiB\n' }, { result.code, result.err })
  end)
end)

describe('attach without a terminal', function()
  local rows = {
    { 'nix', "no service 'nix'" }, { 'shel', "no service 'shel' (did you mean 'shell'?)" },
    { 'web', "'web' has no terminal: give it tty = true" }, { 'shell', 'this needs a terminal' },
  }
  case('says first what else is wrong', function(t)
    t:up(NETWORK):expect 'all ready'
    for _, row in ipairs(rows) do
      local result = shell(t, ('"$0" attach %s </dev/null'):format(row[1]))
      assert.equal(1, result.code)
      assert.truthy(result.err:find('pactlua: attach: ' .. row[2], 1, true), result.err)
    end
    assert.equal(4, t:run({ 'attach', '--project', 'none', 'shell' }).code)
  end)
end)
