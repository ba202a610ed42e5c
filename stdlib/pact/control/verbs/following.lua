--- What commands share that read logs: how much at first, and how long they go on.

local live = require 'pact.control.verbs.live'
local sched = require 'pact.base.sched'

local M = {}

local DEFAULT_LINES, POLL_MS = 100, 100
local LIST_EVERY = 5 -- looks

---How many lines of each, none: all.
---@return integer?
function M.count(options) return options.lines or (not options.since and not options.grep and DEFAULT_LINES) or nil end

-- Whose logs these are: a link to its engine, which is told of when it doesn't answer. Gives a question: does the
-- network live still? A socket whose engine has been killed may lie there for ever.
local function network_of(context, loop, dir)
  local sys, dead = context.sys, false
  local path = dir:match '^(.*)/runs/'
  local network = { path = path, project = path:match '[^/]*$' }
  local link = live.link(sys, loop, network)
  if link then
    live.attend(context, loop, link, network, { endless = true, on_silent = function()
      dead = not require('pact.control.client.engines').state(sys, link.pid)
      return dead
    end })
  end
  return function() return link ~= nil and not dead and sys.fs.stat(path .. '/control.sock') ~= nil end
end

---Calls `look(all)` again and again, `all` now and then, until the network is gone; then `done(loop)`. Who reads our
---output and leaves ends it, too.
---@param context main_context
---@param dir string of the run
---@param look fun(all: boolean)
---@param done fun(loop: sched)
function M.while_live(context, dir, look, done)
  local sys, looks = context.sys, 0
  local loop = sched.new(sys)
  local lives = network_of(context, loop, dir)
  live.watch_output(sys, loop)
  local function again()
    local live_still = lives()
    look(looks % LIST_EVERY == 0)
    looks = looks + 1
    if live_still then return loop:after(POLL_MS, again) end
    done(loop)
  end
  again()
end

return M
