--- Checks a table from a recipe against a noun: rows of fields with their types, aliases and kinds.
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@class field one row
---@field name string
---@field type value_type
---@field lua? string its type for editors, where that of `type` says too little
---@field doc string a sentence for `help`, editors and the reference
---@field default? string as the reference shows it
---@field aliases? string[] other spellings; camelCase of the name comes by itself
---@field kinds? string kinds of services that have it, by blanks; all without it
---@field into? string the field `a.b` that this one is another way to write; its own name is no field
---@field reload 'live'|'restart' a reload swaps it in place, or restarts what has it
---@field merge? 'map'|'edges'|'health'|'restart' how it joins what defaults and templates say; else it replaces that
---@field min? number
---@field max? number
---@field empty? boolean empty text is fine

---@class noun
---@field name string
---@field doc string
---@field fields field[]
---@field finish? fun(out: table, cursor: cursor, raw: table): table?
---@field positional? fun(out: table, value: any, cursor: cursor) takes values without a name

---@param name string `start_period`
---@return string `startPeriod`
function M.camel(name) return (name:gsub('_(%a)', string.upper)) end

---@param noun noun
---@return table<string, field> by every spelling
function M.index(noun)
  if noun.index then return noun.index end
  local index = {}
  for _, row in ipairs(noun.fields) do
    for _, alias in ipairs(row.aliases or {}) do
      index[alias], index[M.camel(alias)] = row, row
    end
  end
  for _, row in ipairs(noun.fields) do
    index[row.name], index[M.camel(row.name)] = row, row
    if row.kinds then row.kind_set = list.set(text.split(row.kinds, ' ')) end
  end
  noun.index = index
  return index
end

---The noun that a field holds, if it holds one.
---@param row field
---@return noun?
function M.inner(row) return row.type.noun end

---@param row field of an indexed noun
---@param kind? string
---@return boolean whether services of that kind have it
function M.has_kind(row, kind)
  return not row.kinds or not kind or row.kind_set[kind] ~= nil
end

local function names_of(noun, kind)
  local out = {}
  for _, row in ipairs(noun.fields) do
    if M.has_kind(row, kind) then out[#out + 1] = row.name end
  end
  table.sort(out)
  return out
end

-- where a key that is unknown here belongs, when one of the inner nouns has it
local function belongs(noun, key, kind)
  for _, row in ipairs(noun.fields) do
    local inner = M.inner(row)
    local found = inner and M.has_kind(row, kind) and M.index(inner)[key]
    if found then return (' (it belongs in %s = { %s = … })'):format(row.name, found.name) end
  end
  return ''
end

-- tells of a key that isn't there; gives the field that was meant
local function unknown(noun, key, value, cursor)
  if type(key) ~= 'string' then
    if math.type(key) == 'integer' then
      return cursor:slip(('%s a value without a name: %s'):format(
        cursor.n > 0 and cursor:key() .. ' has' or 'has', text.show(value)))
    end
    return cursor:slip(('unknown key %s'):format(text.show(key)))
  end
  local near = text.nearest(key, names_of(noun, cursor.kind)) or text.nearest(key, names_of(noun))
  local hint = near and (" (did you mean '%s'?)"):format(near) or belongs(noun, key, cursor.kind)
  cursor:slip(("unknown key '%s'%s"):format(cursor:key(key), hint))
  return near
end

local function wrong_kind(row, cursor)
  local kinds = text.enumerate(text.split(row.kinds, ' '), 'and')
  cursor:slip(("'%s' is no field of a service of kind %s (only of %s)")
    :format(cursor:key(row.name), cursor.kind, kinds))
end

local function put(out, into, value, row, cursor)
  local outer, inner = into:match '^([^.]+)%.(.+)$'
  if inner == '*' then -- one more list
    local list_of = out[outer] or {}
    out[outer] = table.move(value, 1, #value, #list_of + 1, list_of)
    return
  end
  local target = out[outer]
  if type(target) ~= 'table' then
    if target ~= nil then
      return cursor:slip(("'%s' and '%s' contradict each other"):format(row.name, outer))
    end
    target = {}
    out[outer] = target
  end
  if target[inner] ~= nil then
    return cursor:slip(("'%s' is given twice: as '%s' too"):format(into, row.name))
  end
  target[inner] = value
end

-- Notes another name of a field. False when it is given by its own or by one more: that is told.
local function take_spelling(row, key, value, cursor, spelled)
  local known = value[row.name] ~= nil and row.name or spelled[row.name]
  if not known then
    spelled[row.name] = key
    return true
  end
  local first, second = known, key
  if key < known then first, second = key, known end
  cursor:slip(("'%s' is given twice: as '%s' and '%s'"):format(cursor:key(row.name), first, second))
  return false
end

local function check_field(row, key, value, cursor, out)
  if row.kinds and not M.has_kind(row, cursor.kind) then
    wrong_kind(row, cursor)
    return nil
  end
  cursor:push(key)
  local checked = row.type.check(value, cursor, row)
  cursor:pop()
  if not row.into then out[row.name] = checked end
  return checked
end

---@param noun noun
---@param value any
---@param cursor cursor its `kind` says which fields are allowed
---@return table? checked by the fields' own names; nil only when it is no table
---@return table<string, string>? spelled by their names, how fields were spelled that were given by another one
function M.check(noun, value, cursor)
  if type(value) ~= 'table' or getmetatable(value) then
    cursor:fail(('must be a table of fields, got %s'):format(text.show(value)))
    return nil
  end
  local index, out, spelled, later = M.index(noun), {}, {}, nil
  for _, key in ipairs(list.keys(value)) do
    local row = index[key]
    if not row and noun.positional and math.type(key) == 'integer' then
      noun.positional(out, value[key], cursor)
    elseif not row then
      local meant = unknown(noun, key, value[key], cursor)
      if meant then spelled[meant] = spelled[meant] or key end
    elseif key == row.name or take_spelling(row, key, value, cursor, spelled) then
      local checked = check_field(row, key, value[key], cursor, out)
      if row.into and checked ~= nil then
        later = later or {}
        later[#later + 1] = { row, checked }
      end
    end
  end
  for _, pair in ipairs(later or {}) do put(out, pair[1].into, pair[2], pair[1], cursor) end
  if noun.finish then return noun.finish(out, cursor, value), spelled end
  return out, spelled
end

---@param value table that was checked
---@param spelled table<string, string> what `M.check` gave beside it
---@param name string of a field
---@return boolean whether it was given, rightly or not
function M.tried(value, spelled, name) return value[name] ~= nil or spelled[name] ~= nil end

---A field type whose values are tables of a noun.
---@param noun noun
---@param short? fun(value: any, cursor: cursor): any, boolean? reads short forms: what the value
--- comes to, and true when it was one
---@return value_type
function M.type(noun, short)
  return {
    name = 'table', lua = 'pact.' .. noun.name, noun = noun, short = short ~= nil,
    check = function(value, cursor)
      if short then
        local out, taken = short(value, cursor)
        if taken then return out end
      end
      local kind = cursor.kind
      local out = M.check(noun, value, cursor)
      cursor.kind = kind
      return out
    end,
  }
end

return M
