--- Which services the words of a command name.
local chosen = require 'pact.control.verbs.chosen'

local ALL = { { id = 'db' }, { id = 'web-1', group = 'web' }, { id = 'web-2', group = 'web' } }

-- words → ids, or what is wrong
local rows = {
  { {}, 'db web-1 web-2' }, { { 'db' }, 'db' }, { { 'web' }, 'web-1 web-2' }, { { 'web-2', 'db' }, 'db web-2' },
  { { 'wbe' }, "no service 'wbe'" }, { { 'db', 'web-3' }, "no service 'web-3' (did you mean 'web-1'?)" },
}

describe('services that are named', function()
  for _, row in ipairs(rows) do
    it(("by '%s'"):format(table.concat(row[1], ' ')), function()
      local found, message = chosen.of(ALL, row[1])
      local ids = {}
      for i, service in ipairs(found or {}) do ids[i] = service.id end
      assert.equal(row[2], message or table.concat(ids, ' '))
    end)
  end

  it('are told where they are missed', function()
    assert.equal("no service 'x' in this run", select(2, chosen.of(ALL, { 'x' }, ' in this run')))
  end)
end)
