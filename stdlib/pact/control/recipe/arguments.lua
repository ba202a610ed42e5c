--- What recipes hand to our functions, checked: durations, options, functions. Misuse raises at the recipe's line.

local duration = require 'pact.base.duration'
local fail = require 'pact.base.fail'
local size = require 'pact.base.size'
local text = require 'pact.base.text'

local M = {}

---Raises at the place of the caller outside this library.
---@param format string
function M.misuse(format, ...)
  fail.misuse(format:format(...))
end

---@param value any
---@param what string the call and the argument, for the message
---@return integer
function M.milliseconds(value, what)
  local ms, message = duration.parse(value)
  if not ms then M.misuse('%s %s', what, message) end
  return ms
end

---@param value any
---@param what string the call and the argument, for the message
---@return integer
function M.bytes(value, what)
  local bytes, message = size.parse(value)
  if not bytes then M.misuse('%s %s', what, message) end
  return bytes
end

---@param value any
---@param kind string Lua's name of a type
---@param what string
---@return any value
function M.typed(value, kind, what)
  if type(value) ~= kind then M.misuse('%s must be %s, got %s', what, M.NAMES[kind] or kind, text.show(value)) end
  return value
end

M.NAMES = {
  number = 'a number', string = 'text', table = 'a table', ['function'] = 'a function', boolean = 'true or false',
}

---Checks a table of options: only known keys, each of its type; `timeout` is a duration.
---@param opts any
---@param known table<string, string|true> a type of Lua's, 'duration', 'size', or true: any
---@param what string the call
---@return table a copy without the list part
function M.options(opts, known, what)
  if opts == nil then return {} end
  if type(opts) ~= 'table' or getmetatable(opts) then
    M.misuse('%s: a table of options expected, got %s', what, text.show(opts))
  end
  local out = {}
  for key, value in pairs(opts) do
    local kind = known[key]
    if not kind then
      local names = {}
      for name in pairs(known) do names[#names + 1] = name end
      table.sort(names)
      M.misuse('%s: unknown key %s%s', what, text.show(key), text.suggest(tostring(key), names))
    elseif kind == 'duration' then
      value = M.milliseconds(value, ('%s: %s'):format(what, key))
    elseif kind == 'size' then
      value = M.bytes(value, ('%s: %s'):format(what, key))
    elseif kind ~= true then
      M.typed(value, kind, ('%s: %s'):format(what, key))
    end
    out[key] = value
  end
  return out
end

return M
