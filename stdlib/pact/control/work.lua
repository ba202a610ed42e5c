--- What runs of a recipe's besides its services: its body, hooks, timers, tasks. All of it is a group
-- that ends with the network, and what raises is told as `hook_failed`.

local M = {}

local BUDGET_MS = 250

---@class work
local Work = {}
Work.__index = Work

---@class work_options
---@field ended? fun()
---@field quiet? fun(): boolean somebody else tells of an error
---@field failed? fun(message: string, traceback: string) hears of an error instead of all
---@field owner? table of the task

---@class work_context
---@field sched sched
---@field failed fun(what: string, message: string, traceback: string)
---@field on_idle fun() nothing of it lives any more

---@param context work_context
---@return work
function M.new(context)
  return setmetatable({ context = context, group = context.sched:group(), living = 0 }, Work)
end

---Who keeps what is started here and now: a worker, where one of its tasks runs, else the network.
---@return work
function Work:here()
  local task = self.context.sched:current()
  local owner = task and task.owner
  return owner and owner.work or self
end

---Something begins that keeps the network up until `left`.
function Work:entered() self.living = self.living + 1 end

function Work:left()
  self.living = self.living - 1
  self.context.on_idle()
end

---Runs a function as a task of its own.
---@param what string who calls it, for messages
---@param fn function
---@param opts? work_options
---@return task
function Work:run(what, fn, opts, ...)
  opts = opts or {}
  self:entered()
  return self.context.sched:spawn(fn, {
    name = what, budget = BUDGET_MS, group = self.group, owner = opts.owner,
    on_error = function(message, traceback, task)
      if opts.failed then return opts.failed(message, traceback) end
      local owner = task and task.owner
      if owner and owner.hears_of then owner.hears_of(what, message) end
      if not (opts.quiet and opts.quiet()) then self.context.failed(what, message, traceback) end
    end,
    on_end = function()
      if opts.ended then opts.ended() end
      self:left()
    end,
  }, ...)
end

---Ends all that is under way. What begins afterwards isn't touched.
function Work:cancel() self.group:cancel() end

return M
