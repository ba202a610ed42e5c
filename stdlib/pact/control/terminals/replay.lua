--- What a terminal was shown last, fit to be shown again: without what asks the terminal for an answer,
-- for the program that asked has had it, and would take another one for something typed.

local M = {}

-- Questions, and what reaches beyond the screen: the clipboard.
local LEFT_OUT = {
  '\27%[%??[56]n', -- where is the cursor
  '\27%[[>=]?%d*c', -- what are you
  '\27%[>%d*q',
  '\27%[%??%d+%$p', -- is that mode set
  '\27%[%?u',
  '\27%[1[1-9]t', '\27%[2[01]t', -- how large are you
  '\27%][%d;]*%?[\7\27]\\?', -- which colour is that
  '\27%]52;[^\7\27]*[\7\27]\\?',
  '\27P[^\27]*\27\\',
}

local RING = 16 * 1024

---@param bytes string the last ones; they may begin anywhere
---@return string
function M.of(bytes)
  if #bytes >= RING then bytes = bytes:match '^[^\n]*\n(.*)$' or bytes end
  for _, pattern in ipairs(LEFT_OUT) do bytes = bytes:gsub(pattern, '') end
  return bytes
end

return M
