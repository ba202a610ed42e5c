--- What /proc tells a test about processes. Everything is read when asked for.
local lfs = require 'lfs'

local M = {}

local function read(path)
  local file = io.open(path, 'rb')
  if not file then return nil end
  local text = file:read 'a'
  file:close()
  return text
end

M.read = read

---@class process
---@field pid integer
---@field ppid integer
---@field pgid integer
---@field sid integer
---@field state string
---@field name string
---@field start integer in clock ticks since boot
---@field command string

---@param pid integer
---@return process? nil when it is gone
function M.process(pid)
  local stat = read(('/proc/%d/stat'):format(pid))
  local name, rest = (stat or ''):match '^%d+ %((.*)%) (.*)$'
  if not name then return nil end
  local fields = {}
  for word in rest:gmatch '%S+' do fields[#fields + 1] = word end
  local command = (read(('/proc/%d/cmdline'):format(pid)) or ''):gsub('%z', ' '):gsub(' $', '')
  return {
    pid = pid, name = name, state = fields[1], ppid = tonumber(fields[2]),
    pgid = tonumber(fields[3]), sid = tonumber(fields[4]), start = tonumber(fields[20]),
    command = command,
  }
end

---Running, sleeping or stopped; a zombie isn't.
function M.alive(pid)
  local process = M.process(pid)
  return process ~= nil and process.state ~= 'Z' and process.state ~= 'X'
end

---@return table<integer, process>
function M.all()
  local found = {}
  for entry in lfs.dir '/proc' do
    local pid = math.tointeger(tonumber(entry))
    if pid then found[pid] = M.process(pid) end
  end
  return found
end

---@return process[] live ones below `ancestor`, by pid
function M.below(ancestor)
  local all, found = M.all(), {}
  for _, process in pairs(all) do
    local at, depth = process, 0
    while at and at.ppid ~= ancestor and depth < 64 do
      at, depth = all[at.ppid], depth + 1
    end
    if at and at.ppid == ancestor and process.state ~= 'Z' then found[#found + 1] = process end
  end
  table.sort(found, function(a, b) return a.pid < b.pid end)
  return found
end

---@return process[] live ones whose environment contains `text`
function M.with_environment(text)
  local found = {}
  for pid, process in pairs(M.all()) do
    local environ = process.state ~= 'Z' and read(('/proc/%d/environ'):format(pid))
    if environ and environ:find(text, 1, true) then found[#found + 1] = process end
  end
  return found
end

---@return table<string, string>
function M.environment(pid)
  local found = {}
  for name, value in (read(('/proc/%d/environ'):format(pid)) or ''):gmatch '([^=%z]+)=([^%z]*)' do
    found[name] = value
  end
  return found
end

---@return integer number of open descriptors
function M.descriptors(pid)
  local count = 0
  local ok, iterate, state = pcall(lfs.dir, ('/proc/%d/fd'):format(pid))
  if not ok then return 0 end
  for entry in iterate, state do
    if entry:match '^%d+$' then count = count + 1 end
  end
  return count
end

---@return integer ms of processor time that it has used so far, all of its threads together
function M.cpu_ms(pid)
  local stat = read(('/proc/%d/stat'):format(pid)) or ''
  local user, kernel = stat:match '^.*%) %S %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)'
  return (tonumber(user) + tonumber(kernel)) * 10 -- of hundredths of a second, everywhere on Linux
end

---@return integer kB that are its own, shared pages in parts
function M.pss_kb(pid)
  return tonumber((read(('/proc/%d/smaps_rollup'):format(pid)) or ''):match 'Pss:%s*(%d+)')
end

---A field of /proc/PID/status such as `VmRSS`, its number only.
function M.status(pid, field)
  local text = read(('/proc/%d/status'):format(pid)) or ''
  return tonumber(text:match('\n' .. field .. ':%s*(%d+)'))
end

return M
