--- How long things may take: a life to become ready, a life in all, a dependency to fulfil its condition.

local deps = require 'pact.supervise.deps'
local timers = require 'pact.supervise.timers'

local M = {}

local function last_words(node)
  local last = node.last_ready or node.last_probe
  return last and last.reason or 'no answer yet'
end

---What its service allows this life, of which so much has passed.
---@param node node that lives
---@param passed integer ms
function M.of_life(sup, node, passed)
  local timeout, longest = node.service.timeout, node.service.max_runtime
  timers.stop(sup, node, 'ready')
  timers.stop(sup, node, 'runtime')
  if timeout and node.record.status == 'starting' then
    timers.set(sup, node, 'ready', math.max(0, timeout - passed), function()
      local span = sup.reason.span(timeout)
      return { name = 'expired', reason = ('not ready after %s: %s'):format(span, last_words(node)) }
    end)
  end
  if longest then
    timers.set(sup, node, 'runtime', math.max(0, longest - passed), function()
      return { name = 'expired', reason = 'ran longer than ' .. sup.reason.duration(longest) }
    end)
  end
end

---What its edges allow it to wait, from now on.
---@param node node that waits
function M.of_edges(sup, node)
  for i, link in ipairs(node.needs) do
    if link.edge.timeout and not link.met and not node.free then
      timers.set(sup, node, 'edge' .. i, link.edge.timeout, function()
        return not link.met and { name = 'fail', reason = deps.overdue(link) } or nil
      end)
    end
  end
end

---It waits no more.
---@param node node
function M.forget_edges(sup, node)
  for i = 1, #node.needs do timers.stop(sup, node, 'edge' .. i) end
end

return M
