--- `io.popen` and `os.execute` that yield: a program's output with a file's methods, and Lua's own values of its end.

local arguments = require 'pact.control.recipe.arguments'
local exec = require 'pact.control.recipe.exec'

local M = {}

---Lua's values of a program's end: true or nil, 'exit' or 'signal', the number.
---@param result exec_result
---@return true?, string, integer
function M.ended(result)
  if result.signal then return nil, 'signal', result.signal_number end
  return result.status == 0 or nil, 'exit', result.status
end

---`os.execute`: its output is shown.
function M.execute(context, command)
  if command == nil then return true end
  arguments.typed(command, 'string', 'os.execute: the command')
  return M.ended(exec.run(context, { shell = command, stdout = 'say', stderr = 'say' }, nil, 'os.execute'))
end

local File = { __name = 'FILE*' }
File.__index = File

local Insides = setmetatable({}, { __mode = 'k' })

local READ = {}

function READ.a(file)
  local all = file.rest
  file.rest = ''
  return all
end

function READ.n(file)
  local number, behind = file.rest:match '^%s*([+-]?[%w.]+)()'
  if behind then file.rest = file.rest:sub(behind) end
  return tonumber(number)
end

local function line(file, keep)
  if file.rest == '' then return nil end
  local found, newline, behind = file.rest:match '^([^\n]*)(\n?)()'
  file.rest = file.rest:sub(behind)
  return keep and found .. newline or found
end

function READ.l(file) return line(file, false) end
function READ.L(file) return line(file, true) end

local function read_one(file, format)
  if math.type(format) == 'integer' then
    if file.rest == '' then return nil end
    local part = file.rest:sub(1, format)
    file.rest = file.rest:sub(#part + 1)
    return part
  end
  local read = type(format) == 'string' and READ[format:match '^%*?(.)']
  if not read then arguments.misuse('read: invalid format %s', tostring(format)) end
  return read(file)
end

local function inside(self)
  local file = Insides[self]
  if file.closed then arguments.misuse 'attempt to use a closed file' end
  return file
end

function File:read(...)
  local file = inside(self)
  if file.written then return nil, 'it was opened to be written to', 9 end
  local formats, out = select('#', ...) > 0 and table.pack(...) or { 'l', n = 1 }, { n = 0 }
  for i = 1, formats.n do
    out[i], out.n = read_one(file, formats[i]), i
    if out[i] == nil then break end
  end
  return table.unpack(out, 1, out.n)
end

function File:lines(...)
  local formats = table.pack(...)
  return function() return self:read(table.unpack(formats, 1, formats.n)) end
end

function File:write(...)
  local file = inside(self)
  if not file.written then return nil, 'it was opened to be read', 9 end
  for _, part in ipairs { ... } do file.written[#file.written + 1] = tostring(part) end
  return self
end

function File:flush() return self end
function File:setvbuf() return true end

---Of one that was written to: only now it runs, with all that it shall read.
function File:close()
  local file = inside(self)
  file.closed = true
  if file.written then
    file.result = exec.run(file.context, {
      shell = file.command, stdin = table.concat(file.written), stdout = 'say', stderr = 'say',
    }, nil, 'io.popen')
  end
  return M.ended(file.result)
end

function File:__close() if not Insides[self].closed then self:close() end end

function File:__tostring() return Insides[self].closed and 'file (closed)' or 'file (program)' end

---`io.popen`: a program that is read from has run to its end when this returns.
function M.open(context, command, mode)
  arguments.typed(command, 'string', 'io.popen: the command')
  if mode ~= nil and mode ~= 'r' and mode ~= 'w' then
    arguments.misuse("io.popen: mode must be 'r' or 'w', got %s", tostring(mode))
  end
  local file = { context = context, command = command, written = mode == 'w' and {} or nil }
  if not file.written then
    file.result = exec.run(context, { shell = command, stderr = 'say' }, nil, 'io.popen')
    file.rest = file.result.stdout
  end
  local self = setmetatable({}, File)
  Insides[self] = file
  return self
end

return M
