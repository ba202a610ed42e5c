local box = require 'recipe_box'
local groups = require 'pact.plan.groups'
local fail = require 'pact.base.fail'
local list = require 'pact.base.list'
local select = require 'pact.plan.select'

describe('plan.select', function()
  local plan
  before_each(function()
    plan = assert(box.declare [[
      local function service(id, fields)
        fields.command = { 'x' }
        pact.process(id)(fields)
      end
      service('db', { tags = { 'data' }, category = 'database' })
      service('cache', { tags = { 'data' } })
      service('api', { depends_on = { 'db', 'cache' } })
      service('web', { depends_on = { 'api' }, tags = { 'front' }, profiles = { 'full' } })
      service('old', { disabled = true })
      service('needs_old', { depends_on = { 'old' } })
    ]])
  end)

  local rows = {
    { {}, 'api cache db needs_old' },
    { { profile = { 'full' } }, 'api cache db needs_old web' },
    { { ids = { 'web' } }, 'api cache db web' },
    { { only = { 'api' } }, 'api cache db' },
    { { only = { 'api' }, no_deps = true }, 'api' },
    { { ids = { 'old' } }, 'old' },
    { { except = { 'cache' } }, 'api db needs_old' },
    { { ids = { 'web' }, except = { 'api' } }, 'web' },
    { { category = { 'database' } }, 'db' },
    { { tag = { 'data' } }, 'cache db' },
    { { tag = { 'data' }, category = { 'service' } }, 'api cache db needs_old' },
    { { ids = { 'needs_old' } }, 'needs_old' },
  }
  for _, row in ipairs(rows) do
    it('wants ' .. row[2] .. ' of ' .. require('pact.base.json').encode(row[1]), function()
      assert.equal(row[2], table.concat(list.keys(select.wanted(plan, row[1])), ' '))
    end)
  end

  it('names what is not there', function()
    local wanted, problems = select.wanted(plan, {
      ids = { 'wbe' }, only = { 'zzz' }, category = { 'databse' }, tag = { 'nope' }, profile = { 'fulll' },
    })
    assert.is_nil(wanted)
    assert.equal([[
'wbe' is no service (did you mean 'web'?)
--only 'zzz' is no service; there is db, cache, api, web, old and needs_old
--category 'databse' is no category (did you mean 'database'?)
--tag 'nope' is no tag; there is data and front
--profile 'fulll' is no profile (did you mean 'full'?)
]], fail.render(problems))
  end)

  it('takes away the edges to what was left out by hand', function()
    local selection = { ids = { 'web' }, except = { 'api' } }
    local wanted = select.wanted(plan, selection)
    local cut = select.cut(plan, selection, wanted)
    assert.same({}, cut.services.web.depends_on)
    assert.equal(1, #plan.services.web.depends_on)
    assert.is_nil(groups.dependents(cut).api)
    assert.equal(plan, select.cut(plan, {}, wanted))
    local alone = { ids = { 'api' }, no_deps = true }
    assert.same({}, select.cut(plan, alone, select.wanted(plan, alone)).services.api.depends_on)
  end)
end)
