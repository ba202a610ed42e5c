local schedule = require 'schedule'

-- PACTLUA_SCHEDULES=100000 plays more of them, PACTLUA_SEED=7 begins elsewhere: a fault names its seed.
local COUNT = tonumber(os.getenv 'PACTLUA_SCHEDULES') or 2000
local FIRST = tonumber(os.getenv 'PACTLUA_SEED') or 1

describe('random schedules', function()
  it(('keep what always holds, in %d of them'):format(COUNT), function()
    local events = 0
    for seed = FIRST, FIRST + COUNT - 1 do events = events + schedule.play(seed) end
    assert.is_true(events > COUNT)
  end)
end)
