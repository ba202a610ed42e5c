--- Events in words for people: what plain output, `events` and the summary say of them.

local duration = require 'pact.base.duration'

local M = {}

local function because(event)
  return event.reason and event.reason ~= '' and ': ' .. event.reason or ''
end

local function attempt(event)
  if not event.attempt then return '' end
  if not event.max_retries then return (', attempt %d'):format(event.attempt) end
  return (', attempt %d of %d'):format(event.attempt, event.max_retries)
end

-- Each gives what is said behind the service's name and how it is painted; nil: nothing is said.
local words = {}

function words.started(event)
  local word = (event.restart_count or 0) > 0 and 'restarted' or 'started'
  return event.pid and ('%s, pid %d'):format(word, event.pid) or word, 'dim'
end

function words.running(event)
  return event.reason == 'ready' and 'ready' or 'ready' .. because(event), 'green'
end

function words.completed(event)
  return 'completed' .. because(event), 'green'
end

function words.crashed(event)
  return 'crashed' .. because(event), 'red'
end

-- What the machine refuses is told once, not at each try.
function words.backoff(event)
  if event.refused then
    if event.refused > 1 then return nil end
    return ('cannot be started now%s; trying again until it can'):format(because(event)), 'yellow'
  end
  local delay = event.delay and (' in %s'):format(duration.format(event.delay)) or ''
  return ('backoff: next start%s%s'):format(delay, attempt(event)), 'yellow'
end

function words.failed(event)
  return 'failed' .. because(event), 'red'
end

function words.skipped(event)
  return 'skipped' .. because(event), 'red'
end

function words.stopped(event)
  return 'stopped' .. because(event), 'dim'
end

-- While it starts, `ready` says the same in the same breath.
function words.healthy(event)
  if event.to == 'starting' then return nil end
  return 'healthy' .. because(event), 'green'
end

function words.unhealthy(event)
  return 'unhealthy' .. because(event), 'red'
end

-- At the edge `unhealthy` has said it.
function words.health_check_failed(event)
  if event.edge then return nil end
  return 'health check still fails' .. because(event), 'yellow'
end

function words.hook_failed(event)
  local place = event.file and (' at %s:%s'):format(event.file, event.line or '?') or ''
  local text = ('hook for %s failed%s: %s'):format(event.hook or 'an event', place, event.message or event.reason or '')
  return event.traceback and text .. '\n' .. event.traceback or text, 'red'
end

-- A verdict that decided; what others said is in the journal.
function words.hook_ended(event)
  if not event.used or not event.verdict then return nil end
  return ('decided by the hook at %s:%s: %s'):format(event.file or '?', event.line or '?', event.verdict), 'dim'
end

function words.missed(event)
  return event.reason, 'yellow'
end

local WATCH = { paused = 'yellow', degraded = 'yellow', ignored = 'yellow' }

function words.watch(event)
  return event.reason, WATCH[event.action] or 'dim'
end

function words.reloaded(event)
  return 'reloaded' .. because(event), 'bold'
end

function words.shutdown(event)
  return 'shutting down' .. because(event), 'bold'
end

local QUIET = {
  probe = true, line = true, metrics = true, ready = true, notify = true, all_ready = true, restarted = true,
}

---@param event event
---@return string? text without the service's name; nil: not for the eyes
---@return string? colour
function M.event(event)
  if QUIET[event.name] then return nil end
  local fn = words[event.name]
  if fn then return fn(event) end
  if event.name:find(':', 1, true) then return nil end
  return event.name .. because(event), 'dim'
end

---A time of day for people.
---@param wall integer
---@return string
function M.clock(wall)
  return ('%s.%03d'):format(os.date('%H:%M:%S', wall // 1000), wall % 1000)
end

return M
