--- Services that are processes of this machine: start, stop, signal, sample over sys.proc.

local environment = require 'pact.supervise.environment'
local list = require 'pact.base.list'
local notify = require 'pact.drivers.notify'
local ports = require 'pact.supervise.ports'
local words = require 'pact.supervise.reason'

local M = {}

local SWEEP_GRACE = 500
local RECIPE_BUDGET = 250

---@class process_driver
local Process = {}
Process.__index = Process

---@param host driver_host
---@return driver
function M.new(host)
  local opts = host.supervisor
  local base = environment.inherited(opts.environment)
  return setmetatable({
    sys = host.sys,
    sched = host.sched,
    signals = host.sys.os.signals,
    notify = notify.new(host),
    sockets = host.sockets,
    tag_base = opts.run,
    sizes = {}, -- of terminals that were given another one, by id
    inherited = environment.list(base),
    context = {
      base = base,
      read = host.sys.fs.read,
      facts = host.facts,
      run = opts.run,
      project = opts.plan.project,
      socket = opts.socket,
      colour = opts.colour,
    },
  }, Process)
end

-- What it had for this life alone.
local function release(self, job)
  ports.release(job)
  if job.sockets then self.sockets():ended(job.service.id) end
end

local function failed(self, job, reason, code, step)
  if job.over then return end
  job.over = true
  release(self, job)
  self.notify:close(job)
  job.report('start_failed', { reason = reason, code = code, step = step })
end

local function user_of(self, service, options)
  if service.user == nil then return true end
  local user = self.sys.os.user(service.user)
  if not user then return nil, ("user '%s': no such user"):format(service.user) end
  options.uid, options.gid, options.groups = user.uid, user.gid, user.groups
  return user
end

-- What of a spawn is the same for the service, its probes and its stop command. Calls functions of the recipe.
local function surroundings(self, job, starts)
  local service = job.service
  local env, message = environment.own(self.context, service, job.ports)
  if not env then return nil, message, 'ENOENT', 'env' end
  local options = { cwd = service.cwd, limits = service.limits, umask = service.umask }
  local user
  user, message = user_of(self, service, options)
  if not user then return nil, message, 'EINVAL', 'user' end
  if starts and notify.wanted(service) then -- the socket is the service's alone
    local ok, why, code = self.notify:open(job, env, options.uid)
    if not ok then return nil, why, code, 'notify' end
  end
  env.PACTLUA_TAG = ('%s/%s/%d'):format(self.tag_base, service.id, job.epoch)
  options.tag = 'PACTLUA_TAG=' .. env.PACTLUA_TAG
  if user ~= true then
    env.USER, env.LOGNAME = service.env.USER or user.name, service.env.LOGNAME or user.name
    env.HOME = service.env.HOME or user.home
  end
  options.env_base, options.env = environment.lists(self.context.base, self.inherited, env)
  return options
end

local function argv_of(service)
  if service.shell then
    return { '/bin/sh', '-c', environment.value(service.shell, 'shell') or '' }
  end
  local argv = {}
  for i, part in ipairs(service.command) do
    argv[i] = environment.value(part, ('command[%d]'):format(i)) or ''
  end
  return argv
end

-- What it was started with is needed once more: for commands of its probes or of its stop.
local function asks_again(service)
  local health, ready = service.health, service.ready
  return service.stop.command or (health and health.kind == 'command') or (ready and ready.kind == 'command')
end

-- The limit among those that were refused that is above what this user may have.
local function beyond(sys, limits)
  local most = sys.os.limits()
  for name, wanted in list.sorted(limits) do
    local hard = most[name] and most[name][2] or -1
    if hard ~= -1 and (wanted[2] == -1 or wanted[2] > hard) then
      return ('limits: %s = %s is above the hard limit of %d, which only root may raise')
        :format(name, wanted[2] == -1 and 'unlimited' or wanted[2], hard)
    end
  end
end

function Process:spawn(job, options)
  if job.over then return end -- a function of the recipe has stopped it meanwhile
  local service = job.service
  local spec = {}
  for name, value in pairs(options) do spec[name] = value end
  spec.argv = argv_of(service)
  spec.stdin = service.stdin == 'null' and 'null' or 'pipe'
  spec.stdout, spec.stderr, spec.log = 'log', 'log', job.log
  if job.sockets then
    spec.listen, spec.env = job.sockets, require('pact.supervise.sockets').environment(job, spec.env)
  end
  spec.terminal = service.tty and (self.sizes[service.id] or service.tty) or nil
  spec.nice, spec.oom_score_adj = service.nice, service.oom_score_adj
  spec.pdeathsig = service.stop.signal
  local id, pid, code, step = self.sys.proc.spawn(spec)
  if not id then
    local why = step == 'limits' and beyond(self.sys, service.limits) or pid
    return failed(self, job, why, code, step)
  end
  job.id, job.pid, job.began = id, pid, self.sys.time.now()
  job.options = asks_again(service) and options or nil
  self.sched:on(id, function(kind, ...)
    self:heard(job, kind, ...)
  end)
  job.report('spawned', { pid = pid })
end

-- What is known of ports and sockets, for this life.
local function claim(self, job, wait)
  local sockets = self.sockets(job.service.listen)
  if sockets then sockets:keep_declared(job.service) end -- its own of before may have a port that it wants now
  local ok, message, code = ports.claim(self, job, wait)
  if not ok or not sockets then return ok, message, code end
  return sockets:claim(job, wait)
end

-- From claimed ports to a living process.
function Process:launch(job)
  local options, message, code, step = surroundings(self, job, true)
  if not options then return failed(self, job, message, code, step) end
  self:spawn(job, options)
end

---Another service for a process that lives, of the same shape: how it is stopped and probed.
---@param job job
---@param service service
function Process:adopt(job, service)
  job.service = service
  if job.options or not job.id or not asks_again(service) then return end
  self.sched:spawn(function() job.options = job.options or surroundings(self, job) end, {
    name = 'environment of ' .. service.id, budget = RECIPE_BUDGET, owner = job, on_error = function() end,
  })
end

function Process:in_task(job)
  job.task = self.sched:spawn(function()
    local ok, message, code = claim(self, job, true)
    if not ok then return failed(self, job, message, code, 'ports') end
    self:launch(job)
  end, {
    name = 'start of ' .. job.service.id,
    budget = RECIPE_BUDGET,
    owner = job, -- not of whoever has asked for it
    on_done = function() job.task = nil end,
    on_error = function(message)
      job.task = nil
      failed(self, job, message, 'EINVAL', 'recipe')
    end,
  })
end

---@param job job
function Process:start(job)
  if environment.has_functions(job.service) then return self:in_task(job) end
  local ok, message, code = claim(self, job, false)
  if ok then return self:launch(job) end
  if code == 'EAGAIN' then return self:in_task(job) end
  failed(self, job, message, code, 'ports')
end

---------------------------------------------------------------------------------------------------
-- Its end.

function Process:heard(job, kind, ...)
  if kind == 'exit' then
    self:exited(job, ...)
  elseif kind == 'swept' then
    self:swept(job, ...)
  elseif kind == 'jobstop' then
    local signo, stopped = ...
    local text = stopped and ("stopped by SIG%s; 'pactlua signal %s --signal CONT' lets it go on"):format(
      self.sys.os.signal_name(signo), job.service.id)
    job.report('note', { text = text or nil, aloud = not job.stopping })
  end
end

function Process:exited(job, exit)
  job.ended = true
  self.sched:cancel(job.grace)
  job.grace = nil
  if job.command then self.sys.proc.sweep(job.command, { grace = 0 }) end
  job.report('exited', {
    code = exit.code,
    signal = exit.signal and self.sys.os.signal_name(exit.signal) or nil,
    core = exit.core,
    uptime = exit.at - job.began,
    utime = exit.utime,
    stime = exit.stime,
    maxrss = exit.maxrss,
    grace = job.overdue,
  })
  self:sweep(job, job.forced and 0 or SWEEP_GRACE)
end

function Process:sweep(job, grace)
  local stop = job.service.stop
  self.sys.proc.sweep(job.id, { grace = grace, scope = stop.scope, keep = stop.keep })
end

function Process:swept(job, survivors, killed)
  self.sched:off(job.id)
  self.notify:close(job)
  release(self, job)
  job.gone = true
  job.report('swept', { survivors = survivors, killed = killed })
end

-- Where some are spared, what is outside of the group is left to the sweep, which knows them.
local function kill(self, job)
  local stop = job.service.stop
  local scope = (stop.scope == 'group' or stop.keep[1]) and 'group' or 'tree'
  self.sys.proc.signal(job.id, self.signals.KILL, scope)
end

-- The service's own way to be stopped. The signal is for when that can't be run.
local function by_command(self, job)
  local spec = {}
  for name, value in pairs(job.options) do spec[name] = value end
  spec.argv, spec.log = job.service.stop.command, job.log
  spec.stdin, spec.stdout, spec.stderr = 'null', 'log', 'log'
  spec.env = table.move(spec.env, 1, #spec.env, 1, {})
  spec.env[#spec.env + 1] = 'PACTLUA_PID=' .. job.pid
  local id = self.sys.proc.spawn(spec)
  if not id then return false end
  job.command = id
  self.sched:on(id, function(kind)
    if kind == 'exit' then
      self.sys.proc.sweep(id, { grace = SWEEP_GRACE })
    elseif kind == 'swept' then
      self.sched:off(id)
      job.command = nil
    end
  end)
  return true
end

local function out_of_grace(self, job)
  job.grace, job.forced, job.overdue = nil, true, job.grace_due - job.asked
  job.report('note', { text = words.overdue(job.overdue) })
  kill(self, job)
end

---It says that it needs so much longer to stop.
---@param job job
---@param ms integer from now
function Process:extend(job, ms)
  local due = self.sys.time.now() + ms
  if not job.grace or job.grace_due >= due then return end
  self.sched:cancel(job.grace)
  job.grace_due = due
  job.grace = self.sched:after(ms, function() out_of_grace(self, job) end)
end

local function ask_to_end(self, job)
  local stop = job.service.stop
  if stop.command and job.options and by_command(self, job) then return end
  self.sys.proc.signal(job.id, stop.signal, 'group')
  self.sys.proc.signal(job.id, self.signals.CONT, 'group')
end

---@param job job
---@param why { force?: boolean }
function Process:stop(job, why)
  if job.gone then return end
  if not job.id then
    if job.task then
      self.sched:stop(job.task)
      job.task = nil
      failed(self, job, 'stopped before it started')
    end
    return
  end
  if why.force then
    job.forced = true
    self.sched:cancel(job.grace)
    job.grace = nil
    kill(self, job)
  elseif not job.stopping and not job.ended then
    ask_to_end(self, job)
    local grace = job.service.stop.timeout
    job.asked = self.sys.time.now()
    job.grace_due = job.asked + grace
    job.grace = self.sched:after(grace, function() out_of_grace(self, job) end)
  end
  job.stopping = true
end

---@param scope? 'leader'|'group'|'tree'
function Process:signal(job, signo, scope)
  if not job.id then return nil, 'it has no process', 'gone' end
  return self.sys.proc.signal(job.id, signo, scope)
end

function Process:sample(job)
  return job.id and self.sys.proc.sample(job.id)
end

---@return { pid: integer, name: string, state: string }[]
function Process:survivors(job)
  return job.id and not job.gone and self.sys.proc.tree(job.id) or {}
end

---Writes to its standard input; what it doesn't take at once is kept for it.
---@param bytes string
---@return true?, string? message, string? code
function Process:write(job, bytes)
  if job.service.stdin == 'null' then return nil, "its standard input is closed (stdin = 'null')", 'stdin' end
  if not job.id then return nil, 'it has no process', 'gone' end
  local ok, message, code = self.sys.proc.write(job.id, bytes)
  if code == 'EPIPE' or code == 'EIO' then message = 'it has closed its standard input' end
  if code == 'ENOBUFS' then message = 'it does not read: what waits for it is full (1 MiB)' end
  return ok, message, code
end

---@param id string
---@param job? job nil: it doesn't live
function Process:resize(id, job, columns, rows)
  self.sizes[id] = { columns = columns, rows = rows }
  if not job or not job.id or job.ended then return true end
  return self.sys.proc.resize(job.id, columns, rows)
end

---@return table? options, string? message, string? code
function Process:surroundings(job)
  return surroundings(self, job)
end

---@return table? fields of sys.spawn_spec for a probe's command
function Process:probe_spec(job)
  local spec = {}
  for name, value in pairs(job.options or {}) do spec[name] = value end
  if not spec.tag then return spec end
  -- its own, so that what a probe leaves is the probe's, not the service's
  spec.tag, spec.env = spec.tag .. '/probe', table.move(spec.env, 1, #spec.env, 1, {})
  for i, variable in ipairs(spec.env) do
    if variable:find '^PACTLUA_TAG=' then spec.env[i] = spec.tag end
  end
  return spec
end

return M
