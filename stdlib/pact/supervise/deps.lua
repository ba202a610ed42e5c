--- Conditions on the edges between services: counted, so that one change costs one step for each edge.

local reason = require 'pact.supervise.reason'

local M = {}

---@class node a service with all that is known of it
---@field id string
---@field index integer place in the plan's order
---@field service service
---@field record record
---@field needs link[] edges to its dependencies
---@field serves link[] edges from its dependents
---@field unmet integer needs whose condition doesn't hold
---@field blocked integer needs whose condition can't hold any more
---@field free boolean started without its dependencies
---@field since integer monotonic ms of the last change of status
---@field retired? boolean no longer of its group: its dependents do without it
---@field held_by? string the dependency whose condition was the last to hold while it waited
---@field spent? table<status, integer> ms in statuses that no event has told of yet

---@class link
---@field from node the dependent
---@field to node the dependency
---@field edge edge
---@field met boolean
---@field blocked? string why the condition can't be met
---@field logged boolean condition log: the line came in this epoch
---@field used integer epoch of the dependency that the dependent was started with

local ALIVE = { starting = true, running = true }

local HOLDS = {
  ready = function(r)
    return r.status == 'running' or (r.task and r.status == 'completed')
  end,
  healthy = function(r)
    return ALIVE[r.status] and r.health == 'healthy' or false
  end,
  started = function(r)
    return r.started
  end,
  completed = function(r)
    return r.status == 'completed'
  end,
  log = function(_, link)
    return link.logged
  end,
}

-- What can't come once the dependency has completed.
local LOST = {
  ready = "dependency '%s' has completed and was to be ready",
  healthy = "dependency '%s' has completed and was to be healthy",
  log = "dependency '%s' has completed without the awaited line",
}

local function impossible(r, link)
  local id = link.to.id
  if r.status == 'failed' and not r.asked then
    return ("dependency '%s' failed"):format(id)
  elseif r.status == 'skipped' then
    return ("dependency '%s' was skipped"):format(id)
  elseif r.status == 'completed' and not r.live and LOST[link.edge.condition] then
    return LOST[link.edge.condition]:format(id)
  elseif link.to.service.disabled and r.want == 'down' and not r.live then
    return ("dependency '%s' is disabled"):format(id)
  end
end

---@param from node
---@param to node
---@param edge edge
---@return link
function M.link(from, to, edge)
  local link = { from = from, to = to, edge = edge, met = false, logged = false, used = 0 }
  from.needs[#from.needs + 1] = link
  to.serves[#to.serves + 1] = link
  from.unmet = from.unmet + 1
  return link
end

local function leave(list, link)
  for i, other in ipairs(list) do
    if other == link then return table.remove(list, i) end
  end
end

---The edge is no more.
---@param link link
function M.unlink(link)
  leave(link.from.needs, link)
  leave(link.to.serves, link)
  link.from.unmet = link.from.unmet - (link.met and 0 or 1)
  link.from.blocked = link.from.blocked - (link.blocked and 1 or 0)
end

---Looks at one edge again.
---@param link link
---@return boolean changed
function M.refresh(link)
  local r, from = link.to.record, link.from
  local met = link.to.retired or HOLDS[link.edge.condition](r, link)
  local blocked = not met and impossible(r, link) or nil
  if met == link.met and blocked == link.blocked then
    return false
  end
  from.unmet = from.unmet + (link.met and 1 or 0) - (met and 1 or 0)
  from.blocked = from.blocked + (blocked and 1 or 0) - (link.blocked and 1 or 0)
  if met and not link.met then from.held_by = link.to.id end
  link.met, link.blocked = met, blocked
  return true
end

---@param node node
---@return boolean every condition holds
function M.may_start(node)
  return node.free or node.unmet == 0
end

---@param node node
---@return string? why it can't start, as things are
function M.blocked_by(node)
  if node.free or node.blocked == 0 then
    return nil
  end
  for _, link in ipairs(node.needs) do
    if link.blocked then
      return link.blocked
    end
  end
end

-- What a dependency is doing instead of fulfilling the condition.
local function detail(node)
  local r = node.record
  if r.status == 'starting' and node.last_probe and not node.last_probe.ok then
    return node.last_probe.reason
  elseif r.status == 'running' and r.health == 'unhealthy' then
    return r.complaint or 'unhealthy'
  elseif r.status == 'backoff' then
    return r.reason .. ', starts again'
  elseif r.status == 'idle' then
    return 'not started'
  end
  return r.status
end

---@param link link
---@param now integer
---@return string such as `postgres (healthy: connection refused, 3 s)`
function M.describe(link, now)
  local since = reason.duration(now - link.from.since)
  return ('%s (%s: %s, %s)'):format(link.to.id, link.edge.condition, detail(link.to), since)
end

---@param node node
---@return link[] unmet
function M.unmet(node)
  local found = {}
  if not node.free then
    for _, link in ipairs(node.needs) do
      if not link.met then
        found[#found + 1] = link
      end
    end
  end
  return found
end

---@param link link
---@return string such as `redis not healthy after 60s: connection refused`
function M.overdue(link)
  local what = link.edge.condition == 'log' and 'has not logged the awaited line'
    or 'not ' .. link.edge.condition
  return ('%s %s after %s: %s'):format(
    link.to.id, what, reason.span(link.edge.timeout), detail(link.to)
  )
end

---Services with all that they need and that doesn't hold yet, dependencies first.
---@param nodes node[]
---@param by_hand? boolean somebody asked for them: what they need is wanted even where it is disabled
---@return node[]
function M.needed(nodes, by_hand)
  local order, seen = {}, {}
  for _, first in ipairs(nodes) do
    local stack = { not seen[first] and { node = first, at = 1 } or nil }
    seen[first] = true
    while stack[1] do
      local top = stack[#stack]
      local link = not top.node.free and top.node.needs[top.at]
      top.at = top.at + 1
      if not link then
        stack[#stack] = nil
        order[#order + 1] = top.node
      elseif not link.met and not seen[link.to] and (by_hand or not link.to.service.disabled) then
        seen[link.to] = true
        stack[#stack + 1] = { node = link.to, at = 1 }
      end
    end
  end
  return order
end

---All that needs a service, directly or not, itself included.
---@param nodes node[]
---@return table<node, boolean>
function M.dependents(nodes)
  local seen, queue = {}, {}
  for _, node in ipairs(nodes) do
    seen[node], queue[#queue + 1] = true, node
  end
  local head = 1
  while queue[head] do
    for _, link in ipairs(queue[head].serves) do
      if not seen[link.from] then
        seen[link.from], queue[#queue + 1] = true, link.from
      end
    end
    head = head + 1
  end
  return seen
end

return M
