--- What hooks may answer, and how an answer is told from any other value: the table `pact.verdict`.

local duration = require 'pact.base.duration'
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---The events on which a verdict decides something.
M.EVENTS = { crashed = true, health_check_failed = true, unhealthy = true, failed = true }

local Verdict = { __name = 'verdict' }

function Verdict.__tostring(self)
  local out = { self.action }
  if self.after then out[#out + 1] = 'after ' .. duration.format(self.after) end
  if self.count == false then out[#out + 1] = 'uncounted' end
  if self.reason then out[#out + 1] = ("'%s'"):format(self.reason) end
  return table.concat(out, ' ')
end

function Verdict.__newindex() error('a verdict cannot be changed', 2) end

local function make(fields) return setmetatable(fields, Verdict) end

local function milliseconds(value, what)
  local ms, message = duration.parse(value)
  if not ms then error(('%s %s'):format(what, message), 3) end
  return ms
end

local KEYS = { 'after', 'count' }

local function check_restart(spec)
  if type(spec) ~= 'table' or getmetatable(spec) then
    error(("pact.verdict.restart takes a table such as { after = '2s', count = false }, got %s")
      :format(text.show(spec)), 3)
  end
  for key in list.sorted(spec) do
    if not list.index(KEYS, key) then
      error(('pact.verdict.restart: unknown key %s%s'):format(text.show(key), text.suggest(tostring(key), KEYS)), 3)
    end
  end
  if spec.count ~= nil and type(spec.count) ~= 'boolean' then
    error(('pact.verdict.restart: count must be true or false, got %s'):format(text.show(spec.count)), 3)
  end
end

local constructors = {}

function constructors.restart(spec)
  if spec == nil then spec = {} end
  check_restart(spec)
  local after = spec.after
  return make {
    action = 'restart', count = spec.count,
    after = after ~= nil and milliseconds(after, 'pact.verdict.restart: after') or nil,
  }
end

function constructors.wait(time)
  if time == nil then error("pact.verdict.wait needs a time such as '5s'", 2) end
  return make { action = 'wait', after = milliseconds(time, 'pact.verdict.wait: the time') }
end

function constructors.ignore(...)
  if select('#', ...) > 0 then error('pact.verdict.ignore takes nothing', 2) end
  return make { action = 'ignore' }
end

function constructors.fail(why)
  if why ~= nil and type(why) ~= 'string' then
    error(('pact.verdict.fail takes the reason as text, got %s'):format(text.show(why)), 2)
  end
  local line = why and text.trim(why):gsub('%s*\n%s*', ' ') -- it may be what a program or an address has said
  return make { action = 'fail', reason = line ~= '' and line or nil }
end

---`pact.verdict`.
M.api = setmetatable({}, {
  __index = function(_, key)
    return constructors[key] or error(('there is no pact.verdict.%s%s')
      :format(tostring(key), text.suggest(tostring(key), list.keys(constructors))), 2)
  end,
  __newindex = function(_, key) error(('pact.verdict.%s cannot be set'):format(tostring(key)), 2) end,
})

---@param value any
---@return boolean
function M.is(value) return getmetatable(value) == Verdict end

---What is wrong with what a hook returned; nil when nothing is.
---@param event string
---@param value any
---@return string?
function M.wrong(event, value)
  if M.is(value) then
    if M.EVENTS[event] then return nil end
    return ("gave the verdict '%s', but nothing is decided on '%s' (only on %s)")
      :format(value, event, text.quoted(list.keys(M.EVENTS)))
  elseif M.EVENTS[event] and value then
    return ('returned %s, which is no verdict: return pact.verdict.restart{…}, wait(d), ignore() or fail(why), '
      .. 'or nothing'):format(text.show(value))
  end
end

return M
