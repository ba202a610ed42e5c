--- One run of the recipe: its environment, what it declared, and what runs of it besides its services. A network has
-- one; a reload makes another, and the network goes over to it.

local fail = require 'pact.base.fail'
local handle_fields = require 'pact.control.recipe.fields'
local work = require 'pact.control.work'

local M = {}

local BODY_BUDGET_MS = 10000

---@class generation
---@field network network
---@field found found_recipe
---@field work work its timers, hooks and tasks: they end with it
---@field recipe recipe
---@field methods table<string, function> of handles
---@field lines lines what is printed in it
---@field ports free_ports
---@field waiting fun()[] tasks that act before the network runs by it
---@field dry? fun(at: at) hears of a call that acts, while nothing may be done by it
---@field over? boolean the network has gone over to another one
local Generation = {}
Generation.__index = Generation
M.class = Generation

---@param network network
---@param found found_recipe
---@param before? generation the one that the network runs by
---@return generation
function M.new(network, found, before)
  return M.init(setmetatable({}, Generation), network, found, before)
end

---@generic T: generation
---@param self T
---@param globals? fun(globals: table): table what its recipe sees besides Lua's own, of what it would see
---@return T
function M.init(self, network, found, before, globals)
  self.network, self.found, self.begun, self.waiting = network, found, false, {}
  self.work = work.new {
    sched = network.sched,
    failed = function(...) network:hook_failed(...) end,
    on_idle = function() network:end_at_rest() end,
  }
  self.ports = before and before.ports or self:make_ports()
  local api = require('pact.control.recipe').new(network, self)
  self.methods, self.lines = api.methods, api.lines
  self:make_recipe(globals and globals(api.globals) or api.globals)
  api:install(self.recipe.api)
  if network.secrets then network.secrets:follow(self.recipe.secret_values) end
  return self
end

---Where `pact.free_port` takes its ports from.
function Generation:make_ports()
  local network, found = self.network, self.found
  return require('pact.control.recipe.free_ports').new {
    fs = network.sys.fs, net = network.sys.net, live = network.sys.role == 'engine',
    warn = function(message)
      if network.sys.role == 'engine' then network:say(('pactlua: %s\n'):format(message)) end
    end,
    places = function()
      local project = network.project or require('pact.plan').project_name(self.recipe)
      return require('pact.control.statedir').places(network.sys, found.directory, project, network.env)
    end,
  }
end

---@param globals table what the recipe sees besides Lua's own
function Generation:make_recipe(globals)
  local network, found, sys = self.network, self.found, self.network.sys
  self.recipe = require('pact.declare.recipe').new {
    path = found.path, name = found.name, directory = found.directory, args = network.invocation.args,
    env = network.env, sys = sys, globals = globals, methods = self.methods,
    live = function(id, key) return handle_fields.now(network, id, key) end,
    require = function(name)
      if name ~= 'pact.sim' then return nil end
      self.recipe.busy = true -- a recipe may be a test of others
      return require(name).over(sys)
    end,
    free_port = function(name)
      return self.ports:get(name)
    end,
    added = function()
      if self.begun and not self.starting then self:added() end
    end,
    hook_on = function(hook)
      if self.begun and network.lines then network:add_hook(hook) end
    end,
  }
end

---------------------------------------------------------------------------------------------------
-- Its declaring part.

-- What a body that cannot wait is left by.
local LEFT = {}

-- The body is left where it first acts. Tasks of its own go on when the network runs by it.
local function stop_at_acting(self, ended)
  local sched = self.network.sched
  function self.dry(at)
    self.stopped = self.stopped or at
    if sched:current() ~= self.task then return self:until_live() end
    sched:post(function() ended(true) end)
    if not sched:can_wait() then error(LEFT, 0) end
    sched:suspend(function() end)
  end
end

---Runs the body up to its end, or to the first call that acts.
---@param done fun(plan?: plan, problems: problem[], stopped?: at)
function Generation:declare(done)
  local recipe, sched, over = self.recipe, self.network.sched, false
  local body, problem = recipe:compile()
  if not body then return done(nil, { problem }) end
  local function ended(ok, err, traceback)
    if over or self.over then return end
    over = true
    if not ok then recipe:failed(err, traceback) end
    if self.stopped then recipe.busy = true end
    local plan, problems = require('pact.plan').build(recipe)
    done(plan, problems, self.stopped)
  end
  stop_at_acting(self, ended)
  self.too_long = function(why) ended(false, why) end
  self.task = sched:spawn(function()
    local ok, err = xpcall(body, function(raised)
      return { raised = raised, traceback = raised ~= LEFT and debug.traceback('', 2) }
    end)
    if ok or err.raised ~= LEFT then ended(ok, ok or err.raised, ok or err.traceback) end
  end, {
    name = 'recipe', budget = BODY_BUDGET_MS, group = self.work.group,
    on_error = function(message, traceback) ended(false, message, traceback) end,
  })
end

---Waits until the network runs by this generation.
function Generation:until_live()
  if self.network.finished then error('the network has ended', 0) end
  self.network.sched:suspend(function(wake)
    self.waiting[#self.waiting + 1] = wake
  end)
end

---The first acting call of a body that starts its network ends its declaring part: see launch.
function Generation:ensure()
  if not self.network.supervisor then self:until_live() end
end

---Ids given on the command line, options that choose, profiles.
---@return selection
function Generation:selection()
  local invocation = self.network.invocation
  local options = invocation.options
  return {
    ids = #invocation.ids > 0 and invocation.ids or nil, only = options.only, except = options.except,
    category = options.category, tag = options.tag, profile = options.profile, no_deps = options.no_deps,
  }
end

---Which services of a plan are wanted by themselves; nothing where people say so at a prompt.
---@param plan plan
---@return table<string, true>?, problem[]? problems
function Generation:wanted(plan)
  if self.network:waits_for_people() then return {} end
  return require('pact.plan.select').wanted(plan, self:selection())
end

---What a later recipe has declared is there for the code of this one, too.
---@param recipe recipe
function Generation:learn(recipe)
  for id, declaration in pairs(recipe.declared) do
    self.recipe.declared[id] = self.recipe.declared[id] or declaration
  end
end

---Takes what was declared since into the running network, where it isn't wanted yet.
---@return true?, problem[]? problems
function Generation:extend()
  local network = self.network
  if self.over then self:learn(network.recipe) end
  local services, problems = require('pact.plan').extend(network.plan, self.recipe,
    require('pact.control.recipe.again').of(network))
  if not services then return nil, problems end
  for _, service in ipairs(services) do
    network.late[service.id] = true
    network.recipe.declared[service.id] = self.recipe.declared[service.id] -- where a reload has come between
    network:add(service)
  end
  return true
end

---A service was declared behind the first acting call: wanted like those before it.
function Generation:added()
  local network = self.network
  local ok, problems = self:extend()
  if not ok then error(fail.stop { message = (fail.render(problems):gsub('\n$', '')) }, 0) end
  local id = self.recipe.declarations[#self.recipe.declarations].id
  local wanted = self:wanted(network.plan)
  local ids = network.plan.groups[id] or { id }
  if wanted and wanted[ids[1]] then network.supervisor:want(ids, 'up', 'recipe') end
end

---------------------------------------------------------------------------------------------------
-- From its first to its last moment.

---Who keeps what its code starts here and now. What still runs of one that is over starts it for the present one.
---@return work
function Generation:here()
  local present = self.over and self.network.generation or self
  return present.work:here()
end

---The network runs by it from now on: its hooks hear.
---@param plan plan
function Generation:listen(plan)
  local network, recipe, before = self.network, self.recipe, self.network.recipe
  self.begun, self.dry = true, nil
  network.generation, network.recipe, network.recipe_lines = self, recipe, self.lines
  network.hooks = require('pact.control.hooks').new {
    sched = network.sched, bus = network.bus, group = self.work.group, fs = network.sys.fs,
    now = network.sys.time.now, directory = plan.directory,
    handle = function(id) return network.recipe.api.service(id) end,
    compile = function(path) return recipe:script(path) end,
    place = function(fn) return recipe:place(fn) end,
    on_idle = function() network:end_at_rest() end,
  }
  network.hooks:add_plan(plan)
  if network.eval_env then require('pact.control.repl.eval').follow(network, before) end
end

---The same for hooks that hear what services write and use: behind the services themselves.
---@param plan plan
function Generation:listen_closely(plan)
  local network = self.network
  local listening = {
    sys = network.sys, sched = network.sched, supervisor = network.supervisor, hooks = network.hooks,
    every = plan.settings.tui.refresh_rate,
    say = function(text) network:say(text) end,
  }
  network.lines = require('pact.control.hooks.lines').new(listening)
  network.metrics = require('pact.control.hooks.metrics').new(listening)
  if #self.recipe.declarations > (self.recipe.planned or 0) then self:extend() end -- by a task of its own, meanwhile
  local waiting = self.waiting
  self.waiting = {}
  for _, wake in ipairs(waiting) do wake() end
end

-- What it has begun is ended where it waits.
local function finish(self)
  self.over = true
  self.work:cancel()
  if self.network.secrets then self.network.secrets:leave(self.recipe.secret_values) end
end

---The network runs by another one: its timers, tasks and hooks end where they wait.
---@param heard { hooks: hooks, lines: line_hooks, metrics: metrics_hooks } by which it listened
function Generation:retire(heard)
  heard.lines:close()
  heard.metrics:close()
  finish(self)
  heard.hooks:retire()
  self.lines:flush()
end

---It came to nothing.
function Generation:discard()
  if self.over then return end
  finish(self)
  self.lines:flush()
end

return M
