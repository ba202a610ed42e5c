--- Another plan for a network that runs: services come and go, the others are taken over in place, and who needs a new
--- process for it is restarted.

local asking = require 'pact.supervise.asking'
local compare = require 'pact.supervise.health'
local deps = require 'pact.supervise.deps'
local launch = require 'pact.supervise.launch'
local limits = require 'pact.supervise.limits'
local list = require 'pact.base.list'
local noun = require 'pact.declare.fields.service'
local record = require 'pact.declare.record'
local renew = require 'pact.supervise.renew'
local teardown = require 'pact.supervise.teardown'

local M = {}

---------------------------------------------------------------------------------------------------
-- One service for another.

-- What is taken over in place, and what within it is not, such as the form of a log.
local LIVE, SHAPES = { 'at', 'declared' }, {}
for _, row in ipairs(noun.fields) do
  if row.reload == 'live' and not row.into then LIVE[#LIVE + 1] = row.name end
  for _, inner in ipairs(row.reload == 'live' and record.inner(row) and record.inner(row).fields or {}) do
    if inner.reload == 'restart' then
      SHAPES[row.name] = SHAPES[row.name] or {}
      table.insert(SHAPES[row.name], inner.name)
    end
  end
end

local function part_between(before, after, shape)
  local out = list.copy(after)
  for _, name in ipairs(shape) do out[name] = before[name] end
  return out
end

-- While the old one's process lives it has the old one's shape, and the rest of the new one.
local function between(before, after)
  local out = list.copy(before)
  for _, name in ipairs(LIVE) do
    local both = SHAPES[name] and type(before[name]) == 'table' and type(after[name]) == 'table'
    out[name] = both and part_between(before[name], after[name], SHAPES[name]) or after[name]
  end
  return setmetatable(out, getmetatable(before))
end

-- Its next process is another kind's, perhaps, on other ports, with another form of its log.
local function reshape(sup, node, before)
  local service = node.service
  for _, link in ipairs(node.serves) do link.used = node.record.epoch end -- what counts as ready now is no comeback
  node.driver = sup.drivers[service.kind]
  if not node.record.live then node.ports = sup.declared_ports(service) end
  if sup.sockets and not node.record.live then sup.sockets:keep_declared(service) end
  if node.log and (before.log or {}).format ~= (service.log or {}).format then launch.close_log(sup, node) end
end

local function in_driver(node)
  local job = node.job
  if job and node.record.live and node.driver.adopt then
    node.driver:adopt(job, node.service)
  elseif job then
    job.service = node.service
  end
end

local function log_limits(sup, node, before)
  local was, is = before.log or {}, node.service.log or {}
  if node.log and (was.max_size ~= is.max_size or was.max_files ~= is.max_files) then
    sup.sys.log.limit(node.log, { max_size = is.max_size, max_files = is.max_files })
  end
end

local function by_time(sup, node, before)
  local service = node.service
  if before.watch or service.watch then require('pact.supervise.watch').renew(sup, node, before.watch) end
  if before.schedule or service.schedule then
    require('pact.supervise.schedule').renew(sup, node, before.schedule)
  end
end

local function take_over(sup, node, service)
  local before = node.service
  node.service = service
  if not node.record.live then reshape(sup, node, before) end
  in_driver(node)
  log_limits(sup, node, before)
  by_time(sup, node, before)
  sup:feed(node, {
    name = 'adopt', facts = sup.facts(service), fresh = not compare.same_check(before.health, service.health),
  })
  if node.record.live ~= 'up' then return end
  launch.rewatch(sup, node, before)
  if before.timeout ~= service.timeout or before.max_runtime ~= service.max_runtime then
    limits.of_life(sup, node, sup.sys.time.now() - node.began)
  end
end

---What waited for the end of the old process is taken over.
---@param node node that has come to rest
function M.settle(sup, node)
  local service = node.pending
  node.pending = nil
  take_over(sup, node, service)
end

local function adopt(sup, node, service, restarts)
  restarts = restarts or node.pending ~= nil -- what an earlier reload has asked for is still to come
  node.pending = nil
  if restarts and node.record.live then
    node.pending = service
    service = between(node.service, service)
  end
  take_over(sup, node, service)
end

---------------------------------------------------------------------------------------------------
-- Edges.

local function key_of(edge)
  local pattern = edge.pattern
  if type(pattern) == 'table' then pattern = '/' .. tostring(pattern.regex) end
  return ('%s %s %s'):format(edge.id, edge.condition, pattern or '')
end

-- One that was there stays with all that is known of it.
local function link_to(sup, node, edge, known)
  local link = known[key_of(edge)]
  if link then
    known[key_of(edge)] = nil
    link.edge = edge
    node.needs[#node.needs + 1] = link
    return
  end
  local to = sup.nodes[edge.id]
  link = deps.link(node, to, edge)
  link.used = to.record.epoch + (to.record.live and 0 or 1) -- its next start is no comeback
  launch.watch_line(sup, link)
end

local function relink(sup, node)
  limits.forget_edges(sup, node)
  local known, before = {}, node.needs
  for _, link in ipairs(before) do known[key_of(link.edge)] = link end
  node.needs = {}
  for _, edge in ipairs(node.service.depends_on) do link_to(sup, node, edge, known) end
  for _, link in ipairs(before) do
    if known[key_of(link.edge)] == link then
      sup.sched:cancel(link.watch)
      deps.unlink(link)
    end
  end
  for _, link in ipairs(node.needs) do deps.refresh(link) end
  if node.record.status == 'waiting' then limits.of_edges(sup, node) end
  sup:mark(node)
end

---------------------------------------------------------------------------------------------------
-- Who is there.

local function place(sup, plan)
  local order = {}
  for i, id in ipairs(plan.order) do order[i] = id end
  for _, id in ipairs(sup.order) do
    if not plan.services[id] then order[#order + 1] = id end
  end
  for i, id in ipairs(order) do sup.nodes[id].index = i end
  sup.order = order
end

local function at_rest(node)
  local r = node.record
  return r.live == nil and r.want == 'down' and not r.asked
end

-- Nobody knows it any more. Its log's file stays.
local function forget(sup, node)
  if sup.opts.gone then sup.sched:guard(sup.opts.gone, node.id) end
  for _, links in ipairs { node.needs, node.serves } do
    while links[1] do
      sup.sched:cancel(links[1].watch)
      local from = links[1].from
      deps.unlink(links[1])
      sup:mark(from)
    end
  end
  asking.forget(sup, node)
  launch.leave(sup, node)
  sup.nodes[node.id], sup.past[node.id] = nil, node.record.epoch
  sup.order = list.filter(sup.order, function(id) return id ~= node.id end)
  for i, id in ipairs(sup.order) do sup.nodes[id].index = i end
  sup.queue = list.filter(sup.queue, function(other) return other ~= node end)
end

---One that leaves may have come to rest.
---@param node node
function M.look(sup, node)
  if not at_rest(node) or node.parting then return end
  node.parting = true
  sup.sched:after(0, function() -- behind what its end leads to, and who hears of it
    node.parting = nil
    if node.leaving and at_rest(node) and sup.nodes[node.id] == node and not sup.down then forget(sup, node) end
  end)
end

local function part(sup, plan, by)
  local set = {}
  for _, id in ipairs(sup.order) do
    local node = sup.nodes[id]
    if not plan.services[id] and not node.leaving then node.leaving, set[node] = true, true end
  end
  if not next(set) then return end
  teardown.begin(sup, set, by, function() end)
  for node in pairs(set) do M.look(sup, node) end
end

---Whether it would be restarted for another shape: it has a process, or had one and is wanted.
---@param node node
---@return boolean
function M.renews(node)
  local r = node.record
  return r.want == 'up' and r.status ~= 'waiting' and (not r.scheduled or r.live ~= nil)
end

local function to_renew(sup, changed)
  local nodes = {}
  for _, change in ipairs(changed) do
    local node = sup.nodes[change.id]
    if change.restarts[1] and M.renews(node) then nodes[#nodes + 1] = node end
  end
  return nodes
end

-- One that was to go and is there again, as another one, before its stop had begun. Whether it is wanted is said behind
-- the reload.
local function renew_returned(sup, returned, by)
  if not returned[1] then return end
  sup.sched:post(function()
    renew.begin(sup, list.filter(returned, function(node)
      local r = node.record
      return node.pending ~= nil and r.live ~= nil and r.status ~= 'stopping' and M.renews(node)
    end), by)
  end)
end

---Goes over to another plan. What is wanted of services that stay doesn't change by it.
---@param sup supervisor
---@param plan plan
---@param diff plan_diff what it differs in
---@param by actor
function M.apply(sup, plan, diff, by)
  sup.opts.plan = plan
  local restarts, returned = {}, {}
  for _, change in ipairs(diff.changed) do restarts[change.id] = change.restarts[1] ~= nil end
  for _, id in ipairs(plan.order) do
    local node, service = sup.nodes[id], plan.services[id]
    if node then
      if node.leaving then returned[#returned + 1] = node end
      adopt(sup, node, service, restarts[id] or node.leaving)
      node.leaving = nil
    else
      sup:new_node(service)
    end
  end
  place(sup, plan)
  for _, id in ipairs(plan.order) do relink(sup, sup.nodes[id]) end
  renew.begin(sup, to_renew(sup, diff.changed), by)
  for _, id in ipairs(diff.added) do sup:retire(id, false) end
  part(sup, plan, by)
  renew_returned(sup, returned, by)
  sup.touched, sup.resting = true, false -- whether it is at rest is found out anew
  sup:look_soon()
end

return M
