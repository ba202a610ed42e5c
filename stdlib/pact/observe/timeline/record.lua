--- A timeline for programs. Times are ms since the run began.

local json = require 'pact.base.json'
local phases = require 'pact.observe.timeline.phases'
local words = require 'pact.observe.timeline.words'

local M = {}

---@class timeline_picture what all forms are made of
---@field line timeline
---@field window timeline_window
---@field services timeline_service[] those that are shown
---@field chain? chain
---@field hung stuck[]
---@field counts { hung: integer, wanted: integer }
---@field measure fun(s: string): integer columns of a text

local function within(list, window)
  local out = json.array {}
  for _, at in ipairs(list) do
    if at >= window.from and at <= window.to then out[#out + 1] = at end
  end
  return out
end

local function service_of(service, window)
  local out = {
    id = service.id, display_name = service.display_name, group = service.group, task = service.task,
    started_at = service.start and service.start.at, held_by = service.start and service.start.held_by,
    ready_at = service.ready_at, ready_reason = service.ready_reason, failed_probes = service.refused,
    restarts = within(service.restarts, window), phases = json.array {}, unhealthy = json.array {},
  }
  phases.each(service, window.from, window.to, function(phase, from, to, reason)
    table.insert(out.phases, { phase = phase, from = from, to = to, reason = reason or nil })
  end)
  for _, stretch in ipairs(service.sick) do
    if stretch.to >= window.from and stretch.from <= window.to then table.insert(out.unhealthy, stretch) end
  end
  return out
end

local function chain_of(it)
  if not it.chain then return nil end
  local steps = json.array {}
  for i, step in ipairs(it.chain.steps) do
    steps[i] = {
      service = step.id, from = step.from, to = step.to, ms = step.to - step.from, behind = step.behind,
      words = words.step(it.line, step), parts = json.array(step.parts),
    }
  end
  return { total = it.chain.total, last = it.chain.last, costliest = it.chain.costliest.id, steps = steps }
end

---@param it timeline_picture
---@return string JSON
function M.encode(it)
  local line, services, hung = it.line, json.array {}, json.array {}
  for i, service in ipairs(it.services) do services[i] = service_of(service, it.window) end
  for i, each in ipairs(it.hung) do
    hung[i] = {
      service = each.id, phase = each.phase, from = each.from, to = each.to, reason = each.reason,
      holds = json.array(each.holds),
    }
  end
  return json.encode({
    project = line.project, run = line.run, at = line.at, live = line.live, ready_at = line.ready_at, last = line.last,
    shutdown = line.shutdown, from = it.window.from, to = it.window.to, services = services, chain = chain_of(it),
    not_ready = not line.ready_at and hung or nil,
  }, { indent = true, lenient = true })
end

return M
