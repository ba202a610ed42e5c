--- Kinds of plain values that fields take: each has a name for people, a type for editors and a check.
local duration = require 'pact.base.duration'
local signals = require 'pact.declare.signals'
local size = require 'pact.base.size'
local text = require 'pact.base.text'

---@class value_type
---@field name string for people: `duration`
---@field lua string for editors
---@field check fun(value: any, cursor: cursor, row: table): any what it comes to; nil after a problem was told

local M = {}

local function refuse(cursor, expected, value)
  cursor:fail(('must be %s, got %s'):format(expected, text.show(value)))
end

local function plain(value, cursor, expected)
  if type(value) ~= 'string' then return refuse(cursor, expected or 'text', value) end
  if value:find('\0', 1, true) then return cursor:fail 'must not contain a zero byte' end
  return value
end

M.string = {
  name = 'text', lua = 'string',
  check = function(value, cursor, row)
    value = plain(value, cursor)
    if value == '' and not row.empty then return cursor:fail 'must not be empty' end
    return value
  end,
}

M.boolean = {
  name = 'true or false', lua = 'boolean',
  check = function(value, cursor)
    if type(value) ~= 'boolean' then return refuse(cursor, 'true or false', value) end
    return value
  end,
}

local function within(value, cursor, row)
  local low, high = row.min, row.max
  if (not low or value >= low) and (not high or value <= high) then return value end
  if low and high then return refuse(cursor, ('between %s and %s'):format(low, high), value) end
  if low then return refuse(cursor, ('%s or more'):format(low), value) end
  refuse(cursor, ('%s or less'):format(high), value)
end

M.integer = {
  name = 'whole number', lua = 'integer',
  check = function(value, cursor, row)
    local n = type(value) == 'number' and math.tointeger(value)
    if not n then return refuse(cursor, 'a whole number', value) end
    return within(n, cursor, row)
  end,
}

M.number = {
  name = 'number', lua = 'number',
  check = function(value, cursor, row)
    local finite = type(value) == 'number' and value == value and math.abs(value) ~= math.huge
    if not finite then return refuse(cursor, 'a number', value) end
    return within(value, cursor, row)
  end,
}

-- a number, or a word that means there is no bound; -1 stands for that
M.count = {
  name = "number or 'unlimited'", lua = "integer|'unlimited'",
  check = function(value, cursor, row)
    if value == 'unlimited' or value == math.huge then return -1 end
    local n = type(value) == 'number' and math.tointeger(value)
    if not n or n < 0 then return refuse(cursor, "a whole number or 'unlimited'", value) end
    return within(n, cursor, row)
  end,
}

M.duration = {
  name = 'duration', lua = 'duration',
  check = function(value, cursor, row)
    local ms, message = duration.parse(value)
    if not ms then return cursor:fail(message) end
    if row.min and ms < row.min then
      return refuse(cursor, ("'%s' or more"):format(duration.spell(row.min)), value)
    end
    return ms
  end,
}

M.size = {
  name = 'size', lua = 'size',
  check = function(value, cursor, row)
    local bytes, message = size.parse(value)
    if not bytes then return cursor:fail(message) end
    if row.min and bytes < row.min then
      return refuse(cursor, ('%s or more'):format(size.format(row.min)), value)
    end
    return bytes
  end,
}

M.signal = {
  name = 'signal', lua = 'string|integer',
  check = function(value, cursor)
    local number, message = signals.parse(value)
    if not number then return cursor:fail(message) end
    return number
  end,
}

M.path = {
  name = 'path', lua = 'string',
  check = function(value, cursor)
    value = plain(value, cursor, 'a path')
    if value == '' then return cursor:fail 'must not be empty' end
    return value and cursor:absolute(value)
  end,
}

M.func = {
  name = 'function', lua = 'function',
  check = function(value, cursor)
    if type(value) ~= 'function' then return refuse(cursor, 'a function', value) end
    return value
  end,
}

M.string_or_function = {
  name = 'text or function', lua = 'string|fun(): string',
  check = function(value, cursor, row)
    if type(value) == 'function' then return value end
    value = plain(value, cursor, 'text or a function that gives it')
    if value == '' and not row.empty then return cursor:fail 'must not be empty' end
    return value
  end,
}

M.yes = {
  name = 'true', lua = 'true',
  check = function(value, cursor)
    if value ~= true then return refuse(cursor, 'true', value) end
    return true
  end,
}

M.any = { name = 'table', lua = 'table', check = function(value) return value end }

-- text to find: plain, or { regex = … }
M.pattern = {
  name = 'text to find', lua = 'string|{ regex: string }',
  check = function(value, cursor)
    if type(value) == 'string' then
      if value == '' then return cursor:fail 'must not be empty' end
      return plain(value, cursor)
    end
    local regex = type(value) == 'table' and value.regex
    if type(regex) ~= 'string' or regex == '' or next(value, next(value)) then
      return refuse(cursor, "text to find or { regex = '…' }", value)
    end
    local ok, message = true, nil
    if cursor.check_pattern then ok, message = cursor.check_pattern(value) end
    if not ok then return cursor:fail(("has a regex that is wrong: %s"):format(message)) end
    return { regex = regex }
  end,
}

---@param words string[] the allowed ones
---@param synonyms? table<any, string> other spellings
---@return value_type
function M.enum(words, synonyms)
  local set, quoted = {}, text.quoted(words, 'or')
  for _, word in ipairs(words) do
    set[word] = word
    set[word:gsub('-', '_')] = word
  end
  for from, to in pairs(synonyms or {}) do set[from] = to end
  return {
    name = quoted, lua = "'" .. table.concat(words, "'|'") .. "'",
    check = function(value, cursor)
      local found = set[value]
      if found then return found end
      local expected = ('must be %s, got %s'):format(quoted, text.show(value))
      cursor:fail(expected .. text.suggest(value, words))
    end,
  }
end

return M
