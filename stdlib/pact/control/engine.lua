--- The engine's side of `up` and `run`: serves the front, runs the recipe, and ends in order.

local sched = require 'pact.base.sched'
local launch = require 'pact.control.launch'
local ending = require 'pact.control.ending'

local M = {}

local function traceback()
  return debug.traceback('', 4):gsub('^%s*stack traceback:\n', '')
end

local function make_log(context, settings, console, shown)
  return require('pact.observe.logapi').new({
    fs = context.sys.fs, time = context.sys.time, console = console, traceback = traceback, shown = shown,
  }, settings.debug or {})
end

---@param context main_context
function M.run(context)
  local sys = context.sys
  local network
  local loop = sched.new(sys, function(message, trace)
    network:internal_error(message, trace)
  end)
  local settings = require('pact.declare.variables').read(context.env)
  network = ending.new {
    sys = sys, sched = loop, invocation = context.invocation, env = context.env,
    log = make_log(context, settings, function(text, level)
      network:tell { type = 'log', text = text, level = level }
    end, function(text, is_json)
      return network.secrets[is_json and 'json' or 'words'](network.secrets, text)
    end),
  }
  loop:on_kind('request', function(id, request)
    network:request(id, request)
  end)
  local style = require 'pact.observe.style'
  network.colour = style.wanted_by_front(sys.terminal, context.env) and not context.invocation.options.json
  network:serve_front()
  for _, name in ipairs { 'TERM', 'INT', 'HUP', 'GUARD' } do
    loop:on_signal(name, function()
      network:shutdown(name == 'GUARD' and 'the guard is gone' or 'the engine was told to end by SIG' .. name)
    end)
  end
  local start = launch.new(network, context.recipe, { settings = settings })
  start:run()
end

return M
