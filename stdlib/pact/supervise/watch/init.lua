--- Restarts a service, signals it or calls a function when its files change: once for many changes at a time.

local reason = require 'pact.supervise.reason'

local M = {}

local BUDGET = 250
-- Changes that never cease are acted upon all the same.
local LONGEST_MS = 30000
local NAMED_MAX = 100
-- More in a minute than a person saves: it restarts because of itself.
local FLAPS, FLAP_MS = 10, 60000

---@class watch_state
---@field tree? watch_tree
---@field begins integer
---@field since integer ms of the wall clock: what changes later counts, though the search begins a moment after
---@field paths string[] the first that have changed since the last act
---@field seen table<string, true>
---@field count integer
---@field first integer?
---@field last integer?
---@field acts integer[] when it acted, the last ten times
---@field paused? integer until when
---@field timer? integer
---@field task? task the function of the recipe that runs

local function tell(sup, node, action, why, fields)
  fields = fields or {}
  fields.action, fields.reason = action, why
  sup:emit(node, 'watch', fields)
end

local function shown(sup, path)
  local directory = sup.opts.plan.directory
  if path:sub(1, #directory + 1) == directory .. '/' then return path:sub(#directory + 2) end
  return path
end

local function words(state)
  local first = state.paths[1] or 'something'
  if state.count <= 1 then return first .. ' changed' end
  return ('%s and %d more changed'):format(first, state.count - 1)
end

---------------------------------------------------------------------------------------------------
-- Acting.

local arm

local ACTIONS = {}

function ACTIONS.restart(sup, node)
  if node.service.watch.cascade then return sup:restart(node.id, { by = 'watch', with_dependents = true }) end
  sup:feed(node, { name = 'restart', by = 'watch' })
end

function ACTIONS.signal(sup, node)
  local ok, message = sup:signal(node.id, node.service.watch.signal)
  if not ok then tell(sup, node, 'ignored', message) end
end

local function call(sup, node, state, paths)
  state.task = sup.sched:spawn(node.service.watch.action, {
    name = 'watch of ' .. node.id,
    budget = BUDGET,
    on_done = function()
      state.task = nil
      if state.first then arm(sup, node, state) end
    end,
    on_error = function(message, traceback)
      state.task = nil
      sup:emit(node, 'hook_failed', { hook = 'watch', reason = message, message = message, traceback = traceback })
      if state.first then arm(sup, node, state) end
    end,
  }, sup:handle(node.id), paths)
end

local function flaps(state, now)
  while state.acts[1] and state.acts[1] <= now - FLAP_MS do table.remove(state.acts, 1) end
  return #state.acts >= FLAPS
end

local function pause(sup, node, state, now)
  state.paused = now + FLAP_MS
  local span = reason.duration(FLAP_MS)
  tell(sup, node, 'paused', ('%s, the %dth time within a minute: the watch pauses for %s'):format(
    words(state), FLAPS + 1, span))
  sup.sched:cancel(state.timer)
  state.timer = sup.sched:after(FLAP_MS, function()
    state.timer, state.paused, state.acts = nil, nil, {}
    if state.first then M.act(sup, node, state) end
  end)
end

local function forget(state)
  state.paths, state.seen, state.count, state.first, state.last = {}, {}, 0, nil, nil
end

---It has been quiet for long enough.
function M.act(sup, node, state)
  local action, now = node.service.watch.action, sup.sys.time.now()
  local what = type(action) == 'function' and 'function' or action
  if node.record.want ~= 'up' or sup.down then return forget(state) end
  if state.task then return end -- the function still runs: what it is called with next grows
  if flaps(state, now) then return pause(sup, node, state, now) end
  state.acts[#state.acts + 1] = now
  tell(sup, node, what, words(state), { paths = state.paths, count = state.count })
  local paths = state.paths
  forget(state)
  if what == 'function' then return call(sup, node, state, paths) end
  ACTIONS[what](sup, node)
end

---------------------------------------------------------------------------------------------------
-- Gathering.

function arm(sup, node, state)
  if state.timer then return end
  local debounce, now = node.service.watch.debounce, sup.sys.time.now()
  local due = math.min(state.last + debounce, state.first + math.max(LONGEST_MS, debounce))
  state.timer = sup.sched:after(math.max(0, due - now), function()
    state.timer = nil
    now = sup.sys.time.now()
    if now < state.last + debounce and now < state.first + LONGEST_MS then return arm(sup, node, state) end
    M.act(sup, node, state)
  end)
end

local function changed(sup, node, state, path)
  local now = sup.sys.time.now()
  state.first, state.last = state.first or now, now
  if not state.seen[path] then
    state.seen[path] = true
    state.count = state.count + 1
    if state.count <= NAMED_MAX then state.paths[state.count] = shown(sup, path) end
  end
  if not state.paused and not state.task then arm(sup, node, state) end
end

local function look(sup, node, state)
  local given, directory = node.service.watch, sup.opts.plan.directory
  local glob = require 'pact.base.glob' -- loaded for the first watch
  state.tree = require('pact.supervise.watch.tree').new {
    sys = sup.sys, sched = sup.sched, directory = directory, paths = assert(glob.new(given.paths, directory)),
    ignore = given.ignore, since = state.since,
    changed = function(path) changed(sup, node, state, path) end,
    trouble = function(message) tell(sup, node, 'degraded', message) end,
  }
end

-- The search begins when what may start has started.
local function begin(sup, node)
  local state = { acts = {}, since = sup.sys.time.wall() }
  forget(state)
  node.watching = state
  state.begins = sup.sched:after(0, function() look(sup, node, state) end)
end

local function finish(sup, node)
  local state = node.watching
  node.watching = nil
  sup.sched:cancel(state.begins)
  if state.tree then state.tree:close() end
  sup.sched:cancel(state.timer)
  if state.task then sup.sched:stop(state.task) end
end

---What is wanted of it may have changed.
---@param node node
function M.look(sup, node)
  local wanted = node.record.want == 'up' and not sup.down
  if wanted and not node.watching then
    begin(sup, node)
  elseif not wanted and node.watching then
    finish(sup, node)
  end
end

local function same_paths(a, b)
  if not a or not b then return false end
  return table.concat(a.paths, '\0') == table.concat(b.paths, '\0')
    and table.concat(a.ignore or {}, '\0') == table.concat(b.ignore or {}, '\0')
end

---Its service is another: other paths are looked at from now on.
---@param node node
---@param before? table its watch until now
function M.renew(sup, node, before)
  local now = node.service.watch
  if same_paths(before, now) then return end
  if node.watching then finish(sup, node) end
  if now then M.look(sup, node) end
end

---@param node node
---@return integer? ms that its watch still pauses
function M.paused_for(sup, node)
  local state = node.watching
  return state and state.paused and math.max(0, state.paused - sup.sys.time.now()) or nil
end

return M
