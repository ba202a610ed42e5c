--- Addresses to listen on: `3000`, `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`.

local M = {}

M.here = '127.0.0.1'

local function is_ipv4(host)
  local parts = { host:match '^(%d+)%.(%d+)%.(%d+)%.(%d+)$' }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 then return false end
  end
  return #parts == 4
end

---@param host string
---@return boolean it is an address in numbers, IPv6 without brackets
function M.is_numeric(host)
  return is_ipv4(host) or host:find ':' ~= nil and host:find '^[%x:.]+$' ~= nil
end

---@param host string in numbers
---@return boolean nobody from another machine gets there
function M.is_local(host)
  return host == '::1' or is_ipv4(host) and host:find '^127%.' ~= nil
end

---A port alone is one of 127.0.0.1; `*` is every address.
---@param value string|integer
---@return string? host without brackets; names as they are
---@return integer? port 0 to 65535
function M.parse(value)
  if type(value) ~= 'string' then value = ('%d'):format(value) end
  local host, port = value:match '^%[([%x:.]+)%]:(%d+)$'
  if not host then host, port = value:match '^([%w.*_-]+):(%d+)$' end
  if not host then host, port = M.here, value:match '^:?(%d+)$' end
  local number = port and #port <= 5 and math.tointeger(tonumber(port))
  if not number or number > 65535 then return nil end
  return host == '*' and '0.0.0.0' or host, number
end

---@param host string
---@return string as it stands in a URL
function M.in_url(host)
  return host:find(':', 1, true) and ('[%s]'):format(host) or host
end

---@param host string
---@param port integer
---@return string
function M.text(host, port)
  return ('%s:%d'):format(M.in_url(host), port)
end

return M
