--- The environment a service starts with: ours, what it needs to know of its network, its files, its own.

local addresses = require 'pact.base.address'
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

-- Where those are reached that listen on every address.
local REACHED_BY = { ['0.0.0.0'] = '127.0.0.1', ['::'] = '127.0.0.1' }

-- What speaks to us alone: our debugging, a service manager of ours, and who starts a Lua.
local NOT_INHERITED = {
  'PACTLUA_DEBUG', 'PACTLUA_STDLIB', 'PACTLUA_TOKEN', 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID',
  'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'LUA_INIT', 'LUA_INIT_5_4',
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
  local host, port, scheme = addresses.here, nil, nil
  local first = service.ports[1]
  local first_name = first and first.name or list.keys(ports)[1] -- those a worker opened by itself
  if first_name then
    port = ports[first_name] or first.port
    scheme = SCHEMES[first_name] or 'http'
    if first and first.listen and first.said then host = REACHED_BY[first.host] or first.host end
  elseif service.kind == 'external' then
    host, port, scheme = probed_address(service.health)
  end
  local name = list.keys(service.endpoints or {})[1]
  local url = name and service.endpoints[name] or nil
  if not url and host and port then url = ('%s://%s'):format(scheme or 'tcp', addresses.text(host, port)) end
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

local function add_files(env, service, read, get)
  for _, path in ipairs(service.env_file) do
    local text, message = read(path)
    if not text then return nil, 'env_file: ' .. message end
    local pairs_found, err, line = dotenv.parse(text, get)
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
  if type(value) == 'function' then
    local ok, got = pcall(value)
    if not ok then error(type(got) == 'string' and ('%s: %s'):format(name, got) or got, 0) end
    value = got
  end
  if value == nil or value == false then return false end
  if type(value) == 'table' or type(value) == 'function' then
    error(('%s: its function gave a %s, expected text'):format(name, type(value)), 0)
  end
  local whole = math.type(value) == 'float' and math.tointeger(value)
  return tostring(whole or value)
end

---What one start adds to what every service inherits; false removes. Functions of the recipe are called, so this may
---yield and raise.
---@param context environment_context
---@param service service
---@param ports table<string, integer> its own
---@return table<string, string|false>? own
---@return string? message
function M.own(context, service, ports)
  local own, base = {}, context.base
  local function get(name)
    local value = own[name]
    if value == nil then value = base[name] end
    return value or nil
  end
  if base.PACTLUA_DEBUG then own.PACTLUA_DEBUG = false end
  add_dependencies(own, service, context.facts)
  if #service.ports == 1 then
    local only = service.ports[1]
    own.PORT = tostring(ports[only.name] or only.port)
  end
  if service.tty then -- which tells a program of colours by itself, and its size
    own.TERM, own.COLUMNS, own.LINES = 'xterm-256color', false, false
  elseif context.colour and not get 'FORCE_COLOR' and not get 'NO_COLOR' then own.FORCE_COLOR = '1' end
  local ok, message = add_files(own, service, context.read, get)
  if not ok then return nil, message end
  for name, value in list.sorted(service.env) do own[name] = M.value(value, 'env ' .. name) end
  own.PACTLUA_SERVICE, own.PACTLUA_RUN = service.id, context.run
  own.PACTLUA_REPLICA = service.replica and tostring(service.replica) or nil
  own.PACTLUA_PROJECT, own.PACTLUA_SOCKET = context.project, context.socket
  return own
end

---The whole environment of one start.
---@param context environment_context
---@param service service
---@param ports table<string, integer> its own
---@return table<string, string>? env
---@return string? message
function M.build(context, service, ports)
  local own, message = M.own(context, service, ports)
  if not own then return nil, message end
  local env = list.copy(context.base)
  for name, value in pairs(own) do env[name] = value or nil end
  return env
end

---@param env table<string, string|false>
---@return string[] 'NAME=value', sorted
function M.list(env)
  local out = {}
  for name, value in pairs(env) do
    if value then out[#out + 1] = name .. '=' .. value end
  end
  table.sort(out)
  return out
end

---A start's environment as two lists: what is inherited, the same table for all starts that change nothing of it, and
---what is added.
---@param base table<string, string>
---@param inherited string[] the list of `base`
---@param own table<string, string|false>
---@return string[] inherited, string[] added
function M.lists(base, inherited, own)
  for name in pairs(own) do
    if base[name] ~= nil then
      local kept = {}
      for other, value in pairs(base) do kept[other] = own[other] == nil and value end
      return M.list(kept), M.list(own)
    end
  end
  return inherited, M.list(own)
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
