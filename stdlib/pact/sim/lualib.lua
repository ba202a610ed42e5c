--- Lua's own libraries as a simulated recipe sees them: time, chance and files are the world's.

local M = {}

local function refused(name, instead)
  return function()
    error(('%s is not in a simulation: %s'):format(name, instead), 2)
  end
end

local function os_library(base, world, fs, absolute)
  local os_ = base
  function os_.time(when)
    if when ~= nil then return os.time(when) end
    return (world.now + world.offset) // 1000
  end
  function os_.date(format, when)
    return os.date(format or '%c', when or (world.now + world.offset) // 1000)
  end
  function os_.clock() return world.now / 1000 end
  function os_.getenv(name) return world.env[name] end
  function os_.remove(path)
    local ok, message = fs.stat(absolute(path))
    if not ok then return nil, message, 2 end
    return fs.remove(absolute(path))
  end
  function os_.rename(from, to) return fs.rename(absolute(from), absolute(to)) end
  function os_.tmpname() return ('/tmp/lua_%d'):format(world:id()) end
  return os_
end

---@class sim_file
local File = { __name = 'FILE*' }
File.__index = File

local function flush(self)
  if self.writes then self.fs.write(self.path, self.bytes) end
end

local function number_at(self)
  local found, stop = self.bytes:match('^%s*([+-]?[%w.]+)()', self.at)
  self.at = stop or self.at
  return tonumber(found)
end

local function read_one(self, format)
  if math.type(format) == 'integer' then
    local part = self.bytes:sub(self.at, self.at + format - 1)
    self.at = self.at + #part
    return (part ~= '' or format == 0) and part or nil
  end
  format = tostring(format or 'l'):gsub('^%*', ''):sub(1, 1)
  if format == 'a' then
    local rest = self.bytes:sub(self.at)
    self.at = #self.bytes + 1
    return rest
  elseif format == 'n' then
    return number_at(self)
  elseif self.at > #self.bytes then
    return nil
  end
  local line, newline, stop = self.bytes:match('^([^\n]*)(\n?)()', self.at)
  self.at = stop
  return format == 'L' and line .. newline or line
end

function File:read(...)
  local out, formats = {}, table.pack(...)
  for i = 1, math.max(1, formats.n) do
    out[i] = read_one(self, formats[i])
    if out[i] == nil then break end
  end
  return table.unpack(out, 1, math.max(1, formats.n))
end

function File:lines(...)
  local formats = table.pack(...)
  return function() return self:read(table.unpack(formats, 1, formats.n)) end
end

function File:write(...)
  for _, piece in ipairs { ... } do self.bytes = self.bytes .. tostring(piece) end
  flush(self)
  return self
end

function File:seek(whence, offset)
  local from = { set = 0, cur = self.at - 1, ['end'] = #self.bytes }
  self.at = from[whence or 'cur'] + (offset or 0) + 1
  return self.at - 1
end

function File:close()
  flush(self)
  return true
end

File.flush = File.close
function File.setvbuf() return true end

local function io_library(base, fs, absolute)
  local io_ = base
  function io_.open(path, mode)
    mode, path = mode or 'r', absolute(path)
    local bytes, message = fs.read(path)
    if mode:find '^r' and not bytes then return nil, message, 2 end
    if mode:find '^w' then bytes = '' end
    local writes = mode:find '[wa+]' ~= nil
    local file = setmetatable({ fs = fs, path = path, bytes = bytes or '', at = 1, writes = writes }, File)
    flush(file)
    return file
  end
  function io_.lines(path, ...)
    local file, message = io_.open(path)
    if not file then error(message, 2) end
    return file:lines(...)
  end
  io_.tmpfile = refused('io.tmpfile', 'use pact.file')
  io_.read = refused('io.read', 'there is nobody who types')
  return io_
end

local function math_library(world)
  local out = {}
  for name, value in pairs(math) do out[name] = value end
  function out.random(low, high)
    local number = world:random()
    if not low then return number end
    if not high then low, high = 1, low end
    return low + math.floor(number * (high - low + 1))
  end
  function out.randomseed() end
  return out
end

---@param globals table what recipes see in an engine; `os` and `io` of it become the world's
---@param context { world: world, fs: table, directory: string }
---@return table globals
function M.install(globals, context)
  local function absolute(path)
    return path:sub(1, 1) == '/' and path or context.directory .. '/' .. path
  end
  globals.os = os_library(globals.os, context.world, context.fs, absolute)
  globals.io = io_library(globals.io, context.fs, absolute)
  globals.math = math_library(context.world)
  return globals
end

return M
