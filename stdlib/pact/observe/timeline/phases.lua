--- What became of each service over a run: events in, phases out. Times are ms since the run began; phases follow
-- each other without gaps, so that of each only its beginning is kept.

local M = {}

---@alias phase string one of WORDS

---In the order in which legends show them; `unhealthy` lies over the others.
M.ORDER = {
  'waiting', 'starting', 'probing', 'working', 'ready', 'unhealthy', 'stopping', 'backoff', 'completed', 'failed',
  'skipped',
}

M.WORDS = {
  waiting = 'waiting', starting = 'starting', probing = 'alive, not ready', working = 'task at work', ready = 'ready',
  unhealthy = 'unhealthy', stopping = 'stopping', backoff = 'pause before a restart', completed = 'completed',
  failed = 'failed', skipped = 'skipped', stopped = 'stopped',
}

---@class timeline_service
---@field id string
---@field display_name? string
---@field group? string
---@field task boolean
---@field check? string
---@field log? string
---@field needs { id: string, condition: string }[]
---@field wanted boolean
---@field scheduled boolean
---@field planned? boolean it is known whether and since when it was wanted
---@field phase phase[] one after the other
---@field from integer[] when each began
---@field reason (string|false)[] why
---@field restarts integer[] when
---@field sick { from: integer, to: integer, reason: string? }[] stretches in which it was unhealthy
---@field start? { at: integer, held_by: string? } its first start: when all it needs held, and what came last
---@field ready_at? integer the first time
---@field ready_reason? string
---@field refused integer probes that failed before it was ready
---@field refusal? string the last one's reason
---@field last? { phase: phase, from: integer, reason: string? } what it was before the shutdown

---@class timeline
---@field project? string
---@field run? string
---@field at? integer wall ms of its beginning
---@field live boolean
---@field cut boolean its beginning is gone
---@field last integer end of what is known
---@field wanted_at integer the recipe had been read
---@field ready_at? integer all were ready, the first time
---@field shutdown? { at: integer, reason: string? }
---@field services timeline_service[]
---@field by_id table<string, timeline_service>

---@class timeline_fold
---@field line timeline
---@field zero? integer mono of the run's beginning
local Fold = {}
Fold.__index = Fold

local function service_of(self, id)
  local found = self.line.by_id[id]
  if not found then
    found = { id = id, needs = {}, task = false, wanted = false, scheduled = false }
    self.line.by_id[id] = found
    table.insert(self.line.services, found)
  end
  if not found.phase then
    found.phase, found.from, found.reason, found.restarts, found.sick, found.refused = {}, {}, {}, {}, {}, 0
  end
  return found
end

local function enter(service, phase, at, reason)
  local n = #service.phase
  if n > 0 then
    at = math.max(at, service.from[n])
    if service.phase[n] == phase then return end
    if at == service.from[n] then n = n - 1 end -- it was that for no time
  end
  service.phase[n + 1], service.from[n + 1], service.reason[n + 1] = phase, at, reason or false
end

---@param plan timeline_plan
---@return timeline_fold
function M.new(plan)
  local line = {
    services = {}, by_id = {}, project = plan.head.project, at = plan.head.at, live = false, cut = false, last = 0,
    wanted_at = 0,
  }
  local self = setmetatable({ line = line, zero = plan.head.began }, Fold)
  if self.zero and plan.head.wanted_at then line.wanted_at = math.max(0, plan.head.wanted_at - self.zero) end
  for i, service in ipairs(plan.services) do
    line.services[i], line.by_id[service.id] = service, service
    service_of(self, service.id)
    service.planned = true
    local since = service.since and self.zero and math.max(0, service.since - self.zero) or 0
    if service.wanted then enter(service, 'waiting', since) end
  end
  return self
end

local function now_of(service) return service.phase[#service.phase] end

local function healed(service, at)
  local stretch = service.sick[#service.sick]
  if stretch and not stretch.to then stretch.to = math.max(at, stretch.from) end
end

-- What it was since the last event, of which none told.
local function untold(service, event, at)
  local spent = event.spent
  local began = at - (spent.starting or 0)
  local waits = began - (spent.waiting or 0)
  if spent.stopping then
    enter(service, 'stopping', waits - spent.stopping)
    healed(service, waits - spent.stopping)
  end
  if spent.waiting then
    enter(service, 'waiting', waits)
  elseif event.name == 'started' and not now_of(service) and not service.planned then
    enter(service, 'waiting', 0)
  end
  return began
end

local ON = {}

function ON.started(service, event, at)
  local began = untold(service, event, at)
  healed(service, began)
  enter(service, 'starting', began)
  local task = service.task or event.reason == 'running'
  enter(service, task and 'working' or 'probing', at)
  if not service.start then service.start = { at = math.max(0, began), held_by = event.held_by } end
end

function ON.restarted(service, _, at) table.insert(service.restarts, at) end

local function is_ready(service, event, at, line)
  if service.ready_at or line.cut then return end
  service.ready_at, service.ready_reason = at, event.reason
end

function ON.ready(service, event, at, line)
  is_ready(service, event, at, line)
  if event.to ~= 'completed' then enter(service, 'ready', at, event.reason) end
end

function ON.probe(service, event, at)
  if event.ok == true and not now_of(service) then return enter(service, 'ready', at) end -- its start isn't known
  if event.ok ~= false then return end
  service.refused, service.refusal = service.refused + 1, event.reason
end

function ON.unhealthy(service, event, at)
  healed(service, at)
  table.insert(service.sick, { from = at, reason = event.reason })
end

function ON.healthy(service, _, at) healed(service, at) end

local function ends(phase)
  return function(service, event, at)
    untold(service, event, at)
    healed(service, at)
    enter(service, phase, at, event.reason)
  end
end

ON.crashed, ON.backoff = ends 'backoff', ends 'backoff'
ON.completed, ON.failed, ON.skipped, ON.stopped = ends 'completed', ends 'failed', ends 'skipped', ends 'stopped'

---Whether results of probes say something of this service now: what keeps it from being ready.
---@param id? string
---@return boolean
function Fold:probing(id)
  local service = id and self.line.by_id[id]
  return service ~= nil and not service.ready_at and not (self.line.cut and now_of(service))
end

-- The first events are gone: of what was before it nothing is known.
local function cut_off(self)
  self.line.cut = true
  for _, service in ipairs(self.line.services) do service.phase, service.from, service.reason = {}, {}, {} end
end

local function last_of(service)
  local n = #service.phase
  return n > 0 and { phase = service.phase[n], from = service.from[n], reason = service.reason[n] or nil } or nil
end

-- What each was when the end began.
local function shut(self, event, at)
  self.line.shutdown = self.line.shutdown or { at = at, reason = event.reason }
  for _, service in ipairs(self.line.services) do service.last = service.last or last_of(service) end
end

---@param event event
function Fold:event(event)
  local line = self.line
  self.zero = self.zero or event.mono
  if not self.begun and (event.seq or 1) > 1 then cut_off(self) end
  self.begun = true
  local at = math.max(event.mono - self.zero, 0)
  line.at = line.at or event.at
  line.last = math.max(line.last, at)
  if event.name == 'all_ready' then
    line.ready_at = line.ready_at or at
  elseif event.name == 'shutdown' then
    shut(self, event, at)
  elseif event.service and ON[event.name] then
    ON[event.name](service_of(self, event.service), event, at, line)
  end
end

---@param now? integer mono, of a run that still lives
---@return timeline
function Fold:finish(now)
  local line = self.line
  if now and self.zero then line.live, line.last = true, math.max(line.last, now - self.zero) end
  for _, service in ipairs(line.services) do
    healed(service, line.last)
    service.last = service.last or last_of(service)
  end
  return line
end

-- The last phase that had begun by then; the first one where none had.
local function place(service, at)
  local low, high = 1, #service.from
  while low < high do
    local middle = (low + high + 1) // 2
    if service.from[middle] <= at then low = middle else high = middle - 1 end
  end
  return low
end

---Goes through what a service was, from one time to another.
---@param service timeline_service
---@param from number
---@param to number
---@param fn fun(phase: phase, from: number, to: number, reason: string|false, index: integer)
function M.each(service, from, to, fn)
  for i = place(service, from), #service.phase do
    local first, behind = service.from[i], service.from[i + 1] or to
    if first >= to then return end
    if behind > from then fn(service.phase[i], math.max(first, from), math.min(behind, to), service.reason[i], i) end
  end
end

---How long it was what, in the order in which it came.
---@return { phase: phase, ms: integer, reason: string? }[]
function M.parts(service, from, to)
  local out, by = {}, {}
  M.each(service, from, to, function(phase, first, behind, reason)
    if not by[phase] then
      by[phase] = { phase = phase, ms = 0 }
      out[#out + 1] = by[phase]
    end
    by[phase].ms, by[phase].reason = by[phase].ms + behind - first, reason or nil
  end)
  return out
end

return M
