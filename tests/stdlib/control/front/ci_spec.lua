--- What `ci` makes of what it hears, and in which order: its status says the same as its report.
local front_ci = require 'pact.control.front.ci'

local READY, FAILED, SHUTDOWN = { 'ready', 'web' }, { 'failed', 'web' }, { 'shutdown' }

local rows = {
  { 'all is ready', { READY, 'all ready' }, 0, 0 },
  { 'one has failed', { FAILED, SHUTDOWN }, 3, 3 },
  { 'one fails in the moment in which all is ready', { READY, 'all ready', FAILED, SHUTDOWN }, 0, 3 },
  { 'one fails during the shutdown', { READY, 'all ready', SHUTDOWN, FAILED }, 0, 0 },
  { 'the network has ended with a status of its own', { READY, FAILED, SHUTDOWN }, 70, 70 },
}

describe("ci's status when", function()
  for _, row in ipairs(rows) do
    it(row[1], function()
      local front = { sys = { time = { now = function() return 0 end } }, post = function() end }
      local ci = front_ci.new(front)
      for _, heard in ipairs(row[2]) do
        if heard == 'all ready' then
          ci:ready()
        else
          ci:event { name = heard[1], service = heard[2], mono = 1, reason = 'r' }
        end
      end
      assert.equal(row[4], ci:status(row[3]))
    end)
  end
end)
