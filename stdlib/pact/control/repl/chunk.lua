--- Lines that are typed one after another, until they are Lua text that can be run.

local M = {}

-- A string of one line is never finished by another, unless a backslash says so.
local function goes_on(code, message)
  if message:find('unfinished string', 1, true) then return code:find '\\$' ~= nil end
  return message:find '<eof>\'?$' ~= nil and not message:find "'<eof>' expected"
end

---@param code string
---@return boolean it wants another line
function M.unfinished(code)
  local expression, message = load('return ' .. code, '=', 't')
  if expression or goes_on(code, message) then return not expression end
  local body
  body, message = load(code, '=', 't')
  return not body and goes_on(code, message)
end

---@class chunk
---@field lines string[]
local Chunk = {}
Chunk.__index = Chunk

---@return chunk
function M.new() return setmetatable({ lines = {} }, Chunk) end

---Takes a line.
---@param line string
---@return string? code whole; nil: it wants another line, or there is nothing to run
function Chunk:add(line)
  if #self.lines == 0 and line:find '^%s*$' then return nil end
  self.lines[#self.lines + 1] = line
  local code = table.concat(self.lines, '\n')
  if M.unfinished(code) then return nil end
  self.lines = {}
  return code
end

---@return boolean a line was typed that wants another
function Chunk:begun() return #self.lines > 0 end

---What was typed so far and not run: it is given up.
---@return string code
function Chunk:drop()
  local code = table.concat(self.lines, '\n')
  self.lines = {}
  return code
end

return M
