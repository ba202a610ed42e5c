--- A recipe's declaring part without a network: its body runs up to its end or its first acting call.

local sched = require 'pact.base.sched'

local M = {}

---An engine's network as far as a body that starts nothing needs one.
local function dry_network(context, loop)
  local network = {
    sys = context.sys, sched = loop, env = context.env, invocation = context.invocation,
    bus = { emit = function() end },
    log = require('pact.observe.logapi').new({
      fs = context.sys.fs, time = context.sys.time, console = function() end,
    }, require('pact.declare.variables').read(context.env).debug),
  }
  function network:say(message) context.err(message) end
  function network:notify(message) context.err(message .. '\n') end
  function network.hook_failed() end
  function network.end_at_rest() end
  return network
end

---@param context main_context with `recipe`
---@param done fun(plan?: plan, problems: problem[], stopped?: at, recipe: recipe) stopped: where it acted first
function M.run(context, done)
  local loop = sched.new(context.sys, function(_, traceback) error(traceback, 0) end)
  local one = require('pact.control.generation').new(dry_network(context, loop), context.recipe)
  context.sys.fs.chdir(context.recipe.directory)
  one:declare(function(plan, problems, stopped) done(plan, problems, stopped, one.recipe) end)
end

return M
