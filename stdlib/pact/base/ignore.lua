--- What is not to be looked at: rules as .gitignore has them. The last rule that matches decides.

local glob = require 'pact.base.glob'

local M = {}

---@class ignore_rule
---@field set glob_set
---@field by_name boolean against the last name alone
---@field directory boolean only directories
---@field back boolean `!`: it counts after all

---@class ignore_rules
---@field directory string what they are below
---@field list ignore_rule[]
---@field above? ignore_rules those of the directories above, which are weaker
local Rules = {}
Rules.__index = Rules

local function rule_of(line)
  local text = line:gsub('\r$', ''):gsub('([^\\])%s+$', '%1'):gsub('\\ $', ' ')
  if text:find '^%s*$' or text:sub(1, 1) == '#' then return nil end
  local back = text:sub(1, 1) == '!'
  if back then text = text:sub(2) end
  text = text:gsub('^\\([!#])', '%1')
  local directory = text:find '/$' ~= nil
  text = text:gsub('/+$', '')
  local by_name = not text:find('/', 1, true)
  local set = text ~= '' and glob.new { (text:gsub('^/', '')) }
  return set and { set = set, by_name = by_name, directory = directory, back = back }
end

---@param directory string
---@param above? ignore_rules
---@param lines string[]
---@return ignore_rules
function M.new(directory, above, lines)
  local rules = setmetatable({ directory = directory, above = above, list = {} }, Rules)
  for _, line in ipairs(lines) do rules.list[#rules.list + 1] = rule_of(line) or nil end
  return rules
end

---@param directory string
---@param above? ignore_rules
---@param text string of a .gitignore
---@return ignore_rules
function M.parse(directory, above, text)
  local lines = {}
  for line in text:gmatch '[^\n]+' do lines[#lines + 1] = line end
  return M.new(directory, above, lines)
end

---@param path string
---@param is_directory boolean
---@return boolean? ignored nil: no rule speaks of it
function Rules:verdict(path, is_directory)
  local name, rules = path:match '[^/]*$', self
  while rules do
    local below = rules.directory == '/' and path:sub(2) or path:sub(#rules.directory + 2)
    for i = #rules.list, 1, -1 do
      local rule = rules.list[i]
      if (is_directory or not rule.directory)
        and (rule.by_name and rule.set:match_name(name) or not rule.by_name and rule.set:match(below)) then
        return not rule.back
      end
    end
    rules = rules.above
  end
end

---@param path string below the rules' directory
---@param is_directory boolean
---@return boolean
function Rules:ignores(path, is_directory) return self:verdict(path, is_directory) or false end

return M
