--- `pactlua down`: shuts the live network down and waits for its end; without one, ends what dead runs left.

local duration = require 'pact.base.duration'
local engines = require 'pact.control.client.engines'
local find = require 'pact.control.client.find'
local live = require 'pact.control.verbs.live'
local sched = require 'pact.base.sched'
local strays = require 'pact.control.strays'
local text = require 'pact.base.text'

local M = {}

local ROUND_MS = 50

-- What a killed engine has left in its directory; its processes are another matter.
local function traces(sys, dir)
  return sys.fs.stat(dir.path .. '/running') ~= nil or sys.fs.stat(dir.path .. '/control.sock') ~= nil
end

-- A socket that nobody serves goes, and the token for it, unless somebody has come by now.
local function remove_traces(sys, dir)
  local lock = sys.fs.lock(dir.path .. '/lock')
  if not lock then return end
  sys.fs.remove(dir.path .. '/control.sock')
  sys.fs.remove(dir.path .. '/token')
  sys.fs.close(lock)
end

---No network lives here: what may be left of dead ones.
local function clean(context, loop, dirs)
  local sys, said, at = context.sys, {}, 0
  local function next_one()
    at = at + 1
    local dir = dirs[at]
    if not dir then
      if #said == 0 then
        context.err(('pactlua: %s\n'):format(live.nothing(context, loop, {})))
        return sys.stop(live.NO_NETWORK)
      end
      context.out(table.concat(said))
      return sys.stop(0)
    end
    local left = traces(sys, dir)
    strays.end_all(sys, loop, strays.tag(dir.path .. '/control.sock'), function(found)
      if #found > 0 then
        said[#said + 1] = ('ended what a dead run had left: %s\n'):format(table.concat(found, ', '))
      elseif left then
        said[#said + 1] = ("the last run of '%s' was killed; no process of it is left\n"):format(dir.project)
      end
      if left then remove_traces(sys, dir) end
      strays.ended(sys, dir)
      next_one()
    end)
  end
  next_one()
end

-- Until each of these has ended; without any, until nobody holds the lock. Those that have ended answer no more.
local function wait_gone(context, loop, dir, processes, watch)
  local sys = context.sys
  for pid, born in pairs(processes) do
    while engines.born(sys, pid) == born do loop:sleep(ROUND_MS) end
    if pid == watch.opts.link.pid then watch:off() end
  end
  while not next(processes) do
    local lock, _, code = sys.fs.lock(dir.path .. '/lock')
    if lock then sys.fs.close(lock) end
    if lock or code ~= 'held' then return end
    loop:sleep(ROUND_MS)
  end
end

-- What there is, before it ends.
local function look(sys, link)
  local code, status = link:ask('GET', '/v1/status')
  local _, services = link:ask('GET', '/v1/services?brief=1&figures=0')
  if code ~= 200 then return { processes = {}, alive = {} } end
  local processes, alive = {}, {}
  for _, pid in ipairs { status.pid, status.guard } do processes[pid] = engines.born(sys, pid) end
  for _, service in ipairs(type(services) == 'table' and services.services or {}) do
    if service.pid or service.status == 'running' then alive[#alive + 1] = service.id end
  end
  return { pid = status.pid, uptime = status.uptime, processes = processes, alive = alive }
end

local SHOWN = 10

local function words(dir, seen)
  local names, more = table.move(seen.alive, 1, math.min(#seen.alive, SHOWN), 1, {}), #seen.alive - SHOWN
  if more > 0 then names[#names + 1] = ('%d more'):format(more) end
  local after = seen.uptime and ' after ' .. duration.format(seen.uptime) or ''
  local what = names[1] and ': ' .. text.enumerate(names) or ', in which nothing ran any more'
  return ("ended '%s'%s%s\n"):format(dir.project, after, what)
end

-- What even SIGKILL has not ended carries the network's tag still.
local function survivors(sys, dir)
  if not sys.fs.stat(dir.path .. '/running') then return {} end
  return strays.found(sys, strays.tag(dir.path .. '/control.sock'))
end

local function shut_down(context, loop, link, dir, watch)
  local seen = look(context.sys, link)
  local status, body = link:ask('POST', '/v1/shutdown', { reason = 'pactlua down' })
  if status ~= 200 then return live.refused(context, status, body) end
  wait_gone(context, loop, dir, seen.processes, watch)
  local left = survivors(context.sys, dir)
  context.out(words(dir, seen))
  if #left == 0 then return 0 end
  context.err(('pactlua: down: could not be killed: %s\n'):format(table.concat(strays.names(left), ', ')))
  return 1
end

-- In spite of its engine, which is told of.
local function by_force(context, loop, dir, pid, what)
  context.err(('pactlua: down: %s\n'):format(what))
  local ended, message = require('pact.control.verbs.down_force').run(context, loop, dir, pid)
  if not ended then
    context.err(('pactlua: down: %s\n'):format(message))
    return 1
  end
  remove_traces(context.sys, dir)
  strays.ended(context.sys, dir)
  context.out(("ended '%s' by force: its engine was killed, nothing of it is left\n"):format(dir.project))
  return 0
end

-- Asks for an orderly end; with --force of an engine that doesn't answer there is another one.
local function ask_down(context, loop, link, dir)
  local sys, asked = context.sys, nil
  local function spawn(fn, ...)
    local args = table.pack(...)
    return loop:spawn(function() sys.stop(fn(table.unpack(args, 1, args.n))) end)
  end
  local function force(silence)
    if engines.state(sys, link.pid) == nil then return true end -- it has ended: nothing needs force
    loop:stop(asked)
    silence:off()
    spawn(by_force, context, loop, dir, link.pid, silence:words(true))
    return true
  end
  local watch = live.attend(context, loop, link, dir, {
    on_silent = context.invocation.options.force and force or nil,
  })
  asked = spawn(shut_down, context, loop, link, dir, watch)
end

-- An engine that takes no more connections can't even be asked.
local function overrun(context, loop, dir, message, status)
  if not (context.invocation.options.force and dir) then
    context.err(('pactlua: down: %s\n'):format(message))
    return status
  end
  local pid = require('pact.control.client.silence').holder(context.sys, dir)
  loop:spawn(function() context.sys.stop(by_force(context, loop, dir, pid, message)) end)
end

---@param context main_context
function M.run(context)
  local sys, wanted = context.sys, context.invocation.options.project
  local loop = sched.new(sys, function(message)
    context.err(('pactlua: down: %s\n'):format(message))
    sys.stop(1)
  end)
  local link, message, dir, status = live.connect(context, loop)
  if link then
    ask_down(context, loop, link, dir)
  elseif status == live.AMBIGUOUS or status == live.NOT_PERMITTED then
    context.err(('pactlua: %s\n'):format(message))
    return status
  elseif status ~= live.NO_NETWORK then
    return overrun(context, loop, dir, message, status)
  else
    local _, dead = live.candidates(sys, loop, find.state_dirs(sys, context.env, wanted), wanted)
    clean(context, loop, dead)
  end
end

return M
