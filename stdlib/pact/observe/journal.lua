--- Every event of a run, one JSON object a line, in `events.jsonl`; and what of it is asked for again.

local json = require 'pact.base.json'
local logfile = require 'pact.observe.logfile'

local M = {}

local MAX_SIZE, MAX_FILES = 10 << 20, 5

---@class journal
local Journal = {}
Journal.__index = Journal

---@param fs sys.fs
---@param dir string the run's
---@param on_fault fun(message: string)
---@return journal
function M.new(fs, dir, on_fault)
  local path = dir .. '/events.jsonl'
  return setmetatable({
    fs = fs,
    path = path,
    sink = logfile.new(fs, { path = path, max_size = MAX_SIZE, max_files = MAX_FILES, on_fault = on_fault }),
  }, Journal)
end

---@param event event
function Journal:write(event)
  self.sink:write(self:line(event) .. '\n')
end

---The event as JSON; encoded once however many ask for it in turn.
---@param event event
---@return string
function Journal:line(event)
  if self.last ~= event then
    self.last, self.last_line = event, json.encode(event, { lenient = true })
  end
  return self.last_line
end

---Lines of the events behind `seq`, oldest first; of rotated files as long as they exist.
---@param seq integer
---@return string[]
function Journal:since(seq)
  local lines = {}
  for i = MAX_FILES - 1, 0, -1 do
    local bytes = self.fs.read(i == 0 and self.path or ('%s.%d'):format(self.path, i))
    for line in (bytes or ''):gmatch '[^\n]+' do
      local number = math.tointeger(line:match '"seq":(%d+)')
      if number and number > seq then lines[#lines + 1] = line end
    end
  end
  return lines
end

function Journal:close()
  self.sink:close()
end

return M
