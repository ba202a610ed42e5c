--- Where a check stands: the declaration, the path of keys within it, and the place for problems.
local M = {}

---@class cursor
---@field problems collector
---@field at? at
---@field subject? string
---@field directory string relative paths are below it
---@field home? string
---@field kind? string kind of the service that is being checked
---@field fs? sys.fs to look into
local Cursor = {}
Cursor.__index = Cursor

---@param problems collector
---@param fields { at?: at, subject?: string, directory?: string, home?: string, kind?: string }
---@return cursor
function M.new(problems, fields)
  return setmetatable({
    problems = problems, at = fields.at, subject = fields.subject, kind = fields.kind,
    directory = fields.directory or '/', home = fields.home, n = 0, keys = {},
  }, Cursor)
end

---@param key string|integer
function Cursor:push(key)
  self.n = self.n + 1
  self.keys[self.n] = key
end

function Cursor:pop()
  self.keys[self.n] = nil
  self.n = self.n - 1
end

---@param name? string a key below the present one
---@return string such as `health.interval` or `command[2]`
function Cursor:key(name)
  local out = {}
  for i = 1, self.n do
    local key = self.keys[i]
    out[#out + 1] = math.type(key) == 'integer' and ('[%d]'):format(key)
      or (i > 1 and '.' or '') .. tostring(key)
  end
  if name then out[#out + 1] = (self.n > 0 and '.' or '') .. name end
  return table.concat(out)
end

---A problem with the value at the present key.
---@param message string goes on after the key: `must be …`
function Cursor:fail(message)
  self.problems:add {
    at = self.at, subject = self.subject, key = self.n > 0 and self:key() or nil, message = message,
  }
end

---A problem with the declaration, told without a key.
---@param message string
function Cursor:slip(message)
  self.problems:add { at = self.at, subject = self.subject, message = message }
end

---@param path string
---@return string absolute
function Cursor:absolute(path)
  if path == '~' or path:find '^~/' then path = (self.home or '~') .. path:sub(2) end
  if path:sub(1, 1) == '/' then return path end
  path = path:gsub('^%./+', ''):gsub('/+$', '')
  if path == '' or path == '.' then return self.directory end
  return (self.directory == '/' and '' or self.directory) .. '/' .. path
end

return M
