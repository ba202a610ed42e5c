--- What a running network answers when it is asked: its state, its services, the recipe's own commands.

local json = require 'pact.base.json'
local list = require 'pact.base.list'
local mask = require 'pact.base.mask'
local network = require 'pact.control.serving'
local text = require 'pact.base.text'

local Network = network.class

---@return table
function Network:status()
  local counts = {}
  for _, snapshot in ipairs(self:snapshots()) do
    counts[snapshot.status] = (counts[snapshot.status] or 0) + 1
  end
  local status = {
    project = self.project,
    run = self.run and self.run.dir,
    directory = self.plan and self.plan.directory,
    recipe = self.plan and self.plan.recipe,
    pid = self.sys.os.pid(),
    guard = self.sys.ctl.guard().guard,
    version = self.sys.version,
    uptime = self.sys.time.now() - self.started_at,
    services = counts,
    ready = self.supervisor ~= nil and self.supervisor:all_ready(),
    stopping = self.ending ~= nil,
  }
  for key, value in pairs(self:holding()) do status[key] = value end
  return status
end

---Who holds the network, and whether it ends with them.
---@return { detached: boolean, leases: integer, repls: integer, linger: integer, ends_with_leases: boolean,
---  ends_in?: integer }
function Network:holding()
  local held = self.held_by
  return {
    detached = self.detached == true,
    listens = self.tcp and self.tcp:status() or nil,
    leases = held and held.count or 0,
    repls = held and held.guests or 0,
    linger = held and held.linger or self.invocation.options.linger or 0,
    ends_with_leases = held ~= nil and held:decides(),
    ends_in = held and held:ends_in(),
    last_event = self.audience.seq,
  }
end

---@return snapshot[]
function Network:snapshots()
  local snapshots = {}
  if not self.supervisor then return snapshots end
  for _, id in ipairs(self.supervisor:list()) do
    local snapshot = self.supervisor:snapshot(id)
    for _, name in ipairs { 'history', 'tags' } do json.array(snapshot[name]) end
    if snapshot.last_probe and not next(snapshot.last_probe) then snapshot.last_probe = nil end
    snapshots[#snapshots + 1] = snapshot
  end
  return snapshots
end

---@return string[] ids of all services and groups
function Network:ids()
  local known = self.plan and list.keys(self.plan.groups) or {}
  local singles = self.supervisor and self.supervisor:list() or {}
  return table.move(singles, 1, #singles, #known + 1, known)
end

---@return string[] ids
function Network:wanted()
  local supervisor = self.supervisor
  return supervisor and list.filter(supervisor:list(), function(id) return supervisor:wants(id) == 'up' end) or {}
end

---@return { id: string, endpoints: table<string, string> }[] of services that have any
function Network:endpoints()
  local found = json.array {}
  for _, id in ipairs(self.supervisor:list()) do
    local endpoints = self.supervisor:service(id).endpoints
    if next(endpoints) then found[#found + 1] = { id = id, endpoints = list.copy(endpoints) } end
  end
  return found
end

---@return { name: string, help?: string }[]
function Network:recipe_commands()
  local found = {}
  for name, command in list.sorted(self.plan and self.plan.commands or {}) do
    found[#found + 1] = { name = name, help = command.help }
  end
  return found
end

local function no_command(self, name)
  local known = list.keys(self.plan and self.plan.commands or {})
  local near, there = text.suggest(name, known), text.quoted(known)
  local hint = near ~= '' and near or known[1] and '; there is ' .. there or '; this recipe has none'
  return nil, ("no command '%s'%s"):format(name, hint), 'unknown'
end

---What may stand behind a command of the recipe's; yields where a function of it tells.
---@param name string
---@param args string[] what stands there already
---@return string[]?, string? message, string? code
function Network:recipe_arguments(name, args)
  local found = self.plan and self.plan.commands[name]
  if not found then return no_command(self, name) end
  local given = found.args or {}
  if type(given) == 'function' then
    local ok, result = self.sched:join(self.work:run('args of command ' .. name, given,
      { quiet = function() return true end }, args))
    if not ok then return nil, tostring(result), 'failed' end
    given = type(result) == 'table' and result or {}
  end
  local out = {}
  for i = 1, rawlen(given) do out[i] = tostring(given[i]) end
  return out
end

---Runs a command of the recipe's; yields with it.
---@param args string[]
function Network:recipe_command(name, args)
  local found = self.plan and self.plan.commands[name]
  if not found then return no_command(self, name) end
  local function quiet() return true end -- who asked is told of an error
  local task = self.work:run('command ' .. name, found.fn, { quiet = quiet }, args)
  return self.sched:join(task)
end

---The processes of a service, or of all instances of a group: those of each together, leader first.
---@param id string
---@return table[] as of sys.proc.tree, each with its `service`
function Network:tree(id)
  local out = {}
  for _, one in ipairs(self.plan.groups[id] or { id }) do
    for _, process in ipairs(self.supervisor:tree(one) or {}) do
      process.service = one
      out[#out + 1] = process
    end
  end
  return out
end

-- A service, or the first instance of a group.
local function one_of(self, id)
  local snapshot = self:look(id)
  if not snapshot then
    local known = self.supervisor and self.supervisor:list() or {}
    return nil, ("no service '%s'%s"):format(id, text.suggest(id, known)), 'unknown'
  end
  return snapshot.instances and snapshot.instances[1] or id
end

-- What a process carries so that it is known as its service's: a stranger beside it has none of it.
local OF_THE_PROCESS = { PACTLUA_TAG = true, NOTIFY_SOCKET = true, WATCHDOG_USEC = true }

---How a program of somebody else's runs beside a service: as the service would start now. May yield.
---@param id string
---@return table? surroundings env (a map) and cwd uid gid groups umask limits, as of sys.spawn_spec
---@return string? message, string? code
function Network:surroundings(id)
  local one, message, code = one_of(self, id)
  if not one then return nil, message, code end
  local options
  options, message, code = self.supervisor:surroundings(one)
  if not options then return nil, message, code end
  local env = {}
  for _, part in ipairs { options.env_base or {}, options.env } do
    for _, pair in ipairs(part) do
      local name, value = pair:match '^(.-)=(.*)$'
      if not OF_THE_PROCESS[name] then env[name] = value end
    end
  end
  return {
    env = env, cwd = options.cwd, uid = options.uid, gid = options.gid, groups = options.groups,
    umask = options.umask, limits = options.limits,
  }
end

---A service's environment as it may be shown.
---@param id string
---@return table<string, string>?, string? message, string? code
function Network:shown_environment(id)
  local found, message, code = self:surroundings(id)
  if not found then return nil, message, code end
  local service = self.supervisor:service((one_of(self, id)))
  local secrets, env = list.set(service.secrets), {}
  for name, value in pairs(found.env) do
    env[name] = mask.variable(name, value, secrets, self.plan.secret_values)
  end
  return env
end

---Variables that say where services can be reached, for CMD of `run`.
---@return table<string, string>
function Network:addresses()
  local environment, found = require 'pact.supervise.environment', {}
  for _, snapshot in ipairs(self:snapshots()) do
    local address = environment.address(self.supervisor:service(snapshot.id), snapshot.ports)
    local name = environment.variable(snapshot.id)
    if address.port or address.url then
      found[name .. '_HOST'], found[name .. '_URL'] = address.host, address.url
      found[name .. '_PORT'] = address.port and tostring(address.port)
    end
    if snapshot.replica == 1 then
      for _, what in ipairs { '_HOST', '_PORT', '_URL' } do
        found[environment.variable(snapshot.group) .. what] = found[name .. what]
      end
    end
  end
  return found
end

return network
