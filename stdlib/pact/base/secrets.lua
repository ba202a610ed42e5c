--- What of a network must not be shown, known or by its looks; all that tells of state goes through here.

local json = require 'pact.base.json'
local list = require 'pact.base.list'
local mask = require 'pact.base.mask'

local M = {}

---@class secrets
---@field lists string[][]
local Secrets = {}
Secrets.__index = Secrets

---@param values? string[] what is added to it later counts, too
---@return secrets
function M.new(values)
  return setmetatable({ lists = { values } }, Secrets)
end

---@param values string[] what is added to it later counts, too
function Secrets:follow(values)
  if not list.index(self.lists, values) then self.lists[#self.lists + 1] = values end
end

-- Some list has this value.
local function knows(self, value)
  for _, known in ipairs(self.lists) do
    if list.index(known, value) then return true end
  end
  return false
end

---Nothing comes to a list any more. What was in it stays hidden.
---@param values string[] as it was followed
function Secrets:leave(values)
  self.lists = list.filter(self.lists, function(known) return known ~= values end)
  self.past = self.past or {}
  self:follow(self.past)
  for _, value in ipairs(values) do
    if not knows(self, value) then self.past[#self.past + 1] = value end
  end
end

---@param text string
---@return string
function Secrets:words(text)
  for _, values in ipairs(self.lists) do
    if values[1] then text = mask.text(text, values) end
  end
  return mask.words(text)
end

---@param line string JSON
---@return string JSON still
function Secrets:json(line)
  for _, values in ipairs(self.lists) do
    for _, value in ipairs(values) do
      local escaped = json.encode(value):sub(2, -2)
      if line:find(escaped, 1, true) then line = mask.text(line, { escaped }) end
    end
  end
  return mask.json(line)
end

return M
