local check = require 'pact.control.verbs.check'
local events = require 'pact.control.verbs.events'
local help = require 'pact.control.verbs.help'
local options = require 'pact.control.cli.options'
local ps = require 'pact.control.verbs.ps'
local usage = require 'pact.control.verbs.usage'
local verbs = require 'pact.control.cli.verbs'
local why = require 'pact.control.verbs.why'

describe('ps', function()
  it('shows what matters of each service', function()
    assert.equal(table.concat {
      'SERVICE  STATUS   HEALTH   PID  UP  RESTARTS   CPU  MEMORY  PORTS          REASON\n',
      'db       running  healthy   17  2s         1  5.0%  2.0 MB  3000 sql:5432\n',
      'web      backoff                           2                               exit code 1; again in 3 s\n',
    }, ps.render({
      { id = 'db', status = 'running', health = 'healthy', pid = 17, uptime = 2000, restart_count = 1, cpu = 5,
        memory = 2 << 20, ports = { sql = 5432, ['3000'] = 3000 }, reason = 'ready' },
      { id = 'web', status = 'backoff', health = 'none', restart_count = 2, reason = 'exit code 1', next_start_in = 3000 },
    }, { colour = false }))
  end)

  it('shows trees, and processes whose parent is elsewhere at the top', function()
    assert.equal('  1  leader\n    2  child\n      3  grandchild\n  9  stray\n', ps.tree {
      { pid = 1, ppid = 0, command = 'leader' }, { pid = 2, ppid = 1, command = 'child' },
      { pid = 3, ppid = 2, command = 'grandchild' }, { pid = 9, ppid = 77, command = 'stray' },
    })
  end)
end)

describe('why', function()
  it('tells for what a service waits, and what was before', function()
    local out = why.render {
      id = 'web', status = 'waiting', reason = 'waiting for db', want = 'up', attempt = 1, max_retries = 3, blocks = { 'proxy' },
      waiting_for = { { id = 'db', text = 'db (healthy: connection refused, 3 s)', since = 3000 } },
      history = { { at = 0, uptime = 1500, reason = 'exit code 1' } },
    }
    for _, line in ipairs { 'web is waiting: waiting for db\n', '  waits for db: db (healthy: connection refused, 3 s)',
      '  restart attempts: 1 of 3\n', 'after 1.5 s: exit code 1\n', '  waited for by: proxy\n' } do
      assert.truthy(out:find(line, 1, true), line .. ' in\n' .. out)
    end
  end)
end)

describe('why', function()
  local function told(fields)
    local of = { id = 'web', status = 'running', reason = '', want = 'up', attempt = 0, max_retries = 3 }
    for name, value in pairs(fields) do of[name] = value end
    return why.render(of)
  end

  for words, fields in pairs {
    ['  wanted: up, by the recipe\n'] = { want_by = 'recipe' },
    ['  wanted: up, for api, web\n'] = { want_by = 'dependency', needed_by = { 'api', 'web' } },
    ['  wanted: up, by hand, for api\n'] = { want_by = 'person', needed_by = { 'api' } },
    ['  wanted: down, by a hook, but needed by api\n'] = { want = 'down', want_by = 'hook', needed_by = { 'api' } },
    ['  wanted: down\n'] = { want = 'down', needed_by = {} },
    ['  if it fails: it is restarted after 2 s, attempt 2 of 3 (policy on-failure)\n'] = {
      attempt = 1, forecast = { policy = 'on-failure', restarts = true, delay = 2000 } },
    ['  if it fails: it is restarted at once, attempt 5 (policy always)\n'] = {
      attempt = 4, max_retries = false, forecast = { policy = 'always', restarts = true, delay = 0 } },
    ['  if it fails: it has failed for good (its restarts are used up)\n'] = {
      attempt = 3, forecast = { policy = 'on-failure', restarts = false } },
    ['  if it fails: it has failed for good (policy no)\n'] = { forecast = { policy = 'no', restarts = false } },
    ['  if it fails: it has failed for good (max_retries is 0)\n'] = {
      max_retries = 0, forecast = { policy = 'on-failure', restarts = false } },
    ['after 1.5 s: exit code 1\n    | one\n    | two\n'] = {
      history = { { at = 0, uptime = 1500, reason = 'exit code 1', lines = { 'one', 'two' } } } },
  } do
    it('says' .. words:gsub('\n', ''), function()
      local out = told(fields)
      assert.truthy(out:find(words, 1, true), out)
    end)
  end

  it('names the hook that decided, with its place', function()
    local out = why.render {
      id = 'db', status = 'failed', reason = 'disk full', want = 'up',
      decided = { hook = 'crashed', file = 'net.lua', line = 5, verdict = "fail 'disk full'", at = 0 },
    }
    assert.truthy(out:find("on 'crashed' by the hook at net.lua:5: fail 'disk full'\n", 1, true), out)
  end)
end)

describe('events', function()
  for _, row in ipairs {
    { { name = 'hook_ended', hook = 'crashed', file = 'a.lua', line = 3, verdict = 'ignore', used = true },
      "web hook_ended of 'crashed' at a.lua:3: ignore\n" },
    { { name = 'hook_ended', hook = 'crashed', file = 'a.lua', line = 3, verdict = 'ignore', overruled = 'a.lua:1 decided' },
      "web hook_ended of 'crashed' at a.lua:3: ignore, not used: a.lua:1 decided\n" },
    { { name = 'hook_ended', hook = 'ready', file = 'a.lua', line = 3 },
      "web hook_ended of 'ready' at a.lua:3: no verdict\n" },
    { { name = 'hook_failed', hook = 'ready', file = 'a.lua', line = 4, message = 'boom' },
      "web hook_failed of 'ready' at a.lua:4: boom\n" },
    { { name = 'restarted', by = 'dependency', reason = 'started' }, 'web restarted by dependency\n' },
    { { name = 'restarted', by = 'policy', reason = 'started' }, 'web restarted\n' },
  } do
    it('say who decided: ' .. row[2]:gsub('\n', ''), function()
      row[1].at, row[1].service = 0, 'web'
      assert.equal(row[2], (events.line(row[1]):gsub('^%S+  ', '')))
    end)
  end

  it('are a line each', function()
    local line = events.line { name = 'started', at = 1700000000005, service = 'web', pid = 17, reason = 'by hand' }
    assert.truthy(line:find '^%d%d:%d%d:%d%d%.005  web started, pid 17: by hand\n$', line)
  end)
end)

describe('graph', function()
  it('shows who needs whom', function()
    local plan = { order = { 'a', 'b' }, services = { a = { depends_on = {} }, b = { depends_on = { { id = 'a' }, { id = 'c' } } } } }
    assert.equal('a\nb\n  ├── a\n  └── c\n', check.graph(plan, function(edge) return edge.id end))
  end)
end)

describe('help', function()
  it('lists every verb', function()
    for _, verb in ipairs(verbs.rows) do assert.truthy(help.overview():find('\n  ' .. verb.name .. ' ', 1, true), verb.name) end
  end)

  it('shows the options of each verb', function()
    for _, verb in ipairs(verbs.rows) do
      local out = help.verb(verb)
      for _, name in ipairs(verb.options) do
        local there = out:find('--' .. name, 1, true) ~= nil
        assert.equal(not options.by_name[name].later, there, verb.name .. ' ' .. name)
      end
    end
  end)

  it('has a module for every verb that runs alone', function()
    for _, verb in ipairs(verbs.rows) do
      if verb.role ~= 'network' then
        assert.is_function(require('pact.control.verbs.' .. verb.module).run)
      end
    end
  end)

  it("shows a recipe's own options and commands", function()
    local out = usage.render('net.lua', {
      options = { { name = 'port', default = 80, help = 'where' } }, commands = { { name = 'seed', help = 'fill' } },
    })
    assert.truthy(out:find('pactlua net.lua [OPTIONS]\n\noptions of the recipe:\n  --port  where (default: 80)\n', 1, true), out)
    assert.truthy(out:find('  seed  fill\n', 1, true), out)
  end)
end)
