--- `pactlua down`: shuts the live network down and waits for its end; without one, ends what dead runs left.

local client = require 'pact.control.client'
local find = require 'pact.control.find'
local live = require 'pact.control.verbs.live'
local sched = require 'pact.base.sched'
local strays = require 'pact.control.strays'

local M = {}

local ROUND_MS = 50

---No network lives here: what may be left of dead ones.
local function clean(context, loop, dirs)
  local sys, names, at = context.sys, {}, 0
  local function next_one()
    at = at + 1
    local dir = dirs[at]
    if not dir then
      if #names == 0 then
        context.err 'pactlua: no live network here or above\n'
        return sys.stop(live.NO_NETWORK)
      end
      context.out(('ended what a dead run had left: %s\n'):format(table.concat(names, ', ')))
      return sys.stop(0)
    end
    strays.end_all(sys, loop, strays.tag(dir.path .. '/control.sock'), function(found)
      table.move(found, 1, #found, #names + 1, names)
      strays.ended(sys, dir)
      next_one()
    end)
  end
  next_one()
end

---Until the engine is gone: nobody holds the lock any more.
local function wait_gone(context, loop, dir)
  while true do
    local lock, _, code = context.sys.fs.lock(dir.path .. '/lock')
    if lock then
      context.sys.fs.close(lock)
      return
    elseif code ~= 'held' then
      return
    end
    loop:sleep(ROUND_MS)
  end
end

---@param context main_context
function M.run(context)
  local sys, wanted = context.sys, context.invocation.options.project
  local loop = sched.new(sys, function(message)
    context.err(('pactlua: down: %s\n'):format(message))
    sys.stop(1)
  end)
  local dead = {}
  for _, dir in ipairs(find.state_dirs(sys, context.env)) do
    if not wanted or dir.project == wanted then
      local link = client.connect(sys, loop, dir.path .. '/control.sock')
      if link then
        loop:spawn(function()
          local status, body = link:ask('POST', '/v1/shutdown', { reason = 'pactlua down' })
          if status ~= 200 then return sys.stop(live.refused(context, status, body)) end
          wait_gone(context, loop, dir)
          sys.stop(0)
        end)
        return
      end
      dead[#dead + 1] = dir
    end
  end
  clean(context, loop, dead)
end

return M
