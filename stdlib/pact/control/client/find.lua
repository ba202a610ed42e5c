--- Finds what a command is about: a recipe here or above, a network that is live.

local cli = require 'pact.control.cli'
local paths = require 'pact.base.path'
local text = require 'pact.base.text'

local M = {}

local NAMES = { 'pact.lua', 'devnet.lua', 'compose.yml' }

---Directories from here up to the root.
---@return fun(): string?
function M.upward(from)
  local next_one = from
  return function()
    local this = next_one
    if this then next_one = this ~= '/' and paths.parent(this) or nil end
    return this
  end
end

---@class found_recipe
---@field path string absolute
---@field name string as people know it
---@field directory string

local function described(path, name)
  return { path = path, name = name, directory = paths.parent(path) }
end

local function beside(sys, directory)
  local found = {}
  for _, name in ipairs(sys.fs.list(directory) or {}) do
    if name:find '%.lua$' then found[#found + 1] = name end
  end
  return found
end

local function missing(sys, name)
  local directory = name:match '^(.*)/[^/]*$' or '.'
  local near = text.suggest(name:match '[^/]*$', beside(sys, directory))
  return ("recipe '%s': no such file%s"):format(name, near)
end

---@param sys sys
---@param name string as the user gave it
---@return found_recipe?, string? message
function M.named(sys, name)
  local stat, message, code = sys.fs.stat(name)
  if not stat then
    if code == 'ENOENT' or code == 'ENOTDIR' then return nil, missing(sys, name) end
    return nil, ("recipe '%s': %s"):format(name, message)
  end
  if stat.type == 'directory' then
    local inside = name:gsub('/+$', '')
    for _, each in ipairs(NAMES) do
      if sys.fs.stat(inside .. '/' .. each) then
        return nil, ("recipe '%s' is a directory (did you mean '%s/%s'?)"):format(name, inside, each)
      end
    end
    return nil, ("recipe '%s' is a directory"):format(name)
  end
  if name:find '%.ya?ml$' then return nil, ("recipe '%s': compose files are not in this version"):format(name) end
  local directory, file = name:match '^(.*)/([^/]*)$'
  local real
  real, message = sys.fs.realpath(directory == '' and '/' or directory or '.')
  if not real then return nil, ("recipe '%s': %s"):format(name, message) end
  return described(paths.join(real, file or name), name)
end

---@param sys sys
---@param invocation invocation
---@return found_recipe?, string? message
function M.recipe(sys, invocation)
  if invocation.recipe then return M.named(sys, invocation.recipe) end
  local here = sys.fs.cwd()
  for directory in M.upward(here) do
    for _, name in ipairs(NAMES) do
      local path = paths.join(directory, name)
      local stat = sys.fs.stat(path)
      if stat and stat.type == 'file' then
        local shown = directory == here and name or path
        if not cli.is_file(name) or name:find '%.lua$' then return described(path, shown) end
        return nil, ("recipe '%s': compose files are not in this version"):format(shown)
      end
    end
  end
  return nil, ("no recipe: neither %s here or above; 'pactlua init' writes a first one"):format(
    text.enumerate(NAMES, 'nor'))
end

---@class found_network a network's state directory, live or not
---@field path string
---@field project string
---@field directory string the recipe's

-- Networks that lie beside their recipes in a directory.
local function beside_recipes(sys, directory, into)
  local root = paths.join(directory, '.pactlua')
  for _, project in ipairs(sys.fs.list(root) or {}) do
    local path = paths.join(root, project)
    local stat = sys.fs.stat(path)
    if stat and stat.type == 'directory' then
      into[#into + 1] = { path = path, project = project, directory = directory }
    end
  end
end

-- The recipe's, whose name may have several lines, and the project's behind it, which older ones lack.
local function directory_of(written)
  local of, project = written:match '^(.*)\n([^\n]+)\n$'
  return of or written:match '^[^\n]*', project or ''
end

-- Networks without a place beside their recipe, of the directories that `is_meant`.
local function without_place(sys, env, is_meant, into)
  local root = require('pact.control.statedir').fallback_root(sys, env)
  for _, name in ipairs(sys.fs.list(root) or {}) do
    local path = paths.join(root, name)
    local of, project = directory_of(sys.fs.read(path .. '/directory') or '')
    if of ~= '' and is_meant(of) then
      project = project ~= '' and project or name:match '^(.*)%-%x+$' or name
      into[#into + 1] = { path = path, project = project, directory = of }
    end
  end
end

---State directories of networks around here: those above, then those without a place beside their recipe.
---@param sys sys
---@param env table<string, string>
---@param project? string when there is none of this name, those elsewhere
---@return found_network[]
function M.state_dirs(sys, env, project)
  local here, dirs = sys.fs.cwd(), {}
  for directory in M.upward(here) do beside_recipes(sys, directory, dirs) end
  without_place(sys, env, function(of) return paths.inside(here, of) end, dirs)
  if not project then return dirs end
  for _, dir in ipairs(dirs) do
    if dir.project == project then return dirs end
  end
  return M.elsewhere(sys, env)
end

---State directories of networks that aren't around here: where engines run, and those without a place.
---@param sys sys
---@param env table<string, string>
---@return found_network[]
function M.elsewhere(sys, env)
  local here, dirs = sys.fs.cwd(), {}
  for _, directory in ipairs(require('pact.control.client.engines').directories(sys)) do
    if not paths.inside(here, directory) then beside_recipes(sys, directory, dirs) end
  end
  without_place(sys, env, function(of) return not paths.inside(here, of) end, dirs)
  return dirs
end

return M
