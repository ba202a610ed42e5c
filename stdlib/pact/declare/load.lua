--- Reads a recipe and the modules beside it: text only, strict globals, errors with their places.
local fail = require 'pact.base.fail'
local list = require 'pact.base.list'
local strict = require 'pact.base.strict'
local text = require 'pact.base.text'

local M = {}

local library = {
  'assert', 'collectgarbage', 'coroutine', 'debug', 'error', 'getmetatable', 'io', 'ipairs', 'math', 'next',
  'os', 'pairs', 'pcall', 'print', 'rawequal', 'rawget', 'rawlen', 'rawset', 'select', 'setmetatable',
  'string', 'table', 'tonumber', 'tostring', 'type', 'utf8', 'warn', 'xpcall', '_VERSION',
}

local hints = {
  arg = " (the recipe's arguments are in pact.args)",
  pact = (" (write local pact = %s 'pact' first)"):format 'require',
  package = ' (require finds the modules beside the recipe by itself)',
}

-- What recipes have added to `string`: strings have it as methods.
local additions = {}

-- A recipe has copies of the library's tables: what it changes there changes nothing for us.
local function copies()
  local globals = {}
  for _, name in ipairs(library) do
    local value = _G[name]
    globals[name] = type(value) == 'table' and list.copy(value) or value
  end
  setmetatable(globals.string, { __newindex = function(own, name, value)
    rawset(own, name, value)
    additions[name] = value
  end })
  setmetatable(string, { __index = additions })
  return globals
end

-- names that the running function of the recipe can see
local function visible(level, env, others)
  local names, i = {}, 1
  while true do
    local name = debug.getlocal(level + 1, i)
    if not name then break end
    if not name:find '^%(' then names[#names + 1] = name end
    i = i + 1
  end
  local info = debug.getinfo(level + 1, 'f')
  i = 1
  while info do
    local name = debug.getupvalue(info.func, i)
    if not name then break end
    names[#names + 1] = name
    i = i + 1
  end
  for name in pairs(env) do names[#names + 1] = tostring(name) end
  for name in pairs(others or {}) do names[#names + 1] = name end
  return names
end

local function notice(recipe, what, name, value)
  local at, level = recipe:where()
  local message
  if what == 'assigned' then
    local instead = type(value) == 'function' and 'local function %s' or 'local %s = …'
    message = ("sets the global '%s': write %s"):format(name, instead:format(name))
  else
    local hint = hints[name]
      or level and text.suggest(name, visible(level, recipe.env, recipe.names_in[at.file])) or ''
    message = ("'%s' has no value here%s"):format(name, hint)
  end
  if recipe.phase == 'running' then error(('%s: %s'):format(fail.place(at), message), 0) end
  recipe.slips:add { at = at, message = message, undefined = what == 'undefined' }
end

---The global environment of a recipe.
---@param recipe table
---@return table
function M.environment(recipe)
  local globals = copies()
  for name, value in pairs(recipe.context.globals or {}) do globals[name] = value end
  local env
  function globals.require(name) return M.require(recipe, name) end
  function globals.load(chunk, name, _, given)
    return load(chunk, name or '=(load)', 't', given == nil and env or given)
  end
  function globals.loadfile(path, _, given)
    local body, problem = M.chunk(recipe, recipe:cursor(''):absolute(path), path, given or env)
    if not body then return nil, fail.text(problem) end
    return body
  end
  function globals.dofile(path)
    local body, problem = M.chunk(recipe, recipe:cursor(''):absolute(path), path, env)
    if not body then error(fail.stop(problem), 0) end
    return body()
  end
  env = strict.new(globals, function(...) notice(recipe, ...) end)
  return env
end

-- what can be told of a file that isn't Lua text
local function refuse(source)
  if source:find '^\27Lua' then return 'is compiled Lua; a recipe is text' end
  if source:find('\0', 1, true) then return 'is binary; a recipe is Lua text' end
end

-- a comma that was forgotten shows as a name or a brace where the table should end
local function hint(message)
  if message:find "^'}' expected" and not message:find 'near <eof>' then
    return ' (is a comma missing before it?)'
  end
  if message:find "near '!='" or message:find "near '!'" then return " (Lua writes 'not' and '~=')" end
  return ''
end

local function syntax(name, message)
  local line, rest = message:match '^.-:(%d+): (.*)$'
  return {
    at = { file = name, line = math.tointeger(tonumber(line)) or 0 },
    message = 'syntax error: ' .. (rest or message) .. hint(rest or ''),
  }
end

---Compiles a text file of the recipe's.
---@param recipe table
---@param path string
---@param name string for people
---@param env table
---@return function?
---@return problem?
function M.chunk(recipe, path, name, env)
  local at = { file = name, line = 0 }
  recipe.paths[path] = true
  local source, message = recipe.context.sys.fs.read(path)
  if not source then return nil, { at = at, message = message } end
  local wrong = refuse(source)
  if wrong then return nil, { at = at, message = wrong } end
  source = source:gsub('^\239\187\191', ''):gsub('^#', '--#')
  local body, err = load(source, '@' .. name, 't', env)
  if not body then return nil, syntax(name, err) end
  recipe.sources['@' .. name] = name
  recipe.texts['@' .. name] = source
  recipe.shorts[debug.getinfo(body, 'S').short_src] = name
  return body, nil
end

local function directory_of(path) return path:match '^(.*)/[^/]*$' or '' end

-- the module's file below the recipe's directory, and its name for people
local function find(recipe, name)
  local fs = recipe.context.sys.fs
  local relative = name:gsub('%.', '/')
  local shown = directory_of(recipe.name)
  if shown ~= '' then shown = shown .. '/' end
  for _, tail in ipairs { relative .. '.lua', relative .. '/init.lua' } do
    local path = recipe.directory .. '/' .. tail
    recipe.paths[path] = true
    local stat = fs.stat(path)
    if stat and stat.type == 'file' then return path, shown .. tail end
  end
end

---`require` of a recipe: `pact`, Lua's own library, modules beside the recipe, then what the context adds.
---@param recipe table
---@param name any
function M.require(recipe, name)
  if type(name) ~= 'string' then error('require takes the name of a module', 2) end
  if name == 'pact' then return recipe.pact end
  local known = recipe.modules[name]
  if known ~= nil then return known end
  local path, shown
  if name:find '^[%w_][%w_.-]*$' and not name:find '%.%.' then path, shown = find(recipe, name) end
  if path then
    local body, problem = M.chunk(recipe, path, shown, recipe.env)
    if not body then error(fail.stop(problem), 0) end
    recipe.modules[name] = true
    local result = body(name, path)
    if result ~= nil then recipe.modules[name] = result end
    return recipe.modules[name]
  end
  if list.index(library, name) and type(recipe.env[name]) == 'table' then return recipe.env[name] end
  local added = recipe.context.require and recipe.context.require(name)
  if added ~= nil then return added end
  error(fail.stop {
    at = recipe:where(),
    message = ("module '%s' is not there: neither %s.lua nor %s/init.lua beside %s")
      :format(name, name:gsub('%.', '/'), name:gsub('%.', '/'), recipe.name),
  }, 0)
end

local function absent(recipe, message)
  local fs = recipe.context.sys.fs
  local names = fs.list(directory_of(recipe.context.path)) or {}
  local base = recipe.context.path:match '[^/]*$'
  local recipes = list.filter(names, function(name) return name:find '%.lua$' end)
  return (message or 'no such file') .. text.suggest(base, recipes)
end

local function plain_file(recipe)
  local fs, path = recipe.context.sys.fs, recipe.context.path
  local stat, message, code = fs.stat(path)
  if not stat then return code == 'ENOENT' and absent(recipe, 'no such file') or message end
  if stat.type == 'directory' then
    local inside = list.filter(fs.list(path) or {}, function(name) return name:find '%.lua$' end)
    local found = inside[1] and (': it has %s'):format(text.quoted(inside)) or ''
    return ('is a directory, not a recipe%s'):format(found)
  end
  if path:find '%.ya?ml$' then return 'is a compose file, which this version cannot read; write a recipe in Lua' end
end

---@param recipe table
---@return function? body to run as a coroutine; it hands the recipe its arguments
---@return problem?
function M.compile(recipe)
  local name = recipe.name
  local wrong = plain_file(recipe)
  if wrong then return nil, { at = { file = name, line = 0 }, message = wrong } end
  local body, problem = M.chunk(recipe, recipe.context.path, name, recipe.env)
  if not body then return nil, problem end
  local source = recipe.context.sys.fs.read(recipe.context.path)
  if source and source:find '^%s*$' then
    return nil, { at = { file = name, line = 0 },
      message = "is empty: a recipe declares services, such as pact.process 'web' { … } ('pactlua init' writes one)" }
  end
  local args = recipe.context.args or {}
  return function() return body(table.unpack(args)) end, nil
end

---A traceback with the lines that speak of the recipe's own files.
---@param recipe table
---@param traceback string
---@return string? nil when none do
---@return at? at where the first of them is
---@return boolean? refused the error came out of a function of ours
function M.traceback(recipe, traceback)
  local out, at, innermost = {}, nil, nil
  for _, line in ipairs(text.lines(traceback)) do
    local short, number = line:match '^%s+(.-):(%d+):'
    local file = short and recipe.shorts[short]
    if short and innermost == nil then innermost = file or false end
    if file then
      out[#out + 1] = '\t' .. text.trim(line)
      at = at or { file = file, line = math.tointeger(tonumber(number)) }
    end
  end
  if #out == 0 then return nil end
  return 'stack traceback:\n' .. table.concat(out, '\n'), at, innermost == false
end

return M
