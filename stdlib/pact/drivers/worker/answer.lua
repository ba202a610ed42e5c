--- What a handler gives, as an answer: status, headers, and a body or the function that streams it.

local json = require 'pact.base.json'
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@class answer
---@field status integer
---@field headers table<string, string|string[]>
---@field body? string
---@field stream? fun(write: fun(bytes: string)) gives the body piece by piece
---@field events? fun(send: fun(...)) gives server-sent events

local PLAIN, BYTES = 'text/plain; charset=utf-8', 'application/octet-stream'

local TYPES = {
  html = 'text/html; charset=utf-8', htm = 'text/html; charset=utf-8', css = 'text/css; charset=utf-8',
  js = 'text/javascript; charset=utf-8', mjs = 'text/javascript; charset=utf-8', json = 'application/json',
  txt = PLAIN, md = 'text/markdown; charset=utf-8', csv = 'text/csv; charset=utf-8', xml = 'application/xml',
  svg = 'image/svg+xml', png = 'image/png', jpg = 'image/jpeg', jpeg = 'image/jpeg', gif = 'image/gif',
  webp = 'image/webp', ico = 'image/x-icon', wasm = 'application/wasm', pdf = 'application/pdf',
}

-- The server sets these itself.
local FRAMING = { ['content-length'] = true, ['transfer-encoding'] = true, connection = true }

local function words_of(name, value)
  if type(value) == 'number' then value = tostring(math.tointeger(value) or value) end
  if type(value) ~= 'string' then
    error(('has a header %s that must be text, got %s'):format(text.quote(name), text.show(value)), 0)
  end
  return value
end

local function headers_of(given)
  local out = {}
  if given == nil then return out end
  if type(given) ~= 'table' then error('has headers that must be a table, got ' .. text.show(given), 0) end
  for name, value in list.sorted(given) do
    if type(name) ~= 'string' then error('has a header without a name: ' .. text.show(value), 0) end
    name = name:lower()
    if type(value) == 'table' then
      value = list.map(value, function(one) return words_of(name, one) end)
    else
      value = words_of(name, value)
    end
    if not FRAMING[name] then out[name] = value end
  end
  return out
end

-- A file below the recipe's directory, or wherever the handler says; never by way of `..`.
local function read_file(path, context)
  if type(path) ~= 'string' or path == '' then error('has a file that must be a path, got ' .. text.show(path), 0) end
  if path:find '%f[^/\0]%.%.%f[/\0]' then return nil, PLAIN, 404 end
  local absolute = path:sub(1, 1) == '/' and path or context.directory .. '/' .. path
  local stat = context.fs.stat(absolute)
  if not stat or stat.type ~= 'file' then return nil, PLAIN, 404 end
  local bytes, message = context.fs.read(absolute)
  if not bytes then error('has a file that can\'t be read: ' .. message, 0) end
  return bytes, TYPES[(path:match '%.(%w+)$' or ''):lower()] or BYTES
end

local function must_be(wanted, name, value)
  if type(value) == wanted then return end
  local what = wanted == 'string' and 'text' or 'a function'
  error(("has a '%s' that must be %s, got %s"):format(name, what, text.show(value)), 0)
end

local function as_text(name)
  return function(value)
    if type(value) == 'number' then value = tostring(value) end
    must_be('string', name, value)
    return value
  end
end

local function as_function(name)
  return function(value, _, answer)
    must_be('function', name, value)
    answer[name] = value
  end
end

-- What may be the content of an answer, each with its type: gives the body, and a type or status of its own.
local CONTENTS = {
  json = { 'application/json', function(value) return json.encode(value) end },
  text = { PLAIN, as_text 'text' },
  html = { TYPES.html, as_text 'html' },
  body = { BYTES, as_text 'body' },
  file = { BYTES, read_file },
  stream = { BYTES, as_function 'stream' },
  events = { 'text/event-stream', as_function 'events' },
}

local KNOWN = list.keys(CONTENTS)
table.move({ 'status', 'headers' }, 1, 2, #KNOWN + 1, KNOWN)
local IS_KNOWN = list.set(KNOWN)

local function content_of(given)
  local found
  for key in list.sorted(given) do
    if not IS_KNOWN[key] then
      local hint = text.suggest(tostring(key), KNOWN)
      if hint == '' then hint = '; data goes into { json = … }' end
      error(('has the unknown key %s%s'):format(text.show(key), hint), 0)
    end
    if CONTENTS[key] then
      if found then error(("has '%s' and '%s': one of them"):format(found, key), 0) end
      found = key
    end
  end
  return found
end

local function status_of(value, usual)
  if value == nil then return usual end
  if math.type(value) == 'integer' and value >= 200 and value <= 599 then return value end
  error(('has a status that must be a number from 200 to 599, got %s'):format(text.show(value)), 0)
end

local function from_table(given, context)
  local name = content_of(given)
  local answer = { headers = headers_of(given.headers) }
  local content_type, status
  if name then
    answer.body, content_type, status = CONTENTS[name][2](given[name], context, answer)
    content_type = content_type or CONTENTS[name][1]
    if not answer.headers['content-type'] then answer.headers['content-type'] = content_type end
    if status == 404 then answer.body = 'not found\n' end
  end
  if answer.events and not answer.headers['cache-control'] then answer.headers['cache-control'] = 'no-store' end
  answer.status = status_of(given.status, status or (name and 200 or 204))
  return answer
end

-- Values other than tables, as the table that stands for them.
local SHORT = {
  ['nil'] = function() return {} end,
  string = function(value) return { text = value } end,
  ['function'] = function(value) return { stream = value, headers = { ['content-type'] = PLAIN } } end,
  number = function(value) return { status = value } end,
}

---@param value any what the handler gave
---@param context { fs: sys.fs, directory: string }
---@return answer raises what is wrong with it
function M.of(value, context)
  local short = SHORT[type(value)]
  if short then value = short(value) end
  if type(value) ~= 'table' then
    error(('must be a table, text or a function, got %s'):format(text.show(value)), 0)
  end
  return from_table(value, context)
end

---An answer in a line of text.
---@param status integer
---@param message string
---@param headers? table
---@return answer
function M.plain(status, message, headers)
  headers = headers or {}
  headers['content-type'] = PLAIN
  return { status = status, headers = headers, body = message .. '\n' }
end

return M
