--- Feeds events to the pure step, does what it asks for, and lets one change have its consequences. The only effects.

local asking = require 'pact.supervise.asking'
local deps = require 'pact.supervise.deps'
local launch = require 'pact.supervise.launch'
local limits = require 'pact.supervise.limits'
local rest = require 'pact.supervise.rest'
local state = require 'pact.supervise.state'
local teardown = require 'pact.supervise.teardown'
local timers = require 'pact.supervise.timers'
local waiters = require 'pact.supervise.waiters'

local M = {}

-- More starts than this in one turn would keep everything else waiting.
local STARTS_PER_TURN = 128

local LIVING = { starting = true, running = true }

---------------------------------------------------------------------------------------------------
-- Its timers.

-- The counters go back to zero after a good while.
local function reset_timer(sup, node)
  local r = node.record
  local good = r.status == 'running' and (not r.probed or r.health == 'healthy')
    and (r.attempt > 0 or r.restart_count > 0)
  if good and not node.timers.reset then
    timers.set(sup, node, 'reset', node.service.restart.reset_after, function()
      return { name = 'reset' }
    end)
  elseif not good and node.timers.reset then
    timers.stop(sup, node, 'reset')
  end
end

---------------------------------------------------------------------------------------------------
-- One change.

local LEAVE = {
  waiting = function(sup, node)
    limits.forget_edges(sup, node)
  end,
  backoff = function(sup, node)
    timers.stop(sup, node, 'delay')
  end,
  starting = function(sup, node)
    timers.stop(sup, node, 'ready')
  end,
}

local ENTER = {
  waiting = function(sup, node)
    for _, link in ipairs(node.serves) do link.logged = false end
    node.held_by = nil
    limits.of_edges(sup, node)
  end,
  running = function(sup, node)
    node.ready_at = sup.sys.time.wall()
  end,
}

-- No event tells when these begin: the next one says how long they were.
local UNTOLD = { waiting = true, stopping = true }

local function status_changed(sup, node, before)
  local r, now = node.record, sup.sys.time.now()
  if UNTOLD[before.status] and now > node.since then
    node.spent = node.spent or {}
    node.spent[before.status] = (node.spent[before.status] or 0) + now - node.since
  end
  node.since, node.note = now, nil
  if LEAVE[before.status] then LEAVE[before.status](sup, node) end
  if ENTER[r.status] then ENTER[r.status](sup, node) end
  if not LIVING[r.status] and LIVING[before.status] then
    timers.stop(sup, node, 'runtime')
    launch.unwatch(node)
  end
  if before.status == 'starting' then sup.starting = sup.starting - 1 end
  if r.status == 'starting' then sup.starting = sup.starting + 1 end
end

local function dependents(sup, node)
  local epoch = node.record.epoch
  for _, link in ipairs(node.serves) do
    local was = link.met
    if deps.refresh(link) then
      local from = link.from.record
      if from.status == 'waiting' or from.status == 'skipped' then
        M.mark(sup, link.from)
      elseif link.edge.restart and link.met and not was and LIVING[from.status] and from.want == 'up'
        and link.used ~= epoch then
        link.used = epoch
        M.feed(sup, link.from, {
          name = 'restart', by = 'dependency', reason = ("dependency '%s' is back"):format(node.id),
        })
      end
    end
  end
end

-- What only few services have is loaded for the first that has it.
local function attend(sup, node)
  if sup.sockets then sup.sockets:look(node.id, node.record.status) end
  if node.service.schedule then require('pact.supervise.schedule').look(sup, node) end
  if node.service.watch then require('pact.supervise.watch').look(sup, node) end
end

local function changed(sup, node, before)
  local r = node.record
  if r.status ~= before.status then status_changed(sup, node, before) end
  if r.live == 'up' and before.live ~= 'up' and LIVING[r.status] then
    launch.watch(sup, node)
    limits.of_life(sup, node, 0)
  end
  reset_timer(sup, node)
  if before.asked and not r.asked then asking.forget(sup, node) end
  rest.count(sup, before, r)
  dependents(sup, node)
  if r.status == 'waiting' or r.status == 'skipped' then M.mark(sup, node) end
  waiters.look(sup, node)
  attend(sup, node)
  teardown.changed(sup, node)
  if node.pending and not r.live then require('pact.supervise.reload').settle(sup, node) end
  if node.leaving then require('pact.supervise.reload').look(sup, node) end
  M.soon(sup)
end

local PERFORM = {}

function PERFORM.spawn(sup, node)
  launch.begin(sup, node)
end

function PERFORM.halt(_, node)
  node.driver:stop(node.job, {})
end

function PERFORM.delay(sup, node, action)
  node.next_start = sup.sys.time.now() + action[2]
  timers.set(sup, node, 'delay', action[2], function()
    return { name = 'timer' }
  end)
end

function PERFORM.emit(sup, node, action)
  sup:emit(node, action[2], action[3])
end

function PERFORM.ask(sup, node, action)
  asking.begin(sup, node, action[2])
end

local ASKED_ABOUT = { exited = true, start_failed = true, health = true, fail = true, verdict = true }

local function apply(sup, node, event)
  local before = node.record
  event.random = sup.sys.time.random()
  event.ask = ASKED_ABOUT[event.name]
    and (sup.opts.verdict ~= nil or type(node.service.on_unhealthy) == 'function')
  local after, actions = state.step(before, event)
  if after == before then return end
  node.record, node.from = after, before.status
  changed(sup, node, before)
  for _, action in ipairs(actions) do PERFORM[action[1]](sup, node, action) end
  if event.name ~= 'adopt' then teardown.essential(sup, node) end -- what has ended before was not
end

---Takes in an event. What it leads to is taken in behind it, never inside it.
---@param node node
---@param event table see `state`
function M.feed(sup, node, event)
  sup.inbox_tail = sup.inbox_tail + 1
  sup.inbox[sup.inbox_tail] = { node, event }
  if sup.feeding then return end
  sup.feeding = true
  while sup.inbox_head <= sup.inbox_tail do
    local entry = sup.inbox[sup.inbox_head]
    sup.inbox[sup.inbox_head] = nil
    sup.inbox_head = sup.inbox_head + 1
    sup.sched:guard(apply, sup, entry[1], entry[2])
  end
  sup.inbox_head, sup.inbox_tail, sup.feeding = 1, 0, false
end

---------------------------------------------------------------------------------------------------
-- Once a turn: who may start, who can't, and whether all is at rest.

---A service's conditions have changed: it is looked at before the turn ends.
---@param node node
function M.mark(sup, node)
  if not node.marked then
    node.marked = true
    sup.dirty[#sup.dirty + 1] = node
    M.soon(sup)
  end
end

function M.soon(sup)
  if not sup.soon then
    sup.soon = true
    sup.sched:batch(function()
      M.settle(sup)
    end)
  end
end

-- With a limit to parallel starts, those who come later queue behind those who wait.
local function has_turn(sup, node, first)
  local limit = sup.opts.plan.max_parallel_starts
  if not limit or (sup.starting < limit and (first or not sup.queue[1])) then return true end
  if not node.queued then
    node.queued = true
    sup.queue[#sup.queue + 1] = node
  end
  return false
end

local function waiting(sup, node, first)
  local why = deps.blocked_by(node)
  if why then return M.feed(sup, node, { name = 'block', reason = why }) end
  if not node.record.called or not deps.may_start(node) or node.record.live then return end
  if not has_turn(sup, node, first) then return end
  sup.budget = sup.budget - 1
  M.feed(sup, node, { name = 'go' })
end

local function consider(sup, node, first)
  local r = node.record
  if r.status == 'waiting' then
    waiting(sup, node, first)
  elseif r.status == 'skipped' and r.want == 'up' and not deps.blocked_by(node) then
    M.feed(sup, node, { name = 'unblock' })
  end
end

-- The rest of a long list is for the next turn.
local function go_on_later(sup, list, from)
  local left = table.move(list, from, #list, 1, {})
  table.move(sup.dirty, 1, #sup.dirty, #left + 1, left)
  sup.dirty = left
  sup.sched:after(0, function()
    M.soon(sup)
  end)
end

local function from_queue(sup)
  local limit = sup.opts.plan.max_parallel_starts
  while sup.queue[1] and (not limit or sup.starting < limit) do
    local node = table.remove(sup.queue, 1)
    node.queued = false
    consider(sup, node, true)
  end
end

function M.settle(sup)
  sup.soon = false
  sup.budget = STARTS_PER_TURN
  from_queue(sup)
  while sup.dirty[1] do
    local list = sup.dirty
    sup.dirty = {}
    for i, node in ipairs(list) do
      if sup.budget <= 0 then return go_on_later(sup, list, i) end
      node.marked = false
      consider(sup, node)
    end
    from_queue(sup)
  end
  rest.look(sup)
end

return M
