--- Colours and shapes of what is printed. Without colour every function gives its text as it is.

local M = {}

local CODES = { red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, cyan = 36, bold = 1, dim = 2 }

-- Told apart by their neighbours in a column of prefixes; red stays free for what is wrong.
local PREFIXES = { 36, 33, 32, 35, 34, 96, 93, 92, 95, 94 }

local STATUS = {
  idle = 'dim', waiting = 'dim', starting = 'yellow', running = 'green', stopping = 'yellow', stopped = 'dim',
  backoff = 'yellow', completed = 'green', failed = 'red', skipped = 'red',
}

---@class style
---@field colour boolean
local Style = {}
Style.__index = Style

---@param colour boolean
---@return style
function M.new(colour)
  return setmetatable({ colour = colour }, Style)
end

---Colour only on a terminal, never with NO_COLOR.
---@param os_ sys.os
---@param fd integer
---@return boolean
function M.wanted(os_, fd, env)
  return os_.isatty(fd) and (env.NO_COLOR or '') == '' and env.TERM ~= 'dumb'
end

---Whether the network's front has colour: what its services may show. For the engine, which has no
---terminal itself.
---@param terminal boolean the front's output is one
---@param env table<string, string>
---@return boolean
function M.wanted_by_front(terminal, env)
  return M.wanted({ isatty = function() return terminal end }, 1, env)
end

---@param name string of CODES
function Style:paint(name, text)
  if not self.colour or not CODES[name] or text == '' then return text end
  return ('\27[%dm%s\27[0m'):format(CODES[name], text)
end

function Style:status(status, text)
  return self:paint(STATUS[status], text or status)
end

---The prefix of a service's lines: its name, aligned, in a colour of its own.
---@param index integer of the service
---@param name string
---@param width integer
---@param is_error boolean
function Style:prefix(index, name, width, is_error)
  local label = name .. (' '):rep(width - #name)
  if not self.colour then return label .. ' | ' end
  local bar = is_error and '\27[31m|\27[0m' or '\27[2m|\27[0m'
  return ('\27[%dm%s\27[0m %s '):format(PREFIXES[(index - 1) % #PREFIXES + 1], label, bar)
end

---Control sequences other than colours as \xNN, for a terminal; lines and tabs stay.
---@param line string
---@return string
function M.escaped(line)
  if not line:find('[%c]') then return line end
  local out, at = {}, 1
  while at <= #line do
    local colour = line:match('^\27%[[%d;]*m', at)
    if colour then
      out[#out + 1] = colour
      at = at + #colour
    else
      local c = line:sub(at, at)
      out[#out + 1] = (c:find '%c' and c ~= '\t' and c ~= '\n') and ('\\x%02X'):format(c:byte()) or c
      at = at + 1
    end
  end
  return table.concat(out)
end

return M
