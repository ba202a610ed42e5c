--- Requests for every route of the control protocol, made from its table: good ones, and such as must be refused.
-- A route that is added is among them.

local api = require 'pact.control.api'
local given = require 'pact.control.api.given'
local json = require 'pact.base.json'
local list = require 'pact.base.list'

local M = {}

local SAMPLES = {
  text = '1', texts = json.array {}, count = 1, milliseconds = 100, boolean = true, signal = 'HUP', wait = false,
}

-- By type: values of JSON, and words of a query, that it must refuse.
local WRONG = {
  boolean = { '1', '"true"', '[]' },
  count = { '-1', '1.5', '"1"', '1e300', '99999999999999999999', '{}' },
  milliseconds = { '-1', '"soon"', '1e300', '[1]' },
  text = { '1', 'true', '{}', '["x"]' },
  texts = { '1', '"x"', '[1]', '{"a":"b"}', '[["x"]]' },
  signal = { 'true', '{}', '-1', '[15]' },
  wait = { '1', '"soon"', '{}' }, scope = { '1', '"all"', '{}', 'true' }, goal = { '1', '"happy"', '{}', 'true' },
}
local WRONG_WORDS = {
  boolean = { 'yes', '2', '' }, count = { '-1', '1.5', '0x10', '1e3', '99999999999999999999', '' },
  milliseconds = { '-1', 'soon', '' }, texts = { '', ',' }, output = { 'out', '' },
}
local ODD_BODIES = {
  '{', '{"a":', '[1]', '"x"', '1', 'null', 'nan', '\255\254', '{"a":"\255"}', '\0', ('['):rep(100000),
  ('{"a":'):rep(50000),
  '{"' .. ('k'):rep(100000) .. '":1}', '{"zzz":1}', '{"__proto__":1}',
}

-- What is longer than a name, elsewhere, or nothing at all.
M.ODD_IDS = {
  'wbe', '..', '.', '%2e%2e', 'we\255b', '\u{202e}web', ' web', 'web ', "web' or '1", 'web;rm -rf', '*', '~', 'WEB',
  ('x'):rep(5000),
}

---@param row route
---@param id? string
function M.path(row, id) return (row[2]:gsub('{%a+}', function() return id or 'web' end)) end

---A body that is as its route wants it; nil where it wants none.
---@param row route
---@return string?
function M.body(row)
  local values = {}
  for _, field in ipairs(row.body or {}) do
    if field.required then values[field[1]] = SAMPLES[field[2]] or error('no sample of ' .. field[2]) end
  end
  return row[1] ~= 'GET' and json.encode(values) or nil
end

local function with_body(row, name, text)
  local good = assert(json.decode(M.body(row)))
  good[name] = nil
  local rest = json.encode(good)
  return ('{"%s":%s%s'):format(name, text, rest == '{}' and '}' or ',' .. rest:sub(2))
end

---Requests that are wrong for any of its fields.
---@param row route
---@return { path: string, body: string?, words: string }[] words: a part of the message
function M.wrong(row)
  local out, path = {}, M.path(row)
  local function add(where, body, words) out[#out + 1] = { path = where, body = body, words = words } end
  add(path .. '?zzz=1', M.body(row), "query: unknown 'zzz'")
  for _, field in ipairs(row.query or {}) do
    for _, word in ipairs(WRONG_WORDS[field[2]] or {}) do
      add(('%s?%s=%s'):format(path, field[1], word), M.body(row), ("query: '%s' must be"):format(field[1]))
    end
  end
  if row[1] == 'GET' then return out end
  for _, body in ipairs(ODD_BODIES) do add(path, body, 'body: ') end
  for _, field in ipairs(row.body or {}) do
    assert(given.types[field[2]].take, field[1])
    for _, text in ipairs(WRONG[field[2]] or error('wrong values of ' .. field[2] .. ' are needed here')) do
      add(path, with_body(row, field[1], text), ("body: '%s' must be"):format(field[1]))
    end
    if field.required then add(path, '{}', 'is needed') end
  end
  return out
end

---Rows that are everybody's, in order.
---@return route[]
function M.rows() return list.filter(api.rows, function(row) return not row.hidden end) end

---The methods that a path has not.
---@param path string of a route
---@return string[]
function M.other_methods(path)
  local there = {}
  for _, row in ipairs(api.rows) do
    if row[2] == path then there[row[1]] = true end
  end
  return list.filter({ 'GET', 'POST', 'PUT', 'DELETE', 'PATCH' }, function(method) return not there[method] end)
end

return M
