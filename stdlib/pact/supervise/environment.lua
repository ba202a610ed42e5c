--- The environment a service starts with: ours, what it needs to know of its network, its files, its own.

local dotenv = require 'pact.base.dotenv'
local list = require 'pact.base.list'

local M = {}

---@class environment_context
---@field base table<string, string> what every service inherits
---@field read fun(path: string): string?, string?
---@field facts fun(id: string): { service: service, ports: table<string, integer> }
---@field run string
---@field project string
---@field socket? string
---@field colour? boolean

-- A port's name that says which protocol is spoken there; without one it is http.
local SCHEMES = {
  postgres = 'postgres', postgresql = 'postgres', mysql = 'mysql', redis = 'redis', amqp = 'amqp', mongodb = 'mongodb',
  nats = 'nats', ws = 'ws', wss = 'wss', grpc = 'grpc', https = 'https', http = 'http', ldap = 'ldap', smtp = 'smtp',
  tcp = 'tcp', sql = 'tcp', db = 'tcp',
}

-- What speaks to us alone: our debugging, a service manager of ours, and who starts a Lua.
local NOT_INHERITED = {
  'PACTLUA_DEBUG', 'PACTLUA_STDLIB', 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_FDS', 'LISTEN_PID',
  'LISTEN_FDNAMES', 'LUA_INIT', 'LUA_INIT_5_4',
}

---What children get of our environment.
---@param env table<string, string>
---@return table<string, string>
function M.inherited(env)
  local out = list.copy(env)
  for _, name in ipairs(NOT_INHERITED) do out[name] = nil end
  return out
end

---@param id string
---@return string such as `MY_DB` of `my-db`
function M.variable(id)
  return (id:upper():gsub('[^%w]', '_'))
end

-- Host and port that its health speaks of: all that is known of an external service.
local function probed_address(health)
  if not health then return nil end
  if health.kind == 'tcp' and type(health.host) == 'string' then return health.host, health.port end
  if health.kind ~= 'http' or type(health.url) ~= 'string' then return nil end
  local scheme, host, port = health.url:match '^(%a+)://%[?([^/%]:?]+)%]?:?(%d*)'
  return host, tonumber(port) or (scheme == 'https' and 443 or 80), scheme
end

---What dependents are told of a service.
---@param service service
---@param ports table<string, integer> what it really listens on
---@return { host: string, port?: integer, url?: string, ports: table<string, integer> }
function M.address(service, ports)
  local host, port, scheme = '127.0.0.1', nil, nil
  local first = service.ports[1]
  local first_name = first and first.name or list.keys(ports)[1] -- those a worker opened by itself
  if first_name then
    port = ports[first_name] or first.port
    scheme = SCHEMES[first_name] or 'http'
  elseif service.kind == 'external' then
    host, port, scheme = probed_address(service.health)
  end
  local name = list.keys(service.endpoints or {})[1]
  local url = name and service.endpoints[name] or nil
  if not url and host and port then url = ('%s://%s:%d'):format(scheme or 'tcp', host, port) end
  return { host = host, port = port, url = url, ports = ports }
end

-- a group is known by the address of its first instance
local function group_address(env, group, address)
  local name = M.variable(group)
  env[name .. '_HOST'], env[name .. '_URL'] = address.host, address.url
  env[name .. '_PORT'] = address.port and tostring(address.port)
end

local function add_dependencies(env, service, facts)
  local told = {}
  for _, edge in ipairs(service.depends_on) do
    local known = facts(edge.id)
    local address = M.address(known.service, known.ports)
    local name = M.variable(edge.id)
    env[name .. '_HOST'] = address.host
    env[name .. '_PORT'] = address.port and tostring(address.port)
    env[name .. '_URL'] = address.url
    if edge.group and not told[edge.group] then group_address(env, edge.group, address) end
    told[edge.group or edge.id] = true
    if #known.service.ports > 1 then
      for _, port in ipairs(known.service.ports) do
        local number = known.ports[port.name] or port.port
        env[name .. '_PORT_' .. M.variable(port.name)] = tostring(number)
      end
    end
  end
end

local function add_files(env, service, read)
  for _, path in ipairs(service.env_file) do
    local text, message = read(path)
    if not text then return nil, 'env_file: ' .. message end
    local pairs_found, err, line = dotenv.parse(text, function(name)
      return env[name]
    end)
    if not pairs_found then return nil, ('env_file: %s:%d %s'):format(path, line or 1, err) end
    for _, pair in ipairs(pairs_found) do env[pair.name] = pair.value end
  end
  return true
end

---What a field gives that may be a function.
---@param value any
---@param name string for the message
---@return string|false|nil
function M.value(value, name)
  if type(value) == 'function' then value = value() end
  if value == nil or value == false then return false end
  if type(value) == 'table' or type(value) == 'function' then
    error(('%s: its function gave a %s, expected text'):format(name, type(value)), 0)
  end
  local whole = math.type(value) == 'float' and math.tointeger(value)
  return tostring(whole or value)
end

---The environment of one start. Functions of the recipe are called, so this may yield and raise.
---@param context environment_context
---@param service service
---@param ports table<string, integer> its own
---@return table<string, string>? env
---@return string? message
function M.build(context, service, ports)
  local env = {}
  for name, value in pairs(context.base) do env[name] = value end
  add_dependencies(env, service, context.facts)
  if #service.ports == 1 then
    local only = service.ports[1]
    env.PORT = tostring(ports[only.name] or only.port)
  end
  if context.colour and not env.FORCE_COLOR and not env.NO_COLOR then env.FORCE_COLOR = '1' end
  local ok, message = add_files(env, service, context.read)
  if not ok then return nil, message end
  for name, value in list.sorted(service.env) do
    env[name] = M.value(value, 'env ' .. name) or nil
  end
  env.PACTLUA_SERVICE, env.PACTLUA_RUN = service.id, context.run
  env.PACTLUA_REPLICA = service.replica and tostring(service.replica) or nil
  env.PACTLUA_PROJECT, env.PACTLUA_SOCKET = context.project, context.socket
  return env
end

---Remembers what the environments of all services share, so that each costs only what differs.
---@param base table<string, string>
---@return { names: string[], texts: table<string, string>, values: table<string, string> }
function M.share(base)
  local names, texts, values = list.keys(base), {}, {}
  for _, name in ipairs(names) do texts[name], values[name] = name .. '=' .. base[name], base[name] end
  return { names = names, texts = texts, values = values }
end

---@param env table<string, string>
---@param shared? table from `share`
---@return string[] 'NAME=value': what is shared, sorted, then the rest, sorted
function M.list(env, shared)
  shared = shared or M.share {}
  local out, own = {}, {}
  for _, name in ipairs(shared.names) do
    if env[name] == shared.values[name] then out[#out + 1] = shared.texts[name] end
  end
  for name, value in pairs(env) do
    if value ~= shared.values[name] then own[#own + 1] = name .. '=' .. value end
  end
  table.sort(own)
  return table.move(own, 1, #own, #out + 1, out)
end

---@param service service
---@return boolean some of it is functions, which may yield
function M.has_functions(service)
  for _, value in pairs(service.env) do
    if type(value) == 'function' then return true end
  end
  for _, value in ipairs(service.command or {}) do
    if type(value) == 'function' then return true end
  end
  return type(service.shell) == 'function'
end

return M
