--- `pact.patterns`: templates for common kinds of services, with the figures that have stood the test.
local handle = require 'pact.declare.handle'
local record = require 'pact.declare.record'
local service = require 'pact.declare.fields.service'
local shapes = require 'pact.declare.shapes'
local templates = require 'pact.declare.templates'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

-- dependencies that say no condition get one
local function with_condition(value, condition)
  if type(value) ~= 'table' or handle.id_of(value) then value = { value } end
  local out = {}
  for key, one in pairs(value) do
    local bare = type(one) == 'table' and not getmetatable(one) and one.condition == nil and one.log == nil
    if math.type(key) == 'integer' and (type(one) == 'string' or handle.id_of(one)) then
      out[key] = { one, condition = condition }
    elseif one == true then
      out[key] = condition
    elseif bare then
      out[key] = { condition = condition }
      for name, given in pairs(one) do out[key][name] = given end
    else
      out[key] = one
    end
  end
  return out
end

local dependencies = { name = 'dependencies', lua = 'pact.depends_on', check = values.any.check }

local function port_row(name, doc)
  return { name = name, type = values.integer, min = 1, max = 65535, reload = 'restart', doc = doc }
end

local function needs_row(condition)
  return { name = 'depends_on', type = dependencies, aliases = { 'dependencies' }, reload = 'live',
    doc = ("What it needs; where no condition stands, '%s'."):format(condition) }
end

local path = {
  name = 'path', lua = 'string',
  check = function(value, cursor)
    if type(value) == 'string' and value:find '^/' then return value end
    cursor:fail(("must be a path such as '/health', got %s"):format(text.show(value)))
  end,
}

-- Each: its own fields, which of them must be there, the condition of its dependencies, and the fields
-- of a service that they come to.
---@type table<string, { noun: noun, needs?: string, condition: string, fields: fun(given: table): table }>
M.rows = {
  web_server = {
    noun = { name = 'web_server', doc = 'A server that answers over HTTP.', fields = {
      port_row('port', 'Where it listens.'),
      { name = 'health_path', type = path, default = "'/health'", reload = 'live',
        doc = 'What is asked of it.' },
      needs_row 'healthy',
    } },
    needs = 'port', condition = 'healthy',
    fields = function(given)
      local url = ('http://localhost:%d%s'):format(given.port, given.health_path or '/health')
      return {
        ports = { given.port }, restart = { max_retries = 3, delay = '5s' },
        health = { http = url, interval = '30s', timeout = '5s', retries = 3 },
      }
    end,
  },
  database = {
    noun = { name = 'database', doc = 'A database that takes connections.', fields = {
      port_row('port', 'Where it listens.'),
      needs_row 'ready',
    } },
    needs = 'port', condition = 'ready',
    fields = function(given)
      return {
        ports = { given.port }, restart = { max_retries = 5, delay = '10s' },
        health = { tcp = ('localhost:%d'):format(given.port), interval = '30s', timeout = '5s', retries = 3 },
      }
    end,
  },
  worker = {
    noun = { name = 'worker', doc = 'A process that works in the background.', fields = {
      { name = 'health_command', type = shapes.argv, reload = 'live',
        doc = 'A program that exits with 0 while it is well.' },
      needs_row 'ready',
    } },
    condition = 'ready',
    fields = function(given)
      local command = given.health_command
      local health = command and { interval = '60s', timeout = '10s', retries = 2 }
      if health then health[command.text and 'shell' or 'command'] = command.text or command end
      return { restart = { max_retries = 3, delay = '5s' }, health = health }
    end,
  },
  blockchain_node = {
    noun = { name = 'blockchain_node', doc = 'A node that takes a while to come up.', fields = {
      port_row('rpc_port', 'Where it answers.'),
      needs_row 'healthy',
    } },
    needs = 'rpc_port', condition = 'healthy',
    fields = function(given)
      return {
        ports = { rpc = given.rpc_port }, timeout = '60s', restart = { max_retries = 3, delay = '15s' },
        health = {
          tcp = ('localhost:%d'):format(given.rpc_port), start_period = '15s', interval = '30s', timeout = '10s',
          retries = 3,
        },
      }
    end,
  },
}

-- what a service says for itself stands beside the pattern, not in it
local function misplaced(row, spec, cursor)
  local own, out = record.index(row.noun), {}
  for key, value in pairs(spec) do
    local field = not own[key] and record.index(service)[key]
    if field then
      cursor:slip(("has no '%s': it stands beside extends = %s { … }"):format(key, cursor.subject))
    else
      out[key] = value
    end
  end
  return out
end

local function template(recipe, name, row, spec)
  local cursor = recipe:cursor('pact.patterns.' .. name)
  if type(spec) == 'table' and not getmetatable(spec) then spec = misplaced(row, spec, cursor) end
  local before = #recipe.slips.list
  local given, spelled = record.check(row.noun, spec, cursor)
  if given and row.needs and not record.tried(spec, spelled, row.needs) then
    cursor:slip(("needs %s = 8080 or the like"):format(row.needs))
  end
  if #recipe.slips.list > before then return templates.new {} end
  local fields = row.fields(given)
  if given.depends_on ~= nil then fields.depends_on = with_condition(given.depends_on, row.condition) end
  return templates.new(record.check(service, fields, cursor) or {})
end

---@param recipe recipe
---@return table patterns functions by name; one that isn't there is an error
function M.new(recipe)
  local out, names = {}, {}
  for name, row in pairs(M.rows) do
    names[#names + 1] = name
    out[name] = function(spec) return template(recipe, name, row, spec == nil and {} or spec) end
    out[record.camel(name)] = out[name]
  end
  table.sort(names)
  return setmetatable(out, { __index = function(_, key)
    error(('there is no pact.patterns.%s%s'):format(tostring(key), text.suggest(tostring(key), names)), 2)
  end })
end

return M
