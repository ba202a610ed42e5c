--- `on` of a service: events to functions or to paths of scripts.
local events = require 'pact.declare.events'
local list = require 'pact.base.list'
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
        cursor:fail "needs a filter: health = { log = 'text' } and depends_on = { x = { log = 'text' } } hear lines"
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
