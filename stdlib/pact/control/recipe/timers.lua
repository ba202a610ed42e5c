--- `pact.every` and `pact.after`: functions that run by time.

local arguments = require 'pact.control.recipe.arguments'

local M = {}

---A function that runs by time, as a task of its own; the next round begins when the last has ended.
local function timer(context, value, fn, again, what)
  local ms = arguments.milliseconds(value, what)
  arguments.typed(fn, 'function', what .. ': what it runs')
  local work, sched = context.launch:here(), context.sched
  local handle, id, live = {}, nil, true
  local task = sched:current()
  local owner = task and task.owner and task.owner.output and task.owner -- who hears what it prints
  work:entered()
  context.launch.recipe.busy = true
  local function off()
    if not live then return end
    live = false
    sched:cancel(id)
    work:left()
  end
  local function round()
    work:run(what, fn, {
      owner = owner or nil,
      ended = function()
        if not live then return end
        if again and not context.network.ending then id = sched:after(ms, round, work.group) else off() end
      end,
    })
  end
  id = sched:after(ms, round, work.group)
  function handle.off() off() end
  return handle
end

---@param api table behind `pact`
---@param context table network, launch, sys, sched
function M.install(api, context)
  function api.every(value, fn) return timer(context, value, fn, true, 'pact.every') end
  function api.after(value, fn) return timer(context, value, fn, false, 'pact.after') end
end

return M
