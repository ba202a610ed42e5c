--- Tasks that wait for a service to become something.

local fail = require 'pact.base.fail'

local M = {}

local COMING = { waiting = true, starting = true, running = true, stopping = true, backoff = true }

local GOALS = {
  started = function(r)
    return r.live == 'up' or r.status == 'completed'
  end,
  ready = function(r)
    return r.status == 'running' or (r.task and r.status == 'completed')
  end,
  healthy = function(r)
    return r.health == 'healthy'
  end,
  stopped = function(r)
    return not r.live and not COMING[r.status]
  end,
}

local CODES = { failed = 'failed', skipped = 'skipped' }

-- A stop that somebody has taken back won't come; who waits for an end that nobody has asked for waits on.
local function judge_stop(r, waiter)
  if r.want == 'down' then
    waiter.asked = true
  elseif waiter.asked then
    return nil, 'it was started again meanwhile', 'superseded'
  end
  return false
end

-- true, or nil with reason and code when it can't come any more, or false: not yet.
local function judge(r, waiter)
  if r.epoch > waiter.after and GOALS[waiter.goal](r) then return true end
  if waiter.goal == 'stopped' then return judge_stop(r, waiter) end
  if COMING[r.status] or r.asked then return false end
  return nil, r.reason, CODES[r.status] or 'ended'
end

---Wakes those whose goal is reached or lost.
---@param node node
function M.look(_, node)
  local list = node.waiters
  if not list or not list[1] then return end
  local left = {}
  for _, waiter in ipairs(list) do
    local ok, why, code = judge(node.record, waiter)
    if ok == false then
      left[#left + 1] = waiter
    else
      waiter.wake(ok, why, code)
    end
  end
  node.waiters = left
end

local function leave(node, waiter)
  for i, other in ipairs(node.waiters) do
    if other == waiter then return table.remove(node.waiters, i) end
  end
end

---Yields until the goal is reached or lost.
---@param node node
---@param goal 'started'|'ready'|'healthy'|'stopped'
---@param timeout? integer
---@param after? integer the epoch that it must have left behind
---@return true?, string?, string?
function M.wait(sup, node, goal, timeout, after)
  if not GOALS[goal] then fail.misuse(("wait: no goal '%s' (started, ready, healthy, stopped)"):format(goal)) end
  local waiter = { goal = goal, after = after or -1 }
  local ok, why, code = judge(node.record, waiter)
  if ok ~= false then return ok, why, code end
  return sup.sched:suspend(function(wake)
    local timer
    local function undo()
      sup.sched:cancel(timer)
      leave(node, waiter)
    end
    function waiter.wake(...)
      sup.sched:cancel(timer)
      wake(...)
    end
    node.waiters = node.waiters or {}
    table.insert(node.waiters, waiter)
    timer = timeout and sup.sched:after(timeout, function()
      leave(node, waiter)
      wake(nil, ('not %s in time: %s'):format(goal, node.record.reason), 'timeout')
    end)
    return undo
  end)
end

return M
