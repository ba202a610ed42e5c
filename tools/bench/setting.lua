--- What measurements share: directories, starting and ending programs, stamps, timed runs.
local functional = require 'functional'
local lfs = require 'lfs'
local procfs = require 'procfs'

local M = { bin = functional.bin, sleep = functional.sleep }

M.gauge = functional.fixtures .. 'gauge'
M.http_gauge = functional.fixtures .. 'http_gauge'
M.floor = functional.fixtures .. 'floor'

local SIGNALS = { HUP = 1, INT = 2, KILL = 9, TERM = 15 }
local PAUSE = 0.02 -- times come from stamps: a look that is late costs nothing, one too many disturbs

local own_pid = procfs.read '/proc/self/stat':match '^%d+'
local serial, started, directories = 0, {}, {}

---Milliseconds on the clock of the stamps.
function M.now() return functional.now() * 1000 end

---@return string a new, empty directory
function M.directory()
  serial = serial + 1
  local path = ('/tmp/pactlua-bench-%s-%d'):format(own_pid, serial)
  os.execute('rm -rf ' .. path .. ' && mkdir ' .. path)
  directories[#directories + 1] = path
  return path
end

local function make_parents(path)
  local parent = path:match '^(.+)/'
  if parent and not lfs.attributes(parent, 'mode') then
    make_parents(parent)
    lfs.mkdir(parent)
  end
end

---Writes a file, its directories too.
function M.write(path, text)
  make_parents(path)
  local file <close> = assert(io.open(path, 'w'))
  file:write(text)
end

---@param words (string|integer)[]
---@return string for a shell
function M.line(words)
  local out = {}
  for i, word in ipairs(words) do out[i] = functional.quote(word) end
  return table.concat(out, ' ')
end

---@return string output, boolean? ok
function M.output(line)
  local pipe = assert(io.popen(line))
  local text = pipe:read 'a'
  local ok = pipe:close()
  return text, ok
end

---Waits until `fn` gives something true, and returns that.
function M.wait(what, fn, seconds)
  local deadline = functional.now() + (seconds or 30)
  while true do
    local value = fn()
    if value then return value end
    if functional.now() > deadline then error('waited in vain for ' .. what, 0) end
    functional.sleep(PAUSE)
  end
end

---Starts a program in `dir`; its process begins with a stamp in `<dir>/t0`.
---@param dir string
---@param words string[]
---@param opts? { terminal?: boolean, quiet?: boolean } quiet: its output is thrown away
---@return { pid: integer, keeper: integer, dir: string }
function M.start(dir, words, opts)
  opts = opts or {}
  local run = dir .. '/.run'
  lfs.mkdir(run)
  if opts.quiet then lfs.link('/dev/null', run .. '/out', true) end
  if opts.terminal then os.execute('mkfifo ' .. run .. '/in') end
  local line = { functional.fixtures .. 'launch', '-w', own_pid, '-C', dir }
  if opts.terminal then line[#line + 1] = '-t' end
  for _, word in ipairs { run, M.gauge, 'exec', dir .. '/t0' } do line[#line + 1] = word end
  table.move(words, 1, #words, #line + 1, line)
  local keeper, pid = M.output(M.line(line)):match '^(%d+) (%d+)'
  local one = { pid = tonumber(pid), keeper = tonumber(keeper), dir = dir }
  started[#started + 1] = one
  return one
end

---Signals a program; the milliseconds until it and everything below it have ended.
---@param signal? string TERM
function M.stop(one, signal)
  local words = { M.gauge, 'end', 60, one.pid, SIGNALS[signal or 'TERM'] }
  for _, process in ipairs(procfs.below(one.keeper)) do
    if process.pid ~= one.pid then words[#words + 1] = process.pid end
  end
  local text = M.output(M.line(words))
  local ns = tonumber(text:match '^%d+')
  if ns then return ns / 1e6 end
  local _, count = text:gsub('%d+', '')
  error(('%d processes ran on after the stop'):format(count), 0)
end

---Stamps of a file: list of `{ pid, ms }`.
function M.stamps(path)
  local found = {}
  for pid, ns in (procfs.read(path) or ''):gmatch '(%d+) (%d+)\n' do
    found[#found + 1] = { pid = tonumber(pid), ms = tonumber(ns) / 1e6 }
  end
  return found
end

---@param one table what should make them
---@param seconds? number default 30
function M.wait_stamps(one, path, count, seconds)
  local stamps = {}
  local ok = pcall(M.wait, 'them', function()
    stamps = M.stamps(path)
    return #stamps >= count or not procfs.alive(one.pid)
  end, seconds)
  if #stamps >= count then return stamps end
  local last_words = (procfs.read(one.dir .. '/.run/err') or ''):match '([^\n]+)\n*$'
  error(('only %d of %d starts %s%s'):format(#stamps, count, ok and 'and then its end' or 'in time',
    last_words and ': ' .. last_words or ''), 0)
end

---Milliseconds from the start to the last of these stamps.
function M.since_start(one, stamps)
  local last = 0
  for _, stamp in ipairs(stamps) do last = math.max(last, stamp.ms) end
  return last - M.stamps(one.dir .. '/t0')[1].ms
end

---Kills a stamped process and gives the milliseconds until its successor's stamp, and that stamp.
function M.restart(one, path, pid)
  local before = #M.stamps(path)
  local at = tonumber((M.output(('%s kill %d 9'):format(M.gauge, pid)))) / 1e6
  local stamps = M.wait_stamps(one, path, before + 1, 10)
  return stamps[#stamps].ms - at, stamps[#stamps]
end

---Median and least milliseconds of `runs` runs, and the largest maxrss in MiB.
function M.time(runs, dir, ...)
  local text, ok = M.output(('cd %s && %s'):format(functional.quote(dir), M.line { M.gauge, 'time', runs, ... }))
  assert(ok, 'a timed run failed')
  local median, least, maxrss = text:match '(%d+) (%d+) (%d+)'
  return tonumber(median) / 1000, tonumber(least) / 1000, tonumber(maxrss) / 1024
end

---@return number? nil of no values
function M.median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  return sorted[(#sorted + 1) // 2]
end

local function end_one(one)
  if not procfs.alive(one.keeper) then return end
  functional.signal(one.pid, 'TERM')
  if pcall(M.wait, 'the end', function() return not procfs.alive(one.keeper) end, 10) then return end
  for _, process in ipairs(procfs.below(one.keeper)) do functional.signal(process.pid, 'KILL') end
  functional.signal(one.keeper, 'KILL')
end

---Ends what is still running, and removes the directories.
function M.clean()
  for _, one in ipairs(started) do end_one(one) end
  for _, path in ipairs(directories) do os.execute('rm -rf ' .. path) end
  started, directories = {}, {}
end

return M
