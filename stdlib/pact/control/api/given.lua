--- What a request gives, read and checked by its route's tables: the query, and the fields of a JSON body.

local json = require 'pact.base.json'
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@class given_field
---@field [1] string name
---@field [2] string a key of `types`
---@field [3] string what it is
---@field required? boolean
---@field most? integer bytes of a text

local COUNT_MAX = 1 << 53

local function whole(value)
  local n = math.tointeger(value)
  return n and n >= 0 and n <= COUNT_MAX and n or nil
end

local function is_texts(value)
  if type(value) ~= 'table' or next(value) ~= nil and not list.is_sequence(value) then return false end
  for _, item in ipairs(value) do
    if type(item) ~= 'string' then return false end
  end
  return true
end

-- A text that is one of these.
local function one_of(...)
  local known = { ... }
  local function pick(value) return list.index(known, value) and value or nil end
  return {
    words = text.quoted(known, 'or'), schema = { type = 'string', enum = json.array(known) }, take = pick, parse = pick,
  }
end

local SWITCH = { ['1'] = true, ['true'] = true, ['0'] = false, ['false'] = false }

-- Each: what is expected, `take(value)` of JSON → the value or nil, `parse(word)` of a query, the JSON schema.
M.types = {
  boolean = {
    words = 'true or false', schema = { type = 'boolean' },
    take = function(value) if type(value) == 'boolean' then return value end end,
    parse = function(word) return SWITCH[word] end,
  },
  count = {
    words = 'a whole number, 0 or more', schema = { type = 'integer', minimum = 0 },
    take = function(value) return type(value) == 'number' and whole(value) or nil end,
    parse = function(word) return word:find '^%d+$' and whole(word) or nil end,
  },
  milliseconds = {
    words = 'a number of milliseconds', schema = { type = 'integer', minimum = 0 },
    take = function(value) return type(value) == 'number' and value == value and whole(value // 1) or nil end,
    parse = function(word) return word:find '^%d+$' and whole(word) or nil end,
  },
  text = {
    words = 'text', schema = { type = 'string' },
    take = function(value) return type(value) == 'string' and value or nil end,
    parse = function(word) return word end,
  },
  texts = {
    words = 'a list of texts', schema = { type = 'array', items = { type = 'string' } },
    take = function(value) return is_texts(value) and value or nil end,
    parse = function(word) -- a,b,c
      local out = {}
      for item in word:gmatch '[^,]+' do out[#out + 1] = item end
      return out[1] and out or nil
    end,
  },
  output = one_of('stdout', 'stderr', 'pactlua'),
  signal = {
    words = "a signal's name or number", schema = { type = json.array { 'string', 'integer' } },
    take = function(value)
      return type(value) == 'string' and value or type(value) == 'number' and whole(value) or nil
    end,
  },
  scope = one_of('leader', 'group', 'tree'),
  goal = one_of('started', 'ready', 'healthy', 'stopped'),
  wait = {
    words = "true, false, 'started', 'ready' or 'healthy'", schema = { type = json.array { 'boolean', 'string' } },
    take = function(value)
      if type(value) == 'boolean' or value == 'started' or value == 'ready' or value == 'healthy' then return value end
    end,
  },
}

local function shown(value) return text.truncate(text.show(value), 80) end

-- Takes the fields of `values` that `fields` has.
local function take(where, fields, values, reader, into)
  local names = list.map(fields, function(field) return field[1] end)
  for name in list.sorted(values) do
    if not list.index(names, name) then
      return nil, ('%s: unknown %s%s'):format(where, shown(name), text.suggest(tostring(name), names))
    end
  end
  for _, field in ipairs(fields) do
    local name, kind, value = field[1], M.types[field[2]], values[field[1]]
    if value == json.null then value = nil end
    if value ~= nil then
      into[name] = kind[reader](value)
      if into[name] == nil then
        return nil, ("%s: '%s' must be %s, got %s"):format(where, name, kind.words, shown(value))
      end
      if field.most and #into[name] > field.most then
        return nil, ("%s: '%s' is %d bytes long, and may have %d"):format(where, name, #into[name], field.most)
      end
    elseif field.required then
      return nil, ("%s: '%s' is needed: %s"):format(where, name, field[3])
    end
  end
  return into
end

local function is_json(request) return (request.headers['content-type'] or ''):find '^application/json' ~= nil end

---@param route route
---@param request sys.ctl_request a text body is put into `request.text`
---@return table? given by name
---@return string? message
function M.read(route, request)
  local into, message = take('query', route.query or {}, request.query or {}, 'parse', {})
  if not into then return nil, message end
  if route.text and not is_json(request) then
    request.text = request.body or ''
    return into
  end
  local values = {}
  if request.body and request.body ~= '' then
    values, message = json.decode(request.body)
    if type(values) ~= 'table' or values == json.null or values[1] ~= nil then
      return nil, 'body: ' .. (message or 'an object expected')
    end
  end
  return take('body', route.body or {}, values, 'take', into)
end

return M
