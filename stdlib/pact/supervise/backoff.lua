--- Whether and when an ended service starts again: pure arithmetic over its restart policy.

local M = {}

-- After a run of this length the next start needs no delay.
M.LONG_RUN = 10000

local RETRIES = { always = true, ['unless-stopped'] = true }

-- A function that gave nothing of use is taken for the usual policy.
local ON_FAILURE = { ['on-failure'] = true, ['function'] = true }

---@param policy restart
---@param attempt integer 1 for the first restart in a row
---@param random number in [0, 1)
---@return integer ms
function M.delay(policy, attempt, random)
  local delay = policy.delay * policy.factor ^ math.min(attempt - 1, 64)
  delay = math.min(delay, policy.max_delay)
  delay = delay * (1 + policy.jitter * (2 * random - 1))
  return math.max(0, math.floor(math.min(delay, policy.max_delay) + 0.5))
end

---@class backoff_facts
---@field success boolean it ended as it should
---@field uptime integer ms of the run that has ended
---@field attempt integer restarts in a row so far
---@field random number
---@field reason string of the end

---@param policy restart
---@param facts backoff_facts
---@return 'restart'|'completed'|'failed' what
---@return integer|string delay or the reason
function M.decide(policy, facts)
  local again = RETRIES[policy.policy] or (ON_FAILURE[policy.policy] and not facts.success)
  if not again then
    return facts.success and 'completed' or 'failed', facts.reason
  elseif M.exhausted(policy, facts.attempt) then
    return 'failed', M.gave_up(facts.reason, facts.attempt)
  elseif facts.uptime >= M.LONG_RUN then
    return 'restart', 0
  end
  return 'restart', M.delay(policy, facts.attempt + 1, facts.random)
end

---@return boolean no further restart counts
function M.exhausted(policy, attempt)
  return policy.max_retries ~= nil and attempt >= policy.max_retries
end

---@return string
function M.gave_up(reason, attempt)
  if attempt == 0 then
    return reason
  end
  return ('%s; gave up after %d restart%s'):format(reason, attempt, attempt == 1 and '' or 's')
end

-- What the machine refuses now and may grant later.
local SCARCE = { EAGAIN = true, ENOMEM = true, EMFILE = true, ENFILE = true }

---@param code? string errno's name of a start that failed
---@return boolean it is worth trying again, uncounted
function M.passes(code)
  return SCARCE[code] or false
end

return M
