--- Several things at once: `pact.spawn`, `pact.all`, `pact.race`, and queues between them.

local arguments = require 'pact.control.recipe.arguments'
local text = require 'pact.base.text'

local M = {}

local OPTIONS = { timeout = 'duration' }

-- spawn --------------------------------------------------------------------------------------------

---@class spawned
local Spawned = { __name = 'task' }
Spawned.__index = Spawned

local Tasks = setmetatable({}, { __mode = 'k' }) -- spawned → task, network

---Waits for its end.
---@param opts? { timeout?: any }
---@return any ... what it returned; nil, message, code when it raised, was cancelled, or takes longer
function Spawned:wait(opts)
  local one, limit = Tasks[self], arguments.options(opts, OPTIONS, 'wait').timeout
  one.heard = one.heard + 1
  local results = table.pack(one.sched:join(one.task, limit))
  if results[1] then return table.unpack(results, 2, results.n) end
  one.heard = one.heard - 1
  if results[1] == nil then return nil, 'it is not done yet', 'timeout' end
  return nil, results[2], one.task.status
end

---Ends it where it waits.
function Spawned:cancel()
  local one = Tasks[self]
  one.sched:stop(one.task)
end

---@return 'running'|'done'|'failed'|'cancelled'
function Spawned:status()
  local status = Tasks[self].task.status
  return (status == 'ready' or status == 'waiting') and 'running' or status
end

function Spawned:__tostring() return 'task, ' .. self:status() end

local function spawn(context, fn, ...)
  arguments.typed(fn, 'function', 'pact.spawn: what it runs')
  context.launch.recipe.busy = true
  local one = { sched = context.sched, heard = 0 }
  one.task = context.launch:here():run('pact.spawn', fn, {
    quiet = function() return one.heard > 0 end,
  }, ...)
  local handle = setmetatable({}, Spawned)
  Tasks[handle] = one
  return handle
end

-- all, race ----------------------------------------------------------------------------------------

-- A group of tasks under one waiting call: whatever ends that ends them.
local function begin(context, functions, what, heard)
  arguments.typed(functions, 'table', what .. ': what it runs')
  context.sched:must_wait()
  local keys = {}
  for key, fn in pairs(functions) do
    if type(fn) ~= 'function' then
      arguments.misuse('%s: %s must be a function, got %s', what, text.show(key), text.show(fn))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and type(a) ~= 'boolean' then return a < b end
    return tostring(a) < tostring(b)
  end)
  local group = context.sched:group()
  for _, key in ipairs(keys) do
    context.sched:spawn(functions[key], {
      name = what, budget = 250, group = group,
      on_done = function(...) heard(key, true, ...) end,
      on_error = function(message, traceback) heard(key, false, message, traceback) end,
    })
  end
  return group, #keys
end

-- Waits for the group; raises what one of it raised.
local function finish(context, group, limit, arm)
  local timer
  local _ <close> = setmetatable({}, { __close = function()
    context.sched:cancel(timer)
    group:cancel()
  end })
  local answer = table.pack(context.sched:suspend(function(wake)
    arm(wake)
    if limit then timer = context.sched:after(limit, function() wake 'timeout' end) end
  end))
  if answer[1] == 'raised' then error(answer[2], 0) end
  return table.unpack(answer, 1, answer.n)
end

local function all(context, functions, opts)
  local limit = arguments.options(opts, OPTIONS, 'pact.all').timeout
  local results, left, wake = {}, nil, nil
  local group
  group, left = begin(context, functions, 'pact.all', function(key, ok, value)
    if not ok then return wake('raised', value) end
    results[key] = value
    left = left - 1
    if left == 0 then wake 'done' end
  end)
  if left == 0 then return results end
  if finish(context, group, limit, function(fn) wake = fn end) == 'timeout' then
    return nil, ('%d of them %s not done yet'):format(left, left == 1 and 'is' or 'are'), 'timeout'
  end
  return results
end

local function race(context, functions, opts)
  local limit = arguments.options(opts, OPTIONS, 'pact.race').timeout
  local wake
  local group, count = begin(context, functions, 'pact.race', function(key, ok, value)
    if ok then wake('done', value, key) else wake('raised', value) end
  end)
  if count == 0 then arguments.misuse 'pact.race needs functions' end
  local how, value, key = finish(context, group, limit, function(fn) wake = fn end)
  if how == 'timeout' then return nil, 'none of them is done yet', 'timeout' end
  return value, key
end

-- queue --------------------------------------------------------------------------------------------

---@class queue
local Queue = { __name = 'queue' }
Queue.__index = Queue

local Queues = setmetatable({}, { __mode = 'k' }) -- queue → its inside

function Queue:__tostring()
  local inside = Queues[self]
  if inside.closed then return 'queue, closed' end
  return ('queue with %d of %d values'):format(#inside.values, inside.room)
end

local function queue(context, room)
  if room == nil then room = 1 end
  if math.type(room) ~= 'integer' or room < 1 then
    arguments.misuse('pact.queue needs the number of values it holds, 1 or more, got %s', text.show(room))
  end
  local self = setmetatable({}, Queue)
  Queues[self] = { sched = context.sched, room = room, values = {}, putting = {}, taking = {} }
  return self
end

-- Waits in one of the queue's lines, until `wake` or the timeout.
local function stand(inside, line, waiter, limit)
  return inside.sched:suspend(function(wake)
    local timer
    local function leave()
      inside.sched:cancel(timer)
      for i, other in ipairs(line) do
        if other == waiter then return table.remove(line, i) end
      end
    end
    function waiter.wake(...)
      inside.sched:cancel(timer)
      wake(...)
    end
    line[#line + 1] = waiter
    timer = limit and inside.sched:after(limit, function()
      leave()
      wake('timeout')
    end)
    return leave
  end)
end

---Puts a value behind the others; waits while the queue is full.
---@param value any not nil
---@param opts? { timeout?: any }
---@return true?, string? message, string? code 'timeout' 'closed'
function Queue:put(value, opts)
  local inside, limit = Queues[self], arguments.options(opts, OPTIONS, 'put').timeout
  if value == nil then arguments.misuse 'put: nil is no value for a queue' end
  if inside.closed then return nil, 'the queue is closed', 'closed' end
  local taker = table.remove(inside.taking, 1)
  if taker then
    taker.wake('value', value)
  elseif #inside.values < inside.room then
    table.insert(inside.values, value)
  else
    local how = stand(inside, inside.putting, { value = value }, limit)
    if how == 'timeout' then return nil, 'the queue is full', 'timeout' end
    if how == 'closed' then return nil, 'the queue is closed', 'closed' end
  end
  return true
end

---Takes the oldest value; waits while there is none.
---@param opts? { timeout?: any }
---@return any value, string? message, string? code 'timeout' 'closed'
function Queue:take(opts)
  local inside, limit = Queues[self], arguments.options(opts, OPTIONS, 'take').timeout
  local value = table.remove(inside.values, 1)
  if value ~= nil then
    local putter = table.remove(inside.putting, 1)
    if putter then
      table.insert(inside.values, putter.value)
      putter.wake 'put'
    end
    return value
  end
  if inside.closed then return nil, 'the queue is closed', 'closed' end
  local how, found = stand(inside, inside.taking, {}, limit)
  if how == 'timeout' then return nil, 'the queue is empty', 'timeout' end
  if how == 'closed' then return nil, 'the queue is closed', 'closed' end
  return found
end

---Nothing more comes: what is in it can still be taken, who waits is told.
function Queue:close()
  local inside = Queues[self]
  inside.closed = true
  for _, name in ipairs { 'putting', 'taking' } do
    local line = inside[name]
    inside[name] = {}
    for _, waiter in ipairs(line) do waiter.wake 'closed' end
  end
end

---@return integer values that wait to be taken
function Queue:__len() return #Queues[self].values end

---@param api table behind `pact`
---@param context table network, launch, sys, sched
function M.install(api, context)
  function api.spawn(fn, ...) return spawn(context, fn, ...) end
  function api.all(functions, opts) return all(context, functions, opts) end
  function api.race(functions, opts) return race(context, functions, opts) end
  function api.queue(room) return queue(context, room) end
end

return M
