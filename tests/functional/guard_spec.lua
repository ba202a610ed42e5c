--- The process between front and engine: what it costs. What it is for: faults/killed_spec.lua.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

describe('guard', function()
  case('does nothing while it waits', function(t)
    local network = t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    local guard = network:roles().guard
    functional.wait('a second of rest', function()
      local before = procfs.status(guard, 'voluntary_ctxt_switches')
      functional.sleep(1)
      return procfs.status(guard, 'voluntary_ctxt_switches') == before
    end, 5)
  end)
end)
