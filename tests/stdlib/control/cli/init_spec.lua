local cli = require 'pact.control.cli'

local files = { ['devnet'] = true, ['./check'] = true }

local function parse(line)
  local words = {}
  for word in line:gmatch '%S+' do words[#words + 1] = word end
  return cli.parse(words, {
    now = 1700000000000,
    exists = function(path) return files[path] == true end,
  })
end

describe('the command line', function()
  local good = {
    { 'devnet.lua', { verb = 'up', bare = true, recipe = 'devnet.lua' } },
    { 'devnet', { verb = 'up', bare = true, recipe = 'devnet' } },
    { './check', { verb = 'up', bare = true, recipe = './check' } },
    { 'check', { verb = 'check' } },
    { 'devnet.lua --json x', { verb = 'up', recipe = 'devnet.lua', args = { '--json', 'x' }, options = {} } },
    { '--json devnet.lua x', { verb = 'up', recipe = 'devnet.lua', args = { 'x' }, options = { json = true } } },
    { '--only a,b devnet.lua', { recipe = 'devnet.lua', options = { only = { 'a', 'b' } } } },
    { '--timeout=30s devnet.lua', { recipe = 'devnet.lua', options = { timeout = 30000 } } },
    { 'devnet.lua --help', { help = true, bare = true } },
    { 'devnet.lua -- --help', { bare = true, args = { '--', '--help' } } },
    { 'up', { verb = 'up', ids = {} } },
    { 'up web db', { verb = 'up', ids = { 'web', 'db' } } },
    { 'up devnet.lua web --json', { recipe = 'devnet.lua', ids = { 'web' }, options = { json = true } } },
    { 'up devnet.lua -- --json', { recipe = 'devnet.lua', args = { '--json' }, options = {} } },
    { 'run devnet.lua -- npm test --json', { verb = 'run', recipe = 'devnet.lua', command = { 'npm', 'test', '--json' } } },
    { 'run -- true', { verb = 'run', command = { 'true' } } },
    { '--lines 5 logs web', { verb = 'logs', ids = { 'web' }, options = { lines = 5 } } },
    { 'logs -n5 -f web', { verb = 'logs', ids = { 'web' }, options = { lines = 5, follow = true } } },
    { 'top -n 3 -s memory web', { verb = 'top', ids = { 'web' }, options = { samples = 3, sort = 'memory' } } },
    { '-n 3 top', { verb = 'top', options = { samples = 3 } } },
    { 'signal -s HUP web', { verb = 'signal', options = { signal = 'HUP' } } },
    { 'ps -s x', nil, "'ps' takes no option -s (the commands that do: signal, top)" },
    { 'timeline --from 5s --to=1m --run 2026 --svg - web', { verb = 'timeline', ids = { 'web' },
      options = { from = 5000, to = 60000, run = '2026', svg = '-' } } },
    { 'logs --only', nil, "'logs' takes no option --only (the commands that do: up, run)" },
    { 'logs --since 5m', { options = { since = 1700000000000 - 300000 } } },
    { 'graph --dot x', { verb = 'graph', recipe = 'x', options = { dot = true } } },
    { '--version', { verb = 'version' } },
    { '', { verb = 'help' } },
    { '--help', { verb = 'help', help = true } },
    { 'why', nil, 'why: usage: pactlua why ID' },
    { 'up -d --linger 30s', { verb = 'up', options = { detach = true, linger = 30000 } } },
    { '--detach --no-wait devnet.lua --detach', { verb = 'up', options = { detach = true, no_wait = true },
      args = { '--detach' } } },
    { 'up --no-wait --help', { verb = 'up', help = true } },
    { 'why --help', { verb = 'why', help = true } },
  }
  for _, case in ipairs(good) do
    if case[2] then
      it(("reads 'pactlua %s'"):format(case[1]), function()
        local result, message = parse(case[1])
        assert.is_nil(message)
        for key, value in pairs(case[2]) do assert.same(value, result[key]) end
      end)
    end
  end

  local bad = {
    { 'chekc', "'chekc' is neither a command nor a recipe that is here (did you mean 'check'?)" },
    { 'down --volumes', '--volumes is not in this version: it runs no containers, so that a network has no volumes' },
    { '--jsn devnet.lua', 'unknown option --jsn (did you mean --json?)' },
    { 'ps --dot', "'ps' takes no option --dot (the command that does: graph)" },
    { 'run --detach devnet.lua -- x', "'run' ends its network with its command: 'pactlua up --detach' leaves one running" },
    { 'ci -d devnet.lua', "'ci' ends its network with its command: 'pactlua up --detach' leaves one running" },
    { 'ps --detach', "'ps' takes no option --detach (the command that does: up)" },
    { 'up --no-wait', '--no-wait goes with --detach alone' },
    { '--linger 5s devnet.lua', '--linger goes with --detach alone' },
    { 'up --detach --no-wait --timeout 5s', '--no-wait and --timeout exclude each other' },
    { '--detach', 'a recipe or a command is needed' },
    { 'up --timeout', '--timeout needs a value: --timeout T' },
    { 'up --stdlib here', '--stdlib stands before all else: pactlua --stdlib DIR up …' },
    { 'up --timeout 30', "--timeout is 30: a bare number is milliseconds; write '30s' for seconds or '30ms'" },
    { 'up --json=1', '--json takes no value' },
    { 'run devnet.lua', 'run needs a command behind --: pactlua run [RECIPE] -- CMD…' },
    { 'check a.lua b.lua', "check: 'b.lua' is too much; usage: pactlua check [RECIPE] [-- ARGS…]" },
    { 'why', 'why: usage: pactlua why ID' },
    { 'logs --since 25:70', "--since must be a duration such as '5m', a time such as '12:30', or '2026-01-31 12:30', got '25:70'" },
    { 'logs --since soon', "--since must be a duration such as '500ms', '30s' or '1m30s', got 'soon'" },
    { 'logs -n x', "--lines must be a number, got 'x'" },
    { '--json', 'a recipe or a command is needed' },
  }
  for _, case in ipairs(bad) do
    it(("refuses 'pactlua %s'"):format(case[1]), function()
      local result, message = parse(case[1])
      assert.is_nil(result)
      assert.equal(case[2], message)
    end)
  end

  -- Whether a network runs is decided before there is any Lua, by lists of its own.
  describe('is read in C as in Lua:', function()
    local options, verbs = require 'pact.control.cli.options', require 'pact.control.cli.verbs'
    local text
    setup(function()
      local file = assert(io.open 'lua/host/verb.c')
      text = file:read 'a'
      file:close()
    end)

    local function words_of(name)
      local found = {}
      for word in text:match(name .. '%[%] = (%b{})'):gmatch '"([^"]+)"' do found[word] = true end
      return found
    end

    it('the verbs', function()
      local known = words_of 'other_verbs'
      for _, verb in ipairs(verbs.rows) do
        assert.equal(verb.role ~= 'network', known[verb.name] or false, verb.name)
      end
    end)

    it('options whose value is the next word', function()
      local known = words_of 'with_value'
      for _, row in ipairs(options.rows) do
        assert.equal(row.value ~= nil, known['--' .. row.name] or false, row.name)
        if row.short then assert.equal(row.value ~= nil, known['-' .. row.short] or false, row.short) end
      end
    end)
  end)
end)
