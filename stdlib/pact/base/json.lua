--- JSON. Our own encoder (sorted keys, exact integers, empty arrays); decoding by lua-cjson, except that
--- texts with long numbers, of which cjson keeps 14 digits only, are decoded here.
local list = require 'pact.base.list'

local M = {}

-- a metatable with this `__json` makes a table an array, empty or not
local Array = { __name = 'json.array', __json = 'array' }

---What `null` decodes to, and is encoded from.
M.null = setmetatable({}, {
  __name = 'json.null',
  __tostring = function() return 'null' end,
  __newindex = function() error('json.null is a constant', 2) end,
})

---Marks a table as an array, so that it is one even when empty.
---@generic T: table
---@param t? T
---@return T
function M.array(t) return setmetatable(t or {}, Array) end

local short = {
  ['"'] = '\\"', ['\\'] = '\\\\',
  ['\b'] = '\\b', ['\f'] = '\\f', ['\n'] = '\\n', ['\r'] = '\\r', ['\t'] = '\\t',
}
local function control(c) return short[c] or ('\\u%04x'):format(c:byte()) end

-- text that isn't UTF-8 gets U+FFFD for each byte that doesn't fit
local function repaired(text)
  local out, from = {}, 1
  while from <= #text do
    local _, bad = utf8.len(text, from)
    out[#out + 1] = text:sub(from, (bad or #text + 1) - 1)
    if not bad then break end
    out[#out + 1] = '\u{FFFD}'
    from = bad + 1
  end
  return table.concat(out)
end

local function string_of(text)
  if not text:find '[%c"\\\127-\255]' then return '"' .. text .. '"' end
  if not utf8.len(text) then text = repaired(text) end
  return '"' .. text:gsub('[%c"\\\127]', control) .. '"'
end

---@class json.shape what objects with the same keys have in common
---@field keys any[] sorted
---@field heads string[] what stands before each value

local function shape_of(t)
  local keys, heads = list.keys(t), {}
  for i, key in ipairs(keys) do heads[i] = (i == 1 and '{' or ',') .. string_of(tostring(key)) .. ':' end
  return { keys = keys, heads = heads }
end

-- The same few keys come again and again, in the same few orders: each way through them leads to a shape in a
-- tree. When that has grown too large it begins anew.
local KEPT_NODES = 500
local SHAPE = {} -- the key of a node's shape
local tree, size = {}, 0

local function known_shape(t)
  local node = tree
  for key in next, t do
    local inner = node[key]
    if not inner then
      if size == KEPT_NODES then tree, size = {}, 0 end
      inner, size = {}, size + 1
      node[key] = inner
    end
    node = inner
  end
  local shape = node[SHAPE]
  if not shape then
    shape = shape_of(t)
    node[SHAPE] = shape
  end
  return shape
end

local function float_of(n)
  if n ~= n or n == math.huge or n == -math.huge then return nil end
  if n == 0 then return '0' end -- also -0.0, which would come back as an integer
  for _, format in ipairs { '%.14g', '%.16g' } do
    local text = format:format(n)
    if tonumber(text) == n then return text end
  end
  return ('%.17g'):format(n)
end

-- the keys that lead to a value, the last of them being `key`
local function path_of(state, key)
  local words = {}
  for i = 2, state.depth do words[i - 1] = tostring(state.path[i]) end
  if key ~= nil then words[#words + 1] = tostring(key) end
  return table.concat(words, '.')
end

local function foreign(value, state, key)
  if state.lenient then
    return type(value) == 'number' and 'null' or string_of(tostring(value))
  end
  local path = path_of(state, key)
  local place = path ~= '' and (" at '%s'"):format(path) or ''
  local what = type(value) == 'number' and tostring(value) or 'a ' .. type(value)
  error(('json: cannot encode %s%s'):format(what, place), 0)
end

local function word_of(value, state, key)
  if type(value) == 'boolean' then return value and 'true' or 'false' end
  if value == nil or value == M.null then return 'null' end
  return math.type(value) == 'float' and float_of(value) or foreign(value, state, key)
end

local put_table

-- Every piece of the text is put behind the others in `out`, which is joined once: each of these takes
-- the number of pieces so far, and gives that behind its own.
local function put(out, n, value, state, indent, key)
  local kind = type(value)
  if kind == 'string' then
    out[n + 1] = string_of(value)
  elseif kind == 'table' and value ~= M.null then
    return put_table(out, n, value, state, indent, key)
  else
    out[n + 1] = math.type(value) == 'integer' and value or word_of(value, state, key)
  end
  return n + 1
end

local function put_array(out, n, t, state, indent)
  local count = #t
  if count == 0 then
    out[n + 1] = '[]'
    return n + 1
  end
  local inner = indent and indent .. '  '
  for i = 1, count do
    out[n + 1] = i == 1 and '[' or ','
    if indent then out[n + 1] = out[n + 1] .. '\n' .. inner end
    n = put(out, n + 1, t[i], state, inner, i)
  end
  out[n + 1] = indent and '\n' .. indent .. ']' or ']'
  return n + 1
end

local function put_object(out, n, t, state, indent)
  local shape = known_shape(t)
  local keys, heads = shape.keys, shape.heads
  local count = #keys
  if count == 0 then
    out[n + 1] = '{}'
    return n + 1
  end
  local inner = indent and indent .. '  '
  for i = 1, count do
    local key, head = keys[i], heads[i]
    if indent then head = ('%s\n%s%s '):format(head:sub(1, 1), inner, head:sub(2)) end
    out[n + 1] = head
    n = put(out, n + 1, t[key], state, inner, key)
  end
  out[n + 1] = indent and '\n' .. indent .. '}' or '}'
  return n + 1
end

function put_table(out, n, t, state, indent, key)
  if state.open[t] then
    if not state.lenient then error(("json: a table contains itself at '%s'"):format(path_of(state, key)), 0) end
    out[n + 1] = 'null'
    return n + 1
  end
  local depth = state.depth + 1
  if depth > 200 then error('json: nested more than 200 deep', 0) end
  state.depth, state.open[t], state.path[depth] = depth, true, key
  local meta = getmetatable(t)
  local array = type(meta) == 'table' and meta.__json == 'array' or (t[1] ~= nil and list.is_sequence(t))
  n = (array and put_array or put_object)(out, n, t, state, indent)
  state.depth, state.open[t] = depth - 1, nil
  return n
end

local write

---For who writes much: lets the engine's own writer take what it can.
---@param of_engine fun(value: any, null: any): string? of `sys.text`; nil for a value that is to be written here
function M.use(of_engine) write = of_engine end

---@param value any
---@param opts? { indent?: boolean, lenient?: boolean } lenient: what JSON has no word for becomes
--- text or null instead of an error
---@return string without a newline at the end
function M.encode(value, opts)
  local text = write and not (opts and opts.indent) and write(value, M.null)
  if text then return text end
  local out, state = {}, { open = {}, path = {}, depth = 0, lenient = opts and opts.lenient }
  put(out, 0, value, state, opts and opts.indent and '' or nil)
  return table.concat(out)
end

local function fail(s, what) error({ at = s.at, what = what }, 0) end

local function blanks(s) s.at = s.text:find('[^ \t\r\n]', s.at) or #s.text + 1 end

local unescaped = {
  b = '\b', f = '\f', n = '\n', r = '\r', t = '\t', ['"'] = '"', ['\\'] = '\\', ['/'] = '/',
}

local function unicode(s, at)
  local hex = s.text:match('^%x%x%x%x', at)
  if not hex then fail(s, 'a broken \\u escape') end
  local code = tonumber(hex, 16)
  if code < 0xD800 or code > 0xDFFF then return utf8.char(code), at + 4 end
  local low = code < 0xDC00 and s.text:match('^\\u(%x%x%x%x)', at + 4)
  local second = low and tonumber(low, 16)
  if not second or second < 0xDC00 or second > 0xDFFF then return '\u{FFFD}', at + 4 end
  return utf8.char(0x10000 + (code - 0xD800) * 0x400 + second - 0xDC00), at + 10
end

local function read_string(s)
  local out, from = {}, s.at + 1
  while true do
    local stop = s.text:find('["\\%c]', from)
    local c = stop and s.text:sub(stop, stop)
    if c ~= '"' and c ~= '\\' then
      fail(s, stop and 'a control character in a string' or 'an open string')
    end
    out[#out + 1] = s.text:sub(from, stop - 1)
    if c == '"' then
      s.at = stop + 1
      return table.concat(out)
    end
    local escape = s.text:sub(stop + 1, stop + 1)
    from = stop + 2
    if escape == 'u' then
      out[#out + 1], from = unicode(s, from)
    else
      out[#out + 1] = unescaped[escape] or fail(s, 'an unknown escape in a string')
    end
  end
end

local function read_number(s)
  local integer = s.text:match('^%-?%d+', s.at)
  if not integer or integer:find '^%-?0%d' then fail(s, 'an unexpected character') end
  local at = s.at + #integer
  local fraction = s.text:match('^%.%d+', at) or ''
  local exponent = s.text:match('^[eE][+-]?%d+', at + #fraction) or ''
  s.at = at + #fraction + #exponent
  return tonumber(integer .. fraction .. exponent)
end

local read

local function read_array(s, depth)
  local out, n = {}, 0
  s.at = s.at + 1
  blanks(s)
  if s.text:byte(s.at) == 93 then
    s.at = s.at + 1
    return out
  end
  while true do
    n = n + 1
    out[n] = read(s, depth + 1)
    blanks(s)
    local c = s.text:sub(s.at, s.at)
    s.at = s.at + 1
    if c == ']' then return out end
    if c ~= ',' then fail(s, "no ',' or ']' in an array") end
  end
end

local function read_object(s, depth)
  local out = {}
  s.at = s.at + 1
  blanks(s)
  if s.text:byte(s.at) == 125 then
    s.at = s.at + 1
    return out
  end
  while true do
    blanks(s)
    if s.text:byte(s.at) ~= 34 then fail(s, 'no name in an object') end
    local key = read_string(s)
    blanks(s)
    if s.text:byte(s.at) ~= 58 then fail(s, "no ':' behind a name") end
    s.at = s.at + 1
    out[key] = read(s, depth + 1)
    blanks(s)
    local c = s.text:sub(s.at, s.at)
    s.at = s.at + 1
    if c == '}' then return out end
    if c ~= ',' then fail(s, "no ',' or '}' in an object") end
  end
end

local words = { t = { 'true', true }, f = { 'false', false }, n = { 'null', M.null } }

function read(s, depth)
  if depth > 200 then fail(s, 'nesting of more than 200') end
  blanks(s)
  local c = s.text:sub(s.at, s.at)
  if c == '{' then return read_object(s, depth) end
  if c == '[' then return read_array(s, depth) end
  if c == '"' then return read_string(s) end
  local word = words[c]
  if not word then return read_number(s) end
  if s.text:sub(s.at, s.at + #word[1] - 1) ~= word[1] then fail(s, 'an unknown word') end
  s.at = s.at + #word[1]
  return word[2]
end

local function decode_here(text)
  local s = { text = text, at = 1 }
  local value = read(s, 1)
  blanks(s)
  if s.at <= #text then fail(s, 'something behind the value') end
  return value
end

local codec -- false: no lua-cjson here

local function cjson()
  if codec == nil then
    local found, library = pcall(require, 'cjson')
    codec = found and library.new() or false
    if codec then
      codec.decode_invalid_numbers(false)
      codec.decode_max_depth(200)
    end
  end
  return codec
end

-- cjson gives floats and a null of its own
local function native(value, null)
  if type(value) == 'number' then return math.tointeger(value) or value end
  if value == null then return M.null end
  if type(value) == 'table' then
    for key, item in pairs(value) do
      if type(item) ~= 'string' and type(item) ~= 'boolean' then value[key] = native(item, null) end
    end
  end
  return value
end

---@param text string
---@return any value nil when it isn't JSON
---@return string? message
function M.decode(text)
  local fast = not text:find '%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d' and cjson()
  if fast then
    local ok, value = pcall(fast.decode, text)
    if ok then return native(value, fast.null) end
  end
  local ok, value = pcall(decode_here, text)
  if ok then return value end
  if type(value) ~= 'table' then return nil, 'not JSON: ' .. tostring(value) end
  return nil, ('not JSON: %s at byte %d'):format(value.what, math.min(value.at, #text + 1))
end

return M
