--- Events by value, to subscribers in a fixed order: journal, then hooks, then clients.

local sched = require 'pact.base.sched'

local M = {}

local RANKS = { journal = 1, hooks = 2, clients = 3 }

---@class bus
local Bus = {}
Bus.__index = Bus

---@class bus_options
---@field now fun(): integer
---@field wall fun(): integer
---@field try function sys.try
---@field on_error fun(message: string, traceback: string)
---@field before? fun() runs before waiting events are handed over
---@field later? fun(fn: fun()) runs `fn` when what goes on now is done; without it events are handed over at once

---@param opts bus_options
---@return bus
function M.new(opts)
  return setmetatable({
    now = opts.now,
    wall = opts.wall,
    try = opts.try,
    on_error = opts.on_error,
    later = opts.later,
    before = opts.before,
    seq = 0,
    subscribers = {},
    queue = {},
    head = 1,
    tail = 0,
  }, Bus)
end

local function set(names)
  if not names then
    return nil
  end
  local found = {}
  for _, name in ipairs(names) do
    found[name] = true
  end
  return found
end

---@param fn fun(event: event)
---@param opts? { rank?: 'journal'|'hooks'|'clients', names?: string[] } default 'clients'; all names
---@return { off: fun(self) }
function Bus:subscribe(fn, opts)
  opts = opts or {}
  local rank = RANKS[opts.rank or 'clients'] or error('bus: no rank ' .. tostring(opts.rank), 2)
  local entry = { fn = fn, rank = rank, names = set(opts.names) }
  -- A new list each time: one that is being walked stays as it is.
  local list, placed = {}, false
  for _, other in ipairs(self.subscribers) do
    if not placed and other.rank > rank then
      list[#list + 1], placed = entry, true
    end
    list[#list + 1] = other
  end
  if not placed then
    list[#list + 1] = entry
  end
  self.subscribers = list
  function entry.off()
    self:remove(entry)
  end
  return entry
end

function Bus:remove(entry)
  entry.gone = true
  local list = {}
  for _, other in ipairs(self.subscribers) do
    if other ~= entry then
      list[#list + 1] = other
    end
  end
  self.subscribers = list
end

---@param name string
---@return boolean somebody would hear an event of this name
function Bus:wanted(name)
  for _, entry in ipairs(self.subscribers) do
    if not entry.names or entry.names[name] then
      return true
    end
  end
  return false
end

function Bus:deliver(event)
  for _, entry in ipairs(self.subscribers) do
    if not entry.gone and (not entry.names or entry.names[event.name]) then
      local ok, err = self.try(entry.fn, event)
      if not ok then
        self.on_error(err.message, sched.full(err))
      end
    end
  end
end

---Hands an event to everybody, soon. What a subscriber emits meanwhile follows behind it, so that all hear
---the same order.
---@param event table name and fields; seq, at and mono are filled in
function Bus:emit(event)
  self.seq = self.seq + 1
  event.seq, event.at, event.mono = self.seq, self.wall(), self.now()
  self.tail = self.tail + 1
  self.queue[self.tail] = event
  if not self.later then return self:flush() end
  if self.promised then return end
  self.promised = true
  self.later(function()
    self.promised = false
    self:flush()
  end)
end

---Hands over what waits: for who is about to act on what all should have heard.
function Bus:flush()
  if self.delivering then return end
  self.delivering = true
  if self.before and self.head <= self.tail then self.before() end
  while self.head <= self.tail do
    local next_event = self.queue[self.head]
    self.queue[self.head] = nil
    self.head = self.head + 1
    self:deliver(next_event)
  end
  self.head, self.tail, self.delivering = 1, 0, false
end

return M
