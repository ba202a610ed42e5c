--- A recipe's declaring part without a network: its body runs up to its end or its first acting call.

local sched = require 'pact.base.sched'

local M = {}

local BODY_BUDGET_MS = 10000

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
  network.work = require('pact.control.work').new { sched = loop, failed = function() end, on_idle = function() end }
  return network
end

local Stopped = {}

---@param context main_context with `recipe`
---@param done fun(plan?: plan, problems: problem[], stopped?: at, recipe: recipe) stopped: where it acted first
function M.run(context, done)
  local loop = sched.new(context.sys, function(_, traceback) error(traceback, 0) end)
  local network = dry_network(context, loop)
  local launch = require('pact.control.launch').new(network, context.recipe, {})
  local stopped
  function launch.dry(at)
    stopped = at
    error(Stopped, 0)
  end
  local api = require('pact.control.recipe_api').new(network, launch)
  launch.methods = api.methods
  local recipe = launch:make_recipe(api.globals)
  api:install(recipe.api)
  context.sys.fs.chdir(context.recipe.directory)
  local body, problem = recipe:compile()
  if not body then return done(nil, { problem }, nil, recipe) end
  local function ended(ok, err, traceback)
    if not ok and not stopped then recipe:failed(err, traceback) end
    if stopped then recipe.busy = true end
    local plan, problems = require('pact.plan').build(recipe)
    done(plan, problems, stopped, recipe)
  end
  loop:spawn(function()
    local ok, err = xpcall(body, function(raised)
      return { raised = raised, traceback = raised ~= Stopped and debug.traceback('', 2) }
    end)
    ended(ok, ok or err.raised, ok or err.traceback)
  end, {
    name = 'recipe', budget = BODY_BUDGET_MS,
    on_error = function(message, traceback) ended(false, message, traceback) end,
  })
end

return M
