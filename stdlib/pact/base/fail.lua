--- Problems of a recipe or a command line: collected with their places, shown all in one go.
local M = {}

local Collector = {}
Collector.__index = Collector

---@class collector
---@field list problem[] in order of arrival

---@return collector
function M.new() return setmetatable({ list = {}, seen = {} }, Collector) end

---@param at? at
---@return string such as `devnet.lua:12`, empty without a place
function M.place(at)
  if not at then return '' end
  return at.line and at.line > 0 and ('%s:%d'):format(at.file, at.line) or at.file
end

---One line: `devnet.lua:12: process 'web': depends_on 'databse' is not declared`.
---@param problem problem
---@return string
function M.text(problem)
  local out = {}
  if problem.at then out[#out + 1] = M.place(problem.at) .. ': ' end
  if problem.subject then out[#out + 1] = problem.subject .. ': ' end
  if problem.key then out[#out + 1] = problem.key .. ' ' end
  out[#out + 1] = problem.message
  return table.concat(out)
end

---A traceback without the message that Lua writes before it.
---@param traceback string
---@param message string
---@return string
function M.bare_traceback(traceback, message)
  if traceback:sub(1, #message) ~= message then return traceback end
  return (traceback:sub(#message + 1):gsub('^\n', ''))
end

---@param problem problem the same text a second time adds nothing
function Collector:add(problem)
  local text = M.text(problem)
  if self.seen[text] then return end
  self.seen[text] = true
  problem.seq = #self.list + 1
  self.list[#self.list + 1] = problem
end

---@return boolean
function Collector:empty() return #self.list == 0 end

local function before(a, b)
  local x, y = a.at, b.at
  if not x or not y then
    if x or y then return not x end
    return a.seq < b.seq
  end
  if x.file ~= y.file then return x.file < y.file end
  if x.line ~= y.line then return x.line < y.line end
  return a.seq < b.seq
end

---@return problem[] by file and line, those without a place first
function Collector:sorted()
  local out = table.move(self.list, 1, #self.list, 1, {})
  table.sort(out, before)
  return out
end

---All problems as lines of text, each with its traceback if it has one.
---@param problems problem[]
---@param most? integer lines of problems shown, default 50
---@return string ends with a newline unless there is none
function M.render(problems, most)
  most = most or 50
  local out = {}
  for i, problem in ipairs(problems) do
    if i > most then
      out[#out + 1] = ('… and %d more\n'):format(#problems - most)
      break
    end
    out[#out + 1] = M.text(problem) .. '\n'
    if problem.traceback then out[#out + 1] = problem.traceback:gsub('%s*$', '\n') end
  end
  return table.concat(out)
end

local Stop = { __tostring = function(self) return M.text(self.problem) end }

---An error value that ends the recipe's body with a problem for people instead of a traceback.
---@param problem problem
---@return table
function M.stop(problem) return setmetatable({ problem = problem }, Stop) end

---@param err any
---@return problem?
function M.stopped_by(err) return getmetatable(err) == Stop and err.problem or nil end

---Raises wrong use of a function of ours, with the place of the caller outside this library. A call as the last thing
---that a coroutine does leaves nobody to name: then it is for who hears of the error to say where that is.
---@param message string
function M.misuse(message)
  local level, info = 2, debug.getinfo(2, 'S')
  while info and (info.what == 'C' or info.short_src:find('stdlib/pact/', 1, true)) do
    level = level + 1
    info = debug.getinfo(level, 'S')
  end
  error(message, info and level or 0)
end

return M
