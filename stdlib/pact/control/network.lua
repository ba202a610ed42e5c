--- The network that an engine runs: its plan, its run's files, its supervisor. Whom it serves, what it shows, what it
-- answers and how it ends is in serving, output, answers and ending.

local audience = require 'pact.control.api.audience'
local decisions = require 'pact.control.hooks.decisions'
local bus = require 'pact.base.bus'
local commands = require 'pact.control.commands'
local groups = require 'pact.control.groups'
local hooks = require 'pact.control.hooks'
local journal = require 'pact.observe.journal'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local secrets = require 'pact.base.secrets'
local statedir = require 'pact.control.statedir'
local work = require 'pact.control.work'

local M = {}

-- Commands that say what a service shall be: from a hook they are its verdict.
local WANTS = { start = true, stop = true, restart = true }

---@class network
---@field sys sys
---@field sched sched
---@field bus bus
---@field project? string
---@field plan? plan
---@field supervisor? supervisor
---@field invocation invocation
---@field detached? boolean it was left running: no front, no terminal
---@field secrets secrets what is not to be shown
---@field tcp? control_tcp where it listens besides, `--listen`
---@field held_by? leases clients that hold it, once there has been one
---@field unready? { id: string, why: string }[] of an end before all was ready
---@field work work what people run in its Lua state: text, commands of the recipe's
---@field generation generation by which it runs
---@field draft? generation that a reload reads
---@field wanted_ids table<string, true> what is wanted by itself, as the recipe and the command line say
---@field read_paths? table<string, true> files that the last reload has looked at
---@field usage_looks? table<string, table> what services had used when their handles were asked last
---@field late table<string, true> ids that were declared behind the declaring part
local Network = {}
Network.__index = Network

---@param context { sys: sys, sched: sched, invocation: invocation, env: table<string, string>, log: table }
---@return network
function M.new(context)
  local sys = context.sys
  local self = setmetatable({
    sys = sys,
    sched = context.sched,
    invocation = context.invocation,
    env = context.env,
    log = context.log,
    started_at = sys.time.now(),
    secrets = secrets.new(),
  }, Network)
  self.bus = bus.new {
    now = sys.time.now,
    wall = sys.time.wall,
    try = sys.try,
    on_error = function(message, traceback)
      self:internal_error(message, traceback)
    end,
    before = function() self:tell_output() end,
    later = function(fn) self.sched:batch(fn) end, -- nobody has to listen before all that may start has started
  }
  self.work = work.new {
    sched = context.sched,
    failed = function(...)
      self:hook_failed(...)
    end,
    on_idle = function()
      self:end_at_rest()
    end,
  }
  self.decisions = decisions.new()
  self.late = {}
  self.audience = audience.new {
    ctl = sys.ctl,
    sched = context.sched,
    shown = function(line) return self.secrets:json(line) end,
    journal = function()
      return self.journal
    end,
  }
  return self
end

---An error of ours: told and logged, and nothing ends because of it.
function Network:internal_error(message, traceback)
  self:say(('pactlua: internal error: %s\n%s\n'):format(message, traceback))
end

---A message to the front, behind the events so far.
---@param message table with a `type`
---@param always? boolean never dropped
function Network:tell(message, always)
  self.bus:flush()
  self.audience:tell(message, always)
end

---Words for the people before the front; for those who come later when there is none.
---@param message string
function Network:say(message)
  if self.detached then return self.log:note(message) end
  self:tell { type = 'say', text = message }
end

---A message of the recipe's to people: a line, and an event for clients.
---@param message string
function Network:notify(message)
  self:say(message .. '\n')
  self.bus:emit { name = 'notify', message = message, reason = message }
end

---A function of the recipe's raised that is no hook.
function Network:hook_failed(what, message, traceback)
  self.bus:emit(hooks.failure(what, message, traceback))
end

---A service declared while the network runs.
---@param service service
function Network:add(service)
  self.hooks:add_service(service)
  self.supervisor:add(service)
  self:record { service }
  self.lines:add_service(service)
  self.metrics:look()
end

---Goes over to another declaration of a service that has ended.
---@param service service of the plan
function Network:replace(service)
  self.hooks:forget_service(service.id)
  self.hooks:add_service(service)
  self.supervisor:reload(self.plan, { added = {}, removed = {}, changed = {} }, 'recipe')
  self:record { service }
  self.metrics:look()
end

---Beside the journal: what its events don't tell of services.
---@param services service[]
---@param wanted? table<string, true>
---@param head? plan_head
function Network:record(services, wanted, head)
  local record = require 'pact.observe.plan_record'
  local rows, since = { head }, not head and self.sys.time.now() or nil
  for _, service in ipairs(services) do
    rows[#rows + 1] = record.planned(service, wanted ~= nil and wanted[service.id] ~= nil, since)
  end
  record.add(self.sys.fs, self.run.dir, rows)
end

-- Once all that may start at once has been started.
local function record_plan(self, wanted)
  local wanted_at = self.sys.time.now()
  self.sched:after(0, function()
    local plan = self.plan
    self:record(list.map(plan.order, function(id) return plan.services[id] end), list.set(wanted), {
      format = 1, project = plan.project, began = self.started_at, wanted_at = wanted_at, version = self.sys.version,
      at = self.sys.time.wall() - (self.sys.time.now() - self.started_at),
    })
  end)
end

---A hook declared while the network runs.
---@param declared table of the plan's hooks
function Network:add_hook(declared)
  local hook = self.hooks:add_declared(declared)
  if hook.filter then self.lines:add(hook) end
  self.metrics:look()
end

---@param name string
---@param args table
---@param by actor
function Network:command(name, args, by)
  if not self.supervisor and name ~= 'shutdown' then return nil, 'nothing runs yet', 'busy' end
  if WANTS[name] then self.hooks:commanded(self.sched:current(), name, args.ids) end
  return commands.run(name, {
    supervisor = self.supervisor,
    by = by,
    groups = self.plan and self.plan.groups or {},
    scale = function(id, count) return groups.scale(self, id, count) end,
    now = self.sys.time.now,
    shutdown = function(reason, opts)
      self:shutdown(reason, opts)
    end,
  }, args)
end

---Makes the run's directory, takes the lock, opens the journal and the control socket.
---@param plan plan
---@return true?, string? message, string? code
function Network:open_files(plan)
  local sys = self.sys
  local dir, message, code = statedir.open(sys, plan.directory, plan.project, self.env, plan.recipe)
  if not dir then return nil, message, code end
  self.dir, self.project, self.plan = dir, plan.project, plan
  self.run, message = statedir.new_run(sys, dir)
  if not self.run then return nil, message end
  self.journal = journal.new(sys.fs, self.run.dir, function(why)
    self:say(('pactlua: events.jsonl: %s\n'):format(why))
  end, function(line) return self.secrets:json(line) end)
  self.log:open(self.run.dir .. '/pactlua.log')
  local ok
  ok, message = self:listen()
  if not ok then return nil, message end
  return self:listen_on_tcp()
end

local function subscribe(self)
  local function line(event)
    return self.journal:line(event)
  end
  self.bus:subscribe(function(event)
    self.journal:write(event)
    self.log:event(event)
  end, { rank = 'journal' })
  self.bus:subscribe(function(event)
    if event.name ~= 'shutdown' then self.hooks:fire(event) end
  end, { rank = 'hooks' })
  self.bus:subscribe(function(event)
    self.decisions:event(event)
    self.audience:event(event, line)
    self:heard(event)
  end, { rank = 'clients' })
end

---@return boolean nothing is wanted until somebody at its prompt says so, and it goes on while they are there
function Network:waits_for_people() return self.invocation.verb == 'repl' end

---What runs of the recipe's besides its services ends where it waits.
function Network:cancel_work()
  self.work:cancel()
  self.generation.work:cancel()
  if self.draft then self.draft:discard() end
  if self.recipe_watch then self.recipe_watch:close() end
end

---A service or a group of them as it is now.
---@param id string
---@return snapshot?
function Network:look(id) return groups.look(self, id) end

---Why a service is as it is, which hook had the last word, and which function decides about restarts.
---@param id string
---@return why?
function Network:why(id)
  return require('pact.control.explain').service(self, id)
end

---What we do ourselves when an event has gone to all.
function Network:heard(event)
  if event.name == 'started' then self.at_rest = false end
  if self.terminals then self.terminals:event(event) end
  if event.name == 'started' and self.plain then self:follow_output(event.service) end
  if event.name == 'all_ready' and not self.was_ready then
    self.was_ready = true
    self:tell({
      type = 'ready', services = self:endpoints(), addresses = self.invocation.command and self:addresses(),
      elapsed = self.sys.time.now() - self.started_at,
    }, true)
  end
  if self.invocation.options.detach then require('pact.control.leaving').heard(self, event) end
  local abort = self.invocation.options.abort_on_failure or self.invocation.verb == 'ci'
  if abort and event.name == 'failed' and not self.ending then
    self:shutdown(("'%s' failed"):format(event.service), { status = 3 })
  end
end

---@class network_start
---@field drivers table
---@field environment table<string, string> what services inherit
---@field colour boolean
---@field wanted string[] ids
---@field no_deps? boolean

---Starts what is wanted of a plan. Files are open.
---@param context network_start
function Network:start(context)
  local supervise = require 'pact.supervise'
  self.followed, self.logs, self.plain = {}, {}, true
  self.shows_output = not self.invocation.command and not self.invocation.options.json and not self:waits_for_people()
  self.generation:listen(self.plan)
  subscribe(self)
  self.supervisor = supervise.new {
    sys = self.sys, sched = self.sched, bus = self.bus, plan = self.plan, drivers = context.drivers,
    log_dir = self.run.dir, environment = context.environment, run = self.run.dir, socket = self.dir.socket,
    colour = context.colour,
    handle = function(id) return self.recipe.api.service(id) end,
    log_closed = function(id, log) self:forget_log(id, log) end,
    gone = function(id)
      self.bus:flush() -- who hears of its end may still ask for it
      if not self.plan.services[id] and not self.plan.groups[id] then self.recipe.declared[id] = nil end
    end,
    verdict = function(...)
      self.bus:flush() -- who is asked has heard of it
      return self.hooks:verdict(...)
    end,
    say = function(text)
      self:say(('pactlua: %s\n'):format(text))
    end,
    before_stop = function(reason, done)
      self.bus:flush()
      self.hooks:before_stop(reason, function()
        self:cancel_work()
        done()
      end)
    end,
    on_rest = function(rest)
      self:on_rest(rest)
    end,
  }
  self.generation:listen_closely(self.plan)
  self:tell(self:hello(), true)
  self.supervisor:want(context.wanted, 'up', 'recipe', { no_deps = context.no_deps })
  record_plan(self, context.wanted)
  if #context.wanted == 0 then self.at_rest = true end
end

---What the front must know to show this run.
function Network:hello()
  local services = json.array {}
  for i, id in ipairs(self.plan.order) do
    services[i] = { id = id, display_name = self.plan.services[id].display_name }
  end
  return {
    type = 'hello', project = self.project, run = self.run.dir, services = services, pid = self.sys.os.pid(),
    state = self.dir.path,
    elsewhere = self.dir.fallback and self.dir.path or nil,
  }
end

M.class = Network

return M
