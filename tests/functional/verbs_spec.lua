--- The verbs that need no network: check, plan, graph, help, version, doctor, init.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

local NETWORK = [[
  pact.project 'shop'
  local db = pact.process 'db' { command = { 'touch', 'ran' }, health = { tcp = 'localhost:5432' } }
  pact.task 'migrate' { command = { 'touch', 'ran' }, depends_on = { db } }
  pact.process 'web' { command = { 'touch', 'ran' }, depends_on = { 'migrate', db = 'healthy' } }
]]

-- Runs a verb over NETWORK; nothing may start.
local function looked_at(t, ...)
  t:recipe(NETWORK)
  local result = t:run { ... }
  assert.equal(0, result.code, result.out .. result.err)
  assert.is_false(t:exists 'ran')
  return result.out
end

describe('check', function()
  case('says that a good recipe is good', function(t)
    assert.truthy(looked_at(t, 'check', 'net.lua'):find('3', 1, true))
  end)
end)

describe('plan', function()
  case('shows what starts in which order', function(t)
    local out = looked_at(t, 'plan', 'net.lua')
    local db, migrate, web = out:find 'db', out:find 'migrate', out:find 'web'
    assert.truthy(db and migrate and web, out)
    assert.is_true(db < migrate and migrate < web, out)
  end)

  case('--json is for programs', function(t)
    assert.truthy(cjson.decode(looked_at(t, 'plan', '--json', 'net.lua')))
  end)
end)

describe('graph', function()
  case('--dot is for graphviz', function(t)
    local out = looked_at(t, 'graph', '--dot', 'net.lua')
    assert.truthy(out:find('^%s*digraph'), out)
    assert.truthy(out:find('"web"%s*%->%s*"migrate"') or out:find('"migrate"%s*%->%s*"web"'), out)
  end)

  case('--mermaid is for mermaid', function(t)
    local out = looked_at(t, 'graph', '--mermaid', 'net.lua')
    assert.truthy(out:find('flowchart', 1, true) or out:find('graph', 1, true), out)
  end)

  case('is text for people otherwise', function(t)
    assert.truthy(looked_at(t, 'graph', 'net.lua'):find('web', 1, true))
  end)
end)

describe('version', function()
  case('is one line', function(t)
    local result = t:run { 'version' }
    assert.equal(0, result.code)
    assert.truthy(result.out:find '^pactlua %d+%.%d+%.%d+\n$', result.out)
  end)

  case('a standard library of a checkout may be used, from any directory', function(t)
    os.execute(('cp -r %s/stdlib %s/lib'):format(functional.quote(functional.root), functional.quote(t.dir)))
    t:recipe([[ pact.task 'a' { shell = 'touch ran' } ]], 'sub/net.lua')
    local result = t:run { '--stdlib', 'lib', 'sub/net.lua' }
    assert.equal(0, result.code, result.err)
    assert.is_true(t:exists 'sub/ran')
  end)

  case('runs from anywhere, without an environment', function(t)
    local result = t:run({ '-i', functional.bin, 'version' }, { cwd = '/', program = 'env' })
    assert.equal(0, result.code, result.err)
  end)
end)

describe('help', function()
  case('lists the verbs', function(t)
    for _, words in ipairs { { 'help' }, { '--help' }, { '-h' } } do
      local result = t:run(words)
      assert.equal(0, result.code)
      for _, verb in ipairs { 'up', 'run', 'check', 'plan', 'graph', 'ps', 'doctor', 'init' } do
        assert.truthy(result.out:find('%f[%w]' .. verb .. '%f[%W]'), verb .. ' in\n' .. result.out)
      end
    end
  end)

  case('explains a verb and a field', function(t)
    local result = t:run { 'help', 'up' }
    assert.equal(0, result.code)
    assert.truthy(result.out:find('--no-tui', 1, true) or result.out:find('--only', 1, true), result.out)
    result = t:run { 'help', 'depends_on' }
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find('depends_on', 1, true), result.out)
  end)

  case('of a recipe shows its own options and commands, and starts nothing', function(t)
    t:recipe([[
      local chains = pact.option('chains', { default = 20, help = 'how many chains' })
      pact.command('seed', { help = 'fill the database' }, function() end)
      pact.task 'a' { shell = 'touch ran', env = { N = chains } }
    ]], 'net.lua')
    local result = t:run { 'net.lua', '--help' }
    assert.equal(0, result.code, result.err)
    assert.equal('', result.err)
    for _, words in ipairs { '--chains', 'how many chains', '20', 'seed', 'fill the database' } do
      assert.truthy(result.out:find(words, 1, true), words .. ' in\n' .. result.out)
    end
    assert.is_false(t:exists 'ran')
  end)

  case('of something unknown suggests', function(t)
    local result = t:run { 'help', 'depend_on' }
    assert.not_equal(0, result.code)
    assert.truthy((result.out .. result.err):find('depends_on', 1, true), result.out .. result.err)
    assert.equal("pactlua: help: 'zzzz' is neither a command nor a field\n", t:run({ 'help', 'zzzz' }).err)
  end)

  case('no arguments at all: usage', function(t)
    local result = t:run {}
    assert.truthy((result.out .. result.err):find('RECIPE', 1, true), result.out .. result.err)
  end)
end)

describe('doctor', function()
  case('looks at the machine', function(t)
    local result = t:run { 'doctor' }
    assert.equal(0, result.code, result.out .. result.err)
    assert.not_equal('', result.out)
  end)

  case('looks at a recipe, and finds what is not installed', function(t)
    t:recipe [[ pact.process 'a' { command = { 'no-such-program' } } ]]
    local result = t:run { 'doctor', 'net.lua' }
    local expected = ("program 'no-such-program' not found on PATH (%s)"):format(os.getenv 'PATH')
    assert.truthy((result.out .. result.err):find(expected, 1, true), result.out .. result.err)
    assert.not_equal(0, result.code)
  end)
end)

describe('init', function()
  case('writes a first recipe that runs', function(t)
    local result = t:run { 'init' }
    assert.equal(0, result.code, result.out .. result.err)
    local recipe = t:exists 'pact.lua' and 'pact.lua' or 'devnet.lua'
    assert.is_true(t:exists(recipe))
    assert.equal(0, t:run({ 'check', recipe }).code)
    local network = t:start { recipe }
    functional.wait('the network', function() return t:ps() end)
    network:signal 'INT'
    assert.equal(2, network:wait().signal)
  end)

  case('never overwrites', function(t)
    assert.equal(0, t:run({ 'init' }).code)
    local recipe = t:exists 'pact.lua' and 'pact.lua' or 'devnet.lua'
    t:file(recipe, '-- mine')
    assert.not_equal(0, t:run({ 'init' }).code)
    assert.equal('-- mine', t:read(recipe))
  end)
end)

describe('a recipe', function()
  case('is found above when none is named', function(t)
    t:file('pact.lua', "local pact = require 'pact' pact.task 'a' { shell = 'pwd >seen' }")
    t:file('sub/x', '')
    assert.equal(0, t:run({ 'up' }, { cwd = t:path 'sub' }).code)
    assert.equal(t.dir .. '\n', t:read 'seen')
  end)

  case('may require files beside it, but not from the working directory', function(t)
    t:file('recipe/parts.lua', "return { word = 'right' }")
    t:file('elsewhere/parts.lua', "return { word = 'wrong' }")
    t:file('recipe/net.lua', [[
      local pact, parts = require 'pact', require 'parts'
      pact.task 'a' { command = { 'sh', '-c', 'echo ' .. parts.word .. ' >seen' } }
    ]])
    local result = t:run({ '../recipe/net.lua' }, { cwd = t:path 'elsewhere' })
    assert.equal(0, result.code, result.out .. result.err)
    assert.equal('right\n', t:read 'recipe/seen')
  end)

  case('gets its arguments', function(t)
    t:recipe [[
      pact.task 'a' { command = { 'sh', '-c', 'echo $0 $1 >seen', pact.args[1], pact.args[2] } }
    ]]
    assert.equal(0, t:run({ 'net.lua', 'one', '--two' }).code)
    assert.equal('one --two\n', t:read 'seen')
  end)

  case('knows nothing of LUA_PATH, LUA_CPATH and LUA_INIT', function(t)
    t:file('evil/init.lua', "os.execute 'touch ran'")
    local result = t:up([[ pact.task 'a' { command = { 'true' } } ]],
      { env = { LUA_INIT = '@' .. t:path 'evil/init.lua', LUA_PATH = t:path 'evil/?.lua' } }):wait()
    assert.equal(0, result.code)
    assert.is_false(t:exists 'ran')
  end)
end)

describe('selection', function()
  local THREE = [[
    pact.task 'a' { shell = 'echo a >>trace', category = 'x' }
    pact.task 'b' { shell = 'echo b >>trace', depends_on = { 'a' }, tags = { 'y' } }
    pact.task 'c' { shell = 'echo c >>trace', profiles = { 'full' } }
  ]]

  for _, row in ipairs {
    { 'all without a profile', {}, 'a b' },
    { 'an id and what it needs', { 'b' }, 'a b' },
    { '--only', { '--only', 'a' }, 'a' },
    { '--no-deps', { 'b', '--no-deps' }, 'b' },
    { '--except', { '--except', 'b' }, 'a' },
    { '--category', { '--category', 'x' }, 'a' },
    { '--tag', { '--tag', 'y' }, 'a b' },
    { '--profile', { '--profile', 'full' }, 'a b c' },
    { 'an id of a profile', { 'c' }, 'c' },
  } do
    case(row[1], function(t)
      t:recipe(THREE)
      local result = t:run { 'up', 'net.lua', table.unpack(row[2]) }
      assert.equal(0, result.code, result.out .. result.err)
      local lines = t:lines 'trace'
      table.sort(lines)
      assert.equal(row[3], table.concat(lines, ' '))
    end)
  end

  case('logs is about the network that lives, else about what ran last, of several in one directory', function(t)
    for _, name in ipairs { 'b', 'a' } do
      t:recipe(("pact.project '%s' pact.task 's' { command = { 'echo', 'from %s' } }"):format(name, name), name .. '.lua')
      assert.equal(0, t:run({ name .. '.lua' }).code)
    end
    assert.equal('from a\n', t:run({ 'logs', 's' }).out)
    t:recipe("pact.project 'z' pact.process 's' { shell = 'echo from z; exec sleep 1000' }", 'z.lua')
    local network = t:start { 'z.lua' }
    network:expect 'from z'
    assert.equal('from z\n', t:run({ 'logs', 's' }).out)
    assert.equal('from b\n', t:run({ 'logs', 's', '--project', 'b' }).out)
  end)
end)
