--- `pactlua events [-f]`: what has happened in this run, for people or as NDJSON.

local describe = require 'pact.observe.describe'
local json = require 'pact.base.json'
local live = require 'pact.control.verbs.live'

local M = {}

---@param event event
---@return string
function M.line(event)
  local pid = event.name == 'started' and event.pid and (', pid %d'):format(event.pid) or ''
  local text = event.name .. pid .. (event.reason and ': ' .. event.reason or '')
  local subject = event.service and event.service .. ' ' or ''
  return ('%s  %s%s\n'):format(describe.clock(event.at), subject, text)
end

---@param context main_context
function M.run(context)
  local options, sys = context.invocation.options, context.sys
  return live.run(context, function(link)
    link:stream('/v1/events?since=0' .. (options.follow and '&follow=1' or ''), {
      line = function(line)
        local event = not options.json and json.decode(line)
        context.out(event and M.line(event) or line .. '\n')
      end,
      ended = function(message)
        if message and not options.follow then context.err(('pactlua: events: %s\n'):format(message)) end
        sys.stop((message and not options.follow) and live.NO_NETWORK or 0)
      end,
    })
  end)
end

return M
