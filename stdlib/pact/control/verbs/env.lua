--- `pactlua env [ID]`: where the services of the live network are, or the environment of one, secrets masked.

local dotenv = require 'pact.base.dotenv'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local live = require 'pact.control.verbs.live'

local M = {}

---@param env table<string, string>
---@param options { json?: boolean, dotenv?: boolean }
---@return string
function M.render(env, options)
  if options.json then return json.encode(env, { indent = true, lenient = true }) .. '\n' end
  local out = {}
  for name, value in list.sorted(env) do
    out[#out + 1] = ('%s=%s\n'):format(name, options.dotenv and dotenv.quote(value) or value)
  end
  return table.concat(out)
end

---@param context main_context
function M.run(context)
  local id = context.invocation.ids[1]
  return live.run(context, function(link)
    local status, body = link:ask('GET', id and ('/v1/services/%s/env'):format(id) or '/v1/addresses')
    if status ~= 200 then return live.refused(context, status, body) end
    context.out(M.render(id and body.env or body.addresses, context.invocation.options))
    return 0
  end)
end

return M
