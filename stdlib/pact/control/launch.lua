--- From a recipe to a running network: runs the body, and when it has ended or acts for the first
-- time, plans what was declared and starts it.

local fail = require 'pact.base.fail'
local handle = require 'pact.declare.handle'
local list = require 'pact.base.list'

local M = {}

local BODY_BUDGET_MS = 10000

---@class launch
local Launch = {}
Launch.__index = Launch

---@param network network
---@param found found_recipe
---@param opts { settings: table }
---@return launch
function M.new(network, found, opts)
  return setmetatable({
    network = network, found = found, settings = opts.settings, begun = false, waiting = {},
  }, Launch)
end

---Where `pact.free_port` takes its ports from.
function Launch:make_ports()
  local network, found = self.network, self.found
  self.ports = require('pact.control.free_ports').new {
    fs = network.sys.fs, net = network.sys.net, live = network.sys.role == 'engine',
    warn = function(message)
      if network.sys.role == 'engine' then network:say(('pactlua: %s\n'):format(message)) end
    end,
    places = function()
      local project = require('pact.plan').project_name(self.recipe)
      return require('pact.control.statedir').places(network.sys, found.directory, project, network.env)
    end,
  }
end

---@param globals table what the recipe sees besides Lua's own
function Launch:make_recipe(globals)
  self:make_ports()
  local network, found, sys = self.network, self.found, self.network.sys
  self.recipe = require('pact.declare.recipe').new {
    path = found.path, name = found.name, directory = found.directory, args = network.invocation.args,
    env = network.env, sys = sys, globals = globals, methods = self.methods,
    live = function(id, key)
      return self:live(id, key)
    end,
    require = function(name)
      if name ~= 'pact.sim' then return nil end
      self.recipe.busy = true -- a recipe may be a test of others
      return require(name).over(sys)
    end,
    free_port = function(name)
      return self.ports:get(name)
    end,
    added = function()
      if not self.starting then self:added() end
    end,
    hook_on = function(hook)
      if network.lines then network:add_hook(hook) end
    end,
  }
  network.recipe = self.recipe
  if network.secrets then network.secrets:follow(self.recipe.secret_values) end
  return self.recipe
end

---A handle's field as it is now; nil before there is anything to know.
function Launch:live(id, key)
  local supervisor = self.network.supervisor
  if not supervisor then return nil end
  if key == 'cpu' or key == 'memory' then
    return self:measured(id, key == 'cpu' and 'cpu' or 'rss')
  end
  local snapshot = self.network:look(id)
  if not snapshot then return nil end
  if key == 'exit_signal' then return snapshot.signal end -- `signal` is a method
  if key == 'ports' then return self:listens(id, snapshot.ports or {}) end
  return snapshot[key]
end

---What a service listens on, by name and by place; nil while nothing is known.
---@param known table<string, integer>
function Launch:listens(id, known)
  local group = self.network.plan.groups[id]
  local service = self.network.supervisor:service(group and group[1] or id)
  if not service or next(known) == nil then return nil end
  local out, declared = {}, {}
  for i, port in ipairs(service.ports) do
    declared[port.name] = true
    out[i] = { name = port.name, port = known[port.name] or port.port }
  end
  for name, port in list.sorted(known) do
    if not declared[name] then out[#out + 1] = { name = name, port = port } end
  end
  return handle.ports(id, out)
end

-- of a group: of all its instances together
function Launch:measured(id, figure)
  local total
  for _, one in ipairs(self.network.plan.groups[id] or { id }) do
    local sample = self.network.supervisor:sample(one)
    if sample then total = (total or 0) + sample[figure] end
  end
  return total
end

---Compiles and runs the body as a task; the network is planned and started at its end at the latest.
function Launch:run()
  local network = self.network
  network.sys.fs.chdir(self.found.directory)
  local body, problem = self.recipe:compile()
  if not body then return network:refuse(2, fail.render { problem }) end
  if network.invocation.options.timeout or network.invocation.options.detach then self:limit() end
  network.body_runs, self.body_runs = true, true
  if network:waits_for_people() then self:stop_at_acting() end
  self.task = network.sched:spawn(function()
    local ok, err = xpcall(body, function(raised)
      return { raised = raised, traceback = debug.traceback('', 2) }
    end)
    self:body_ended(ok, ok or err.raised, ok or err.traceback)
  end, {
    name = 'recipe',
    budget = BODY_BUDGET_MS,
    group = network.work.group,
    on_error = function(message, traceback)
      self:body_ended(false, message, traceback)
    end,
  })
end

-- What a body that is left where it first acts is ended with.
local LEFT = {}

---Nothing is started before somebody says so: the body ends at its first acting call.
function Launch:stop_at_acting()
  function self.dry(at)
    if not self.body_runs then return end
    self.recipe.busy = true
    self.network:say(('pactlua: %s: the recipe is read up to here, where it first acts; nothing is started\n'):format(
      fail.place(at)))
    error(LEFT, 0)
  end
end

function Launch:body_ended(ok, err, traceback)
  local network = self.network
  network.body_runs, self.body_runs = false, false
  ok = ok or err == LEFT
  if network.finished then return end
  if not self.begun then
    if not ok then self.recipe:failed(err, traceback) end
    self:begin()
  elseif not ok then
    self:failed_late(err, traceback)
  end
  if network.invocation.options.detach then self:look_idle() end
  network:end_at_rest()
end

---The body raised after its network had been started: said, and the network shut down.
function Launch:failed_late(err, traceback)
  local network = self.network
  if network.ending then return end
  network:say(fail.render { self.recipe:problem_of(err, traceback) })
  network:shutdown('the recipe failed', { status = 1 })
end

---Ids given on the command line, options that choose, profiles.
local function selection_of(invocation)
  local options = invocation.options
  return {
    ids = #invocation.ids > 0 and invocation.ids or nil, only = options.only, except = options.except,
    category = options.category, tag = options.tag, profile = options.profile, no_deps = options.no_deps,
  }
end

---Which services are wanted from the start; nothing where people say so at a prompt.
---@param plan plan
---@return table<string, true>?, problem[]? problems
function Launch:wanted(plan)
  if self.network:waits_for_people() then return {} end
  return require('pact.plan.select').wanted(plan, selection_of(self.network.invocation))
end

---Plans what was declared and starts it. Problems end the engine.
---@return boolean begun
function Launch:begin()
  self.begun = true
  local network = self.network
  local plan, problems = require('pact.plan').build(self.recipe)
  if not plan then
    network:refuse(2, fail.render(problems))
    return false
  end
  local selector, selection = require 'pact.plan.select', selection_of(network.invocation)
  local wanted
  wanted, problems = self:wanted(plan)
  if not wanted then
    network:refuse(2, fail.render(problems))
    return false
  end
  plan = selector.cut(plan, selection, wanted) or plan
  local ok, message, code = network:open_files(plan)
  if not ok then
    if code == 'held' and network:waits_for_people() then
      message = message .. "; 'pactlua repl' opens a prompt at it"
    end
    network:refuse(1, ('pactlua: %s\n'):format(message))
    return false
  end
  ok, message = self.ports:save(network.dir.path)
  if not ok then network:say(('pactlua: the ports given are not kept: %s\n'):format(message)) end
  local ids = {}
  for _, id in ipairs(plan.order) do
    if wanted[id] then ids[#ids + 1] = id end
  end
  self:end_strays(function()
    self:start(ids)
  end)
  return true
end

---Ends the declaring part at the first acting call; waits until there is a supervisor.
function Launch:ensure()
  local network = self.network
  if not self.begun then
    self.recipe.busy = true
    self:begin()
  end
  if network.supervisor then return end
  if network.finished then error('the network has ended', 0) end
  network.sched:suspend(function(wake)
    self.waiting[#self.waiting + 1] = wake
  end)
end

---Takes what was declared since into the running network, where it isn't wanted yet.
---@return true?, problem[]? problems
function Launch:extend()
  local network = self.network
  local services, problems = require('pact.plan').extend(network.plan, self.recipe)
  if not services then return nil, problems end
  for _, service in ipairs(services) do network:add(service) end
  return true
end

---A service was declared behind the first acting call: wanted like those before it.
function Launch:added()
  local network = self.network
  local ok, problems = self:extend()
  if not ok then error(fail.stop { message = (fail.render(problems):gsub('\n$', '')) }, 0) end
  local id = self.recipe.declarations[#self.recipe.declarations].id
  local wanted = self:wanted(network.plan)
  local ids = network.plan.groups[id] or { id }
  if wanted and wanted[ids[1]] then network.supervisor:want(ids, 'up', 'recipe') end
end

---What dead runs left behind is ended before anything is started.
function Launch:end_strays(done)
  local network = self.network
  local strays = require 'pact.control.strays'
  strays.finish(network, function(names)
    if #names > 0 then
      network:say(('pactlua: ended what a dead run had left: %s\n'):format(table.concat(names, ', ')))
    end
    done()
  end)
end

function Launch:start(ids)
  local network = self.network
  local options = network.invocation.options
  network:start {
    drivers = require 'pact.drivers', environment = network.env, recipe = self.recipe, wanted = ids,
    no_deps = options.no_deps, colour = network.colour,
    handle = function(id)
      return self.recipe.api.service(id)
    end,
  }
  for _, wake in ipairs(self.waiting) do wake() end
  self.waiting = {}
  if options.no_wait then require('pact.control.leaving').detach(network) end
  if options.detach then self:look_idle() end
end

---Nothing is wanted, and the recipe has said all: nothing is waited for.
function Launch:look_idle()
  local network = self.network
  if not network.supervisor or self.body_runs or network.detached or network.ending then return end
  if #network:wanted() == 0 then require('pact.control.leaving').detach(network) end
end

---`--timeout`, or what `--detach` waits at most: not ready by then is a failure.
function Launch:limit()
  local network = self.network
  local options, leaving = network.invocation.options, require 'pact.control.leaving'
  local ms = options.timeout or options.detach and not options.no_wait and leaving.READY_MS
  if not ms then return end
  network.sched:after(ms, function()
    if network.was_ready or network.detached or network.ending then return end
    local late = list.map(leaving.unready(network, true), function(it) return it.id end)
    network:shutdown(('not ready after %s: %s'):format(require('pact.base.duration').format(ms),
      late[1] and table.concat(late, ', ') or 'the recipe has started nothing'), { status = 3 })
  end)
end

return M
