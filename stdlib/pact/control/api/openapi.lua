--- The table of routes as an OpenAPI document.

local given = require 'pact.control.api.given'
local json = require 'pact.base.json'

-- The version is the protocol's, as in its paths.
local M, VERSION = {}, '1'

local REFUSAL = { ['$ref'] = '#/components/schemas/refusal' }

local function answer_of(what, kind, schema)
  return { description = what, content = { [kind] = { schema = schema } } }
end

local function parameters(row)
  local out = json.array {}
  for name in row[2]:gmatch '{(%a+)}' do
    out[#out + 1] = { name = name, ['in'] = 'path', required = true, schema = { type = 'string' } }
  end
  for _, field in ipairs(row.query or {}) do
    local schema = given.types[field[2]].schema
    out[#out + 1] = {
      name = field[1], ['in'] = 'query', description = field[3], schema = schema, required = field.required,
      explode = schema.type == 'array' and false or nil, -- a,b,c
    }
  end
  return out
end

local function body(row)
  if not row.body then return nil end
  local properties, required = {}, json.array {}
  for _, field in ipairs(row.body) do
    local property = { description = field[3] }
    for key, value in pairs(given.types[field[2]].schema) do property[key] = value end
    property.maxLength = field.most
    properties[field[1]] = property
    if field.required then required[#required + 1] = field[1] end
  end
  local schema = { type = 'object', properties = properties, additionalProperties = false }
  if required[1] then schema.required = required end
  local content = { ['application/json'] = { schema = schema } }
  if row.text then content['text/plain'] = { schema = { type = 'string', description = row.text } } end
  return { required = required[1] ~= nil, content = content }
end

local function responses(row)
  local kind = row.type or 'application/json'
  local out = { default = answer_of('A refusal', 'application/json', REFUSAL) }
  if row.upgrade then
    out['101'] = { description = ('Behind it %s: %s'):format(row.upgrade, row.answer) }
    out['426'] = answer_of(('Upgrade: %s was not asked for'):format(row.upgrade), 'application/json', REFUSAL)
  else
    out['200'] = answer_of(row.answer, kind, { type = kind == 'application/json' and 'object' or 'string' })
  end
  return out
end

local function operation(row)
  return {
    operationId = row[1]:lower() .. row[2]:gsub('^/v1', ''):gsub('[{}]', ''):gsub('[/.]', '_'),
    summary = row.summary,
    parameters = parameters(row),
    requestBody = body(row),
    responses = responses(row),
  }
end

-- Who has the file has the token; there is no other way to get it.
local TOKEN = {
  type = 'http', scheme = 'bearer',
  description = "The token of this run: in the file 'token' of the network's directory, or as given in PACTLUA_TOKEN.",
}

---@param rows route[]
---@param url? string over TCP: where; what is for the socket alone isn't there
---@return table
function M.document(rows, url)
  local paths = {}
  for _, row in ipairs(rows) do
    if not row.hidden and not (url and row.socket_only) then
      paths[row[2]] = paths[row[2]] or {}
      paths[row[2]][row[1]:lower()] = operation(row)
    end
  end
  return {
    openapi = '3.1.0',
    info = { title = 'pactlua', version = VERSION, description = 'What a running network can be asked. HEAD answers as '
      .. 'GET does, without the body; OPTIONS says what a path takes. Every refusal is JSON with error and code.' },
    servers = json.array { url and { url = url, description = 'over TCP, with a token' }
      or { url = 'http://localhost', description = 'curl --unix-socket $PACTLUA_SOCKET' } },
    security = url and json.array { { token = json.array {} } } or nil,
    paths = paths,
    components = { securitySchemes = url and { token = TOKEN } or nil, schemas = { refusal = {
      type = 'object', required = json.array { 'error', 'code' },
      properties = { error = { type = 'string' }, code = { type = 'string' } },
    } } },
  }
end

return M
