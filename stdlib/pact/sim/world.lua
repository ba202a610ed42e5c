--- A made-up world in virtual time: a clock that moves only when asked, and a queue of what will happen.

local M = {}

---@class world
---@field now integer monotonic ms
---@field offset integer from `now` to the wall clock
---@field limit integer how much may happen at one moment before it counts as endless
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
    now = now, offset = (opts.wall or 1700000000000) - now, state = opts.seed or 1, limit = 100000,
    heap = {}, seq = 0, ids = 0, pids = 100, dispatched = 0, dead = 0, operations = {}, cancelled = {},
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

-- The heap is ordered by time, then by when it was arranged.
local function push(heap, entry)
  local at, seq, i = entry.at, entry.seq, #heap + 1
  while i > 1 do
    local up = i // 2
    local parent = heap[up]
    if parent.at < at or parent.at == at and parent.seq < seq then break end
    heap[i], i = parent, up
  end
  heap[i] = entry
end

local function pop(heap)
  local top, count = heap[1], #heap
  local last = heap[count]
  heap[count] = nil
  if last == top then return top end
  local at, seq, i = last.at, last.seq, 1
  count = count - 1
  while true do
    local child = 2 * i
    if child > count then break end
    local least, other = heap[child], heap[child + 1]
    if other and (other.at < least.at or other.at == least.at and other.seq < least.seq) then
      least, child = other, child + 1
    end
    if at < least.at or at == least.at and seq < least.seq then break end
    heap[i], i = least, child
  end
  heap[i] = last
  return top
end

---@param delay integer ms from now
---@param fn fun(entry: table)
---@return table entry set its `dead` to take it back
function World:at(delay, fn)
  self.seq = self.seq + 1
  local entry = { at = self.now + (delay > 0 and delay or 0), seq = self.seq, fn = fn }
  push(self.heap, entry)
  return entry
end

-- Those that were taken back are thrown out when they are the most.
local function sift(self)
  local old, heap = self.heap, {}
  for i = 1, #old do
    if not old[i].dead then push(heap, old[i]) end
  end
  self.heap, self.dead = heap, 0
end

---Hands an event to the dispatch function, unless its id was cancelled.
function World:event(id, kind, ...)
  if not self.cancelled[id] and self.on_dispatch then
    self.dispatched = self.dispatched + 1
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
  entry.dead = true
  self.operations[id] = nil
  self.dead = self.dead + 1
  if self.dead > 256 and self.dead > #self.heap // 2 then sift(self) end
end

local function endless(self)
  error(('virtual time stands still at %d ms: more than %d things happen at this moment, each because of the last')
    :format(self.now, self.limit), 0)
end

---Lets everything that is due at the next moment happen: one turn of the loop.
---@param limit integer not after this time
---@return boolean something happened
function World:turn(limit)
  local heap = self.heap
  while heap[1] and heap[1].dead do
    pop(heap)
    self.dead = self.dead - 1
  end
  local first = heap[1]
  if not first or first.at > limit then return false end
  local last = self.seq -- what is made in this turn comes in the next
  if first.at > self.now then
    self.now, self.moment = first.at, last
  elseif last - (self.moment or 0) > self.limit then
    endless(self)
  end
  local now = self.now
  while first and first.at <= now and first.seq <= last do
    pop(heap)
    if first.dead then self.dead = self.dead - 1 else first.fn(first) end
    heap = self.heap -- it may have been sifted
    first = heap[1]
  end
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
  for _, entry in ipairs(self.heap) do
    if not entry.dead then return false end
  end
  return true
end

return M
