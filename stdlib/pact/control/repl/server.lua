--- The network's end of a REPL: what is printed by its lines goes to it as it comes, and `_` is its last value.

local complete = require 'pact.control.repl.complete'
local eval = require 'pact.control.repl.eval'
local events = require 'pact.declare.events'
local fail = require 'pact.base.fail'
local handle = require 'pact.declare.handle'
local json = require 'pact.base.json'
local leaving = require 'pact.control.leaving'
local lines = require 'pact.control.recipe.lines'
local list = require 'pact.base.list'
local locals = require 'pact.control.repl.locals'
local pretty = require 'pact.observe.pretty'
local signals = require 'pact.declare.signals'
local size = require 'pact.base.size'

local M = {}

local FULL = 1 << 20

---@class repl_server
---@field id integer
---@field work work
---@field locals table<string, { get: (fun(): any), set?: fun(value: any) }> what its lines called local
---@field heard integer messages so far: an answer says behind which of them it belongs
local Server = {}
Server.__index = Server

---Opens one for a request whose answer goes on until either end leaves.
---@param network network
---@param request integer
function M.open(network, request)
  local known = network.repls or { last = 0, open = {} }
  network.repls, known.last = known, known.last + 1
  local self = setmetatable({
    id = known.last, network = network, request = request, work = network.work, heard = 0, left_out = 0,
    locals = {},
  }, Server)
  known.open[self.id] = self
  self.lines = lines.new(network.sched, function(text) self:print(text) end)
  network.sys.ctl.stream(request, 200, { ['content-type'] = 'application/x-ndjson' })
  local held = leaving.leases(network)
  held:join()
  network.sched:on(request, function(kind)
    if kind == 'gone' then self:leave() end
    if kind == 'drain' then self:drained() end
  end)
  self:tell { type = 'hello', session = self.id, project = network.project, ends_with_leases = held:decides() }
end

---@param network network
---@param id? integer
---@return repl_server? nil: it has left
function M.of(network, id)
  return id and network.repls and network.repls.open[id] or nil
end

---Tells all that the network has ended.
---@param network network
---@param rest rest
function M.finish(network, rest)
  for _, self in pairs(network.repls and network.repls.open or {}) do
    self.full = false
    self:tell { type = 'end', status = rest.status, reason = rest.reason }
    network.sys.ctl.finish(self.request)
    network.sched:off(self.request)
  end
  network.repls = nil
end

function Server:leave()
  self.gone = true
  self.network.sched:off(self.request)
  if not self.network.repls then return end
  self.network.repls.open[self.id] = nil
  leaving.leases(self.network):part()
end

function Server:tell(message)
  self.heard = self.heard + 1
  local queued = self.network.sys.ctl.write(self.request, json.encode(message, { lenient = true }) .. '\n')
  self.full = queued and queued > FULL or false
end

function Server:drained()
  self.full = false
  if self.left_out == 0 then return end
  self:tell { type = 'output', text = ('(%s of output is left out here)\n'):format(size.format(self.left_out)) }
  self.left_out = 0
end

-- What its lines print, also later; without it that is the network's.
function Server:print(text)
  if self.gone or not self.network.repls then return self.network.recipe_lines:write(text) end
  if self.full then
    self.left_out = self.left_out + #text
    return
  end
  self:tell { type = 'output', text = text }
end

---The owner of tasks that its lines begin.
---@return { work: work, actor: actor, output: fun(bytes: string), hears_of: fun(what: string, message: string),
---  leave: fun(status: integer) } leave: what os.exit does
function Server:owner()
  return {
    work = self.work, actor = 'person',
    output = function(bytes) self.lines:write(bytes) end,
    leave = function(status)
      self:flush()
      self:tell { type = 'leave', status = status }
    end,
    hears_of = function(what, message) self.lines:write(('%s failed: %s\n'):format(what, message)) end,
  }
end

---All that was printed so far is told.
---@return integer heard messages so far
function Server:flush()
  self.lines:flush()
  return self.heard
end

-- A local of an earlier line; one that has become nil hides nothing.
function Server:get(env, name)
  local kept = self.locals[name]
  local value = kept and kept.get()
  if value == nil and (not kept or eval.means_something(env, name)) then return env[name] end
  return value
end

function Server:set(env, name, value)
  local kept = self.locals[name]
  if not kept then
    env[name] = value
  elseif kept.set then
    kept.set(value)
  else
    fail.misuse(("'%s' is a constant: 'local %s = …' makes another of that name"):format(name, name))
  end
end

---Globals as its lines see them: `_` and what they called local are its own, all else is shared with other lines.
---@param env table
---@return table
function Server:environment(env)
  if self.env then return self.env end
  local function keep(name, get, set) self.locals[name] = { get = get, set = set } end
  self.env = setmetatable({}, {
    __index = function(_, name)
      if name == '_' then return self.value end
      if name == locals.KEEP then return keep end
      return self:get(env, name)
    end,
    __newindex = function(_, name, value)
      if name == '_' then self.value = value else self:set(env, name, value) end
    end,
  })
  return self.env
end

-- As completion looks at them: nothing is run.
function Server:root(env)
  local own = { _ = self.value }
  for name, kept in pairs(self.locals) do own[name] = kept.get() end
  return setmetatable(own, { __index = env })
end

-- The services that a list of handles alone, or `svc`, stands for.
local function services_of(network, value)
  local id = handle.id_of(value)
  if id then return { id } end
  if rawequal(value, network.eval_env.svc) then return network.supervisor:list() end
  local ids = {}
  for i = 1, rawlen(value) do
    ids[i] = handle.id_of(rawget(value, i))
    if not ids[i] then return nil end
  end
  return #ids > 0 and next(value, #ids) == nil and ids or nil
end

local function lines_of(network, ids, opts)
  local out, pad = {}, 0
  for _, id in ipairs(ids) do pad = math.max(pad, #id) end
  for i, id in ipairs(ids) do
    local snapshot = network:look(id)
    out[i] = snapshot and pretty.service(snapshot, { colour = opts.colour, pad = pad }) or id
  end
  return table.concat(out, '\n')
end

---What shows values for people: services by how they do.
---@param network network
---@param opts { width?: integer, colour?: boolean }
---@return fun(value: any): string
function M.shower(network, opts)
  local shown = {
    width = opts.width, colour = opts.colour, place = function(fn) return network.recipe:place(fn) end,
    known = function(value)
      local ids = services_of(network, value)
      return ids and lines_of(network, ids, opts)
    end,
  }
  return function(value) return pretty.text(value, shown) end
end

-- A handle's fields are read where they are asked for: they are ours, and read without running anything.
local function known_handle(network, value)
  local fields, methods = list.set(handle.fields), network.recipe.context.methods or {}
  return {
    keys = function(method) return method and handle.methods or handle.fields end,
    get = function(key)
      if methods[key] then return methods[key] end
      local ok, found = pcall(function() return fields[key] and value[key] end)
      return ok and found or nil
    end,
  }
end

-- What a text is that begins the arguments of these; of all other words of `pact` it is an id.
local ARGUMENTS = {
  on = function() return events.names end,
  once = function() return events.names end,
  emit = function(network)
    local own = list.filter(list.map(network.plan and network.plan.hooks or {}, function(hook) return hook.event end),
      function(name) return name:find(':', 1, true) ~= nil end)
    return list.keys(list.set(own))
  end,
  by_category = function(network)
    return list.keys(list.set(list.map(network:snapshots(), function(it) return it.category or 'service' end)))
  end,
  notify = function() return {} end,
  secret = function() return {} end,
  option = function() return {} end,
}
local METHOD_ARGUMENTS = {
  signal = function() return list.keys(signals.numbers) end,
  wait = function() return { 'started', 'ready', 'healthy', 'stopped' } end,
}

---@param network network
---@param text string up to the cursor
---@param env table the globals of `eval`
---@param session? repl_server
---@return completion
function M.complete(network, text, env, session)
  local api = network.recipe.api
  local function ids() return network:ids() end
  local services = {
    keys = ids,
    get = function(id) return type(id) == 'string' and network:look(id) and api.service(id) or nil end,
  }
  local pact = {
    keys = function(method) return method and {} or list.keys(api) end,
    get = function(key) return rawget(api, key) end,
  }
  local root = session and session:root(env) or env
  return complete.at(text, {
    root = root,
    argument = function(name, method)
      local known = (method and METHOD_ARGUMENTS or ARGUMENTS)[name]
      return known and known(network) or not method and ids() or nil
    end,
    known = function(value)
      if rawequal(value, env.svc) then return services end
      if rawequal(value, network.recipe.pact) then return pact end
      return handle.id_of(value) and known_handle(network, value) or nil
    end,
  })
end

return M
