--- What measurements share: a directory, starting and ending programs, stamps, figures of processes.
local functional = require 'functional'
local procfs = require 'procfs'

local M = { bin = functional.bin, wait = functional.wait, now = functional.now, sleep = functional.sleep }

M.gauge = functional.fixtures .. 'gauge'
M.floor = functional.fixtures .. 'floor'

local own_pid = procfs.read '/proc/self/stat':match '^%d+'
local serial, started, directories = 0, {}, {}

---@return string a new, empty directory
function M.directory()
  serial = serial + 1
  local path = ('/tmp/pactlua-bench-%s-%d'):format(own_pid, serial)
  os.execute('rm -rf ' .. path .. ' && mkdir ' .. path)
  directories[#directories + 1] = path
  return path
end

function M.write(path, text)
  local file <close> = assert(io.open(path, 'w'))
  file:write(text)
end

---Writes a recipe `net.lua` into a new directory.
---@return string directory
function M.recipe(text)
  local dir = M.directory()
  M.write(dir .. '/net.lua', "local pact = require 'pact' pact.project 'bench' " .. text)
  return dir
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read 'a'
  local ok = pipe:close()
  return text, ok
end

---Starts a program in `dir`; its process begins with a stamp in `<dir>/t0`.
---@return { pid: integer, keeper: integer, dir: string }
function M.start(dir, ...)
  os.execute('mkdir -p ' .. dir .. '/.run')
  local words = { functional.fixtures .. 'launch', '-w', own_pid, '-C', dir, dir .. '/.run', M.gauge, 'exec',
    dir .. '/t0', ... }
  for i, word in ipairs(words) do words[i] = functional.quote(word) end
  local keeper, pid = output(table.concat(words, ' ')):match '^(%d+) (%d+)'
  local one = { pid = tonumber(pid), keeper = tonumber(keeper), dir = dir }
  started[#started + 1] = one
  return one
end

function M.up(dir) return M.start(dir, M.bin, 'net.lua', '--no-tui') end

function M.ended(one) return procfs.read(one.dir .. '/.run/status') end

---Sends TERM and gives the milliseconds until the program's end.
function M.stop(one)
  local at = tonumber((output(('%s kill %d 15'):format(M.gauge, one.pid))))
  M.wait('the end', function() return not procfs.alive(one.pid) end, 60)
  return M.now() * 1000 - at / 1e6
end

---Stamps of a file: list of `{ pid, ms }`.
function M.stamps(path)
  local found = {}
  for pid, ns in (procfs.read(path) or ''):gmatch '(%d+) (%d+)\n' do
    found[#found + 1] = { pid = tonumber(pid), ms = tonumber(ns) / 1e6 }
  end
  return found
end

function M.wait_stamps(path, count, seconds)
  return M.wait(('%d stamps in %s'):format(count, path), function()
    local stamps = M.stamps(path)
    return #stamps >= count and stamps
  end, seconds or 60)
end

---Milliseconds from the start to the last of these stamps.
function M.since_start(one, stamps)
  local last = 0
  for _, stamp in ipairs(stamps) do last = math.max(last, stamp.ms) end
  return last - M.stamps(one.dir .. '/t0')[1].ms
end

---Kills a stamped process and gives the milliseconds until its successor's stamp.
function M.restart(path, pid)
  local before = #M.stamps(path)
  local at = tonumber((output(('%s kill %d 9'):format(M.gauge, pid)))) / 1e6
  local stamps = M.wait_stamps(path, before + 1, 10)
  return stamps[#stamps].ms - at, stamps[#stamps].pid
end

---Front, guard and engine of a network.
function M.roles(one)
  local ours = {}
  for _, process in ipairs(procfs.below(one.keeper)) do
    if process.command:sub(1, #M.bin) == M.bin or process.pid == one.pid then ours[process.pid] = process end
  end
  local roles = { front = one.pid }
  for _, process in pairs(ours) do
    if ours[process.ppid] and process.ppid ~= one.pid then roles.guard, roles.engine = process.ppid, process.pid end
  end
  return roles
end

---@return number PSS in KiB
function M.pss(pid)
  return tonumber((procfs.read(('/proc/%d/smaps_rollup'):format(pid)) or ''):match 'Pss:%s*(%d+)') or 0
end

---@return { switches: integer, ticks: integer } of all its threads
function M.activity(pid)
  local switches = 0
  local pipe = io.popen(('cat /proc/%d/task/*/status'):format(pid))
  for count in pipe:read('a'):gmatch 'voluntary_ctxt_switches:%s*(%d+)' do switches = switches + tonumber(count) end
  pipe:close()
  local stat = procfs.read(('/proc/%d/stat'):format(pid)):match '%) (.*)'
  local fields = {}
  for word in stat:gmatch '%S+' do fields[#fields + 1] = tonumber(word) or 0 end
  return { switches = switches, ticks = fields[12] + fields[13] }
end

---Median and least milliseconds of `runs` runs, and the largest maxrss in MiB.
function M.time(runs, dir, ...)
  local words = { M.gauge, 'time', tostring(runs), ... }
  for i, word in ipairs(words) do words[i] = functional.quote(word) end
  local text, ok = output(('cd %s && %s'):format(functional.quote(dir), table.concat(words, ' ')))
  assert(ok, 'a timed run failed')
  local median, least, maxrss = text:match '(%d+) (%d+) (%d+)'
  return tonumber(median) / 1000, tonumber(least) / 1000, tonumber(maxrss) / 1024
end

function M.median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

function M.size(path) return tonumber((output('stat -c %s ' .. functional.quote(path)))) or 0 end

---Ends what is still running, and removes the directories.
function M.clean()
  for _, one in ipairs(started) do
    if procfs.alive(one.keeper) then
      functional.signal(one.pid, 'TERM')
      if not pcall(M.wait, 'the end', function() return not procfs.alive(one.keeper) end, 10) then
        for _, process in ipairs(procfs.below(one.keeper)) do functional.signal(process.pid, 'KILL') end
        functional.signal(one.keeper, 'KILL')
      end
    end
  end
  for _, path in ipairs(directories) do os.execute('rm -rf ' .. path) end
  started, directories = {}, {}
end

return M
