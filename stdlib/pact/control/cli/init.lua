--- Reads the command line by the tables of verbs and options. Knows nothing of files but what it is told.

local text = require 'pact.base.text'
local options = require 'pact.control.cli.options'
local verbs = require 'pact.control.cli.verbs'

local M = {}

---@class invocation
---@field verb string
---@field bare boolean `pactlua RECIPE ARGS`
---@field options table<string, any> by name with `_` for `-`
---@field recipe? string as the user named it
---@field ids string[] services, or what else the verb takes
---@field args string[] for the recipe
---@field command? string[] for `run`, `ci`, `exec`; never empty
---@field help? boolean

local convert = {}

function convert.count(word)
  local count = math.tointeger(tonumber(word))
  if count and count >= 0 then return count end
  return nil, ("must be a number, got '%s'"):format(word)
end

function convert.address(word)
  local address = require 'pact.base.address'
  local host, port = address.parse(word)
  if host == 'localhost' then host = address.here end
  if host and address.is_numeric(host) then return { host = host, port = port } end
  return nil, ("must be a port or an address in numbers such as 127.0.0.1:4000, got '%s'"):format(word)
end

-- As browsers write it: neither path nor wildcard.
function convert.origin(word)
  for site in word:gmatch '[^,]+' do
    if not site:find '^https?://[^/%s*]+$' then
      return nil, ("must be a site such as http://localhost:5173, without a path, got '%s'"):format(site)
    end
  end
  return word:lower()
end

function convert.duration(word)
  local duration = require 'pact.base.duration'
  return duration.parse(tonumber(word) or word)
end

function convert.when(word, now) return require('pact.control.cli.when').parse(word, now) end

local function names(allowed)
  local list = {}
  for _, group in ipairs { allowed, options.everywhere } do
    for _, name in ipairs(group) do list[#list + 1] = name end
  end
  return list
end

local function allows(allowed, name)
  for _, each in ipairs(names(allowed)) do
    if each == name then return true end
  end
  return false
end

-- The option that a verb knows by this letter; else one that others do.
local function by_letter(letter, verb)
  return options.short(letter, function(name) return allows(verb.options, name) end)
end

local function takes(verb, name, letter)
  local row = letter and by_letter(letter, verb)
  return allows(verb.options, row and row.name or name)
end

---What to say about an option that isn't one, or not one of this verb.
local function unknown(word, name, verb, letter)
  if name == 'detach' and verb.role == 'network' then
    return ("'%s' ends its network with its command: 'pactlua up --detach' leaves one running"):format(verb.name)
  elseif options.by_name[name] then
    local takers = {}
    for _, row in ipairs(verbs.rows) do
      if takes(row, name, letter) then takers[#takers + 1] = row.name end
    end
    if #takers > 0 then
      return ("'%s' takes no option %s (%s: %s)"):format(verb.name, word,
        #takers == 1 and 'the command that does' or 'the commands that do', table.concat(takers, ', '))
    end
  end
  local near = text.nearest(name, names(verb.options))
  return ('unknown option %s%s'):format(word, near and (' (did you mean --%s?)'):format(near) or '')
end

---Finds the row of an option's word, and the value that is glued to it.
local function find_option(word, verb)
  local long, glued = word:match '^%-%-([^=]+)=(.*)$'
  long = long or word:match '^%-%-(.+)$'
  local letter = not long and word:sub(2, 2) or nil
  local row = letter and by_letter(letter, verb) or options.by_name[long]
  if letter and #word > 2 then glued = word:sub(3) end
  if row and allows(verb.options, row.name) then return options.of(row, verb.name), glued end
  return nil, unknown(word, long or row and row.name or word:sub(2), verb, letter)
end

local function store(into, row, value)
  local key = row.name:gsub('-', '_')
  if not row.list then
    into[key] = value
    return
  end
  local list = into[key] or {}
  for item in value:gmatch '[^,]+' do
    list[#list + 1] = text.trim(item)
  end
  into[key] = list
end

---Takes the option at `words[at]`; gives the place behind it.
local function take_option(words, at, verb, into, now)
  local word = words[at]
  local row, glued = find_option(word, verb)
  if not row then return nil, glued end
  if row.later then return nil, ('--%s is not in this version: %s'):format(row.name, row.later) end
  if row.first then -- there it has been taken before anything of this was loaded
    return nil, ('--%s stands before all else: pactlua --%s %s %s …'):format(row.name, row.name, row.value, verb.name)
  end
  if not row.value then
    if glued then return nil, ('--%s takes no value'):format(row.name) end
    store(into, row, true)
    return at + 1
  end
  local value = glued
  if not value then
    at = at + 1
    value = words[at]
  end
  if not value or value == '' then
    return nil, ('--%s needs a value: --%s %s'):format(row.name, row.name, row.value)
  end
  if row.convert then
    local converted, message = convert[row.convert](value, now)
    if converted == nil then return nil, ('--%s %s'):format(row.name, message) end
    value = converted
  end
  store(into, row, value)
  return at + 1
end

local function is_option(word)
  return #word > 1 and word:sub(1, 1) == '-'
end

---@return boolean the option's value is the next word
local function wants_value(word)
  local row = options.by_name[word:match '^%-%-([^=]+)$' or ''] or options.short(word:match '^%-(.)$' or '')
  return row ~= nil and row.value ~= nil
end

---@return boolean it can only be meant as a file
function M.is_file(word)
  return word:find('/', 1, true) ~= nil or word:find '%.lua$' ~= nil or word:find '%.ya?ml$' ~= nil
end

---The words of a verb, options anywhere among them until `--`.
local function parse_words(words, at, verb, result, now)
  while at <= #words do
    local word = words[at]
    if word == '--' then
      local rest = table.move(words, at + 1, #words, 1, {})
      if verb.rest == 'command' then
        result.command = rest[1] and rest or nil
      elseif verb.rest == 'args' then
        result.args = rest
      else
        table.move(rest, 1, #rest, #result.ids + 1, result.ids)
      end
      break
    elseif is_option(word) then
      local behind, message = take_option(words, at, verb, result.options, now)
      if not behind then return nil, message end
      at = behind
    else
      result.ids[#result.ids + 1] = word
      at = at + 1
    end
  end
  return true
end

local function check_words(verb, result, exists)
  local ids = result.ids
  if verb.recipe and ids[1] and (verb.words[2] == 1 or M.is_file(ids[1]) or exists(ids[1])) then
    result.recipe = table.remove(ids, 1)
  end
  local count = #ids + (result.recipe and 1 or 0)
  local usage = ('pactlua %s %s'):format(verb.name, verb.args):gsub(' $', '')
  if count < verb.words[1] then return nil, ('%s: %s'):format(verb.name, 'usage: ' .. usage) end
  if count > verb.words[2] then
    return nil, ("%s: '%s' is too much; usage: %s"):format(verb.name, ids[#ids] or result.recipe, usage)
  end
  if verb.rest == 'command' and not verb.optional and not (result.command and result.command[1]) then
    return nil, ('%s needs a command behind --: %s'):format(verb.name, usage)
  end
  return true
end

-- Options that go with others, and those that don't.
local function check_options(verb, given)
  for _, name in ipairs(verb.options) do
    local row, key = options.by_name[name], name:gsub('%-', '_')
    if given[key] and row.needs and not given[row.needs] then
      return nil, ('--%s goes with --%s alone'):format(name, row.needs)
    elseif given[key] and row.no and given[row.no] then
      return nil, ('--%s and --%s exclude each other'):format(name, row.no)
    end
  end
  return true
end

local function no_such_verb(word)
  local known = {}
  for _, row in ipairs(verbs.rows) do known[#known + 1] = row.name end
  local near = text.nearest(word, known)
  return ("'%s' is neither a command nor a recipe that is here%s"):format(word,
    near and (" (did you mean '%s'?)"):format(near) or "; 'pactlua help' shows the commands")
end

---The bare form: what is behind the recipe belongs to it, but for a call for help.
local function bare(words, at, result, exists)
  local word = words[at]
  if not M.is_file(word) and not exists(word) then return nil, no_such_verb(word) end
  result.verb, result.bare, result.recipe = 'up', true, word
  result.args = table.move(words, at + 1, #words, 1, {})
  for _, arg in ipairs(result.args) do
    if arg == '--' then break end
    if arg == '--help' or arg == '-h' then result.help = true end
  end
  return result
end

---@param words string[] behind the program's name
---@param context { exists: (fun(path: string): boolean), now: integer } wall ms
---@return invocation?, string? message
function M.parse(words, context)
  local result = { options = {}, ids = {}, args = {}, bare = false }
  local up, at, ours = verbs.by_name.up, 1, {}
  while words[at] and is_option(words[at]) and words[at] ~= '--' do
    if words[at] == '--version' or words[at] == '-V' then
      result.verb = 'version'
      return result
    end
    ours[#ours + 1] = words[at]
    if wants_value(words[at]) then
      at = at + 1
      ours[#ours + 1] = words[at]
    end
    at = at + 1
  end
  local word = words[at]
  local verb = word and verbs.by_name[word]
  result.verb = verb and word or nil
  verb = verb or up
  if word and not result.verb then
    local found, message = bare(words, at, result, context.exists)
    if not found then return nil, message end
  end
  local ok, message = parse_words(ours, 1, verb, result, context.now)
  if not ok then return nil, message end
  if result.verb and not result.bare then
    ok, message = parse_words(words, at + 1, verb, result, context.now)
    if ok and not result.options.help then ok, message = check_words(verb, result, context.exists) end
    if not ok then return nil, message end
  end
  result.help = result.help or result.options.help
  if not result.help then
    ok, message = check_options(verb, result.options)
    if not ok then return nil, message end
  end
  if not result.verb then
    if #ours > 0 and not result.help then return nil, 'a recipe or a command is needed' end
    result.verb, result.ids = 'help', {}
  end
  return result
end

return M
