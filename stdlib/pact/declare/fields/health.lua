--- Fields of `health` and `ready`: one check of a kind, and its times.
local list = require 'pact.base.list'
local record = require 'pact.declare.record'
local shapes = require 'pact.declare.shapes'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

local url = {
  name = 'address', lua = 'string|fun(): string',
  check = function(value, cursor)
    if type(value) == 'function' then return value end
    if type(value) == 'string' and value:lower():find '^https?://[^/%s:]+' or
      type(value) == 'string' and value:lower():find '^https?://%[' then
      return values.string.check(value, cursor, {})
    end
    cursor:fail(("must be an address such as 'http://localhost:3000/health', got %s")
      :format(text.show(value)))
  end,
}

local tcp = {
  name = 'host:port', lua = 'string|integer',
  check = function(value, cursor)
    local host, port = nil, value
    if type(value) == 'string' then
      host, port = value:match '^%s*(.-):?(%d+)%s*$'
      if host and host:find ':' and not host:find '^%[.*%]$' then port = nil end
      if host and host ~= '' and not value:find ':' then port = nil end
    end
    port = math.tointeger(tonumber(port))
    if not port or port < 1 or port > 65535 then
      return cursor:fail(("must be 'host:port' or a port, got %s"):format(text.show(value)))
    end
    host = host and host:gsub('^%[(.*)%]$', '%1') or ''
    return { host = host ~= '' and host or '127.0.0.1', port = port }
  end,
}

local status = {
  name = 'status', lua = 'string|integer',
  check = function(value, cursor)
    local n = type(value) == 'number' and math.tointeger(value)
    if not n and type(value) == 'string' and value:find '^%d%d%d$' then n = math.tointeger(tonumber(value)) end
    if n and n >= 100 and n <= 599 then return n end
    if type(value) == 'string' then
      if value:lower():find '^[1-5]xx$' then return value:lower() end
      local low, high = value:match '^(%d%d%d)%s*%-%s*(%d%d%d)$'
      if low and low <= high then return low .. '-' .. high end
    end
    cursor:fail(("must be a status such as 204, '2xx' or '200-399', got %s"):format(text.show(value)))
  end,
}

-- compose's spelling: { 'CMD', … }, { 'CMD-SHELL', line }, { 'NONE' }, or a line
local test = {
  name = "{ 'CMD', … }", lua = 'string|string[]',
  check = function(value, cursor)
    if type(value) == 'string' then return { shell = value } end
    if not shapes.sequence(value, cursor, "a list such as { 'CMD', 'redis-cli', 'ping' }") then return nil end
    local words = shapes.args.check(value, cursor)
    if not words then return nil end
    if words[1] == 'NONE' and #words == 1 then return { none = true } end
    if words[1] == 'CMD-SHELL' and #words == 2 then return { shell = words[2] } end
    if words[1] == 'CMD' and #words > 1 then return { command = table.move(words, 2, #words, 1, {}) } end
    cursor:fail "must begin with 'CMD', or be { 'CMD-SHELL', line }"
  end,
}

local which = { 'http', 'tcp', 'command', 'shell', 'test', 'exec', 'log', 'notify', 'file', 'check', 'alive' }
local owner = {
  status = 'http', body = 'http', method = 'http', headers = 'http', insecure = 'http',
  contains = 'file', args = 'command',
}
local common = list.set { 'interval', 'timeout', 'retries', 'start_period', 'start_interval' }

-- what each kind of check keeps of its fields
local shape = {}
function shape.http(given)
  return {
    kind = 'http', url = given.http, status = given.status, body = given.body, method = given.method,
    headers = given.headers, insecure = given.insecure,
  }
end
function shape.tcp(given) return { kind = 'tcp', host = given.tcp.host, port = given.tcp.port } end
function shape.command(given, cursor)
  local argv = shapes.join(given.command, given.args, cursor, 'shell')
  return { kind = 'command', command = argv }
end
function shape.shell(given) return { kind = 'command', shell = given.shell } end
function shape.test(given)
  if given.test.none then return { none = true } end
  return { kind = 'exec', command = given.test.command, shell = given.test.shell }
end
function shape.exec(given, cursor)
  return { kind = 'exec', command = shapes.join(given.exec, given.args, cursor, 'shell') }
end
function shape.log(given) return { kind = 'log', pattern = given.log } end
function shape.file(given) return { kind = 'file', path = given.file, contains = given.contains } end
-- an interval that was asked for is watched; else that begins with the first WATCHDOG=1
function shape.notify(given) return { kind = 'notify', watchdog = given.interval ~= nil } end
function shape.check(given) return { kind = 'check', check = given.check } end
function shape.alive() return { kind = 'alive' } end

local is_check = list.set(which)

-- the checks among the fields, and whether one was meant at all
local function checks_of(given, raw)
  local found, meant, index = {}, false, record.index(M.noun)
  for key in pairs(raw) do
    local name = index[key] and index[key].name
    if is_check[name] then
      meant = true
      if given[name] ~= nil then found[#found + 1] = name end
    end
  end
  return found, meant
end

local function finish(given, cursor, raw)
  local found, meant = checks_of(given, raw)
  if #found > 1 then
    table.sort(found)
    return cursor:fail(('has %s: one check at a time'):format(text.quoted(found)))
  end
  local out = found[1] and shape[found[1]](given, cursor) or {}
  if out.none then return false end
  if meant and not found[1] then return nil end
  for _, name in ipairs(list.keys(given)) do
    local kind = owner[name]
    if common[name] then
      out[name] = given[name]
    elseif kind and found[1] ~= kind and not (name == 'args' and found[1] == 'exec') then
      cursor:fail(("has '%s', which goes with '%s'"):format(name, kind))
    end
  end
  return out
end

---@type noun
M.noun = {
  name = 'health',
  doc = 'How to tell whether a service is well. Exactly one of http, tcp, command, shell, test, exec, log, notify, '
    .. 'file, check, alive; only times mean alive.',
  finish = finish,
  fields = {
    { name = 'http', type = url, aliases = { 'url' },
      doc = 'GET this address; well when the status fits.' },
    { name = 'status', type = status, default = "'2xx'", doc = 'The statuses that are well.' },
    { name = 'body', type = values.pattern, doc = 'What the body must contain.' },
    { name = 'method', type = values.string, default = "'GET'",
      doc = 'The method of the request.' },
    { name = 'headers', type = shapes.map_of(values.string), doc = 'Headers of the request.' },
    { name = 'insecure', type = values.boolean, default = 'false',
      doc = 'Take any TLS certificate.' },
    { name = 'tcp', type = tcp, doc = "Connect to 'host:port', or to a port of this machine." },
    { name = 'command', type = shapes.argv,
      doc = 'Run a program on this machine; well when it exits with 0.' },
    { name = 'args', type = shapes.args, doc = 'Arguments behind a command given as text.' },
    { name = 'shell', type = values.string,
      doc = 'Run a line by /bin/sh; well when it exits with 0.' },
    { name = 'test', type = test, kinds = 'container', doc = "Compose's spelling of exec." },
    { name = 'exec', type = shapes.argv, kinds = 'container',
      doc = 'Run a program inside the container.' },
    { name = 'log', type = values.pattern,
      doc = 'Well from the first line of output with this text.' },
    { name = 'notify', type = values.yes,
      doc = 'The service tells by sd_notify: READY=1, and WATCHDOG=1 within each interval where it is set.' },
    { name = 'file', type = values.path, doc = 'Well while this file exists.' },
    { name = 'contains', type = values.pattern, doc = 'What the file must contain.' },
    { name = 'check', type = values.func, lua = 'fun(service: pact.handle): boolean, string?',
      doc = 'A function of the service: true, or false and a reason. It may wait.' },
    { name = 'alive', type = values.yes, doc = 'No more than living.' },
    { name = 'interval', type = values.duration, min = 10, default = '30s',
      doc = 'From the end of one probe to the next.' },
    { name = 'timeout', type = values.duration, min = 1, default = '5s',
      doc = 'For the whole probe.' },
    { name = 'retries', type = values.integer, min = 1, default = '3',
      doc = 'So many failures in a row make it unhealthy.' },
    { name = 'start_period', type = values.duration, default = '0s', aliases = { 'initial_delay' },
      doc = 'Time to come up: failures within it never make it unhealthy.' },
    { name = 'start_interval', type = values.duration, min = 10, default = '1s',
      doc = 'Longest pause between probes before the first success; they begin 100 ms apart.' },
  },
}
for _, row in ipairs(M.noun.fields) do row.reload = 'live' end

local function short(value, cursor)
  if value == false then return false, true end
  if type(value) == 'function' then return { kind = 'check', check = value }, true end
  if type(value) ~= 'string' then return nil, false end
  if value == 'alive' or value == 'notify' then return { kind = value }, true end
  if value:find '^https?://' then
    local address = url.check(value, cursor)
    return address and { kind = 'http', url = address }, true
  end
  cursor:fail(("must be a table such as { http = 'http://localhost:3000/health' }, got %s")
    :format(text.show(value)))
  return nil, true
end

M.type = record.type(M.noun, short)

return M
