--- Watches a network in virtual time and raises when something that must always hold doesn't.
--
-- It keeps a model of its own, from events and from what the world was told to do; what is counted along the way is
-- counted anew.

local list = require 'pact.base.list'

local M = {}

local TERM = 15
local RESTING = { idle = true, stopped = true, completed = true, failed = true, skipped = true }
local LATE_MS = 100

---@class judge
local Judge = {}
Judge.__index = Judge

---@param made table see schedule_plan
---@param net network
---@return judge
function M.new(made, net)
  local self = setmetatable({
    made = made, net = net, sup = net.sup, world = net.world, plan = net.plan,
    known = list.copy(net.plan.services), -- also those that a reload has removed
    decided = {}, -- by which policy the next start was decided
    unlatched = {}, -- epochs whose latches have ended: with the wish for another one
    procs = {}, started = {}, commanded = {}, epochs = {}, restarts = {}, ready_at = {}, alone = {},
  }, Judge)
  self.dependents = self:find_dependents()
  self:watch_world()
  self:watch_events()
  return self
end

function Judge:fault(format, ...)
  error(('at %d ms: %s'):format(self.world.now - 1000, format:format(...)), 0)
end

-- id → everything that needs it, directly or not.
function Judge:find_dependents()
  local all = {}
  for _, id in ipairs(self.plan.order) do all[id] = {} end
  for i = #self.plan.order, 1, -1 do
    local id = self.plan.order[i]
    for _, edge in ipairs(self.plan.services[id].depends_on) do
      local set = all[edge.id]
      set[id] = true
      for other in next, all[id] do set[other] = true end
    end
  end
  return all
end

function Judge:alive(id)
  local proc = self.procs[id]
  return proc and not proc.swept
end

function Judge:logged(id, epoch)
  for _, line in ipairs(self.world.logs[self.sup:log(id)].lines) do
    if line.epoch == epoch then return true end
  end
  return false
end

function Judge:holds(edge)
  local seen = self.sup:snapshot(edge.id)
  if edge.condition == 'ready' then
    return seen.status == 'running' or (seen.task and seen.status == 'completed')
  elseif edge.condition == 'healthy' then
    return seen.health == 'healthy' and (seen.status == 'running' or seen.status == 'starting')
  elseif edge.condition == 'completed' then
    return seen.status == 'completed'
  elseif self.unlatched[edge.id] == seen.epoch then
    return false
  elseif edge.condition == 'started' then
    return self.started[edge.id] == seen.epoch and seen.epoch > 0
  end
  return self:logged(edge.id, seen.epoch)
end

function Judge:spawned(id)
  if self.down then self:fault('%s was started during the shutdown', id) end
  if self:alive(id) then self:fault('%s was started while its last run lives', id) end
  if not self.plan.services[id] then self:fault('%s was started, and the plan has it no more', id) end
  if self.alone[id] then return end
  for _, edge in ipairs(self.plan.services[id].depends_on) do
    if not self:holds(edge) then self:fault('%s was started, and %s is not %s', id, edge.id, edge.condition) end
  end
end

-- Nothing that needs it, directly or not, may live when a service is stopped.
function Judge:signalled(id, signo)
  if signo ~= TERM or not self.down or self.forced or self.world.now - self.down >= self.made.shutdown_timeout then
    return
  end
  for _, other in ipairs(self.dependents[id] and self.plan.order or {}) do
    if self.dependents[id][other] and self:alive(other) then
      self:fault('%s was stopped before its dependent %s', id, other)
    end
  end
end

function Judge:watch_world()
  local proc = self.net.sys.proc
  local spawn, signal = proc.spawn, proc.signal
  proc.spawn = function(spec)
    local id = spec.argv[1]
    self:try(self.spawned, id)
    local handle, pid, code, step = spawn(spec)
    if handle then self.procs[id] = self.world.procs[handle] end
    return handle, pid, code, step
  end
  proc.signal = function(handle, signo, scope)
    local found = self.world.procs[handle]
    if found then self:try(self.signalled, found.name, signo) end
    return signal(handle, signo, scope)
  end
end

-- The supervisor catches what its parts raise: a verdict is kept until the turn is over.
function Judge:try(fn, ...)
  local ok, message = pcall(fn, self, ...)
  if not ok then self.found = self.found or message end
end

local ON = {}

function ON.shutdown(self) self.down = self.down or self.world.now end

-- A run that was good for long enough makes up for what was before it.
local function forgive(self, id)
  local since = self.ready_at[id]
  if since and self.world.now - since >= self.known[id].restart.reset_after then self.restarts[id] = 0 end
  self.ready_at[id] = nil
end

function ON.started(self, event)
  self.started[event.service] = event.epoch
  forgive(self, event.service)
end

function ON.running(self, event) self.ready_at[event.service] = self.world.now end

-- What the machine refuses is the same start once more.
function ON.backoff(self, event)
  local id = event.service
  if not event.refused then self.decided[id] = self.known[id].restart end
end

function ON.crashed(self, event)
  local id = event.service
  if self.commanded[id] == event.epoch then
    self:fault('%s was told to stop, and is told to have crashed (%s)', id, event.reason)
  end
  forgive(self, id)
end

function ON.restarted(self, event)
  local id = event.service
  if event.by == 'person' or event.by == 'reload' then self.restarts[id] = 0 end
  if event.by ~= 'policy' or self.known[id].schedule then return end -- each call begins anew
  local policy = self.decided[id] or self.known[id].restart
  self.restarts[id] = (self.restarts[id] or 0) + 1
  if policy.policy == 'no' then self:fault('%s restarts, and never should', id) end
  if policy.policy ~= 'function' and policy.max_retries and self.restarts[id] > policy.max_retries then
    self:fault('%s restarts for the %d. time of %d', id, self.restarts[id], policy.max_retries)
  end
end

function Judge:heard(event)
  local id = event.service
  if id then
    local last = self.epochs[id] or 0
    if event.epoch < last then self:fault('%s tells %s of epoch %d after %d', id, event.name, event.epoch, last) end
    self.epochs[id] = event.epoch
  end
  if self.trace then
    self.trace[#self.trace + 1] =
      ('%d %s %s %s %s'):format(self.world.now - 1000, id, event.name, event.epoch, event.reason)
  end
  if ON[event.name] then ON[event.name](self, event) end
end

function Judge:watch_events()
  self.net.bus:subscribe(function(event) self:try(self.heard, event) end, { rank = 'journal' })
end

local STOPS = { stop = true, restart = true, stop_all = true, restart_all = true, hook_restart = true }
local LEAVES = { stop = true, stop_all = true, kill = true, stale = true }

-- What was to go down in its turn may have been wanted again before it came to that.
local function wanted_again(self, id, stops)
  for other, epoch in next, self.commanded do
    local seen = self.sup:snapshot(other)
    local kept = other == id and stops or not seen or seen.status == 'stopping' or not self.plan.services[other]
    self.commanded[other] = kept and epoch or nil
  end
end

---A command is about to be given.
---@param kind string
---@param id string
function Judge:told(kind, id)
  local seen = self.sup:snapshot(id)
  local stops = STOPS[kind]
  if stops and seen.status ~= 'stopping' and seen.pid then self.commanded[id] = seen.epoch end
  if not LEAVES[kind] then
    wanted_again(self, id, stops)
    if kind ~= 'hook_restart' then self.restarts = {} end
  end
  if kind == 'start_alone' then self.alone[id] = true elseif kind == 'start' then self.alone[id] = nil end
end

local function state_of(self, id)
  local r = self.sup.nodes[id].record
  return ('%s %s %d %s'):format(r.want, r.status, r.epoch, r.live)
end

---Another plan is about to be gone over to.
---@param plan plan
---@param diff plan_diff
function Judge:reloads(plan, diff)
  self.before = {}
  for _, id in ipairs(diff.unchanged) do self.before[id] = state_of(self, id) end
  for _, change in ipairs(diff.changed) do
    if not change.restarts[1] then self.before[change.id] = self.sup.nodes[change.id].record.epoch end
  end
  for _, id in ipairs(diff.removed) do
    local seen = self.sup:snapshot(id)
    if seen and seen.pid and seen.status ~= 'stopping' then self.commanded[id] = seen.epoch end
  end
  for _, id in ipairs(diff.added) do
    local seen = self.sup:snapshot(id)
    if not seen or seen.status ~= 'stopping' then self.commanded[id] = nil end
    self.alone[id] = nil
  end
  for id, service in next, plan.services do self.known[id] = service end
  self.plan, self.restarts, self.changed_plan = plan, {}, true
  self.dependents = self:find_dependents()
end

-- One that restarts with a dependency does so, too, when another check finds that ready.
local function follows(self, id, changed)
  for _, edge in ipairs(self.plan.services[id].depends_on) do
    if edge.restart and changed[edge.id] then return true end
  end
  return false
end

---That has been done: who stays the same has not noticed.
---@param diff plan_diff
function Judge:reloaded(diff)
  local changed = list.set(list.map(diff.changed, function(change) return change.id end))
  for _, id in ipairs(diff.unchanged) do
    local now = state_of(self, id)
    if now ~= self.before[id] and not follows(self, id, changed) then
      self:fault('%s is unchanged, was %s and is %s', id, self.before[id], now)
    end
  end
  for _, change in ipairs(diff.changed) do
    local was, is = self.before[change.id], self.sup.nodes[change.id].record.epoch
    if was and was ~= is then self:fault('%s is changed in place and begins epoch %d', change.id, is) end
  end
end

local function count_one(self, id, counts)
  local node = self.sup.nodes[id]
  local r = node.record
  if r.status == 'waiting' or r.status == 'skipped' then self.unlatched[id] = r.epoch end
  if r.status == 'stopping' and r.restarting == 'reload' then self.commanded[id] = r.epoch end
  local called_again = r.scheduled and r.want == 'up' and r.status ~= 'skipped'
  if r.live or r.asked or r.status == 'backoff' or called_again then counts.active = counts.active + 1 end
  if r.status == 'starting' then counts.starting = counts.starting + 1 end
  if r.want == 'up' then counts.wanted = counts.wanted + 1 end
  local unmet = 0
  for _, link in ipairs(node.needs) do unmet = unmet + (link.met and 0 or 1) end
  if unmet ~= node.unmet then self:fault('%s has %d unmet, counted %d', id, unmet, node.unmet) end
  if (r.status == 'running' or r.status == 'stopping') and not r.live then
    self:fault('%s is %s and does not live', id, r.status)
  end
  if RESTING[r.status] and r.live == 'up' then self:fault('%s is %s and lives', id, r.status) end
end

---After each turn.
function Judge:turn()
  if self.found then error(self.found, 0) end
  if self.net.errors[1] then self:fault('%s', self.net.errors[1]) end
  local sup, counts = self.sup, { active = 0, starting = 0, wanted = 0 }
  for _, id in ipairs(sup.order) do count_one(self, id, counts) end
  for _, name in ipairs { 'active', 'starting', 'wanted' } do
    if counts[name] ~= sup[name] then self:fault('%d are %s, counted %d', counts[name], name, sup[name]) end
  end
  if self.made.limit and sup.starting > self.made.limit then
    self:fault('%d start at once, %d may', sup.starting, self.made.limit)
  end
end

---Nothing has been asked for a good while.
function Judge:rest()
  for _, id in ipairs(self.made.ids) do
    local seen = self.plan.services[id] and self.sup:snapshot(id) or { want = 'down', status = 'stopped' }
    local stays = not self.plan.services[id] and not self.down and self.sup.nodes[id]
    if stays then self:fault('%s has gone and is known', id) end
    if seen.want == 'down' and not RESTING[seen.status] then self:fault('%s is not wanted and %s', id, seen.status) end
    if seen.want == 'up' and (seen.status == 'idle' or seen.status == 'stopped') then
      self:fault('%s is wanted and %s', id, seen.status)
    end
    local r = seen.status == 'waiting' and self.sup.nodes[id].record
    if r and r.called and not r.live then -- else it waits for what is left of its last run
      local unmet = false
      for _, edge in ipairs(self.plan.services[id].depends_on) do unmet = unmet or not self:holds(edge) end
      local limit = self.plan.max_parallel_starts
      if not unmet and not (limit and self.sup.starting >= limit) then self:fault('%s waits for nothing', id) end
    end
  end
end

-- From the shutdown to rest: the longest chain of grace times, each with the half second for what is left of a tree.
local function longest_chain(self)
  local longest, most = {}, 0
  for i = #self.plan.order, 1, -1 do
    local id = self.plan.order[i]
    local mine = self.plan.services[id].stop.timeout + 500 + (longest[id] or 0)
    for _, edge in ipairs(self.plan.services[id].depends_on) do
      longest[edge.id] = math.max(longest[edge.id] or 0, mine)
    end
    most = math.max(most, mine)
  end
  return most
end

---The shutdown has had its time.
function Judge:over()
  local rest, at = self.rest_seen, self.rest_at
  if not rest or not rest.down then self:fault 'the shutdown has not come to its end' end
  local chain = self.changed_plan and math.maxinteger or longest_chain(self)
  local bound = math.min(chain, self.made.shutdown_timeout + 600)
  if self.forced then bound = math.min(bound, self.forced - self.down + 600) end
  if at - self.down > bound + LATE_MS then
    self:fault('the shutdown took %d ms, and %d are enough', at - self.down, bound)
  end
  for _, id in ipairs(self.made.ids) do
    local seen = self.sup:snapshot(id)
    if self:alive(id) then self:fault('%s has survived', id) end
    seen = seen or { want = 'down', status = 'stopped' }
    if seen.want ~= 'down' then self:fault('%s is still wanted', id) end
    if not RESTING[seen.status] then self:fault('%s is %s after the shutdown', id, seen.status) end
  end
  if not self.world:quiet() then self:fault 'a timer is left' end
end

return M
