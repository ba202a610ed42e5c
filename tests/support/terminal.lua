--- A terminal with a program in it, by tmux: what is typed, what its screen shows, how large it is. The server is a
--- child of the test's, and ends with it.
local functional = require 'functional'

local M = {}

---@class test_terminal
---@field t test
---@field server started
local Terminal = {}
Terminal.__index = Terminal

local serial = 0

function Terminal:tmux(...)
  local words = { 'tmux', '-N', '-S', self.socket, ... }
  for i, word in ipairs(words) do words[i] = functional.quote(word) end
  local pipe = assert(io.popen(table.concat(words, ' ') .. ' 2>&1', 'r'))
  local out = pipe:read 'a'
  return pipe:close() and out or nil, out
end

---@param t test
---@param opts? { columns?: integer, rows?: integer, env?: table<string, string> }
---@return test_terminal with a shell whose prompt is `outer> `; $PACTLUA is the binary
function M.open(t, opts)
  opts = opts or {}
  serial = serial + 1
  local self = setmetatable({ t = t, socket = ('%s/tmux-%d'):format(t.dir, serial) }, Terminal)
  local env = { PACTLUA = functional.bin, TMUX = false, TERM = 'xterm-256color', ENV = false }
  for name, value in pairs(opts.env or {}) do env[name] = value end
  local settings = t:file('.tmux', 'set-option -g status off\nset-option -g history-limit 20000\n')
  self.server = t:start({ '-S', self.socket, '-f', settings, '-D' }, { program = 'tmux', env = env })
  functional.wait('the terminal', function()
    return self:tmux('new-session', '-d', '-x', tostring(opts.columns or 80), '-y', tostring(opts.rows or 24),
      '-c', t.dir, 'env', 'PS1=outer> ', 'sh')
  end)
  self:size(opts.columns or 80, opts.rows or 24)
  self:expect 'outer>'
  return self
end

---Keys as tmux names them (`Enter`, `C-c`), or text.
function Terminal:press(...) assert(self:tmux('send-keys', '-t', '0', ...)) end

---Types a line, with Enter.
function Terminal:type(line)
  assert(self:tmux('send-keys', '-t', '0', '-l', '--', line))
  self:press 'Enter'
end

---Clears the screen from the shell, and waits until a text is gone from it.
function Terminal:clear(text)
  self:type 'clear'
  functional.wait(('%q to be gone'):format(text), function() return not self:screen():find(text, 1, true) end)
end

function Terminal:size(columns, rows)
  assert(self:tmux('resize-window', '-t', '0', '-x', tostring(columns), '-y', tostring(rows)))
end

---@return string what is to be seen, without blanks at the ends of lines
function Terminal:screen() return (self:tmux('capture-pane', '-p', '-t', '0') or '') end

---@return string all that was to be seen and has moved out of sight, too
function Terminal:history() return (self:tmux('capture-pane', '-p', '-J', '-S', '-', '-t', '0') or '') end

---Waits until the screen shows a text, so many times.
function Terminal:expect(text, count, seconds)
  return functional.wait(function() return ('%q on the screen:\n%s'):format(text, self:screen()) end, function()
    local seen, at, screen = 0, 1, self:screen()
    while true do
      local from, to = screen:find(text, at, true)
      if not from then break end
      seen, at = seen + 1, to + 1
    end
    return seen >= (count or 1) and screen
  end, seconds)
end

---The attributes of the terminal, by `stty` in its outer shell; what they are while another has it, too.
function Terminal:attributes()
  local tty = self:tmux('display-message', '-p', '-t', '0', '#{pane_tty}'):gsub('\n', '')
  local pipe = assert(io.popen(('stty -a -F %s'):format(tty), 'r'))
  local out = pipe:read 'a'
  pipe:close()
  return (out:gsub('^[^\n]*\n', '')) -- but for its size
end

function Terminal:raw() return self:attributes():find('-icanon', 1, true) ~= nil end

function Terminal:close()
  self:tmux 'kill-server'
  self.server:wait()
end

return M
