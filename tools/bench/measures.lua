--- The measurements, in order. Each is `{ name, run, slow }`; `run(bench, options)` gives rows
-- `{ what, value, unit, goal, floor, more }`: `goal` is an upper bound, or with `more` a lower one.

local function many(bench, count, extra)
  local dir = bench.recipe ''
  bench.write(dir .. '/net.lua', ([[
    local pact = require 'pact'
    pact.project 'bench'
    for i = 1, %d do
      pact.process('p' .. i) { command = { %q, 'stamp', %q }, restart = { policy = 'always', delay = 0 } %s }
    end
  ]]):format(count, bench.gauge, dir .. '/stamps', extra or ''))
  return dir
end

local function floor_of(bench, count)
  local dir = bench.directory()
  local one = bench.start(dir, bench.floor, dir, tostring(count), bench.gauge, 'stamp', dir .. '/stamps')
  return one, dir .. '/stamps'
end

local function repeated(times, fn)
  local values = {}
  for i = 1, times do values[i] = fn() end
  return values
end

local function version(bench)
  local median, _, maxrss = bench.time(30, '/', bench.bin, 'version')
  return {
    { what = 'pactlua version', value = median, unit = 'ms', goal = 5 },
    { what = 'pactlua version, maxrss', value = maxrss, unit = 'MB', goal = 4 },
  }
end

local function first(bench, options)
  local values = repeated(options.quick and 3 or 7, function()
    local dir = many(bench, 1)
    local one = bench.up(dir)
    local took = bench.since_start(one, bench.wait_stamps(dir .. '/stamps', 1))
    bench.stop(one)
    return took
  end)
  return { { what = 'first process running', value = bench.median(values), unit = 'ms', goal = 25 } }
end

-- One pair of networks of 100 gives: start, memory, restart, idle, ps, stop.
local function hundred(bench, options)
  local rounds = options.quick and 1 or 3
  local seconds = options.quick and 3 or 20
  local floor = { start = {}, stop = {}, restart = {} }
  local ours = { start = {}, stop = {}, restart = {} }
  local rows = {}
  for round = 1, rounds do
    local one, stamps = floor_of(bench, 100)
    floor.start[round] = bench.since_start(one, bench.wait_stamps(stamps, 100))
    local pid = bench.stamps(stamps)[1].pid
    for _ = 1, 8 do floor.restart[#floor.restart + 1], pid = bench.restart(stamps, pid) end
    floor.stop[round] = bench.stop(one)

    local dir = many(bench, 100)
    one, stamps = bench.up(dir), dir .. '/stamps'
    ours.start[round] = bench.since_start(one, bench.wait_stamps(stamps, 100))
    local roles = bench.roles(one)
    if round == 1 then
      bench.sleep(1)
      local guard, all = bench.pss(roles.guard), 0
      for _, role in pairs(roles) do all = all + bench.pss(role) end
      rows[#rows + 1] = { what = 'PSS of front, guard, engine with 100', value = all / 1024, unit = 'MB', goal = 6 }
      rows[#rows + 1] = { what = 'PSS of the guard', value = guard, unit = 'KB', goal = 300 }
      local before = {}
      for name, role in pairs(roles) do before[name] = bench.activity(role) end
      bench.sleep(seconds)
      local switches, ticks = 0, 0
      for name, role in pairs(roles) do
        local now = bench.activity(role)
        switches = switches + now.switches - before[name].switches
        ticks = ticks + now.ticks - before[name].ticks
      end
      rows[#rows + 1] = { what = ('context switches in %d idle seconds'):format(seconds), value = switches,
        unit = '', goal = 0 }
      rows[#rows + 1] = { what = 'processor while idle', value = ticks / seconds, unit = '%', goal = 0.05 }
      rows[#rows + 1] = { what = 'ps beside 100 services',
        value = (bench.time(10, dir, bench.bin, 'ps')), unit = 'ms', goal = 8 }
    end
    pid = bench.stamps(stamps)[1].pid
    for _ = 1, 8 do ours.restart[#ours.restart + 1], pid = bench.restart(stamps, pid) end
    ours.stop[round] = bench.stop(one)
  end
  for _, part in ipairs { { 'start', 'start of 100', 1.3 }, { 'restart', 'SIGKILL to successor', 2 },
    { 'stop', 'stop of 100', 1.5 } } do
    local least = bench.median(floor[part[1]])
    table.insert(rows, { what = part[2], value = bench.median(ours[part[1]]), unit = 'ms', floor = least,
      goal = least * part[3] })
  end
  return rows
end

local function throughput(bench, options)
  local bytes = options.quick and 200000000 or 1000000000
  local floor_dir = bench.directory()
  local one = bench.start(floor_dir, bench.floor, floor_dir, '1', bench.gauge, 'flood', tostring(bytes),
    floor_dir .. '/done')
  bench.wait('the floor', function() return bench.ended(one) end, 120)
  local floor_ms = bench.now() * 1000 - bench.stamps(floor_dir .. '/t0')[1].ms
  local dir = bench.recipe ''
  bench.write(dir .. '/net.lua', ([[
    local pact = require 'pact'
    pact.project 'bench'
    pact.task 'flood' { command = { %q, 'flood', '%d', %q }, log = { max_size = '4g' } }
    pact.process 'quiet' { command = { 'sleep', '1000' } }
  ]]):format(bench.gauge, bytes, dir .. '/done'))
  one = bench.start(dir, 'sh', '-c', 'exec "$0" net.lua --no-tui >/dev/null 2>&1', bench.bin)
  local roles = bench.wait('the roles', function()
    local roles = bench.roles(one)
    return roles.engine and roles
  end)
  local peak = 0
  local log
  local function size()
    log = log or io.popen(('ls %s/.pactlua/*/latest/flood.log 2>/dev/null'):format(dir)):read 'l'
    peak = math.max(peak, bench.pss(roles.engine))
    return log and bench.size(log) >= bytes
  end
  bench.wait('all bytes in the log', size, 300)
  local took = bench.now() * 1000 - bench.stamps(dir .. '/t0')[1].ms
  local exact = bench.size(log) == bytes
  bench.stop(one)
  local function rate(ms) return bytes / 1e6 / (ms / 1000) end
  return {
    { what = 'one process writing at full speed', value = rate(took), unit = 'MB/s', floor = rate(floor_ms),
      goal = rate(floor_ms) * 0.8, more = true },
    { what = 'every byte in the log', value = exact and 1 or 0, unit = '', goal = 1, more = true },
    { what = 'PSS of the engine meanwhile', value = peak / 1024, unit = 'MB' },
  }
end

local function thousands(bench)
  local rows = {}
  local pss = {}
  for _, count in ipairs { 100, 500 } do
    local one, stamps = floor_of(bench, count)
    local least = bench.since_start(one, bench.wait_stamps(stamps, count))
    bench.stop(one)
    local dir = many(bench, count)
    one = bench.up(dir)
    local took = bench.since_start(one, bench.wait_stamps(dir .. '/stamps', count))
    bench.sleep(1)
    pss[count] = 0
    for _, role in pairs(bench.roles(one)) do pss[count] = pss[count] + bench.pss(role) end
    bench.stop(one)
    rows[#rows + 1] = { what = ('start of %d'):format(count), value = took, unit = 'ms', floor = least,
      goal = least * 1.3 }
  end
  rows[#rows + 1] = { what = 'PSS of each further process', value = (pss[500] - pss[100]) / 400, unit = 'KB',
    goal = 12 }
  return rows
end

local function plan(bench)
  local dir = bench.recipe [[
    for i = 1, 10000 do
      pact.process('n' .. i) { command = { 'true' }, depends_on = i > 1 and { 'n' .. i - 1 } or nil }
    end
  ]]
  return { { what = 'plan of 10,000 nodes', value = (bench.time(3, dir, bench.bin, 'check', 'net.lua')), unit = 'ms',
    goal = 100 } }
end

return {
  { name = 'version', run = version },
  { name = 'first', run = first },
  { name = 'hundred', run = hundred },
  { name = 'throughput', run = throughput },
  { name = 'thousands', run = thousands, slow = true },
  { name = 'plan', run = plan },
}
