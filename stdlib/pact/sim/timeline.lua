--- What has happened in a simulation, and who decided it: entries of a play as lines for people and as
-- records for programs.

local duration = require 'pact.base.duration'
local list = require 'pact.base.list'
local signals = require 'pact.declare.signals'
local text = require 'pact.base.text'

local M = {}

---@class timeline
local Timeline = {}
Timeline.__index = Timeline

---One entry: at, service, event, reason, by.
---@class moment
---@field at integer virtual ms
---@field service? string
---@field event string
---@field reason? string
---@field text? string what was printed
---@field by? { policy?: string, hook?: string, fault?: string, verdict?: string, words: string }

---@param plan_of fun(): plan?
---@return timeline
function M.new(plan_of)
  return setmetatable({ plan_of = plan_of, verdicts = {}, last = {}, crashed = {} }, Timeline)
end

local function place_of(fn)
  local info = debug.getinfo(fn, 'S')
  return ('%s:%d'):format(info.short_src, info.linedefined)
end

local function attempt(event, restart)
  if not restart.max_retries then return ('attempt %d'):format(event.attempt or 0) end
  return ('attempt %d of %d'):format(event.attempt or 0, restart.max_retries)
end

-- The policy of a service, as who decides.
function Timeline:policy(event)
  local plan = self.plan_of()
  local service = plan and plan.services[event.service]
  if not service then return nil end
  local restart = service.restart
  if restart.policy == 'function' then
    local where = place_of(restart.decide)
    return { policy = 'function', hook = where, words = ('restart function %s'):format(where) }
  end
  local words = ('policy %s'):format(restart.policy)
  if event.name == 'backoff' then words = ('%s, %s'):format(words, attempt(event, restart)) end
  return { policy = restart.policy, words = words }
end

local HEALTH = { unhealthy = true, health_check_failed = true }

-- A verdict that was used is told behind what it has led to; of health, what it leads to comes later.
function Timeline:used(event, verdict)
  local last = self.last[event.service]
  if HEALTH[event.hook] then
    self.verdicts[event.service] = { by = verdict }
  elseif last and last.data.mono == event.mono then
    last.by = verdict
  end
end

local BY = {}

-- A verdict on a service's health decides that it is ended, and what follows at once.
local function decided(self, event)
  local held = self.verdicts[event.service]
  if not held or held.mono and held.mono ~= event.mono then return nil end
  held.mono = event.mono
  return held.by
end

-- What could not be started has failed without anybody's decision.
local function by_verdict_or_policy(self, event)
  return decided(self, event) or self.crashed[event.service] and self:policy(event) or nil
end

BY.backoff, BY.failed, BY.stopped = by_verdict_or_policy, by_verdict_or_policy, decided

-- What was said of its last life decides nothing in the next one.
function BY.started(self, event) self.crashed[event.service], self.verdicts[event.service] = nil, nil end

-- Why a living service was ended.
function BY.crashed(self, event)
  self.crashed[event.service] = true
  local verdict = decided(self, event)
  if verdict or not (event.reason or ''):find '^unhealthy: ' then return verdict end
  local plan = self.plan_of()
  local service = plan and plan.services[event.service]
  if not service or service.on_unhealthy ~= 'restart' then return nil end
  return { policy = 'on_unhealthy', words = "on_unhealthy = 'restart'" }
end

function BY.restarted(_, event)
  if event.by and event.by ~= 'policy' then return { policy = event.by, words = 'by ' .. event.by } end
end

function BY.hook_ended(self, event)
  local where = ('%s:%d'):format(event.file or '?', event.line or 0)
  local by = { hook = where, verdict = event.verdict, words = 'hook ' .. where }
  if event.verdict and event.used then
    self:used(event, { hook = where, verdict = event.verdict, words = ('hook %s: %s'):format(where, event.verdict) })
  end
  return by
end

local WORDS = {}

function WORDS.started(event) return event.pid and ('pid %d'):format(event.pid) end
function WORDS.backoff(event)
  return ('next start in %s'):format(duration.format(event.delay or 0))
end
function WORDS.hook_ended(event)
  local verdict = event.verdict and ('verdict %s'):format(event.verdict) or 'no verdict'
  local used = event.verdict and (event.used and ', used' or ', not used') or ''
  return ('%s: %s%s%s'):format(event.hook, verdict, used, event.overruled and ': ' .. tostring(event.overruled) or '')
end
function WORDS.hook_failed(event)
  local where = event.file and ('%s:%s: '):format(event.file, event.line or '?') or ''
  return where .. tostring(event.message or event.reason)
end
function WORDS.restarted(event) return event.restart_count and ('restart %d'):format(event.restart_count) end

local function of_event(self, entry)
  local event = entry.event
  local words, by = WORDS[event.name], BY[event.name]
  local moment = {
    at = entry.at, service = event.service, event = event.name, data = event,
    reason = words and words(event) or not words and event.reason or nil, by = by and by(self, event),
  }
  if by and event.service and event.name ~= 'hook_ended' then self.last[event.service] = moment end
  return moment
end

local function shown(row)
  local value = row.value
  if type(value) ~= 'table' then return value == true and '' or ' ' .. text.show(value) end
  return value.signal and ' SIG' .. signals.name(value.signal) or (' exit code %d'):format(value.code)
end

local KIND = {}

KIND.event = of_event

function KIND.fault(_, entry)
  local row = entry.row
  local source = row.random and 'random' or row.place or 'test'
  local reason = row.effect .. shown(row)
  if row.lasts then reason = ('%s for %s'):format(reason, duration.format(row.lasts)) end
  if entry.over then reason = ('%s is over'):format(row.effect) end
  if entry.nothing then reason = ('%s: nothing happens, it %s'):format(row.effect, entry.nothing) end
  local by = { fault = source, words = source }
  return { at = entry.at, service = entry.service, event = 'fault', reason = reason, by = by }
end

function KIND.act(_, entry)
  local where = entry.where ~= '' and entry.where or nil
  local who = ('%s%s'):format(entry.by, where and ' ' .. where or '')
  local service = entry.ids and #entry.ids == 1 and entry.ids[1] or nil
  return {
    at = entry.at, service = service, event = 'command',
    reason = entry.command .. (entry.ids and #entry.ids > 1 and ' ' .. table.concat(entry.ids, ', ') or ''),
    by = { hook = where, policy = entry.by, words = who },
  }
end

function KIND.say(_, entry)
  return { at = entry.at, event = 'print', reason = (entry.text:gsub('\n$', '')), text = entry.text }
end

---@param entry table of a play
---@return moment
function Timeline:moment(entry) return KIND[entry.kind](self, entry) end

-- What says nothing new to people: it stands beside another one.
local QUIET = { running = true, probe = true, metrics = true }

---@param moment moment
---@return boolean
function M.shows(moment)
  local event = moment.data
  if QUIET[moment.event] then return false end
  if moment.event == 'health_check_failed' and event and event.edge then return false end
  if moment.event == 'healthy' and event.to == 'starting' then return false end
  if moment.event == 'hook_ended' and not event.verdict then return false end
  return true
end

local EVENT_WIDTH = #'health_check_failed'
local forms = {} -- of a line, by the width of the services' column

---@param moment moment
---@param width integer of the services' column
---@return string
function M.line(moment, width)
  local form = forms[width]
  if not form then
    form = ('%%9.3f  %%-%ds  %%-%ds %%s'):format(math.min(width, 99), EVENT_WIDTH)
    forms[width] = form
  end
  local words = moment.reason or ''
  if words:find('\n', 1, true) then words = words:gsub('\n', '\n' .. (' '):rep(14 + width + EVENT_WIDTH)) end
  if moment.by then words = ('%s%s[%s]'):format(words, words ~= '' and '  ' or '', moment.by.words) end
  local line = form:format(moment.at / 1000, moment.service or '', moment.event, words)
  return (words == '' and line:gsub(' +$', '') or line) .. '\n'
end

local OURS = list.set { 'name', 'at', 'mono', 'seq', 'service', 'reason' }

---@param moment moment
---@return table for JSON: at (virtual ms), service, event, reason, by, and the event's own fields
function M.record(moment)
  local out = { at = moment.at, service = moment.service, event = moment.event, reason = moment.reason, by = moment.by }
  for name, value in pairs(moment.data or {}) do
    if not OURS[name] and out[name] == nil then out[name] = value end
  end
  if moment.data and moment.data.by then out.actor, out.by = moment.data.by, moment.by end
  if moment.data and moment.data.reason then out.reason = moment.data.reason end
  return out
end

return M
