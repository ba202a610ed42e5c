--- One random schedule: a network, programs that misbehave, commands at odd moments, a judge at every step.

local network = require 'network'

local M = {}

local KILL, TERM = 9, 15
local CONDITIONS = { 'ready', 'started', 'completed', 'healthy', 'log' }
local RESTING = { idle = true, stopped = true, completed = true, failed = true, skipped = true }

---@class schedule
local Schedule = {}
Schedule.__index = Schedule

function Schedule:pick(n) return math.floor(self.net_random() * n) + 1 end
function Schedule:chance(p) return self.net_random() < p end

function Schedule:fault(format, ...)
  error(('seed %d, at %d ms: %s'):format(self.seed, self.world.now - 1000, format:format(...)), 0)
end

-- A generator of its own, so that the world's draws don't change the plan.
local function generator(seed)
  local state = seed * 7919 + 17
  return function()
    state = (state * 1103515245 + 12345) % 2147483648
    return (state >> 8) / 8388608
  end
end

local function program(self, spec)
  local kinds = {
    function() return {} end,
    function() return { exit_after = self:pick(300), code = 0 } end,
    function() return { exit_after = self:pick(15000), code = self:pick(3) } end,
    function() return { exit_after = self:pick(50), signal = 11 } end,
    function() return { ignore = { [TERM] = true } } end,
    function() return { stop_takes = self:pick(3000), leaves = self:pick(3), leaves_for = self:pick(800) } end,
    function() return { exit_after = self:pick(2000), code = 1, leaves = 1, leaves_for = 300 } end,
    function() return { fail = ({ 'ENOENT', 'EAGAIN', 'EMFILE', 'EACCES' })[self:pick(4)] } end,
  }
  local chosen = kinds[self:pick(#kinds)]()
  chosen.output = { { self:pick(500), 'listening' } }
  chosen.listens, chosen.listens_after = { spec.port }, self:pick(3000)
  return chosen
end

local function service(self, i, ids)
  local fields = { depends_on = {}, restart = {}, stop = { timeout = 100 + self:pick(2000) } }
  fields.restart.delay, fields.restart.reset_after = self:pick(500), 1000000
  fields.restart.max_retries = self:pick(4) - 1
  if self:chance(0.2) then fields.task = true end
  if self:chance(0.2) then fields.restart.policy = 'always' end
  if self:chance(0.5) then
    fields.health = {
      kind = 'tcp', host = '127.0.0.1', port = 5000 + i, interval = 1000 + self:pick(3000), retries = self:pick(3),
    }
    if self:chance(0.4) then fields.on_unhealthy = 'restart' end
  end
  if self:chance(0.2) then fields.timeout = self:pick(8000) end
  if self:chance(0.1) then fields.max_runtime = 1000 + self:pick(9000) end
  for _, id in ipairs(ids) do
    if self:chance(0.35) then
      local condition = CONDITIONS[self:pick(#CONDITIONS)]
      if condition == 'healthy' and not self.health[id] then condition = 'ready' end
      fields.depends_on[#fields.depends_on + 1] = {
        id = id, condition = condition, pattern = 'listening', restart = self:chance(0.3),
        timeout = self:chance(0.2) and 1000 + self:pick(20000) or nil,
      }
    end
  end
  return fields
end

local function build(self)
  local list, ids, programs = {}, {}, {}
  self.health = {}
  for i = 1, 2 + self:pick(6) do
    local id = 's' .. i
    local fields = service(self, i, ids)
    list[i], ids[i] = { id, fields }, id
    self.health[id] = fields.health ~= nil
    programs[id] = function() return program(self, { port = 5000 + i }) end
  end
  self.ids = ids
  local limit = self:chance(0.3) and self:pick(3) or nil
  self.net = network.new(list, {
    seed = self.seed, programs = programs, plan = { max_parallel_starts = limit, shutdown_timeout = 20000 },
  })
  self.sup, self.world, self.plan = self.net.sup, self.net.world, self.net.plan
end

---------------------------------------------------------------------------------------------------
-- The judge. It keeps a model of its own, from events and from what the world was told to do.

local function alive(self, id)
  local proc = self.procs[id]
  return proc and not proc.swept
end

local function holds(self, edge)
  local seen = self.sup:snapshot(edge.id)
  if edge.condition == 'ready' then
    return seen.status == 'running' or (seen.task and seen.status == 'completed')
  elseif edge.condition == 'healthy' then
    return seen.health == 'healthy' and (seen.status == 'running' or seen.status == 'starting')
  elseif edge.condition == 'completed' then
    return seen.status == 'completed'
  elseif seen.status == 'waiting' or seen.status == 'skipped' then
    return false -- latches end with the wish for another epoch
  elseif edge.condition == 'started' then
    return self.started[edge.id] == seen.epoch and seen.epoch > 0
  end
  for _, line in ipairs(self.world.logs[self.sup:log(edge.id)].lines) do
    if line.epoch == seen.epoch then return true end
  end
  return false
end

local function judge_spawn(self, id)
  if self.down then self:fault('%s was started during the shutdown', id) end
  if alive(self, id) then self:fault('%s was started while its last run lives', id) end
  for _, edge in ipairs(self.plan.services[id].depends_on) do
    if not holds(self, edge) then self:fault('%s was started, and %s is not %s', id, edge.id, edge.condition) end
  end
end

-- Nothing that needs it, directly or not, may live when a service is stopped.
local function judge_signal(self, id, signo)
  if signo ~= TERM or not self.down or self.forced or self.world.now - self.down >= 20000 then return end
  local needs = { [id] = true }
  for _, other in ipairs(self.plan.order) do
    for _, edge in ipairs(self.plan.services[other].depends_on) do needs[other] = needs[other] or needs[edge.id] end
    if other ~= id and needs[other] and alive(self, other) then
      self:fault('%s was stopped before its dependent %s', id, other)
    end
  end
end

local function watch_world(self)
  local proc = self.net.sys.proc
  local spawn, signal = proc.spawn, proc.signal
  proc.spawn = function(spec)
    local id = spec.argv[1]
    judge_spawn(self, id)
    local handle, pid, code, step = spawn(spec)
    if handle then self.procs[id] = self.world.procs[handle] end
    return handle, pid, code, step
  end
  proc.signal = function(handle, signo, scope)
    local found = self.world.procs[handle]
    if found then judge_signal(self, found.name, signo) end
    return signal(handle, signo, scope)
  end
end

local ON = {}

function ON.started(self, event) self.started[event.service] = event.epoch end

function ON.crashed(self, event)
  if self.commanded[event.service] == event.epoch then
    self:fault('%s was told to stop, and is told to have crashed (%s)', event.service, event.reason)
  end
end

function ON.backoff(self, event)
  local policy = self.plan.services[event.service].restart
  if policy.max_retries and event.attempt > policy.max_retries then
    self:fault('%s restarts for the %d. time of %d', event.service, event.attempt, policy.max_retries)
  end
end

local function watch_events(self)
  self.net.bus:subscribe(function(event)
    if event.service then
      if event.epoch < (self.epochs[event.service] or 0) then
        local last = self.epochs[event.service]
      self:fault('%s tells %s of epoch %d after %d', event.service, event.name, event.epoch, last)
      end
      self.epochs[event.service] = event.epoch
    end
    if ON[event.name] then ON[event.name](self, event) end
  end, { rank = 'journal' })
end

-- What is counted along the way is what counting anew gives.
local function judge_counts(self)
  local sup = self.sup
  local active, starting, wanted = 0, 0, 0
  for _, id in ipairs(sup.order) do
    local node = sup.nodes[id]
    local r = node.record
    if r.live or r.asked or r.status == 'backoff' then active = active + 1 end
    if r.status == 'starting' then starting = starting + 1 end
    if r.want == 'up' then wanted = wanted + 1 end
    local unmet = 0
    for _, link in ipairs(node.needs) do unmet = unmet + (link.met and 0 or 1) end
    if unmet ~= node.unmet then self:fault('%s has %d unmet, counted %d', id, unmet, node.unmet) end
    if (r.status == 'running' or r.status == 'stopping') and not r.live then
      self:fault('%s is %s and does not live', id, r.status)
    end
    if RESTING[r.status] and r.live == 'up' then self:fault('%s is %s and lives', id, r.status) end
  end
  if active ~= sup.active then self:fault('%d are active, counted %d', active, sup.active) end
  if starting ~= sup.starting then self:fault('%d are starting, counted %d', starting, sup.starting) end
  if wanted ~= sup.wanted then self:fault('%d are wanted, counted %d', wanted, sup.wanted) end
  if #self.net.errors > 0 then self:fault('%s', self.net.errors[1]) end
end

local function judge_rest(self)
  for _, id in ipairs(self.ids) do
    local seen = self.sup:snapshot(id)
    if seen.want == 'down' and not RESTING[seen.status] then self:fault('%s is not wanted and %s', id, seen.status) end
    if seen.want == 'up' and (seen.status == 'idle' or seen.status == 'stopped') then
      self:fault('%s is wanted and %s', id, seen.status)
    end
    if seen.status == 'waiting' then
      local unmet = false
      for _, edge in ipairs(self.plan.services[id].depends_on) do unmet = unmet or not holds(self, edge) end
      local limit = self.plan.max_parallel_starts
      if not unmet and not (limit and self.sup.starting >= limit) then self:fault('%s waits for nothing', id) end
    end
  end
end

---------------------------------------------------------------------------------------------------

local COMMANDS = {
  function(self, id) self.sup:start(id) end,
  function(self, id)
    if self.sup:snapshot(id).pid then self.commanded[id] = self.sup:snapshot(id).epoch end
    self.sup:stop(id)
  end,
  function(self, id)
    if self.sup:snapshot(id).pid then self.commanded[id] = self.sup:snapshot(id).epoch end
    self.sup:restart(id)
  end,
  function(self, id) self.sup:stop(id, { with_dependents = true }) end,
  function(self, id) self.sup:restart(id, { with_dependents = true }) end,
  function(self, id) self.sup:restart(id, { by = 'hook' }) end,
  function(self, id) self.sup:signal(id, KILL) end,
}

local function advance(self, ms)
  local limit = self.world.now + ms
  while self.world:turn(limit) do judge_counts(self) end
  self.world.now = limit
end

local function finish(self)
  self.down = self.world.now
  self.sup:shutdown 'end'
  if self:chance(0.3) then
    advance(self, self:pick(500))
    self.forced = true
    self.sup:shutdown('now', { force = true })
  end
  advance(self, 30000)
  local rest = self.net.rests[#self.net.rests]
  if not rest or not rest.down then self:fault 'the shutdown has not come to its end' end
  for _, id in ipairs(self.ids) do
    if alive(self, id) then self:fault('%s has survived', id) end
    if self.sup:snapshot(id).want ~= 'down' then self:fault('%s is still wanted', id) end
  end
  if not self.world:quiet() then self:fault 'a timer is left' end
end

---Plays one schedule; raises when something that must always hold doesn't.
---@param seed integer
---@return integer events how many the world delivered
function M.play(seed)
  local self = setmetatable({
    seed = seed, net_random = generator(seed), procs = {}, started = {}, commanded = {}, epochs = {},
  }, Schedule)
  build(self)
  watch_world(self)
  watch_events(self)
  self.sup:want(self.ids, 'up', 'recipe')
  for _ = 1, self:pick(12) do
    advance(self, self:pick(self:chance(0.5) and 50 or 6000))
    COMMANDS[self:pick(#COMMANDS)](self, self.ids[self:pick(#self.ids)])
  end
  if self:chance(0.5) then
    advance(self, 60000)
    judge_rest(self)
  end
  finish(self)
  return self.world.dispatched
end

return M
