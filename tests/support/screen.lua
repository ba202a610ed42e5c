--- A terminal of a test's own: a program in it, keys for it, and what stands on it. Needs tmux.
local functional = require 'functional'

local M = {}

---@class screen
local Screen = {}
Screen.__index = Screen

local CONFIGURATION = [[
set -g default-terminal screen-256color
set -g escape-time 0
set -g status off
set -g history-limit 10000
]]

-- Runs the words, tells their status, and stays.
local KEPT = [[
trap : INT
stty -a >"$STTY.before"; "$@"; status=$?; stty -a >"$STTY.after"
echo "status $status"
exec cat
]]

---@param t test
---@param words string[]
---@param opts? { columns?: integer, rows?: integer, env?: table, cwd?: string, prompts?: string[] }
--- prompts: before a new line is typed the last row is waited for to be one of them
---@return screen
function M.open(t, words, opts)
  opts = opts or {}
  t.screens = (t.screens or 0) + 1
  local name = ('tmux%d'):format(t.screens)
  t:file('tmux.conf', CONFIGURATION)
  local self = setmetatable({
    t = t, socket = t:path(name), stty = t:path(name .. '.stty'), prompts = opts.prompts,
  }, Screen)
  local line = { '-S', self.socket, '-f', t:path 'tmux.conf', 'new-session', '-d', '-x', opts.columns or 80,
    '-y', opts.rows or 24, 'sh', '-c', KEPT, 'sh' }
  table.move(words, 1, #words, #line + 1, line)
  local env = { STTY = self.stty }
  for key, value in pairs(opts.env or {}) do env[key] = value end
  local result = t:start(line, { program = 'tmux', env = env, cwd = opts.cwd }):wait()
  assert(result.code == 0, result.err)
  return self
end

function Screen:tmux(...)
  local words = { 'tmux', '-S', self.socket }
  for _, word in ipairs { ... } do words[#words + 1] = functional.quote(word) end
  local pipe = assert(io.popen(table.concat(words, ' ') .. ' 2>&1'))
  local said = pipe:read 'a'
  pipe:close()
  return said
end

function Screen:await_prompt()
  functional.wait(function() return 'a prompt at the end of the screen:\n' .. self:text() end, function()
    local lines = self:lines()
    for _, prompt in ipairs(self.prompts) do
      if lines[#lines] == prompt then return true end
    end
  end)
end

---Types text as it is.
function Screen:type(text)
  if self.prompts and not self.typing then self:await_prompt() end
  self.typing = true
  self:tmux('send-keys', '-l', '--', text)
end

local ENDS = { Enter = true, ['C-c'] = true, ['C-u'] = true }

---Presses keys by their names, such as 'Enter', 'C-c', 'Tab'.
function Screen:press(...)
  self:tmux('send-keys', ...)
  self.typing = not ENDS[(select(-1, ...))]
end

---Types a line and ends it.
function Screen:enter(text)
  self:type(text)
  self:press 'Enter'
end

---@return string[] rows without blanks at their ends, up to the last that isn't empty; with what has left at the top
function Screen:lines()
  local out = {}
  for line in self:tmux('capture-pane', '-p', '-S', '-'):gmatch '([^\n]*)\n' do
    out[#out + 1] = line:gsub(' +$', '')
  end
  while out[1] and out[#out] == '' do out[#out] = nil end
  return out
end

function Screen:text() return table.concat(self:lines(), '\n') end

---Waits until the screen holds `text`.
---@param text string
---@param times? integer so often
function Screen:expect(text, times)
  functional.wait(function() return ('%q on the screen:\n%s'):format(text, self:text()) end, function()
    local _, count = self:text():gsub(text:gsub('%W', '%%%0'), '')
    return count >= (times or 1)
  end)
end

---Waits until the last rows are these, the last one last.
---@param ... string
function Screen:ends(...)
  local wanted = { ... }
  functional.wait(function()
    return ('%q at the end of the screen:\n%s'):format(table.concat(wanted, '\n'), self:text())
  end, function()
    local lines = self:lines()
    for i = 1, #wanted do
      if lines[#lines - #wanted + i] ~= wanted[i] then return false end
    end
    return true
  end)
end

---@return boolean the terminal's modes are what they were before the program
function Screen:same_modes()
  local before, after = functional.procfs.read(self.stty .. '.before'), functional.procfs.read(self.stty .. '.after')
  return before ~= nil and before == after
end

function Screen:close() self:tmux 'kill-server' end

return M
