--- What a simulation needs of the real world: the recipe's text. Inside pactlua that is `sys.fs`; under plain
-- Lua (busted) this is the one module that reads files by itself.

local M = {}

local INSTRUCTIONS_PER_MS, STEP = 100000, 100000

local function read(path)
  local file, message = io.open(path, 'rb')
  if not file then return nil, message, 'ENOENT' end
  local bytes, why = file:read 'a'
  file:close()
  if not bytes then return nil, path .. ': ' .. tostring(why), 'EISDIR' end
  return bytes
end

local function stat(path)
  local file, message = io.open(path, 'rb')
  if not file then return nil, message, 'ENOENT' end
  local _, _, code = file:read(0)
  local size = not code and file:seek 'end' or 0
  file:close()
  return { type = code and 'directory' or 'file', size = size, mtime = size, mode = 420, uid = 0 }
end

local function list(path)
  local ok, lfs = pcall(require, 'lfs')
  if not ok or not stat(path) then return nil, path .. ': cannot be listed', 'ENOENT' end
  local names = {}
  for name in lfs.dir(path) do
    if name ~= '.' and name ~= '..' then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- Code that doesn't wait for too long is interrupted: first where it is, then wherever it tries to go on.
local function guard(thread, budget_ms)
  local left = budget_ms * INSTRUCTIONS_PER_MS // STEP
  local place
  local function overdue()
    if left > 0 then
      left = left - 1
      return
    end
    if not place then
      local info = debug.getinfo(2, 'Sl')
      place = ('%s:%d: '):format(info.short_src, info.currentline)
      debug.sethook(thread, overdue, '', 1)
    end
    error(('%sinterrupted: ran for more than %d ms without waiting'):format(place, budget_ms), 0)
  end
  debug.sethook(thread, overdue, '', STEP)
end

local function resumed(thread, ...)
  debug.sethook(thread)
  return ...
end

local function resume(thread, budget_ms, ...)
  if budget_ms == 0 then return coroutine.resume(thread, ...) end
  guard(thread, budget_ms)
  return resumed(thread, coroutine.resume(thread, ...))
end

---@class sim_host
---@field read fun(path: string): string?, string?, string?
---@field stat fun(path: string): table?, string?, string?
---@field list fun(path: string): string[]?, string?, string?
---@field cwd fun(): string
---@field env table<string, string>
---@field resume fun(thread: thread, budget_ms: integer, ...): boolean, any
---@field join? fun(left: any, right: any): string
---@field find? fun(pattern: table, text: string): boolean POSIX regular expressions
---@field check? fun(pattern: any): boolean, string?

---@return sim_host
function M.plain()
  return {
    read = read, stat = stat, list = list, resume = resume,
    cwd = function() return os.getenv 'PWD' or '/' end,
    env = { PATH = os.getenv 'PATH' or '/usr/bin:/bin', HOME = os.getenv 'HOME' or '/' },
  }
end

---@param sys sys
---@return sim_host
function M.of(sys)
  return {
    read = sys.fs.read, stat = sys.fs.stat, list = sys.fs.list, cwd = sys.fs.cwd, env = sys.os.env(),
    resume = sys.resume, join = sys.join, find = sys.text.find, check = sys.text.check,
  }
end

return M
