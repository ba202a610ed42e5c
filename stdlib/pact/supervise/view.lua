--- What anyone may see of a service: copies, with words for people.

local backoff = require 'pact.supervise.backoff'
local deps = require 'pact.supervise.deps'
local reason = require 'pact.supervise.reason'

local M = {}

local LIVING = { starting = true, running = true, stopping = true }

local function copy(map)
  local out = {}
  for key, value in pairs(map or {}) do out[key] = type(value) == 'table' and copy(value) or value end
  return out
end

---The exits of a service, oldest first.
---@param node node
---@return service_exit[]
function M.history(node)
  return copy(node.history)
end

---@return string[] one line for each unmet dependency
local function waiting_for(node, now)
  local lines = {}
  for _, link in ipairs(deps.unmet(node)) do lines[#lines + 1] = deps.describe(link, now) end
  return lines
end

local function reason_of(sup, node, lines, now)
  local r = node.record
  if r.status == 'waiting' and not r.called then
    return node.schedule and require('pact.supervise.schedule').words(sup, node) or r.reason
  elseif r.status == 'waiting' then
    if lines[1] then return 'waiting for ' .. table.concat(lines, ', ') end
    if r.live then return 'waiting until what is left of its last run is gone' end
    return sup.starting > 0 and 'waiting for its turn to start' or r.reason
  elseif r.status == 'starting' and not r.task then
    if node.said then return 'not ready: ' .. node.said end
    local last = node.last_ready or node.last_probe
    if last then return 'not ready: ' .. last.reason end
    local decides = node.monitors[1]
    if decides then return 'not ready: ' .. decides.count.last end
  elseif r.asked and r.status == 'backoff' then
    return r.reason .. ', waiting for hooks'
  elseif r.status == 'running' and r.health == 'unhealthy' then
    return r.complaint or r.reason
  elseif r.status == 'running' and node.said then
    return node.said
  elseif r.status == 'stopping' and node.job and node.job.grace then
    return ('%s; KILL in %s'):format(r.reason, reason.duration(math.max(0, node.job.grace_due - now)))
  end
  return r.reason
end

local function next_start(node, now)
  if node.record.status ~= 'backoff' or not node.timers.delay then return nil end
  return math.max(0, node.next_start - now)
end

---@param node node
---@return snapshot
function M.snapshot(sup, node)
  local r, service, now = node.record, node.service, sup.sys.time.now()
  local lines = r.status == 'waiting' and waiting_for(node, now) or {}
  local last = node.history[#node.history]
  return {
    id = node.id,
    display_name = service.display_name,
    kind = service.kind,
    task = service.task,
    category = service.category,
    tags = copy(service.tags),
    group = service.group,
    replica = service.replica,
    want = r.want,
    status = r.status,
    health = r.health,
    reason = node.note or reason_of(sup, node, lines, now),
    note = node.note,
    said = LIVING[r.status] and node.said or nil,
    epoch = r.epoch,
    pid = r.pid,
    exit_code = last and last.code,
    signal = last and last.signal,
    attempt = r.attempt,
    restart_count = r.restart_count,
    started_at = node.started_at,
    ready_at = node.ready_at,
    ended_at = node.ended_at,
    uptime = r.live == 'up' and not r.external and now - node.began or nil,
    next_start_in = next_start(node, now),
    next_run_in = node.schedule and require('pact.supervise.schedule').next_in(sup, node) or nil,
    watch_paused_for = node.watching and require('pact.supervise.watch').paused_for(sup, node) or nil,
    ports = copy(node.ports),
    endpoints = copy(service.endpoints),
    history = M.history(node),
    last_probe = copy(node.last_probe or node.last_ready),
    waiting_for = lines[1] and lines or nil,
  }
end

-- Who wants it: of what it is now.
local function wish_of(node)
  local wish, needed = node.wish, {}
  for _, link in ipairs(node.serves) do
    if link.from.record.want == 'up' then needed[#needed + 1] = link.from.id end
  end
  return wish and wish.want == node.record.want and wish.by or nil, needed
end

-- What the policy would do about a failure now.
local function forecast(node, now)
  local r, policy = node.record, node.service.restart
  if r.live ~= 'up' or r.want ~= 'up' or policy.policy == 'function' then return nil end
  local what, delay = backoff.decide(policy, {
    success = false, uptime = now - node.began, attempt = r.attempt, random = 0.5, reason = '',
  })
  return { policy = policy.policy, restarts = what == 'restart', delay = what == 'restart' and delay or nil }
end

---@param node node
---@return why
function M.why(sup, node)
  local r, now = node.record, sup.sys.time.now()
  local waits, blocks = {}, {}
  for _, link in ipairs(deps.unmet(node)) do
    if r.status == 'waiting' or r.status == 'skipped' then
      waits[#waits + 1] = {
        id = link.to.id, condition = link.edge.condition, text = link.blocked or deps.describe(link, now),
        since = now - node.since,
      }
    end
  end
  for _, link in ipairs(node.serves) do
    if link.from.record.status == 'waiting' and not link.met then blocks[#blocks + 1] = link.from.id end
  end
  local snapshot = M.snapshot(sup, node)
  local by, needed = wish_of(node)
  return {
    id = node.id,
    want_by = by,
    needed_by = needed,
    forecast = forecast(node, now),
    status = r.status,
    reason = snapshot.reason,
    said = snapshot.said,
    want = r.want,
    waiting_for = waits,
    blocks = blocks,
    next_start_in = snapshot.next_start_in,
    next_run_in = snapshot.next_run_in,
    watch_paused_for = snapshot.watch_paused_for,
    asked = r.asked,
    attempt = r.attempt,
    max_retries = node.service.restart.max_retries,
    history = snapshot.history,
    last_probe = next(snapshot.last_probe) and snapshot.last_probe or nil,
  }
end

return M
