--- Calls a service at its times: every so often, or when its line of cron says. Never two runs at once.

local reason = require 'pact.supervise.reason'

local M = {}

-- The wall clock may jump and the machine may sleep: it is looked at no less often.
local LOOK_MS = 10000
-- A call that comes later than this was missed.
local LATE_MS = 60000
-- Clocks set back further than this begin anew; less is a correction, and nothing runs twice.
local CORRECTION_MS = 3 * 3600000
local COUNTED = 10000

---@class schedule_state
---@field due integer `every`: monotonic ms; `cron`: wall ms
---@field missed integer calls that could not be followed since the last one that was
---@field timer? integer

local BUSY = {
  starting = 'the last one is still running', running = 'the last one is still running',
  stopping = 'the last one is being stopped', backoff = 'the last one is to be restarted',
}
local CALLABLE = { idle = true, completed = true, failed = true, stopped = true }

local function tell(sup, node, count, why)
  sup:emit(node, 'missed', { reason = why, count = count })
end

-- What only a line of cron needs is loaded for the first one.
local function next_due(plan, wall)
  local at = require('pact.base.cron').next(plan.spec, plan.zone, wall // 1000)
  return at and at * 1000 or math.maxinteger
end

---Its time has come: it runs, or what it does instead is told.
local function call(sup, node)
  local r, plan = node.record, node.schedule
  if CALLABLE[r.status] or r.status == 'waiting' and not r.called then
    if plan.missed > 1 then
      tell(sup, node, plan.missed, ('%d runs were missed while the last one went on'):format(plan.missed))
    end
    plan.missed = 0
    return sup:feed(node, { name = 'call', by = 'schedule' })
  end
  plan.missed = plan.missed + 1
  if plan.missed > 1 then return end
  tell(sup, node, 1, 'a run was missed: ' .. (BUSY[r.status] or sup:snapshot(node.id).reason))
end

---------------------------------------------------------------------------------------------------
-- Every so often: on the monotonic clock.

local arm

local function tick_every(sup, node)
  local plan, now, every = node.schedule, sup.sys.time.now(), node.service.schedule.every
  if now >= plan.due then
    plan.due = plan.due + every * ((now - plan.due) // every + 1)
    call(sup, node)
  end
  arm(sup, node, plan.due - now)
end

---------------------------------------------------------------------------------------------------
-- By cron: on the wall clock.

-- How often it should have run since `due`, that one included.
local function count_due(plan, now)
  local count, at = 1, plan.due
  while count < COUNTED do
    at = next_due(plan, at)
    if at > now then break end
    count = count + 1
  end
  return count
end

local function catch_up(sup, node, now)
  local plan = node.schedule
  local late, count = now - plan.due, count_due(plan, now)
  plan.due = next_due(plan, now)
  if late >= LATE_MS then
    tell(sup, node, count, ('%s missed while the clock jumped or the machine slept; one makes up for %s'):format(
      count == 1 and 'a run was' or count .. ' runs were', count == 1 and 'it' or 'them'))
  end
  call(sup, node)
end

local function tick_cron(sup, node)
  local plan, now = node.schedule, sup.sys.time.wall()
  if now < plan.seen - CORRECTION_MS then plan.due = next_due(plan, now) end
  plan.seen = now
  if now >= plan.due then catch_up(sup, node, now) end
  arm(sup, node, math.min(plan.due - now, LOOK_MS))
end

---------------------------------------------------------------------------------------------------

local function tick(sup, node)
  if node.service.schedule.every then tick_every(sup, node) else tick_cron(sup, node) end
end

function arm(sup, node, ms)
  local plan = node.schedule
  if not plan or plan.over then return end
  plan.timer = sup.sched:after(math.max(1, ms), function() tick(sup, node) end)
end

-- later: the first run of `every` comes when its time has passed, not at once
local function begin(sup, node, later)
  local given = node.service.schedule
  local plan = { missed = 0 }
  node.schedule = plan
  if given.every then
    plan.due = sup.sys.time.now() + given.every
    if not later then call(sup, node) end
    return arm(sup, node, given.every)
  end
  local zone = require 'pact.base.zone'
  plan.spec = assert(require('pact.base.cron').parse(given.cron))
  plan.zone = given.tz and zone.load(sup.sys.fs, given.tz) or zone.here(sup.sys.fs, sup.opts.environment)
  plan.seen = sup.sys.time.wall()
  plan.due = next_due(plan, plan.seen)
  arm(sup, node, math.min(plan.due - plan.seen, LOOK_MS))
end

local function finish(sup, node)
  node.schedule.over = true
  sup.sched:cancel(node.schedule.timer)
  node.schedule = nil
end

---What is wanted of it may have changed.
---@param node node
function M.look(sup, node)
  local wanted = node.record.want == 'up' and not sup.down
  if wanted and not node.schedule then
    begin(sup, node)
  elseif not wanted and node.schedule then
    finish(sup, node)
  end
end

---Its service is another: other times count from now on.
---@param node node
---@param before? table its schedule until now
function M.renew(sup, node, before)
  local now = node.service.schedule
  local same = before and now and before.every == now.every and before.cron == now.cron and before.tz == now.tz
  if same then return end
  if node.schedule then finish(sup, node) end
  if now and node.record.want == 'up' and not sup.down then begin(sup, node, true) end
end

---@param node node
---@return integer? ms until it is called the next time
function M.next_in(sup, node)
  local plan = node.schedule
  if not plan or plan.due == math.maxinteger then return nil end
  local now = plan.spec and sup.sys.time.wall() or sup.sys.time.now()
  return math.max(0, plan.due - now)
end

---@param node node
---@return string? such as `next run in 3 s`
function M.words(sup, node)
  local ms = M.next_in(sup, node)
  return ms and 'next run in ' .. reason.duration(ms)
end

return M
