--- The supervisor: what is wanted goes in, events and snapshots come out. Everybody acts through it.

local deps = require 'pact.supervise.deps'
local launch = require 'pact.supervise.launch'
local reason = require 'pact.supervise.reason'
local rest = require 'pact.supervise.rest'
local run = require 'pact.supervise.run'
local state = require 'pact.supervise.state'
local teardown = require 'pact.supervise.teardown'
local view = require 'pact.supervise.view'
local waiters = require 'pact.supervise.waiters'

local M = {}

---@class supervisor
local Supervisor = {}
Supervisor.__index = Supervisor

local function new_node(self, service)
  local kind = self.drivers[service.kind]
    or error(("service '%s': there is no driver for a %s"):format(service.id, service.kind), 0)
  local node = {
    id = service.id, index = #self.order + 1, service = service, record = state.new(service), driver = kind,
    needs = {}, serves = {}, unmet = 0, blocked = 0, free = false, since = self.sys.time.now(), timers = {},
    monitors = {}, history = {}, ports = {}, told = {},
  }
  for _, port in ipairs(service.ports) do node.ports[port.name] = port.port end
  self.nodes[node.id], self.order[node.index] = node, node.id
  return node
end

local function connect(self, node)
  for _, edge in ipairs(node.service.depends_on) do
    local to = self.nodes[edge.id]
      or error(("service '%s': dependency '%s' is not declared"):format(node.id, edge.id), 0)
    deps.refresh(deps.link(node, to, edge))
  end
end

local function make_drivers(self)
  local host = {
    sys = self.sys, sched = self.sched, supervisor = self.opts,
    facts = function(id)
      local node = self.nodes[id]
      return { service = node.service, ports = node.ports }
    end,
  }
  for kind, driver in pairs(self.opts.drivers) do self.drivers[kind] = driver.new(host) end
end

---@param opts supervisor_options
---@return supervisor
function M.new(opts)
  local self = setmetatable({
    opts = opts, sys = opts.sys, sched = opts.sched, bus = opts.bus, reason = reason,
    nodes = {}, order = {}, drivers = {},
    claims = {}, -- port → id
    survivors = {},
    inbox = {}, inbox_head = 1, inbox_tail = 0,
    dirty = {}, -- nodes to look at before the turn ends
    queue = {}, -- nodes that may start when there is room
    starting = 0, active = 0, unready = 0, wanted = 0,
    teardowns = {},
  }, Supervisor)
  make_drivers(self)
  for _, id in ipairs(opts.plan.order) do new_node(self, opts.plan.services[id]) end
  for _, id in ipairs(self.order) do connect(self, self.nodes[id]) end
  return self
end

function Supervisor:feed(node, event)
  run.feed(self, node, event)
end

function Supervisor:mark(node)
  run.mark(self, node)
end

-- Events about which somebody may be asked: the last one of each is kept for that.
local ASKED = { crashed = true, failed = true, unhealthy = true, health_check_failed = true }

---Tells the bus; fields that every event of a service has are added.
---@param node? node
---@param name string
---@param fields? table
function Supervisor:emit(node, name, fields)
  local event = { name = name }
  for key, value in pairs(fields or {}) do event[key] = value end
  if node then
    local r = node.record
    local last = node.history[#node.history]
    event.service, event.epoch, event.reason = node.id, r.epoch, event.reason or r.reason
    event.from, event.to = node.from, r.status
    event.restart_count, event.attempt = event.restart_count or r.restart_count, event.attempt or r.attempt
    if name ~= 'started' and last and r.live ~= 'up' then
      event.exit_code, event.signal, event.core, event.uptime = last.code, last.signal, last.core, last.uptime
    end
    if ASKED[name] then node.told[name] = event end
  end
  self.bus:emit(event)
end

---What a function of the recipe gets for a service.
function Supervisor:handle(id)
  if self.opts.handle then return self.opts.handle(id) end
  return self:snapshot(id)
end

local function find(self, id)
  local node = self.nodes[id]
  if not node then return nil, ("no service '%s'"):format(tostring(id)), 'unknown' end
  return node
end

local function ready_to_act(self, id)
  local node, message, code = find(self, id)
  if node and self.down then return nil, 'the network is shutting down', 'busy' end
  return node, message, code
end

---------------------------------------------------------------------------------------------------
-- Commands.

local function bring_up(self, nodes, by, no_deps)
  self.touched = true
  local named = {}
  for _, node in ipairs(nodes) do
    named[node], node.free = true, no_deps or false
  end
  for _, node in ipairs(no_deps and nodes or deps.needed(nodes)) do
    if node.record.want == 'down' then self.told_ready = false end
    self:feed(node, { name = 'up', by = named[node] and by or 'dependency' })
    self:mark(node)
  end
end

---Sets what is wanted. Up: with all that is needed, unless no_deps.
---@param ids string[]
---@param want 'up'|'down'
---@param by actor
---@param opts? { no_deps?: boolean }
---@return true?, string?, string?
function Supervisor:want(ids, want, by, opts)
  local nodes = {}
  for i, id in ipairs(ids) do
    local node, message, code = ready_to_act(self, id)
    if not node then return nil, message, code end
    nodes[i] = node
  end
  table.sort(nodes, function(a, b) return a.index < b.index end)
  if want == 'up' then
    bring_up(self, nodes, by, opts and opts.no_deps)
  else
    for i = #nodes, 1, -1 do self:feed(nodes[i], { name = 'down', by = by }) end
  end
  return true
end

local function wait_if(self, node, wait, goal)
  if not wait then return true end
  return waiters.wait(self, node, type(wait) == 'string' and wait or goal)
end

---@param id string
---@param opts? { by?: actor, wait?: boolean|'started'|'ready', no_deps?: boolean, timeout?: integer }
---@return true?, string?, string?
function Supervisor:start(id, opts)
  opts = opts or {}
  local node, message, code = ready_to_act(self, id)
  if not node then return nil, message, code end
  bring_up(self, { node }, opts.by or 'person', opts.no_deps)
  if not opts.wait then return true end
  return waiters.wait(self, node, opts.wait == true and 'ready' or opts.wait, opts.timeout)
end

-- Those of a service's dependents that live, itself included.
local function living_dependents(node)
  local set = deps.dependents { node }
  for other in pairs(set) do
    local r = other.record
    if other ~= node and (r.want == 'down' or not r.live) then set[other] = nil end
  end
  return set
end

---@param id string
---@param opts? { by?: actor, with_dependents?: boolean, wait?: boolean }
---@return true?, string?, string?
function Supervisor:stop(id, opts)
  opts = opts or {}
  local node, message, code = find(self, id)
  if not node then return nil, message, code end
  local by = opts.by or 'person'
  if self.down then
    return wait_if(self, node, opts.wait, 'stopped')
  elseif opts.with_dependents then
    teardown.begin(self, living_dependents(node), by, function() end)
  else
    self:feed(node, { name = 'down', by = by })
  end
  return wait_if(self, node, opts.wait, 'stopped')
end

local function restart_all(self, node, by)
  local set, nodes = living_dependents(node), {}
  for other in pairs(set) do nodes[#nodes + 1] = other end
  table.sort(nodes, function(a, b) return a.index < b.index end)
  teardown.begin(self, set, by, function()
    if self.down then return end
    for _, other in ipairs(deps.needed(nodes)) do
      local named = set[other]
      self:feed(other, { name = named and 'restart' or 'up', by = named and by or 'dependency' })
    end
  end)
end

---@param id string
---@param opts? { by?: actor, with_dependents?: boolean, wait?: boolean }
---@return true?, string?, string?
function Supervisor:restart(id, opts)
  opts = opts or {}
  local node, message, code = ready_to_act(self, id)
  if not node then return nil, message, code end
  local by = opts.by or 'person'
  self.touched = true
  if opts.with_dependents then
    restart_all(self, node, by)
  else
    self:feed(node, { name = 'restart', by = by })
    for _, other in ipairs(deps.needed { node }) do
      if other ~= node then self:feed(other, { name = 'up', by = 'dependency' }) end
    end
  end
  if not opts.wait then return true end
  if opts.with_dependents then waiters.wait(self, node, 'stopped') end
  return waiters.wait(self, node, 'ready')
end

---@param id string
---@param signal string|integer
---@param scope? 'leader'|'group'|'tree'
---@return true?, string?, string?
function Supervisor:signal(id, signal, scope)
  local node, message, code = find(self, id)
  if not node then return nil, message, code end
  local number = signal
  if type(signal) == 'string' then
    number = self.sys.os.signals[signal:upper():gsub('^SIG', '')] or math.tointeger(signal)
  end
  if math.type(number) ~= 'integer' then return nil, ("no signal '%s'"):format(signal), 'EINVAL' end
  if not node.job or not node.record.live then
    return nil, ("'%s' does not run (%s)"):format(id, node.record.status), 'gone'
  end
  return node.driver:signal(node.job, number, scope)
end

---Yields until a service has become something, or can't any more.
---@param id string
---@param goal 'started'|'ready'|'healthy'|'stopped'
---@param timeout? integer
---@return true?, string?, string?
function Supervisor:wait(id, goal, timeout)
  local node, message, code = find(self, id)
  if not node then return nil, message, code end
  return waiters.wait(self, node, goal, timeout)
end

---@param why string
---@param opts? { force?: boolean, status?: integer }
function Supervisor:shutdown(why, opts)
  teardown.shutdown(self, why, opts or {})
end

---@param service service declared while the network runs; what it depends on is known
function Supervisor:add(service)
  connect(self, new_node(self, service))
end

---------------------------------------------------------------------------------------------------
-- What can be seen.

function Supervisor:snapshot(id)
  local node = self.nodes[id]
  return node and view.snapshot(self, node)
end

function Supervisor:why(id)
  local node = self.nodes[id]
  return node and view.why(self, node)
end

function Supervisor:list()
  return table.move(self.order, 1, #self.order, 1, {})
end

function Supervisor:service(id)
  return self.nodes[id] and self.nodes[id].service
end

function Supervisor:log(id)
  local node, message = find(self, id)
  if not node then return nil, message end
  return launch.open_log(self, node)
end

function Supervisor:sample(id)
  local node = self.nodes[id]
  return node and node.job and node.record.live == 'up' and node.driver:sample(node.job) or nil
end

function Supervisor:rest()
  return rest.now(self)
end

function Supervisor:all_ready()
  return rest.all_ready(self)
end

return M
