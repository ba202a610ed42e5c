--- Directories that the kernel doesn't watch for us: what has changed in them is found by looking.

local M = {}

local LOOK_MS = 2000
-- Looking at more than this each time would be felt.
local ENTRIES_MAX = 5000

---@class poll
local Poll = {}
Poll.__index = Poll

---@class poll_host
---@field sys sys
---@field sched sched
---@field found fun(directory: string, name: string, what: string, is_directory: boolean)
---@field gone fun(directory: string)

---@param host poll_host
---@return poll
function M.new(host)
  return setmetatable({ host = host, seen = {}, order = {}, count = 0 }, Poll)
end

-- Name → what it was; nil when the directory is gone.
local function look(self, directory)
  local fs, seen, count = self.host.sys.fs, {}, 0
  local names = fs.list(directory)
  if not names then return nil, 0 end
  for _, name in ipairs(names) do
    local stat = fs.stat(directory .. '/' .. name)
    if stat then
      count = count + 1
      seen[name] = { mark = stat.mtime .. ' ' .. stat.size, directory = stat.type == 'directory' }
    end
  end
  return seen, count
end

local function compare(self, directory, old, new)
  local found = self.host.found
  for name, now in pairs(new) do
    local was = old[name]
    if not was or was.directory ~= now.directory then
      found(directory, name, 'created', now.directory)
    elseif not now.directory and was.mark ~= now.mark then
      found(directory, name, 'written', false)
    end
  end
  for name, was in pairs(old) do
    if not new[name] then found(directory, name, 'removed', was.directory) end
  end
end

function Poll:later()
  self.timer = self.host.sched:after(LOOK_MS, function()
    self.timer = nil
    for _, directory in ipairs(table.move(self.order, 1, #self.order, 1, {})) do self:again(directory) end
    if self.order[1] and not self.timer then self:later() end
  end)
end

function Poll:again(directory)
  local old = self.seen[directory]
  if not old then return end
  local new = look(self, directory)
  if not new then
    self:remove(directory)
    return self.host.gone(directory)
  end
  self.seen[directory] = new
  compare(self, directory, old, new)
end

---@param directory string
---@return boolean false: it is too much
function Poll:add(directory)
  if self.seen[directory] then return true end
  local seen, count = look(self, directory)
  if not seen or self.count + count > ENTRIES_MAX then return false end
  self.count = self.count + count
  self.seen[directory], self.order[#self.order + 1] = seen, directory
  if not self.timer then self:later() end
  return true
end

---@param directory string
function Poll:remove(directory)
  if not self.seen[directory] then return end
  self.seen[directory] = nil
  for i, path in ipairs(self.order) do
    if path == directory then return table.remove(self.order, i) end
  end
end

function Poll:close()
  self.host.sched:cancel(self.timer)
  self.order, self.seen = {}, {}
end

return M
