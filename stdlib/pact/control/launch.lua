--- From a recipe to a running network: runs the body, and when it has ended or acts for the first
-- time, plans what was declared and starts it.

local fail = require 'pact.base.fail'
local generation = require 'pact.control.generation'

local M = {}

local BODY_BUDGET_MS = 10000

---@class launch: generation
---@field settings table
local Launch = setmetatable({}, { __index = generation.class })
Launch.__index = Launch

---@param network network
---@param found found_recipe
---@param opts { settings: table, globals?: fun(globals: table): table }
---@return launch
function M.new(network, found, opts)
  local self = setmetatable({ settings = opts.settings }, Launch)
  generation.init(self, network, found, nil, opts.globals)
  network.generation, network.recipe, network.recipe_lines = self, self.recipe, self.lines
  return self
end

---Compiles and runs the body as a task; the network is planned and started at its end at the latest.
function Launch:run()
  local network = self.network
  network.sys.fs.chdir(self.found.directory)
  local body, problem = self.recipe:compile()
  if not body then return network:refuse(2, fail.render { problem }) end
  if network.invocation.options.timeout or network.invocation.options.detach then self:limit() end
  network.body_runs, self.body_runs, network.body = true, true, self
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
  network.body_runs, self.body_runs, network.body = false, false, nil
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

---The body is ended where it waits.
function Launch:leave_body()
  self.network.body_runs, self.body_runs, self.network.body = false, false, nil
  self.network.sched:stop(self.task)
end

---The body raised after its network had been started: said, and the network shut down.
function Launch:failed_late(err, traceback)
  local network = self.network
  if network.ending then return end
  network:say(fail.render { self.recipe:problem_of(err, traceback) })
  network:shutdown('the recipe failed', { status = 1 })
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
  local selector, selection = require 'pact.plan.select', self:selection()
  local wanted
  wanted, problems = self:wanted(plan)
  if not wanted then
    network:refuse(2, fail.render(problems))
    return false
  end
  plan = selector.cut(plan, selection, wanted) or plan
  network.wanted_ids = wanted
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
  if not network.supervisor then self:until_live() end
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
    drivers = require 'pact.drivers', environment = network.env, wanted = ids, no_deps = options.no_deps,
    colour = network.colour,
  }
  if options.watch_recipe then network.recipe_watch = require('pact.control.recipe_watch').new(network) end
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
    if network.was_ready and not options.detach or network.detached or network.ending then return end
    local late = leaving.late(network)
    network:shutdown(('not ready after %s: %s'):format(require('pact.base.duration').format(ms),
      late[1] and table.concat(late, ', ') or 'the recipe has started nothing'), { status = 3 })
  end)
end

return M
