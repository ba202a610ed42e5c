--- What a recipe declares besides commands: patterns, templates, options, profiles, tags, secrets, externals.
local cjson = require 'cjson'
local functional = require 'functional'
local case = functional.case

local function plan_of(t, ...)
  local result = t:run { 'plan', '--json', 'net.lua', ... }
  assert.equal(0, result.code, result.out .. result.err)
  local by_id = {}
  for _, service in ipairs(cjson.decode(result.out).services) do by_id[service.id] = service end
  return by_id
end

local function statuses(t)
  local out = {}
  for id, service in pairs(t:ps()) do out[id] = service.status end
  return out
end

describe('patterns', function()
  case('make a web server that waits for its healthy database', function(t)
    t:file('mood', '200 ok\n')
    t:up((([[
      local web, db = pact.free_port 'web', pact.free_port 'db'
      pact.process 'db' { extends = pact.patterns.database { port = db }, shell = 'sleep 0.3; echo db >>order; exec "$0" $PORT mood' }
      pact.process 'web' {
        extends = pact.patterns.web_server { port = web, depends_on = { 'db' } },
        shell = 'echo web >>order; exec "$0" $PORT mood',
      }
    ]]):gsub('"$0"', functional.fixtures .. 'web')))
    t:wait_service('web', { status = 'running', health = 'healthy' })
    assert.same({ 'db', 'web' }, t:lines 'order')
  end)
end)

describe('selection', function()
  local RECIPE = [[
    pact.process 'always' { command = { 'sleep', '1000' }, category = 'service', tags = { 'back' } }
    pact.process 'full' { command = { 'sleep', '1000' }, profiles = { 'full', 'ci' }, depends_on = { 'base' } }
    pact.process 'base' { command = { 'sleep', '1000' }, profiles = { 'never' }, category = 'network' }
    pact.process 'front' { command = { 'sleep', '1000' }, tags = { 'front', 'ui' }, disabled = false }
    pact.process 'off' { command = { 'sleep', '1000' }, disabled = true }
  ]]
  for name, row in pairs {
    ['without words takes what has no profile'] = { {}, { 'always', 'front' } },
    ['by profile adds its services and what they need'] = { { '--profile', 'ci' }, { 'always', 'base', 'front', 'full' } },
    ['by a tag that nobody has tells those there are'] = { { '--tag', 'ui,other' }, nil,
      "--tag 'other' is no tag; there is back, front and ui" },
    ['by two tags'] = { { '--tag', 'ui', '--tag', 'back' }, { 'always', 'front' } },
    ['by category'] = { { '--category', 'service', '--except', 'front' }, { 'always' } },
    ['by id takes even what is disabled'] = { { 'off' }, { 'off' } },
  } do
    case(name, function(t)
      t:recipe(RECIPE)
      local network = t:start { 'up', 'net.lua', table.unpack(row[1]) }
      if row[3] then
        local result = network:wait()
        assert.equal(2, result.code)
        assert.truthy((result.out .. result.err):find(row[3], 1, true), result.out .. result.err)
        return
      end
      network:expect 'all ready'
      local up = {}
      for id, status in pairs(statuses(t)) do
        if status == 'running' then up[#up + 1] = id end
      end
      table.sort(up)
      assert.same(row[2], up)
    end)
  end
end)

describe('options', function()
  local RECIPE = [[
    local nodes = pact.option('nodes', { default = 2, help = 'how many' })
    local fast = pact.option('fast', { false, 'be quick' })
    local mode = pact.option('mode', { default = 'dev', choices = { 'dev', 'ci' } })
    local grace = pact.option('grace', { default = '5s', type = 'duration' })
    pact.task 'say' { command = { 'echo', nodes + 1, tostring(fast), mode, grace } }
  ]]
  for _, row in ipairs {
    { {}, '3 false dev 5000' },
    { { '--nodes', '4', '--fast', '--mode=ci', '--grace', '1m' }, '5 true ci 60000' },
    { { '--no-fast', '--', '--nodes', '9' }, '3 false dev 5000' },
    { { '--nodes', 'many' }, nil, "--nodes must be a number, got 'many'" },
    { { '--mode', 'cI' }, nil, "--mode must be 'dev' or 'ci', got 'cI' (did you mean 'ci'?)" },
    { { '--grace', 'long' }, nil, '--grace' },
    { { '--nodse', '4' }, nil, "unknown option '--nodse' (did you mean '--nodes'?)" },
    { { '--nodes' }, nil, '--nodes needs a value' },
  } do
    case('of the recipe: ' .. table.concat(row[1], ' '), function(t)
      t:recipe(RECIPE)
      local result = t:run { 'net.lua', table.unpack(row[1]) }
      assert.equal(row[2] and 0 or 2, result.code, result.out .. result.err)
      assert.truthy((result.out .. result.err):find(row[2] or row[3], 1, true), result.out .. result.err)
    end)
  end
end)

describe('env_file', function()
  case('has escapes, values over several lines, and expansion', function(t)
    t:file('.env', 'BASE=http://localhost\nexport URL="${BASE}:${PORT_OF:-80}/"\nLINES="one\ntwo\\tthree"\n'
      .. "RAW='${BASE}\\n'\nOUTER=${FROM_OUTSIDE}\nPRICE=\\${5}\n")
    local result = t:up([[
      pact.task 'probe' { env_file = '.env', shell = 'printf "%s|" "$URL" "$LINES" "$RAW" "$OUTER" "$PRICE" >seen' }
    ]], { env = { FROM_OUTSIDE = 'here' } }):wait()
    assert.equal(0, result.code, result.out .. result.err)
    assert.equal('http://localhost:80/|one\ntwo\tthree|${BASE}\\n|here|${5}|', t:read 'seen')
  end)
end)

describe('secrets', function()
  case('reach the process and are masked elsewhere; one that is not set is told', function(t)
    t:recipe [[
      local word = pact.secret 'DB_WORD'
      pact.process 'db' { shell = 'echo "$DSN" >seen; exec sleep 1000', env = { DSN = 'pg://me:' .. word .. '@h' } }
    ]]
    local opts = { env = { DB_WORD = 'hush-hush' } }
    local plan = t:run({ 'plan', '--json', 'net.lua' }, opts)
    assert.equal(0, plan.code, plan.err)
    assert.falsy(plan.out:find('hush-hush', 1, true), plan.out)
    t:start({ 'net.lua' }, opts)
    assert.same({ 'pg://me:hush-hush@h' }, t:wait_lines('seen', 1))
    local ps = t:run { 'ps', '--json' }
    assert.falsy(ps.out:find('hush-hush', 1, true), ps.out)
    local result = t:run { 'check', 'net.lua' }
    assert.equal(2, result.code)
    assert.truthy((result.out .. result.err):find("net.lua:1: pact.secret: 'DB_WORD' is not set", 1, true), result.out .. result.err)
  end)
end)

describe('externals', function()
  case('are probed, never started, and their address is known to dependents', function(t)
    t:up [[
      pact.external 'ldap' { health = { file = 'ldap.up', interval = '100ms', retries = 2 }, endpoints = { ldap = 'ldap://ldap.test:389' } }
      pact.process 'web' { shell = 'echo "$LDAP_URL" >seen; exec sleep 1000', depends_on = { 'ldap' } }
    ]]
    assert.equal('waiting', t:wait_service('web', { status = 'waiting' }).status)
    t:file('ldap.up', '')
    t:wait_service('web', { status = 'running' })
    local ldap = t:wait_service('ldap', { status = 'running', health = 'healthy' })
    assert.is_nil(ldap.pid)
    assert.same({ 'ldap://ldap.test:389' }, t:wait_lines('seen', 1))
    os.remove(t:path 'ldap.up')
    t:wait_service('ldap', { health = 'unhealthy' })
  end)
end)

describe('templates and defaults', function()
  case('are seen in the plan, the nearest wins', function(t)
    t:recipe [[
      pact.defaults { stop = { timeout = '3s' }, env = { A = 'far', B = 'far' } }
      local node = pact.template { restart = { max_retries = 7 }, env = { B = 'template' } }
      local slow = pact.template { extends = node, stop = { timeout = '9s' } }
      pact.process 'a' { extends = node, command = { 'x' } }
      pact.process 'b' { extends = { node, slow }, command = { 'x' }, env = { B = 'own' } }
    ]]
    local plan = plan_of(t)
    assert.same({ 7, 3000, 'far', 'template' }, { plan.a.restart.max_retries, plan.a.stop.timeout, plan.a.env.A, plan.a.env.B })
    assert.same({ 7, 9000, 'far', 'own' }, { plan.b.restart.max_retries, plan.b.stop.timeout, plan.b.env.A, plan.b.env.B })
  end)
end)
