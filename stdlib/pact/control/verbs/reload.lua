--- `pactlua reload`: the live network goes over to its recipe as it is written now, and it is told what was done.

local json = require 'pact.base.json'
local live = require 'pact.control.verbs.live'
local words = require 'pact.observe.reload_words'

local M = {}

-- A recipe that doesn't load any more is the caller's to mend, as for `check`.
local function refused(context, status, body)
  local code = type(body) == 'table' and body.code
  if code ~= 'recipe' then return live.refused(context, status, body) end
  if context.invocation.options.json then context.out(json.encode(body, { indent = true, lenient = true }) .. '\n') end
  context.err(('%s\npactlua: reload: the recipe does not load, nothing has changed\n'):format(body.error))
  return 2
end

---@param context main_context
function M.run(context)
  local options = context.invocation.options
  return live.run(context, function(link)
    local status, body = link:ask('POST', '/v1/reload', { dry_run = options.dry_run or false })
    if status ~= 200 then return refused(context, status, body) end
    if options.json then
      json.array(body.services)
      json.array(body.network)
      context.out(json.encode(body, { indent = true, lenient = true }) .. '\n')
    else
      context.out(words.lines(body))
    end
    local stopped = words.stopped(body)
    if stopped then context.err(('pactlua: %s\n'):format(stopped)) end
    return 0
  end, { patience = require('pact.control.client.silence').LONG_PATIENCE })
end

return M
