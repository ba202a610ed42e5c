--- `pactlua eval CODE`: runs Lua text in the live network, prints what it printed and what came of it.

local live = require 'pact.control.verbs.live'

local M = {}

local CODE_MAX = 1 << 20

-- As it was given, or all of the standard input.
local function code_of(context)
  local word = context.invocation.ids[1]
  if word ~= '-' then return word end
  local code, message = context.sys.os.read_input(CODE_MAX + 1)
  if code and #code > CODE_MAX then return nil, 'standard input: more than 1 MiB' end
  return code, message
end

---@param context main_context
function M.run(context)
  local code, message = code_of(context)
  if not code then
    context.err(('pactlua: eval: %s\n'):format(message))
    return 1
  end
  return live.run(context, function(link)
    local status, body = link:ask('POST', '/v1/eval', { code = code })
    if type(body) ~= 'table' then return live.refused(context, status, body) end
    context.out(body.output or '')
    if status ~= 200 then
      local refused = live.refused(context, status, body)
      if body.traceback then context.err(body.traceback:gsub('\n*$', '\n')) end
      return refused
    end
    for _, value in ipairs(body.values) do context.out(value .. '\n') end
    return math.tointeger(body.status) or 0
  end)
end

return M
