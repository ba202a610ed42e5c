--- What is noted beside the journal of each service.
local disk = require 'pact.sim.disk'
local plan_record = require 'pact.observe.plan_record'
local read = require 'pact.observe.timeline.read'

local function service(fields)
  local out = { id = 'web', display_name = 'web', kind = 'process', depends_on = {}, task = false }
  for key, value in pairs(fields) do out[key] = value end
  return out
end

describe('the record of a plan', function()
  -- service, what is noted besides its id and kind
  local rows = {
    { { }, {} },
    { { display_name = 'The web', group = 'webs', task = true }, { display_name = 'The web', group = 'webs', task = true } },
    { { health = { kind = 'http', url = 'http://user:secret@localhost' } }, { check = 'http' } },
    { { health = { kind = 'http' }, ready = { kind = 'log', pattern = 'up' } }, { check = 'log', log = 'up' } },
    { { health = { kind = 'log', pattern = { regex = 'up|ready' } } }, { check = 'log', log = 'up|ready' } },
    { { schedule = { every = 1000 } }, { scheduled = true } },
    { { depends_on = { { id = 'db', condition = 'healthy', restart = true, at = {} } } }, { needs = { { id = 'db', condition = 'healthy' } } } },
  }
  for i, row in ipairs(rows) do
    it(('notes what a picture needs, and no more (%d)'):format(i), function()
      local expected = { service = 'web', kind = 'process' }
      for key, value in pairs(row[2]) do expected[key] = value end
      assert.same(expected, plan_record.planned(service(row[1]), false))
    end)
  end

  it('says when a service came that was not there from the start', function()
    assert.equal(77, plan_record.planned(service {}, true, 77).since)
  end)

  it('is read as it was written; what is declared later comes behind it', function()
    local fs = disk.new()
    fs.mkdir '/run'
    plan_record.add(fs, '/run', { { format = plan_record.FORMAT, project = 'shop', began = 5, wanted_at = 6, at = 7 },
      plan_record.planned(service {}, true) })
    plan_record.add(fs, '/run', { plan_record.planned(service { id = 'late', depends_on = { { id = 'web', condition = 'ready' } } }, false) })
    local report = { unreadable = 0 }
    local plan = read.plan(fs, '/run', report)
    assert.same({ { unreadable = 0 }, { project = 'shop', began = 5, wanted_at = 6, at = 7 } }, { report, plan.head })
    assert.same({ 'web', true, 'late', false, 'web' }, { plan.services[1].id, plan.services[1].wanted, plan.services[2].id,
      plan.services[2].wanted, plan.services[2].needs[1].id })
  end)

  it('costs nothing where it can\'t be written', function()
    local fs, world = disk.new()
    world.full = 'No space left on device'
    plan_record.add(fs, '/run', { { format = 1 } })
  end)
end)
