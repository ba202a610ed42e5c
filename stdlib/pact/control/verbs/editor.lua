--- What an editor needs to know of recipes: a `.luarc.json` for the language server, which names the stubs.

local json = require 'pact.base.json'

local M = {}

local NAME = '.luarc.json'

local function installed(sys)
  local bin = (sys.fs.realpath '/proc/self/exe' or ''):match '^(.*)/[^/]*$' or ''
  for _, share in ipairs { bin:gsub('/[^/]*$', '') .. '/share', bin .. '/share' } do
    local directory = share .. '/pactlua/editor'
    if sys.fs.stat(directory .. '/pact.lua') then return directory end
  end
end

-- where nothing is installed the stubs are written for this user
local function written(sys, env)
  local data = env.XDG_DATA_HOME
  if not data or data == '' then data = (env.HOME or '') .. '/.local/share' end
  local directory = data .. '/pactlua/editor'
  local ok, message = sys.fs.mkdir(directory .. '/pact')
  for _, file in ipairs(ok and require('pact.declare.reference').stub_files() or {}) do
    if ok then ok, message = sys.fs.write(directory .. '/' .. file.path, file.text) end
  end
  if not ok then return nil, ('%s: %s'):format(directory, message) end
  return directory
end

---@param directory string of the stubs
---@return string
function M.text(directory)
  return json.encode({
    runtime = { version = 'Lua 5.4' },
    workspace = { library = json.array { directory }, checkThirdParty = false, ignoreDir = json.array { '.pactlua' } },
  }, { indent = true }) .. '\n'
end

---Writes `.luarc.json` beside a recipe, unless there is one.
---@param context main_context
---@param directory string ends in '/', or is empty
---@return boolean ok
function M.write(context, directory)
  local sys, path = context.sys, directory .. NAME
  local stubs, message = installed(sys)
  if not stubs then stubs, message = written(sys, context.env) end
  if not stubs then
    context.err(('pactlua: init: %s\n'):format(message))
    return false
  end
  if sys.fs.stat(path) then
    context.err(("pactlua: init: '%s' is there already; its workspace.library should name %s\n"):format(path, stubs))
    return false
  end
  local ok
  ok, message = sys.fs.write(path, M.text(stubs))
  if not ok then context.err(('pactlua: init: %s: %s\n'):format(path, message)) end
  return ok ~= nil
end

return M
