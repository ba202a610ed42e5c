--- `pactlua wait [ID…]`: until services are ready, or can't become so any more.

local list = require 'pact.base.list'
local live = require 'pact.control.verbs.live'
local text = require 'pact.base.text'

local M = {}

local GOALS = { 'ready', 'healthy', 'started', 'stopped' }
local TIMED_OUT = 124
-- How much later than the engine we look at the time.
local GRACE_MS = 1000

-- The bound holds for an engine, too, that doesn't answer; one that does says itself that it is over.
local function bound(context, loop, watch, ms)
  loop:after(ms + GRACE_MS, function()
    if watch:answers() then return bound(context, loop, watch, 0) end
    watch:tell()
    context.sys.stop(TIMED_OUT)
  end)
end

---@param context main_context
function M.run(context)
  local options = context.invocation.options
  local goal = options['for'] or 'ready'
  if not list.index(GOALS, goal) then
    context.err(('pactlua: wait: --for must be %s, got %s%s\n'):format(text.enumerate(list.map(GOALS, text.show), 'or'),
      text.show(goal), text.suggest(goal, GOALS)))
    return 2
  end
  return live.run(context, function(link, _, loop, watch)
    if options.timeout and watch then bound(context, loop, watch, options.timeout) end
    local status, body = link:ask('POST', '/v1/wait', {
      ids = context.invocation.ids, ['for'] = goal, timeout = options.timeout,
    })
    if status == 200 then return 0 end
    local code = type(body) == 'table' and body.code
    live.refused(context, status, body)
    if not status then return live.NO_NETWORK end
    if code == 'timeout' then return TIMED_OUT end
    return code == 'unknown' and 1 or 3
  end, { endless = options.timeout ~= nil })
end

return M
