--- Networks of 1, 100 and 2,000 services that wait: start, stop, restart, memory, rest.
local bench = require 'setting'
local peers = require 'peers'
local usage = require 'usage'
local work = require 'work'

local M = {}

local FLOOR, OURS = peers[1], peers[2]
local START, STOP, RESTART = 1.3, 1.5, 2 -- times the floor

-- A row of ours beside the floor: medians of both, the goal as a multiple of the floor's.
local function beside(what, ours, floor, factor)
  local least = bench.median(floor)
  return {
    what = what, value = bench.median(ours), unit = 'ms', floor = least, goal = factor and least * factor,
    values = ours, floor_values = floor,
  }
end

-- Rounds of floor and ours in turn. `look(one, ours)` sees each network of the first round before its restarts.
local function rounds_of(count, rounds, restarts, look)
  local function empty() return { start = {}, restart = {}, stop = {} } end
  local found = { [FLOOR] = empty(), [OURS] = empty() }
  for round = 1, rounds do
    for _, adapter in ipairs { FLOOR, OURS } do
      local times = found[adapter]
      local one, ms = work.start(adapter, count)
      times.start[round] = ms
      if look and round == 1 then look(one, adapter == OURS) end
      for _, took in ipairs(work.restarts(one, restarts)) do table.insert(times.restart, took) end
      times.stop[round] = bench.stop(one)
      bench.clean()
    end
  end
  return found[OURS], found[FLOOR]
end

local function first_ms(adapter, extra)
  local one, ms = work.start(adapter, 1, extra)
  bench.stop(one)
  bench.clean()
  return ms
end

---From the start of the program to that of its first service.
function M.first(options)
  local floor, ours, probed = {}, {}, {}
  for round = 1, options.quick and 3 or 15 do
    floor[round], ours[round] = first_ms(FLOOR), first_ms(OURS)
    probed[round] = first_ms(OURS, "health = { http = 'http://127.0.0.1:1/', interval = '30s' }")
  end
  local row = beside('first process running', ours, floor)
  local with_http = beside('the same, probed over HTTP', probed, floor)
  row.goal, with_http.goal = 25, 25 + 30
  return { row, with_http }
end

local function memory_rows(one)
  local roles = usage.roles(one)
  local all = usage.memory { roles.front, roles.guard, roles.engine }
  return {
    { what = 'PSS of front, guard, engine with 100', value = all.pss / 1024, unit = 'MB', goal = 6 },
    { what = 'PSS of the guard', value = usage.memory({ roles.guard }).pss, unit = 'KB', goal = 300 },
  }
end

local function idle_rows(one, seconds)
  local roles = usage.roles(one)
  local found = usage.during({ roles.front, roles.guard, roles.engine }, seconds)
  return {
    { what = ('context switches in %d idle seconds'):format(seconds), value = found.switches, unit = '', goal = 0 },
    { what = 'processor while idle', value = found.cpu, unit = '%', goal = 0.05 },
  }
end

local function ps_row(one)
  local median = bench.time(20, one.dir, bench.bin, 'ps')
  return { what = 'ps beside 100 services', value = median, unit = 'ms', goal = 8 }
end

---All that is measured with 100 services.
function M.hundred(options)
  local rows, floor_kb, floor_idle = {}, nil, nil
  local seconds = options.quick and 2 or 60
  local ours, floor = rounds_of(100, options.quick and 3 or 7, 8, function(one, is_ours)
    bench.sleep(1)
    if not is_ours then
      floor_kb, floor_idle = usage.memory({ one.pid }).pss, usage.during({ one.pid }, 1)
      return
    end
    for _, row in ipairs(memory_rows(one)) do rows[#rows + 1] = row end
    for _, row in ipairs(idle_rows(one, seconds)) do rows[#rows + 1] = row end
    rows[#rows + 1] = ps_row(one)
  end)
  rows[1].floor, rows[3].floor, rows[4].floor = floor_kb / 1024, floor_idle.switches, floor_idle.cpu
  table.insert(rows, 1, beside('start of 100', ours.start, floor.start, START))
  table.insert(rows, 2, beside('SIGKILL of one of 100 to its successor', ours.restart, floor.restart, RESTART))
  table.insert(rows, 3, beside('stop of 100', ours.stop, floor.stop, STOP))
  return rows
end

-- What one more process costs in the large network, by that in the small one; the floor's own growth is granted.
local function growth_row(what, small, large, small_floor, large_floor)
  local function times(few, many) return bench.median(many) / 2000 / (bench.median(few) / 100) end
  local floor = times(small_floor, large_floor)
  return {
    what = what .. ' of each of 2,000, by that of each of 100', value = times(small, large), unit = '', floor = floor,
    goal = math.max(1, floor) * 1.1,
  }
end

---2,000 services, and 100 beside them.
function M.thousands()
  local pss = { ours = {}, floor = {} }
  local function look(count)
    return function(one, is_ours)
      bench.sleep(2)
      pss[is_ours and 'ours' or 'floor'][count] = usage.memory(work.helpers(one)).pss
    end
  end
  local few, few_floor = rounds_of(100, 5, 0, look(100))
  local many, many_floor = rounds_of(2000, 3, 8, look(2000))
  local function each(of) return (of[2000] - of[100]) / 1900 end
  return {
    beside('start of 2,000', many.start, many_floor.start, START),
    beside('SIGKILL of one of 2,000 to its successor', many.restart, many_floor.restart, RESTART),
    beside('stop of 2,000', many.stop, many_floor.stop, STOP),
    growth_row('start', few.start, many.start, few_floor.start, many_floor.start),
    growth_row('stop', few.stop, many.stop, few_floor.stop, many_floor.stop),
    { what = 'PSS of each further process', value = each(pss.ours), unit = 'KB', goal = 12, floor = each(pss.floor) },
  }
end

return M
