--- `pactlua start|stop|restart|signal ID…`: sets what is wanted of services, and waits until it is so.

local list = require 'pact.base.list'
local live = require 'pact.control.verbs.live'
local text = require 'pact.base.text'

local M = {}

-- Of several ids one may be wrong: then nothing is done to any of them.
local function all_known(context, link)
  local invocation = context.invocation
  if #invocation.ids < 2 then return 0 end
  local status, body = link:ask('GET', '/v1/services?brief=1&figures=0')
  if status ~= 200 then return live.refused(context, status, body) end
  local known = list.map(body.services, function(service) return service.id end)
  for _, service in ipairs(body.services) do known[#known + 1] = service.group end
  local worst = 0
  for _, id in ipairs(invocation.ids) do
    if not list.index(known, id) then
      local hint = text.suggest(id, known)
      if invocation.verb == 'signal' and context.sys.os.signals[id:upper():gsub('^SIG', '')] then
        hint = ('; a signal is given by --signal %s'):format(id)
      end
      worst = live.refused(context, 404, { error = ("no service '%s'%s"):format(id, hint) })
    end
  end
  return worst
end

---@param context main_context
function M.run(context)
  local invocation = context.invocation
  local options = invocation.options
  return live.run(context, function(link)
    local worst = all_known(context, link)
    if worst ~= 0 then return worst end
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
