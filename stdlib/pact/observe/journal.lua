--- Every event of a run, one JSON object a line, in `events.jsonl`; and what of it is asked for again.

local json = require 'pact.base.json'
local logfile = require 'pact.observe.logfile'

local M = {}

local MAX_SIZE, MAX_FILES = 10 << 20, 5
local PIECE_SIZE = 64 << 10 -- an event is smaller
local MARK_SIZE = 256 << 10

---@class journal
local Journal = {}
Journal.__index = Journal

---@param fs sys.fs
---@param dir string the run's
---@param on_fault fun(message: string)
---@param shown? fun(line: string): string takes out of JSON what must not be shown
---@return journal
function M.new(fs, dir, on_fault, shown)
  local path = dir .. '/events.jsonl'
  return setmetatable({
    fs = fs,
    path = path,
    shown = shown,
    marks = {}, -- { file: rotations before it, offset, seq }, oldest first
    sink = logfile.new(fs, { path = path, max_size = MAX_SIZE, max_files = MAX_FILES, on_fault = on_fault }),
  }, Journal)
end

-- Where the line just written begins, so that reading behind an event needn't begin at the first one.
local function mark(self, seq, size)
  local sink, last = self.sink, self.marks[#self.marks]
  local offset = math.max(0, sink.size - size)
  if last and last.file == sink.rotations and offset - last.offset < MARK_SIZE then return end
  self.marks[#self.marks + 1] = { file = sink.rotations, offset = offset, seq = seq }
  while self.marks[1].file <= sink.rotations - MAX_FILES do table.remove(self.marks, 1) end
end

---@param event event
function Journal:write(event)
  local line = self:line(event) .. '\n'
  if self.sink:write(line) then mark(self, event.seq, #line) end
end

---The event as JSON; encoded once however many ask for it in turn.
---@param event event
---@return string
function Journal:line(event)
  if self.last ~= event then
    local line = json.encode(event, { lenient = true })
    self.last, self.last_line = event, self.shown and self.shown(line) or line
  end
  return self.last_line
end

-- The newest place with nothing behind `seq` before it.
local function place(self, seq)
  local found = self.marks[1]
  for _, entry in ipairs(self.marks) do
    if entry.seq <= seq + 1 then found = entry end
  end
  return found and { file = found.file, offset = found.offset }
end

-- The next piece of whole lines; nil at the end of what is written.
local function piece(self, at)
  while at.file <= self.sink.rotations do
    local age = self.sink.rotations - at.file
    local path = age == 0 and self.path or ('%s.%d'):format(self.path, age)
    local bytes = self.fs.read_at(path, at.offset, PIECE_SIZE) or ''
    local whole = bytes:match '^.*\n'
    if whole then
      at.offset = at.offset + #whole
      return whole
    end
    at.file, at.offset = at.file + 1, 0
  end
end

---Goes through the events behind `seq`, oldest first; of rotated files as long as they exist. A piece of a
---file at a time is in memory, so that a caller may stop and ask again from where it was.
---@param seq integer
---@return fun(): integer?, string? seq and line of the next
function Journal:since(seq)
  local at = place(self, seq)
  local lines = at and (piece(self, at) or ''):gmatch '[^\n]+'
  return function()
    while lines do
      for line in lines do
        local number = math.tointeger(line:match '"seq":(%d+)')
        if number and number > seq then return number, line end
      end
      local more = piece(self, at)
      lines = more and more:gmatch '[^\n]+'
    end
  end
end

function Journal:close()
  self.sink:close()
end

return M
