--- What of a network must not be shown, known or by its looks; all that tells of state goes through here.

local json = require 'pact.base.json'
local mask = require 'pact.base.mask'

local M = {}

---@class secrets
---@field lists string[][]
local Secrets = {}
Secrets.__index = Secrets

---@param list? string[] values; what is added to it later counts, too
---@return secrets
function M.new(list)
  return setmetatable({ lists = { list } }, Secrets)
end

---@param list string[] values; what is added to it later counts, too
function Secrets:follow(list)
  for _, known in ipairs(self.lists) do
    if known == list then return end
  end
  self.lists[#self.lists + 1] = list
end

---@param text string
---@return string
function Secrets:words(text)
  for _, list in ipairs(self.lists) do
    if list[1] then text = mask.text(text, list) end
  end
  return mask.words(text)
end

---@param line string JSON
---@return string JSON still
function Secrets:json(line)
  for _, list in ipairs(self.lists) do
    for _, value in ipairs(list) do
      local escaped = json.encode(value):sub(2, -2)
      if line:find(escaped, 1, true) then line = mask.text(line, { escaped }) end
    end
  end
  return mask.json(line)
end

return M
