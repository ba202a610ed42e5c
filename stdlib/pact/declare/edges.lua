--- `depends_on`: ids, handles and conditions in lists and maps, to edges.
local handle = require 'pact.declare.handle'
local list = require 'pact.base.list'
local record = require 'pact.declare.record'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

local conditions = { 'ready', 'healthy', 'started', 'completed' }
local synonyms = {
  service_healthy = 'healthy', service_started = 'started', running = 'ready',
  service_completed_successfully = 'completed',
}
local enum = values.enum(conditions, synonyms)

local condition = {
  name = "'ready', 'healthy', 'started', 'completed' or { log = 'text' }",
  lua = "'ready'|'healthy'|'started'|'completed'|{ log: pact.pattern }",
  check = function(value, cursor, row)
    if type(value) == 'table' and not getmetatable(value) then
      local pattern = value.log
      if pattern == nil or next(value, next(value)) then
        return cursor:fail(("must be %s or { log = 'text' }, got %s"):format(enum.name, text.show(value)))
      end
      cursor:push 'log'
      pattern = values.pattern.check(pattern, cursor, row)
      cursor:pop()
      return pattern and { log = pattern }
    end
    return enum.check(value, cursor, row)
  end,
}

---@type noun
M.noun = {
  name = 'edge',
  doc = 'What a service waits for, as `depends_on = { db = { … } }`.',
  fields = {
    { name = 'condition', type = condition, default = "'ready'", reload = 'live',
      doc = 'What must hold of the dependency before this service starts.' },
    { name = 'log', type = values.pattern, reload = 'live',
      doc = 'Short for condition = { log = … }: a line of its output in this life.' },
    { name = 'timeout', type = values.duration, min = 1, reload = 'live',
      doc = 'How long to wait; then this service fails.' },
    { name = 'restart', type = values.boolean, default = 'false', reload = 'live',
      doc = 'Restart this service when the dependency is back after a fall.' },
    { name = 'id', type = values.any, reload = 'live', doc = 'The dependency, where the table stands in a list.' },
  },
  positional = function(out, value, cursor)
    if out.id ~= nil then return cursor:fail 'names more than one dependency' end
    out.id = value
  end,
}

local function id_of(value, cursor)
  local id = handle.id_of(value) or value
  if type(id) == 'string' and id ~= '' then return id end
  local declared = type(value) == 'table' and getmetatable(value) and 'a declaration without its table'
  cursor:fail(("must name services by id or handle, got %s"):format(declared or text.show(value)))
end

local function edge(id, spec, cursor)
  local out = { id = id, condition = 'ready', restart = false, at = cursor.at }
  if spec == true then return out end
  if type(spec) ~= 'table' then
    out.condition = enum.check(spec, cursor)
    return out.condition and out
  end
  local given = record.check(M.noun, spec, cursor)
  if not given then return nil end
  local wanted = given.condition or 'ready'
  if given.log then wanted = { log = given.log } end
  if type(wanted) == 'table' then
    out.condition, out.pattern = 'log', wanted.log
  else
    out.condition = wanted
  end
  out.timeout, out.restart = given.timeout, given.restart or false
  return out
end

local function listed(value, cursor)
  if type(value) ~= 'table' or handle.id_of(value) then
    local id = id_of(value, cursor)
    return id and edge(id, true, cursor)
  end
  local dependency = value.id
  if dependency == nil then dependency = value[1] end
  if dependency == nil then
    return cursor:fail(("has an item that names no service; write db = { condition = 'healthy' }"))
  end
  local id = id_of(dependency, cursor)
  return id and edge(id, value, cursor)
end

local function hole(value, cursor)
  local top = 0
  for key in pairs(value) do
    if math.type(key) == 'integer' and key > top then top = key end
  end
  for i = 1, top do
    if value[i] == nil then
      cursor:fail(('has no item %d: is it a variable without a value?'):format(i))
      return
    end
  end
end

local function check(value, cursor)
  if type(value) ~= 'table' or getmetatable(value) then value = { value } end
  hole(value, cursor)
  local out, seen = {}, {}
  for _, key in ipairs(list.keys(value)) do
    local one = value[key]
    local found
    if math.type(key) == 'integer' then
      found = listed(one, cursor)
    else
      local id = id_of(key, cursor)
      cursor:push(id or '?')
      if handle.id_of(one) then
        cursor:fail(('must be a condition, got %s'):format(text.show(one)))
      elseif id and one ~= false then
        found = edge(id, one, cursor)
      end
      cursor:pop()
    end
    if found and seen[found.id] then
      cursor:fail(("names '%s' twice"):format(found.id))
    elseif found then
      seen[found.id] = true
      out[#out + 1] = found
    end
  end
  return out
end

---@type value_type
M.type = { name = 'dependencies', lua = 'pact.depends_on', noun = M.noun, check = check }

---@type value_type `dependencies`: the same, and dependents restart when a dependency is back
M.restarting = {
  name = 'dependencies', lua = 'pact.depends_on', noun = M.noun,
  check = function(value, cursor)
    local out = check(value, cursor)
    for _, one in ipairs(out) do one.restart = true end
    return out
  end,
}

return M
