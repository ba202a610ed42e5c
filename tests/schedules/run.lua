--- Plays random schedules against the supervisor in virtual time: `lua5.4 tests/schedules/run.lua --count N --seed S`.
--
-- A schedule that breaks a rule is made smaller, shown, and can be played again by the line that is printed last.

local root = arg[0]:match '^(.*)/tests/schedules/[^/]*$' or '.'
package.path = ('%s/stdlib/?.lua;%s/stdlib/?/init.lua;%s/tests/support/?.lua;'):format(root, root, root) .. package.path

local plans = require 'schedule_plan'
local schedule = require 'schedule'

local USAGE = [[
usage: lua5.4 tests/schedules/run.lua [--count N] [--seed S] [--jobs J] [--keep SERVICES/ACTS/CALM] [--trace]

  --count N   how many (default 10000), from seed S (default 1)
  --jobs J    in so many processes side by side (default 1)
  --keep …    only these services and acts of the schedule, and programs of CALM do nothing odd
  --trace     shows all that was told]]

local ORDERS_EVERY = 50 -- one in so many is played in two orders of tables as well
local TRIES = 400

local function die(message)
  io.stderr:write(message, '\n')
  os.exit(2)
end

local function numbers(text)
  local list = {}
  for number in text:gmatch '%d+' do list[#list + 1] = math.tointeger(number) end
  return list
end

local function parse_keep(text)
  local services, acts, calm = text:match '^([%d,]*)/([%d,]*)/([%d,]*)$'
  if not services then die('--keep: expected 1,2/3/4, got ' .. text) end
  return { services = numbers(services), acts = numbers(acts), calm = numbers(calm) }
end

local function options()
  local opts, i = { count = 10000, seed = 1, jobs = 1 }, 1
  while arg[i] do
    local name = arg[i]:match '^%-%-(%l+)$'
    if name == 'count' or name == 'seed' or name == 'jobs' then
      i = i + 1
      opts[name] = math.tointeger(tonumber(arg[i])) or die(('--%s: expected a whole number'):format(name))
    elseif name == 'keep' then
      i = i + 1
      opts.keep = parse_keep(arg[i] or '')
    elseif name == 'trace' then
      opts.trace = true
    else
      die(USAGE)
    end
    i = i + 1
  end
  return opts
end

-- What is wrong with a schedule, or nil and how many events it had.
local function wrong(seed, keep, orders)
  local ok, result = pcall(schedule.play, seed, keep)
  if not ok then return tostring(result) end
  if orders then
    local same, message = pcall(schedule.play_orders, seed, keep)
    if not same then return tostring(message) end
  end
  return nil, result
end

-- The rule that is broken, whoever breaks it and when.
local function kind(message)
  return (message:gsub('s%d+', 's'):gsub('%d+', 'n'):gsub('%b()', ''):gsub("'[^']*'", 'x'))
end

local function without(list, from, count)
  local out = {}
  for i, value in ipairs(list) do
    if i < from or i >= from + count then out[#out + 1] = value end
  end
  return out
end

-- Leaves out parts of one list as long as the same rule is broken: halves first, then less.
local function shrink_list(state, name)
  local size = math.max(1, #state.keep[name] // 2)
  while size >= 1 do
    local i = 1
    while i <= #state.keep[name] and state.tries < TRIES do
      local less = { services = state.keep.services, acts = state.keep.acts, calm = state.keep.calm }
      less[name] = without(less[name], i, size)
      state.tries = state.tries + 1
      local message = wrong(state.seed, less, state.orders)
      if message and kind(message) == state.kind then
        state.keep, state.message = less, message
      else
        i = i + size
      end
    end
    size = size // 2
  end
end

local function calm_down(state)
  for _, i in ipairs(state.keep.services) do
    local calm = table.move(state.keep.calm, 1, #state.keep.calm, 1, {})
    calm[#calm + 1] = i
    local more = { services = state.keep.services, acts = state.keep.acts, calm = calm }
    local message = wrong(state.seed, more, state.orders)
    if message and kind(message) == state.kind then state.keep, state.message = more, message end
  end
end

local function all(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

local function shrink(seed, message, keep, orders)
  local made = plans.make(seed, keep)
  keep = keep or { services = all(made.count), acts = all(made.act_count), calm = {} }
  local state = { seed = seed, keep = keep, message = message, kind = kind(message), tries = 0, orders = orders }
  for _ = 1, 2 do
    shrink_list(state, 'services')
    shrink_list(state, 'acts')
  end
  calm_down(state)
  return state.keep, state.message
end

local function report(seed, message, keep, orders)
  print(('seed %d: %s'):format(seed, message))
  keep, message = shrink(seed, message, keep, orders)
  print('made smaller: ' .. message)
  print(plans.describe(plans.make(seed, keep)))
  print(('again: lua5.4 tests/schedules/run.lua --seed %d --count 1 --keep %s/%s/%s --trace\n'):format(seed,
    table.concat(keep.services, ','), table.concat(keep.acts, ','), table.concat(keep.calm, ',')))
end

local function show_trace(seed, keep)
  local trace = {}
  pcall(schedule.play, seed, keep, trace)
  print(table.concat(trace, '\n'))
end

local function play_all(opts)
  local events, failed = 0, 0
  for seed = opts.seed, opts.seed + opts.count - 1 do
    if opts.trace then show_trace(seed, opts.keep) end
    local message, count = wrong(seed, opts.keep, seed % ORDERS_EVERY == 0 or opts.trace)
    if message then
      failed = failed + 1
      report(seed, message, opts.keep, message:find('order of tables', 1, true) ~= nil)
      if failed == 10 then
        print 'ten are enough'
        break
      end
    else
      events = events + count
    end
  end
  return events, failed
end

-- Shares the seeds out to processes like this one.
local function side_by_side(opts)
  local share, running = opts.count // opts.jobs, {}
  for job = 1, opts.jobs do
    local count = job < opts.jobs and share or opts.count - share * (opts.jobs - 1)
    local line = ("lua5.4 '%s' --seed %d --count %d"):format(arg[0], opts.seed + share * (job - 1), count)
    running[job] = assert(io.popen(line))
  end
  local good = true
  for _, pipe in ipairs(running) do
    for line in pipe:lines() do print(line) end
    good = pipe:close() and good
  end
  return good
end

local opts = options()
collectgarbage 'generational'
if opts.jobs > 1 then os.exit(side_by_side(opts) and 0 or 1) end
local began = os.clock()
local events, failed = play_all(opts)
print(('%d schedules from seed %d: %d events, %d broken, %.1f s'):format(opts.count, opts.seed, events, failed,
  os.clock() - began))
os.exit(failed == 0 and 0 or 1)
