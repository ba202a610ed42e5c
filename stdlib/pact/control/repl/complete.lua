--- What may stand next in Lua text: names, fields, methods and ids. Nothing of what is looked at is run: tables are
-- read raw, and what only a function would tell is left out. What is known otherwise is told by `known`.

local text = require 'pact.base.text'
local token = require 'pact.control.repl.token'

local M = {}

local ITEMS, KEYS, DEPTH = 200, 10000, 16

local KEYWORDS = {
  'and', 'break', 'do', 'else', 'elseif', 'end', 'false', 'for', 'function', 'goto', 'if', 'in', 'local', 'nil', 'not',
  'or', 'repeat', 'return', 'then', 'true', 'until', 'while',
}

---@class complete_known what a value is otherwise than by its raw fields
---@field keys fun(method: boolean): string[] names behind `.`, or behind `:`
---@field get fun(key: any): any

---@class complete_world
---@field root table of globals
---@field known? fun(value: any): complete_known?
---@field argument? fun(name: string, method: boolean): string[]? for a string that is the first argument of `pact.name`
--- or of a method `:name`

---@class completion
---@field from integer the byte that candidates begin at; they replace what is from there to the end
---@field candidates { text: string, label: string }[]
---@field also? string[] what may stand there, too, but would change what is typed

local function identifier(key)
  return type(key) == 'string' and key:find '^[%a_][%w_]*$' ~= nil
end

-- Each table that answers for `value`, the nearest first: itself, then those of __index.
local function layers(value)
  local depth = 0
  return function()
    if depth > 0 or type(value) ~= 'table' then
      local meta = depth < DEPTH and debug.getmetatable(value)
      value = type(meta) == 'table' and rawget(meta, '__index') or nil
    end
    depth = depth + 1
    return type(value) == 'table' and value or nil
  end
end

local function get(value, key, world)
  local known = world.known and world.known(value)
  if known then return known.get(key) end
  for layer in layers(value) do
    local found = rawget(layer, key)
    if found ~= nil then return found end
  end
end

local function callable(value)
  local meta = debug.getmetatable(value)
  return type(value) == 'function' or type(meta) == 'table' and rawget(meta, '__call') ~= nil
end

local function keys(value, world, method)
  local known = world.known and world.known(value)
  if known then return known.keys(method) end
  local out, seen, count = {}, {}, 0
  for layer in layers(value) do
    for key, item in next, layer do
      count = count + 1
      if count > KEYS then break end
      if type(key) == 'string' and not seen[key] and (not method or callable(item)) then
        seen[key] = true
        out[#out + 1] = key
      end
    end
  end
  return out
end

-- The value of `a.b['c'][1]`, whose last token is at `at`; nil also where it would take a call.
local function value_before(tokens, at, world)
  local path = {}
  while true do
    local it = tokens[at]
    if not it then return nil end
    if it.kind == 'name' then
      local before = tokens[at - 1]
      if not (before and before.kind == 'symbol' and (before.text == '.' or before.text == ':')) then
        local value = get(world.root, it.text, world)
        for i = #path, 1, -1 do
          if value == nil then return nil end
          value = get(value, path[i], world)
        end
        return value
      end
      if before.text == ':' then return nil end
      path[#path + 1] = it.text
      at = at - 2
    elseif it.text == ']' and tokens[at - 2] and tokens[at - 2].text == '[' and tokens[at - 1].value ~= nil then
      path[#path + 1] = tokens[at - 1].value
      at = at - 3
    else
      return nil
    end
  end
end

local function matching(words, prefix)
  local out = {}
  for _, word in ipairs(words) do
    if text.starts_with(word, prefix) then out[#out + 1] = word end
  end
  table.sort(out)
  return out
end

local function answer(from, words, wrap)
  local out = {}
  for i = 1, math.min(#words, ITEMS) do
    out[i] = { text = wrap and wrap(words[i]) or words[i], label = words[i] }
  end
  return { from = from, candidates = out }
end

local function index_of(key) return "['" .. key:gsub("[\\']", '\\%0') .. "']" end

-- Behind `value.` or `value:`. A key that is no name takes the place of the dot, too.
local function fields(value, separator, prefix, from, world)
  local names, others = {}, {}
  for _, key in ipairs(matching(keys(value, world, separator.text == ':'), prefix)) do
    local into = identifier(key) and names or others
    into[#into + 1] = key
  end
  if #names == 0 and separator.text == '.' then return answer(separator.at, others, index_of) end
  local found = answer(from, names)
  if others[1] and separator.text == '.' then
    found.also = table.move(others, 1, math.min(#others, ITEMS), 1, {})
    for i, key in ipairs(found.also) do found.also[i] = index_of(key) end
  end
  return found
end

local function globals(prefix, from, world)
  local words = keys(world.root, world, false)
  if prefix ~= '' then table.move(KEYWORDS, 1, #KEYWORDS, #words + 1, words) end
  local names = {}
  for _, word in ipairs(matching(words, prefix)) do
    if identifier(word) and word ~= names[#names] then names[#names + 1] = word end
  end
  return answer(from, names)
end

-- What may be the argument of `pact.word 'x`, of `pact.word('x` or of `any:word 'x`.
local function arguments(tokens, at, world)
  if tokens[at] and tokens[at].text == '(' then at = at - 1 end
  local word, separator, before = tokens[at], tokens[at - 1], tokens[at - 2]
  if not (world.argument and word and word.kind == 'name' and separator and before) then return {} end
  local method = separator.text == ':'
  local known = method or separator.text == '.' and before.text == 'pact'
  return known and world.argument(word.text, method) or {}
end

-- In a string that has begun and not ended: a key, or an id.
local function in_string(tokens, open, world)
  local before, quote = tokens[#tokens], open.quote
  if open.text:find('[\\\n]') or not quote then return answer(open.at, {}) end
  if before and before.text == '[' then
    local value = value_before(tokens, #tokens - 1, world)
    local words = value ~= nil and keys(value, world, false) or {}
    return answer(open.at, matching(words, open.text), function(key) return key .. quote .. ']' end)
  end
  local words = arguments(tokens, #tokens, world)
  return answer(open.at, matching(words, open.text), function(word) return word .. quote end)
end

---What may stand at the text's end.
---@param code string the text up to the cursor
---@param world complete_world
---@return completion
function M.at(code, world)
  local tokens, open = token.read(code)
  if open and open.kind == 'comment' then return answer(#code + 1, {}) end
  if open then return in_string(tokens, open, world) end
  local count = #tokens
  local last, prefix, from = tokens[count], '', #code + 1
  if last and last.kind == 'number' and last.at + #last.text > #code then return answer(from, {}) end
  if last and last.kind == 'name' and last.at + #last.text > #code then
    prefix, from, count = last.text, last.at, count - 1
  end
  local separator = tokens[count]
  if separator and separator.kind == 'symbol' and (separator.text == '.' or separator.text == ':') then
    local value = value_before(tokens, count - 1, world)
    if value == nil then return answer(from, {}) end
    return fields(value, separator, prefix, from, world)
  end
  return globals(prefix, from, world)
end

return M
