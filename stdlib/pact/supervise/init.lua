--- The supervisor: what is wanted goes in, events and snapshots come out. Everybody acts through it.

local commands = require 'pact.supervise.commands'
local deps = require 'pact.supervise.deps'
local launch = require 'pact.supervise.launch'
local list = require 'pact.base.list'
local reason = require 'pact.supervise.reason'
local record = require 'pact.supervise.record'
local rest = require 'pact.supervise.rest'
local run = require 'pact.supervise.run'
local sched = require 'pact.base.sched'
local state = require 'pact.supervise.state'
local view = require 'pact.supervise.view'

local M = {}

---@class supervisor
local Supervisor = setmetatable({}, { __index = commands })
Supervisor.__index = Supervisor

---@param service service
---@return table<string, integer> by name, as far as they are known before it starts
function Supervisor.declared_ports(service)
  local ports = {}
  for _, port in ipairs(service.ports) do
    if port.port > 0 then ports[port.name] = port.port end -- 0: it is known when it is bound
  end
  return ports
end

---@param service service
---@return node without its edges
function Supervisor:new_node(service)
  local kind = self.drivers[service.kind]
    or error(("service '%s': there is no driver for a %s"):format(service.id, service.kind), 0)
  local node = {
    id = service.id, index = #self.order + 1, service = service, record = state.new(service), driver = kind,
    needs = {}, serves = {}, unmet = 0, blocked = 0, free = false, since = self.sys.time.now(), timers = {},
    monitors = {}, history = {}, ports = self.declared_ports(service), told = {},
  }
  node.record.epoch = self.past[service.id] or 0
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
    sockets = function(needed)
      if needed and not self.sockets then
        self.sockets = require('pact.supervise.sockets').new({
          sys = self.sys, sched = self.sched, declared = function(id)
            local node = self.nodes[id]
            return node and not node.leaving and (node.pending or node.service) or nil
          end,
        }, self.claims)
      end
      return self.sockets
    end,
  }
  setmetatable(self.drivers, { __index = function(made, kind)
    local driver = self.opts.drivers[kind]
    made[kind] = driver and driver.new(host)
    return made[kind]
  end })
end

---@param opts supervisor_options
---@return supervisor
function M.new(opts)
  local self = setmetatable({
    opts = opts, sys = opts.sys, sched = opts.sched, bus = opts.bus, reason = reason, full = sched.full,
    facts = record.facts,
    nodes = {}, order = {}, drivers = {},
    claims = {}, -- port → job
    past = {}, -- id → the last epoch of one that was removed: should it come again, it goes on from there
    survivors = {},
    inbox = {}, inbox_head = 1, inbox_tail = 0,
    dirty = {}, -- nodes to look at before the turn ends
    queue = {}, -- nodes that may start when there is room
    starting = 0, active = 0, unready = 0, wanted = 0,
    teardowns = {},
  }, Supervisor)
  make_drivers(self)
  for _, id in ipairs(opts.plan.order) do self:new_node(opts.plan.services[id]) end
  for _, id in ipairs(self.order) do connect(self, self.nodes[id]) end
  return self
end

-- What somebody wishes by an event.
local WISHES = { up = 'up', restart = 'up', down = 'down' }

function Supervisor:feed(node, event)
  local wish = WISHES[event.name]
  local by_itself = event.name == 'restart' or event.by == 'dependency'
  if wish and not (by_itself and node.record.want == wish) then node.wish = { want = wish, by = event.by } end
  run.feed(self, node, event)
end

function Supervisor:mark(node)
  run.mark(self, node)
end

---Whether anything lives is looked at before the turn ends.
function Supervisor:look_soon()
  run.soon(self)
end

-- How long it was in statuses that no event tells of, and what a start has waited for.
local function spent(self, node, event)
  if event.name == 'started' then
    local took = self.sys.time.now() - node.since
    event.held_by, node.held_by = node.held_by, nil
    if took > 0 then
      node.spent = node.spent or {}
      node.spent.starting = took
    end
  end
  event.spent, node.spent = node.spent, nil
end

-- Events about which somebody may be asked: the last one of each is kept for that.
local ASKED = { crashed = true, failed = true, unhealthy = true, health_check_failed = true }

-- What every event of a service has, with room for what the bus adds.
local function event_of(node, name)
  local r = node.record
  return {
    name = name, service = node.id, epoch = r.epoch, reason = r.reason, from = node.from, to = r.status,
    restart_count = r.restart_count, attempt = r.attempt, seq = 0, at = 0, mono = 0,
  }
end

---Tells the bus; fields that every event of a service has are added.
---@param node? node
---@param name string
---@param fields? table
function Supervisor:emit(node, name, fields)
  local event = node and event_of(node, name) or { name = name }
  for key, value in pairs(fields or {}) do event[key] = value end
  if node then
    local r = node.record
    if name == 'started' then node.returns = nil end
    local last = node.history[#node.history]
    if name ~= 'started' and last and r.live ~= 'up' then
      event.exit_code, event.signal, event.core, event.uptime = last.code, last.signal, last.core, last.uptime
    end
    if node.spent or name == 'started' then spent(self, node, event) end
    if ASKED[name] then node.told[name] = event end
  end
  self.bus:emit(event)
end

---What a function of the recipe gets for a service.
function Supervisor:handle(id)
  if self.opts.handle then return self.opts.handle(id) end
  return self:snapshot(id)
end

---@param id string
---@return boolean a reload that gives it another shape restarts it
function Supervisor:renews(id) return require('pact.supervise.reload').renews(self.nodes[id]) end

---@param service service declared while the network runs; what it depends on is known
function Supervisor:add(service)
  connect(self, self:new_node(service))
end

---Goes over to another plan: see supervise/reload.
---@param plan plan
---@param diff plan_diff
---@param by? actor
---@return true?, string? message, string? code
function Supervisor:reload(plan, diff, by)
  if self.down then return nil, 'the network is shutting down', 'busy' end
  require('pact.supervise.reload').apply(self, plan, diff, by or 'reload')
  return true
end

---A service that lives may depend on one that was added behind it.
---@param id string the dependent
---@param edge edge
function Supervisor:depend(id, edge)
  local from = self.nodes[id]
  local link = deps.link(from, self.nodes[edge.id], edge)
  link.used = link.to.record.epoch + 1 -- its first start is no comeback
  deps.refresh(link)
  self:mark(from)
end

---Takes an instance out of its group, or back in: dependents do without it, and nobody is told of it
---once it is at rest. It is stopped and started like any other.
---@param id string
---@param retired boolean
function Supervisor:retire(id, retired)
  local node = self.nodes[id]
  if (node.retired or false) == retired then return end
  node.retired = retired
  for _, link in ipairs(node.serves) do
    link.used = node.record.epoch + 1
    deps.refresh(link)
    self:mark(link.from)
  end
end

local function forgotten(node)
  return node.leaving or node.retired and node.record.live == nil and node.record.want == 'down'
end

---------------------------------------------------------------------------------------------------
-- What can be seen.

function Supervisor:snapshot(id)
  local node = self.nodes[id]
  return node and view.snapshot(self, node)
end

---@return 'up'|'down'|nil
function Supervisor:wants(id)
  return self.nodes[id] and self.nodes[id].record.want
end

function Supervisor:why(id)
  local node = self.nodes[id]
  return node and view.why(self, node)
end

---Whether a service that has stopped was only stopped to be started again.
---@param id string
---@return boolean
function Supervisor:returns(id)
  local node = self.nodes[id]
  local live = node and node.record.live
  return node ~= nil and not self.down and (node.returns or live == 'begun' or live == 'up')
end

function Supervisor:list()
  return list.filter(self.order, function(id) return not forgotten(self.nodes[id]) end)
end

function Supervisor:service(id)
  local node = self.nodes[id]
  return node and not forgotten(node) and node.service or nil
end

function Supervisor:log(id)
  local node = self.nodes[id]
  if not node then return nil, ("no service '%s'"):format(tostring(id)) end
  return launch.open_log(self, node)
end

---@param id string
---@return integer? log of a service that has one already
function Supervisor:open_log(id)
  return self.nodes[id] and self.nodes[id].log
end

function Supervisor:sample(id)
  local node = self.nodes[id]
  return node and node.job and node.record.live == 'up' and node.driver:sample(node.job) or nil
end

---@return table[]? its processes now, leader first
function Supervisor:tree(id)
  local node = self.nodes[id]
  return node and node.job and node.driver:survivors(node.job)
end

-- What a driver needs to say how a program would run beside a service, whether it lives or not.
local function beside(node)
  local job = { service = node.service, ports = node.ports, epoch = node.record.epoch }
  return setmetatable(job, { __index = node.job })
end

function Supervisor:surroundings(id)
  local node = self.nodes[id]
  if not node then return nil, ("no service '%s'"):format(tostring(id)), 'unknown' end
  if not node.driver.surroundings then
    return nil, ("'%s' is of kind %s: programs have no surroundings there"):format(id, node.service.kind), 'kind'
  end
  return node.driver:surroundings(beside(node))
end

function Supervisor:rest()
  return rest.now(self)
end

function Supervisor:all_ready()
  return rest.all_ready(self)
end

return M
