--- The same work for any supervisor, by its adapter of peers.lua: services that wait, and one that writes.
local bench = require 'setting'
local lfs = require 'lfs'
local usage = require 'usage'

local M = {}

local LINE_BYTES = 102 -- of a line that `gauge flood` writes
local LOOK = 0.002 -- pause between looks at the size of a log
local MEMORY_EVERY_MS = 40
local QUIET_MS = 500 -- a log that has not grown for so long won't any more

local function write_files(adapter, job)
  local scripts = {}
  for path, text in pairs(adapter.files and adapter.files(job) or {}) do
    bench.write(job.dir .. '/' .. path, text)
    if text:sub(1, 2) == '#!' then scripts[#scripts + 1] = path end
  end
  if #scripts > 0 then os.execute(('cd %s && chmod +x %s'):format(job.dir, bench.line(scripts))) end
end

local function launch(adapter, job)
  write_files(adapter, job)
  return bench.start(job.dir, adapter.argv(job), adapter)
end

---Starts `count` services that wait, and waits until the last has started.
---@param extra? string for a recipe of ours: more fields of each service
---@return table one, number ms from the start of the supervisor to that of the last service
function M.start(adapter, count, extra)
  local job = { dir = bench.directory(), services = {}, extra = extra }
  local stamps = job.dir .. '/stamps'
  for i = 1, count do job.services[i] = { name = 'p' .. i, argv = { bench.gauge, 'stamp', stamps } } end
  local one = launch(adapter, job)
  one.stamps = stamps
  return one, bench.since_start(one, bench.wait_stamps(one, stamps, count, 60))
end

---Kills so many services that have run since the start, one after the other.
---@return number[] ms until the successor of each ran
function M.restarts(one, count)
  local stamps, took = bench.stamps(one.stamps), {}
  for i = 1, count do took[i] = bench.restart(one, one.stamps, stamps[i].pid) end
  return took
end

---@return integer[] pids of the supervisor's own processes
function M.helpers(one) return usage.helpers(one, bench.stamps(one.stamps)) end

-- The files of a log by its pattern; looked for again now and then, as logs may be turned over.
local function log_size(pattern, seen)
  if bench.now() > (seen.next or 0) then
    seen.next = bench.now() + 100
    seen.files = {}
    for path in bench.output(('ls -d %s 2>/dev/null'):format(pattern)):gmatch '[^\n]+' do
      seen.files[#seen.files + 1] = path
    end
  end
  local sum = 0
  for _, path in ipairs(seen.files) do sum = sum + (lfs.attributes(path, 'size') or 0) end
  return sum
end

local function lines_in(files)
  local runs = {}
  for letter in ('abcdefghijklmnopqrstuvwxyz'):gmatch '.' do runs[#runs + 1] = '-e ' .. letter:rep(20) end
  local text = bench.output(('cat %s | LC_ALL=C grep -acF %s'):format(bench.line(files), table.concat(runs, ' ')))
  return tonumber(text) or 0
end

-- Watches the log until it holds all, or doesn't grow any more, or the time is up.
local function watch(one, pattern, bytes, seconds)
  local seen, sizes = {}, { size = 0, grew = bench.now(), memory = {} }
  local deadline, next_memory = bench.now() + seconds * 1000, 0
  while bench.now() < deadline do
    local size = log_size(pattern, seen)
    if size ~= sizes.size then sizes.size, sizes.grew = size, bench.now() end
    local written = #bench.stamps(one.stamps) == 2
    if written and (size == bytes or bench.now() - sizes.grew > QUIET_MS) then break end
    if bench.now() > next_memory then
      next_memory = bench.now() + MEMORY_EVERY_MS
      sizes.helpers = sizes.helpers or M.helpers(one)
      table.insert(sizes.memory, usage.memory(sizes.helpers).pss)
    end
    bench.sleep(LOOK)
  end
  sizes.files = seen.files
  return sizes
end

-- By how much memory rises above what the first quarter needed.
local function growth(memory)
  local first, later = 0, 0
  for i, kb in ipairs(memory) do
    if i <= #memory // 4 then first = math.max(first, kb) else later = math.max(later, kb) end
  end
  return math.max(0, later - first), math.max(first, later)
end

---One service writes so many bytes of lines as fast as it can.
---@return { rate: number, lost: integer, unfinished: boolean, growth: number, peak: number } MB/s, lines, KiB
function M.flood(adapter, bytes, seconds)
  bytes = bytes // LINE_BYTES * LINE_BYTES
  local job = { dir = bench.directory() }
  local stamps = job.dir .. '/stamps'
  job.services = { { name = 'flood', argv = { bench.gauge, 'flood', tostring(bytes), stamps } } }
  local one = launch(adapter, job)
  one.stamps = stamps
  local began = bench.wait_stamps(one, stamps, 1)[1].ms
  local sizes = watch(one, job.dir .. '/' .. adapter.log, bytes, seconds)
  local unfinished = #bench.stamps(stamps) < 2
  local kept = sizes.size == bytes and bytes // LINE_BYTES or lines_in(sizes.files)
  local up, peak = growth(sizes.memory)
  pcall(bench.stop, one, adapter.stop)
  bench.clean()
  return {
    rate = kept * LINE_BYTES / 1e3 / (sizes.grew - began), unfinished = unfinished,
    lost = bytes // LINE_BYTES - kept, growth = up, peak = peak,
  }
end

return M
