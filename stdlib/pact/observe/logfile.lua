--- A file of lines that stays within a size: at the limit it becomes `.1`, what was `.1` becomes
-- `.2`, and what is past the number of files is deleted.

local M = {}

---@class logfile
---@field on_open? fun(path: string) hears of each file that is begun, or gone on with
local File = {}
File.__index = File

---@class logfile_options
---@field path? string without one, lines are kept until `open` says it
---@field max_size integer bytes
---@field max_files integer with the one being written
---@field on_fault? fun(message: string) hears the first of each row of failures

---Nothing is made before the first line.
---@param fs sys.fs
---@param opts logfile_options
---@return logfile
function M.new(fs, opts)
  return setmetatable({
    fs = fs,
    path = opts.path,
    max_size = opts.max_size,
    max_files = math.max(1, opts.max_files),
    on_fault = opts.on_fault,
    size = 0,
    rotations = 0,
    lost = 0,
    early = {},
  }, File)
end

---From now on lines go to this file, those so far first.
---@param path string
function File:open(path)
  self.path = path
  local early = self.early
  self.early = {}
  for _, text in ipairs(early) do self:write(text) end
end

local function fault(self, message)
  self.lost = self.lost + 1
  if self.lost == 1 and self.on_fault then self.on_fault(message) end
  return nil, message
end

local function open(self)
  self.fs.mkdir(self.path:match '^(.*)/[^/]*$')
  local id, message = self.fs.open_append(self.path, tonumber('600', 8))
  if not id then return nil, message end
  local stat = self.fs.stat(self.path)
  self.id, self.size = id, stat and stat.size or 0
  if self.on_open then self.on_open(self.path) end
  return id
end

local function rotate(self)
  self.fs.close(self.id)
  self.id = nil
  self.rotations = self.rotations + 1
  if self.max_files == 1 then
    self.fs.remove(self.path)
    return
  end
  self.fs.remove(('%s.%d'):format(self.path, self.max_files - 1))
  for i = self.max_files - 2, 1, -1 do
    self.fs.rename(('%s.%d'):format(self.path, i), ('%s.%d'):format(self.path, i + 1))
  end
  self.fs.rename(self.path, self.path .. '.1')
end

-- The file to append to, rotated when `size` more bytes would be too many for it.
local function ready(self, size)
  if self.id and self.size > 0 and self.size + size > self.max_size then rotate(self) end
  if self.id then return self.id end
  local id, message = open(self)
  if not id or self.size == 0 or self.size + size <= self.max_size then return id, message end
  rotate(self)
  return open(self)
end

---Appends whole lines. What can't be written is counted, and told once writing goes on.
---@param text string ends with a newline
---@return true?, string? message
function File:write(text)
  if not self.path then
    self.early[#self.early + 1] = text
    return true
  end
  local id, message = ready(self, #text)
  if not id then return fault(self, message) end
  if self.lost > 0 then
    text = ('(%d entries lost: the file could not be written)\n'):format(self.lost) .. text
  end
  local ok, why = self.fs.append(id, text)
  if not ok then return fault(self, why) end
  self.lost = 0
  self.size = self.size + #text
  return true
end

function File:close()
  if self.id then self.fs.close(self.id) end
  self.id = nil
end

return M
