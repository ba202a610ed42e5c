local box = require 'recipe_box'
local diff = require 'pact.plan.diff'

local function plan(source, files)
  local found, problems = box.declare(source, { files = files })
  return assert(found, problems)
end

local function change(old, new, files_old, files_new)
  return diff.compare(plan(old, files_old), plan(new, files_new))
end

-- one service `a` with these fields, and what a change of them comes to
local function of_fields(before, after)
  local found = change(("pact.process 'a' { command = { 'x' }, %s }"):format(before),
    ("pact.process 'a' { command = { 'x' }, %s }"):format(after))
  local one = found.changed[1]
  return one and { restarts = one.restarts, live = one.live } or 'same'
end

local ROWS = {
  { "nice = 1", "nice = 1", 'same' },
  { "nice = 1", "nice = 2", { restarts = { 'nice' }, live = {} } },
  { "", "user = 'nobody'", { restarts = { 'user' }, live = {} } },
  { "cwd = '/a'", "cwd = '/b'", { restarts = { 'cwd' }, live = {} } },
  { "env = { A = 1, B = 2 }", "env = { A = 1, B = 3, C = 1 }", { restarts = { 'env.B', 'env.C' }, live = {} } },
  { "env = { A = function() return 1 end }", "env = { A = function() return 1 end }", 'same' },
  { "env = { A = function() return 1 end }", "env = { A = function() return 2 end }",
    { restarts = {}, live = { 'env.A' } } },
  { "env = { A = 'x' }", "env = { A = function() return 'x' end }", { restarts = { 'env.A' }, live = {} } },
  { "limits = { nofile = 10 }", "limits = { nofile = 20 }", { restarts = { 'limits.nofile' }, live = {} } },
  { "ports = { 80 }", "ports = { 81 }", { restarts = { 'ports' }, live = {} } },
  { "health = { http = 'http://x/', interval = '1s' }", "health = { http = 'http://x/', interval = '2s' }",
    { restarts = {}, live = { 'health.interval' } } },
  { "health = { http = 'http://x/' }", "health = { tcp = 80 }", { restarts = {}, live = { 'health' } } },
  { "", "health = { tcp = 80 }", { restarts = {}, live = { 'health' } } },
  { "restart = 'always'", "restart = 'no'", { restarts = {}, live = { 'restart.policy' } } },
  { "restart = function() return 1 end", "restart = function() return 2 end",
    { restarts = {}, live = { 'restart.policy' } } },
  { "stop = { timeout = '1s' }", "stop = { timeout = '2s', signal = 'INT' }",
    { restarts = {}, live = { 'stop.signal', 'stop.timeout' } } },
  { "log = { max_size = '1m' }", "log = { max_size = '2m' }", { restarts = {}, live = { 'log.max_size' } } },
  { "", "log = { format = 'json' }", { restarts = { 'log.format' }, live = {} } },
  { "on = { ready = function() end }", "on = { ready = function() return 1 end }",
    { restarts = {}, live = { 'on.ready' } } },
  { "tags = { 'a' }", "tags = { 'a', 'b' }, category = 'c', display_name = 'D'",
    { restarts = {}, live = { 'category', 'display_name', 'tags' } } },
  { "nice = 1, timeout = '1s'", "nice = 2, timeout = '2s'", { restarts = { 'nice' }, live = { 'timeout' } } },
  { "schedule = { every = '1m' }", "schedule = { every = '2m' }", { restarts = {}, live = { 'schedule.every' } } },
  { "watch = 'src/*'", "watch = { paths = { 'lib/*' } }", { restarts = {}, live = { 'watch.paths' } } },
}

describe('plan.diff', function()
  for _, row in ipairs(ROWS) do
    it(('%s → %s'):format(row[1], row[2]), function() assert.same(row[3], of_fields(row[1], row[2])) end)
  end

  it('tells what is new, what is gone, in the order of start and stop', function()
    local found = change([[
      pact.process 'a' { command = { 'x' } } pact.process 'b' { command = { 'x' }, depends_on = { 'a' } }
      pact.process 'z' { command = { 'x' } }
    ]], [[
      pact.process 'z' { command = { 'x' } }
      pact.process 'd' { command = { 'x' }, depends_on = { 'c' } } pact.process 'c' { command = { 'x' } }
    ]])
    assert.same({ 'c', 'd' }, found.added)
    assert.same({ 'b', 'a' }, found.removed)
    assert.same({ 'z' }, found.unchanged)
    assert.same({}, found.changed)
    assert.is_true(found.text)
  end)

  it('finds nothing in what was only moved', function()
    local found = change("pact.process 'a' { command = { 'x' }, on = { ready = function() return 1 end } }",
      "\n\n-- moved\npact.process 'a' {\n command = { 'x' }, on = { ready = function() return 1 end } }")
    assert.same({ {} , true }, { found.restarts or {}, found.text })
  end)

  it('a command whose functions are others stays, one whose words are others restarts', function()
    local function of(words) return ("pact.process 'a' { command = { 'x', %s } }"):format(words) end
    assert.same({}, change(of "function() return 1 end", of "function() return 2 end").changed[1].restarts)
    assert.same({ 'command' }, change(of "function() return 1 end", of "'1'").changed[1].restarts)
    assert.same({ 'command' }, change(of "'1'", of "'1', '2'").changed[1].restarts)
  end)

  it('another kind is another process', function()
    local found = change("pact.process 'a' { command = { 'x' } }", "pact.task 'a' { command = { 'x' } }")
    assert.equal('kind', found.changed[1].restarts[1])
    found = change("pact.process 'a' { command = { 'x' } }", "pact.worker 'a' { run = function() end }")
    assert.truthy(table.concat(found.changed[1].restarts, ' '):find 'kind')
  end)

  it('edges are taken over; another port of a dependency restarts who is told of it', function()
    local function of(edge, port) return ([[
      pact.process 'db' { command = { 'x' }, ports = { %d } } pact.process 'other' { command = { 'x' } }
      pact.process 'web' { command = { 'x' }, depends_on = { %s } }]]):format(port, edge) end
    assert.same({ { id = 'web', restarts = {}, live = { 'depends_on.db' } } }, change(of("'db'", 1), of("db = 'started'", 1)).changed)
    assert.same({ { id = 'web', restarts = {}, live = { 'depends_on.other' } } }, change(of("'db'", 1), of("'db', 'other'", 1)).changed)
    assert.same({ 'db', 'other', 'web' }, change(of("'db', 'other'", 1), of("'other', 'db'", 1)).unchanged)
    local found = change(of("'db'", 1), of("'db'", 2)).changed
    assert.same({ { id = 'db', restarts = { 'ports' }, live = {} }, { id = 'web', restarts = { 'db.ports' }, live = {} } }, found)
  end)

  it("instances come and go with replicas; the others stay as they are", function()
    local function of(n, nice)
      return ("pact.process 'w' { command = { 'x' }, replicas = %d, nice = %d } pact.process 'c' { command = { 'x' }, depends_on = { 'w' } }"):format(n, nice)
    end
    local found = change(of(2, 1), of(3, 1))
    assert.same({ { 'w-3' }, { 'w-1', 'w-2' } }, { found.added, found.unchanged })
    assert.same({ { id = 'c', restarts = {}, live = { 'depends_on.w' } } }, found.changed)
    found = change(of(3, 1), of(1, 2))
    assert.same({ 'w-3', 'w-2' }, found.removed)
    assert.same({ id = 'w-1', restarts = { 'nice' }, live = {} }, found.changed[1])
  end)

  local function worker(head, body) return ("%s pact.worker 'w' { run = function(self) %s end }"):format(head, body) end

  it("a worker's run has changed when its text or what it captured has", function()
    local function same(a, b, files_a, files_b) return change(a, b, files_a, files_b).changed[1] == nil end
    assert.is_true(same(worker('local n = 1', 'return n'), worker('local n = 1', 'return n')))
    assert.is_false(same(worker('local n = 1', 'return n'), worker('local n = 2', 'return n')))
    assert.is_false(same(worker('', 'return 1'), worker('', 'return 2')))
    assert.is_false(same(worker('local c = { p = 1 }', 'return c.p'), worker('local c = { p = 2 }', 'return c.p')))
    assert.is_false(same(worker('local function f() return 1 end', 'return f()'), worker('local function f() return 2 end', 'return f()')))
    local head = "local m = require 'm'"
    assert.is_true(same(worker(head, 'return m.f()'), worker(head, 'return m.f()'),
      { ['m.lua'] = 'return { f = function() return 1 end }' }, { ['m.lua'] = '\nreturn { f = function() return 1 end }' }))
    assert.is_false(same(worker(head, 'return m.f()'), worker(head, 'return m.f()'),
      { ['m.lua'] = 'return { f = function() return 1 end }' }, { ['m.lua'] = 'return { f = function() return 2 end }' }))
  end)

  it('what it had captured is what it was when it was declared', function()
    local source = worker('local n, t = 0, {} t.self = t', 'n = n + 1 t[n] = self return n, pact')
    local old, new = plan(source), plan(source)
    old.services.w.run('x')
    assert.same({ 'w' }, diff.compare(old, new).unchanged)
  end)

  it('tells of hooks, commands and what holds for the network', function()
    local function of(text) return "pact.process 'a' { command = { 'x' } } " .. text end
    assert.is_true(change(of '', of "pact.on('ready', function() end)").hooks)
    assert.is_true(change(of "pact.on('ready', function() end)", of "pact.on('ready', function() return 1 end)").hooks)
    assert.is_false(change(of "pact.on('ready', function() end)", of "\npact.on('ready', function() end)").hooks)
    assert.is_true(change(of '', of "pact.command('c', function() end)").commands)
    assert.is_false(change(of "pact.command('c', function() end)", of "pact.command('c', function() end)").commands)
    assert.same({ 'max_parallel_starts', 'hook_timeout', 'tui' },
      change(of '', of "pact.hook_timeout '1s' pact.max_parallel_starts(3) pact.tui { max_logs = 5 }").settings)
    local same = change(of '', of '')
    assert.same({ {}, false, false, false }, { same.settings, same.hooks, same.commands, same.text })
  end)
end)
