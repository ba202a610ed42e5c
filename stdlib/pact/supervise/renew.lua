--- Restarts several services in order: dependents stop before what they need does, and each starts again as soon as its
--- conditions hold.

local deps = require 'pact.supervise.deps'
local teardown = require 'pact.supervise.teardown'

local M = {}

---@type teardown_way
local WAY = {}

function WAY.halt(sup, t, node)
  t.told[node] = node.record.epoch
  if not sup.down then sup:feed(node, { name = 'restart', by = t.by }) end
end

-- One that somebody has stopped meanwhile stays stopped, and nobody waits for it.
function WAY.settled(sup, t, node)
  local r = node.record
  if not t.told[node] then return r.want == 'down' or sup.down ~= nil end
  return r.live == nil or r.epoch ~= t.told[node]
end

---@param nodes node[] that are to live again
---@param by actor
function M.begin(sup, nodes, by)
  if not nodes[1] then return end
  local set = {}
  for node in pairs(deps.dependents(nodes)) do set[node] = 'through' end
  for _, node in ipairs(nodes) do set[node] = true end
  teardown.begin(sup, set, by, function() end, WAY)
end

return M
