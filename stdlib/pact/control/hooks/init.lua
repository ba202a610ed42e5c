--- Runs what recipes have to say about events: functions and script files, each as a task of its own.
-- An error in one is the event `hook_failed` and touches nothing else.

local fail = require 'pact.base.fail'
local list = require 'pact.base.list'
local rounds = require 'pact.control.hooks.rounds'
local verdicts = require 'pact.control.hooks.verdicts'

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
---@field untold? boolean its runs are not told
---@field runs? integer how often it ran
---@field ran_at? integer when it began last, monotonic ms
---@field filter? table of the lines it hears

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
  local hook = {
    event = event, fn = fn, once = opts.once, at = self:place(fn, opts.at),
    untold = UNTOLD[event] or event:find(':', 1, true) ~= nil,
  }
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

---@param id string of a service that has no hooks of its own any more
function Hooks:forget_service(id) self.own[id] = nil end

---@param plan plan
function Hooks:add_plan(plan)
  for _, id in ipairs(plan.order) do self:add_service(plan.services[id]) end
  for _, hook in ipairs(plan.hooks or {}) do self:add_declared(hook) end
end

---@param declared table of the plan's hooks; its `off` is seen through it
---@return hook
function Hooks:add_declared(declared)
  local hook = self:add(declared.event, declared.fn, { once = declared.once, at = declared.at })
  hook.declared, hook.filter = declared, declared.filter
  return hook
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
  traceback = traceback and fail.bare_traceback(traceback, message)
  return {
    name = 'hook_failed', service = service, hook = what, file = file, line = line, message = rest, reason = rest,
    traceback = traceback,
  }
end

-- A hook of hook_failed that fails is told no further: there would be no end to it.
function Hooks:failed(run, message, traceback, at)
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
function Hooks:told(run, used, why)
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

local function switched_off(hook)
  return hook.declared and hook.declared.off
end

-- What a hook's task begins with: one that was switched off since the event doesn't run.
local function body(hook, fn, ...)
  if not switched_off(hook) then return fn(...) end
end

function Hooks:ended(run, value)
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
function Hooks:left(run)
  self.running = self.running - 1
  local hook = run.hook
  if hook.filter then hook.under_way = hook.under_way - 1 end
  self.stopping[run] = nil
  if self.stopped and not next(self.stopping) then self.stopped() end
  if self.running == 0 and self.context.on_idle then self.context.on_idle() end
end

-- What all tasks of hooks have in common: there may be very many, so they share it.
function Hooks:task_options()
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
function Hooks:new_run(hook, event, round)
  if hook.untold then return { hook = hook, service = event.service } end
  return { hook = hook, service = event.service, event = event, began = self.context.now(), round = round }
end

function Hooks:run(hook, event, round)
  local run = self:new_run(hook, event, round)
  if round then round.runs[#round.runs + 1] = run end
  self.running = self.running + 1
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
function Hooks:commanded(task, command, ids)
  local run = task and task.owner
  if not run or not run.round or run.ended then return end
  if not list.index(ids, run.service) then return end
  run.ms = self.context.now() - run.began
  self.rounds:commanded(run, command)
end

---@param task? task
---@return boolean it belongs to a hook
function Hooks.owns(_, task)
  return task ~= nil and task.owner ~= nil and task.owner.hook ~= nil
end

local function gone(hook)
  return hook.gone or switched_off(hook)
end

local function any(hooks)
  for _, hook in ipairs(hooks or {}) do
    if not gone(hook) then return true end
  end
  return false
end

---@param name string
---@param id? string only of this service; else of any
---@return boolean somebody would hear such an event
function Hooks:hears(name, id)
  if any(self.global[name]) then return true end
  if id then return self.own[id] ~= nil and any(self.own[id][name]) end
  for _, own in pairs(self.own) do
    if any(own[name]) then return true end
  end
  return false
end

---Runs one hook, for an event that isn't for all.
---@param hook hook
---@param event table name service …
---@return boolean? false: it hears no more
function Hooks:hear(hook, event)
  if gone(hook) then return false end
  if hook.once then hook.gone = true end
  self:run(hook, event)
end

-- Forgets those that are gone.
local function clean(hooks)
  for i = #hooks, 1, -1 do
    if gone(hooks[i]) then table.remove(hooks, i) end
  end
end

function Hooks:run_list(hooks, event, round)
  local some_gone = false
  for i = 1, #hooks do -- those that come meanwhile hear the next one
    local hook = hooks[i]
    if gone(hook) then
      some_gone = true
    else
      if hook.once then hook.gone, some_gone = true, true end
      self:run(hook, event, round)
    end
  end
  if some_gone then clean(hooks) end
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

---Others hear from now on: those under way have been ended.
function Hooks:retire()
  self.context.on_idle = nil
  self.rounds:abandon()
end

---Runs the hooks of `shutdown`; `done` when they have ended.
function Hooks:before_stop(reason, done)
  local bus = self.context.bus
  self:fire { name = 'shutdown', reason = reason, at = bus.wall(), mono = bus.now() }
  if not next(self.stopping) then return done() end
  self.stopped = function()
    self.stopped = nil
    done()
  end
end

return M
