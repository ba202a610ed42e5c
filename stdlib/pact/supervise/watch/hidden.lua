--- What a watch doesn't look at: the recipe's own rules, else those of .gitignore, else what nobody means.

local ignore = require 'pact.base.ignore'
local paths = require 'pact.base.path'

local M = {}

-- State and dependencies; what editors write while they save.
local USUAL = {
  'node_modules', '.git', '.hg', '.svn', '.jj', '.pactlua', '__pycache__',
  '4913', '*~', '.*.sw?', '.sw?', '#*#', '.#*', '.*.kate-swp', '*___jb_tmp___', '*___jb_old___', '.DS_Store',
}

---@class hidden
local Hidden = {}
Hidden.__index = Hidden

-- The directory above which no .gitignore counts.
local function top_of(fs, directory)
  local at = directory
  while true do
    if fs.stat(paths.join(at, '.git')) then return at end
    if at == '/' then return directory end
    at = paths.parent(at)
  end
end

---@param fs sys.fs
---@param directory string the recipe's
---@param own string[] rules of the recipe
---@return hidden
function M.new(fs, directory, own)
  return setmetatable({
    fs = fs, top = top_of(fs, directory), own = ignore.new(directory, nil, own), usual = ignore.new('/', nil, USUAL),
    known = {},
  }, Hidden)
end

---The rules that hold in a directory.
---@param directory string
---@return ignore_rules
function Hidden:rules(directory)
  if not paths.inside(directory, self.top) then return self.usual end
  local rules = self.known[directory]
  if rules then return rules end
  rules = directory == self.top and self.usual or self:rules(paths.parent(directory))
  local text = self.fs.read(paths.join(directory, '.gitignore'))
  if text then rules = ignore.parse(directory, rules, text) end
  self.known[directory] = rules
  return rules
end

---A .gitignore has changed: all are read anew when they are needed.
function Hidden:forget() self.known = {} end

---@param directory string
---@param path string in it
---@param is_directory boolean
---@return boolean
function Hidden:hides(directory, path, is_directory)
  local said = self.own:verdict(path, is_directory)
  if said ~= nil then return said end
  return self:rules(directory):ignores(path, is_directory)
end

return M
