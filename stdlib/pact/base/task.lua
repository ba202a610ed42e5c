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

---@param fn function
---@param opts? table see `sched` in meta/types.lua
---@return task it begins at the end of this dispatch
function Sched:spawn(fn, opts, ...)
  opts = opts or {}
  local task = {
    name = opts.name or 'task',
    status = 'ready',
    serial = self:next_serial(),
    thread = coroutine.create(fn),
    group = opts.group,
    owner = opts.owner or (self.running and self.running.owner),
    budget = opts.budget or 0,
    on_error = opts.on_error,
    on_done = opts.on_done,
    on_end = opts.on_end,
    joiners = {},
  }
  if task.group then
    task.group.members[task] = true
  end
  self:ready(task, table.pack(...))
  return task
end

function Sched:ready(task, values)
  task.status = 'ready'
  self:post(function()
    if task.status == 'ready' then
      self:resume(task, table.unpack(values, 1, values.n))
    end
  end)
end

function Sched:resume(task, ...)
  local outer = self.running
  self.running, task.status = task, 'running'
  local answer = table.pack(self.sys.resume(task.thread, task.budget, ...))
  self.running = outer
  self:after_resume(task, answer)
end

function Sched:after_resume(task, answer)
  if coroutine.status(task.thread) == 'suspended' then
    if task.cancelled then
      self:stop(task)
    elseif wait.is_pause(answer[2]) then
      task.status = task.status == 'running' and 'waiting' or task.status
    else
      self:fail(task, "yielded outside a coroutine of its own: use pact's waiting calls")
    end
  elseif answer[1] then
    self:finish(task, 'done', table.pack(table.unpack(answer, 2, answer.n)))
  elseif task.cancelled then
    self:finish(task, 'cancelled', table.pack('cancelled'))
  else
    self:fail(task, answer[2])
  end
end

local function words(err)
  if type(err) == 'table' and type(err.message) == 'string' then
    return err.message
  end
  local ok, text = pcall(tostring, err)
  return ok and text or 'an error that has no text'
end

function Sched:fail(task, err)
  local message = words(err)
  local traceback = debug.traceback(task.thread, message)
  self:guard(task.on_error or self.on_error, message, traceback, task, err)
  self:finish(task, 'failed', table.pack(message))
end

-- Its to-be-closed variables are the user's code, too: it gets no more of the processor there.
function Sched:close(task)
  local status = coroutine.status(task.thread)
  if status == 'suspended' and task.budget > 0 then
    self.sys.resume(coroutine.create(coroutine.close), task.budget, task.thread)
  elseif status ~= 'running' then
    coroutine.close(task.thread)
  end
end

function Sched:finish(task, status, result)
  task.status, task.result = status, result
  task.ticket, task.undo = nil, nil
  self:close(task)
  if task.group then
    task.group.members[task] = nil
  end
  if status == 'done' and task.on_done then
    self:guard(task.on_done, table.unpack(result, 1, result.n))
  end
  if task.on_end then
    self:guard(task.on_end, status)
  end
  for _, wake in ipairs(task.joiners) do
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
  local undo = task.undo
  task.ticket, task.undo = nil, nil
  if undo then
    self:guard(undo)
  end
  self:finish(task, 'cancelled', table.pack('cancelled'))
end

---The one primitive of waiting. `arm(wake)` arranges that `wake(...)` will be called and may return a
---function that undoes it; what `wake` gets is returned here.
---@param arm fun(wake: fun(...)): function?
function Sched:suspend(arm)
  local task = self.running
  if not task or not coroutine.isyieldable() then
    wait.refuse()
  elseif task.cancelled then
    error('cancelled', 0)
  end
  local ticket = {}
  task.ticket = ticket
  task.undo = arm(function(...)
    if task.ticket == ticket then
      task.ticket, task.undo = nil, nil
      self:ready(task, table.pack(...))
    end
  end)
  return self:resumed(task, wait.pause())
end

function Sched:resumed(task, granted, ...)
  if granted then
    return ...
  end
  local undo = task.undo
  task.ticket, task.undo = nil, nil
  if undo then
    undo()
  end
  wait.refuse()
end

---@param ms integer
function Sched:sleep(ms)
  self:suspend(function(wake)
    local id = self:after(ms, wake)
    return function()
      self:cancel(id)
    end
  end)
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
