--- What recipes have to say about events: which hooks there are, and who hears what. How one runs is in running.

local list = require 'pact.base.list'
local running = require 'pact.control.hooks.running'

local M = { failure = running.failure }

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
  local self = setmetatable({ context = context, own = {}, global = {} }, Hooks)
  self.runs = running.new(context, function(path) return self:place(path) end)
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

---@param task? task
---@return boolean it belongs to a hook
function Hooks.owns(_, task)
  return task ~= nil and task.owner ~= nil and task.owner.hook ~= nil
end

local function gone(hook)
  return hook.gone or running.switched_off(hook)
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
  self.runs:run(hook, event)
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
      self.runs:run(hook, event, round)
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
  local round = self.runs.rounds:open(event)
  if first then self:run_list(first, event, round) end
  if second then self:run_list(second, event, round) end
end

---Asks what hooks have to say about an event that has gone round.
---@param id string
---@param event event
---@param reply fun(verdict?: verdict): boolean?
---@return fun(): verdict?|false
function Hooks:verdict(id, event, reply)
  return self.runs.rounds:ask(id, event, reply)
end

---A task tells services to do something: of a hook whose event is about one of them, that is its verdict.
---@param task? task
---@param command string
---@param ids string[]
function Hooks:commanded(task, command, ids) self.runs:commanded(task, command, ids) end

---@return boolean hooks are under way
function Hooks:busy() return self.runs:busy() end

---Others hear from now on: those under way have been ended.
function Hooks:retire() self.runs:abandon() end

---Runs the hooks of `shutdown`; `done` when they have ended.
---@param reason string
---@param done fun()
function Hooks:before_stop(reason, done)
  local bus = self.context.bus
  self:fire { name = 'shutdown', reason = reason, at = bus.wall(), mono = bus.now() }
  self.runs:when_stopped(done)
end

return M
