--- Why a start took as long as it did: from the last service that became ready back through what held it longest.
-- And of a start that never was one: what it hung on.

local phases = require 'pact.observe.timeline.phases'
local words = require 'pact.observe.timeline.words'

local M = {}

---@class chain_step
---@field id? string none: the recipe itself
---@field from integer
---@field to integer
---@field parts { phase: phase, ms: integer, reason: string? }[]
---@field behind? string the dependency that it waited for until `from`
---@field queued? integer ms of its own that it waited for its turn

---@class chain
---@field total integer
---@field last string who was ready last
---@field steps chain_step[] in order of time
---@field costliest chain_step

local function last_ready(line)
  local last
  for _, service in ipairs(line.services) do
    local at = service.ready_at
    if at and at <= line.ready_at and (not last or at >= last.ready_at) then last = service end
  end
  return last
end

local function step_of(service, to, behind)
  local start = service.start
  local from = behind and start.at or math.min(start.at, to)
  return { id = service.id, from = from, to = to, parts = phases.parts(service, from, to), behind = behind }
end

-- When the recipe had been read; 0 where that took no time worth telling.
local function wanted_at(line)
  return line.wanted_at >= math.max(words.SEEN_MS, line.ready_at // 50) and line.wanted_at or 0
end

-- From where a service did on its own what `to` is the end of.
local function link(line, service, to, seen)
  local held_by = service.start.held_by
  local before = held_by and not seen[held_by] and line.by_id[held_by]
  if before and before.start and before.start.at <= service.start.at then
    return step_of(service, to, held_by), before
  end
  local step = step_of(service, to)
  if not held_by then
    local since = wanted_at(line)
    if step.from > since then step.queued, step.from = step.from - math.max(since, line.wanted_at), since end
  end
  return step
end

---@param line timeline
---@return chain? none when not all became ready
function M.of(line)
  local service = line.ready_at and last_ready(line)
  if not service or not service.start then return nil end
  local out = { total = service.ready_at, last = service.id, steps = {} }
  local to, seen = service.ready_at, {}
  while service do
    seen[service.id] = true
    local step, before = link(line, service, to, seen)
    table.insert(out.steps, 1, step)
    service, to = before, step.from
  end
  if wanted_at(line) > 0 and to >= line.wanted_at then
    table.insert(out.steps, 1, { from = 0, to = line.wanted_at, parts = {} })
  end
  for _, step in ipairs(out.steps) do
    if not out.costliest or step.to - step.from > out.costliest.to - out.costliest.from then out.costliest = step end
  end
  return out
end

-- Who waits for a service, and who for those in turn.
local function behind(line, id)
  local serves, found, count = {}, { [id] = true }, 0
  for _, service in ipairs(line.services) do
    for _, need in ipairs(service.needs) do
      serves[need.id] = serves[need.id] or {}
      table.insert(serves[need.id], service)
    end
  end
  local queue, names = { id }, {}
  while queue[1] do
    for _, service in ipairs(serves[table.remove(queue, 1)] or {}) do
      local was = service.last and service.last.phase
      if not found[service.id] and not service.ready_at and (was == 'waiting' or was == 'skipped') then
        found[service.id], count = true, count + 1
        queue[#queue + 1], names[count] = service.id, service.id
      end
    end
  end
  return names
end

local HELD = { waiting = true, skipped = true }
local WELL = { ready = true, completed = true }

---@class stuck
---@field id string
---@field phase phase
---@field from integer
---@field to integer
---@field reason? string
---@field times integer how many probes said so
---@field holds string[] ids of those that wait behind it

-- One that was ready and is no more is missed when it didn't end because somebody wanted that.
local function is_missed(service)
  local phase = service.last.phase
  if service.scheduled or WELL[phase] then return false end
  return not service.ready_at or phase ~= 'stopped' and phase ~= 'stopping'
end

-- What an alive one hung on of which no probe says it: a line that has not come.
local function awaited(service)
  return service.last.phase == 'probing' and service.log and ("'%s' has not been logged"):format(service.log) or nil
end

local function stuck_of(line, service, to)
  local last = service.last
  return {
    id = service.id, phase = last.phase, from = last.from, to = to, holds = behind(line, service.id),
    reason = last.reason or service.refusal or awaited(service), times = last.reason and 1 or service.refused,
  }
end

---What was not ready when the run, or what is known of it, ended; only those that hung on nobody else, the one that
---held most first.
---@param line timeline
---@return stuck[] hung, integer count of all that were not ready, integer of how many that were wanted
function M.hung(line)
  local out, count, wanted, place = {}, 0, 0, {}
  local to = line.shutdown and line.shutdown.at or line.last
  for _, service in ipairs(line.services) do
    local last = service.last
    if last and not service.scheduled then wanted = wanted + 1 end
    if last and is_missed(service) then
      count = count + 1
      if not HELD[last.phase] or #service.needs == 0 then
        out[#out + 1] = stuck_of(line, service, to)
        place[out[#out]] = #out
      end
    end
  end
  table.sort(out, function(a, b)
    if #a.holds ~= #b.holds then return #a.holds > #b.holds end
    return place[a] < place[b]
  end)
  return out, count, wanted
end

return M
