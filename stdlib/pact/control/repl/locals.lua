--- What a line of a REPL calls local, for the lines behind it: they see the same variables.

local token = require 'pact.control.repl.token'

local M = {}

---The name by which a line hands its variables over, as `KEEP(name, get, set)`; set is nil for a constant.
M.KEEP = '__keep'

local DEEPER = {
  ['function'] = 1, ['do'] = 1, ['then'] = 1, ['repeat'] = 1, ['end'] = -1, ['until'] = -1, ['elseif'] = -1,
}

-- Behind `local` at `at`: puts names into `found`; false: one that is to be closed, which ends with its line.
local function declared(tokens, at, found)
  repeat
    at = at + 1
    local name, behind, attribute = tokens[at], tokens[at + 1], tokens[at + 2]
    if not (name and name.kind == 'name') then return end
    found[name.text] = 'variable'
    if behind and behind.text == '<' and attribute then
      found[name.text] = attribute.text == 'const' and 'constant' or nil
      at = at + 3
    end
    at = at + 1
  until not (tokens[at] and tokens[at].text == ',')
end

---@param code string that can be compiled
---@return table<string, 'variable'|'constant'> found locals of the chunk itself, not of its blocks
---@return integer? at the byte at which it returns, if it does
function M.find(code)
  local tokens, found, depth = token.read(code), {}, 0
  for at, it in ipairs(tokens) do
    local word = it.kind == 'name' and it.text
    if depth == 0 and word == 'return' then return found, it.at end
    if depth == 0 and word == 'local' then
      local next_one = tokens[at + 1]
      declared(tokens, next_one and next_one.text == 'function' and at + 1 or at, found)
    end
    depth = depth + (word and DEEPER[word] or 0)
  end
  return found
end

---The same text, which hands its locals over when it has run.
---@param code string that can be compiled
---@return string? nil: it has none
function M.keeping(code)
  if not code:find('local', 1, true) then return nil end
  local found, at = M.find(code)
  local out = {}
  for name, kind in pairs(found) do
    local set = kind == 'variable' and ('function(v_) %s = v_ end'):format(name) or 'nil'
    out[#out + 1] = ("%s('%s', function() return %s end, %s);"):format(M.KEEP, name, name, set)
  end
  if not out[1] then return nil end
  local keep = table.concat(out, ' ')
  if at then return code:sub(1, at - 1) .. keep .. code:sub(at) end
  return code .. '\n' .. keep
end

return M
