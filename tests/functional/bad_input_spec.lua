--- Bad recipes: one clear message for each problem, with file and line, before anything starts.
local functional = require 'functional'
local case = functional.case

local function starts(text, prefix) return text:sub(1, #prefix) == prefix end

-- Each verb must refuse it in the same words, start nothing and show no traceback.
local function refused(t, result, opts)
  local all = result.out .. result.err
  assert.equal(opts.status or 2, result.code, all)
  for _, text in ipairs(opts.says) do
    assert.truthy(all:lower():find(text:lower(), 1, true), ('%q in:\n%s'):format(text, all))
  end
  if not opts.traceback then assert.falsy(all:find('traceback', 1, true), all) end
  assert.falsy(all:find('@stdlib', 1, true), all)
  assert.falsy(all:find('stdlib/pact', 1, true), all)
  assert.equal('', result.out)
  assert.is_false(t:exists 'ran')
end

-- Rows: name, recipe text, what the message must hold.
local RECIPES = {
  { 'an empty file', '', { 'net.lua' } },
  { 'only comments', '-- nothing\n', { 'net.lua' } },
  { 'a recipe that declares nothing', "local pact = require 'pact'\nlocal x = 1 + 1\nreturn x\n", { 'net.lua', 'nothing' } },
  { 'a syntax error', "local pact = require 'pact'\npact.process 'a' {\n  command = \n}\n", { 'net.lua:4:' } },
  { 'an error that it raises', "local pact = require 'pact'\nlocal x = nil\nx.y = 1\n", { 'net.lua:3:', 'nil value' }, traceback = true },
  { 'an error of its own', "error 'not like this'\n", { 'net.lua:1:', 'not like this' }, traceback = true },
  { 'an error that is no text', 'error { code = 4 }\n', { 'net.lua' }, traceback = true },
  { 'binary', '\27Lua\84\0\25\147', { 'net.lua' } },
  { 'bytes that are no text', '\0\1\2\255\254', { 'net.lua' } },
  { 'an unknown key', [[
local pact = require 'pact'
pact.process 'a' {
  comand = { 'touch', 'ran' },
}
]], { 'net.lua:', "process 'a'", "'comand'", "did you mean 'command'" } },
  { 'an unknown key inside', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, health = { htpp = 'http://localhost/' } }
]], { 'net.lua:2:', 'htpp', "did you mean 'http'" } },
  { 'a wrong type', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, env = 'A=1' }
]], { 'net.lua:2:', 'env', 'table' } },
  { 'a command that is a string', [[
local pact = require 'pact'
pact.process 'a' { command = 'touch ran' }
]], { 'net.lua:2:', 'command', 'shell' } },
  { 'no command at all', [[
local pact = require 'pact'
pact.process 'a' { cwd = '.' }
]], { 'net.lua:2:', 'command' } },
  { 'an empty command', [[
local pact = require 'pact'
pact.process 'a' { command = {} }
]], { 'net.lua:2:', 'command' } },
  { 'a negative duration', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, timeout = '-3s' }
]], { 'net.lua:2:', 'timeout', '-3s' } },
  { 'a duration of nonsense', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, timeout = 'soon' }
]], { 'net.lua:2:', 'timeout', 'soon' } },
  { 'an absurd duration', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, timeout = '99999999999999999999h' }
]], { 'net.lua:2:', 'timeout' } },
  { 'a bare small number as a duration', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, timeout = 30 }
]], { 'net.lua:2:', 'timeout', '30', 'millisecond' } },
  { 'a restart policy that is none', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, restart = 'on-failur' }
]], { 'net.lua:2:', 'restart', "on-failure" } },
  { 'a signal that is none', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, stop = { signal = 'TREM' } }
]], { 'net.lua:2:', 'TREM', 'TERM' } },
  { 'a condition that is none', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' } }
pact.process 'b' { command = { 'touch', 'ran' }, depends_on = { a = 'helthy' } }
]], { 'net.lua:3:', 'helthy', 'healthy' } },
  { 'healthy of a service without health', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' } }
pact.process 'b' { command = { 'touch', 'ran' }, depends_on = { a = 'healthy' } }
]], { 'net.lua:3:', "'a'", 'health' } },
  { 'a service without its table', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' } }
pact.process 'lonely'
]], { 'net.lua:3:', "'lonely'" } },
  { 'a global', [[
local pact = require 'pact'
port = 3000
pact.process 'a' { command = { 'touch', 'ran' } }
]], { 'net.lua:2:', "'port'", 'local' } },
  { 'a global that is not there', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', commnad } }
]], { 'net.lua:2:', 'commnad' } },
  { 'a function of pact that is none', [[
local pact = require 'pact'
pact.proces 'a' { command = { 'touch', 'ran' } }
]], { 'net.lua:2:', 'proces', 'process' } },
  { 'a regular expression that is none', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, health = { log = { regex = '(' } } }
]], { 'net.lua:2:', 'health' } },
  { 'two kinds of check at once', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, health = { http = 'http://localhost/', tcp = 'localhost:1' } }
]], { 'net.lua:2:', 'http', 'tcp' } },
  { 'a user that does not exist', [[
local pact = require 'pact'
pact.process 'a' { command = { 'touch', 'ran' }, user = 'no-such-user' }
]], { 'no-such-user' }, status = 'any' },
}

-- Its ten seconds are counted in processor time.
local ENDLESS = { seconds = 180 }

describe('bad input', function()
  for _, row in ipairs(RECIPES) do
    case(row[1], function(t)
      t:file('net.lua', row[2])
      local opts = { says = row[3], traceback = row.traceback }
      if row.status == 'any' then
        local result = t:run { 'net.lua' }
        assert.not_equal(0, result.code)
        opts.status = result.code
        local all = result.out .. result.err
        assert.truthy(all:find(row[3][1], 1, true), all)
        return
      end
      refused(t, t:run { 'check', 'net.lua' }, opts)
      local result = t:run { 'net.lua' }
      refused(t, result, opts)
      assert.equal(0, result.left)
    end)
  end

  case('a recipe that is not there', function(t)
    refused(t, t:run { 'nowhere.lua' }, { says = { 'nowhere.lua', 'no such file' } })
    refused(t, t:run { 'check', 'nowhere.lua' }, { says = { 'nowhere.lua', 'no such file' } })
  end)

  case('a recipe that is a directory', function(t)
    t:file('dir.lua/x', '')
    refused(t, t:run { 'dir.lua' }, { says = { 'dir.lua', 'directory' } })
  end)

  case('a recipe that may not be read', function(t)
    if os.execute 'test "$(id -u)" = 0' then return end
    t:file('net.lua', '')
    os.execute('chmod 0 ' .. t:path 'net.lua')
    refused(t, t:run { 'net.lua' }, { says = { 'net.lua', 'permission denied' } })
  end)

  case('no recipe anywhere', function(t)
    refused(t, t:run { 'up' }, { says = { 'pact.lua' } })
  end)

  case('a recipe that never ends is interrupted', function(t)
    t:file('net.lua', "local pact = require 'pact'\nwhile true do end\n")
    local result = t:run({ 'check', 'net.lua' }, ENDLESS)
    refused(t, result, { says = { 'net.lua:2' }, traceback = true })
    assert.is_true(result.cpu_ms < 15000, result.cpu_ms)
  end)

  case('a recipe that never ends inside its own pcall is interrupted too', function(t)
    t:file('net.lua', "local pact = require 'pact'\nwhile true do pcall(function() while true do end end) end\n")
    local result = t:run({ 'check', 'net.lua' }, ENDLESS)
    refused(t, result, { says = { 'net.lua:2' }, traceback = true })
    assert.is_true(result.cpu_ms < 15000, result.cpu_ms)
  end)

  case('a recipe whose pattern is matched without end is interrupted', function(t)
    t:file('net.lua', "local pact = require 'pact'\nlocal a = ('a'):rep(60)\nlocal at = a:find(('a?'):rep(60) .. a)\nprint(at)\n")
    refused(t, t:run({ 'check', 'net.lua' }, { seconds = 30 }), { says = { 'net.lua:3: interrupted: ' }, traceback = true })
  end)

  case('all problems are told in one go, in order of their lines', function(t)
    t:file('net.lua', [[
local pact = require 'pact'
pact.process 'a' { comand = { 'true' } }
pact.process 'b' { command = { 'true' }, depends_on = { 'nobody' } }
pact.process 'c' { command = { 'true' }, timeout = 5 }
]])
    local result = t:run { 'check', 'net.lua' }
    assert.equal(2, result.code)
    local two, three, four = result.err:find 'net.lua:2:', result.err:find 'net.lua:3:', result.err:find 'net.lua:4:'
    assert.truthy(two and three and four, result.err)
    assert.is_true(two < three and three < four, result.err)
  end)

  case('an unknown option', function(t)
    t:recipe [[ pact.process 'a' { command = { 'touch', 'ran' } } ]]
    refused(t, t:run { 'up', '--no-tiu', 'net.lua' }, { says = { '--no-tiu', '--no-tui' } })
    refused(t, t:run { '--no-tiu', 'net.lua' }, { says = { '--no-tiu', '--no-tui' } })
  end)

  case('an unknown verb', function(t)
    refused(t, t:run { 'chekc' }, { says = { 'chekc', 'check' } })
  end)

  case('an option without its value', function(t)
    t:recipe [[ pact.process 'a' { command = { 'touch', 'ran' } } ]]
    refused(t, t:run { 'up', 'net.lua', '--timeout' }, { says = { '--timeout' } })
  end)

  case('an unknown service on the command line', function(t)
    t:recipe [[ pact.process 'database' { command = { 'touch', 'ran' } } ]]
    refused(t, t:run { 'up', 'net.lua', 'databse' }, { says = { 'databse', 'database' } })
    refused(t, t:run { 'up', 'net.lua', '--only', 'databse' }, { says = { 'databse', 'database' } })
  end)

  case('names that would move the cursor are made harmless', function(t)
    t:file('net.lua', "local pact = require 'pact'\nerror('a\\27[2Jb')\n")
    local result = t:run({ 'check', 'net.lua' }, { tty = true, env = { TERM = 'xterm' } })
    assert.falsy(starts(result.out, '\27[2J'))
    assert.falsy(result.out:find('a\27[2Jb', 1, true), result.out)
  end)
end)
