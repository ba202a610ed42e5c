--- `pactlua start|stop|restart|signal ID…`: sets what is wanted of services, and waits until it is so.

local live = require 'pact.control.verbs.live'

local M = {}

---@param context main_context
function M.run(context)
  local invocation = context.invocation
  local options = invocation.options
  return live.run(context, function(link)
    local worst = 0
    for _, id in ipairs(invocation.ids) do
      local status, body = link:ask('POST', ('/v1/services/%s/%s'):format(id, invocation.verb), {
        signal = options.signal, with_dependents = options.with_dependents,
      })
      if status ~= 200 then
        worst = live.refused(context, status, body)
        if status == 409 and invocation.verb ~= 'signal' then worst = 3 end
      end
    end
    return worst
  end)
end

return M
