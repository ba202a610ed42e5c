--- `ci`: the front of a network that is brought up to see whether it comes up. Keeps what became of each
-- service until the end is asked for, and writes it as JUnit's XML.

local junit = require 'pact.observe.junit'

local M = {}

local LAST_LINES = 50
-- Events that settle a service. A failure stands, whatever was before it.
local OUTCOMES = { ready = 'passed', completed = 'passed', failed = 'failure', skipped = 'skipped' }

---@class front_ci
local Ci = {}
Ci.__index = Ci

---@param front front
---@return front_ci
function M.new(front)
  return setmetatable({ front = front, seen = {}, began = front.sys.time.now() }, Ci)
end

---@param event event
function Ci:event(event)
  if event.name == 'shutdown' then self.ending, self.until_mono = event.reason, event.mono end
  if not event.service then return end
  local seen = self.seen[event.service] or {}
  self.seen[event.service] = seen
  if event.name == 'started' then seen.from = seen.from or event.mono end
  local outcome = OUTCOMES[event.name]
  if self.ending or not outcome or seen.outcome == 'failure' then return end
  seen.outcome, seen.message, seen.to = outcome, event.reason, seen.to or event.mono
  self.failed = self.failed or outcome == 'failure'
end

---All are ready or completed: that was to be seen. With a CMD that comes next.
function Ci:ready()
  self.all_ready = true
  if not self.front.command then self.front:post('/v1/shutdown', { reason = 'all is ready', status = 0 }) end
end

local function last_lines(front, id)
  local out = {}
  for i, line in ipairs(front:last_lines(id, LAST_LINES) or {}) do out[i] = line.text .. '\n' end
  return out[1] and table.concat(out)
end

-- What wasn't settled is a failure of its own, unless another one came first; when all were ready, nobody
-- waited for it.
local function case_of(self, service)
  local seen = self.seen[service.id] or {}
  local outcome, message = seen.outcome, seen.message
  if not outcome then
    outcome = self.all_ready and 'passed' or self.failed and 'skipped' or 'failure'
    message = 'never became ready: ' .. (self.ending or 'the network has ended')
  end
  return {
    name = service.id, outcome = outcome, message = message,
    ms = seen.from and (seen.to or self.until_mono or seen.from) - seen.from or 0,
    text = outcome == 'failure' and last_lines(self.front, service.id) or nil,
  }
end

local function command_case(front)
  local status = front.command_status
  return {
    name = table.concat(front.command, ' '), ms = front.command_ms or 0,
    outcome = status == 0 and 'passed' or 'failure',
    message = status and ('status %d'):format(status) or 'was not run',
  }
end

local function cases(self)
  local front, out = self.front, {}
  if front.refused or not front.ended then
    local why = front.refused and front.refused.text or front:crash_text()
    return { { name = 'network', ms = 0, outcome = 'error', message = why } }
  end
  for _, service in ipairs(front.ended.services) do
    if service.status ~= 'idle' or self.seen[service.id] then out[#out + 1] = case_of(self, service) end
  end
  if front.command then out[#out + 1] = command_case(front) end
  return out
end

---The status of the whole. One that fails in the moment in which all is ready is a failure, whatever was asked then.
---@param status integer of the network
---@return integer
function Ci:status(status) return status == 0 and self.failed and 3 or status end

---Services that never became ready, though nothing else had failed: their last lines are of interest, too.
---@return table<string, true>
function Ci:unready()
  local out = {}
  for _, service in ipairs(self.front.ended.services) do
    local seen = self.seen[service.id]
    if seen and seen.from and not seen.outcome and not self.all_ready then out[service.id] = true end
  end
  return out
end

---Writes the file that was asked for.
---@return true?, string? message
function Ci:write()
  local front, path = self.front, self.front.options.junit
  if not path then return true end
  local name = front.hello and front.hello.project or front.context.recipe.name
  local ok, message = front.sys.fs.write(path, junit.render {
    name = name, ms = front.sys.time.now() - self.began, cases = cases(self),
  })
  if ok then return true end
  return nil, '--junit: ' .. message
end

return M
