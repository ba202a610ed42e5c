--- What must hold of an OpenAPI 3.1 document, as far as ours uses it: nothing unknown, nothing missing, every reference
-- and every part of a path met. `tools/check openapi` asks a validator that knows all of the specification.

local list = require 'pact.base.list'

local M = {}

local TYPES = list.set { 'null', 'boolean', 'object', 'array', 'number', 'string', 'integer' }
local METHODS = list.set { 'get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace' }

-- Keys by kind: true where one is needed.
local KEYS = {
  document = { openapi = true, info = true, paths = true, servers = false, components = false },
  info = { title = true, version = true, description = false },
  server = { url = true, description = false },
  operation = { operationId = true, summary = true, responses = true, parameters = false, requestBody = false },
  parameter = { name = true, ['in'] = true, schema = true, description = false, required = false, explode = false },
  body = { content = true, required = false, description = false },
  response = { description = true, content = false },
  media = { schema = true },
  schema = {
    type = false, ['$ref'] = false, properties = false, required = false, additionalProperties = false, items = false,
    enum = false, minimum = false, maxLength = false, description = false, format = false,
  },
}

local function keys(state, kind, value, where)
  if type(value) ~= 'table' then return state.complain('%s: no %s', where, kind) end
  for key in list.sorted(value) do
    if KEYS[kind][key] == nil then state.complain('%s: %s of %s', where, tostring(key), kind) end
  end
  for key, needed in list.sorted(KEYS[kind]) do
    if needed and value[key] == nil then state.complain('%s: no %s', where, key) end
  end
  return true
end

local schema

local function properties(state, value, where)
  for name, property in list.sorted(value.properties or {}) do schema(state, property, where .. '.' .. name) end
  for _, name in ipairs(value.required or {}) do
    if not (value.properties or {})[name] then state.complain('%s: required %s is no property', where, name) end
  end
end

function schema(state, value, where)
  if not keys(state, 'schema', value, where) then return end
  local ref = value['$ref']
  if ref then
    local name = ref:match '^#/components/schemas/([%w_.-]+)$'
    if not name or not state.schemas[name] then state.complain('%s: nothing at %s', where, ref) end
    return
  end
  local types = type(value.type) == 'table' and value.type or { value.type }
  if #types == 0 then state.complain('%s: no type', where) end
  for _, name in ipairs(types) do
    if not TYPES[name] then state.complain('%s: type %s', where, tostring(name)) end
  end
  if value.type == 'array' then schema(state, value.items, where .. '[]') end
  properties(state, value, where)
end

local function content(state, value, where)
  if not next(value or {}) then return state.complain('%s: no content', where) end
  for kind, media in list.sorted(value) do
    if not kind:find '^[%w-]+/[%w.+-]+' then state.complain('%s: %s is no media type', where, kind) end
    if keys(state, 'media', media, where) then schema(state, media.schema, where .. ' ' .. kind) end
  end
end

local function parameters(state, path, value, where)
  local seen = {}
  for _, parameter in ipairs(value or {}) do
    if not keys(state, 'parameter', parameter, where) then return end
    local name = parameter['in'] .. ' ' .. parameter.name
    if seen[name] then state.complain('%s: %s twice', where, name) end
    seen[name] = true
    local place = parameter['in']
    if place ~= 'path' and place ~= 'query' then state.complain('%s: in %s', where, place) end
    if place == 'path' and parameter.required ~= true then state.complain('%s: %s is not required', where, name) end
    if place == 'path' and not path:find('{' .. parameter.name .. '}', 1, true) then
      state.complain('%s: %s is no part of it', where, name)
    end
    schema(state, parameter.schema, where .. ' ' .. name)
  end
  for part in path:gmatch '{(.-)}' do
    if not seen['path ' .. part] then state.complain('%s: {%s} is not described', where, part) end
  end
end

local function responses(state, value, where)
  if not next(value or {}) then state.complain('%s: no responses', where) end
  for status, response in list.sorted(value or {}) do
    if status ~= 'default' and not status:find '^[1-5]%d%d$' then state.complain('%s: status %s', where, status) end
    if keys(state, 'response', response, where .. ' ' .. status) and response.content then
      content(state, response.content, where .. ' ' .. status)
    end
  end
end

local function operation(state, path, method, value)
  local where = method .. ' ' .. path
  if not METHODS[method] then state.complain('%s: no method', where) end
  if not keys(state, 'operation', value, where) then return end
  if state.operations[value.operationId] then state.complain('%s: %s twice', where, value.operationId) end
  state.operations[value.operationId] = true
  parameters(state, path, value.parameters, where)
  if value.requestBody and keys(state, 'body', value.requestBody, where) then
    content(state, value.requestBody.content, where .. ' body')
  end
  responses(state, value.responses, where)
end

---@param document table decoded
---@return string[] what is wrong with it
function M.problems(document)
  local found = {}
  local state = { operations = {}, schemas = document.components and document.components.schemas or {} }
  function state.complain(format, ...) found[#found + 1] = format:format(...) end
  keys(state, 'document', document, 'document')
  keys(state, 'info', document.info, 'info')
  local version = tostring(document.openapi)
  if not version:find '^3%.1%.%d+$' then state.complain('openapi: %s', version) end
  for _, server in ipairs(document.servers or {}) do keys(state, 'server', server, 'servers') end
  for name, value in list.sorted(state.schemas) do schema(state, value, name) end
  for path, operations in list.sorted(document.paths or {}) do
    if path:sub(1, 1) ~= '/' then state.complain('%s: no path', path) end
    for method, value in list.sorted(operations) do operation(state, path, method, value) end
  end
  return found
end

return M
