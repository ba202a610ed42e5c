--- What people, hooks and clients may ask of a supervisor: they set wants, the rest follows.

local deps = require 'pact.supervise.deps'
local list = require 'pact.base.list'
local teardown = require 'pact.supervise.teardown'
local text = require 'pact.base.text'
local waiters = require 'pact.supervise.waiters'

local SIGNAL_MAX = 64
local SCOPES = { leader = true, group = true, tree = true }

---@class supervisor
local Supervisor = {}

local function find(self, id)
  local node = self.nodes[id]
  if not node or node.leaving then return nil, ("no service '%s'"):format(tostring(id)), 'unknown' end
  return node
end

-- What a driver holds of a service while it lives.
local function living(node)
  if node.job and node.record.live then return node.job end
  return nil, ("'%s' does not run (%s)"):format(node.id, node.record.status), 'gone'
end

local function ready_to_act(self, id)
  local node, message, code = find(self, id)
  if node and self.down then return nil, 'the network is shutting down', 'busy' end
  return node, message, code
end

local function bring_up(self, nodes, by, no_deps, by_hand)
  self.touched = true
  local named = {}
  for _, node in ipairs(nodes) do
    named[node], node.free = true, no_deps or false
  end
  for _, node in ipairs(no_deps and nodes or deps.needed(nodes, by_hand)) do
    if node.record.want == 'down' then self.told_ready = false end
    self:feed(node, { name = 'up', by = named[node] and by or 'dependency', call = by_hand and named[node] })
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
  bring_up(self, { node }, opts.by or 'person', opts.no_deps, true)
  if not opts.wait then return true end
  return waiters.wait(self, node, opts.wait == true and 'ready' or opts.wait, opts.timeout)
end

-- A service and those of its dependents that live. The others stand between them: they keep the order.
local function with_dependents(node)
  local set = deps.dependents { node }
  for other in pairs(set) do
    local r = other.record
    if other ~= node and (r.want == 'down' or not r.live) then set[other] = 'through' end
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
  node.returns = nil
  if self.down then
    return wait_if(self, node, opts.wait, 'stopped')
  elseif opts.with_dependents then
    teardown.begin(self, with_dependents(node), by, function() end)
  else
    self:feed(node, { name = 'down', by = by })
  end
  return wait_if(self, node, opts.wait, 'stopped')
end

-- `begun` is called when the starts have been asked for, or will never be.
local function restart_all(self, node, by, begun)
  local set, nodes = with_dependents(node), {}
  for other, how in pairs(set) do
    if how == true then
      nodes[#nodes + 1] = other
      other.returns = true
    end
  end
  table.sort(nodes, function(a, b) return a.index < b.index end)
  teardown.begin(self, set, by, function()
    for _, other in ipairs(self.down and {} or deps.needed(nodes, true)) do
      local named = set[other] == true
      if self.nodes[other.id] == other and not other.leaving then
        self:feed(other, { name = named and 'restart' or 'up', by = named and by or 'dependency' })
      end
    end
    begun()
  end)
end

---@param id string
---@param opts? { by?: actor, with_dependents?: boolean, wait?: boolean|'started'|'ready'|'healthy', timeout?: integer }
---@return true?, string?, string?
function Supervisor:restart(id, opts)
  opts = opts or {}
  local node, message, code = ready_to_act(self, id)
  if not node then return nil, message, code end
  local by, before = opts.by or 'person', node.record.epoch
  self.touched = true
  if opts.with_dependents and opts.wait then
    self.sched:suspend(function(wake) restart_all(self, node, by, wake) end)
    if self.down then return ready_to_act(self, id) end
  elseif opts.with_dependents then
    restart_all(self, node, by, function() end)
  else
    self:feed(node, { name = 'restart', by = by })
    for _, other in ipairs(deps.needed({ node }, true)) do
      if other ~= node then self:feed(other, { name = 'up', by = 'dependency' }) end
    end
  end
  if not opts.wait then return true end
  return waiters.wait(self, node, opts.wait == true and 'ready' or opts.wait, opts.timeout, before)
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
    local name, signals = signal:upper():gsub('^SIG', ''), self.sys.os.signals
    number = signals[name] or math.tointeger(signal)
    if not number then
      return nil, ("no signal '%s'%s"):format(signal, text.suggest(name, list.keys(signals))), 'EINVAL'
    end
  end
  if number < 0 or number > SIGNAL_MAX then return nil, ('no signal %d'):format(number), 'EINVAL' end
  if scope and not SCOPES[scope] then
    return nil, ("scope must be 'leader', 'group' or 'tree', got %s"):format(text.show(scope)), 'EINVAL'
  end
  local job
  job, message, code = living(node)
  if not job then return nil, message, code end
  return node.driver:signal(job, number, scope)
end

---Writes to a service's standard input.
---@param id string
---@param bytes string
---@return true?, string?, string?
function Supervisor:write(id, bytes)
  local node, message, code = find(self, id)
  if not node then return nil, message, code end
  if not node.driver.write then
    return nil, ("'%s' is of kind %s: it has no standard input"):format(id, node.service.kind), 'kind'
  end
  local job
  job, message, code = living(node)
  if not job then return nil, message, code end
  return node.driver:write(job, bytes)
end

---Gives the terminal of a service another size, also that of its next start.
---@param id string
---@param columns integer
---@param rows integer
---@return true?, string?, string?
function Supervisor:resize(id, columns, rows)
  local node, message, code = find(self, id)
  if not node then return nil, message, code end
  if not node.service.tty then return nil, ("'%s' has no terminal (tty = true)"):format(id), 'tty' end
  return node.driver:resize(id, living(node), columns, rows)
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

return Supervisor
