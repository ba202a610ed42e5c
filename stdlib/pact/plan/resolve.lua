--- One declaration to one service: every default is filled in, every short form is gone.
local container = require 'pact.declare.fields.container'
local freeze = require 'pact.plan.freeze'
local list = require 'pact.base.list'
local signals = require 'pact.declare.signals'

local M = {}

local empty, none = freeze.empty, freeze.none
local success = freeze.table { 0 }

local Resolver = {}
Resolver.__index = Resolver

-- what a service of a kind is when its recipe doesn't say otherwise: one table for all of them
local function common(resolver, kind, task, policy)
  return {
    kind = kind, task = task, category = 'service', tags = none, cwd = resolver.directory, env = empty,
    env_file = none, tty = false, stdin = 'open', ports = none, endpoints = empty,
    on_unhealthy = 'ignore', limits = empty, success_exit = success, essential = false, disabled = false,
    profiles = none, depends_on = none, on = empty, secrets = none,
    restart = resolver:restart({}, policy), stop = resolver:stop {}, log = resolver:log {},
  }
end

---@param settings table of `pact.declare.variables`
---@param directory string the recipe's
---@param secret_values string[]
---@param texts? table<string, string> of the recipe's files, by chunk name
function M.new(settings, directory, secret_values, texts)
  local resolver = setmetatable({
    settings = settings, directory = directory, secret_values = secret_values, plain = {}, meta = {},
    texts = texts or {}, prints = {}, -- what each worker's `run` is
  }, Resolver)
  local plain = resolver.plain
  plain.process = common(resolver, 'process', false, 'on-failure')
  plain.task = common(resolver, 'process', true, 'no')
  plain.container = common(resolver, 'container', false, 'on-failure')
  plain.worker = common(resolver, 'worker', false, 'on-failure')
  plain.external = common(resolver, 'external', false, 'no')
  for what, fields in pairs(plain) do resolver.meta[what] = freeze.over(fields) end
  return resolver
end

function Resolver:stop(given)
  return freeze.table {
    signal = given.signal or signals.numbers.TERM, timeout = given.timeout or self.settings.stop_timeout,
    scope = given.scope or 'tree', command = given.command, keep = given.keep or none,
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

-- false: none, whatever a template says
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

function Resolver.watch(_, given)
  return freeze.table {
    paths = given.paths, ignore = given.ignore or none, debounce = given.debounce or 200,
    cascade = given.cascade or false, action = given.action or 'restart', signal = given.signal or signals.numbers.HUP,
  }
end

-- variables to mask: those that are named, and those that hold a secret's text
function Resolver:secrets(fields)
  local names = list.set(fields.secrets or empty)
  for name, value in pairs(fields.env or empty) do
    for _, secret in ipairs(self.secret_values) do
      if type(value) == 'string' and value:find(secret, 1, true) then names[name] = true end
    end
  end
  return list.keys(names)
end

-- what the fields of a container come to is its driver's
local container_only = list.set(list.map(container.fields, function(row) return row.name end))

---@param declaration declaration
---@return service
function Resolver:service(declaration)
  local given, what = declaration.fields, declaration.task and 'task' or declaration.kind
  local out = {
    id = declaration.id, at = declaration.at, declared = declaration.raw, display_name = declaration.id,
    group = declaration.group, replica = declaration.replica,
  }
  for name, value in pairs(given) do
    if not container_only[name] then out[name] = value end
  end
  if given.listen then out.ports = require('pact.declare.listen').ports(given.ports, given.listen) end
  if given.health ~= nil then out.health = self:health(given.health) end
  if given.ready ~= nil then out.ready = self:health(given.ready) end
  if given.restart then out.restart = self:restart(given.restart, self.plain[what].restart.policy) end
  if given.watch then out.watch = self:watch(given.watch) end
  if given.stop then out.stop = self:stop(given.stop) end
  if given.log then out.log = self:log(given.log) end
  if #self.secret_values > 0 then out.secrets = self:secrets(given) end
  if given.run then self.prints[declaration.id] = require('pact.plan.fingerprint').deep(given.run, self.texts) end
  if declaration.kind == 'container' then out.container = freeze.table(list.copy(given)) end
  return setmetatable(out, self.meta[what])
end

---Every field of a service, those it has in common with others too.
---@param service service
---@return table
function M.fields(service)
  local meta = getmetatable(service)
  local out = meta and list.copy(meta.__index) or {}
  for name, value in pairs(service) do out[name] = value end
  return out
end

---A service like another one, but for some fields.
---@param service service
---@param changes table
---@return service
function M.with(service, changes)
  local out = list.copy(service)
  for name, value in pairs(changes) do out[name] = value end
  return setmetatable(out, getmetatable(service))
end

return M
