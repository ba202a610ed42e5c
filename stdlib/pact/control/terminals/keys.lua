--- Keys that leave a terminal: how they are written, and how they are told from what is typed.

local text = require 'pact.base.text'

local M = {}

---@param words string such as `ctrl-p,ctrl-q`, `ctrl-]`, `~.`
---@return string? bytes, string? message
function M.parse(words)
  local bytes = {}
  for _, word in ipairs(text.split(words, ',')) do
    local letter = word:lower():match '^ctrl%-([a-z@%[\\%]^_])$'
    if letter then
      bytes[#bytes + 1] = string.char(letter:upper():byte() - 64)
    elseif #word == 1 then
      bytes[#bytes + 1] = word
    else
      return nil, ("'%s' is no key: a letter, or ctrl- and one of a-z @ [ \\ ] ^ _; several with commas between")
        :format(word)
    end
  end
  if not bytes[1] then return nil, 'no key is given' end
  return table.concat(bytes)
end

---@param bytes string
---@return string such as `Ctrl-P Ctrl-Q`
function M.words(bytes)
  return (bytes:gsub('.', function(byte)
    return byte:byte() < 32 and 'Ctrl-' .. string.char(byte:byte() + 64) .. ' ' or byte .. ' '
  end):gsub(' $', ''))
end

---@class key_watch
---@field keys string
---@field held string what may become the keys
local Watch = {}
Watch.__index = Watch

---@param keys string as of `parse`
---@return key_watch
function M.watch(keys) return setmetatable({ keys = keys, held = '' }, Watch) end

-- The longest end of `bytes` that begins the keys.
local function begun(bytes, keys)
  for size = math.min(#bytes, #keys - 1), 1, -1 do
    if bytes:sub(-size) == keys:sub(1, size) then return size end
  end
  return 0
end

---@param bytes string what was typed
---@return string passed what goes on; what may begin the keys is held back
---@return boolean found the keys were typed; what is behind them is nobody's
function Watch:take(bytes)
  bytes = self.held .. bytes
  local at = bytes:find(self.keys, 1, true)
  if at then return bytes:sub(1, at - 1), true end
  local held = begun(bytes, self.keys)
  self.held = bytes:sub(#bytes - held + 1)
  return bytes:sub(1, #bytes - held), false
end

return M
