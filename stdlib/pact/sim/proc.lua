--- sys.proc over a made-up world: programs are scripts in data.
--
-- A program is a table, or a function of (spawn spec, how many times it ran before + 1) that gives one:
--   exit_after = ms, code = 0      it ends by itself (never without exit_after); signal = n instead of code
--   ignore = { [15] = true }       signals it doesn't hear (`deaf`: none but KILL); on_signal = { [15] = code } it
--                                  ends with a code
--   stop_takes = ms                from a signal to its end
--   leaves = n, leaves_for = ms    processes left when it ends, and how long they take to hear TERM (never: false)
--   output = { { ms, 'text' } }    lines to its log; stdout = 'text' for captured ones
--   notify = { { ms, 'READY=1' } } to the socket that its environment names
--   listens = { port, … }, listens_after = ms
--   fail = 'ENOENT', step = 'exec', message = '…'  the spawn fails
--   started = fn(process), ended = fn(process)     hear of it

local KILL, CONT, STOP = 9, 18, 19
local QUIET = { [CONT] = true, [STOP] = true, [17] = true, [28] = true }
local SHELL_NAMES = { sh = true }

local M = {}

local function by_name(world, spec)
  local name = spec.argv[1]:match '[^/]+$'
  if SHELL_NAMES[name] and spec.argv[2] == '-c' then
    name = world.programs[spec.argv[3]] and spec.argv[3] or spec.argv[3]:match '^%s*(%S+)'
  end
  local program = world.programs[name]
  world.counts[name] = (world.counts[name] or 0) + 1
  if type(program) == 'function' then program = program(spec, world.counts[name]) end
  if program == nil then
    program = { fail = 'ENOENT', message = ("program '%s': No such file or directory"):format(name) }
  end
  return program, name
end

local function program_of(world, spec)
  local program = world.program_of and world.program_of(spec)
  if program then return program, program.name or spec.argv[1]:match '[^/]*$' end
  return by_name(world, spec)
end

---The leader ends; what is left of it is for the sweep.
---@param world world
---@param proc table
---@param code? integer
---@param signal? integer
function M.finish(world, proc, code, signal)
  if proc.ended then return end
  local program, spec = proc.program, proc.spec
  proc.ended, proc.code, proc.signal, proc.ended_at = true, code, signal, world.now
  proc.left = program.leaves or 0
  for _, port in ipairs(program.listens or {}) do
    if world.listeners[port] == proc then world.listeners[port] = nil end
  end
  if program.ended then program.ended(proc) end
  world:event(proc.id, 'exit', {
    code = code, signal = signal, core = false, at = world.now, utime = 1, stime = 1, maxrss = 1048576,
    stdout = spec.stdout == 'capture' and (program.stdout or '') or nil,
    stderr = spec.stderr == 'capture' and (program.stderr or '') or nil,
  })
end

---@param spec sys.spawn_spec
---@param name string
---@return string? value of a variable of its environment
function M.variable(spec, name)
  for _, env in ipairs { spec.env, spec.env_base or {} } do
    for _, entry in ipairs(env) do
      local value = entry:match('^' .. name .. '=(.*)$')
      if value then return value end
    end
  end
end

local function begin(world, proc)
  local program = proc.program
  if program.exit_after then
    world:at(program.exit_after, function()
      M.finish(world, proc, not program.signal and (program.code or 0) or nil, program.signal)
    end)
  end
  for _, line in ipairs(program.output or {}) do
    world:at(line[1], function()
      if not proc.ended then world.say(proc.spec.log, line[2], line[3] or 1) end
    end)
  end
  for _, text in ipairs(program.notify or {}) do
    world:at(text[1], function()
      if not proc.ended then world:datagram(M.variable(proc.spec, 'NOTIFY_SOCKET'), text[2], proc.pid) end
    end)
  end
  for _, port in ipairs(program.listens or {}) do world.listeners[port] = proc end
  if program.started then program.started(proc) end
end

local function spawn(world, spec)
  local program, name = program_of(world, spec)
  if program.fail then
    local message = program.message or ("program '%s': %s"):format(name, program.fail)
    return nil, message, program.fail, program.step or 'exec'
  end
  world.pids = world.pids + 1
  local proc = {
    id = world:id(), pid = world.pids, name = name, spec = spec, program = program, started_at = world.now,
    signals = {}, left = 0,
  }
  world.procs[proc.id] = proc
  if not world.forgets then world.spawned[#world.spawned + 1] = proc end
  begin(world, proc)
  return proc.id, proc.pid
end

local function hears(program, signo)
  return signo == KILL or not (program.deaf or program.ignore and program.ignore[signo])
end

local function hear(world, proc, signo)
  proc.signals[#proc.signals + 1] = signo
  local program = proc.program
  if proc.ended or QUIET[signo] or not hears(program, signo) then return end
  local takes = signo == KILL and 0 or program.stop_takes or 0
  local code = signo ~= KILL and program.on_signal and program.on_signal[signo]
  world:at(takes, function()
    M.finish(world, proc, code or nil, not code and signo or nil)
  end)
end

-- TERM at once, KILL after the grace, told when nothing is left.
local function sweep(world, proc, opts)
  if proc.sweeping then return end
  proc.sweeping = true
  local grace = opts and opts.grace or 500
  local function gone()
    local killed = proc.left
    proc.left, proc.swept = 0, true
    world.procs[proc.id] = nil
    world:event(proc.id, 'swept', proc.program.survivors or {}, killed)
    world.cancelled[proc.id] = nil
  end
  if not proc.ended then
    hear(world, proc, 15)
    world:at(grace, function() hear(world, proc, KILL) end)
  end
  local takes = (proc.program.leaves or 0) > 0 and (proc.program.leaves_for or grace) or 0
  local function settle()
    if proc.ended then
      world:at(math.min(takes, grace), gone)
    else
      world:at(math.max(1, grace), settle)
    end
  end
  world:at(0, settle)
end

local function check(spec)
  assert(type(spec.argv) == 'table' and spec.argv[1], 'spawn: argv')
  assert(type(spec.env) == 'table', 'spawn: env is a list of NAME=value')
  for _, entry in ipairs(spec.env) do
    assert(type(entry) == 'string' and entry:find('=', 1, true), 'spawn: env is a list of NAME=value')
  end
end

---@param world world
---@return table sys.proc
function M.new(world)
  local proc = {}

  function proc.spawn(spec)
    if not world.forgets then check(spec) end
    return spawn(world, spec)
  end

  function proc.signal(id, signo, scope)
    local found = world.procs[id]
    if not found or (found.ended and (scope == 'leader' or found.left == 0)) then
      return nil, 'no such process', 'gone'
    end
    hear(world, found, signo)
    return true
  end

  function proc.sweep(id, opts)
    local found = world.procs[id]
    if found then sweep(world, found, opts) end
  end

  function proc.sample(id)
    return world.procs[id] and { cpu = 10, rss = 1048576, threads = 1, fds = 3, read = 0, write = 0, procs = 1 }
  end

  function proc.tree(id)
    local found = world.procs[id]
    return found
      and { { pid = found.pid, ppid = 1, name = found.name, command = found.name, state = 'S', rss = 0 } }
  end

  function proc.ports(id)
    local found = world.procs[id]
    return found and (found.program.listens or {})
  end

  function proc.write() return true end
  function proc.resize() return true end
  function proc.close_stdin() end
  function proc.tagged() return {} end
  return proc
end

---@return table? proc the process of this world that listens on a port now
function M.listener(world, port)
  local proc = world.listeners[port]
  if proc and not proc.ended and world.now >= proc.started_at + (proc.program.listens_after or 0) then return proc end
end

return M
