--- Ends services in order, dependents before what they need, side by side where the graph allows.

local rest = require 'pact.supervise.rest'

local M = {}

local HOOKS_MS = 10000
local DEFAULT_MS = 30000
-- After the last KILL; what is still there can't be killed. STUCK_MS: where that can be seen by then.
local AFTERMATH_MS, STUCK_MS = 3000, 500

local function at_rest(node)
  return node.record.live == nil
end

-- What is done to each when its turn comes, and when it is done with. Others than these: see renew.
---@class teardown_way
---@field begin? fun(sup: supervisor, t: table, node: node) before all
---@field halt fun(sup: supervisor, t: table, node: node)
---@field settled fun(sup: supervisor, t: table, node: node): boolean
local DOWN = {}

function DOWN.begin(sup, t, node) sup:feed(node, { name = 'unwant', by = t.by }) end

function DOWN.halt(sup, t, node) sup:feed(node, { name = 'down', by = t.by }) end

local function finish(sup, t)
  if t.over then return end
  t.over = true
  sup.teardowns[t] = nil
  sup.sched:post(t.done)
end

-- Done with: at rest, or started again meanwhile.
function DOWN.settled(sup, _, node)
  return at_rest(node) or (node.record.want == 'up' and not sup.down)
end

-- Or only there for the order.
local function settled(sup, t, node)
  return t.set[node] == 'through' or t.way.settled(sup, t, node)
end

-- Goes on with one of the set, whose dependents are all done with: it is stopped, or done with itself,
-- and then what it needs may follow. A list instead of recursion: chains are long.
local function advance(sup, t, first)
  local queue, head = { first }, 1
  while queue[head] do
    local node = queue[head]
    head = head + 1
    if settled(sup, t, node) and not t.gone[node] then
      t.gone[node] = true
      t.left = t.left - 1
      for _, below in ipairs(t.below[node]) do
        t.pending[below] = t.pending[below] - 1
        if t.pending[below] == 0 then queue[#queue + 1] = below end
      end
    elseif not t.gone[node] and not t.told[node] then
      t.told[node] = true
      t.way.halt(sup, t, node)
    end
  end
  if t.left == 0 then finish(sup, t) end
end

local function prepare(sup, t)
  for _, id in ipairs(sup.order) do
    local node = sup.nodes[id]
    if t.set[node] then
      t.nodes[#t.nodes + 1], t.pending[node], t.left = node, 0, t.left + 1
    end
  end
  for _, node in ipairs(t.nodes) do
    local below = {} -- as the edges are now: a reload may change them
    for _, link in ipairs(node.needs) do
      if t.set[link.to] then
        t.pending[link.to] = t.pending[link.to] + 1
        below[#below + 1] = link.to
      end
    end
    t.below[node] = below
  end
end

---Stops a set of services, dependents first.
---@param set table<node, true|'through'> 'through': left alone, it only stands between others
---@param by actor
---@param done fun()
---@param way? teardown_way
---@return table teardown
function M.begin(sup, set, by, done, way)
  local t = {
    set = set, by = by, done = done, way = way or DOWN, nodes = {}, pending = {}, below = {}, told = {}, gone = {},
    left = 0,
  }
  prepare(sup, t)
  local ends = {} -- those that nothing of the set depends on
  for i = #t.nodes, 1, -1 do
    local node = t.nodes[i]
    if t.pending[node] == 0 then ends[#ends + 1] = node end
    if set[node] == true and t.way.begin then t.way.begin(sup, t, node) end
  end
  sup.teardowns[t] = true
  for _, node in ipairs(ends) do advance(sup, t, node) end
  if t.left == 0 then finish(sup, t) end
  return t
end

---A record has changed.
---@param node node
function M.changed(sup, node)
  for t in pairs(sup.teardowns) do
    if t.pending[node] == 0 and settled(sup, t, node) then advance(sup, t, node) end
  end
end

---------------------------------------------------------------------------------------------------
-- The whole network.

local function survivors(sup)
  local found = table.move(sup.survivors, 1, #sup.survivors, 1, {})
  for _, id in ipairs(sup.order) do
    local node = sup.nodes[id]
    if not at_rest(node) and node.job then
      for _, left in ipairs(node.driver:survivors(node.job)) do
        found[#found + 1] = { service = id, pid = left.pid, name = left.name, state = left.state }
      end
    end
  end
  return found
end

local function complete(sup)
  local down = sup.down
  if down.complete then return end
  down.complete = true
  sup.sched:cancel(down.timer)
  local left = survivors(sup)
  local status = down.status or (down.failed[1] and 3 or 0)
  if left[1] and status == 0 then status = 1 end
  if sup.opts.on_rest then
    sup.sched:guard(sup.opts.on_rest, {
      down = true, status = status, reason = down.reason, failed = down.failed, survivors = left,
    })
  end
end

-- Who is left is in a call of the kernel's that nothing interrupts.
local function all_stuck(sup)
  local left = survivors(sup)
  for _, survivor in ipairs(left) do
    if survivor.state ~= 'D' then return false end
  end
  return left[1] ~= nil
end

---Kills all that is left, without further asking.
local function force(sup)
  local down = sup.down
  if down.forced or down.complete then return end
  down.forced = true
  sup.sched:cancel(down.timer)
  down.timer = sup.sched:after(STUCK_MS, function()
    if all_stuck(sup) then return complete(sup) end
    down.timer = sup.sched:after(AFTERMATH_MS - STUCK_MS, function() complete(sup) end)
  end)
  for i = #sup.order, 1, -1 do
    local node = sup.nodes[sup.order[i]]
    if not at_rest(node) and node.job then
      sup:feed(node, { name = 'down', by = 'shutdown' })
      node.driver:stop(node.job, { force = true })
    end
  end
end

local function longest(sup)
  local plan = sup.opts.plan
  if plan.shutdown_timeout then return plan.shutdown_timeout end
  local ms = DEFAULT_MS
  for _, id in ipairs(sup.order) do
    local node = sup.nodes[id]
    if not at_rest(node) and node.service.stop then ms = math.max(ms, node.service.stop.timeout) end
  end
  return ms
end

local function stop_all(sup)
  local down = sup.down
  if down.stopping then return end
  down.stopping = true
  sup.sched:cancel(down.timer)
  if not down.forced then
    down.timer = sup.sched:after(longest(sup), function()
      down.late = true
      force(sup)
    end)
  end
  local set = {}
  for _, node in pairs(sup.nodes) do set[node] = true end
  for t in pairs(sup.teardowns) do sup.sched:post(t.done) end
  sup.teardowns = {}
  M.begin(sup, set, 'shutdown', function()
    complete(sup)
  end)
end

---@param reason string
---@param opts { force?: boolean, status?: integer }
function M.shutdown(sup, reason, opts)
  local down = sup.down
  if down then
    if opts.status and not down.complete then down.status = opts.status end
    if opts.force and not down.complete then
      stop_all(sup)
      force(sup)
    end
    return
  end
  sup.down = { reason = reason, status = opts.status, failed = rest.failed(sup, sup.resting) }
  sup:emit(nil, 'shutdown', { reason = reason })
  local function begin()
    stop_all(sup)
  end
  if opts.force then
    begin()
    force(sup)
  elseif sup.opts.before_stop then
    sup.down.timer = sup.sched:after(HOOKS_MS, begin)
    sup.sched:guard(sup.opts.before_stop, reason, begin)
  else
    begin()
  end
end

---------------------------------------------------------------------------------------------------
-- A service without which the network has no sense.

local ENDED = { completed = true, failed = true, skipped = true }
local EXEC = { ENOENT = 127, EACCES = 126, ENOEXEC = 126 }

local function status_of(sup, r)
  local exit = r.exit
  if r.status == 'skipped' or not exit then return 3 end
  if r.status == 'failed' and exit.code == 0 then return 3 end -- failed for another reason than its exit
  if exit.signal then return 128 + (sup.sys.os.signals[exit.signal] or 0) end
  return exit.code or EXEC[exit.errno] or 125
end

---It has ended for good: so does the network, with its status.
---@param node node
function M.essential(sup, node)
  local r = node.record
  if not node.service.essential or sup.down or not ENDED[r.status] or r.asked or r.want == 'down' then return end
  M.shutdown(sup, ("essential service '%s' has ended: %s"):format(node.id, r.reason), { status = status_of(sup, r) })
end

return M
