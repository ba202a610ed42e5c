--- What a service is and what becomes of it: a table of status × event, without clock or effect.
--
-- `step(record, event)` gives a new record and what must be done, a list of actions:
--   { 'spawn' }                 begin the epoch that record.epoch names
--   { 'halt' }                  ask the driver to end it
--   { 'delay', ms }             feed `timer` when it is over
--   { 'emit', name, fields }    tell the bus
--   { 'ask', name, fields }     ask the hooks for a verdict, feed `verdict`

local ending = require 'pact.supervise.ending'
local reason = require 'pact.supervise.reason'
local record = require 'pact.supervise.record'

local M = {}

M.new = record.new

local function emit(out, name, fields)
  out[#out + 1] = { 'emit', name, fields }
end

local function to(r, status, why)
  r.status, r.reason = status, why
end

-- Who asks anew for what was tried and counted before.
local AFRESH = { person = true, reload = true }

local function zero(r, by)
  if AFRESH[by] then
    r.attempt, r.restart_count = 0, 0
  elseif by == 'watch' then
    r.attempt = 0 -- what has changed may have mended it
  end
end

---------------------------------------------------------------------------------------------------
-- Each is (r, event, out): r is this step's own copy.

local function wait_for_start(r, why)
  r.asked, r.due, r.again, r.cause, r.started = nil, false, false, nil, false
  to(r, 'waiting', why)
end

local function up(r, event)
  r.want = 'up'
  zero(r, event.by)
  r.called = event.call or not r.scheduled
  wait_for_start(r, reason.by('started', event.by))
end

-- Its time has come.
local function call(r, event)
  r.attempt = 0
  up(r, { by = event.by, call = true })
end

local function call_waiting(r, event)
  r.called = true
  r.reason = reason.by('started', event.by)
end

local function rerun(r, event)
  if r.epoch > 0 then
    r.restarting = event.by or 'person'
  end
  up(r, event)
  r.called = true
end

local function keep_up(r, event)
  r.want = 'up'
  zero(r, event.by)
end

-- What a person asks for, too, is the person's start: no restart that counts.
local function keep_waiting(r, event)
  keep_up(r, event)
  r.called = r.called or event.call or event.name == 'restart'
  if AFRESH[event.by] and r.restarting then r.restarting = event.by end
end

local function hurry(r, event, out)
  if event.by == 'dependency' then
    return keep_up(r, event)
  elseif r.asked == 'crashed' and event.by == 'hook' then
    return ending.verdict(r, { verdict = { action = 'restart', after = 0 } }, out)
  end
  local by = event.by or 'person'
  r.restarting = AFRESH[by] and by or r.restarting or by
  up(r, event)
  r.called = true
end

local function settle_down(r, event)
  r.want = 'down'
  if r.status == 'skipped' and event.by ~= 'shutdown' then
    to(r, 'stopped', reason.by('stopped', event.by))
  end
end

local function give_up_waiting(r, event, out)
  r.want, r.asked, r.due, r.restarting = 'down', nil, false, nil
  to(r, 'stopped', reason.by('stopped', event.by))
  emit(out, 'stopped', { reason = r.reason })
end

local function halt(r, cause, why, out)
  r.cause, r.again, r.asked = cause, cause == 'restart', nil
  to(r, 'stopping', why)
  out[#out + 1] = { 'halt' }
end

local function down(r, event, out)
  r.want = 'down'
  halt(r, 'stop', reason.by('stopped', event.by), out)
end

local function restart(r, event, out)
  r.want = 'up'
  zero(r, event.by)
  halt(r, 'restart', event.reason or reason.by('restarted', event.by), out)
  r.restarting = event.by or 'person'
end

local function stop_stopping(r, event)
  r.want, r.again, r.cause, r.verdict = 'down', false, 'stop', nil
  r.restarting = nil
  r.reason = reason.by('stopped', event.by)
end

local function start_after_stop(r, event)
  r.want, r.again, r.cause, r.verdict = 'up', true, 'restart', nil
  zero(r, event.by)
  r.restarting = event.by or 'person'
  r.reason = reason.by('restarted', event.by)
end

local function unwant(r)
  r.want = 'down'
end

local function go(r, _, out)
  if r.live then
    return
  end
  r.epoch, r.live, r.pid, r.exit = r.epoch + 1, 'begun', nil, nil
  r.health = r.probed and 'unknown' or 'none'
  if r.restarting and not AFRESH[r.restarting] then
    r.restart_count = r.restart_count + 1
  end
  to(r, 'starting', 'starting')
  out[#out + 1] = { 'spawn' }
end

local function running(r, event, out)
  to(r, 'running', event.reason or 'ready')
  emit(out, 'ready')
  emit(out, 'running')
end

local function spawned(r, event, out)
  r.live, r.pid, r.started, r.refused = 'up', event.pid, true, nil
  r.reason = r.task and 'running' or 'not ready yet'
  emit(out, 'started', { pid = event.pid })
  if r.restarting then
    emit(out, 'restarted', { by = r.restarting, restart_count = r.restart_count, attempt = r.attempt })
    r.restarting = nil
  end
  if not r.checked and not r.task then
    running(r, { reason = 'started' }, out)
  end
end

local function spawned_too_late(r, event, out)
  r.live, r.pid = 'up', event.pid
  out[#out + 1] = { 'halt' }
end

local function ready(r, event, out)
  if not r.task and r.live == 'up' then
    running(r, event, out)
  end
end

local function health(r, event, out)
  if event.state ~= r.health then
    r.health = event.state
    emit(out, event.state, { reason = event.reason })
  elseif event.state == 'healthy' then
    return
  end
  if event.state == 'unhealthy' then
    emit(out, 'health_check_failed', { reason = event.reason, failures = event.failures, edge = event.edge })
    ending.unhealthy(r, event, out)
  end
end

-- One that is to go down anyway waits for its turn: its dependents come first.
local function expired(r, event, out)
  if r.want == 'down' then return end
  halt(r, 'crash', event.reason, out)
end

local function fail(r, event, out)
  if r.want == 'down' then return end
  halt(r, 'fail', event.reason, out)
end

local function fail_at_rest(r, event, out)
  ending.failed(r, event.reason, event, out)
end

local function block(r, event, out)
  to(r, 'skipped', event.reason)
  r.restarting = nil
  emit(out, 'skipped', { reason = event.reason })
end

local function unblock(r, event)
  wait_for_start(r, event.reason or 'its dependency can start again')
end

local function timer(r)
  if r.live then
    r.due = true
  else
    wait_for_start(r, r.reason)
  end
end

local function swept(r)
  r.live = nil
end

local function swept_in_backoff(r)
  r.live = nil
  if r.due then
    wait_for_start(r, r.reason)
  end
end

-- Its service is another: see record.
local function adopt(r, event, out)
  record.adopt(r, event)
  if r.status == 'starting' and r.live == 'up' and not r.checked and not r.task then
    running(r, { reason = 'started' }, out)
  end
end

local function reset(r)
  r.attempt, r.restart_count = 0, 0
end

local RESTING = {
  up = up, call = call, restart = rerun, down = settle_down, unwant = unwant, swept = swept,
  verdict = ending.verdict,
}

local function resting(more)
  return setmetatable(more, { __index = RESTING })
end

local ALIVE = {
  up = keep_up, down = down, restart = restart, unwant = unwant, exited = ending.exited, health = health,
  expired = expired, fail = fail, verdict = ending.verdict, reset = reset,
}

local function alive(more)
  return setmetatable(more, { __index = ALIVE })
end

---What a status does on an event; where there is nothing, the event changes nothing.
---@type table<status, table<string, fun(r: record, event: table, out: table)>>
M.table = {
  idle = resting {},
  stopped = resting {},
  completed = resting {},
  failed = resting {},
  skipped = resting { unblock = unblock },
  waiting = {
    up = keep_waiting, restart = keep_waiting, down = give_up_waiting, unwant = give_up_waiting, go = go, block = block,
    fail = fail_at_rest, swept = swept, call = call_waiting,
  },
  starting = alive { spawned = spawned, start_failed = ending.start_failed, ready = ready },
  running = alive {},
  stopping = {
    up = start_after_stop, restart = start_after_stop, down = stop_stopping, unwant = stop_stopping,
    spawned = spawned_too_late, start_failed = ending.start_failed, exited = ending.exited,
    swept = ending.swept,
  },
  backoff = {
    up = hurry, restart = hurry, down = give_up_waiting, unwant = give_up_waiting, timer = timer,
    swept = swept_in_backoff, verdict = ending.verdict, fail = fail_at_rest,
  },
}

local NOTHING = {}

---@param now record
---@param event table name, epoch where it is of one epoch, and fields of its own
---@return record record a new one, or the same when nothing has changed
---@return table[] actions
function M.step(now, event)
  if event.epoch and event.epoch ~= now.epoch then
    return now, NOTHING
  end
  local handler = event.name == 'adopt' and adopt or M.table[now.status][event.name]
  if not handler then
    return now, NOTHING
  end
  local r, out = record.copy(now), {}
  handler(r, event, out)
  return r, out
end

return M
