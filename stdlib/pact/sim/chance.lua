--- Faults at random: for each service a series of its own, from the seed and its id alone, so that another
-- policy meets the same faults.

local world = require 'pact.sim.world'

local M = {}

local EVERY_MS = 60000
local LONGEST_MS, SHORTEST_MS = 60000, 2000

-- What may happen, how often in a hundred, and to whom.
local KINDS = {
  { 40, 'crash', function() return { code = 1 } end },
  { 10, 'crash', function() return { signal = 9 } end },
  { 15, 'hang', function() return true end, lasts = true },
  { 25, 'unhealthy', function() return true end, lasts = true, needs = 'health' },
  { 10, 'slow_start', function(span) return span end, lasts = true },
}
local WITHOUT_PROGRAM = { unhealthy = true, hang = true }

local function hash(id, seed)
  local state = (seed * 2654435761 + 97) % 2147483648
  for i = 1, #id do state = (state * 31 + id:byte(i)) % 2147483648 end
  return state
end

---@class series
local Series = {}
Series.__index = Series

function Series:next()
  local number
  self.state, number = world.random(self.state)
  return number
end

-- Pauses as of independent faults: mostly short, now and then long.
function Series:pause(mean)
  return math.max(1, math.floor(-math.log(1 - self:next()) * mean))
end

local function possible(kind, service)
  if kind.needs and not service.health and not service.ready then return false end
  local program = service.kind ~= 'external' and service.kind ~= 'worker'
  return program or WITHOUT_PROGRAM[kind[2]] or false
end

function Series:row(service)
  local dice, span = self:next() * 100, SHORTEST_MS + math.floor(self:next() * (LONGEST_MS - SHORTEST_MS))
  for _, kind in ipairs(KINDS) do
    dice = dice - kind[1]
    if dice < 0 then
      if not possible(kind, service) then return nil end
      return {
        subject = 'service', service = service.id, effect = kind[2], value = kind[3](span), lasts = kind.lasts and span,
        random = true,
      }
    end
  end
end

local function go_on(play, actor, series, mean)
  play.world:at(series:pause(mean), function()
    local row = series:row(actor.service)
    if row then play.stage:happen(actor, row) end
    go_on(play, actor, series, mean)
  end)
end

---Faults begin to happen to all services that live for long.
---@param play play with its stage cast
---@param opts { seed: integer, every?: integer } every: ms between two faults of a service, on average
function M.begin(play, opts)
  for _, id in ipairs(play.stage.order) do
    local actor = play.stage.actors[id]
    if not actor.service.task then
      go_on(play, actor, setmetatable({ state = hash(id, opts.seed) }, Series), opts.every or EVERY_MS)
    end
  end
end

return M
