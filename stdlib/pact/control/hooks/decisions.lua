--- Which hook had the last word about each service, for `why`.

local M = {}

---@class decision
---@field hook string the event it was asked about
---@field file string
---@field line integer
---@field verdict string
---@field at integer wall ms

---@class decisions
local Decisions = {}
Decisions.__index = Decisions

---@return decisions
function M.new() return setmetatable({ last = {} }, Decisions) end

local HEALTH = { unhealthy = true, health_check_failed = true }

-- What a hook said of a service's health stands behind the end that it led to.
local function over(decision, event)
  if event.name == 'started' then return (event.restart_count or 0) == 0 end
  return event.name == 'crashed' and not (HEALTH[decision.hook] and (event.reason or ''):find '^unhealthy: ')
end

---@param event event
function Decisions:event(event)
  local id = event.service
  local known = id and self.last[id]
  if event.name == 'hook_ended' and event.used and event.verdict then
    self.last[id] = {
      hook = event.hook, file = event.file, line = event.line, verdict = event.verdict, at = event.at,
    }
  elseif known and over(known, event) then
    self.last[id] = nil
  end
end

---@param id string
---@return decision?
function Decisions:of(id) return self.last[id] end

return M
