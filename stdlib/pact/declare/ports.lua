--- Ports and endpoints of services: `{ 3000 }`, `{ sql = 5433 }`, `'3000'`, `'3000+'`,
--- `{ web = { port = 3000, fallback = true } }`, and for containers `'8080:80'`.
local list = require 'pact.base.list'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

local expected = "must be a port such as 3000, '3000' or { port = 3000, fallback = true }, got %s"

local function number(value, cursor)
  local n = type(value) == 'number' and math.tointeger(value)
  if not n and type(value) == 'string' and value:find '^%d+$' then n = math.tointeger(tonumber(value)) end
  if not n then return cursor:fail(expected:format(text.show(value))) end
  if n == 0 then return cursor:fail "is 0: pact.free_port 'name' gives a port that is free" end
  if n < 1 or n > 65535 then return cursor:fail(('must be between 1 and 65535, got %d'):format(n)) end
  return n
end

-- host:published:target/protocol, as compose spells it
local function published(value, cursor)
  local body, protocol = value:match '^(.-)/(%a+)$'
  body, protocol = body or value, protocol and protocol:lower() or 'tcp'
  local host, from, target = body:match '^(.*):(%d+):(%d+)$'
  if not host then from, target = body:match '^(%d+):(%d+)$' end
  if not target then target = body:match '^%d+$' end
  if not target or not ({ tcp = true, udp = true, sctp = true })[protocol] then
    return cursor:fail(("must be a port such as '8080:80' or '127.0.0.1:8080:80/udp', got %s")
      :format(text.show(value)))
  end
  local port = from and number(from, cursor) or number(target, cursor)
  if not port then return nil end
  return {
    port = port, target = number(target, cursor), host = host and host:gsub('^%[(.*)%]$', '%1') or nil,
    protocol = protocol, published = from ~= nil,
  }
end

local row = { min = 1, max = 65535 }

local function fields(value, cursor)
  local out, known = { fallback = false }, { port = true, published = true, target = true, host = true,
    protocol = true, fallback = true }
  for key, one in list.sorted(value) do
    if not known[key] then
      cursor:fail(('has the unknown key %s%s'):format(text.show(key), text.suggest(key, list.keys(known))))
      return nil
    end
    cursor:push(key)
    if key == 'fallback' then
      out.fallback = values.boolean.check(one, cursor, row)
    elseif key == 'port' or key == 'published' then
      out.port = number(one, cursor)
    elseif key == 'target' then
      out.target = number(one, cursor)
    else
      out[key] = values.string.check(one, cursor, row)
    end
    cursor:pop()
  end
  out.port = out.port or out.target
  if not out.port and value.port == nil and value.published == nil then
    return cursor:fail(expected:format(text.show(value)))
  end
  return out.port and out or nil
end

local function one_port(value, cursor)
  if type(value) == 'table' and not getmetatable(value) then return fields(value, cursor) end
  if type(value) == 'string' then
    local counted = value:match '^(%d+)%+$'
    if counted then
      local port = number(counted, cursor)
      return port and { port = port, fallback = false, counts = true }
    end
    if cursor.kind == 'container' then
      local out = published(value, cursor)
      if out then out.fallback = false end
      return out
    end
  end
  local port = number(value, cursor)
  return port and { port = port, fallback = false }
end

local function add(out, seen, key, value, cursor)
  cursor:push(key)
  local port = one_port(value, cursor)
  if port then
    port.name = math.type(key) == 'integer' and tostring(port.port) or key
    local protocol = port.protocol or 'tcp'
    if seen[port.name] then
      cursor:fail(("names '%s' a second time"):format(port.name))
    elseif seen[protocol .. port.port] then
      cursor:fail(('is %d, which is declared twice'):format(port.port))
    else
      out[#out + 1], seen[port.name], seen[protocol .. port.port] = port, true, true
    end
  end
  cursor:pop()
end

---@type value_type a list in the order of the recipe, named ones behind it in the order of their names
M.type = {
  name = 'ports', lua = 'pact.ports',
  check = function(value, cursor)
    if type(value) ~= 'table' then value = { value } end
    if getmetatable(value) then return cursor:fail(expected:format(text.show(value))) end
    local out, seen = {}, {}
    for key, one in list.sorted(value) do
      if math.type(key) == 'integer' or type(key) == 'string' and key:find '^[%w_.-]+$' then
        add(out, seen, key, one, cursor)
      else
        cursor:fail(('has a name that no port can have: %s'):format(text.show(key)))
      end
    end
    return out
  end,
}

---@type value_type addresses for people, by name
M.endpoints = {
  name = 'addresses', lua = 'table<string, string>|string[]',
  check = function(value, cursor)
    if type(value) == 'string' then value = { value } end
    if type(value) ~= 'table' or getmetatable(value) then
      return cursor:fail(('must be a table of addresses, got %s'):format(text.show(value)))
    end
    local out = {}
    for key, one in list.sorted(value) do
      cursor:push(key)
      out[tostring(key)] = values.string.check(one, cursor, row)
      cursor:pop()
    end
    return out
  end,
}

return M
