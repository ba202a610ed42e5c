--- Faults 1 and 2: front, guard or engine is killed or crashes; nothing outlives the network.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

-- Of every kind of tree one: a leader alone, its group, a session of its own, a daemon that has left
-- session, parents and environment, and one that hears no signal.
local RECIPE = [==[
  pact.process 'plain' { shell = 'echo $$ >plain; echo $$ >>pids; exec sleep 1000' }
  pact.process 'group' { shell = 'sleep 1000 & echo $! >>pids; echo $$ >>pids; wait' }
  pact.process 'session' { shell = 'setsid sh -c "echo \\$\\$ >>pids; exec sleep 1000" & echo $$ >>pids; wait' }
  pact.process 'daemon' { shell = [=[
    (env -i PATH="$PATH" setsid sh -c 'echo $$ >wiped; echo $$ >>pids; exec sleep 1000' &)
    echo $$ >>pids; exec sleep 1000]=] }
  pact.process 'deaf' { stop = { timeout = '500ms' }, shell = 'trap "" TERM HUP INT; echo $$ >>pids; while true; do sleep 0.2; done' }
]==]

-- A killed engine can't remove its socket. It misleads nobody, and the next start replaces it.
local function forget_socket(t)
  assert.equal(4, t:run({ 'ps' }).code)
  os.execute(('rm -f %s/.pactlua/*/control.sock'):format(t.dir))
end

local function left(pids)
  local found = {}
  for _, pid in ipairs(pids) do
    local process = procfs.alive(tonumber(pid)) and procfs.process(tonumber(pid))
    if process then
      found[#found + 1] = ('%d %s (parent %d)'):format(process.pid, process.command, process.ppid)
    end
  end
  return found
end

local function wait_none(pids, seconds)
  functional.wait(function() return 'the end of ' .. table.concat(left(pids), ', ') end,
    function() return #left(pids) == 0 end, seconds)
end

local function roles_of(network)
  local roles = network:roles()
  roles.front = network.pid
  return roles
end

local function wait_roles(roles)
  wait_none { roles.front, roles.guard, roles.engine }
end

local function kill(roles, names, signal)
  local words = {}
  for _, name in ipairs(names) do words[#words + 1] = roles[name] end
  if #words > 1 then return functional.kill(words) end
  functional.signal(words[1], signal)
end

local KILLS = {
  { 'the engine', { 'engine' } },
  { 'the guard', { 'guard' } },
  { 'the front', { 'front' } },
  { 'engine and guard', { 'engine', 'guard' } },
  { 'engine and front', { 'engine', 'front' } },
  { 'guard and front', { 'guard', 'front' } },
}

describe('killed', function()
  for _, row in ipairs(KILLS) do
    case(('fault 1: SIGKILL of %s leaves nothing of any service'):format(row[1]), function(t)
      local network = t:up(RECIPE)
      local pids = t:wait_lines('pids', 8)
      local roles = roles_of(network)
      kill(roles, row[2], 'KILL')
      wait_none(pids, 9) -- less than any other grace time; a second of it is promised, the rest is the machine's
      wait_roles(roles)
      forget_socket(t)
    end)
  end

  for _, role in ipairs { 'front', 'guard' } do
    case(('fault 1: SIGKILL of the %s: services end in order, each with its grace'):format(role), function(t)
      local network = t:up [[
        pact.process 'db' { shell = 'trap "echo db >>ends; exit 0" TERM; echo up >>trace; while :; do sleep 60 & wait; done' }
        pact.process 'web' { depends_on = { 'db' }, shell = 'trap "sleep 1; echo web >>ends; exit 0" TERM; echo up >>trace; while :; do sleep 9 & wait; done' }
      ]]
      t:wait_lines('trace', 2)
      local roles = roles_of(network)
      kill(roles, { role }, 'KILL')
      wait_roles(roles)
      assert.same({ 'web', 'db' }, t:lines 'ends')
    end)
  end

  case('fault 1: SIGKILL of all three: the kernel ends leaders, `down` what they left', function(t)
    local network = t:up(RECIPE)
    local pids = t:wait_lines('pids', 8)
    local roles = roles_of(network)
    kill(roles, { 'guard', 'engine', 'front' }, 'KILL')
    wait_none { t:wait_pid 'plain' }
    wait_roles(roles)
    assert.is_true(#left(pids) > 1)
    local result = t:run { 'down' }
    local wiped = t:wait_pid 'wiped' -- nothing tells whose it is any more
    functional.signal(wiped, 'KILL')
    assert.equal(0, result.code, result.out .. result.err)
    wait_none(pids)
    forget_socket(t)
  end)

  case('fault 1: SIGKILL of all three: the next start ends what is left, and works', function(t)
    local network = t:up [[
      pact.process 'p' { shell = 'setsid sh -c "echo \\$\\$ >>left; exec sleep 1000" & echo $$ >>pids; wait' }
    ]]
    t:wait_lines('pids', 1)
    local stray = t:wait_lines('left', 1)
    kill(roles_of(network), { 'guard', 'engine', 'front' }, 'KILL')
    local second = t:start { 'net.lua' }
    t:wait_lines('pids', 2)
    assert.equal('running', t:wait_service('p', { status = 'running' }).status)
    wait_none(stray)
    second:signal 'TERM'
    assert.equal(0, second:wait().left)
  end)

  for _, signal in ipairs { 'KILL', 'SEGV', 'ABRT' } do
    local number = signal == 'KILL' and 1 or 2
    case(('fault %d: SIG%s of the engine: the front says so and ends with 1'):format(number, signal), function(t)
      local network = t:up(RECIPE)
      local pids = t:wait_lines('pids', 8)
      kill(roles_of(network), { 'engine' }, signal)
      local result = network:wait()
      assert.equal(1, result.code)
      assert.truthy(result.err:find('engine', 1, true), result.err)
      assert.truthy(result.err:find('SIG' .. signal, 1, true), result.err)
      assert.equal(0, #left(pids), 'the front ends after the guard has done its work')
      forget_socket(t)
    end, signal ~= 'KILL' and functional.sanitized)
  end

  case('fault 2: an engine that hangs is killed by a second Ctrl-C, and all of its processes end', function(t)
    local network = t:up(RECIPE)
    local pids = t:wait_lines('pids', 8)
    kill(roles_of(network), { 'engine' }, 'STOP')
    network:signal 'INT'
    local result = network:insist()
    assert.equal(2, result.signal, result.err)
    assert.truthy(result.err:find('the engine does not answer', 1, true), result.err)
    assert.equal(0, #left(pids))
    forget_socket(t)
  end)

  case('fault 2: SIGSEGV of the engine: the terminal is as it was', function(t)
    t:recipe [[ pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000' } ]]
    local shell = t:start({ '-c', 'stty -g >before; "$PACTLUA" net.lua; stty -g >after' },
      { program = 'bash', tty = true, env = { PACTLUA = functional.bin } })
    t:wait_lines('pids', 1)
    kill(shell:roles(), { 'engine' }, 'SEGV')
    local result = shell:wait()
    assert.equal(t:read 'before', t:read 'after')
    assert.falsy(result.out:find('\27[?25l', 1, true) and not result.out:find('\27[?25h', 1, true))
    forget_socket(t)
  end)
end)
