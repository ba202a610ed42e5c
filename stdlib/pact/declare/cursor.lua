--- Where a check stands: the declaration, the path of keys within it, and the place for problems.
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@class cursor its list part is the path of keys
---@field problems collector
---@field at? at
---@field subject? string what the problems are with: `process`
---@field id? any whose: it stands behind the subject
---@field directory string relative paths are below it
---@field home? string
---@field kind? string kind of the service that is being checked
---@field fs? sys.fs to look into
---@field n integer length of the path
local Cursor = { directory = '/', n = 0 }

---Cursors that have fields in common.
---@param common table `problems` and others of cursor's
---@return fun(fields: table): cursor takes a table of further fields and makes it a cursor
function M.maker(common)
  local meta = { __index = list.copy(Cursor) }
  for name, value in pairs(common) do meta.__index[name] = value end
  return function(fields) return setmetatable(fields, meta) end
end

---@param problems collector
---@param fields { at?: at, subject?: string, directory?: string, home?: string, kind?: string }
---@return cursor
function M.new(problems, fields)
  return M.maker { problems = problems } (list.copy(fields))
end

---@param key string|integer
function Cursor:push(key)
  local n = self.n + 1
  self.n, self[n] = n, key
end

function Cursor:pop()
  local n = self.n
  self.n, self[n] = n - 1, nil
end

---@param name? string a key below the present one
---@return string such as `health.interval` or `command[2]`
function Cursor:key(name)
  local out = {}
  for i = 1, self.n do
    local key = self[i]
    out[#out + 1] = math.type(key) == 'integer' and ('[%d]'):format(key)
      or (i > 1 and '.' or '') .. tostring(key)
  end
  if name then out[#out + 1] = (self.n > 0 and '.' or '') .. name end
  return table.concat(out)
end

local function add(cursor, key, message)
  local subject = cursor.subject
  if cursor.id ~= nil then subject = ('%s %s'):format(subject, text.show(cursor.id)) end
  cursor.problems:add { at = cursor.at, subject = subject, key = key, message = message }
end

---A problem with the value at the present key.
---@param message string goes on after the key: `must be …`
function Cursor:fail(message) add(self, self.n > 0 and self:key() or nil, message) end

---A problem with the declaration, told without a key.
---@param message string
function Cursor:slip(message) add(self, nil, message) end

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
