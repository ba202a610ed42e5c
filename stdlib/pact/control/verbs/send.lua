--- `pactlua send ID TEXT…`: writes a line to a service's standard input.

local live = require 'pact.control.verbs.live'

local M = {}

---@param context main_context
function M.run(context)
  local words = context.invocation.ids
  return live.run(context, function(link)
    local status, body = link:ask('POST', ('/v1/services/%s/send'):format(words[1]), {
      text = table.concat(words, ' ', 2),
    })
    if status ~= 200 then return live.refused(context, status, body) end
    return 0
  end)
end

return M
