--- What /proc says that processes use.
local bench = require 'setting'
local procfs = require 'procfs'

local M = {}

local TICKS_A_SECOND = 100

---Front, guard and engine of a network.
---@return table<string, integer> pid by role
function M.roles(one)
  local ours = {}
  for _, process in ipairs(procfs.below(one.keeper)) do
    if process.command:sub(1, #bench.bin) == bench.bin or process.pid == one.pid then ours[process.pid] = process end
  end
  local roles = { front = one.pid }
  for _, process in pairs(ours) do
    if ours[process.ppid] and process.ppid ~= one.pid then roles.guard, roles.engine = process.ppid, process.pid end
  end
  return roles
end

---Whatever the supervisor runs besides the services.
---@param stamps { pid: integer }[] of the services
---@return integer[] pids
function M.helpers(one, stamps)
  local services, found = {}, {}
  for _, stamp in ipairs(stamps) do services[stamp.pid] = true end
  for _, process in ipairs(procfs.below(one.keeper)) do
    if not services[process.pid] then found[#found + 1] = process.pid end
  end
  return found
end

---@return { pss: number, rss: number } in KiB, of all of them
function M.memory(pids)
  local sum = { pss = 0, rss = 0 }
  for _, pid in ipairs(pids) do
    local text = procfs.read(('/proc/%d/smaps_rollup'):format(pid)) or ''
    sum.pss = sum.pss + (tonumber(text:match '\nPss:%s*(%d+)') or 0)
    sum.rss = sum.rss + (tonumber(text:match '\nRss:%s*(%d+)') or 0)
  end
  return sum
end

local function switches_of(pid)
  local count = 0
  local text = bench.output(('cat /proc/%d/task/*/status 2>/dev/null'):format(pid))
  for number in text:gmatch 'voluntary_ctxt_switches:%s*(%d+)' do count = count + tonumber(number) end
  return count
end

---Seconds on a processor and context switches so far, of all threads of all of them.
---@return { seconds: number, switches: integer }
function M.activity(pids)
  local sum = { seconds = 0, switches = 0 }
  for _, pid in ipairs(pids) do
    local behind_name = (procfs.read(('/proc/%d/stat'):format(pid)) or ''):match '%) (.*)'
    local fields = {}
    for word in (behind_name or ''):gmatch '%S+' do fields[#fields + 1] = word end
    local ticks = (tonumber(fields[12]) or 0) + (tonumber(fields[13]) or 0)
    sum.seconds = sum.seconds + ticks / TICKS_A_SECOND
    sum.switches = sum.switches + switches_of(pid)
  end
  return sum
end

---What they do within so many seconds.
---@return { cpu: number, switches: integer } cpu: percent of a core
function M.during(pids, seconds)
  local before, began = M.activity(pids), bench.now()
  bench.sleep(seconds)
  local after, took = M.activity(pids), (bench.now() - began) / 1000
  return { cpu = (after.seconds - before.seconds) / took * 100, switches = after.switches - before.switches }
end

return M
