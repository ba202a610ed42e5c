--- Sockets that are bound for a service: `{ http = 3000 }`, `'0.0.0.0:3000'`, `'[::1]:3000'`, `'3000+'`,
--- `0` or `'auto'` for a port that is free, `'./run/web.sock'`.
local address = require 'pact.base.address'
local list = require 'pact.base.list'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

local EXPECTED = "must be a port such as 3000, an address such as '0.0.0.0:3000', 0 or 'auto' for a free port, or "
  .. "the path of a socket such as './run/web.sock', got %s"
local PATH_MAX = 107 -- what the kernel takes
local COUNT_MAX = 32

---@class listen_place
---@field name string in LISTEN_FDNAMES
---@field host? string an address in numbers; with a port
---@field port? integer 0: any that is free
---@field path? string of a Unix socket, absolute
---@field said? boolean its host was given
---@field counts? boolean each replica has the next port, and a socket of its own
---@field listen true it is bound for the service
---@field fallback false

local function unix(value, cursor)
  local path = values.path.check(value, cursor, {})
  if not path then return nil end
  if #path > PATH_MAX then
    return cursor:fail(('is a path of %d bytes, and a socket can have %d: %s'):format(#path, PATH_MAX, path))
  end
  return { path = path }
end

local function tcp(value, cursor)
  if value == 'auto' then return { host = address.here, port = 0 } end
  local counted = type(value) == 'string' and value:match '^(.*%d)%+$'
  local host, port = address.parse(counted or value)
  if not host then return cursor:fail(EXPECTED:format(text.show(value))) end
  if host == 'localhost' then host = address.here end
  if not address.is_numeric(host) then
    return cursor:fail(("must be an address in numbers, or localhost, got '%s'"):format(host))
  end
  if counted and port == 0 then return cursor:fail 'is 0, from which nothing can count up' end
  local said = type(value) == 'string' and value:find('%d:', 1) ~= nil or host ~= address.here
  return { host = host, port = port, counts = counted and true or nil, said = said or nil }
end

local function one(value, cursor)
  if type(value) == 'string' and value:find('/', 1, true) then return unix(value, cursor) end
  if type(value) == 'string' or math.type(value) == 'integer' then return tcp(value, cursor) end
  return cursor:fail(EXPECTED:format(text.show(value)))
end

local function name_of(key, place)
  if type(key) == 'string' then return key end
  if place.path then return place.path:match '([^/]+)$' end
  return place.port == 0 and 'auto' or tostring(place.port)
end

local function add(out, seen, key, value, cursor)
  cursor:push(key)
  local place = one(value, cursor)
  if place then
    place.name, place.listen, place.fallback = name_of(key, place), true, false
    local where = place.path or place.port > 0 and address.text(place.host, place.port)
    if not place.name:find '^[%w_.-]+$' then
      cursor:fail(('has no name that can be told in LISTEN_FDNAMES: write listen = { web = %s }')
        :format(text.show(value)))
    elseif seen[place.name] then
      cursor:fail(("names '%s' a second time"):format(place.name))
    elseif where and seen[where] then
      cursor:fail(('is %s, which is declared twice'):format(where))
    else
      out[#out + 1], seen[place.name] = place, true
      if where then seen[where] = true end
    end
  end
  cursor:pop()
end

---@type value_type a list in the order of the descriptors: those without a name, then by name
M.type = {
  name = 'sockets', lua = 'integer|string|table<string|integer, integer|string>',
  check = function(value, cursor)
    if type(value) ~= 'table' then value = { value } end
    if getmetatable(value) then return cursor:fail(EXPECTED:format(text.show(value))) end
    local out, seen = {}, {}
    for key, item in list.sorted(value) do
      if math.type(key) == 'integer' or type(key) == 'string' and key:find '^[%w_.-]+$' then
        add(out, seen, key, item, cursor)
      else
        cursor:fail(('has a name that no socket can have: %s'):format(text.show(key)))
      end
    end
    if #out > COUNT_MAX then return cursor:fail(('has more than %d sockets'):format(COUNT_MAX)) end
    return out
  end,
}

---What of them are ports, behind those that are declared as such.
---@param ports? table[]
---@param places listen_place[]
---@return table[]
function M.ports(ports, places)
  local out = list.copy(ports or {})
  for _, place in ipairs(places) do
    if place.port then out[#out + 1] = place end
  end
  return out
end

return M
