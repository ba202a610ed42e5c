--- `pactlua eval CODE`: runs Lua text in the live network, prints what it printed and what came of it.

local live = require 'pact.control.verbs.live'

local M = {}

---@param context main_context
function M.run(context)
  return live.run(context, function(link)
    local status, body = link:ask('POST', '/v1/eval', { code = context.invocation.ids[1] })
    if type(body) ~= 'table' then return live.refused(context, status, body) end
    context.out(body.output or '')
    if status ~= 200 then
      local refused = live.refused(context, status, body)
      if body.traceback then context.err(body.traceback:gsub('\n*$', '\n')) end
      return refused
    end
    for _, value in ipairs(body.values) do context.out(value .. '\n') end
    return 0
  end)
end

return M
