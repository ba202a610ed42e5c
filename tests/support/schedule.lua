--- One random schedule: a network, programs that misbehave, commands at odd moments, a judge at every step.

local diff = require 'pact.plan.diff'
local judges = require 'schedule_judge'
local network = require 'network'
local plans = require 'schedule_plan'

local M = {}

local KILL = 9
local STALE = { 'exited', 'swept', 'spawned', 'ready', 'timer', 'expired', 'start_failed', 'reset', 'verdict', 'fail' }

---@class playing
---@field made table
---@field net network
---@field judge judge

local function advance(self, ms)
  local world = self.net.world
  local limit = world.now + ms
  while world:turn(limit) do self.judge:turn() end
  world.now = limit
end

-- What comes of an epoch that is over changes nothing.
local function stale(self, id)
  local sup = self.net.sup
  local node = sup.nodes[id]
  for _, name in ipairs(STALE) do
    local before = node.record
    sup:feed(node, { name = name, epoch = before.epoch - 1, code = 1, pid = 1, verdict = { action = 'fail' } })
    if node.record ~= before then self.judge:fault("%s heeds '%s' of an old epoch", id, name) end
  end
end

local ACTS = {
  start = function(sup, id) sup:start(id) end,
  start_alone = function(sup, id) sup:start(id, { no_deps = true }) end,
  stop = function(sup, id) sup:stop(id) end,
  restart = function(sup, id) sup:restart(id) end,
  stop_all = function(sup, id) sup:stop(id, { with_dependents = true }) end,
  restart_all = function(sup, id) sup:restart(id, { with_dependents = true }) end,
  hook_restart = function(sup, id) sup:restart(id, { by = 'hook' }) end,
  kill = function(sup, id) sup:signal(id, KILL) end,
}

-- The recipe is another: what is new in it is wanted, as a network does it.
local function reload(self, entry)
  if self.net.sup.down then
    assert(select(3, self.net.sup:reload(self.net.plan, {})) == 'busy')
    return
  end
  local list
  list, self.specs = plans.reload(self.made, self.specs, entry.number)
  local plan = network.plan(list, self.plan_fields)
  local found = diff.compare(self.net.plan, plan)
  self.judge:reloads(plan, found)
  self.net.plan = plan
  assert(self.net.sup:reload(plan, found))
  self.judge:reloaded(found)
  self.net.sup:want(found.added, 'up', 'reload')
end

local function act(self, entry)
  local id = 's' .. entry.on
  advance(self, entry.gap)
  if entry.kind == 'reload' then
    reload(self, entry)
  elseif not self.net.sup.nodes[id] then
    assert(select(3, self.net.sup:start(id)) == 'unknown')
  elseif entry.kind == 'stale' then
    self.judge:told(entry.kind, id)
    stale(self, id)
  else
    self.judge:told(entry.kind, id)
    ACTS[entry.kind](self.net.sup, id)
  end
  advance(self, entry.after or 0)
end

-- Hooks that sometimes decide, at once or later.
local function decider(self)
  local nth = 0
  return function(id, _, reply)
    nth = nth + 1
    local d = plans.draw(self.made.seed, 9000 + self.made.numbers[id], nth)
    local action = d:of { 'restart', 'ignore', 'fail', 'none', 'none' }
    local verdict = action ~= 'none' and { action = action, after = d:pick(500) } or nil
    if d:chance(0.3) then
      reply(verdict)
    else
      self.net.world:at(d:pick(300), function() reply(verdict) end)
    end
    return true
  end
end

local function build(made)
  local self = { made = made, specs = made.specs }
  self.plan_fields = { max_parallel_starts = made.limit, shutdown_timeout = made.shutdown_timeout }
  local programs = {}
  for _, id in ipairs(made.ids) do
    programs[id] = function(_, nth) return plans.program(made, made.numbers[id], nth) end
  end
  self.net = network.new(made.list, {
    seed = made.seed, programs = programs,
    plan = self.plan_fields,
    sup = {
      verdict = made.hooks and decider(self) or nil,
      on_rest = function(rest) self.judge.rest_seen, self.judge.rest_at = rest, self.net.world.now end,
    },
  })
  self.judge = judges.new(made, self.net)
  return self
end

local function finish(self)
  local sup, judge = self.net.sup, self.judge
  sup:shutdown 'end'
  if self.made.forced then
    advance(self, self.made.forced)
    judge.forced = self.net.world.now
    sup:shutdown('now', { force = true })
  end
  advance(self, 30000)
  judge:over()
end

local function play(self)
  self.net.sup:want(self.net.plan.order, 'up', 'recipe')
  for _, entry in ipairs(self.made.acts) do act(self, entry) end
  advance(self, self.made.last_gap)
  if self.made.settles then
    advance(self, 60000)
    self.judge:rest()
  end
  finish(self)
end

---Plays one schedule; raises when something that must always hold doesn't.
---@param seed integer
---@param keep? keep
---@param trace? string[] gets what was told
---@return integer events how many the world delivered
function M.play(seed, keep, trace)
  local self = build(plans.make(seed, keep))
  self.judge.trace = trace
  play(self)
  return self.net.world.dispatched
end

-- pairs in an order that the seed says.
local function shuffled(seed)
  local d = plans.draw(seed, 77)
  return function(t)
    local keys = {}
    for key in next, t do keys[#keys + 1] = key end
    for i = #keys, 2, -1 do
      local j = d:pick(i)
      keys[i], keys[j] = keys[j], keys[i]
    end
    local i = 0
    return function()
      repeat i = i + 1 until keys[i] == nil or t[keys[i]] ~= nil
      if keys[i] ~= nil then return keys[i], t[keys[i]] end
    end
  end
end

local function traced(seed, keep, order)
  local trace, before = {}, _G.pairs
  rawset(_G, 'pairs', order)
  local ok, message = pcall(M.play, seed, keep, trace)
  rawset(_G, 'pairs', before)
  if not ok then error(message, 0) end
  return trace
end

---Plays it twice, with tables in different order: all that is told must be the same.
---@param seed integer
---@param keep? keep
function M.play_orders(seed, keep)
  local one, two = traced(seed, keep, shuffled(seed)), traced(seed, keep, shuffled(seed + 1))
  for i = 1, math.max(#one, #two) do
    if one[i] ~= two[i] then
      error(("the order of tables matters: '%s', and in another order '%s'"):format(one[i], two[i]), 0)
    end
  end
end

return M
