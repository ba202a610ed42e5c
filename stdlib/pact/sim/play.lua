--- A recipe's network in a made-up world: the same declaring, planning, supervising and hooks as in an
-- engine; only `sys` and who listens are others. Nothing is started, and time passes when it is told to.

local fail = require 'pact.base.fail'
local rows = require 'pact.sim.rows'
local sim_sys = require 'pact.sim.sys'
local text = require 'pact.base.text'
local wiring = require 'pact.sim.wiring'

local M = {}

local EVENTS_EACH = 100 -- of one service at one moment
local WALL = 1767225600000 -- the first of January 2026: a simulation begins when none is told

---@class play
---@field world world
---@field network network
---@field problem? string the recipe or the rows are wrong
---@field ended? rest how the network ended by itself
---@field errors string[] ours
local Play = {}
Play.__index = Play

---@class play_options
---@field host sim_host
---@field recipe found_recipe
---@field body? fun(pact: table) instead of the recipe's file
---@field rows? table[] checked ones
---@field random? fun(play: play) begins faults at random
---@field seed? integer
---@field wall? integer
---@field env? table<string, string>
---@field args? string[]
---@field options? table of the invocation
---@field ids? string[]
---@field script? string where rows are written, for messages
---@field on_entry fun(entry: table) hears of all that happens

---@param opts play_options
---@return play
function M.new(opts)
  local sys, world = sim_sys.new {
    seed = opts.seed or 1, now = 0, wall = opts.wall or WALL, resume = opts.host.resume,
    join = opts.host.join,
  }
  local self = setmetatable({
    sys = sys, world = world, recipe = opts.recipe, errors = {}, readied = {},
    on_entry = opts.on_entry, rows = opts.rows or {},
    random = opts.random,
  }, Play)
  wiring.world(self, opts)
  wiring.network(self, opts)
  for _, row in ipairs(self.rows) do
    if row.subject ~= 'service' then self.answers:add(row) end
  end
  wiring.recipe(self, opts)
  self.launch:run()
  return self
end

---@param entry table
function Play:tell(entry)
  entry.at = self.world.now
  self.world.work = self.world.work + 1
  if entry.kind == 'event' and entry.event.name == 'ready' then self.readied[entry.event.service] = true end
  self.on_entry(entry)
end

function Play:defect(message, traceback)
  self.errors[#self.errors + 1] = message
  self:tell { kind = 'say', text = ('pactlua: internal error: %s\n%s\n'):format(message, traceback) }
end

-- A row about a group is one about each of its instances.
local function spread(list, groups)
  local out = {}
  for _, row in ipairs(list) do
    for _, id in ipairs(row.service and groups[row.service] or { false }) do
      out[#out + 1] = id and setmetatable({ service = id }, { __index = row }) or row
    end
  end
  return out
end

-- The plan is known: its services take the stage, and rows find theirs.
function Play:cast(plan)
  self.rows = spread(self.rows, plan.groups or {})
  for _, id in ipairs(plan.order) do self.stage:add(plan.services[id]) end
  self.world.most = self.world.most + EVENTS_EACH * #plan.order
  local found = {}
  for _, row in ipairs(self.rows) do
    if row.subject == 'service' then
      local problem = self:problem_of(row, plan)
      if problem then found[#found + 1] = ('%s: row %d: %s\n'):format(row.place, row.index, problem) end
    end
  end
  if found[1] then return nil, table.concat(found) end
  self.stage:script(self:service_rows())
  if self.random then self.random(self) end
  return true
end

local ABOUT_TASKS = { takes = true }
local OF_PROGRAMS = { says = true, slow_start = true, start_fails = true, deaf = true, takes = true }
local OF_OTHERS = { crash = true, exit = true }

---What is wrong with a row of a service, seen from the plan.
---@return string?
function Play:problem_of(row, plan)
  local service = plan.services[row.service]
  if not service then
    if row.later then return nil end
    return ("no service '%s'%s"):format(row.service, text.suggest(row.service, plan.order))
  elseif ABOUT_TASKS[row.effect] and not service.task then
    return ("'%s' is for tasks; '%s' is none (slow_start delays when it is ready)"):format(row.effect, row.service)
  elseif service.kind == 'external' and OF_PROGRAMS[row.effect] then
    return ("'%s' is external: it has no process to which '%s' could happen"):format(row.service, row.effect)
  elseif service.kind == 'worker' and (OF_PROGRAMS[row.effect] or OF_OTHERS[row.effect]) then
    return ("'%s' is a worker: its own Lua is played, '%s' can't happen to it"):format(row.service, row.effect)
  elseif row.effect == 'unhealthy' and not service.health and not service.ready then
    return ("'%s' has no health check that could fail"):format(row.service)
  end
end

function Play:service_rows()
  local out = {}
  for _, row in ipairs(self.rows) do
    if row.subject == 'service' then out[#out + 1] = row end
  end
  return out
end

---More rows while it runs.
---@param raw table[]
---@return true?, string? message
function Play:script(raw, name)
  local checked, problems = rows.check(raw, { name = name or 'test', directory = self.recipe.directory })
  if not checked then return nil, fail.render(problems) end
  for _, row in ipairs(checked) do
    local plan = self.network.plan
    local problem = plan and row.subject == 'service' and self:problem_of(row, plan)
    if problem then return nil, problem end
    row.place = nil
  end
  self.stage:script(checked)
  return true
end

---Somebody at the command line.
---@return true?, string?, string?
function Play:by_hand(name, id, opts)
  local args = { ids = { id }, wait = false }
  for key, value in pairs(opts or {}) do args[key] = value end
  return self.network:command(name, args, 'person')
end

---Lets time pass, to the end of the network at the latest.
---@param ms integer
function Play:advance(ms)
  local world = self.world
  local limit = world.now + ms
  while not world.stopped and world:turn(limit) do end
  if not world.stopped then world.now = limit end
end

---One turn of the loop.
---@param limit integer until when
---@return boolean something happened
function Play:turn(limit)
  return not self.world.stopped and self.world:turn(limit)
end

---How it stands, or ended.
---@return rest
function Play:rest()
  if self.ended then return self.ended end
  local supervisor = self.network.supervisor
  return supervisor and supervisor:rest() or { status = 0, failed = {}, reason = 'nothing was started', survivors = {} }
end

---Wanted services that have failed, and those that never became ready.
---@return string[]
function Play:failed()
  local found, seen = {}, {}
  local function add(id)
    if not seen[id] then found[#found + 1], seen[id] = id, true end
  end
  for _, id in ipairs(self:rest().failed) do add(id) end
  if self.ended then return found end
  for _, snapshot in ipairs(self:snapshots()) do
    local scheduled = self.network.plan.services[snapshot.id].schedule
    if snapshot.want == 'up' and not self.readied[snapshot.id] and not scheduled then add(snapshot.id) end
  end
  return found
end

---@return snapshot[]
function Play:snapshots() return self.network:snapshots() end

M.class = Play

return M
