local box = require 'recipe_box'
local json = require 'pact.base.json'
local show = require 'pact.plan.show'

local recipe = [[
pact.project 'shop'
local db = pact.process 'postgres' { display_name = 'The "DB"', command = { 'postgres', '-D', 'my data' }, ports = { sql = 5433 },
  health = { tcp = 5433, interval = '2s' }, env = { PGPASSWORD = 'hush', A = 'x' } }
pact.task 'migrate' { shell = 'echo a\n  echo b', depends_on = { db } }
pact.external 'ldap' { health = { http = 'http://l/' } }
pact.process 'web' { command = { 'npm', function() end }, ports = { 3000 }, profiles = { 'full' }, disabled = true,
  depends_on = { 'migrate', ldap = { condition = 'healthy', timeout = '60s', restart = true }, postgres = { log = 'up' } } }
]]

describe('plan.show', function()
  local plan
  before_each(function() plan = assert(box.declare(recipe)) end)

  it('writes text', function()
    assert.equal([[
shop: 4 services, 3 steps

step 1
  postgres         process
    runs     postgres -D 'my data'
    ports    sql 5433
    health   tcp 127.0.0.1:5433 every 2 s
  ldap             external
    health   http http://l/ every 30 s

step 2
  migrate          task
    runs     sh: echo a; echo b
    waits    for postgres (ready)

step 3
  web              process (disabled; profile full)
    runs     npm <function>
    ports    3000
    waits    for migrate (ready)
             for ldap (healthy, at most 1 m, restarts with it)
             for postgres (log 'up')
]], show.text(plan))
  end)

  it('tells when services are called, and what they follow', function()
    local text = show.text(assert(box.declare [[
      pact.project 'p'
      pact.task 'a' { command = { 'x' }, schedule = { cron = '0 9 * * mon-fri', tz = 'UTC' } }
      pact.task 'b' { command = { 'x' }, schedule = { every = '90s' } }
      pact.process 'c' { command = { 'x' }, watch = { 'src/**/*.js', 'a.json', cascade = true } }
      pact.process 'd' { command = { 'x' }, watch = { 'b', action = function() end } }
    ]]))
    for _, line in ipairs { "called   by cron '0 9 * * mon-fri' (UTC)\n", 'called   every 1 m 30 s\n',
      'watches  src/**/*.js, a.json: restart, with dependents\n', 'watches  b: calls a function\n' } do
      assert.truthy(text:find(line, 1, true), text)
    end
  end)

  it('writes for Graphviz', function()
    local text = show.dot(plan)
    assert.truthy(text:find('  "postgres" [label="The \\"DB\\"" shape=box];', 1, true))
    assert.truthy(text:find('  "web" -> "ldap" [label="healthy" style=bold];', 1, true))
    assert.matches('^digraph "shop" {\n.*}\n$', text)
  end)

  it('writes for Mermaid', function()
    local text = show.mermaid(plan)
    assert.truthy(text:find('  s1["The #quot;DB#quot;"]', 1, true))
    assert.truthy(text:find('  s4 -->|healthy| s3', 1, true))
  end)

  it('writes JSON without functions and secrets', function()
    local text = show.json(plan)
    local value = assert(json.decode(text))
    assert.falsy(text:find('hush', 1, true))
    assert.same({ 'postgres', 'migrate', 'ldap', 'web' }, value.order)
    assert.equal('********', value.services[1].env.PGPASSWORD)
    assert.equal('x', value.services[1].env.A)
    assert.equal('TERM', value.services[1].stop.signal)
    assert.same({ 'npm', '<function>' }, value.services[4].command)
    assert.equal('postgres', value.services[2].declared.depends_on[1])
    assert.truthy(text:find('"tags": []', 1, true))
  end)
end)
