--- A hook under way: a function or a script file as a task of its own. What it raises is the event `hook_failed`, what
-- it gives back a verdict.

local fail = require 'pact.base.fail'
local list = require 'pact.base.list'
local rounds = require 'pact.control.hooks.rounds'
local verdicts = require 'pact.control.hooks.verdicts'

local M = {}

local BUDGET_MS = 250

---@class hook_runs
local Runs = {}
Runs.__index = Runs

---One run of a hook.
---@class hook_run
---@field hook hook
---@field service? string
---@field event? event where it is told
---@field began? integer monotonic ms
---@field round? round
---@field ended? boolean
---@field ms? integer
---@field verdict? verdict
---@field command? string what it told the service of its event to do
---@field cancelled? boolean it was ended with the network

---@param context hooks_context
---@param place fun(path: string): at
---@return hook_runs
function M.new(context, place)
  local self = setmetatable({ context = context, place = place, scripts = {}, stopping = {}, count = 0 }, Runs)
  self.options = self:task_options()
  self.rounds = rounds.new {
    told = function(run, used, why)
      self:told(run, used, why)
    end,
    again = function(run, round)
      self:run(run.hook, run.event, round)
    end,
    post = function(fn)
      context.sched:post(fn)
    end,
  }
  return self
end

---A script's function, loaded again when the file has changed.
---@return function?, problem?
function Runs:script(path)
  if path:sub(1, 1) ~= '/' then path = self.context.directory .. '/' .. path end
  local stat, message = self.context.fs.stat(path)
  if not stat then return nil, { at = self.place(path), message = message } end
  local known = self.scripts[path]
  if known and known.mtime == stat.mtime and known.size == stat.size then return known.fn end
  local fn, problem = self.context.compile(path)
  if not fn then return nil, problem end
  self.scripts[path] = { fn = fn, mtime = stat.mtime, size = stat.size }
  return fn
end

local function place(message)
  local file, line = message:match '^([^\n:]+):(%d+): '
  return file, math.tointeger(line), file and message:match '^[^\n:]+:%d+: (.*)$' or message
end

---The event that tells of a function of the recipe's that failed.
---@param what string the hook's event, or what called the function
---@param message string
---@param traceback? string
---@param service? string
---@return table
function M.failure(what, message, traceback, service)
  local file, line, rest = place(message)
  traceback = traceback and fail.bare_traceback(traceback, message)
  return {
    name = 'hook_failed', service = service, hook = what, file = file, line = line, message = rest, reason = rest,
    traceback = traceback,
  }
end

-- A hook of hook_failed that fails is told no further: there would be no end to it.
function Runs:failed(run, message, traceback, at)
  local name = run.hook.event
  if name == 'hook_failed' then return end
  local failure = M.failure(name, message, traceback, run.service)
  if not failure.file or at then
    at = at or run.hook.at
    failure.file, failure.line = at.file, at.line
  end
  self.context.bus:emit(failure)
end

---Tells that a hook has ended, how long it took, and what became of its verdict.
---@param run hook_run
---@param used? boolean
---@param why? string who overruled it
function Runs:told(run, used, why)
  local hook = run.hook
  if not run.service then return end
  local verdict = run.verdict and tostring(run.verdict)
  if run.command then verdict = ('%s by command'):format(run.command) end
  self.context.bus:emit {
    name = 'hook_ended', service = run.service, epoch = run.event.epoch, hook = hook.event, of = run.event.seq,
    file = hook.at.file, line = hook.at.line, ms = run.ms, verdict = verdict, used = used, overruled = why,
    cancelled = run.cancelled,
  }
end

---@param hook hook
---@return boolean? its declaration was taken back
function M.switched_off(hook)
  return hook.declared and hook.declared.off
end

-- What a hook's task begins with: one that was switched off since the event doesn't run.
local function body(hook, fn, ...)
  if not M.switched_off(hook) then return fn(...) end
end

function Runs:ended(run, value)
  if not run.hook.untold then
    run.ended, run.ms = true, self.context.now() - run.began
  end
  if value ~= nil and not run.command then
    local wrong = verdicts.wrong(run.hook.event, value)
    if wrong then
      self:failed(run, wrong, nil, run.hook.at)
    elseif verdicts.is(value) then
      run.verdict = value
    end
  end
  if run.round then
    self.rounds:ended(run)
  elseif not run.hook.untold then
    self:told(run)
  end
end

-- One fewer that runs.
function Runs:left(run)
  self.count = self.count - 1
  local hook = run.hook
  if hook.filter then hook.under_way = hook.under_way - 1 end
  self.stopping[run] = nil
  if self.stopped and not next(self.stopping) then self.stopped() end
  if self.count == 0 and self.context.on_idle then self.context.on_idle() end
end

-- What all tasks of hooks have in common: there may be very many, so they share it.
function Runs:task_options()
  return {
    name = 'hook',
    budget = BUDGET_MS,
    group = self.context.group,
    on_error = function(message, traceback, task)
      self:failed(task.owner, message, traceback)
    end,
    on_end = function(status, task)
      local run = task.owner
      run.cancelled = status == 'cancelled' or nil
      self:ended(run, status == 'done' and task.result[1] or nil)
      self:left(run)
    end,
  }
end

-- What one is given it may change; an event of the user's own is theirs to change.
local function shown(event)
  return event.name:find(':', 1, true) and event or list.copy(event)
end

-- Of hooks that are not told of, there may be very many.
function Runs:new_run(hook, event, round)
  if hook.untold then return { hook = hook, service = event.service } end
  return { hook = hook, service = event.service, event = event, began = self.context.now(), round = round }
end

---@param hook hook
---@param event event
---@param round? round in which it may decide
function Runs:run(hook, event, round)
  local run = self:new_run(hook, event, round)
  if round then round.runs[#round.runs + 1] = run end
  self.count = self.count + 1
  hook.runs, hook.ran_at = (hook.runs or 0) + 1, self.context.now()
  if hook.filter then hook.under_way = (hook.under_way or 0) + 1 end
  local fn, problem = hook.fn, nil
  if type(fn) == 'string' then fn, problem = self:script(fn) end
  if fn then
    local service = run.service and self.context.handle(run.service)
    if hook.event == 'shutdown' then self.stopping[run] = true end
    self.context.sched:spawn(body, self.options, hook, fn, service, shown(event)).owner = run
    return
  end
  self:failed(run, problem.message, nil, problem.at)
  self:ended(run)
  self:left(run)
end

---A task tells services to do something: of a hook whose event is about one of them, that is its verdict.
---@param task? task
---@param command string
---@param ids string[]
function Runs:commanded(task, command, ids)
  local run = task and task.owner
  if not run or not run.round or run.ended then return end
  if not list.index(ids, run.service) then return end
  run.ms = self.context.now() - run.began
  self.rounds:commanded(run, command)
end

---@return boolean hooks are under way
function Runs:busy() return self.count > 0 end

---Nobody is waited for any more, and no verdict is heard.
function Runs:abandon()
  self.context.on_idle = nil
  self.rounds:abandon()
end

---@param done fun() the hooks of `shutdown` have ended
function Runs:when_stopped(done)
  if not next(self.stopping) then return done() end
  self.stopped = function()
    self.stopped = nil
    done()
  end
end

return M
