--- The words of Lua text, also of text that isn't finished. It never fails: what is no Lua is a symbol.

local M = {}

---@class token
---@field kind 'name'|'number'|'string'|'symbol'|'comment'
---@field text string as it is written; of what is open what follows its beginning
---@field at integer its first byte
---@field value? any of a number, or of a string without escapes
---@field quote? string of a string that is open

-- Behind an opening long bracket at `at`: its end, or nil.
local function long(code, at)
  local level, inside = code:match('^%[(=*)%[()', at)
  if not level then return nil end
  local first, last = code:find(']' .. level .. ']', inside, true)
  return last or false, inside, first
end

local function comment(code, at)
  local last, inside = long(code, at + 2)
  if last == nil then
    inside = at + 2
    last = (code:find('\n', inside, true) or 0) - 1
    if last < 0 then last = false end
  end
  if not last then return nil, { kind = 'comment', text = code:sub(inside), at = inside } end
  return { kind = 'comment', text = code:sub(at, last), at = at }
end

local function short(code, at)
  local quote, to = code:sub(at, at), at + 1
  while true do
    local stop = code:find('[\\\n' .. quote .. ']', to)
    if not stop then return nil, { kind = 'string', text = code:sub(at + 1), at = at + 1, quote = quote } end
    local c = code:sub(stop, stop)
    if c ~= '\\' then -- a newline ends what should not have gone on
      local inner = code:sub(at + 1, stop - 1)
      return {
        kind = 'string', text = code:sub(at, stop), at = at,
        value = not inner:find('\\', 1, true) and inner or nil,
      }
    end
    to = stop + 2
  end
end

local function long_string(code, at)
  local last, inside, first = long(code, at)
  if last == nil then return { kind = 'symbol', text = '[', at = at } end
  if not last then return nil, { kind = 'string', text = code:sub(inside), at = inside } end
  return { kind = 'string', text = code:sub(at, last), at = at, value = code:sub(inside, first - 1) }
end

local SYMBOLS = { '...', '..', '::', '==', '~=', '<=', '>=', '//', '<<', '>>' }

local function symbol(code, at)
  for _, one in ipairs(SYMBOLS) do
    if code:sub(at, at + #one - 1) == one then return { kind = 'symbol', text = one, at = at } end
  end
  return { kind = 'symbol', text = code:sub(at, at), at = at }
end

local function one(code, at)
  local c = code:sub(at, at)
  if c:find '[%a_]' then return { kind = 'name', text = code:match('^[%w_]+', at), at = at } end
  if code:find('^%.?%d', at) then
    local number = code:match('^[%w.]*%w', at)
    return { kind = 'number', text = number, at = at, value = tonumber(number) }
  end
  if code:find('^%-%-', at) then return comment(code, at) end
  if c == '"' or c == "'" then return short(code, at) end
  if c == '[' then return long_string(code, at) end
  return symbol(code, at)
end

---@param code string
---@return token[] tokens without comments
---@return token? open a string or a comment that has begun and not ended
function M.read(code)
  local out, at = {}, 1
  while true do
    at = code:find('%S', at)
    if not at then return out end
    local token, open = one(code, at)
    if open then return out, open end
    if token.kind ~= 'comment' then out[#out + 1] = token end
    at = at + #token.text
  end
end

return M
