--- A thousand HTTP probes a second: 200 services, each asked every 200 ms, by a server of ours.
local bench = require 'setting'
local peers = require 'peers'
local procfs = require 'procfs'
local usage = require 'usage'
local work = require 'work'

local SERVICES, RATE = 200, 1000
local OURS = peers[2]

local function serve(closing)
  local dir = bench.directory()
  bench.start(dir, { bench.http_gauge, 'serve', dir, closing and 'close' or nil })
  local port = bench.wait('the port of the server', function() return tonumber(procfs.read(dir .. '/port')) end)
  return math.tointeger(port), function() return tonumber(procfs.read(dir .. '/count')) or 0 end
end

-- The least client in percent of a core.
local function floor_cpu(port, seconds, closing)
  local words = { bench.http_gauge, 'ask', port, RATE, seconds, closing and 'close' or nil }
  local requests, cpu_us = bench.output(bench.line(words)):match '^(%d+) (%d+)'
  assert(tonumber(requests) == RATE * seconds, 'the least client failed')
  return cpu_us / 1e4 / seconds
end

-- Until a second brings what it should, or it can't be helped.
local function settle(answers)
  pcall(bench.wait, 'the rate', function()
    local before = answers()
    bench.sleep(1)
    return answers() - before >= RATE * 0.95
  end, 15)
end

-- Beside a network whose services aren't probed: what the client for HTTP takes.
local function pss(extra)
  local one = work.start(OURS, 1, extra)
  bench.sleep(1)
  local kb = usage.memory(work.helpers(one)).pss
  bench.stop(one)
  return kb
end

local function one_kind(closing, seconds)
  local port, answers = serve(closing)
  local floor = floor_cpu(port, seconds, closing)
  local extra = ("health = { http = 'http://127.0.0.1:%d/', interval = '200ms' }"):format(port)
  local one = work.start(OURS, SERVICES, extra)
  settle(answers)
  local before, began = answers(), bench.now()
  local found = usage.during(work.helpers(one), seconds)
  local rate = (answers() - before) / (bench.now() - began) * 1000
  bench.stop(one)
  local kind = closing and 'a new connection for each' or 'kept connections'
  return {
    { what = '1,000 HTTP probes a second, ' .. kind, value = found.cpu, unit = '%', floor = floor, goal = 15 },
    { what = 'how many they were', value = rate, unit = '/s', floor = RATE, goal = RATE * 0.95, more = true },
  }, port
end

return function(options)
  local seconds = options.quick and 2 or 20
  local rows = one_kind(true, seconds)
  local kept, port = one_kind(false, seconds)
  table.move(kept, 1, #kept, #rows + 1, rows)
  local extra = ("health = { http = 'http://127.0.0.1:%d/' }"):format(port)
  rows[#rows + 1] = { what = 'PSS that the first HTTP probe adds', value = (pss(extra) - pss '') / 1024, unit = 'MB',
    goal = 7 }
  return rows
end
