--- The measurements, in order. Each is `{ name, help, run, slow }`; `run(options)` gives rows
-- `{ what, value, unit, goal, floor, more }`: `goal` is an upper bound, or with `more` a lower one.
local asked = require 'asked'
local bench = require 'setting'
local hooks = require 'hooks'
local waiting = require 'waiting'
local peers = require 'peers'
local probes = require 'probes'
local work = require 'work'

local FLOOR, OURS = peers[1], peers[2]

local function version()
  local floor, _, floor_rss = bench.time(30, '/', bench.gauge, 'none')
  local median, _, maxrss = bench.time(30, '/', bench.bin, 'version')
  return {
    { what = 'pactlua version', value = median, unit = 'ms', floor = floor, goal = 5 },
    { what = 'pactlua version, maxrss', value = maxrss, unit = 'MB', floor = floor_rss, goal = 4 },
  }
end

local function flood(options)
  local bytes = options.quick and 200000000 or 1000000000
  local rates, floor_rates, lost, found, floor = {}, {}, 0, nil, nil
  for round = 1, 3 do
    floor, found = work.flood(FLOOR, bytes, 120), work.flood(OURS, bytes, 120)
    floor_rates[round], rates[round] = floor.rate, found.rate
    lost = lost + found.lost
  end
  local least = bench.median(floor_rates)
  return {
    { what = 'one process writing at full speed', value = bench.median(rates), unit = 'MB/s', floor = least,
      goal = least * 0.8, more = true, values = rates, floor_values = floor_rates },
    { what = 'lines of it not in the log', value = lost, unit = '', floor = floor.lost, goal = 0 },
    { what = 'PSS meanwhile, above its first quarter', value = found.growth, unit = 'KB', floor = floor.growth,
      goal = 256 },
    { what = 'PSS meanwhile, at most', value = found.peak / 1024, unit = 'MB', floor = floor.peak / 1024 },
  }
end

local function plan()
  local dir = bench.directory()
  bench.write(dir .. '/net.lua', [[
    local pact = require 'pact'
    for i = 1, 10000 do
      pact.process('n' .. i) { command = { 'true' }, depends_on = i > 1 and { 'n' .. i - 1 } or nil }
    end
  ]])
  local median = bench.time(5, dir, bench.bin, 'check', 'net.lua')
  return { { what = 'check of a recipe of 10,000 in a chain', value = median, unit = 'ms', goal = 100 } }
end

-- Twenty services, each with a probe a second and a crash every twenty, and a hook that hears of it.
local function simulate(options)
  local dir, span = bench.directory(), options.quick and '10m' or '1h'
  bench.write(dir .. '/net.lua', [[
    local pact = require 'pact'
    for i = 1, 20 do
      pact.process('s' .. i) {
        command = { 'server' }, health = { http = 'http://localhost:' .. 3000 + i, interval = '1s' },
        restart = { policy = 'always', delay = '100ms' },
      }
    end
    pact.on('crashed', function(service) return pact.verdict.restart { after = '1s' } end)
  ]])
  bench.write(dir .. '/faults.lua', [[
    local rows = {}
    for i = 1, 20 do rows[i] = { every = '20s', service = 's' .. i, crash = i } end
    return rows
  ]])
  local line = "cd '%s' && '%s' simulate net.lua --faults faults.lua --for %s"
  local events = tonumber(bench.output(line:format(dir, bench.bin, span)):match '; (%d+) events\n')
  local whole = bench.time(3, dir, bench.bin, 'simulate', 'net.lua', '--faults', 'faults.lua', '--for', span)
  local least = bench.time(3, dir, bench.bin, 'simulate', 'net.lua', '--faults', 'faults.lua', '--for', '1s')
  local rate = events / (whole - least) * 1000
  return { { what = 'simulate: events', value = rate, unit = '/s', goal = 100000, more = true } }
end

return {
  { name = 'version', help = 'what the shortest run costs', run = version },
  { name = 'first', help = 'from exec to the first service', run = waiting.first },
  { name = 'hundred', help = '100 services: start, restart, stop, memory, idle, ps', run = waiting.hundred },
  { name = 'thousands', help = '2,000 services beside 100 (not with --quick)', run = waiting.thousands, slow = true },
  { name = 'flood', help = 'one service writing at full speed into its log', run = flood },
  { name = 'asked', help = 'eval while a service writes 100 MB/s, and while 50 clients follow it', run = asked },
  { name = 'probes', help = '1,000 HTTP probes a second', run = probes },
  { name = 'plan', help = 'a recipe of 10,000 services', run = plan },
  { name = 'hooks', help = '10,000 events a second through a hook, 10,000 that sleep', run = hooks },
  { name = 'simulate', help = 'a recipe played in virtual time', run = simulate },
}
