--- What a program has switched on in a terminal, so that whoever takes the terminal away from it can
-- switch it off.

local M = {}

---@class modes
---@field on table<string, string> what switches each off, by what was switched on
---@field rest string a sequence that isn't whole yet
local Modes = {}
Modes.__index = Modes

-- Private modes that a shell doesn't expect, and the letter that ends them.
local OFF = {}
for mode in ('1 9 47 1000 1002 1003 1004 1005 1006 1015 1047 1049 2004 2026'):gmatch '%d+' do
  OFF[mode] = 'l'
end
local HIDDEN = '25' -- the cursor, which is there without being switched on

---@return modes
function M.new() return setmetatable({ on = {}, rest = '' }, Modes) end

local function set(self, mode, letter)
  if mode == HIDDEN then
    self.on[mode] = letter == 'l' and '\27[?25h' or nil
  elseif OFF[mode] then
    self.on[mode] = letter == 'h' and ('\27[?%sl'):format(mode) or nil
  end
end

local SEQUENCE_MAX = 64

---@param bytes string that the terminal is shown
function Modes:see(bytes)
  bytes = self.rest .. bytes
  for numbers, letter in bytes:gmatch '\27%[%?([%d;]+)([hl])' do
    for mode in numbers:gmatch '%d+' do set(self, mode, letter) end
  end
  for key in bytes:gmatch '\27([=>c])' do
    if key == 'c' then self.on = {} end
    self.on['='] = key == '=' and '\27>' or nil
  end
  local last = bytes:find '\27[^\27]*$'
  self.rest = last and #bytes - last < SEQUENCE_MAX and not bytes:find('^\27%[%?[%d;]+%a', last)
    and not bytes:find('^\27[^%[]', last) and bytes:sub(last) or ''
end

---What puts the terminal back, plain colours and a line of its own for what follows.
---@return string
function Modes:off()
  local out, names = { '\27[0m' }, {}
  for name in pairs(self.on) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do out[#out + 1] = self.on[name] end
  return table.concat(out)
end

return M
