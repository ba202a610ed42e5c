--- Kinds of lists and maps that fields take: lists of a kind, command lines, environments, limits.
local handle = require 'pact.declare.handle'
local list = require 'pact.base.list'
local size = require 'pact.base.size'
local text = require 'pact.base.text'

local M = {}

---Whether a value is a plain table with the keys 1 … n; tells what is wrong otherwise.
---@param value any
---@param cursor cursor
---@param expected string
---@return boolean
function M.sequence(value, cursor, expected)
  if type(value) ~= 'table' or getmetatable(value) then
    cursor:fail(('must be %s, got %s'):format(expected, text.show(value)))
    return false
  end
  local n, top = 0, 0
  for key in pairs(value) do
    if math.type(key) ~= 'integer' or key < 1 then
      cursor:fail(('must be %s, without the key %s'):format(expected, text.show(key)))
      return false
    end
    n = n + 1
    if key > top then top = key end
  end
  if n == top then return true end
  for i = 1, top do
    if value[i] == nil then
      cursor:fail(('has no item %d: is it a variable without a value?'):format(i))
      return false
    end
  end
end

---Lists of a kind; a single one stands for a list of one.
---@param item value_type
---@return value_type
function M.list_of(item)
  local expected = 'a list'
  return {
    name = 'list: ' .. item.name, lua = ('%s|(%s)[]'):format(item.lua, item.lua),
    check = function(value, cursor, row)
      if type(value) ~= 'table' or handle.id_of(value) then value = { value } end
      if not M.sequence(value, cursor, expected) then return nil end
      local out = {}
      for i, one in ipairs(value) do
        cursor:push(i)
        out[#out + 1] = item.check(one, cursor, row)
        cursor:pop()
      end
      return out
    end,
  }
end

---Maps from text to a kind.
---@param item value_type
---@return value_type
function M.map_of(item)
  return {
    name = 'map: ' .. item.name, lua = ('table<string, %s>'):format(item.lua),
    check = function(value, cursor, row)
      if type(value) ~= 'table' or getmetatable(value) then
        return cursor:fail(('must be a table of names, got %s'):format(text.show(value)))
      end
      local out = {}
      for key, one in list.sorted(value) do
        if type(key) ~= 'string' or key == '' then
          cursor:fail(('has a value without a name: %s'):format(text.show(one)))
        else
          cursor:push(key)
          out[key] = item.check(one, cursor, row)
          cursor:pop()
        end
      end
      return out
    end,
  }
end

local function as_argv(words)
  local out = {}
  for i, word in ipairs(words) do out[i] = text.quote(word, 200) end
  return '{ ' .. table.concat(out, ', ') .. ' }'
end

---What to write instead of a command line in one text.
---@param line string
---@param key string of the command
---@param shell string of its sibling for the shell
---@return string message
function M.command_hint(line, key, shell)
  local words = text.words(line)
  if #words == 0 then return 'must not be empty' end
  return ('is a list of words, not text: write %s = %s, or %s = %s for /bin/sh')
    :format(key, as_argv(words), shell, text.quote(line, 200))
end

local function word(value, cursor, i)
  if type(value) == 'number' then value = math.type(value) == 'integer' and ('%d'):format(value) or tostring(value) end
  if type(value) == 'function' and not cursor.fixed then return value end
  if type(value) ~= 'string' then
    return cursor:fail(('must be text, got %s'):format(text.show(value)))
  end
  if value:find('\0', 1, true) then return cursor:fail 'must not contain a zero byte' end
  if i == 1 and value == '' then return cursor:fail 'must name a program, got an empty text' end
  return value
end

local function words(value, cursor, program)
  if not M.sequence(value, cursor, 'a list of words') then return nil end
  if program and #value == 0 then return cursor:fail 'must name a program, got an empty list' end
  local out = {}
  for i, one in ipairs(value) do
    cursor:push(i)
    out[#out + 1] = word(one, cursor, program and i or 0)
    cursor:pop()
  end
  return #out == #value and out or nil
end

-- a command in one text is kept as `text`: `args` may stand beside it, which is known later
M.argv = {
  name = 'list of words', lua = '(string|fun(): string)[]|string',
  check = function(value, cursor)
    if type(value) == 'string' then
      if value == '' then return cursor:fail 'must not be empty' end
      return { text = value }
    end
    return words(value, cursor, true)
  end,
}

M.args = {
  name = 'list of words', lua = '(string|number|fun(): string)[]',
  check = function(value, cursor) return words(value, cursor, false) end,
}

---Joins a command with the `args` beside it.
---@param command table of `M.argv`
---@param args? table of `M.args`
---@param cursor cursor at the table that has both
---@param shell string name of the sibling for the shell
---@return table? argv
function M.join(command, args, cursor, shell)
  if command.text and not args then
    cursor:push 'command'
    cursor:fail(M.command_hint(command.text, 'command', shell))
    cursor:pop()
    return nil
  end
  if not args then return command end
  local out = command.text and { command.text } or table.move(command, 1, #command, 1, {})
  return table.move(args, 1, #args, #out + 1, out)
end

local function env_value(value, cursor)
  local kind = type(value)
  if kind == 'boolean' then return value and 'true' end
  if kind == 'function' then return value end
  if kind == 'number' then
    return math.type(value) == 'integer' and ('%d'):format(value) or ('%.14g'):format(value)
  end
  if kind ~= 'string' then
    return cursor:fail(('must be text, a number, true, false or a function, got %s')
      :format(text.show(value)))
  end
  if value:find('\0', 1, true) then return cursor:fail 'must not contain a zero byte' end
  return value
end

local function env_name(name, cursor)
  if type(name) == 'string' and name:find '^[%a_][^%s%c=]*$' then return true end
  cursor:fail(('has a name that no variable can have: %s'):format(text.show(name)))
end

-- names to values; items without a name are 'NAME=value'
M.env = {
  name = 'environment', lua = 'table<string, string|number|boolean|fun(): string>',
  check = function(value, cursor)
    if type(value) ~= 'table' or getmetatable(value) then
      return cursor:fail(('must be a table of variables, got %s'):format(text.show(value)))
    end
    local out = {}
    for _, key in ipairs(list.keys(value)) do
      local one = value[key]
      if math.type(key) == 'integer' then
        local name, rest = tostring(one):match '^([^=]*)=(.*)$'
        if not name then
          cursor:fail(("must have items such as NAME = 'value' or 'NAME=value', got %s")
            :format(text.show(one)))
        elseif env_name(name, cursor) then
          out[name] = rest
        end
      elseif env_name(key, cursor) then
        cursor:push(key)
        out[key] = env_value(one, cursor)
        cursor:pop()
      end
    end
    return out
  end,
}

local limit_names = {
  'as', 'core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc', 'rss',
  'rtprio', 'rttime', 'sigpending', 'stack',
}
local limit_set = list.set(limit_names)

local function bound(value)
  if value == 'unlimited' or value == -1 or value == math.huge then return -1 end
  return size.parse(value)
end

local function limit(value, cursor)
  local soft, hard = value, value
  if type(value) == 'table' then
    soft = value[1] or value.soft
    hard = value[2] or value.hard or soft
  end
  soft, hard = bound(soft), bound(hard)
  if not soft or not hard then
    return cursor:fail(("must be a number, a size, 'unlimited' or { soft, hard }, got %s")
      :format(text.show(value)))
  end
  if hard ~= -1 and (soft == -1 or soft > hard) then
    return cursor:fail 'has a soft limit above its hard one'
  end
  return { soft, hard }
end

M.limits = {
  name = 'limits', lua = "table<string, integer|string|(integer|string)[]>",
  check = function(value, cursor)
    if type(value) ~= 'table' or getmetatable(value) then
      return cursor:fail(('must be a table such as { nofile = 65535 }, got %s'):format(text.show(value)))
    end
    local out = {}
    for key, one in list.sorted(value) do
      local name = type(key) == 'string' and key:lower():gsub('^rlimit_', '')
      cursor:push(key)
      if limit_set[name] then
        out[name] = limit(one, cursor)
      else
        cursor:fail('is no limit' .. text.suggest(name, limit_names))
      end
      cursor:pop()
    end
    return out
  end,
}

return M
