--- What happens to the services of a simulation: rows at their time. Part of `stage`.

local procs = require 'pact.sim.proc'
local stage = require 'pact.sim.programs'

local Stage = stage.class

local happen = {}

function happen.crash(self, actor, row)
  if not stage.has_program(actor) then
    actor.gone = true
  else
    procs.finish(self.world, actor.proc, row.value.code, row.value.signal)
  end
end

happen.exit = happen.crash

function happen.hang(self, actor, row)
  local hung = actor.proc or true
  actor.hung = hung
  if row.lasts then
    self.world:at(row.lasts, function()
      if actor.hung ~= hung then return end
      actor.hung = nil
      if hung ~= true and hung.ended then return end
      self.context.tell(actor, row, { over = true })
    end)
  end
end

function happen.unhealthy(self, actor, row)
  local sick = { reason = row.value, proc = row.restart_heals and actor.proc or nil }
  if sick.reason == true then sick.reason = 'http 503' end
  actor.sick = sick
  if row.lasts then
    self.world:at(row.lasts, function()
      if actor.sick ~= sick then return end
      actor.sick = nil
      self.context.tell(actor, row, { over = true })
    end)
  end
end

function happen.recover(_, actor)
  actor.hung, actor.sick, actor.gone = nil, nil, nil
end

function happen.says(self, actor, row)
  self.world.say(actor.proc.spec.log, row.value, 1)
end

function happen.command(self, actor, row) self.context.command(row.value, actor.id) end

-- What a start is like from now on.
local function hold(self, actor, row)
  actor.effects[row.effect] = {
    row = row, left = row.times or math.huge, stop = row.lasts and self.world.now + row.lasts,
  }
end

happen.slow_start, happen.takes, happen.start_fails = hold, hold, hold

function happen.deaf(self, actor, row)
  hold(self, actor, row)
  if stage.alive(actor) then actor.proc.program.deaf = true end
end

local TO_PROCESSES = { crash = true, exit = true, hang = true, says = true }

---Lets a row happen to its service now.
---@param actor actor
---@param row table
function Stage:happen(actor, row)
  if TO_PROCESSES[row.effect] and stage.has_program(actor) and not stage.alive(actor) then
    return self.context.tell(actor, row, { nothing = 'has no process now' })
  end
  self.context.tell(actor, row, {})
  happen[row.effect](self, actor, row)
end

local function again(self, actor, row, left)
  self:happen(actor, row)
  if row.every and left > 1 then
    self.world:at(row.every, function() again(self, actor, row, left - 1) end)
  end
end

---A row of a service waits for its time.
---@param actor actor
---@param row table
function Stage:arrange(actor, row)
  local plain = not row.at and not row.every and not row.after
  if plain and row.effect == 'exit' and actor.service.task then return hold(self, actor, row) end
  if row.after or plain and TO_PROCESSES[row.effect] then
    actor.on_start = actor.on_start or {}
    table.insert(actor.on_start, { row = row, left = row.times or math.huge })
    return
  end
  local first = row.at or row.every
  if not first then return happen[row.effect](self, actor, row) end
  self.world:at(first - self.world.now, function() again(self, actor, row, row.times or math.huge) end)
end

---Rows that are checked; of services that are there already, and for those to come.
---@param list table[]
function Stage:script(list)
  for _, row in ipairs(list) do
    if row.subject ~= 'service' then
      self.answers:add(row)
    else
      self.rows[#self.rows + 1] = row
      if self.actors[row.service] then self:arrange(self.actors[row.service], row) end
    end
  end
end

return stage
