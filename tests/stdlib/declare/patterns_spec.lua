local box = require 'recipe_box'

local function plan_of(source)
  local plan, problems = box.declare(source)
  assert.equal('', problems)
  return plan.services
end

local function said(source)
  local _, problems = box.declare(source)
  return problems
end

describe('pact.patterns', function()
  it("have the document's figures", function()
    local s = plan_of [[
      local p = pact.patterns
      pact.process 'db' { extends = p.database { port = 5432 }, command = { 'x' } }
      pact.process 'web' { extends = p.web_server { port = 3000 }, command = { 'x' } }
      pact.process 'jobs' { extends = p.worker { health_command = { 'jobs', 'ping' } }, command = { 'x' } }
      pact.process 'node' { extends = p.blockchain_node { rpc_port = 8545 }, command = { 'x' } }
    ]]
    for _, row in ipairs {
      { 'db', 'tcp', 30000, 5000, 3, 0, 5, 10000, 5432 },
      { 'web', 'http', 30000, 5000, 3, 0, 3, 5000, 3000 },
      { 'jobs', 'command', 60000, 10000, 2, 0, 3, 5000 },
      { 'node', 'tcp', 30000, 10000, 3, 15000, 3, 15000, 8545 },
    } do
      local one = s[row[1]]
      local h, r = one.health, one.restart
      assert.same(row, {
        row[1], h.kind, h.interval, h.timeout, h.retries, h.start_period, r.max_retries, r.delay,
        one.ports[1] and one.ports[1].port,
      })
      assert.equal('on-failure', r.policy)
    end
    assert.equal('http://localhost:3000/health', s.web.health.url)
    assert.equal('localhost', s.db.health.host)
    assert.same({ 'jobs', 'ping' }, s.jobs.health.command)
    assert.equal(60000, s.node.timeout)
  end)

  it('give dependencies the condition that fits, unless one stands there', function()
    local s = plan_of [[
      local db = pact.process 'db' { command = { 'x' }, health = { tcp = 1 } }
      pact.process 'a' { command = { 'x' }, health = { tcp = 2 } }
      pact.task 'b' { command = { 'x' } }
      pact.process 'c' { command = { 'x' } }
      pact.process 'web' { command = { 'x' }, extends = pact.patterns.webServer {
        port = 3000, healthPath = '/up', dependencies = { db, 'a', b = 'completed', c = { condition = 'started', restart = true } } } }
      pact.process 'jobs' { command = { 'x' }, extends = pact.patterns.worker { depends_on = { db = { timeout = '1s' }, a = true } } }
    ]]
    local function edges(id)
      local out = {}
      for _, edge in ipairs(s[id].depends_on) do out[edge.id] = edge.condition .. (edge.restart and '+' or '') end
      return out
    end
    assert.same({ db = 'healthy', a = 'healthy', b = 'completed', c = 'started+' }, edges 'web')
    assert.same({ db = 'ready', a = 'ready' }, edges 'jobs')
    assert.equal('http://localhost:3000/up', s.web.health.url)
    assert.is_nil(s.jobs.health)
  end)

  it('yield to what the service says itself', function()
    local s = plan_of [[
      pact.process 'web' { command = { 'x' }, extends = pact.patterns.web_server { port = 3000 },
        health = { interval = '2s' }, restart = { max_retries = 9 } }
    ]]
    assert.same({ 'http', 2000, 5000 }, { s.web.health.kind, s.web.health.interval, s.web.health.timeout })
    assert.same({ 9, 5000 }, { s.web.restart.max_retries, s.web.restart.delay })
  end)

  it('tell what is wrong and where', function()
    for given, message in pairs {
      ['web_server {}'] = 'pact.patterns.web_server: needs port = 8080 or the like',
      ['web_server()'] = 'pact.patterns.web_server: needs port = 8080 or the like',
      ['web_server(3000)'] = 'pact.patterns.web_server: must be a table of fields, got 3000',
      ['web_server { port = 70000 }'] = 'pact.patterns.web_server: port must be between 1 and 65535, got 70000',
      ['web_server { prot = 3000 }'] = "pact.patterns.web_server: unknown key 'prot' (did you mean 'port'?)",
      ["web_server { port = 3000, health_path = 'up' }"] =
        "pact.patterns.web_server: health_path must be a path such as '/health', got 'up'",
      ["web_server { port = 3000, command = { 'x' } }"] =
        "pact.patterns.web_server: has no 'command': it stands beside extends = pact.patterns.web_server { … }",
      ['blockchain_node { rpc_port = "x" }'] = "pact.patterns.blockchain_node: rpc_port must be a whole number, got 'x'",
      ['databse { port = 1 }'] = "there is no pact.patterns.databse (did you mean 'database'?)",
    } do
      local text = said("\npact.process 'a' { command = { 'x' }, extends = pact.patterns." .. given .. ' }')
      assert.truthy(text:find('devnet.lua:2: ' .. message, 1, true), given .. ' says ' .. text)
    end
  end)
end)
