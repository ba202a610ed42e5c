--- What is asked of a network while one of its services writes 100 MB a second, and clients follow its log.
local bench = require 'setting'
local procfs = require 'procfs'

local RATE, FOLLOWERS = 100000000, 50
local RECIPE = [[
  local pact = require 'pact'
  pact.process 'pour' { command = { '%s', 'pour', '%d' } }
]]

local function quantile(sorted, part) return sorted[math.max(1, math.ceil(#sorted * part))] end

-- Answers to `count` evals, fifty a second, in ms, sorted.
local function evals(socket, count)
  local words = { 'curl', '-sS', '--rate', '50/s', '--unix-socket', socket, '-o', '/dev/null', '-d', '1 + 1',
    '-w', '%{http_code} %{time_total}\\n' }
  for _ = 1, count do words[#words + 1] = 'http://localhost/v1/eval' end
  local times = {}
  for status, seconds in bench.output(bench.line(words)):gmatch '(%d+) ([%d.]+)\n' do
    assert(status == '200', 'eval was answered ' .. status)
    times[#times + 1] = tonumber(seconds) * 1000
  end
  assert(#times == count, 'evals were lost')
  table.sort(times)
  return times
end

-- Bytes in the log so far: where its last record begins.
local function written(dir)
  local path = bench.output(("find '%s' -name 'pour.idx'"):format(dir)):match '[^\n]+'
  local index = path and procfs.read(path) or ''
  return #index >= 104 and string.unpack('<I8', index, #index - 39) or 0
end

local function rows_of(dir, socket, count, what)
  local began, before = bench.now(), written(dir)
  local times = evals(socket, count)
  local rate = (written(dir) - before) / 1e3 / (bench.now() - began)
  return {
    { what = 'eval beside ' .. what .. ', median', value = quantile(times, 0.5), unit = 'ms' },
    { what = 'the same, p99', value = quantile(times, 0.99), unit = 'ms', goal = 200 },
    { what = 'the same, the latest', value = times[#times], unit = 'ms' },
    { what = 'written meanwhile', value = rate, unit = 'MB/s', goal = 90, more = true },
  }
end

---@return table[] rows
return function(options)
  local dir, count = bench.directory(), options.quick and 100 or 1000
  bench.write(dir .. '/net.lua', RECIPE:format(bench.gauge, RATE))
  local one = bench.start(dir, { bench.bin, 'net.lua' }, { quiet = true })
  local socket = bench.wait('the control socket', function()
    return bench.output(("find '%s' -name control.sock"):format(dir)):match '[^\n]+'
  end)
  bench.wait('100 MB', function() return written(dir) > RATE end)
  local rows = rows_of(dir, socket, count, '100 MB/s')
  local clients = {}
  for i = 1, FOLLOWERS do
    clients[i] = bench.start(bench.directory(), { 'curl', '-sSN', '-o', '/dev/null', '--unix-socket', socket,
      'http://localhost/v1/logs?follow=1' })
  end
  bench.sleep(0.5)
  local more = rows_of(dir, socket, count, ('that and %d clients that follow it'):format(FOLLOWERS))
  table.move(more, 1, #more, #rows + 1, rows)
  for _, client in ipairs(clients) do pcall(bench.stop, client) end
  bench.stop(one)
  return rows
end
