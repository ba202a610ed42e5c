--- One declaration to one service: every default is filled in, every short form is gone.
local freeze = require 'pact.plan.freeze'
local list = require 'pact.base.list'
local signals = require 'pact.declare.signals'

local M = {}

local empty = freeze.empty
local success = freeze.table { 0 }

local Resolver = {}
Resolver.__index = Resolver

---@param settings table of `pact.declare.variables`
---@param directory string the recipe's
---@param secret_values string[]
function M.new(settings, directory, secret_values)
  local resolver = setmetatable({
    settings = settings, directory = directory, secret_values = secret_values,
  }, Resolver)
  -- what most services have alike is one table for all of them
  resolver.plain = {
    stop = resolver:stop {}, log = resolver:log {},
    restart = {
      process = resolver:restart({}, 'on-failure'), task = resolver:restart({}, 'no'),
      container = resolver:restart({}, 'on-failure'), worker = resolver:restart({}, 'on-failure'),
      external = resolver:restart({}, 'no'),
    },
  }
  return resolver
end

function Resolver:stop(given)
  return freeze.table {
    signal = given.signal or signals.numbers.TERM, timeout = given.timeout or self.settings.stop_timeout,
    scope = given.scope or 'tree', command = given.command, keep = given.keep or empty,
  }
end

function Resolver.log(_, given)
  return freeze.table {
    max_size = given.max_size or 10 << 20, max_files = given.max_files or 5, format = given.format or 'raw',
  }
end

function Resolver:restart(given, usual)
  local policy = given.policy or usual
  local retries = given.max_retries
  if not retries and policy ~= 'always' then retries = self.settings.max_retries end
  if retries == -1 then retries = nil end
  local delay, longest = given.delay, given.max_delay
  delay = delay or math.min(self.settings.restart_delay, longest or math.maxinteger)
  return freeze.table {
    policy = policy, decide = given.decide, max_retries = retries, delay = delay,
    max_delay = longest or math.max(30000, delay), factor = given.factor or 2,
    jitter = given.jitter or 0.1, reset_after = given.reset_after or 60000,
  }
end

function Resolver:health(given)
  if not given then return nil end
  local usual, out = self.settings.health, list.copy(given)
  out.kind = given.kind or 'alive'
  out.interval = given.interval or usual.interval
  out.timeout = given.timeout or usual.timeout
  out.retries = given.retries or usual.retries
  out.start_period = given.start_period or 0
  out.start_interval = math.min(given.start_interval or 1000, out.interval)
  if out.kind == 'http' then
    out.status, out.method = given.status or '2xx', given.method or 'GET'
  end
  return freeze.table(out)
end

-- variables to mask: those that are named, and those that hold a secret's text
function Resolver:secrets(fields)
  if #self.secret_values == 0 then return fields.secrets or empty end
  local names = list.set(fields.secrets or empty)
  for name, value in pairs(fields.env or empty) do
    for _, secret in ipairs(self.secret_values) do
      if type(value) == 'string' and value:find(secret, 1, true) then names[name] = true end
    end
  end
  return list.keys(names)
end

local simple = {
  'command', 'shell', 'user', 'nice', 'oom_score_adj', 'umask', 'max_runtime', 'timeout', 'run', 'image',
  'build', 'watch', 'schedule', 'replicas',
}

---@param declaration declaration
---@return service
function Resolver:service(declaration)
  local given, plain = declaration.fields, self.plain
  local what = declaration.task and 'task' or declaration.kind
  local out = {
    id = declaration.id, kind = declaration.kind, task = declaration.task, at = declaration.at,
    display_name = given.display_name or declaration.id, category = given.category or 'service',
    tags = given.tags or empty, cwd = given.cwd or self.directory, env = given.env or empty,
    env_file = given.env_file or empty, tty = given.tty or false, stdin = given.stdin or 'open',
    ports = given.ports or empty, endpoints = given.endpoints or empty,
    health = self:health(given.health), ready = self:health(given.ready),
    on_unhealthy = given.on_unhealthy or 'ignore', limits = given.limits or empty,
    restart = given.restart and self:restart(given.restart, plain.restart[what].policy)
      or plain.restart[what],
    stop = given.stop and self:stop(given.stop) or plain.stop,
    log = given.log and self:log(given.log) or plain.log,
    success_exit = given.success_exit or success, essential = given.essential or false,
    disabled = given.disabled or false, profiles = given.profiles or empty,
    depends_on = given.depends_on or empty, on = given.on or empty, secrets = self:secrets(given),
    declared = declaration.raw,
  }
  for _, name in ipairs(simple) do out[name] = given[name] end
  if declaration.kind == 'container' then out.container = freeze.table(list.copy(given)) end
  return freeze.table(out)
end

return M
