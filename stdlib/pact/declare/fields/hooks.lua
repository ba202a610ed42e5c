--- `on` of a service: events to functions or to paths of scripts.
local events = require 'pact.declare.events'
local handle = require 'pact.declare.handle'
local list = require 'pact.base.list'
local record = require 'pact.declare.record'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

---What a hook runs: a function, or a script below the recipe's directory.
---@param value any
---@param cursor cursor
---@return function|string|nil
function M.target(value, cursor)
  if type(value) == 'function' then return value end
  if type(value) ~= 'string' then
    return cursor:fail(('must be a function or the path of a script, got %s'):format(text.show(value)))
  end
  local path = values.path.check(value, cursor, {})
  if path and cursor.missing and cursor.missing(path) then
    return cursor:fail(('is the script %s, which is not there'):format(text.show(value)))
  end
  return path
end

M.FILTER_NEEDED = "needs a filter: pact.on('line', { service = 'web', match = 'text' }, function(service, event) … end)"

-- a service, or several
local services = {
  name = 'services', lua = 'pact.handle|string|(pact.handle|string)[]',
  check = function(value, cursor)
    local one = handle.id_of(value) or type(value) == 'string'
    local out = {}
    for i, item in ipairs(one and { value } or type(value) == 'table' and value or { value }) do
      local id = handle.id_of(item) or item
      if type(id) ~= 'string' then
        return cursor:fail(('must name a service or a list of them, got %s'):format(text.show(item)))
      end
      out[i] = id
    end
    return out
  end,
}

---Which lines a hook of `line` hears.
---@type noun
M.line = {
  name = 'line_filter',
  doc = "Which lines of services' output a hook of `line` hears: pact.on('line', { match = 'text' }, fn).",
  fields = {
    { name = 'match', type = values.pattern, doc = "What the line has: text, or { regex = '…' }." },
    { name = 'service', aliases = { 'services' }, type = services, doc = 'Of which services; all without it.' },
    { name = 'stream', type = values.enum { 'stdout', 'stderr' }, doc = 'Of which stream; both without it.' },
  },
  finish = function(out, cursor, raw)
    if raw.match == nil then return cursor:fail "needs match = 'text'" end
    return out
  end,
}

for _, row in ipairs(M.line.fields) do row.reload = 'live' end

---The filter of a hook of `line`: a table, or only what to match.
---@param value any
---@param cursor cursor
---@return { match: pattern, service?: string[], stream?: string }?
function M.filter(value, cursor)
  if value == nil then return cursor:fail(M.FILTER_NEEDED) end
  if type(value) == 'string' or (type(value) == 'table' and value.regex ~= nil) then value = { match = value } end
  local kind = cursor.kind
  local out = record.check(M.line, value, cursor)
  cursor.kind = kind
  return out
end

---@type value_type
M.type = {
  name = 'hooks', lua = 'pact.hooks',
  check = function(value, cursor)
    if type(value) ~= 'table' or getmetatable(value) then
      return cursor:fail(('must be a table of events, got %s'):format(text.show(value)))
    end
    local out = {}
    for key, one in list.sorted(value) do
      local event, message = events.check(key)
      cursor:push(key)
      if not event then
        cursor:pop()
        cursor:fail(message)
        cursor:push(key)
      elseif event == 'line' then
        cursor:fail(M.FILTER_NEEDED)
      else
        local target = M.target(one, cursor)
        if out[event] then
          cursor:fail(("is '%s' a second time"):format(event))
        elseif target then
          out[event] = events.adapt(key, target)
        end
      end
      cursor:pop()
    end
    return out
  end,
}

return M
