--- `pactlua repl`: a prompt at the live network's own Lua state.

local live = require 'pact.control.verbs.live'

local M = {}

local LEAVE = { 'TERM', 'HUP' }

---@param context main_context
function M.run(context)
  local sys = context.sys
  local repl
  local function tell(words)
    words = ('pactlua: repl: %s\n'):format(words)
    if repl and not repl.left then repl:complain(words) else context.err(words) end
  end
  local status = live.run(context, function(link, dir, loop)
    repl = require('pact.control.repl.session').start {
      context = context, sched = loop, link = link, dir = dir,
      greet = (":help tells what there is; the network goes on when you leave"),
      leave = function(status) sys.stop(status) end,
    }
    for _, name in ipairs(LEAVE) do
      loop:on_signal(name, function() repl:leave(256 + sys.os.signals[name]) end)
    end
  end, { endless = sys.os.isatty(0), tell = tell })
  if status == live.NO_NETWORK then
    context.err "('pactlua RECIPE' starts one; 'pactlua repl RECIPE' loads a recipe and starts nothing yet)\n"
  end
  return status
end

return M
