--- The same work by every supervisor on PATH: start, memory, rest, restart and stop of 100 services, one flood.
local bench = require 'setting'
local peers = require 'peers'
local usage = require 'usage'
local work = require 'work'

local M = {}

local COUNT = 100
local SLOW_MS = 30000 -- a supervisor whose round takes longer has one round only

---Is its program there?
function M.present(adapter) return os.execute('command -v ' .. bench.line { adapter.program } .. ' >/dev/null') end

---The columns: key, title, unit.
M.columns = {
  { 'start', 'start', 'ms' }, { 'stop', 'stop', 'ms' }, { 'restart', 'respawn', 'ms' }, { 'rate', 'log', 'MB/s' },
  { 'lost', 'lines lost', '' }, { 'pss', 'PSS', 'MB' }, { 'rss', 'RSS', 'MB' }, { 'processes', 'processes', '' },
  { 'cpu', 'idle', '%' },
}

-- Runs a part of the work. One that fails is told in the row and changes nothing else.
local function try(row, part, fn)
  local ok, result = pcall(fn)
  if ok then return result end
  row.failed[part] = row.failed[part] or tostring(result)
end

local function add(list, value) list[#list + 1] = value end

local function look(row, one, options)
  bench.sleep(1)
  local helpers = work.helpers(one)
  local memory = usage.memory(helpers)
  row.processes, row.pss, row.rss = #helpers, memory.pss / 1024, memory.rss / 1024
  row.cpu = usage.during(helpers, options.quick and 2 or 10).cpu
end

local function restarts(row, one)
  if row.cannot.restart then return end
  for _, ms in ipairs(try(row, 'restart', function() return work.restarts(one, 8) end) or {}) do
    add(row.times.restart, ms)
  end
end

local function network(row, adapter, options)
  local one = try(row, 'start', function()
    local one, ms = work.start(adapter, COUNT)
    add(row.times.start, ms)
    return one
  end)
  if not one then return end
  if not row.pss then try(row, 'memory', function() look(row, one, options) end) end
  restarts(row, one)
  add(row.times.stop, try(row, 'stop', function() return bench.stop(one, adapter.stop) end))
end

local function flood(row, adapter, options)
  local bytes = options.quick and 20000000 or 1000000000
  local found = try(row, 'flood', function() return work.flood(adapter, bytes, options.quick and 10 or 30) end)
  if not found then return end
  add(row.times.rate, found.rate)
  if found.unfinished then
    row.unfinished = true
  else
    row.lost = (row.lost or 0) + math.max(0, found.lost)
  end
end

local function round_of(row, adapter, options)
  if row.failed.start or row.slow then return end
  local began = bench.now()
  network(row, adapter, options)
  bench.clean()
  if not row.failed.start then flood(row, adapter, options) end
  bench.clean()
  row.slow = bench.now() - began > SLOW_MS + (options.quick and 2000 or 10000)
end

local function finish(row)
  for name, times in pairs(row.times) do
    row[name] = bench.median(times)
    if #times == 0 then row.times[name] = nil end
  end
  row.adapter, row.slow = nil, nil
end

---@param wanted fun(name: string): boolean
---@return table[] rows, table[] absent
function M.run(options, wanted)
  local rows, absent = {}, {}
  for i, adapter in ipairs(peers) do
    if not M.present(adapter) then
      local why = adapter.program .. ' is not on PATH'
      if wanted(adapter.name) then absent[#absent + 1] = { name = adapter.name, why = why } end
    elseif i <= 2 or wanted(adapter.name) then
      rows[#rows + 1] = {
        name = adapter.name, note = adapter.note, cannot = adapter.cannot or {}, failed = {}, adapter = adapter,
        times = { start = {}, stop = {}, restart = {}, rate = {} },
      }
    end
  end
  for _ = 1, options.quick and 1 or 3 do
    for _, row in ipairs(rows) do
      options.tell(row.name)
      round_of(row, row.adapter, options)
    end
  end
  for _, row in ipairs(rows) do finish(row) end
  return rows, absent
end

return M
