--- Tasks of the scheduler: coroutines that begin, wait, end, and are ended. The methods of `sched` that deal with them.

local wait = require 'pact.base.wait'

---@class sched
local Sched = {}

---@return task?
function Sched:current()
  return self.running
end

---Raises where Lua can't yield, before something is begun for which to wait.
function Sched:must_wait()
  if not self:can_wait() then wait.refuse() end
end

---@return boolean
function Sched:can_wait()
  return self.running ~= nil and coroutine.isyieldable()
end

-- A task is small, as there may be very many: what it was started with stays in `opts`.
local Task = {}
function Task.__index(task, key)
  return rawget(task, 'opts')[key]
end

local NOTHING = { name = 'task' }

---@param fn function
---@param opts? table see `sched` in meta/types.lua; kept, so that many tasks may share one
---@return task it begins at the end of this dispatch
function Sched:spawn(fn, opts, ...)
  opts = opts or NOTHING
  local task = setmetatable({
    opts = opts,
    status = 'ready',
    thread = coroutine.create(fn),
    owner = opts.owner or (self.running and self.running.owner),
    values = false, -- what it goes on with
    ticket = false, -- of what it waits for
    undo = false,
    result = nil,
  }, Task)
  if opts.group then
    opts.group.members[task] = self:next_serial()
  end
  self:ready(task, ...)
  return task
end

function Sched:ready(task, ...)
  task.status = 'ready'
  task.values = select('#', ...) > 0 and table.pack(...)
  self:post(task)
end

---Goes on with a task that was posted, unless it was ended meanwhile.
---@param task task
function Sched:go_on(task)
  if task.status ~= 'ready' then return end
  local values = task.values
  task.values = false
  if values then
    self:resume(task, table.unpack(values, 1, values.n))
  else
    self:resume(task)
  end
end

function Sched:resume(task, ...)
  local outer = self.running
  self.running, task.status = task, 'running'
  self:after_resume(task, outer, self.sys.resume(task.thread, task.budget or 0, ...))
end

function Sched:after_resume(task, outer, ok, first, ...)
  self.running = outer
  if coroutine.status(task.thread) == 'suspended' then
    if task.cancelled then
      self:stop(task)
    elseif wait.is_pause(first) then
      task.status = task.status == 'running' and 'waiting' or task.status
    else
      self:fail(task, "yielded outside a coroutine of its own: use pact's waiting calls")
    end
  elseif ok then
    self:finish(task, 'done', table.pack(first, ...))
  elseif task.cancelled then
    self:finish(task, 'cancelled', table.pack('cancelled'))
  else
    self:fail(task, first)
  end
end

function Sched:fail(task, err)
  local message = type(err) == 'string' and err or require 'pact.base.raised' (err)
  local traceback = debug.traceback(task.thread, message)
  self:guard(task.on_error or self.on_error, message, traceback, task, err)
  self:finish(task, 'failed', table.pack(message))
end

-- Its to-be-closed variables are the user's code, too: it gets no more of the processor there.
function Sched:close(task)
  local status = coroutine.status(task.thread)
  if status == 'suspended' and (task.budget or 0) > 0 then
    self.sys.resume(coroutine.create(coroutine.close), task.budget, task.thread)
  elseif status ~= 'running' then
    coroutine.close(task.thread)
  end
end

function Sched:finish(task, status, result)
  task.status, task.result = status, result
  task.ticket, task.undo = false, false
  self:close(task)
  if task.group then
    task.group.members[task] = nil
  end
  if status == 'done' and task.on_done then
    self:guard(task.on_done, table.unpack(result, 1, result.n))
  end
  if task.on_end then
    self:guard(task.on_end, status, task)
  end
  for _, wake in ipairs(task.joiners or NOTHING) do
    wake(status == 'done', table.unpack(result, 1, result.n))
  end
end

---Ends a task where it waits. The one that runs is ended at its next wait.
---@param task task
function Sched:stop(task)
  if task.status == 'done' or task.status == 'failed' or task.status == 'cancelled' then
    return
  end
  task.cancelled = true
  if task.status == 'running' and coroutine.status(task.thread) ~= 'suspended' then
    return
  end
  self:undo(task)
  self:finish(task, 'cancelled', table.pack('cancelled'))
end

-- Takes back what it waits for: a timer of its own, or what a function undoes.
function Sched:undo(task)
  local undo = task.undo
  task.ticket, task.undo = false, false
  if math.type(undo) == 'integer' then
    self:cancel(undo)
  elseif undo then
    self:guard(undo)
  end
end

-- The task that is about to wait.
function Sched:waiting()
  local task = self.running
  if not task or not coroutine.isyieldable() then
    wait.refuse()
  elseif task.cancelled then
    error('cancelled', 0)
  end
  return task
end

---The one primitive of waiting. `arm(wake)` arranges that `wake(...)` will be called and may return a
---function that undoes it; what `wake` gets is returned here.
---@param arm fun(wake: fun(...)): function?
function Sched:suspend(arm)
  local task = self:waiting()
  local function wake(...)
    if task.ticket == wake then
      task.ticket, task.undo = false, false
      self:ready(task, ...)
    end
  end
  task.ticket = wake
  task.undo = arm(wake) or false
  return self:resumed(task, wait.pause())
end

function Sched:resumed(task, granted, ...)
  if granted then
    return ...
  end
  self:undo(task)
  wait.refuse()
end

---The same for time alone, without a function for each: very many may sleep.
---@param ms integer
function Sched:sleep(ms)
  local task = self:waiting()
  local id = self.sys.time.after(ms)
  self.handlers[id] = task
  task.ticket, task.undo = id, id
  return self:resumed(task, wait.pause())
end

---The timer of one that sleeps has fired.
function Sched:slept(task, id)
  self.handlers[id] = nil
  if task.ticket == id then
    task.ticket, task.undo = false, false
    self:ready(task)
  end
end

---Waits for the next event of a sys id.
---@param id integer
---@param timeout? integer
---@return string kind 'timeout' when none came: the operation is cancelled then
---@return any ...
function Sched:await(id, timeout)
  return self:suspend(function(wake)
    local timer
    self:on(id, function(...)
      self:off(id)
      self:cancel(timer)
      wake(...)
    end)
    timer = timeout
      and self:after(timeout, function()
        self:cancel(id)
        wake 'timeout'
      end)
    return function()
      self:cancel(timer)
      self:cancel(id)
    end
  end)
end

---Waits for a task's end.
---@param task task
---@param timeout? integer
---@return boolean? ok true and its results; false and a message; nil, 'timeout'
function Sched:join(task, timeout)
  if task.result then
    return task.status == 'done', table.unpack(task.result, 1, task.result.n)
  end
  return self:suspend(function(wake)
    local timer = timeout and self:after(timeout, function()
      wake(nil, 'timeout')
    end)
    task.joiners = rawget(task, 'joiners') or {}
    task.joiners[#task.joiners + 1] = function(...)
      self:cancel(timer)
      wake(...)
    end
    return function()
      self:cancel(timer)
    end
  end)
end

return Sched
