--- A made-up world in virtual time: a clock that moves only when asked, and a queue of what will happen.

local M = {}

---@class fake_world
---@field now integer monotonic ms
---@field programs table<string, table|fun(spec: table, nth: integer): table> what argv[1] does, see fake_proc
---@field http table<string, fun(request: table, now: integer): table|nil, string?, string?> answers by url
---@field tcp table<string, boolean|fun(now: integer): boolean> by 'host:port', beside what programs listen on
---@field holders table<integer, table> who holds a port outside this network
---@field lingering table<integer, integer> port → until when
---@field files table<string, string> by path
---@field spawned table[] every process ever started
local World = {}
World.__index = World

local function before(a, b)
  if a.at ~= b.at then
    return a.at < b.at
  end
  return a.seq < b.seq
end

---@param opts? { seed?: integer, now?: integer, wall?: integer }
---@return fake_world
function M.new(opts)
  opts = opts or {}
  return setmetatable({
    now = opts.now or 1000,
    offset = (opts.wall or 1700000000000) - (opts.now or 1000),
    state = opts.seed or 1,
    heap = {},
    seq = 0,
    ids = 0,
    pids = 100,
    dispatched = 0,
    programs = {},
    counts = {},
    http = {},
    tcp = {},
    holders = {},
    lingering = {},
    files = {},
    spawned = {},
    procs = {},
    logs = {},
    cancelled = {},
    users = { root = { name = 'root', uid = 0, gid = 0, groups = {}, home = '/root', shell = '/bin/sh' } },
    env = { PATH = '/usr/bin:/bin', HOME = '/root' },
  }, World)
end

function World:id()
  self.ids = self.ids + 1
  return self.ids
end

---@return number in [0, 1), the same series for the same seed
function World:random()
  self.state = (self.state * 1103515245 + 12345) % 2147483648
  return (self.state >> 8) / 8388608
end

---@param delay integer ms from now
---@param fn fun()
---@return table entry set its `dead` to take it back
function World:at(delay, fn)
  self.seq = self.seq + 1
  local entry = { at = self.now + math.max(0, delay), seq = self.seq, fn = fn }
  local heap = self.heap
  local i = #heap + 1
  heap[i] = entry
  while i > 1 and before(heap[i], heap[i // 2]) do
    heap[i], heap[i // 2] = heap[i // 2], heap[i]
    i = i // 2
  end
  return entry
end

local function pop(heap)
  local top = heap[1]
  local last = table.remove(heap)
  if last ~= top then
    heap[1] = last
    local i, count = 1, #heap
    while true do
      local least = i
      for child = 2 * i, 2 * i + 1 do
        if child <= count and before(heap[child], heap[least]) then
          least = child
        end
      end
      if least == i then
        break
      end
      heap[i], heap[least] = heap[least], heap[i]
      i = least
    end
  end
  return top
end

---Hands an event to the dispatch function, unless its id was cancelled.
function World:event(id, kind, ...)
  if not self.cancelled[id] and self.on_dispatch then
    self.dispatched = self.dispatched + 1
    self.on_dispatch(id, kind, ...)
  end
end

---Lets everything that is due at the next moment happen: one turn of the loop.
---@param limit integer not after this time
---@return boolean something happened
function World:turn(limit)
  local heap = self.heap
  while heap[1] and heap[1].dead do
    pop(heap)
  end
  if not heap[1] or heap[1].at > limit then
    return false
  end
  local last = self.seq -- what is made in this turn comes in the next
  self.now = heap[1].at
  while heap[1] and heap[1].at <= self.now and heap[1].seq <= last do
    local entry = pop(heap)
    if not entry.dead then
      entry.fn()
    end
  end
  if self.on_turn then
    self.on_turn()
  end
  return true
end

---Lets `ms` pass.
---@param ms? integer default 0: what is due now
function World:advance(ms)
  local limit = self.now + (ms or 0)
  while self:turn(limit) do
  end
  self.now = limit
end

---Lets time pass until `done()` is true.
---@param done fun(): any
---@param limit? integer ms at most, default a day
---@return boolean it came true
function World:until_true(done, limit)
  local stop = self.now + (limit or 86400000)
  while not done() do
    if not self:turn(stop) then
      return false
    end
  end
  return true
end

---@return boolean nothing is left that could happen
function World:quiet()
  for _, entry in ipairs(self.heap) do
    if not entry.dead then
      return false
    end
  end
  return true
end

return M
