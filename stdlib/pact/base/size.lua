--- Sizes: `'512m'`, `'10k'` to bytes and back; a k is 1024.
local M = {}

local units = { [''] = 1, b = 1, k = 1 << 10, m = 1 << 20, g = 1 << 30, t = 1 << 40 }
local expected = "must be a size such as '512m', '10k' or a number of bytes"

---@param value any
---@return integer? bytes
---@return string? message as the end of a sentence that begins with the field's name
function M.parse(value)
  local came = type(value) == 'string' and "'" .. value .. "'"
    or type(value) == 'number' and tostring(value)
    or ({ table = 'a table', ['function'] = 'a function' })[type(value)]
    or tostring(value)
  local bytes
  if math.type(value) == 'integer' then
    bytes = value
  elseif type(value) == 'string' then
    local pattern = '^%s*(%-?)(%d+%.?%d*)%s*([kmgt]?)(i?b?)%s*$'
    local sign, digits, unit, tail = value:lower():match(pattern)
    if digits and tail ~= 'i' then
      bytes = tonumber(digits) * units[unit] * (sign == '-' and -1 or 1)
    end
  end
  if not bytes then return nil, ('%s, got %s'):format(expected, came) end
  if bytes < 0 then return nil, ('must not be negative, got %s'):format(came) end
  if bytes >= 1 << 50 then return nil, ('must be less than 1024t, got %s'):format(came) end
  return math.floor(bytes)
end

---For people: `17 B`, `1.5 KB`, `256 MB`.
---@param bytes integer
---@return string
function M.format(bytes)
  if bytes < 1024 then return ('%d B'):format(bytes) end
  for _, unit in ipairs { 'k', 'm', 'g', 't' } do
    local n = bytes / units[unit]
    if n < 1023.95 or unit == 't' then
      return (n < 9.95 and '%.1f %sB' or '%.0f %sB'):format(n, unit:upper())
    end
  end
end

return M
