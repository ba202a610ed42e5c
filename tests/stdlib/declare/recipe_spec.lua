--- What good recipes come to.
local box = require 'recipe_box'

local function plan_of(source, opts)
  local plan, text, recipe = box.declare(source, opts)
  assert.is_not_nil(plan, text)
  return plan, recipe
end

-- the only service of a recipe, by its fields
local function service_of(fields, opts)
  return plan_of(("pact.process 'a' { command = { 'x' }, %s }"):format(fields), opts).services.a
end

describe('a service', function()
  it('has every default filled in', function()
    local a = service_of ''
    assert.same({ 'x' }, a.command)
    assert.equal('a', a.display_name)
    assert.equal('service', a.category)
    assert.equal('/net', a.cwd)
    assert.equal('open', a.stdin)
    assert.is_nil(a.health)
    assert.equal('ignore', a.on_unhealthy)
    assert.same({ 0 }, a.success_exit)
    assert.same({ policy = 'on-failure', max_retries = 3, delay = 1000, factor = 2, max_delay = 30000, jitter = 0.1,
      reset_after = 60000 }, a.restart)
    assert.same({ signal = 15, timeout = 10000, scope = 'tree', keep = {} }, a.stop)
    assert.same({ max_size = 10485760, max_files = 5, format = 'raw' }, a.log)
    assert.same({ file = 'devnet.lua', line = 1 }, a.at)
    for _, name in ipairs { 'tags', 'env', 'env_file', 'ports', 'endpoints', 'limits', 'profiles', 'depends_on', 'on', 'secrets' } do
      assert.same({}, a[name], name)
    end
    for _, name in ipairs { 'task', 'tty', 'essential', 'disabled' } do assert.is_false(a[name], name) end
  end)

  it('takes the whole of the design', function()
    local a = service_of [[
      category = 'network', displayName = 'A', tags = { 'one', 'two' }, cwd = './sub/', env_file = '.env', user = 'me',
      nice = 5, oom_score_adj = 200, max_runtime = '8h', success_exit = { 0, 3 }, essential = true, timeout = '1m',
      limits = { nofile = 65535, core = 'unlimited', as = { '1g', '2g' } }, umask = '027', stdin = 'null',
      endpoints = { db = 'postgres://localhost' },
    ]]
    assert.equal('network', a.category)
    assert.equal('A', a.display_name)
    assert.same({ 'one', 'two' }, a.tags)
    assert.equal('/net/sub', a.cwd)
    assert.same({ '/net/.env' }, a.env_file)
    assert.equal('me', a.user)
    assert.equal(28800000, a.max_runtime)
    assert.same({ 0, 3 }, a.success_exit)
    assert.equal(60000, a.timeout)
    assert.equal(23, a.umask)
    assert.same({ nofile = { 65535, 65535 }, core = { -1, -1 }, as = { 1 << 30, 2 << 30 } }, a.limits)
    assert.same({ db = 'postgres://localhost' }, a.endpoints)
  end)

  it('has numbers, booleans and functions as variables', function()
    local a = service_of "env = { PORT = 5433, RATIO = 1.5, DEBUG = false, ON = true, F = function() return 'x' end, 'K=v=w', E = '' }"
    assert.equal('function', type(a.env.F))
    a.env.F = nil
    assert.same({ PORT = '5433', RATIO = '1.5', DEBUG = false, ON = 'true', K = 'v=w', E = '' }, a.env)
  end)

  for _, row in ipairs {
    { '{ 3000 }', { { name = '3000', port = 3000, fallback = false } } },
    { "'3000'", { { name = '3000', port = 3000, fallback = false } } },
    { '3000', { { name = '3000', port = 3000, fallback = false } } },
    { '{ sql = 5433, 80 }', { { name = '80', port = 80, fallback = false }, { name = 'sql', port = 5433, fallback = false } } },
    { '{ web = { port = 3000, fallback = true } }', { { name = 'web', port = 3000, fallback = true } } },
    { "{ '3000+' }", { { name = '3000', port = 3000, fallback = false, counts = true } } },
    { "{ x = pact.free_port 'x' }", { { name = 'x', port = 40001, fallback = false } } },
  } do
    it('reads ports = ' .. row[1], function() assert.same(row[2], service_of('ports = ' .. row[1]).ports) end)
  end

  local policy = function(t)
    local out = { policy = 'on-failure', max_retries = 3, delay = 1000, factor = 2, max_delay = 30000, jitter = 0.1, reset_after = 60000 }
    for key, value in pairs(t) do out[key] = value ~= 'nil' and value or nil end
    return out
  end
  for _, row in ipairs {
    { "restart = 'no'", { policy = 'no' } },
    { "restart = 'always'", { policy = 'always', max_retries = 'nil' } },
    { "restart = { policy = 'always', max_retries = 7 }", { policy = 'always', max_retries = 7 } },
    { "restart = 'unless_stopped'", { policy = 'unless-stopped' } },
    { "restart = { max_retries = 5, delay = '500ms' }", { max_retries = 5, delay = 500 } },
    { "restart = { max_retries = 'unlimited' }", { max_retries = 'nil' } },
    { "restart = { delay = '1m' }", { delay = 60000, max_delay = 60000 } },
    { "restart = { max_delay = '200ms' }", { delay = 200, max_delay = 200 } },
    { 'autoRestart = true, retries = 5', { max_retries = 5 } },
    { 'auto_restart = false', { policy = 'no' } },
    { "restartDelay = 5000", { delay = 5000 } },
  } do
    it('reads ' .. row[1], function() assert.same(policy(row[2]), service_of(row[1]).restart) end)
  end

  it('takes a function as policy', function()
    local restart = service_of('restart = function(exit, history) return 5 end').restart
    assert.equal('function', restart.policy)
    assert.equal(5, restart.decide())
  end)

  for _, row in ipairs {
    { "stop = { signal = 'INT', timeout = '15s', scope = 'group' }", { signal = 2, timeout = 15000, scope = 'group', keep = {} } },
    { "stop = 'SIGQUIT'", { signal = 3, timeout = 10000, scope = 'tree', keep = {} } },
    { "gracefulShutdownTimeout = 15000", { signal = 15, timeout = 15000, scope = 'tree', keep = {} } },
    { "stop = { command = { 'pg_ctl', 'stop' }, keep = { 'gpg-agent' } }",
      { signal = 15, timeout = 10000, scope = 'tree', command = { 'pg_ctl', 'stop' }, keep = { 'gpg-agent' } } },
    { "stop = { shell = 'kill x' }",
      { signal = 15, timeout = 10000, scope = 'tree', command = { '/bin/sh', '-c', 'kill x' }, keep = {} } },
  } do
    it('reads ' .. row[1], function() assert.same(row[2], service_of(row[1]).stop) end)
  end

  local times = { interval = 30000, timeout = 5000, retries = 3, start_period = 0, start_interval = 1000 }
  local function check(t)
    local out = {}
    for key, value in pairs(times) do out[key] = value end
    for key, value in pairs(t) do out[key] = value end
    return out
  end
  local http = { kind = 'http', url = 'http://a:1/x', status = '2xx', method = 'GET' }
  for _, row in ipairs {
    { "health = { http = 'http://a:1/x' }", http },
    { "health = 'http://a:1/x'", http },
    { "healthCheck = { url = 'http://a:1/x' }", http },
    { "health = { http = 'http://a:1/x', status = '200-399', body = { regex = 'o+k' }, method = 'HEAD', headers = { A = 'b' } }",
      { kind = 'http', url = 'http://a:1/x', status = '200-399', body = { regex = 'o+k' }, method = 'HEAD', headers = { A = 'b' } } },
    { "health = { tcp = 'db:5432', interval = '2s', timeout = '1s', retries = 5, start_period = '10s' }",
      { kind = 'tcp', host = 'db', port = 5432, interval = 2000, timeout = 1000, retries = 5, start_period = 10000 } },
    { 'health = { tcp = 5432 }', { kind = 'tcp', host = '127.0.0.1', port = 5432 } },
    { "health = { tcp = '[::1]:80' }", { kind = 'tcp', host = '::1', port = 80 } },
    { "health = { command = { 'pg_isready' } }", { kind = 'command', command = { 'pg_isready' } } },
    { "healthCheck = { command = 'curl', args = { '-f' }, initialDelay = 1000 }",
      { kind = 'command', command = { 'curl', '-f' }, start_period = 1000 } },
    { "health = { shell = 'a | b' }", { kind = 'command', shell = 'a | b' } },
    { "health = { log = 'listening' }", { kind = 'log', pattern = 'listening' } },
    { "health = { file = 'run/up', contains = 'ok' }", { kind = 'file', path = '/net/run/up', contains = 'ok' } },
    { "health = { interval = 30000, timeout = 5000 }", { kind = 'alive' } },
    { "health = { alive = true }", { kind = 'alive' } },
    { "health = 'alive'", { kind = 'alive' } },
    { "health = { tcp = 1, interval = '500ms' }", { kind = 'tcp', host = '127.0.0.1', port = 1, interval = 500, start_interval = 500 } },
    { "ready = { log = 'up' }, health = { http = 'http://a:1/x' }", http },
  } do
    it('reads ' .. row[1], function() assert.same(check(row[2]), service_of(row[1]).health) end)
  end

  it('may have no check in spite of its template', function()
    local plan = plan_of "local t = pact.template { health = { tcp = 1 } }; pact.process 'a' { command = { 'x' }, extends = t, health = false }"
    assert.is_nil(plan.services.a.health)
  end)

  it('takes a program as text with its arguments beside it', function()
    local plan = plan_of "pact.process 'a' { command = 'node', args = { 'x.js', 8 } }"
    assert.same({ 'node', 'x.js', '8' }, plan.services.a.command)
  end)
end)

describe('dependencies', function()
  local function edges_of(depends_on, field)
    local plan = plan_of(([[
      local db = pact.process 'db' { command = { 'x' }, health = { tcp = 1 } }
      pact.task 'migrate' { command = { 'x' } }
      local redis = pact.process 'redis' { command = { 'x' }, health = 'alive' }
      pact.process 'a' { command = { 'x' }, %s = %s }
    ]]):format(field or 'depends_on', depends_on))
    local out = {}
    for i, edge in ipairs(plan.services.a.depends_on) do
      assert.equal(4, edge.at.line)
      local shown = { edge.id, edge.condition, edge.restart }
      if edge.timeout then shown[#shown + 1] = edge.timeout end
      if edge.pattern then shown[#shown + 1] = edge.pattern end
      out[i] = shown
    end
    return out
  end

  for _, row in ipairs {
    { 'db', { { 'db', 'ready', false } } },
    { "'db'", { { 'db', 'ready', false } } },
    { "{ db, 'migrate' }", { { 'db', 'ready', false }, { 'migrate', 'ready', false } } },
    { "{ db, 'migrate', redis = { condition = 'healthy', timeout = '60s', restart = true } }",
      { { 'db', 'ready', false }, { 'migrate', 'ready', false }, { 'redis', 'healthy', true, 60000 } } },
    { "{ db = 'service_healthy', migrate = { condition = 'service_completed_successfully' } }",
      { { 'db', 'healthy', false }, { 'migrate', 'completed', false } } },
    { "{ [db] = 'started', redis = { log = 'ready to accept' } }",
      { { 'redis', 'log', false, 'ready to accept' }, { 'db', 'started', false } } },
    { "{ redis = { condition = { log = { regex = 'r.*' } } } }", { { 'redis', 'log', false, { regex = 'r.*' } } } },
    { "{ { id = 'db', condition = 'running' }, { redis, condition = 'healthy' } }",
      { { 'db', 'ready', false }, { 'redis', 'healthy', false } } },
    { '{ db = true, redis = false }', { { 'db', 'ready', false } } },
  } do
    it('read ' .. row[1], function() assert.same(row[2], edges_of(row[1])) end)
  end

  it("of the document restart their dependents", function()
    assert.same({ { 'db', 'ready', true }, { 'redis', 'ready', true } }, edges_of("{ 'db', 'redis' }", 'dependencies'))
  end)
end)

describe('defaults and templates', function()
  it('are joined: the nearest wins, tables by key, checks by kind', function()
    local plan = plan_of [[
      pact.process 'before' { command = { 'x' } }
      pact.defaults { log = { max_size = '1m' }, health = { interval = '5s' }, env = { A = 1, B = 2 }, cwd = 'far' }
      local t = pact.template { restart = 'always', env = { B = 3, C = 4 }, tags = { 't' }, health = { tcp = 80, retries = 9 } }
      local u = pact.template { extends = t, nice = 3 }
      pact.process 'plain' { command = { 'x' } }
      pact.process 'a' { command = { 'x' }, extends = u, env = { C = 5 }, log = { max_files = 1 }, restart = { delay = '2s' } }
      pact.process 'b' { command = { 'x' }, extends = { u }, health = { log = 'up' } }
    ]]
    local s = plan.services
    assert.equal(10 << 20, s.before.log.max_size)
    assert.same({ max_size = 1 << 20, max_files = 5, format = 'raw' }, s.plain.log)
    assert.equal('/net/far', s.plain.cwd)
    assert.is_nil(s.plain.health)
    assert.same({ A = '1', B = '3', C = '5' }, s.a.env)
    assert.same({ max_size = 1 << 20, max_files = 1, format = 'raw' }, s.a.log)
    assert.equal('always', s.a.restart.policy)
    assert.equal(2000, s.a.restart.delay)
    assert.equal(3, s.a.nice)
    assert.same({ 't' }, s.a.tags)
    assert.same({ 'tcp', 80, 9, 5000 }, { s.a.health.kind, s.a.health.port, s.a.health.retries, s.a.health.interval })
    assert.same({ 'log', 9, 5000 }, { s.b.health.kind, s.b.health.retries, s.b.health.interval })
    assert.is_nil(s.b.health.port)
  end)

  it('give each kind the fields that it has', function()
    local plan = plan_of "pact.defaults { env = { A = 1 }, stop = 'INT' }; pact.external 'e' { health = { tcp = 1 } }"
    assert.same({}, plan.services.e.env)
  end)

  it('let a line for the shell replace a command', function()
    local plan = plan_of "local t = pact.template { command = 'node', args = { 'x' } }; pact.process 'a' { extends = t, shell = 'y' }"
    assert.equal('y', plan.services.a.shell)
    assert.is_nil(plan.services.a.command)
  end)
end)

describe('variables', function()
  it('give defaults that a recipe overrides', function()
    local plan = plan_of("pact.tui { max_logs = 7 }\npact.process 'a' { command = { 'x' }, health = { tcp = 1, retries = 8 }, stop = { timeout = '1s' } }\n"
      .. "pact.process 'b' { command = { 'x' }, health = { tcp = 1 } }", { env = {
        PROCESS_SHUTDOWN_TIMEOUT = '20000', PROCESS_RESTART_DELAY = '2s', PROCESS_MAX_RETRIES = '9', HEALTH_CHECK_INTERVAL = '1000',
        HEALTH_CHECK_TIMEOUT = '700', HEALTH_CHECK_RETRIES = '2', TUI_REFRESH_RATE = '250', TUI_MAX_LOGS = '50',
        TUI_ENABLE_DEBUG = 'true', DEBUG = '', DEBUG_LEVEL = '',
      } })
    local a, b = plan.services.a, plan.services.b
    assert.same({ 1000, 20000 }, { a.stop.timeout, b.stop.timeout })
    assert.same({ 8, 2 }, { a.health.retries, b.health.retries })
    assert.same({ 1000, 700 }, { b.health.interval, b.health.timeout })
    assert.same({ 2000, 9 }, { a.restart.delay, a.restart.max_retries })
    assert.same({ refresh_rate = 250, max_logs = 7, show_debug_logs = true }, plan.settings.tui)
    assert.is_false(plan.settings.debug.enabled)
  end)
end)

describe('the words of pact', function()
  it('name the network', function()
    assert.equal('net-devnet', plan_of("pact.process 'a' { command = { 'x' } }").project)
    assert.equal('shop', plan_of("pact.project 'shop'; pact.process 'a' { command = { 'x' } }").project)
    assert.equal('shop', plan_of("pact.project = 'shop'; pact.process 'a' { command = { 'x' } }").project)
  end)

  it('set bounds for the whole network', function()
    local plan = plan_of "pact.max_parallel_starts(2); pact.shutdown_timeout '1m'; pact.hook_timeout = '3s'; pact.process 'a' { command = { 'x' } }"
    assert.same({ 2, 60000, 3000 }, { plan.max_parallel_starts, plan.shutdown_timeout, plan.hook_timeout })
  end)

  it('hear events', function()
    local plan = plan_of([[
      pact.process 'a' { command = { 'x' }, on = { crashed = function() end, health_check_failed = 'hooks/r.lua' } }
      local h = pact.on('health_check_failed', function(s, e) return s, e end)
      pact.once('chain:block', 'hooks/r.lua')
      pact.on('processCrashed', function(id, state) return id, state.exitCode, state.restartCount, state.nope end)
      h:off()
    ]], { files = { ['hooks/r.lua'] = '' } })
    local hooks = plan.hooks
    assert.same({ 'health_check_failed', 'chain:block', 'crashed' }, { hooks[1].event, hooks[2].event, hooks[3].event })
    assert.same({ true, false, false }, { hooks[1].off, hooks[2].off, hooks[3].off })
    assert.same({ false, true, false }, { hooks[1].once, hooks[2].once, hooks[3].once })
    assert.equal('/net/hooks/r.lua', hooks[2].fn)
    assert.equal(4, hooks[3].at.line)
    local handle = setmetatable({ restart_count = 2 }, { __tostring = function() return 'a' end })
    assert.same({ 'a', 75, 2 }, { hooks[3].fn(handle, { exit_code = 75 }) })
    assert.equal('/net/hooks/r.lua', plan.services.a.on.health_check_failed)
  end)

  it('keep commands and options', function()
    local plan, recipe = plan_of([[
      pact.command('seed', { help = 'fill' }, function(args) return args[1] end)
      pact.command('plain', function() end)
      local n = pact.option('nodes', { default = 2, help = 'how many' })
      local fast = pact.option('fast', { false, 'be quick' })
      local wait = pact.option('wait', { default = '5s', type = 'duration' })
      pact.process('a' .. n) { command = { 'x', tostring(fast), wait } }
    ]], { args = { '--nodes=4', '--fast', 'rest' } })
    assert.same({ 'x', 'true', '5000' }, plan.services.a4.command)
    assert.equal(7, plan.commands.seed.fn { 7 })
    local usage = recipe:usage()
    assert.same({ 'fast', 'nodes', 'wait' }, { usage.options[1].name, usage.options[2].name, usage.options[3].name })
    assert.same({ { name = 'plain' }, { name = 'seed', help = 'fill' } }, usage.commands)
  end)

  it('know secrets by their text', function()
    local plan = plan_of("local pw = pact.secret 'DB_PW'; pact.process 'a' { command = { 'x' }, env = { URL = 'pg://u:' .. pw .. '@h', B = 1 } }",
      { env = { DB_PW = 'hush' } })
    assert.same({ 'URL' }, plan.services.a.secrets)
    assert.same({ 'hush' }, plan.secret_values)
  end)

  it('give arguments, modules and a strict world', function()
    local plan = plan_of([[
      local lib = require 'lib.net'
      assert(lib == require 'lib.net' and require 'pact' == pact and require 'string' == string)
      assert(load 'return print' () == print)
      assert(dofile 'lib/value.lua' == 42)
      lib.service(pact.args[1])
      assert(... == 'web')
    ]], { args = { 'web' }, files = {
      ['lib/net.lua'] = "local pact = require 'pact'\nreturn { service = function(id) pact.process(id) { command = { 'x' } } end }",
      ['lib/value.lua'] = 'return 42',
    } })
    assert.same({ file = 'lib/net.lua', line = 2 }, plan.services.web.at)
  end)

  it('have the tables of the library to themselves; what they add to string, strings can do', function()
    local plan = plan_of [[
      string.format, table.concat, math.floor, string.upper = nil, nil, nil, nil
      function string.shout(s) return s:upper() .. '!' end
      pact.process 'a' { command = { ('x'):shout(), string.shout 'y' } }
    ]]
    assert.same({ 'X!', 'Y!' }, plan.services.a.command)
    assert.equal('1,2', string.format('%s', table.concat({ 1, 2 }, ',')))
    assert.is_nil(rawget(string, 'shout'))
  end)

  it('skip a first line for the shell and a byte order mark', function()
    assert.is_not_nil((box.plan "#!/usr/bin/env pactlua\nrequire 'pact'.process 'a' { command = { 'x' } }"))
    assert.is_not_nil((box.plan "\239\187\191require 'pact'.process 'a' { command = { 'x' } }"))
  end)
end)

describe('a handle', function()
  it('stands for its id and shows what is declared', function()
    plan_of [[
      local db = pact.process 'db' { command = { 'x' }, ports = { sql = 5433, 80 }, tags = { 't' }, endpoints = { web = 'http://x' } }
      assert(tostring(db) == 'db' and 'is ' .. db == 'is db' and db .. '!' == 'db!')
      assert(db.id == 'db' and db.kind == 'process' and db.category == 'service' and db.display_name == 'db')
      assert(db.ports.sql == 5433 and db.ports[1] == 80 and db.ports['80'] == 80)
      assert(db.tags[1] == 't' and db.endpoints.web == 'http://x' and db.pid == nil)
      assert(pact.service 'db' == db and pact.service 'none' == nil)
      assert(not pcall(function() return db.potrs end) and not pcall(function() db.pid = 1 end))
    ]]
  end)

  it('asks the network once there is one', function()
    local context = {
      live = function(id, key) return key == 'pid' and id == 'db' and 7 or nil end,
      methods = { restart = function(handle) return 'restart ' .. handle end },
    }
    plan_of([[
      local db = pact.process 'db' { command = { 'x' } }
      assert(db.pid == 7 and db:restart() == 'restart db' and db.category == 'service')
    ]], { context = context })
  end)
end)

describe('after the plan', function()
  local planner = require 'pact.plan'

  it('later services are checked and added', function()
    local added = {}
    local plan, recipe = plan_of("pact.process 'a' { command = { 'x' } }",
      { context = { added = function(declaration) added[#added + 1] = declaration.id end } })
    recipe.pact.process 'b' { command = { 'x' }, depends_on = { 'a' } }
    assert.same({ 'b' }, added)
    local services = planner.extend(plan, recipe)
    assert.equal('b', services[1].id)
    assert.same({ 'a', 'b' }, plan.order)
    assert.equal('b', require('pact.plan.groups').dependents(plan).a[1].id)
  end)

  it('slips raise at once and leave nothing', function()
    local plan, recipe = plan_of "pact.process 'a' { command = { 'x' } }"
    assert.has_error(function() recipe.pact.process 'b' { comand = {} } end,
      "devnet.lua: process 'b': unknown key 'comand' (did you mean 'command'?)")
    recipe.pact.process 'c' { command = { 'x' }, depends_on = { 'nobody' } }
    local services, problems = planner.extend(plan, recipe)
    assert.is_nil(services)
    assert.equal("'nobody' is not declared", problems[1].message)
    assert.same({ 'a' }, plan.order)
    assert.is_nil(recipe.declared.c)
    assert.has_error(function() recipe.env.x = 1 end, "devnet.lua: sets the global 'x': write local x = …")
  end)

  it('nothing can be added by accident', function()
    local plan = plan_of "pact.process 'a' { command = { 'x' } }"
    assert.has_error(function() plan.services.a.extra = 1 end, "a plan is frozen: 'extra' cannot be added")
  end)
end)
