--- What a recipe writes, in whole lines: an unterminated one is held until the rest of it comes, or a while has passed.

local M = {}

local HELD_MS = 250

---@class lines
local Lines = {}
Lines.__index = Lines

---@param sched sched
---@param say fun(text: string)
---@return lines
function M.new(sched, say)
  return setmetatable({ sched = sched, say = say, rest = '' }, Lines)
end

---@param bytes string
function Lines:write(bytes)
  local whole, rest = (self.rest .. bytes):match '^(.*\n)(.*)$'
  self.rest = rest or self.rest .. bytes
  if whole then self.say(whole) end
  self.sched:cancel(self.timer)
  self.timer = self.rest ~= '' and self.sched:after(HELD_MS, function() self:flush() end) or nil
end

---What is held is a line of its own.
function Lines:flush()
  self.sched:cancel(self.timer)
  self.timer = nil
  if self.rest ~= '' then self.say(self.rest .. '\n') end
  self.rest = ''
end

return M
