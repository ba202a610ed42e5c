--- A network under strain for a long time: crashes, floods, clients that come and go in the middle of an answer.
--- Fails when memory or descriptors of front, guard or engine grow.

local root = arg[0]:match '^(.*)/tests/soak/[^/]*$' or '.'
package.path = ('%s/tests/support/?.lua;'):format(root) .. package.path

local procfs = require 'procfs'
local system = require 'system'

local RECIPE = [[
local pact = require 'pact'
pact.defaults {
  restart = { policy = 'always', delay = '200ms', max_delay = '400ms' }, log = { max_size = '1m', max_files = 2 },
}
for i = 1, 6 do
  pact.process('crash' .. i, { shell = 'sleep 0.' .. i .. '; echo crashing; exit ' .. i })
end
pact.process 'killed' { shell = 'sleep 0.3; kill -SEGV $$' }
pact.process 'forker' { shell = '(setsid sleep 300 &) ; sleep 0.5; exit 1' }
pact.process 'deaf' { shell = 'trap "" TERM; sleep 1; exit 1' }
for i = 1, 2 do
  pact.process('flood' .. i, { shell = 'while :; do yes abcdefghij | head -n 20000; sleep 0.5; done' })
end
pact.process 'probed' { command = { 'sleep', '1000' }, health = { command = { 'true' }, interval = '200ms' } }
pact.process 'sick' {
  command = { 'sleep', '1000' }, on_unhealthy = 'restart',
  health = { tcp = '127.0.0.1:1', interval = '200ms', retries = 2 },
}
pact.process 'calm' { command = { 'sleep', '1000' }, depends_on = { 'probed' } }
]]

local GROWTH = { fds = 4, kb = 1536 } -- more than that from the first quarter to the last is growth

local USAGE = [[
usage: lua5.4 tests/soak/run.lua [--minutes N] [--bin PACTLUA]

  --minutes N   how long (default 60); a line is printed each minute
  --bin FILE    the binary (default $PACTLUA_BIN, else build/release/pactlua)]]

local function options()
  local found, at = { minutes = '60', bin = os.getenv 'PACTLUA_BIN' or root .. '/build/release/pactlua' }, 1
  while arg[at] do
    local name = arg[at]:match '^%-%-(%l+)$'
    if not (found[name] and arg[at + 1]) then
      io.stderr:write(USAGE, '\n')
      os.exit(name == 'help' and 0 or 2)
    end
    found[name], at = arg[at + 1], at + 2
  end
  return found
end

local opts = options()
local bin, minutes = opts.bin, tonumber(opts.minutes)
if not minutes or minutes <= 0 then
  io.stderr:write('--minutes: expected a number above 0, got ', opts.minutes, '\n')
  os.exit(2)
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read 'a'
  pipe:close()
  return text
end

local function children(pid)
  local list = {}
  for child in (procfs.read(('/proc/%d/task/%d/children'):format(pid, pid)) or ''):gmatch '%d+' do
    list[#list + 1] = math.tointeger(child)
  end
  return list
end

-- Front, guard and engine are one binary, each the child of the one before.
local function roles(front)
  local guard = children(front)[1]
  local engine = guard and children(guard)[1]
  return engine and { front = front, guard = guard, engine = engine }
end

-- Descriptors, and what only this process holds of memory; the least of a few looks.
local function sample(pid)
  local found = { fds = math.huge, kb = math.huge }
  for _ = 1, 5 do
    local fds = tonumber(output(('ls /proc/%d/fd 2>/dev/null | wc -l'):format(pid)))
    local rollup = procfs.read(('/proc/%d/smaps_rollup'):format(pid))
    if not rollup or fds == 0 then return nil end
    local kb = 0
    for value in rollup:gmatch 'Private_%a+:%s+(%d+)' do kb = kb + tonumber(value) end
    found.fds, found.kb = math.min(found.fds, fds), math.min(found.kb, kb)
    system.sleep(0.05)
  end
  return found
end

local CLIENTS = {
  'timeout 5 %s ps --json >/dev/null',
  'timeout 5 %s ps | head -c 10 >/dev/null',
  'timeout 5 %s restart calm >/dev/null',
  'timeout 0.05 %s ps >/dev/null',
  'timeout 5 %s logs -n 1000 flood1 | head -c 100 >/dev/null',
  'timeout 0.3 %s logs -f flood2 >/dev/null',
  'timeout 5 %s stop probed >/dev/null; timeout 5 %s start calm >/dev/null',
  'timeout 0.2 %s events -f >/dev/null',
}

-- The least of a quarter of the samples: what is held, whatever was going on.
local function least(samples, from, to, role, what)
  local found = math.huge
  for i = from, to do found = math.min(found, samples[i][role][what]) end
  return found
end

local function judge(samples)
  local good, quarter = true, math.max(1, #samples // 4)
  for _, role in ipairs { 'front', 'guard', 'engine' } do
    for _, what in ipairs { 'fds', 'kb' } do
      local first = least(samples, 1, quarter, role, what)
      local last = least(samples, #samples - quarter + 1, #samples, role, what)
      local grows = last - first > GROWTH[what]
      print(('%-6s %-3s %6d -> %6d%s'):format(role, what, first, last, grows and '  GROWS' or ''))
      good = good and not grows
    end
  end
  return good
end

-- Descriptors and memory of each role, nil when one is gone.
local function sample_roles(front)
  local found, one = roles(front), {}
  for role, pid in pairs(found or {}) do one[role] = sample(pid) end
  return one.front and one.guard and one.engine and one
end

local function tell_minute(minute, clients, one)
  local parts = {}
  for _, role in ipairs { 'front', 'guard', 'engine' } do
    parts[#parts + 1] = ('%s %d descriptors, %d KB'):format(role, one[role].fds, one[role].kb)
  end
  print(('minute %d: %s; %d clients'):format(minute, table.concat(parts, '; '), clients))
  io.flush()
end

local function soak(dir, front)
  local began, samples, nth, minute = system.monotime(), {}, 0, 1
  local warm = began + math.min(30, minutes * 12) -- rings and pools fill first
  local every, next_sample = math.max(1, minutes * 60 / 200), 0
  while system.monotime() < began + minutes * 60 do
    nth = nth + 1
    local line = CLIENTS[nth % #CLIENTS + 1]:gsub('%%s', bin)
    os.execute(('cd %s && (%s) 2>/dev/null'):format(dir, line))
    if system.monotime() > math.max(warm, next_sample) then
      next_sample = system.monotime() + every
      local one = sample_roles(front)
      if not one then return nil, 'the network has ended by itself' end
      samples[#samples + 1] = one
    end
    if system.monotime() > began + minute * 60 and #samples > 0 then
      tell_minute(minute, nth, samples[#samples])
      minute = minute + 1
    end
  end
  print(('%d clients, %d samples in %g minutes'):format(nth, #samples, minutes))
  return samples
end

local dir = output('mktemp -d'):gsub('%s+$', '')
local file = assert(io.open(dir .. '/pact.lua', 'w'))
file:write(RECIPE)
file:close()
if not bin:find '^/' then bin = output('realpath ' .. bin):gsub('%s+$', '') end
local front = tonumber(output(('cd %s && { %s up >/dev/null 2>%s/err & echo $!; }'):format(dir, bin, dir)))
system.sleep(1)
local samples, message = soak(dir, front)
local found = roles(front) or {}
os.execute(('kill -INT %d 2>/dev/null'):format(front))
local patience = system.monotime() + 20
while procfs.read(('/proc/%d/stat'):format(front)) and system.monotime() < patience do system.sleep(0.05) end
local good = samples and #samples > 3 and judge(samples)
for role, pid in pairs(found) do
  local state = (procfs.read(('/proc/%d/stat'):format(pid)) or ''):match '%) (%a)'
  if state and state ~= 'Z' then
    print(('%s is still there'):format(role))
    good = false
  end
end
if good then
  os.execute('rm -rf ' .. dir)
else
  print(message or 'the figures are above', procfs.read(dir .. '/err'))
end
print(good and 'flat' or 'FAILED: see ' .. dir)
os.exit(good and 0 or 1)
