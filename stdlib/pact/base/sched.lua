--- Coroutines and handlers over `sys`: who hears an event, who sleeps, who is ended with whom.

local task = require 'pact.base.task'
local wait = require 'pact.base.wait'

local M = {}

-- What goes on and on by itself (a hook that starts what fails at once) goes on in the next turn: the loop has
-- others to serve.
local ROUNDS = 64

---@class sched
local Sched = setmetatable({}, { __index = task })
Sched.__index = Sched

---@class task_group
local Group = {}
Group.__index = Group

---@param sys sys
---@param on_error? fun(message: string, traceback: string, task?: task) hears what a handler or a task raised
---@return sched
function M.new(sys, on_error)
  local self = setmetatable({
    sys = sys,
    coroutine = wait.coroutine,
    handlers = {}, -- by sys id; a task: it sleeps until then
    kinds = {}, -- by kind, for ids that nobody waits for: a new request
    signals = {}, -- by a signal's name
    posted = {}, -- functions and tasks to run at the end of this dispatch: [head] … [tail]
    head = 1,
    tail = 0,
    batched = {}, -- functions to run once all of this turn's events are delivered
    turns = {},
    grouped = {}, -- timer id → { group, member }
    serial = 0,
    busy = false, -- a dispatch, a turn or a drain is running
    on_error = on_error or function(_, traceback)
      error(traceback, 0)
    end,
  }, Sched)
  sys.dispatch(function(id, kind, ...)
    self:dispatch(id, kind, ...)
  end)
  sys.turn(function()
    self:turn()
  end)
  return self
end

---What `sys.try` gave for an error, as one text: the message first.
---@param err { message: string, traceback?: string }
---@return string
function M.full(err)
  local traceback = err.traceback or ''
  if traceback:find(err.message, 1, true) then
    return traceback
  end
  return err.message .. (traceback ~= '' and '\n' or '') .. traceback
end

---Calls `fn` so that what it raises goes to the error handler.
function Sched:guard(fn, ...)
  local ok, err = self.sys.try(fn, ...)
  if not ok then
    self.on_error(err.message, M.full(err))
  end
end

---The one way in: hands an event to whoever waits for its id.
function Sched:dispatch(id, kind, ...)
  local handler = self.handlers[id]
  self.busy = true
  if type(handler) == 'table' then
    self:slept(handler, id)
  elseif handler then
    self:guard(handler, kind, ...)
  elseif kind == 'signal' and self.signals[...] then
    self:guard(self.signals[...], ...)
  elseif self.kinds[kind] then
    self:guard(self.kinds[kind], id, ...)
  end
  self:drain()
  self.busy = false
end

function Sched:turn()
  self.kicked = nil
  self.busy = true
  for _, fn in ipairs(self.turns) do
    self:guard(fn)
  end
  self:drain()
  local rounds = 0
  while self.batched[1] and rounds < ROUNDS do
    local batched = self.batched
    self.batched, rounds = {}, rounds + 1
    for _, fn in ipairs(batched) do
      self:guard(fn)
    end
    self:drain()
  end
  self.busy = false
  if self.batched[1] then self:kick() end
end

function Sched:drain()
  while self.head <= self.tail do
    local fn = self.posted[self.head]
    self.posted[self.head] = nil
    self.head = self.head + 1
    if type(fn) == 'function' then
      self:guard(fn)
    else
      self:guard(self.go_on, self, fn)
    end
  end
  self.head, self.tail = 1, 0
end

-- Nothing runs now: a turn is needed for what was just left to be done.
function Sched:kick()
  if not self.busy and not self.kicked then
    self.kicked = self.sys.time.after(0)
  end
end

---@param fn fun()|task runs at the end of this dispatch, or in the next turn when there is none
function Sched:post(fn)
  self.tail = self.tail + 1
  self.posted[self.tail] = fn
  self:kick()
end

---@param fn fun() runs once, when all events of this turn are delivered
function Sched:batch(fn)
  self.batched[#self.batched + 1] = fn
  self:kick()
end

---@param fn fun() runs after each turn that delivered something
function Sched:on_turn(fn)
  self.turns[#self.turns + 1] = fn
end

---@param id integer
---@param fn fun(kind: string, ...) hears every event of a sys id, until `off`
function Sched:on(id, fn)
  self.handlers[id] = fn
end

---@param kind string such as 'request'
---@param fn fun(id: integer, ...) hears events of this kind whose id has no handler
function Sched:on_kind(kind, fn)
  self.kinds[kind] = fn
end

---@param name string a signal to this process, without SIG
---@param fn? fun(name: string) nil: none any more
function Sched:on_signal(name, fn)
  if fn and not self.signals[name] and name ~= 'GUARD' then
    self.sys.time.on_signal(name)
  elseif not fn and self.signals[name] and name ~= 'GUARD' then
    self.sys.time.off_signal(name)
  end
  self.signals[name] = fn
end

function Sched:off(id)
  self.handlers[id] = nil
end

---Ends a sys operation; nobody hears of it any more.
---@param id? integer
function Sched:cancel(id)
  if not id then
    return
  end
  self.handlers[id] = nil
  self:leave(id)
  self.sys.cancel(id)
end

---@param ms integer
---@param fn fun() called once
---@param group? task_group
---@return integer id for `cancel`
function Sched:after(ms, fn, group)
  local id = self.sys.time.after(ms)
  self.handlers[id] = function()
    self.handlers[id] = nil
    self:leave(id)
    fn()
  end
  if group then
    local member = { timer = id }
    group.members[member] = self:next_serial()
    self.grouped[id] = { group = group, member = member }
  end
  return id
end

-- A timer's end: its group forgets it.
function Sched:leave(id)
  local entry = self.grouped[id]
  if entry then
    entry.group.members[entry.member] = nil
    self.grouped[id] = nil
  end
end

function Sched:next_serial()
  self.serial = self.serial + 1
  return self.serial
end

---@return task_group
function Sched:group()
  return setmetatable({ loop = self, members = {} }, Group)
end

---Ends every task and timer of the group, oldest first.
function Group:cancel()
  local found, serials = {}, self.members
  for member in pairs(serials) do
    found[#found + 1] = member
  end
  self.members = {}
  table.sort(found, function(a, b)
    return serials[a] < serials[b]
  end)
  for _, member in ipairs(found) do
    if member.timer then
      self.loop:cancel(member.timer)
    else
      self.loop:stop(member)
    end
  end
end

return M
