--- What the services of a simulation run: their programs, commands of probes and of stops. Part of `stage`.

local procs = require 'pact.sim.proc'
local stage = require 'pact.sim.stage'

local TASK_MS, PROBE_MS, READY_MS = 100, 1, 50
local ERRNO = { ENOENT = 'No such file or directory', EACCES = 'Permission denied', ENOEXEC = 'Exec format error',
  EAGAIN = 'Resource temporarily unavailable', ENOMEM = 'Cannot allocate memory', EMFILE = 'Too many open files' }

local Stage = stage.class

local function failing(name)
  return { fail = name, message = ERRNO[name] or name, step = 'exec' }
end

local function probe_program(self, check)
  local state, why = self:state(check.actor)
  if state == 'hung' then return { name = 'probe' } end
  local well = state == 'well'
  return { name = 'probe', exit_after = PROBE_MS, code = well and 0 or 1, stderr = well and '' or why }
end

-- An effect that holds now and, where its times are counted, once less from now on.
local function taken(self, actor, effect, counted)
  local held = actor.effects[effect]
  if not held or held.stop and self.world.now >= held.stop or held.left <= 0 then return nil end
  if counted then held.left = held.left - 1 end
  return held.row
end

local function speak(self, actor, proc)
  for _, line in ipairs(self.lines[actor.id]) do
    self.world:at(actor.slow, function()
      if not proc.ended and actor.hung ~= proc then self.world.say(proc.spec.log, line, 1) end
    end)
  end
end

-- One that is asked to tell by sd_notify does, as long as it is well.
local function notify(self, actor, proc, socket, word)
  local health = actor.service.health
  local watched = health and health.kind == 'notify'
  self.world:at(word == 'READY=1' and READY_MS or health.interval // 2, function()
    if proc.ended or actor.proc ~= proc then return end
    local well = self:state(actor) == 'well'
    if well then self.world:datagram(socket, word, proc.pid) end
    if well and not watched then return end
    notify(self, actor, proc, socket, well and 'WATCHDOG=1' or word)
  end)
end

local function began(self, actor, proc)
  actor.proc = proc
  speak(self, actor, proc)
  local socket = procs.variable(proc.spec, 'NOTIFY_SOCKET')
  if socket then notify(self, actor, proc, socket, 'READY=1') end
  for _, entry in ipairs(actor.on_start or {}) do
    if entry.left > 0 then
      self.world:at(entry.row.after or 0, function()
        if proc.ended or entry.left <= 0 then return end
        entry.left = entry.left - 1
        self:happen(actor, entry.row)
      end)
    end
  end
end

local function ports_of(service)
  local numbers = {}
  for i, port in ipairs(service.ports) do numbers[i] = port.port end
  return numbers
end

local function main_program(self, actor)
  local service = actor.service
  actor.starts = actor.starts + 1
  local fails = taken(self, actor, 'start_fails', true)
  if fails then return failing(fails.value == true and 'ENOENT' or fails.value) end
  local slow = taken(self, actor, 'slow_start', true)
  actor.slow = slow and slow.value or 0
  local program = {
    name = actor.id, listens = ports_of(service), listens_after = actor.slow, deaf = taken(self, actor, 'deaf') ~= nil,
    started = function(proc) began(self, actor, proc) end,
  }
  if service.task then
    local takes, ends = taken(self, actor, 'takes'), taken(self, actor, 'exit', true)
    program.exit_after = takes and takes.value or math.max(TASK_MS, actor.slow)
    program.code = ends and ends.value.code or 0
  end
  return program
end

---@param spec sys.spawn_spec
---@return table? program
function Stage:program(spec)
  local id = spec.tag and spec.tag:match '/([^/]+)/%d+$' or spec.tag and spec.tag:match '/([^/]+)/%d+/probe$'
  local actor = id and self.actors[id]
  if not actor then return nil end
  if spec.argv == actor.service.stop.command then
    return { name = 'stop', exit_after = PROBE_MS, started = function()
      if stage.alive(actor) then
        local proc = actor.proc
        self.world:at(PROBE_MS, function() procs.finish(self.world, proc, 0) end)
      end
    end }
  elseif spec.log then
    return main_program(self, actor)
  end
  local check = self:known(stage.key('command', table.concat(spec.argv, '\0')))
  return check and probe_program(self, check)
end

return stage
