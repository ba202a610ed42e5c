--- Signals by name and number, as Linux on x86-64 and arm64 numbers them.
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@type table<string, integer>
M.numbers = {
  HUP = 1, INT = 2, QUIT = 3, ILL = 4, TRAP = 5, ABRT = 6, BUS = 7, FPE = 8, KILL = 9, USR1 = 10,
  SEGV = 11, USR2 = 12, PIPE = 13, ALRM = 14, TERM = 15, STKFLT = 16, CHLD = 17, CONT = 18, STOP = 19,
  TSTP = 20, TTIN = 21, TTOU = 22, URG = 23, XCPU = 24, XFSZ = 25, VTALRM = 26, PROF = 27, WINCH = 28,
  IO = 29, PWR = 30, SYS = 31,
}

local names = {}
for name, number in pairs(M.numbers) do names[number] = name end

---@param number integer
---@return string without SIG
function M.name(number) return names[number] or ('RT%d'):format(number) end

---@param value any `'TERM'`, `'SIGTERM'`, `'sigterm'`, 15
---@return integer? number
---@return string? message as the end of a sentence that begins with the field's name
function M.parse(value)
  if type(value) == 'string' then
    local name = value:upper():gsub('^SIG', '')
    if M.numbers[name] then return M.numbers[name] end
    local hint = text.suggest(name, list.keys(M.numbers))
    return nil, ("must be a signal such as 'TERM' or 15, got %s%s"):format(text.show(value), hint)
  end
  local number = type(value) == 'number' and math.tointeger(value)
  if number and number >= 1 and number <= 64 then return number end
  return nil, ("must be a signal such as 'TERM' or 15, got %s"):format(text.show(value))
end

return M
