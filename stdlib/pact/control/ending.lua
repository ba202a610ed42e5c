--- How a network ends: at rest, on command, with its front, or before it has begun.

local json = require 'pact.base.json'
local network = require 'pact.control.api.answers'
local strays = require 'pact.control.strays'

local Network = network.class

-- FRONT_MS: how long a front that hasn't asked for its session yet is waited for.
-- HOOKS_MS: how long hooks of the last events may take.
local FLUSH_MS, CLOSE_MS, FRONT_MS, HOOKS_MS = 5000, 2000, 5000, 1000

---Something of the recipe's own goes on: its body, a timer, a hook that may still act.
function Network:lives()
  return self.body_runs or self.work.living > 0 or self.generation.work.living > 0
    or self.hooks ~= nil and self.hooks:busy()
end

---@param rest rest
function Network:on_rest(rest)
  self.bus:flush() -- a hook that hears of the last end may begin something
  if rest.down then return self:finish(rest) end
  self.at_rest = true
  self:end_at_rest()
end

-- What was left running stays, whatever has ended; so does what is to be left running and is all there.
local function stays(self, rest)
  local options = self.invocation.options
  return not options.exit and (self.detached or options.detach and rest.status == 0)
end

---Ends a network that has come to rest, unless something of the recipe's own goes on, or a CMD that comes yet.
function Network:end_at_rest()
  if self.hooks_idle and not self.hooks:busy() then return self.hooks_idle() end
  if self.ending or not self.at_rest or self:lives() or self:waits_for_people() then return end
  local rest = self.supervisor:rest()
  if self.invocation.command and rest.status == 0 or stays(self, rest) then return end
  self:shutdown(rest.reason, { status = rest.status })
end

---@param reason string
---@param opts? { force?: boolean, status?: integer }
function Network:shutdown(reason, opts)
  opts = opts or {}
  self.ending, self.forced = self.ending or reason, self.forced or opts.force
  self.sys.burst(true)
  local unready = not self.was_ready or self.invocation.options.detach and not self.detached
  if opts.status == 3 and unready and self.invocation.verb == 'up' then
    self.unready = require('pact.control.leaving').unready(self)
  end
  if not self.supervisor then
    return self:finish { down = true, status = opts.status or 0, reason = reason, failed = {}, survivors = {} }
  end
  self.supervisor:shutdown(reason, opts)
end

---The front's lease is over: whatever ended the front ends the network, unless it was left running.
function Network:front_gone()
  self.audience:front_left()
  if self.detached then return end
  self:shutdown 'the front is gone'
end

-- What the front's summary says of each service.
local function ends(snapshots)
  local out = {}
  for i, it in ipairs(snapshots) do
    out[i] = {
      id = it.id, want = it.want, status = it.status, reason = it.reason, restart_count = it.restart_count,
      history = json.array { it.history[#it.history] },
    }
  end
  return json.array(out)
end

---All is down: hooks that hear of it, the last words to the front, then the end of the engine.
---@param rest rest
function Network:finish(rest)
  if self.finished then return end
  self.finished = true
  if self.recipe_lines then self.recipe_lines:flush() end
  self.bus:flush()
  self:await_hooks(function()
    self:cancel_work()
    self:say_the_end(rest)
  end)
end

---Hooks under way may end, unless somebody is in a hurry.
function Network:await_hooks(done)
  if self.forced or not self.hooks or not self.hooks:busy() then return done() end
  local timer
  self.hooks_idle = function()
    self.hooks_idle = nil
    self.sched:cancel(timer)
    done()
  end
  timer = self.sched:after(HOOKS_MS, self.hooks_idle)
end

function Network:say_the_end(rest)
  self.sys.log.flush(FLUSH_MS)
  if self.dir and #rest.survivors == 0 then strays.ended(self.sys, self.dir) end
  for _, id in ipairs(self.plan and self.plan.order or {}) do self.audience:output(id, true) end
  self:tell({
    type = 'end',
    status = rest.status,
    reason = rest.reason,
    services = ends(self:snapshots()),
    survivors = json.array(rest.survivors),
    unready = self.unready and json.array(self.unready),
    elapsed = self.sys.time.now() - self.started_at,
  }, true)
  if self.repls then require('pact.control.repl.server').finish(self, rest) end
  self:close(rest.status)
end

---Ends the engine before anything was started: problems of the recipe, a second instance.
---@param status integer
---@param message string for the front's standard error
function Network:refuse(status, message)
  if self.finished then return end
  self.finished = true
  self:tell({ type = 'refused', status = status, text = message }, true)
  self:close(status)
end

function Network:close(status)
  if self.held_by then self.held_by:finish(self.ending or 'the network has ended') end
  if self.tcp then self.tcp:close() end
  if self.journal then self.journal:close() end
  self.log:close()
  local closed = false
  local function close()
    if closed then return end
    closed = true
    self.sys.ctl.close(CLOSE_MS)
    self.sys.stop(status)
  end
  self.audience:finish(close)
  if not closed then self.sched:after(FRONT_MS, close) end
end

return network
