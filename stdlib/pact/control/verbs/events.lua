--- `pactlua events [-f]`: what has happened in this run, for people or as NDJSON.

local describe = require 'pact.observe.describe'
local json = require 'pact.base.json'
local live = require 'pact.control.verbs.live'

local M = {}

local function place(event) return event.file and ('%s:%s'):format(event.file, event.line or '?') or '?' end

-- What became of a hook's verdict.
local function verdict(event)
  if not event.verdict then return 'no verdict' end
  if event.used then return event.verdict end
  return ('%s, not used%s'):format(event.verdict, event.overruled and ': ' .. event.overruled or '')
end

local words = {}

function words.hook_ended(event)
  return (" of '%s' at %s: %s"):format(event.hook, place(event), verdict(event))
end

function words.hook_failed(event)
  return (" of '%s' at %s: %s"):format(event.hook, place(event), event.message or event.reason or '')
end

function words.restarted(event)
  return event.by and event.by ~= 'policy' and (' by %s'):format(event.by) or ''
end

local function told(event)
  if words[event.name] then return event.name .. words[event.name](event) end
  local pid = event.name == 'started' and event.pid and (', pid %d'):format(event.pid) or ''
  return event.name .. pid .. (event.reason and ': ' .. event.reason or '')
end

---@param event event
---@return string
function M.line(event)
  local subject = event.service and event.service .. ' ' or ''
  return ('%s  %s%s\n'):format(describe.clock(event.at), subject, told(event))
end

---@param context main_context
function M.run(context)
  local options, sys = context.invocation.options, context.sys
  return live.run(context, function(link, _, loop)
    if options.follow then live.watch_output(sys, loop) end
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
  end, { endless = options.follow })
end

return M
