--- The reference of recipes as Markdown, from the tables of fields, calls, events and variables.
local calls = require 'pact.declare.calls'
local event_words = require 'pact.declare.event_words'
local events = require 'pact.declare.events'
local text = require 'pact.base.text'
local variables = require 'pact.declare.variables'

local M = {}

local HEAD = [[
# Reference of recipes

Written by `pactlua help --markdown` from the tables that check recipes. `pactlua help FIELD` shows a part of it.

Durations are `'500ms'`, `'30s'`, `'1m30s'`; a bare number is milliseconds. Sizes are `'512m'`. Text to find is a
plain substring; `{ regex = '…' }` is a POSIX extended expression, without references back. Every name may be written
in camelCase, too.

`reload` says what `pactlua reload` does about a change: `live` is taken over at once and the process lives on,
`restart` restarts the service. A function has changed when its text has.
]]

local function cell(value) return (value:gsub('|', '\\|')) end

local function code(value) return value == '' and '' or '`' .. cell(value) .. '`' end

local function row_of(out, ...)
  out[#out + 1] = '| ' .. table.concat({ ... }, ' | ') .. ' |'
end

local function remarks(row, others)
  local out = { row.doc }
  if row.kinds then out[#out + 1] = ('Only %s.'):format(text.enumerate(text.split(row.kinds, ' '))) end
  if row.into then out[#out + 1] = ('Another way to write `%s`.'):format((row.into:gsub('%.%*$', ''))) end
  local aliases = {}
  for _, name in ipairs(others) do
    if not name:find '%u' then aliases[#aliases + 1] = ('`%s`'):format(name) end
  end
  if #aliases > 0 then out[#out + 1] = ('Also %s.'):format(table.concat(aliases, ', ')) end
  return table.concat(out, ' ')
end

local function chapter(out, one, spellings)
  out[#out + 1] = ('## %s\n\n%s\n'):format(one.title, one.noun.doc)
  out[#out + 1] = '| field | value | default | reload | meaning |\n| --- | --- | --- | --- | --- |'
  for _, row in ipairs(one.noun.fields) do
    row_of(out, code(row.name), cell(row.type.name), cell(row.default or ''), row.reload,
      cell(remarks(row, spellings(row))))
  end
  out[#out + 1] = ''
end

local function group(out, one)
  out[#out + 1] = ('## %s\n\n%s\n'):format(one.title, one.doc)
  out[#out + 1] = '| name | type | meaning |\n| --- | --- | --- |'
  for _, row in ipairs(one.rows) do row_of(out, code(row[1]), code(row[2]), cell(row[3])) end
  out[#out + 1] = ''
end

---@param chapters chapter[]
---@param spellings fun(row: field): string[] other names of a field
---@return string
function M.text(chapters, spellings)
  local out = { HEAD }
  for _, one in ipairs(chapters) do chapter(out, one, spellings) end
  for _, one in ipairs(calls.groups) do group(out, one) end
  out[#out + 1] = '## Events\n\nHeard by `pact.on(name, function(service, event) … end)`, or `on = { name = … }` '
    .. 'of a service.\n'
  out[#out + 1] = '| event | when | fields of its own |\n| --- | --- | --- |'
  for _, row in ipairs(event_words.rows) do row_of(out, code(row[1]), cell(row[2]), cell(row[3] or '')) end
  for _, name in ipairs { 'processCrashed', 'processRestarted', 'healthCheckFailed' } do
    row_of(out, code(name), ('`%s`, for a function of id and state.'):format(events.older[name]), '')
  end
  out[#out + 1] = '\n## Variables\n\n| variable | default | meaning |\n| --- | --- | --- |'
  for _, row in ipairs(variables.rows) do
    row_of(out, code(row.name), row.default == nil and '' or tostring(row.default), cell(row.doc))
  end
  return table.concat(out, '\n') .. '\n'
end

return M
