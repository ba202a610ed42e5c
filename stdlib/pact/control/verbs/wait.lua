--- `pactlua wait [ID…]`: until services are ready, or can't become so any more.

local live = require 'pact.control.verbs.live'

local M = {}

local GOALS = { ready = true, healthy = true, started = true, stopped = true }

---@param context main_context
function M.run(context)
  local options = context.invocation.options
  local goal = options['for'] or 'ready'
  if not GOALS[goal] then
    context.err(("pactlua: wait: --for must be 'ready' or 'healthy', got '%s'\n"):format(goal))
    return 2
  end
  return live.run(context, function(link)
    local status, body = link:ask('POST', '/v1/wait', {
      ids = context.invocation.ids, ['for'] = goal, timeout = options.timeout,
    })
    if status == 200 then return 0 end
    local code = type(body) == 'table' and body.code
    live.refused(context, status, body)
    if not status then return live.NO_NETWORK end
    if code == 'timeout' then return 124 end
    return code == 'unknown' and 1 or 3
  end)
end

return M
