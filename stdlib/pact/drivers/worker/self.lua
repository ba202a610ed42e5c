--- What a worker's `run` gets: its handle, with what only the worker itself may do.

local cursor = require 'pact.declare.cursor'
local duration = require 'pact.base.duration'
local fail = require 'pact.base.fail'
local list = require 'pact.base.list'
local noun = require 'pact.declare.fields.server'
local record = require 'pact.declare.record'
local text = require 'pact.base.text'

local M = {}

local function milliseconds(value, what)
  local ms, message = duration.parse(value)
  if not ms then fail.misuse(('%s %s'):format(what, message)) end
  return ms
end

local function function_of(value, what)
  if type(value) == 'function' then return value end
  fail.misuse(('%s: a function expected, got %s'):format(what, text.show(value)))
end

local function line_of(...)
  local parts = table.pack(...)
  for i = 1, parts.n do parts[i] = tostring(parts[i]) end
  return table.concat(parts, '\t') .. '\n'
end

-- The options of a server, checked like any field of a recipe.
local function options_of(life, given)
  local slips = fail.new()
  local options = record.check(noun, given, cursor.new(slips, { directory = life.service.cwd }))
  if options and not (options.handler or options.routes) and slips:empty() then
    slips:add { message = "has nothing to answer with: give it handler = function(request) … end, or routes = { … }" }
  end
  if slips:empty() then return options end
  local messages = list.map(slips:sorted(), fail.text)
  fail.misuse('http_server: ' .. table.concat(messages, '\nhttp_server: '))
end

---@param life life
---@return table<string, function>
local function methods_of(life)
  local methods = {}
  local function acting(name, fn)
    methods[name] = function(_, ...)
      if life.over then fail.misuse(('%s: this worker has been stopped'):format(name)) end
      return fn(...)
    end
  end
  function methods.print(_, ...) life:say(1, line_of(...)) end
  methods.log = methods.print
  acting('sleep', function(value) life.sched:sleep(milliseconds(value, 'sleep')) end)
  acting('every', function(value, fn)
    return life:timer('every', milliseconds(value, 'every'), function_of(fn, 'every'), true)
  end)
  acting('after', function(value, fn)
    return life:timer('after', milliseconds(value, 'after'), function_of(fn, 'after'), false)
  end)
  acting('spawn', function(fn, ...) return life:branch(function_of(fn, 'spawn'), ...) end)
  acting('ready', function(said) life:ready(said) end)
  acting('http_server', function(given) return life:serve(options_of(life, given)) end)
  return methods
end

---@param life life
---@param handle any what the recipe gets for the service
---@return table
function M.new(life, handle)
  local self, meta = {}, {}
  for key, value in next, handle do self[key] = value end
  for key, value in pairs(getmetatable(handle) or {}) do meta[key] = value end
  local inherited, methods = meta.__index, methods_of(life)
  local own = {
    id = life.service.id, config = life.service, env = life.env, ports = life.job.ports, epoch = life.job.epoch,
  }
  function meta.__index(object, key)
    if own[key] ~= nil then return own[key] end
    if methods[key] then return methods[key] end
    if type(inherited) == 'function' then return inherited(object, key) end
    return inherited and inherited[key]
  end
  meta.__metatable = nil
  return setmetatable(self, meta)
end

return M
