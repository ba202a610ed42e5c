--- Runs what recipes have to say about events: functions and script files, each as a task of its own.
-- An error in one is the event `hook_failed` and touches nothing else.

local list = require 'pact.base.list'
local rounds = require 'pact.control.rounds'
local verdicts = require 'pact.control.verdicts'

local M = {}

local BUDGET_MS = 250

-- Events that come too often for each hook's run to be told, and what is told of hooks themselves.
local UNTOLD = { probe = true, line = true, metrics = true, hook_failed = true, hook_ended = true }

---@class hooks
local Hooks = {}
Hooks.__index = Hooks

---@class hook
---@field event string
---@field fn function|string a string is a script's path
---@field at at
---@field once? boolean
---@field gone? boolean

---One run of a hook.
---@class hook_run
---@field hook hook
---@field at at
---@field event event
---@field began integer monotonic ms
---@field round? round
---@field ended? boolean
---@field ms? integer
---@field verdict? verdict
---@field command? string what it told the service of its event to do

---@class hooks_context
---@field sched sched
---@field bus bus
---@field fs sys.fs
---@field now fun(): integer
---@field handle fun(id: string): any what functions get for a service
---@field compile fun(path: string): function?, problem? a script file, in the recipe's environment
---@field place? fun(fn: function): at? where a function of the recipe is written
---@field directory string from which their paths are taken
---@field group? task_group what hooks are ended with
---@field on_idle? fun() no hook runs any more

---@param context hooks_context
---@return hooks
function M.new(context)
  local self = setmetatable({
    context = context, own = {}, global = {}, scripts = {}, stopping = {}, running = 0,
  }, Hooks)
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

-- Where a hook is written; a script's is its first line.
function Hooks:place(fn, declared)
  if type(fn) == 'string' then
    local below = self.context.directory .. '/'
    return { file = fn:sub(1, #below) == below and fn:sub(#below + 1) or fn, line = 1 }
  end
  return self.context.place and self.context.place(fn) or declared or { file = '?', line = 0 }
end

---@param event string
---@param fn function|string
---@param opts? { once?: boolean, service?: string, at?: at }
---@return hook
function Hooks:add(event, fn, opts)
  opts = opts or {}
  local hook = { event = event, fn = fn, once = opts.once, at = self:place(fn, opts.at) }
  local into = self.global
  if opts.service then
    into = self.own[opts.service] or {}
    self.own[opts.service] = into
  end
  local hooks = into[hook.event] or {}
  hooks[#hooks + 1] = hook
  into[hook.event] = hooks
  return hook
end

---@param service service
function Hooks:add_service(service)
  for event, fn in list.sorted(service.on or {}) do
    self:add(event, fn, { service = service.id, at = service.at })
  end
end

---@param plan plan
function Hooks:add_plan(plan)
  for _, id in ipairs(plan.order) do self:add_service(plan.services[id]) end
  for _, hook in ipairs(plan.hooks or {}) do self:add_declared(hook) end
end

---@param declared table of the plan's hooks; its `off` is seen through it
function Hooks:add_declared(declared)
  local hook = self:add(declared.event, declared.fn, { once = declared.once, at = declared.at })
  hook.declared = declared
end

---A script's function, loaded again when the file has changed.
---@return function?, problem?
function Hooks:script(path)
  if path:sub(1, 1) ~= '/' then path = self.context.directory .. '/' .. path end
  local stat, message = self.context.fs.stat(path)
  if not stat then return nil, { at = self:place(path), message = message } end
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

---@return boolean hooks are under way
function Hooks:busy()
  return self.running > 0
end

---The event that tells of a function of the recipe's that failed.
---@param what string the hook's event, or what called the function
---@param message string
---@param traceback? string
---@param service? string
---@return table
function M.failure(what, message, traceback, service)
  local file, line, rest = place(message)
  if traceback and traceback:sub(1, #message) == message then
    traceback = traceback:sub(#message + 1):gsub('^\n', '')
  end
  return {
    name = 'hook_failed', service = service, hook = what, file = file, line = line, message = rest, reason = rest,
    traceback = traceback,
  }
end

-- A hook of hook_failed that fails is told no further: there would be no end to it.
function Hooks:failed(run, message, traceback, at)
  local event = run.event
  if event.name == 'hook_failed' then return end
  local failure = M.failure(event.name, message, traceback, event.service)
  if not failure.file or at then
    at = at or run.at
    failure.file, failure.line = at.file, at.line
  end
  self.context.bus:emit(failure)
end

---Tells that a hook has ended, how long it took, and what became of its verdict.
---@param run hook_run
---@param used? boolean
---@param why? string who overruled it
function Hooks:told(run, used, why)
  local event = run.event
  if not event.service or UNTOLD[event.name] or event.name:find(':', 1, true) then return end
  local verdict = run.verdict and tostring(run.verdict)
  if run.command then verdict = ('%s by command'):format(run.command) end
  self.context.bus:emit {
    name = 'hook_ended', service = event.service, epoch = event.epoch, hook = event.name, of = event.seq,
    file = run.at.file, line = run.at.line, ms = run.ms, verdict = verdict, used = used, overruled = why,
  }
end

local function switched_off(hook)
  return hook.declared and hook.declared.off
end

---What a hook's task begins with: one that was switched off since the event doesn't run.
---@return function?, problem?
function Hooks:body(hook)
  local fn = hook.fn
  if type(fn) == 'string' then
    local problem
    fn, problem = self:script(fn)
    if not fn then return nil, problem end
  end
  return function(...)
    if not switched_off(hook) then return fn(...) end
  end
end

function Hooks:ended(run, value)
  run.ended, run.ms = true, self.context.now() - run.began
  if not run.command then
    local wrong = verdicts.wrong(run.event.name, value)
    if wrong then
      self:failed(run, wrong, nil, run.at)
    elseif verdicts.is(value) then
      run.verdict = value
    end
  end
  if run.round then self.rounds:ended(run) else self:told(run) end
end

-- One fewer that runs.
function Hooks:left(run)
  self.running = self.running - 1
  if run.task then self.stopping[run.task] = nil end
  if self.stopped and not next(self.stopping) then self.stopped() end
  if self.running == 0 and self.context.on_idle then self.context.on_idle() end
end

function Hooks:begin(run, fn)
  local event = run.event
  run.task = self.context.sched:spawn(fn, {
    name = 'hook ' .. event.name,
    budget = BUDGET_MS,
    owner = run,
    group = self.context.group,
    on_done = function(value)
      self:ended(run, value)
    end,
    on_error = function(message, traceback)
      self:failed(run, message, traceback)
      self:ended(run)
    end,
    on_end = function()
      self:left(run)
    end,
  }, event.service and self.context.handle(event.service), list.copy(event))
  if event.name == 'shutdown' then self.stopping[run.task] = true end
end

function Hooks:run(hook, event, round)
  local run = { hook = hook, at = hook.at, event = event, began = self.context.now(), round = round }
  if round then round.runs[#round.runs + 1] = run end
  self.running = self.running + 1
  local fn, problem = self:body(hook)
  if fn then return self:begin(run, fn) end
  self:failed(run, problem.message, nil, problem.at)
  self:ended(run)
  self:left(run)
end

---A task tells services to do something: of a hook whose event is about one of them, that is its verdict.
---@param task? task
---@param command string
---@param ids string[]
function Hooks:commanded(task, command, ids)
  local run = task and task.owner
  if not run or not run.round or run.ended then return end
  if list.index(ids, run.event.service) then self.rounds:commanded(run, command) end
end

---@param task? task
---@return boolean it belongs to a hook
function Hooks.owns(_, task)
  return task ~= nil and task.owner ~= nil and task.owner.hook ~= nil
end

local function gone(hook)
  return hook.gone or switched_off(hook)
end

function Hooks:run_list(hooks, event, round)
  for _, hook in ipairs(table.move(hooks, 1, #hooks, 1, {})) do
    if not gone(hook) then
      if hook.once then hook.gone = true end
      self:run(hook, event, round)
    end
  end
  for i = #hooks, 1, -1 do
    if gone(hooks[i]) then table.remove(hooks, i) end
  end
end

---The service's own hooks first, then the others in the order of their declaration.
---@param event event
function Hooks:fire(event)
  local own = event.service and self.own[event.service]
  local first, second = own and own[event.name], self.global[event.name]
  if not first and not second then return end
  local round = self.rounds:open(event)
  if first then self:run_list(first, event, round) end
  if second then self:run_list(second, event, round) end
end

---Asks what hooks have to say about an event that has gone round.
---@param id string
---@param event event
---@param reply fun(verdict?: verdict): boolean?
---@return fun(): verdict?|false
function Hooks:verdict(id, event, reply)
  return self.rounds:ask(id, event, reply)
end

---Runs the hooks of `shutdown`; `done` when they have ended.
function Hooks:before_stop(reason, done)
  self:fire { name = 'shutdown', reason = reason }
  if not next(self.stopping) then return done() end
  self.stopped = function()
    self.stopped = nil
    done()
  end
end

return M
