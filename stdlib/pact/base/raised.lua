--- Values that code of users has raised, as text: whatever they are, and whatever their own `__tostring` does.

local json = require 'pact.base.json'
local text = require 'pact.base.text'

local LONGEST = 400

-- What a metatable of the user's makes of it.
local function own_words(value)
  local ok, words = pcall(tostring, value)
  return ok and words or 'an error that has no text'
end

---@param value any
---@return string
return function(value)
  if type(value) == 'string' then return value end
  if type(value) ~= 'table' then return 'raised ' .. text.show(value) end
  local message, meta = rawget(value, 'message'), getmetatable(value)
  if type(message) == 'string' then return message end
  if meta ~= nil and (type(meta) ~= 'table' or meta.__tostring) then return own_words(value) end
  local ok, shown = pcall(json.encode, value, { lenient = true })
  return 'raised ' .. (ok and text.truncate(shown, LONGEST) or 'a table')
end
