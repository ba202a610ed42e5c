--- Fault 49: a recipe that can't be loaded any more. The network keeps what it has, and is told why.
local functional = require 'functional'
local case = functional.case

local GOOD = "local pact = require 'pact'\npact.process 'a' { command = { 'sleep', '1000' } }\n"
  .. "pact.every('50ms', function() pact.file.append('ticks', 'x\\n') end)\npact.command('word', function() return 'good' end)\n"

local BAD = {
  { 'a syntax error', "local pact = require 'pact'\npact.process 'a' {", 'net.lua:2: syntax error' },
  { 'an error', "local pact = require 'pact'\nlocal x\nprint(x.y)", 'net.lua:3: attempt to index a nil value' },
  { 'an error in a module', "require 'broken'", 'broken.lua:2: ' },
  { 'wrong fields', "local pact = require 'pact'\npact.process 'a' { comand = { 'x' } }", "net.lua:2: process 'a': unknown key 'comand'" },
  { 'a cycle', "local pact = require 'pact'\npact.process 'a' { command = { 'x' }, depends_on = { 'b' } }\n"
    .. "pact.process 'b' { command = { 'x' }, depends_on = { 'a' } }", 'is a cycle: ' },
  { 'nothing declared', "local pact = require 'pact'", 'declares nothing' },
  { 'an empty file', '', 'is empty' },
  { 'text in UTF-16', '\255\254p\0a\0c\0t\0', 'net.lua' },
  { 'names that are no UTF-8', "local \255\254 = 1", 'net.lua:1: syntax error' },
  { 'compiled Lua', string.dump(function() end), 'is compiled Lua' },
  { 'a task that raises at once', "local pact = require 'pact'\nerror { code = 5 }", 'net.lua' },
  { 'os.exit', "local pact = require 'pact'\nos.exit(3)",
    'net.lua:2: acts before it has declared a service' },
}

local function network(t)
  t:file('broken.lua', "local x = 1\nerror 'broken'")
  t:file('net.lua', GOOD)
  local up = t:start { 'net.lua' }
  up:expect 'all ready'
  return t:wait_service('a', { status = 'running' }).pid
end

-- All of the old generation goes on.
local function undisturbed(t, pid)
  local ticks = #t:lines 'ticks'
  t:wait_lines('ticks', ticks + 3)
  assert.equal('good\n', t:run({ 'do', 'word' }).out)
  assert.equal(pid, t:ps().a.pid)
end

describe('fault 49: a reload of', function()
  for _, row in ipairs(BAD) do
    case(row[1], function(t)
      local pid = network(t)
      t:file('net.lua', row[2])
      local result, check = t:run { 'reload' }, t:run { 'check', 'net.lua' }
      assert.equal(2, result.code, result.out .. result.err)
      assert.equal('', result.out)
      assert.truthy(result.err:find(row[3], 1, true), result.err)
      assert.truthy(result.err:find('pactlua: reload: the recipe does not load, nothing has changed', 1, true), result.err)
      if check.code == 2 then assert.equal(check.err:match '^[^\n]*', result.err:match '^[^\n]*') end
      undisturbed(t, pid)
      t:file('net.lua', GOOD)
      assert.equal("nothing has changed\n", t:run({ 'reload' }).out)
      undisturbed(t, pid)
    end)
  end

  case('a recipe that is gone', function(t)
    local pid = network(t)
    os.remove(t:path 'net.lua')
    local result = t:run { 'reload' }
    assert.equal(2, result.code)
    assert.truthy(result.err:find('net.lua: no such file', 1, true), result.err)
    undisturbed(t, pid)
  end)

  case('one that never ends is interrupted', function(t)
    local pid = network(t)
    t:file('net.lua', "local pact = require 'pact'\nwhile true do end\n")
    local result = t:run({ 'reload' }, { seconds = 180 }) -- ten of them are the recipe's, in processor time
    assert.equal(2, result.code)
    assert.truthy(result.err:find('net.lua:2: interrupted: ', 1, true), result.err)
    undisturbed(t, pid)
  end)

  case('one with side effects has them again: they are the recipe\'s', function(t)
    local pid = network(t)
    t:file('net.lua', GOOD .. "pact.file.append('effects', 'x\\n')")
    assert.equal(0, t:run({ 'reload' }).code)
    assert.equal(0, t:run({ 'reload', '--dry-run' }).code)
    assert.equal(2, #t:lines 'effects')
    undisturbed(t, pid)
  end)
end)
