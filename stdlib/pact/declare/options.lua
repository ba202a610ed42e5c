--- `pact.option`: typed arguments of a recipe, `--name value`, `--name=value`, `--flag`, `--no-flag`.
local duration = require 'pact.base.duration'
local list = require 'pact.base.list'
local record = require 'pact.declare.record'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

---@type noun
M.noun = {
  name = 'option',
  doc = 'An argument of the recipe: pact.option(name, { default, help }).',
  fields = {
    { name = 'default', type = values.any,
      doc = 'Its value when it is not given; also says its type.' },
    { name = 'help', type = values.string, doc = 'A line for --help.' },
    { name = 'type', type = values.enum { 'text', 'number', 'boolean', 'duration' },
      doc = 'Its type, where the default does not say.' },
    { name = 'choices', type = values.any, doc = 'The values it may have.' },
  },
  positional = function(out, value)
    if out.default == nil then out.default = value else out.help = value end
  end,
}
for _, row in ipairs(M.noun.fields) do row.reload = 'live' end

local function type_of(default)
  if type(default) == 'number' or type(default) == 'boolean' then return type(default) end
  return 'text'
end

local read = {
  text = function(value) return value end,
  number = function(value)
    local n = tonumber(value)
    if n then return math.tointeger(n) or n end
    return nil, ("must be a number, got '%s'"):format(value)
  end,
  boolean = function(value)
    if value == 'true' or value == 'yes' or value == '1' then return true end
    if value == 'false' or value == 'no' or value == '0' then return false end
    return nil, ("must be true or false, got '%s'"):format(value)
  end,
  duration = duration.parse,
}

-- the value given on the command line, and what is wrong with it; the last one counts
local function given(option, args)
  local flag, found, message = '--' .. option.name, nil, nil
  local i = 1
  while i <= #args and args[i] ~= '--' do
    local arg, value = args[i], nil
    if arg == flag then
      if option.type == 'boolean' then
        value = 'true'
      elseif args[i + 1] == nil then
        message = 'needs a value'
      else
        i = i + 1
        value = args[i]
      end
    elseif arg == '--no-' .. option.name and option.type == 'boolean' then
      value = 'false'
    elseif text.starts_with(arg, flag .. '=') then
      value = arg:sub(#flag + 2)
    end
    if value then found, message = read[option.type](value) end
    i = i + 1
  end
  if found ~= nil and option.choices and not list.index(option.choices, found) then
    local words = list.map(option.choices, tostring)
    return nil, ("must be %s, got '%s'%s")
      :format(text.quoted(words, 'or'), found, text.suggest(tostring(found), words))
  end
  return found, message
end

---@param recipe table
---@param name any
---@param spec any
---@return any value
function M.declare(recipe, name, spec)
  local cursor = recipe:cursor('option ' .. text.show(name))
  if type(name) ~= 'string' or not name:find '^%a[%w_-]*$' then
    return cursor:slip 'must have a name of letters, digits, \'_\' and \'-\''
  end
  local option = record.check(M.noun, spec == nil and {} or spec, cursor)
  if not option then return nil end
  option.name, option.at = name, cursor.at
  option.type = option.type or type_of(option.default)
  for _, other in ipairs(recipe.options) do
    if other.name == name then cursor:slip 'is declared twice' end
  end
  recipe.options[#recipe.options + 1] = option
  local value, message = given(option, recipe.context.args or {})
  if message then recipe.slips:add { key = '--' .. name, message = message } end
  if value == nil then value = option.default end
  if option.type == 'duration' and value == option.default and value ~= nil then
    return (duration.parse(value))
  end
  return value
end

---Arguments that look like options and are none, where the recipe has options and doesn't read `pact.args` itself.
---@param recipe table
function M.unknown(recipe)
  if #recipe.options == 0 or recipe.args_read then return end
  local known, names = { ['--help'] = true }, {}
  for _, option in ipairs(recipe.options) do
    known['--' .. option.name], known['--no-' .. option.name] = true, option.type == 'boolean'
    names[#names + 1] = '--' .. option.name
  end
  local i = 1
  local args = recipe.context.args or {}
  while i <= #args and args[i] ~= '--' do
    local flag, joined = args[i]:match '^(%-%-[^=]+)(=?)'
    if flag and not known[flag] then
      recipe.slips:add { message = ("unknown option '%s'%s"):format(flag, text.suggest(flag, names)) }
    end
    for _, option in ipairs(recipe.options) do
      if flag == '--' .. option.name and joined == '' and option.type ~= 'boolean' then i = i + 1 end
    end
    i = i + 1
  end
end

return M
