--- Colours and shapes of what is printed. Without colour every function gives its text as it is.

local M = {}

local CODES = { red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, cyan = 36, bold = 1, dim = 2, reverse = 7 }

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

---Colour only on a terminal that is more than paper, never with NO_COLOR.
---@param os_ sys.os
---@param fd integer
---@return boolean
function M.wanted(os_, fd, env)
  local term = env.TERM or ''
  return os_.isatty(fd) and (env.NO_COLOR or '') == '' and term ~= '' and term ~= 'dumb'
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

local PLAIN, COLOUR, CHARACTER = '^[^%c\x80-\xff]+', '^\27%[[%d;:]*m', '^[\xC2-\xF4][\x80-\xBF]+'

local function hex(bytes)
  return (bytes:gsub('.', function(c) return ('\\x%02x'):format(c:byte()) end))
end

-- What is neither plain nor a colour: a character that may stay, or bytes that must not.
local function special(text, at)
  local c = text:match('^\t', at) or text:match('^\r?\n', at)
  if c then return c, c end
  c = text:match(CHARACTER, at)
  while c and #c > 1 and not utf8.len(c) do c = c:sub(1, -2) end -- the next may be a stray byte
  if not c or #c == 1 then c = text:sub(at, at) end
  return c, (#c == 1 or c:find '^\xC2[\x80-\x9F]') and hex(c) or c
end

---Control sequences other than colours as \xNN, and what is no text, for a terminal; lines and tabs stay. A colour
---ends with its line.
---@param text string
---@return string
function M.escaped(text)
  if not text:find '[%c\x80-\xff]' then return text end
  local out, at, colour = {}, 1, false
  while at <= #text do
    local taken = text:match(PLAIN, at)
    local put = taken
    if not taken then
      taken = text:match(COLOUR, at)
      put = taken
      if taken then
        colour = not taken:find '^\27%[0*m$'
      else
        taken, put = special(text, at)
        if colour and put:find '\n' then put, colour = '\27[0m' .. put, false end
      end
    end
    out[#out + 1] = put
    at = at + #taken
  end
  if colour then out[#out + 1] = '\27[0m' end
  return table.concat(out)
end

return M
