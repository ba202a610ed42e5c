--- `pactlua exec ID -- CMD…`: a program as a service would start now, with our terminal; its status is ours.

local environment = require 'pact.supervise.environment'
local front_run = require 'pact.control.front.run'
local live = require 'pact.control.verbs.live'

local M = {}

local FAILED = 125
-- What the terminal sends reaches CMD anyway; the others are passed on.
local SIGNALS = { INT = false, QUIT = false, TERM = true, HUP = true }

local function refused(context, status, body)
  local ours = live.refused(context, status, body)
  return ours == live.NO_NETWORK and ours or FAILED
end

local function start(context, surroundings)
  local sys = context.sys
  return sys.proc.spawn {
    argv = context.invocation.command, env = environment.list(surroundings.env), cwd = surroundings.cwd,
    uid = surroundings.uid, gid = surroundings.gid, groups = surroundings.groups, umask = surroundings.umask,
    limits = surroundings.limits, stdin = 'inherit', stdout = 'inherit', stderr = 'inherit', session = false,
  }
end

---@param context main_context
function M.run(context)
  local sys = context.sys
  return live.run(context, function(link, _, loop, watch)
    local status, body = link:ask('GET', ('/v1/services/%s/surroundings'):format(context.invocation.ids[1]))
    if status ~= 200 then return refused(context, status, body) end
    if watch then watch:off() end -- CMD has the terminal, and asks nobody
    local id, message, code, step = start(context, body)
    if not id then
      context.err(('pactlua: exec: %s\n'):format(message))
      return step == 'exec' and front_run.status_of(code) or FAILED
    end
    for name, passed in pairs(SIGNALS) do
      loop:on_signal(name, function()
        if passed then sys.proc.signal(id, sys.os.signals[name], 'leader') end
      end)
    end
    local _, exit = loop:await(id)
    return exit.code or 128 + exit.signal
  end, { status = FAILED })
end

return M
