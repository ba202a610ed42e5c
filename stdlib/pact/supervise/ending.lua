--- What follows an end: completed, stopped, a delay and another start, or giving up. Pure, part of `state`.

local backoff = require 'pact.supervise.backoff'
local reason = require 'pact.supervise.reason'

local M = {}

local function emit(out, name, fields)
  out[#out + 1] = { 'emit', name, fields }
end

local function to(r, status, why)
  r.status, r.reason = status, why
  r.cause, r.again, r.asked, r.due, r.verdict = nil, false, nil, false, nil
end

local function ask(r, name, out)
  r.asked = name
  out[#out + 1] = { 'ask', name }
end

---Gives up.
function M.failed(r, why, event, out)
  to(r, 'failed', why)
  r.restarting = nil
  emit(out, 'failed', { reason = why })
  if event.ask then
    ask(r, 'failed', out)
  end
end

local function completed(r, why, out)
  to(r, 'completed', why)
  if r.task then
    emit(out, 'ready')
  end
  emit(out, 'completed', { reason = why })
end

-- Starts again after `ms`; refused: how many times in a row the machine has not let it start.
local function delay(r, ms, out, refused)
  r.asked = nil
  r.status = 'backoff'
  out[#out + 1] = { 'delay', ms }
  emit(out, 'backoff', { delay = ms, attempt = r.attempt, reason = r.reason, refused = refused })
end

-- The policy's answer to the end in r.exit.
local function by_policy(r, event, out)
  local what, detail = backoff.decide(r.policy, {
    success = r.exit.success,
    uptime = r.exit.uptime,
    attempt = r.attempt,
    random = event.random or 0.5,
    reason = r.reason,
  })
  if what == 'restart' then
    r.attempt = r.attempt + 1
    r.restarting = 'policy'
    delay(r, detail, out)
  elseif what == 'completed' then
    completed(r, detail, out)
  else
    M.failed(r, detail, event, out)
  end
end

-- A verdict of a hook, a policy function or on_unhealthy that restarts.
local function by_restart(r, verdict, event, out)
  if verdict.count ~= false then
    local limited = r.status ~= 'failed' and r.policy.policy ~= 'function'
    if limited and backoff.exhausted(r.policy, r.attempt) then
      return M.failed(r, backoff.gave_up(r.reason, r.attempt), event, out)
    end
    r.attempt = r.attempt + 1
  end
  local ms = verdict.after
    or backoff.delay(r.policy, math.max(1, r.attempt), event.random or 0.5)
  r.restarting = 'hook'
  delay(r, ms, out)
end

local function crashed(r, why, event, out)
  local verdict = r.verdict
  to(r, 'backoff', why)
  emit(out, 'crashed', { reason = why, attempt = r.attempt })
  if verdict then
    by_restart(r, verdict, event, out)
  elseif event.ask or r.policy.policy == 'function' then
    ask(r, 'crashed', out)
  else
    by_policy(r, event, out)
  end
end

-- Ended as asked: stops, or begins again.
local function stopped(r, out)
  if r.again and r.want == 'up' then
    to(r, 'waiting', r.reason)
    r.started = false
  else
    to(r, 'stopped', r.reason)
    emit(out, 'stopped', { reason = r.reason })
  end
end

local function ended_unwanted(r, why, out)
  if r.exit.success then
    completed(r, why, out)
  else
    to(r, 'stopped', why)
    emit(out, 'stopped', { reason = why })
  end
end

---The leader has ended: what is left of it is being swept.
function M.exited(r, event, out)
  r.live, r.pid, r.health = 'ended', nil, r.probed and 'unknown' or 'none'
  local success = event.code ~= nil and r.success[event.code] or false
  r.exit = { code = event.code, signal = event.signal, uptime = event.uptime or 0, success = success }
  local why = reason.exit(event)
  if r.status == 'stopping' then
    if r.cause == 'crash' then
      r.exit.success = false
      crashed(r, r.reason, event, out)
    elseif r.cause == 'fail' then
      M.failed(r, r.reason, event, out)
    elseif event.grace then
      r.reason = ('%s, %s'):format(r.reason, reason.overdue(event.grace))
    end
  elseif r.want == 'down' then
    ended_unwanted(r, why, out)
  elseif not success then
    crashed(r, why, event, out)
  elseif r.policy.policy == 'function' then
    to(r, 'backoff', why)
    ask(r, 'ended', out)
  else
    r.reason = why
    by_policy(r, event, out)
  end
end

---Nothing is left of a service that is stopping.
function M.swept(r, _, out)
  r.live = nil
  stopped(r, out)
end

---It could not be started.
function M.start_failed(r, event, out)
  r.live, r.pid = nil, nil
  if r.status == 'stopping' and r.cause ~= 'crash' and r.cause ~= 'fail' then
    return stopped(r, out)
  elseif r.want == 'down' then
    to(r, 'stopped', event.reason)
    return emit(out, 'stopped', { reason = event.reason })
  end
  r.exit = { uptime = 0, success = false, step = event.step, errno = event.code }
  if r.status == 'starting' and backoff.passes(event.code) then
    r.refused = (r.refused or 0) + 1
    to(r, 'backoff', event.reason)
    return delay(r, backoff.delay(r.policy, r.refused, event.random or 0.5), out, r.refused)
  end
  M.failed(r, event.reason or r.reason, event, out)
end

---The edge to unhealthy, or further failures after it.
function M.unhealthy(r, event, out)
  r.complaint = event.reason
  if r.want == 'down' then return end
  if event.ask then
    ask(r, event.edge and 'unhealthy' or 'health_check_failed', out)
  elseif r.restart_when_unhealthy then
    M.restart_unhealthy(r, nil, out)
  end
end

---Ends a living service so that it counts as a crash.
function M.restart_unhealthy(r, verdict, out)
  r.status, r.reason = 'stopping', 'unhealthy: ' .. (r.complaint or 'by a hook')
  r.cause, r.again, r.asked, r.verdict = 'crash', false, nil, verdict
  out[#out + 1] = { 'halt' }
end

local function of_alive(r, verdict, asked, out)
  if r.want == 'down' then return end
  if asked == 'unhealthy' and not verdict then
    return ask(r, 'health_check_failed', out)
  end
  if verdict and verdict.action == 'fail' then
    r.status, r.reason, r.cause = 'stopping', verdict.reason or r.complaint, 'fail'
    out[#out + 1] = { 'halt' }
  elseif verdict and verdict.action == 'restart' then
    M.restart_unhealthy(r, verdict, out)
  elseif not verdict and r.restart_when_unhealthy then
    M.restart_unhealthy(r, nil, out)
  end
end

-- Its policy function gave no delay.
local function declined(r, event, out)
  if r.exit.success then
    completed(r, r.reason, out)
  else
    M.failed(r, r.reason, event, out)
  end
end

local function of_crashed(r, verdict, event, out)
  if not verdict then
    if r.policy.policy == 'function' and not event.fallback then return declined(r, event, out) end
    by_policy(r, event, out)
  elseif verdict.action == 'restart' then
    by_restart(r, verdict, event, out)
  elseif verdict.action == 'ignore' then
    r.want = 'down'
    to(r, 'stopped', r.reason)
    emit(out, 'stopped', { reason = r.reason })
  else
    M.failed(r, verdict.reason or r.reason, event, out)
  end
end

---What the hooks answered to what was asked; without `verdict` the policy decides.
function M.verdict(r, event, out)
  local asked, verdict = r.asked, event.verdict
  if not asked then
    return
  end
  r.asked = nil
  if r.status == 'starting' or r.status == 'running' then
    of_alive(r, verdict, asked, out)
  elseif r.status == 'backoff' then
    of_crashed(r, verdict, event, out)
  elseif r.status == 'failed' and verdict then
    if verdict.action == 'restart' then
      if r.want == 'up' then by_restart(r, verdict, event, out) end -- else it was stopped while hooks thought
    elseif verdict.reason then
      r.reason = verdict.reason
    end
  end
end

return M
