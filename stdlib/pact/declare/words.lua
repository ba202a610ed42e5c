--- The words that declare: what `require 'pact'` gives a recipe before anything runs.
local events = require 'pact.declare.events'
local fail = require 'pact.base.fail'
local handle = require 'pact.declare.handle'
local hooks = require 'pact.declare.fields.hooks'
local list = require 'pact.base.list'
local merge = require 'pact.declare.merge'
local older = require 'pact.declare.older'
local options = require 'pact.declare.options'
local patterns = require 'pact.declare.patterns'
local project = require 'pact.declare.fields.project'
local record = require 'pact.declare.record'
local service = require 'pact.declare.fields.service'
local templates = require 'pact.declare.templates'
local text = require 'pact.base.text'

local M = {}

---@type table<string, { word: string, kind: string, task: boolean }>
M.kinds = {
  process = { word = 'process', kind = 'process', task = false },
  task = { word = 'task', kind = 'process', task = true },
  container = { word = 'container', kind = 'container', task = false },
  worker = { word = 'worker', kind = 'worker', task = false },
  external = { word = 'external', kind = 'external', task = false },
}

local function stop(recipe, subject, message)
  error(fail.stop { at = recipe:where(), subject = subject, message = message }, 0)
end

-- what `pact.process 'id'` comes to until its table is given
local function begun_of(recipe, what)
  local meta = { __name = 'declaration' }
  function meta.__call(begun, raw)
    if begun.done then
      recipe.cursor_of { subject = what.word, id = begun.id, at = begun.at }:slip 'has two tables'
      return begun.done ~= true and begun.done or handle.new(recipe.handles, '?')
    end
    begun.done = true
    begun.done = recipe:declare(what, begun.id, raw, begun.at)
    return begun.done
  end
  function meta.__index(begun, key)
    local subject = ('%s %s'):format(what.word, text.show(rawget(begun, 'id')))
    stop(recipe, subject, ('has no table, so it has no %s either'):format(text.show(key)))
  end
  return meta
end

local function kind_word(recipe, what)
  local meta = begun_of(recipe, what)
  return function(id, raw)
    local at = recipe:where(3)
    if type(id) == 'table' then
      recipe.slips:add {
        at = at, subject = 'pact.' .. what.word,
        message = ("takes the id first: pact.%s 'id' { … }"):format(what.word),
      }
      return handle.new(recipe.handles, '?')
    end
    if raw ~= nil then return recipe:declare(what, id, raw, at) end
    local begun = setmetatable({ word = what.word, id = id, at = at, done = false }, meta)
    recipe.pending[#recipe.pending + 1] = begun
    return begun
  end
end

-- What is said of the network as a whole is fixed when the first of it starts.
local function in_time(recipe, name)
  if recipe.phase ~= 'running' then return end
  stop(recipe, nil, ('pact.%s must come before the first call that starts something'):format(name))
end

local function setter(recipe, row)
  return function(value)
    in_time(recipe, row.name)
    local before = #recipe.slips.list
    local at_hand = recipe:cursor('pact')
    at_hand:push(row.name)
    local checked = row.type.check(value, at_hand, row)
    if checked ~= nil then recipe.settings[row.name] = checked end
    recipe:settle(before)
  end
end

local function add_hook(recipe, word, once, ...)
  local name, filter, fn = ...
  if select('#', ...) < 3 then filter, fn = nil, filter end
  local before = #recipe.slips.list
  local at_hand = recipe:cursor(('pact.%s'):format(word))
  local event, message = events.check(name)
  if not event then at_hand:slip(message) end
  at_hand:push(type(name) == 'string' and text.quote(name) or '?')
  local target = hooks.target(fn, at_hand)
  if event == 'line' then
    at_hand:pop()
    at_hand:push 'line'
    filter = hooks.filter(filter, at_hand)
    for _, id in ipairs(filter and recipe.phase == 'running' and filter.service or {}) do
      if not recipe.declared[id] then
        at_hand:fail(("'%s' is not declared%s"):format(id, text.suggest(id, list.keys(recipe.declared))))
      end
    end
  elseif filter ~= nil then
    at_hand:fail(('takes a name and a function, got %s between them'):format(text.show(filter)))
  end
  recipe:settle(before)
  local hook = {
    event = event or '?', fn = target and events.adapt(name, target) or nil, at = at_hand.at,
    once = once, off = false, filter = event == 'line' and filter or nil,
  }
  if event and target then
    recipe.hooks[#recipe.hooks + 1] = hook
    local hear = recipe.phase == 'running' and recipe.context.hook_on
    if hear then hear(hook) end
  end
  return {
    off = function()
      hook.off = true
      if recipe.context.hook_off then recipe.context.hook_off(hook) end
    end,
  }
end

-- What a shell may offer behind a command: texts, or a function that gives them.
local function check_args(args, at_hand)
  if args == nil or type(args) == 'function' then return args end
  if type(args) ~= 'table' or getmetatable(args) then
    return at_hand:slip(("args must be a list of texts, or a function that gives one, got %s"):format(text.show(args)))
  end
  for _, one in list.sorted(args) do
    if type(one) ~= 'string' then
      return at_hand:slip(('args must hold texts only, has %s'):format(text.show(one)))
    end
  end
  return args
end

local COMMAND_KEYS = { help = true, args = true }

local function add_command(recipe, name, spec, fn)
  if fn == nil and type(spec) == 'function' then spec, fn = {}, spec end
  local at_hand = recipe:cursor('command ' .. text.show(name))
  if type(name) ~= 'string' or not name:find '^%w[%w_:.-]*$' then
    return at_hand:slip "must have a name of letters, digits, '_', '-', '.' and ':'"
  end
  if type(fn) ~= 'function' then
    return at_hand:slip(("needs a function: pact.command(%s, { help = '…' }, function(args) … end)")
      :format(text.quote(name)))
  end
  if type(spec) == 'string' then spec = { help = spec } end
  for key in pairs(type(spec) == 'table' and spec or {}) do
    if not COMMAND_KEYS[key] then at_hand:slip(("unknown key %s (only 'help' and 'args')"):format(text.show(key))) end
  end
  spec = type(spec) == 'table' and spec or {}
  local first = recipe.commands[name]
  if first then return at_hand:slip(('is declared already, at %s'):format(fail.place(first.at))) end
  recipe.commands[name] = {
    name = name, help = spec.help, args = check_args(spec.args, at_hand), fn = fn, at = at_hand.at,
  }
end

local function secret(recipe, name)
  local at_hand = recipe:cursor('pact.secret')
  if type(name) ~= 'string' or name == '' then
    return at_hand:slip(('must be the name of a variable, got %s'):format(text.show(name)))
  end
  local value = (recipe.context.env or {})[name]
  if value == nil or value == '' then
    at_hand:slip(('%s is not set: put it into the environment'):format(text.show(name)))
    return ''
  end
  if not list.index(recipe.secret_values, value) then
    recipe.secret_values[#recipe.secret_values + 1] = value
  end
  return value
end

local function free_port(recipe, name)
  local at_hand = recipe:cursor('pact.free_port')
  if name ~= nil and (type(name) ~= 'string' or name == '') then
    at_hand:slip(('must be a name for the port, got %s'):format(text.show(name)))
    return 1
  end
  local context = recipe.context
  local port, message
  if context.free_port then port, message = context.free_port(name or 'port')
  else port, message = context.sys.net.free_port() end
  if not port then
    at_hand:slip('found no free port: ' .. tostring(message))
    return 1
  end
  return port
end

local function declaring(recipe, api)
  for word, what in pairs(M.kinds) do api[word] = kind_word(recipe, what) end
  for _, row in ipairs(project.noun.fields) do api[row.name] = setter(recipe, row) end
  function api.tui(spec)
    local at_hand = recipe:cursor('pact.tui')
    recipe.settings.tui = record.check(project.tui, spec == nil and {} or spec, at_hand)
  end
  function api.defaults(spec)
    local given = record.check(service, spec, recipe:cursor('defaults'))
    if given then recipe.defaults = merge.fields(service, recipe.defaults, given) end
  end
  function api.template(spec)
    local given = record.check(service, spec, recipe:cursor('template')) or {}
    for i = #(given.extends or {}), 1, -1 do
      given = merge.fields(service, given.extends[i].fields, given)
    end
    given.extends = nil
    return templates.new(given)
  end
  api.patterns = patterns.new(recipe)
  function api.on(...) return add_hook(recipe, 'on', false, ...) end
  function api.once(...) return add_hook(recipe, 'once', true, ...) end
  function api.command(name, spec, fn) add_command(recipe, name, spec, fn) end
  function api.option(name, spec)
    in_time(recipe, 'option')
    return options.declare(recipe, name, spec)
  end
  function api.secret(name) return secret(recipe, name) end
  function api.free_port(name) return free_port(recipe, name) end
  function api.service(id)
    local found = handle.id_of(id) or id
    return recipe.declared[found] and handle.new(recipe.handles, found) or nil
  end
end

---@param recipe table
---@return table api the functions themselves
---@return table pact what the recipe sees of them: a name that isn't there is an error
function M.new(recipe)
  local api, setters = {}, {}
  declaring(recipe, api)
  for _, row in ipairs(project.noun.fields) do setters[row.name] = true end
  local args = recipe.context.args or {}
  local pact = setmetatable({}, {
    __name = 'pact',
    __index = function(_, key)
      local found = api[key] or api[older.call(key)]
      if found ~= nil then return found end
      if key == 'args' then
        recipe.args_read = true
        return args
      end
      local name = type(key) == 'string' and 'pact.' .. key or text.show(key)
      stop(recipe, nil, ('there is no %s%s'):format(name, text.suggest(key, list.keys(api))))
    end,
    __newindex = function(_, key, value)
      if setters[key] then return api[key](value) end
      stop(recipe, nil, ('pact.%s cannot be set'):format(tostring(key)))
    end,
    __pairs = function() return next, api, nil end,
  })
  return api, pact
end

return M
