--- `run`, `ci`: CMD as the front's child, with the terminal, once the network is ready.

local list = require 'pact.base.list'

local M = {}

local function environment(front, addresses)
  local env = require('pact.supervise.environment').inherited(front.context.env)
  for name, value in pairs(addresses) do env[name] = value end
  env.PACTLUA_RUN, env.PACTLUA_PROJECT = front.hello.run, front.hello.project
  local out = {}
  for name, value in list.sorted(env) do out[#out + 1] = name .. '=' .. value end
  return out
end

---@param code? string an errno's name
---@return integer status of a CMD that could not be started
function M.status_of(code)
  if code == 'ENOENT' or code == 'ENOTDIR' then return 127 end
  return (code == 'EACCES' or code == 'ENOEXEC') and 126 or 125
end

local function say(front, message)
  front.context.err(('pactlua: %s: %s\n'):format(front.context.invocation.verb, message))
end

local function not_started(front, message, code)
  say(front, message)
  front.command_status = M.status_of(code)
  front:post('/v1/shutdown', { reason = 'the command could not be started', status = 0 })
end

---CMD has the terminal: what Ctrl-C sends reaches it anyway; other signals are passed on.
local function pass_on(front, id)
  return function(name)
    if name ~= 'INT' then front.sys.proc.signal(id, front.sys.os.signals[name], 'leader') end
    return true
  end
end

---@param front front
---@param addresses table<string, string> variables that say where services are
function M.start(front, addresses)
  if front.asked_at then return end
  local sys = front.sys
  local id, pid, code = sys.proc.spawn {
    argv = front.command, env = environment(front, addresses), cwd = sys.fs.cwd(), stdin = 'inherit',
    stdout = 'inherit', stderr = 'inherit', session = false,
  }
  if not id then return not_started(front, pid, code) end
  front.command_runs = true
  local began = sys.time.now()
  front.running_command = pass_on(front, id)
  front.on_network_end = function()
    if not front.command_runs then return end
    say(front, 'the network has ended before the command')
    front.command_lost = true
    sys.proc.signal(id, sys.os.signals.TERM, 'leader')
  end
  front.sched:on(id, function(kind, exit)
    if kind ~= 'exit' then return end
    front.sched:off(id)
    front.command_runs, front.running_command = false, nil
    front.command_ms = sys.time.now() - began
    front.command_status = front.command_lost and 125 or exit.code or 128 + exit.signal
    if front.session_over then return front:finish() end
    front:post('/v1/shutdown', { reason = 'the command has ended', status = 0 })
  end)
end

return M
