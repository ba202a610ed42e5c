--- `pactlua scale ID=N…`: gives groups of replicas so many instances, and waits until they have them.

local live = require 'pact.control.verbs.live'

local M = {}

-- all words are read before anything is done
local function wishes(words)
  local out = {}
  for i, word in ipairs(words) do
    local id, count = word:match '^(.-)=(%d+)$'
    if not id or id == '' then return nil, ("'%s' is not ID=N, such as web=3"):format(word) end
    out[i] = { id, math.tointeger(count) }
  end
  return out
end

---@param context main_context
function M.run(context)
  local wanted, message = wishes(context.invocation.ids)
  if not wanted then
    context.err(('pactlua: scale: %s\n'):format(message))
    return 2
  end
  return live.run(context, function(link)
    local worst = 0
    for _, wish in ipairs(wanted) do
      local status, body = link:ask('POST', ('/v1/services/%s/scale'):format(wish[1]), { count = wish[2] })
      if status ~= 200 then
        local code = type(body) == 'table' and body.code
        worst = math.max(worst, live.refused(context, status, body), code == 'failed' and 3 or 0)
      end
    end
    return worst
  end)
end

return M
