--- What probes mean: when the next one comes, and what their results make of a service. No clock, no effect.

local reason = require 'pact.supervise.reason'

local M = {}

local FIRST_PAUSE = 100
local TROUBLED_PAUSE = 2000

---@class health_count
---@field spec health
---@field state health_state
---@field passed boolean there was a success
---@field failures integer in a row that count
---@field began integer
---@field deadline integer without a success until then it is unhealthy
---@field pause integer
---@field last string why the last probe failed
---@field same integer how many failures in a row had that reason

---@class health_edge
---@field state 'healthy'|'unhealthy'
---@field edge boolean the state has changed; else `retries` further failures
---@field reason string
---@field failures integer

---@param spec health
---@param now integer
---@return health_count
function M.new(spec, now)
  return {
    spec = spec,
    state = 'unknown',
    passed = false,
    failures = 0,
    began = now,
    deadline = now + spec.start_period + spec.retries * spec.interval,
    pause = math.min(FIRST_PAUSE, spec.start_interval, spec.interval),
    last = 'no answer yet',
    same = 0,
  }
end

---@param count health_count
---@return integer ms from the start to the first probe
function M.first_pause(count)
  return count.pause
end

local TIMES = { interval = true, timeout = true, retries = true, start_period = true, start_interval = true }

local function same(a, b)
  if a == b or type(a) == 'function' and type(b) == 'function' then return true end
  if type(a) ~= 'table' or type(b) ~= 'table' then return false end
  for key, value in pairs(a) do
    if not TIMES[key] and not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if not TIMES[key] and a[key] == nil then return false end
  end
  return true
end

---Whether two ask for the same thing, at other times perhaps. Functions of two generations of a recipe stand for each
---other.
---@param a? health
---@param b? health
---@return boolean
function M.same_check(a, b) return same(a, b) end

---Goes on by other times: the check itself is the same.
---@param count health_count
---@param spec health
function M.adopt(count, spec)
  count.spec, count.deadline = spec, count.began + spec.start_period + spec.retries * spec.interval
  count.pause = math.min(count.pause, spec.start_interval, spec.interval)
end

-- The pause to the next probe.
local function pause(count)
  local spec = count.spec
  if count.failures > 0 or count.state == 'unhealthy' then
    return math.min(spec.interval, TROUBLED_PAUSE)
  elseif count.passed then
    return spec.interval
  end
  local now = count.pause
  count.pause = math.min(now * 2, spec.start_interval, spec.interval)
  return now
end

local function words(count)
  if count.same >= count.failures and count.failures > 1 then
    return count.last .. ' ' .. reason.times(count.failures)
  end
  return count.last
end

local function success(count, why)
  count.passed, count.failures, count.same = true, 0, 0
  if count.state == 'healthy' then
    return nil
  end
  count.state = 'healthy'
  return { state = 'healthy', edge = true, reason = why, failures = 0 }
end

local function failure(count, why)
  count.same = why == count.last and count.same + 1 or 1
  count.last = why
  if not count.passed and count.state ~= 'unhealthy' then
    return nil
  end
  count.failures = count.failures + 1
  if count.failures % count.spec.retries ~= 0 then
    return nil
  end
  local edge = count.state ~= 'unhealthy'
  count.state = 'unhealthy'
  return { state = 'unhealthy', edge = edge, reason = words(count), failures = count.failures }
end

---@param count health_count
---@param ok boolean
---@param why string
---@return health_edge? edge
---@return integer pause ms to the next probe
function M.observe(count, ok, why)
  local edge
  if ok then
    edge = success(count, why)
  else
    edge = failure(count, why)
  end
  return edge, pause(count)
end

---@param count health_count
---@return integer ms from the last probe to the next
function M.pause(count) return pause(count) end

---It says itself that it is not well: no further failures are waited for.
---@param count health_count
---@param why string
---@return health_edge
function M.give_up(count, why)
  local edge = count.state ~= 'unhealthy'
  count.state, count.passed, count.last, count.same = 'unhealthy', true, why, 1
  count.failures = count.failures + count.spec.retries
  return { state = 'unhealthy', edge = edge, reason = why, failures = count.failures }
end

---The deadline for the first success has come.
---@param count health_count
---@return health_edge? edge
function M.overdue(count)
  if count.passed or count.state == 'unhealthy' then
    return nil
  end
  count.state, count.failures = 'unhealthy', 0
  local spec = count.spec
  local span = reason.span(spec.start_period + spec.retries * spec.interval)
  return {
    state = 'unhealthy',
    edge = true,
    reason = ('no success in %s: %s'):format(span, count.last),
    failures = 0,
  }
end

return M
