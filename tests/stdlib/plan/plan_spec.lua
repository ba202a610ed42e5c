local box = require 'recipe_box'
local groups = require 'pact.plan.groups'
local plans = require 'pact.plan'

describe('a plan', function()
  it('knows order, steps and dependents', function()
    local plan = assert(box.declare [[
      pact.process 'web' { command = { 'x' }, depends_on = { 'api', 'cache' } }
      pact.process 'api' { command = { 'x' }, depends_on = { db = 'started' } }
      pact.process 'cache' { command = { 'x' } }
      pact.process 'db' { command = { 'x' } }
    ]])
    assert.same({ 'db', 'api', 'cache', 'web' }, plan.order)
    assert.same({ 'web', 'api', 'cache', 'db' }, plan.declared_order)
    assert.same({ { 'db', 'cache' }, { 'api' }, { 'web' } }, plans.levels(plan))
    local dependents = groups.dependents(plan)
    assert.equal('api', dependents.db[1].id)
    assert.equal('started', dependents.db[1].edge.condition)
    assert.is_nil(dependents.web)
  end)

  it('lets services that are never wanted together share a port', function()
    assert.is_not_nil((box.declare [[
      pact.process 'a' { command = { 'x' }, ports = { 80 }, profiles = { 'one' } }
      pact.process 'b' { command = { 'x' }, ports = { 80 }, profiles = { 'two' } }
      pact.process 'c' { command = { 'x' }, ports = { 80 }, disabled = true }
      pact.process 'd' { command = { 'x' }, ports = { { port = 80, fallback = true } } }
      pact.task 'e' { command = { 'x' }, ports = { 80 } }
    ]]))
  end)

  it('takes disabled services of kinds that cannot be run', function()
    assert.is_not_nil((box.declare "pact.container 'c' { image = 'i', disabled = true, command = 'a b' }"))
  end)

  it('of ten thousand services takes as long for each as a small one does #timed', function()
    local before = os.clock()
    local plan = assert(box.declare [[
      for i = 1, 10000 do
        pact.process('p' .. i) { command = { 'x' }, depends_on = i > 1 and { 'p' .. i // 2 } or nil }
      end
    ]])
    assert.equal(10000, #plan.order)
    assert.is_true(os.clock() - before < 5, os.clock() - before) -- quadratic ones take minutes
  end)
end)
