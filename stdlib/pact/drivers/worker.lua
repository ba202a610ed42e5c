--- Services that are Lua inside the engine's loop: `run` as a coroutine, with the servers and timers it makes.

local environment = require 'pact.supervise.environment'
local lives = require 'pact.drivers.worker.life'
local ports = require 'pact.supervise.ports'
local selves = require 'pact.drivers.worker.self'

local M = {}

local BUDGET_MS = 250

---@class worker_driver
local Worker = {}
Worker.__index = Worker

---@param host driver_host
---@return driver
function M.new(host)
  local opts = host.supervisor
  return setmetatable({
    sys = host.sys,
    sched = host.sched,
    handle = opts.handle or function(id) return { id = id } end,
    emit = function(event) opts.bus:emit(event) end,
    context = {
      base = opts.environment, read = host.sys.fs.read, facts = host.facts, run = opts.run, project = opts.plan.project,
      socket = opts.socket,
    },
  }, Worker)
end

local function failed(job, reason, code, step)
  if job.gone then return end
  job.gone = true
  ports.release(job)
  job.report('start_failed', { reason = reason, code = code, step = step })
end

-- What `run` has done until it waited for the first time belongs to the start: a port that is taken then
-- fails it, as it fails a process's.
local function ended(self, job, exit)
  local life = job.life
  local refusal = life.refusal
  if not life.begun and refusal and exit.why == refusal.message then
    return failed(job, refusal.message, refusal.code, 'ports')
  elseif not life.begun and job.stopping then
    return failed(job, 'stopped before it started')
  end
  if not life.begun then life:begin() end
  job.gone = true
  ports.release(job)
  job.report('exited', { code = exit.code, why = exit.why, uptime = self.sys.time.now() - job.began })
  job.report('swept', { survivors = {}, killed = 0 })
end

-- Who ends it may be one of its own tasks: its end is told when that has come to rest.
local function on_end(self, job, exit)
  self.sched:post(function() ended(self, job, exit) end)
end

function Worker:launch(job, env)
  if job.gone then return end -- a function of the recipe has stopped it meanwhile
  job.began = self.sys.time.now()
  job.life = lives.new(self, job, env, function(exit) on_end(self, job, exit) end)
  job.life:branch(job.service.run, selves.new(job.life, self.handle(job.service.id)))
  self.sched:post(function() -- behind the first steps of `run`
    if not job.life.over then job.life:begin() end
  end)
end

local function prepare(self, job)
  local ok, message, code = ports.claim(self, job, true)
  if not ok then return failed(job, message, code, 'ports') end
  local env
  env, message = environment.build(self.context, job.service, job.ports)
  if not env then return failed(job, message, 'ENOENT', 'env') end
  self:launch(job, env)
end

---@param job job
function Worker:start(job)
  job.task = self.sched:spawn(prepare, {
    name = 'start of ' .. job.service.id,
    budget = BUDGET_MS,
    owner = job,
    on_done = function() job.task = nil end,
    on_error = function(message)
      job.task = nil
      failed(job, message, 'EINVAL', 'recipe')
    end,
  }, self, job)
end

---@param job job
function Worker:stop(job)
  if job.gone or job.stopping then return end
  job.stopping = true
  if job.life then return job.life:finish { why = 'stopped' } end
  if job.task then self.sched:stop(job.task) end
  failed(job, 'stopped before it started')
end

function Worker:signal()
  return nil, 'a worker has no process here', 'gone'
end

function Worker:sample() end

function Worker:survivors()
  return {}
end

function Worker:probe_spec(job)
  local env = job.life and job.life.env or self.context.base
  return { env = environment.list(env), cwd = job.service.cwd }
end

return M
