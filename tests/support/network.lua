--- A network in a made-up world: a few words for each service, and everything it told.

local bus = require 'pact.base.bus'
local drivers = require 'pact.drivers'
local sim_sys = require 'pact.sim.sys'
local sched = require 'pact.base.sched'
local supervise = require 'pact.supervise'

local M = {}

---@class network
---@field sup supervisor
---@field world world
---@field events event[]
---@field rests rest[]
---@field errors string[]
local Network = {}
Network.__index = Network

local function defaults(changes, base)
  local out = {}
  for key, value in pairs(base) do out[key] = value end
  for key, value in pairs(changes or {}) do out[key] = value end
  return out
end

local RESTART = {
  policy = 'on-failure', max_retries = 3, delay = 1000, factor = 2, max_delay = 30000, jitter = 0, reset_after = 60000,
}
local HEALTH = { interval = 30000, timeout = 5000, retries = 3, start_period = 0, start_interval = 1000 }

---A service's record as a plan has it.
---@param id string
---@param changes table fields; depends_on: { 'db', { id = , condition = } }
---@return service
function M.service(id, changes)
  local s = defaults(changes, {
    id = id, kind = 'process', task = false, at = { file = 'x.lua', line = 1 }, display_name = id, category = 'service',
    tags = {}, command = { id }, cwd = '/srv', env = {}, env_file = {}, tty = false, stdin = 'open', ports = {},
    endpoints = {}, on_unhealthy = 'ignore', limits = {}, success_exit = { 0 }, essential = false, disabled = false,
    profiles = {}, log = {}, on = {}, secrets = {},
  })
  s.restart = defaults(s.restart, RESTART)
  if s.task and not (changes.restart and changes.restart.policy) then s.restart.policy = 'no' end
  s.stop = defaults(s.stop, { signal = 15, timeout = 10000, scope = 'tree', keep = {} })
  if s.health then s.health = defaults(s.health, HEALTH) end
  if s.ready then s.ready = defaults(s.ready, HEALTH) end
  local edges = {}
  for i, edge in ipairs(s.depends_on or {}) do
    if type(edge) == 'string' then edge = { id = edge } end
    edges[i] = defaults(edge, { condition = 'ready', restart = false, at = s.at })
  end
  s.depends_on = edges
  return s
end

---@param list table[] { id, fields }, dependencies first
---@param plan_fields? table
---@return plan
function M.plan(list, plan_fields)
  local plan = defaults(plan_fields, { project = 'test', directory = '/srv', services = {}, order = {} })
  for i, entry in ipairs(list) do
    plan.order[i] = entry[1]
    plan.services[entry[1]] = M.service(entry[1], entry[2] or {})
  end
  return plan
end

---@param list table[] { id, fields } in the plan's order
---@param opts? { seed?: integer, plan?: table, programs?: table, sup?: table }
---@return network
function M.new(list, opts)
  opts = opts or {}
  local sys, world = sim_sys.new { seed = opts.seed }
  local self = setmetatable({ sys = sys, world = world, events = {}, rests = {}, errors = {} }, Network)
  local function failed(_, traceback) self.errors[#self.errors + 1] = traceback end
  self.loop = sched.new(sys, failed)
  self.bus = bus.new { now = sys.time.now, wall = sys.time.wall, try = sys.try, on_error = failed }
  self.bus:subscribe(function(event) self.events[#self.events + 1] = event end, { rank = 'journal' })
  self.plan = M.plan(list, opts.plan)
  for _, id in ipairs(self.plan.order) do world.programs[id] = {} end
  for name, program in pairs(opts.programs or {}) do world.programs[name] = program end
  self.sup = supervise.new(defaults(opts.sup, {
    sys = sys, sched = self.loop, bus = self.bus, plan = self.plan, drivers = drivers, log_dir = '/run/1',
    environment = { PATH = '/bin' }, run = '/run/1',
    on_rest = function(rest) self.rests[#self.rests + 1] = rest end,
  }))
  return self
end

---Goes over to another plan, wants what is new in it, and lets `ms` pass.
---@param list table[] { id, fields }, dependencies first
---@param ms? integer
---@param plan_fields? table
---@return plan_diff
function Network:reload(list, ms, plan_fields)
  local plan = M.plan(list, plan_fields)
  local found = require('pact.plan.diff').compare(self.plan, plan)
  assert(self.sup:reload(plan, found))
  self.plan = plan
  self.sup:want(found.added, 'up', 'reload')
  self.world:advance(ms or 0)
  return found
end

---Wants all of it, and lets `ms` pass.
function Network:up(ms)
  self.sup:want(self.plan.order, 'up', 'recipe')
  self.world:advance(ms or 0)
  return self
end

function Network:status(id)
  return self.sup:snapshot(id).status
end

---@return table<string, string> status by id
function Network:all()
  local out = {}
  for _, id in ipairs(self.sup:list()) do out[id] = self:status(id) end
  return out
end

---@param names? table<string, boolean> only these; default all
---@return string[] 'service name' in order
function Network:told(names)
  local out = {}
  for _, event in ipairs(self.events) do
    if not names or names[event.name] then
      out[#out + 1] = (event.service and event.service .. ' ' or '') .. event.name
    end
  end
  return out
end

---@return event? the last one of that name
function Network:last(name, id)
  for i = #self.events, 1, -1 do
    local event = self.events[i]
    if event.name == name and (not id or event.service == id) then return event end
  end
end

---@return table[] processes that were started for a program, oldest first
function Network:runs(name)
  local out = {}
  for _, proc in ipairs(self.world.spawned) do
    if proc.name == name then out[#out + 1] = proc end
  end
  return out
end

return M
