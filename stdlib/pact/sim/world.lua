--- A made-up world in virtual time: a clock that moves only when asked, and a queue of what will happen.

local M = {}

---@class world
---@field now integer monotonic ms
---@field offset integer from `now` to the wall clock
---@field limit integer how many turns one moment may have before it counts as endless
---@field most integer how many events it may have
---@field work integer events of this moment
---@field dispatched integer events delivered so far
---@field programs table<string, table|fun(spec: table, nth: integer): table> what argv[1] does, see sim/proc
---@field program_of? fun(spec: table): table? answers instead of `programs`
---@field http table<string, fun(request: table, now: integer): table|nil, string?, string?> answers by url
---@field http_of? fun(request: table): table?, string?, string? answers instead of `http`
---@field tcp table<string, boolean|fun(now: integer): boolean> by 'host:port', beside what programs listen on
---@field tcp_of? fun(opts: table): boolean? answers before `tcp`
---@field holders table<integer, table> who holds a port outside this network
---@field lingering table<integer, integer> port → until when
---@field files table<string, string> by path
---@field datagrams table<string, { id: integer, dead?: boolean }> sockets by path
---@field spawned table[] every process ever started, unless `forgets`
---@field forgets? boolean a long play keeps no record of what has ended
local World = {}
World.__index = World

---@param opts? { seed?: integer, now?: integer, wall?: integer }
---@return world
function M.new(opts)
  opts = opts or {}
  local now = opts.now or 1000
  return setmetatable({
    now = now, offset = (opts.wall or 1700000000000) - now, state = opts.seed or 1, limit = 10000, most = 20000,
    turns = 0, work = 0,
    heap = {}, moments = {}, ids = 0, pids = 100, dispatched = 0, operations = {}, cancelled = {},
    programs = {}, counts = {}, spawned = {}, procs = {}, listeners = {}, logs = {},
    http = {}, tcp = {}, holders = {}, lingering = {}, files = {}, datagrams = {},
    users = { root = { name = 'root', uid = 0, gid = 0, groups = {}, home = '/root', shell = '/bin/sh' } },
    env = { PATH = '/usr/bin:/bin', HOME = '/root' },
  }, World)
end

---Somebody writes to a datagram socket.
---@return boolean there was one
function World:datagram(path, text, pid, uid)
  local socket = self.datagrams[path]
  if not socket or socket.dead then return false end
  self:event(socket.id, 'datagram', text, pid, uid or 0)
  return true
end

function World:id()
  self.ids = self.ids + 1
  return self.ids
end

---The next of a series of numbers: the same for the same seed.
---@param state integer
---@return integer state, number in [0, 1)
function M.random(state)
  state = (state * 1103515245 + 12345) % 2147483648
  return state, (state >> 8) / 8388608
end

---@return number in [0, 1)
function World:random()
  local number
  self.state, number = M.random(self.state)
  return number
end

-- A heap of moments, each once; what shall happen at one is a list, in the order in which it was arranged.
local function push(heap, at)
  local i = #heap + 1
  while i > 1 do
    local up = i // 2
    local parent = heap[up]
    if parent < at then break end
    heap[i], i = parent, up
  end
  heap[i] = at
end

local function pop(heap)
  local count = #heap
  local last = heap[count]
  heap[count] = nil
  count = count - 1
  if count == 0 then return end
  local i = 1
  while true do
    local child = 2 * i
    if child > count then break end
    local least, other = heap[child], heap[child + 1]
    if other and other < least then
      least, child = other, child + 1
    end
    if last < least then break end
    heap[i], i = least, child
  end
  heap[i] = last
end

---@param delay integer ms from now
---@param fn fun(entry: table)
---@return table entry set its `dead` to take it back
function World:at(delay, fn)
  local at = self.now + (delay > 0 and delay or 0)
  local list = self.moments[at]
  local entry = { fn = fn }
  if list then
    list[#list + 1] = entry
  else
    self.moments[at] = { entry }
    push(self.heap, at)
  end
  return entry
end

---Hands an event to the dispatch function, unless its id was cancelled.
function World:event(id, kind, ...)
  if not self.cancelled[id] and self.on_dispatch then
    self.dispatched, self.work = self.dispatched + 1, self.work + 1
    self.on_dispatch(id, kind, ...)
  end
end

---An operation that ends in one event.
---@param delay integer
---@param fn fun(entry: table) its `id` is the operation's
---@return integer id
function World:operation(delay, fn)
  local id = self:id()
  local entry = self:at(delay, fn)
  entry.id = id
  self.operations[id] = entry
  return id
end

---Takes an operation back, or what else has that id.
function World:cancel(id)
  local entry = self.operations[id]
  if not entry then
    if self.procs[id] or not self.forgets then self.cancelled[id] = true end
    return
  end
  entry.dead, entry.fn = true, nil
  self.operations[id] = nil
end

local function endless(self)
  error(('virtual time stands still at %d ms: things happen without end, each because of the last'):format(self.now), 0)
end

-- The next moment at which something happens; those at which all was taken back are passed over.
local function next_moment(self)
  local heap, moments = self.heap, self.moments
  local at = heap[1]
  while at do
    local list = moments[at]
    for i = 1, #list do
      if not list[i].dead then return at, list end
    end
    moments[at] = nil
    pop(heap)
    at = heap[1]
  end
end

-- What was done at a moment is forgotten; what was arranged for it meanwhile stays.
local function forget(self, at, list, count)
  if #list == count then
    self.moments[at] = nil
    pop(self.heap)
  else
    self.moments[at] = table.move(list, count + 1, #list, 1, {})
  end
end

---Lets everything that is due at the next moment happen: one turn of the loop.
---@param limit integer not after this time
---@return boolean something happened
function World:turn(limit)
  local at, list = next_moment(self)
  if not at or at > limit then return false end
  if at > self.now then
    self.now, self.turns, self.work = at, 0, 0
  else
    self.turns = self.turns + 1
    if self.turns > self.limit or self.work > self.most then endless(self) end
  end
  local count = #list -- what is made in this turn comes in the next
  for i = 1, count do
    local entry = list[i]
    if not entry.dead then
      entry.dead = true
      entry.fn(entry)
    end
  end
  forget(self, at, list, count)
  if self.on_turn then self.on_turn() end
  return true
end

---Lets `ms` pass.
---@param ms? integer default 0: what is due now
function World:advance(ms)
  local limit = self.now + (ms or 0)
  while self:turn(limit) do end
  self.now = limit
end

---Lets time pass until `done()` is true.
---@param done fun(): any
---@param limit? integer ms at most, default a day
---@return boolean it came true
function World:until_true(done, limit)
  local stop = self.now + (limit or 86400000)
  while not done() do
    if not self:turn(stop) then return false end
  end
  return true
end

---@return boolean nothing is left that could happen
function World:quiet()
  return next_moment(self) == nil
end

return M
