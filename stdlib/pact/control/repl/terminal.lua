--- Where a REPL's lines come from and what it says goes to: a terminal with an editor for lines, or what there is.

local style = require 'pact.observe.style'
local text = require 'pact.base.text'

local M = {}

---@class repl_terminal
---@field prompts boolean somebody is asked
---@field person boolean lines are typed; else they come from a file or a program
---@field editing boolean
---@field colour boolean
local Terminal = {}
Terminal.__index = Terminal

---@class repl_listener
---@field line fun(line: string)
---@field ended fun()
---@field tab fun(line: string, cursor: integer)
---@field lost fun(message: string, code: string) what is said can't be written any more

---@param sys sys
---@param sched sched
---@param env table<string, string>
---@param heard repl_listener
---@return repl_terminal
function M.new(sys, sched, env, heard)
  local both, term = sys.os.isatty(0) and sys.os.isatty(1), env.TERM or ''
  local self = setmetatable({
    sys = sys, heard = heard, prompts = both, person = sys.os.isatty(0),
    escapes = sys.os.isatty(1), colour = style.wanted(sys.os, 1, env),
    editing = both and term ~= '' and term ~= 'dumb',
  }, Terminal)
  local id, message, code = sys.edit.open(self.editing)
  if not id and code == 'ENOSYS' then
    self.editing, self.lacks = false, message
    id, message = sys.edit.open(false)
  end
  if not id then error(message, 0) end
  sched:on(id, function(_, what, line, cursor)
    if what == 'line' then heard.line(line) elseif what == 'end' then heard.ended() else heard.tab(line, cursor) end
  end)
  self.paint = style.new(self.colour)
  return self
end

-- What takes no columns stands between two bytes 1; libedit wants something to be shown behind it.
local function unseen(painted) return (painted:gsub('\27%[[%d;]*m', '\1%0\1')) end

---Asks for a line.
---@param name string what stands in the prompt
---@param more boolean the next one of several
function Terminal:ask(name, more)
  local prompt = ''
  if self.prompts then
    name = text.truncate(name:gsub('%c', ''), 30)
    local width = utf8.len(name) or #name
    prompt = (more and self.paint:paint('dim', (' '):rep(width) .. '|') or self.paint:paint('bold', name .. '>')) .. ' '
  end
  self.sys.edit.read(self.editing and unseen(prompt) or prompt)
end

---Writes whole lines, above what is being typed.
---@param words string
function Terminal:say(words)
  if words == '' then return end
  local ok, message, code = self.sys.edit.write(self.escapes and style.escaped(words) or words)
  if not ok then self.heard.lost(message, code) end
end

-- Each line by itself: a colour ends with its line.
local function painted(paint, colour, words)
  return (words:gsub('[^\n]+', function(line) return paint:paint(colour, line) end))
end

---Less important than the rest.
---@param words string
function Terminal:whisper(words) self:say(painted(self.paint, 'dim', words)) end

---What went wrong: beside the output where that isn't shown to anybody.
---@param words string
function Terminal:complain(words)
  if self.escapes then return self:say(painted(self.paint, 'red', words)) end
  if self.sys.os.isatty(2) then words = style.escaped(words) end
  self.sys.os.write(2, words)
end

---@return integer columns
function Terminal:width() return (self.sys.os.terminal_size()) end

function Terminal:close() self.sys.edit.close() end

return M
