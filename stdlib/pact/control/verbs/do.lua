--- `pactlua do COMMAND [ARGS…]`: runs a command of the recipe's in its live network, prints what it returns.

local inspect = require 'pact.observe.inspect'
local live = require 'pact.control.verbs.live'

local M = {}

---@param context main_context
function M.run(context)
  local invocation = context.invocation
  return live.run(context, function(link)
    local args = table.move(invocation.ids, 2, #invocation.ids, 1, {})
    table.move(invocation.args, 1, #invocation.args, #args + 1, args)
    local status, body = link:ask('POST', '/v1/commands/' .. invocation.ids[1], { args = args })
    if status ~= 200 then return live.refused(context, status, body) end
    local result = body.result
    if result == nil then return 0 end
    context.out(inspect.text(result) .. '\n')
    return 0
  end)
end

return M
