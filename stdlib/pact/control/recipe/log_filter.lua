--- Which lines `service:logs` gives: their number, or a table that says more.

local arguments = require 'pact.control.recipe.arguments'
local duration = require 'pact.base.duration'
local text = require 'pact.base.text'

local M = {}

local KEYS = { count = true, since = true, grep = true, stream = true, epoch = true }
local STREAMS = { stdout = 1, stderr = 2 }
local MOST = 1000000

local function whole(value, key)
  if math.type(value) == 'integer' and value >= 0 and value <= MOST then return value end
  arguments.misuse('logs: %s must be a number, 0 or more, got %s', key, text.show(value))
end

-- A time of the wall clock, or so long ago.
local function since(value, wall)
  if math.type(value) == 'integer' and value >= 0 then return value end
  local ms, message = duration.parse(value)
  return ms and wall - ms or arguments.misuse('logs: since %s', message)
end

local function stream(value)
  local number = STREAMS[value] or (value == 1 or value == 2) and value
  return number or arguments.misuse("logs: stream must be 'stdout' or 'stderr', got %s", text.show(value))
end

local function pattern(sys, value)
  local regex = type(value) == 'table' and value.regex
  if type(value) ~= 'string' and type(regex) ~= 'string' then
    arguments.misuse("logs: grep must be text or { regex = '…' }, got %s", text.show(value))
  end
  local ok, message = true, nil
  if regex and sys.text then ok, message = sys.text.check(value) end
  return ok and value or arguments.misuse('logs: grep: %s', message)
end

---@param sys sys
---@param given any
---@return table filter of sys.log.lines
function M.of(sys, given)
  if type(given) == 'number' then given = { count = given } end
  local filter = arguments.options(given, KEYS, 'logs')
  for _, key in ipairs { 'count', 'epoch' } do filter[key] = filter[key] and whole(filter[key], key) end
  filter.since = filter.since and since(filter.since, sys.time.wall())
  filter.stream = filter.stream and stream(filter.stream)
  filter.grep = filter.grep and pattern(sys, filter.grep)
  return filter
end

return M
