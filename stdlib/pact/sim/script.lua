--- A faults file: a Lua file that returns rows. Reads it, finds the lines of its rows, checks them.

local rows = require 'pact.sim.rows'
local text = require 'pact.base.text'

local M = {}

local BUDGET_MS = 1000
local LIBRARY = {
  'assert', 'error', 'ipairs', 'math', 'next', 'pairs', 'pcall', 'select', 'string', 'table', 'tonumber', 'tostring',
  'type', 'utf8',
}
local WORLD = { os = 'time', io = 'files', require = 'modules', print = 'output', pact = 'pact', load = 'load' }

local function environment()
  local env = {}
  for _, name in ipairs(LIBRARY) do env[name] = _G[name] end
  return setmetatable(env, {
    __index = function(_, name)
      local why = WORLD[name] and 'is not in a faults file: it is data' or 'has no value here'
      error(("'%s' %s%s"):format(tostring(name), why, text.suggest(name, LIBRARY)), 2)
    end,
    __newindex = function(_, name) error(("sets the global '%s': write local %s"):format(name, name), 2) end,
  })
end

-- The lines on which the tables inside the outermost one begin, if the file is `return { {…}, {…} }`.
local function row_lines(source)
  local lines, depth, line, at = {}, 0, 1, 1
  local start = source:find '%f[%w]return%s*{'
  if not start then return {} end
  while at <= #source do
    local char = source:sub(at, at)
    if char == '\n' then
      line = line + 1
    elseif source:find('^%-%-', at) and not source:find('^%-%-%[=*%[', at) then
      at = (source:find('\n', at, true) or #source + 1) - 1
    elseif char == '"' or char == "'" then
      repeat
        at = at + (source:sub(at, at) == '\\' and 2 or 1)
      until at > #source or source:sub(at, at) == char
    elseif at > start and char == '{' then
      depth = depth + 1
      if depth == 2 then lines[#lines + 1] = line end
    elseif at > start and char == '}' then
      depth = depth - 1
    end
    at = at + 1
  end
  return lines
end

local function problem(name, message)
  local file, line, rest = message:match '^(.-):(%d+): (.*)$'
  if file ~= name then return { at = { file = name, line = 0 }, message = message } end
  return { at = { file = name, line = math.tointeger(tonumber(line)) }, message = rest }
end

local function missing(host, path, name, message)
  local directory, base = path:match '^(.*)/([^/]*)$'
  local beside = {}
  for _, each in ipairs(host.list(directory == '' and '/' or directory) or {}) do
    if each:find '%.lua$' then beside[#beside + 1] = each end
  end
  return nil, { { message = ("faults file '%s': %s%s"):format(name, message, text.suggest(base, beside)) } }
end

---@param host sim_host
---@param path string absolute
---@param name string for people
---@param directory string the recipe's: paths of rows are below it
---@return table? rows, problem[] problems
function M.read(host, path, name, directory)
  local source, message, code = host.read(path)
  if not source then return missing(host, path, name, code == 'ENOENT' and 'no such file' or message) end
  local body, wrong = load(source, '@' .. name, 't', environment())
  if not body then return nil, { problem(name, wrong) } end
  local thread = coroutine.create(body)
  local ok, given = host.resume(thread, BUDGET_MS)
  if not ok then return nil, { problem(name, type(given) == 'string' and given or text.show(given)) } end
  if coroutine.status(thread) ~= 'dead' then return nil, { problem(name, 'must not wait') } end
  local lines = row_lines(source)
  local same = type(given) == 'table' and #given == #lines
  return rows.check(given, { name = name, directory = directory, lines = same and lines or nil })
end

return M
