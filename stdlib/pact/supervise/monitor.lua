--- Keeps asking how a living service is: one probe at a time, of one epoch, as `health` says.

local health = require 'pact.supervise.health'
local probes = require 'pact.supervise.probes'
local reason = require 'pact.supervise.reason'

local M = {}

---@class monitor
local Monitor = {}
Monitor.__index = Monitor

---@class monitor_host
---@field sys sys
---@field sched sched
---@field external boolean it lives already: the first probe comes at once
---@field log? integer
---@field spawn fun(): table
---@field handle fun(): any
---@field probed fun(result: { ok: boolean, reason: string, ms: integer, at: integer })
---@field edge fun(edge: health_edge)

local FIELDS = { 'url', 'host', 'port', 'path' }
-- What is asked again and again; others tell by themselves.
local ASKED = setmetatable({ log = false, notify = false }, { __index = function() return true end })

local function has_functions(spec)
  for _, name in ipairs(FIELDS) do
    if type(spec[name]) == 'function' then return true end
  end
  return false
end

---@param host monitor_host
---@param spec health
---@return monitor
function M.start(host, spec)
  local self = setmetatable({
    host = host,
    spec = spec,
    varies = has_functions(spec),
    count = health.new(spec, host.sys.time.now()),
  }, Monitor)
  self:expect()
  if spec.kind == 'log' then
    self:watch()
  elseif spec.kind == 'notify' then
    self:listen()
  else
    self:later(host.external and 0 or health.first_pause(self.count))
  end
  return self
end

-- How long the first probe may still take for its answer: an interval, for nobody is judged unasked.
local function benefit(self)
  if self.answered or not ASKED[self.spec.kind] then return 0 end
  local now, spec = self.host.sys.time.now(), self.spec
  return (self.began or now) + math.min(spec.interval, spec.timeout) - now
end

-- Without a success until the deadline it is unhealthy.
function Monitor:expect()
  local ms = math.max(0, self.count.deadline - self.host.sys.time.now())
  local function judge()
    local more = benefit(self)
    self.deadline = more > 0 and self.host.sched:after(more, judge) or nil
    if not self.deadline then self:tell(health.overdue(self.count)) end
  end
  self.deadline = self.host.sched:after(ms, judge)
end

function Monitor:tell(edge)
  if edge and edge.state == 'healthy' then
    self.host.sched:cancel(self.deadline)
    self.deadline = nil
  end
  if edge then self.host.edge(edge) end
end

function Monitor:later(ms)
  self.timer = self.host.sched:after(ms, function()
    self.timer = nil
    self:resolve()
  end)
end

-- The words of a line stand for a probe's success.
function Monitor:watch()
  local sys, sched = self.host.sys, self.host.sched
  self.count.last = 'the line that makes it healthy has not come'
  local id, message = sys.log.match(self.host.log, self.spec.pattern)
  if not id then
    self.count.last = message
    return
  end
  self.match, self.began = id, sys.time.now()
  sched:on(id, function(_, text)
    sched:cancel(id)
    self.match = nil
    self:result(true, ("logged '%s'"):format(reason.last_line(text)))
  end)
end

-- It tells by itself: READY=1 is a probe's success, and so is each WATCHDOG=1. Whoever has begun with
-- these, or was given an interval, fails where none comes in time.
function Monitor:listen()
  self.began = self.host.sys.time.now()
  self.count.last = 'READY=1 has not come'
  self.interval, self.dogged = self.spec.interval, self.spec.watchdog
end

---@param fields table<string, string> of sd_notify
---@param interval? integer the one that it asks for from now on
function Monitor:notified(fields, interval)
  if self.spec.kind ~= 'notify' or self.stopped then return end
  self.interval = interval or self.interval
  if fields.STOPPING == '1' then self:hush() end
  if fields.WATCHDOG == 'trigger' then
    self:hush()
    self.host.probed { ok = false, reason = 'WATCHDOG=trigger', ms = 0, at = self.host.sys.time.wall() }
    return self:tell(health.give_up(self.count, 'WATCHDOG=trigger'))
  end
  local alive = fields.WATCHDOG == '1'
  self.dogged = self.dogged or alive
  if fields.READY == '1' or (alive and self.count.passed) then
    self:success(fields.READY == '1' and 'READY=1' or 'WATCHDOG=1')
  end
end

function Monitor:success(why)
  self:hush()
  self:result(true, why)
end

function Monitor:hush()
  self.host.sched:cancel(self.timer)
  self.timer = nil
end

-- The next WATCHDOG=1 is due.
function Monitor:await(ms)
  self.timer = self.host.sched:after(ms, function()
    self.timer, self.began = nil, self.host.sys.time.now()
    self:result(false, 'no WATCHDOG=1 in ' .. reason.span(self.interval))
  end)
end

---The first success may come so much later.
---@param ms integer from now
function Monitor:extend(ms)
  local now = self.host.sys.time.now()
  if not self.deadline or self.count.deadline >= now + ms then return end
  self.host.sched:cancel(self.deadline)
  self.count.deadline = now + ms
  self:expect()
end

-- Fields that the recipe gives as functions are called before each probe, where they may wait.
function Monitor:resolve()
  self.began = self.host.sys.time.now()
  if not self.varies then return self:probe(self.spec) end
  local spec = setmetatable({}, { __index = self.spec })
  self.task = self.host.sched:spawn(function()
    for _, name in ipairs(FIELDS) do
      if type(self.spec[name]) == 'function' then spec[name] = self.spec[name]() end
    end
  end, {
    name = 'address of a health check',
    budget = 250,
    on_done = function()
      self.task = nil
      self:probe(spec)
    end,
    on_error = function(message)
      self.task = nil
      self:result(false, message)
    end,
  })
end

function Monitor:probe(spec)
  local probe = probes[spec.kind]
  if type(probe) ~= 'function' then
    return self:result(false, ("a process can't be checked by '%s'"):format(spec.kind))
  end
  local over = false
  local ok, abort = self.host.sys.try(probe, self.host, spec, function(passed, why)
    if over or self.stopped then return end
    over, self.abort = true, nil
    self:result(passed, why)
  end)
  if not ok then
    over = true
    return self:result(false, abort.message)
  end
  if not over then self.abort = abort end
end

function Monitor:result(ok, why)
  if self.stopped then return end
  local now = self.host.sys.time.now()
  self.answered = true
  self.host.probed { ok = ok, reason = why, ms = now - (self.began or now), at = self.host.sys.time.wall() }
  if self.stopped then return end
  local edge, pause = health.observe(self.count, ok, why)
  self:tell(edge)
  if self.spec.kind == 'notify' then
    if self.dogged and not self.stopped then self:await(ok and self.interval or math.min(pause, self.interval)) end
    return
  end
  if self.stopped or self.spec.kind == 'log' or (ok and probes.LASTING[self.spec.kind]) then return end
  self:later(pause)
end

---The same check, with other times and another generation's functions.
---@param spec health
function Monitor:adopt(spec)
  local before = self.spec
  self.spec, self.varies = spec, has_functions(spec)
  health.adopt(self.count, spec)
  if self.stopped then return end
  if self.deadline then
    self.host.sched:cancel(self.deadline)
    self:expect()
  end
  if spec.kind == 'notify' then
    self.interval, self.dogged = spec.interval, self.dogged or spec.watchdog
  elseif self.timer and (before.interval ~= spec.interval or before.start_interval ~= spec.start_interval) then
    self:hush()
    self:later(health.pause(self.count))
  end
end

---Ends it; what is under way is ended too, and nothing more is told.
function Monitor:stop()
  if self.stopped then return end
  self.stopped = true
  local sched = self.host.sched
  sched:cancel(self.timer)
  sched:cancel(self.deadline)
  sched:cancel(self.match)
  if self.task then sched:stop(self.task) end
  if self.abort then self.abort() end
end

return M
