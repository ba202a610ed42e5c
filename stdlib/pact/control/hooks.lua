--- Runs what recipes have to say about events: functions and script files, each as a task of its own.
-- An error in one is the event `hook_failed` and touches nothing else.

local list = require 'pact.base.list'

local M = {}

local BUDGET_MS = 250

---@class hooks
local Hooks = {}
Hooks.__index = Hooks

---@class hook
---@field event string
---@field fn function|string a string is a script's path
---@field once? boolean
---@field gone? boolean

---@class hooks_context
---@field sched sched
---@field bus bus
---@field fs sys.fs
---@field handle fun(id: string): any what functions get for a service
---@field environment? table globals of script files
---@field directory string from which their paths are taken
---@field on_idle? fun() no hook runs any more

---@param context hooks_context
---@return hooks
function M.new(context)
  return setmetatable({ context = context, own = {}, global = {}, scripts = {}, stopping = {}, running = 0 }, Hooks)
end

---@param event string
---@param fn function|string
---@param opts? { once?: boolean, service?: string, at?: at }
---@return hook
function Hooks:add(event, fn, opts)
  opts = opts or {}
  local hook = { event = event, fn = fn, once = opts.once, at = opts.at }
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
function Hooks:script(path)
  if path:sub(1, 1) ~= '/' then path = self.context.directory .. '/' .. path end
  local stat, message = self.context.fs.stat(path)
  if not stat then return nil, message end
  local known = self.scripts[path]
  if known and known.mtime == stat.mtime and known.size == stat.size then return known.fn end
  local source
  source, message = self.context.fs.read(path)
  if not source then return nil, message end
  local fn
  fn, message = load(source, '@' .. path, 't', self.context.environment)
  if not fn then return nil, message end
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

function Hooks:failed(hook, event, message, traceback)
  local failure = M.failure(event.name, message, traceback, event.service)
  if not failure.file and hook.at then failure.file, failure.line = hook.at.file, hook.at.line end
  self.context.bus:emit(failure)
end

local function switched_off(hook)
  return hook.declared and hook.declared.off
end

---What a hook's task begins with: one that was switched off since the event doesn't run.
function Hooks:body(hook)
  local fn = hook.fn
  if type(fn) == 'string' then
    local message
    fn, message = self:script(hook.fn)
    if not fn then return nil, message end
  end
  return function(...)
    if not switched_off(hook) then return fn(...) end
  end
end

function Hooks:run(hook, event)
  local fn, problem = self:body(hook)
  if not fn then return self:failed(hook, event, problem) end
  local task
  local function ended()
    self.running = self.running - 1
    self.stopping[task] = nil
    if self.stopped and not next(self.stopping) then self.stopped() end
    if self.running == 0 and self.context.on_idle then self.context.on_idle() end
  end
  self.running = self.running + 1
  task = self.context.sched:spawn(fn, {
    name = 'hook ' .. event.name,
    budget = BUDGET_MS,
    on_done = ended,
    on_error = function(message, traceback)
      -- A hook of hook_failed that fails is told no further: there would be no end to it.
      if event.name ~= 'hook_failed' then self:failed(hook, event, message, traceback) end
      ended()
    end,
  }, event.service and self.context.handle(event.service), event)
  if event.name == 'shutdown' then self.stopping[task] = true end
end

local function gone(hook)
  return hook.gone or switched_off(hook)
end

function Hooks:run_list(hooks, event)
  for _, hook in ipairs(table.move(hooks, 1, #hooks, 1, {})) do
    if not gone(hook) then
      if hook.once then hook.gone = true end
      self:run(hook, event)
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
  for _, name in ipairs { event.name, '*' } do
    if own and own[name] then self:run_list(own[name], event) end
    if self.global[name] then self:run_list(self.global[name], event) end
  end
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
