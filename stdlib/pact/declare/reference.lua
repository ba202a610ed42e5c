--- What there is to say in a recipe, from the fields themselves: `help FIELD`, the reference, editor stubs.
local edges = require 'pact.declare.edges'
local events = require 'pact.declare.events'
local health = require 'pact.declare.fields.health'
local list = require 'pact.base.list'
local options = require 'pact.declare.options'
local policies = require 'pact.declare.fields.policies'
local project = require 'pact.declare.fields.project'
local record = require 'pact.declare.record'
local server = require 'pact.declare.fields.server'
local service = require 'pact.declare.fields.service'
local text = require 'pact.base.text'
local variables = require 'pact.declare.variables'

local M = {}

---@type { noun: noun, prefix: string, title: string }[] in the order of the reference
local chapters = {
  { noun = service, prefix = '', title = 'Services' },
  { noun = health.noun, prefix = 'health.', title = 'health, ready' },
  { noun = policies.restart, prefix = 'restart.', title = 'restart' },
  { noun = policies.stop, prefix = 'stop.', title = 'stop' },
  { noun = policies.log, prefix = 'log.', title = 'log' },
  { noun = edges.noun, prefix = 'depends_on.', title = 'depends_on' },
  { noun = service.inner.watch, prefix = 'watch.', title = 'watch' },
  { noun = service.inner.schedule, prefix = 'schedule.', title = 'schedule' },
  { noun = service.inner.build, prefix = 'build.', title = 'build' },
  { noun = server, prefix = 'http_server.', title = 'self:http_server' },
  { noun = project.noun, prefix = 'pact.', title = 'The network' },
  { noun = project.tui, prefix = 'pact.tui.', title = 'pact.tui' },
  { noun = options.noun, prefix = 'pact.option.', title = 'pact.option' },
}

local function spellings(row)
  local out, seen = {}, { [row.name] = true }
  local function add(name)
    if not seen[name] then
      seen[name] = true
      out[#out + 1] = name
    end
  end
  add(record.camel(row.name))
  for _, alias in ipairs(row.aliases or {}) do
    add(alias)
    add(record.camel(alias))
  end
  return out
end

local function lines_of(out, chapter, row)
  local head = ('%s%s: %s'):format(chapter.prefix, row.name, row.type.name)
  if row.default then head = ('%s, default %s'):format(head, row.default) end
  out[#out + 1] = head
  out[#out + 1] = '  ' .. row.doc
  if row.kinds then
    local kinds = text.enumerate(text.split(row.kinds, ' '), 'and')
    out[#out + 1] = ('  Only for services of kind %s.'):format(kinds)
  end
  local others = spellings(row)
  if #others > 0 then out[#out + 1] = '  Also written ' .. text.enumerate(others, 'or') .. '.' end
  if row.into then
    out[#out + 1] = ('  Another way to write %s.'):format((row.into:gsub('%.%*$', '')))
  end
  local inner = record.inner(row)
  if inner then
    out[#out + 1] = '  Its fields:'
    for _, field in ipairs(inner.fields) do
      out[#out + 1] = ('    %s %s'):format(text.pad(field.name, 15), field.doc)
    end
  end
end

-- every row that a word may mean: `interval`, `health.interval`, `healthCheck.interval`
local function matches(word)
  local out = {}
  local outer, name = word:match '^(.*)%.([^.]+)$'
  local holder = outer and record.index(service)[outer]
  if holder then outer = holder.name end
  if outer == 'ready' then outer = 'health' end
  for _, chapter in ipairs(chapters) do
    local row = record.index(chapter.noun)[name or word]
    local here = not outer or chapter.prefix == outer .. '.'
    if row and here then out[#out + 1] = { chapter, row } end
  end
  return out
end

local function known_words()
  local out = {}
  for _, chapter in ipairs(chapters) do
    for name in pairs(record.index(chapter.noun)) do out[name] = true end
  end
  for _, row in ipairs(variables.rows) do out[row.name] = true end
  for _, name in ipairs(events.names) do out[name] = true end
  return list.keys(out)
end

---@param name string a field, with or without the one that holds it; a variable; an event
---@return string? text
---@return string? message that there is none, with the nearest
function M.field(name)
  local out = {}
  for _, found in ipairs(matches(name)) do
    if #out > 0 then out[#out + 1] = '' end
    lines_of(out, found[1], found[2])
  end
  for _, row in ipairs(variables.rows) do
    if row.name == name then
      local default = row.default ~= nil and (', default %s'):format(tostring(row.default)) or ''
      out = { ('%s: a variable of the environment%s'):format(name, default), '  ' .. row.doc }
    end
  end
  if #out == 0 and list.index(events.names, name) then
    local how = "  Heard by pact.on('%s', function(service, event) … end)."
    out = { ('%s: an event'):format(name), how:format(name) }
  end
  if #out == 0 then
    return nil, ("there is no field '%s'%s"):format(name, text.suggest(name, known_words()))
  end
  return table.concat(out, '\n') .. '\n'
end

local function cell(value) return (value:gsub('|', '\\|')) end

---@return string the whole reference, as Markdown
function M.markdown()
  local out = { '# Reference of recipes', '' }
  for _, chapter in ipairs(chapters) do
    out[#out + 1] = ('## %s\n\n%s\n'):format(chapter.title, chapter.noun.doc)
    out[#out + 1] = '| field | value | default | meaning |\n| --- | --- | --- | --- |'
    for _, row in ipairs(chapter.noun.fields) do
      local kinds = row.kinds and (' Only %s.'):format(text.enumerate(text.split(row.kinds, ' '))) or ''
      out[#out + 1] = ('| `%s` | %s | %s | %s |')
        :format(row.name, cell(row.type.name), cell(row.default or ''), cell(row.doc .. kinds))
    end
    out[#out + 1] = ''
  end
  out[#out + 1] = '## Events\n\n' .. table.concat(events.names, ', ') .. '\n'
  out[#out + 1] = '## Variables\n\n| variable | default | meaning |\n| --- | --- | --- |'
  for _, row in ipairs(variables.rows) do
    local default = row.default == nil and '' or tostring(row.default)
    out[#out + 1] = ('| `%s` | %s | %s |'):format(row.name, default, cell(row.doc))
  end
  return table.concat(out, '\n') .. '\n'
end

local head = [[
---@meta

---@alias duration string|integer
---@alias size string|integer
---@alias pact.pattern string|{ regex: string }
---@alias pact.port integer|string|{ port: integer, fallback?: boolean }
---@alias pact.ports pact.port|pact.port[]|table<string, pact.port>
---@alias pact.depends_on string|table

---@class pact.template
]]

---@return string LuaCATS stubs of what recipes write
function M.stubs()
  local out = { head }
  local seen = {}
  for _, chapter in ipairs(chapters) do
    if chapter.noun ~= project.noun and not seen[chapter.noun] then
      seen[chapter.noun] = true
      out[#out + 1] = '---@class pact.' .. chapter.noun.name
      for _, row in ipairs(chapter.noun.fields) do
        out[#out + 1] = ('---@field %s? %s %s'):format(row.name, row.type.lua, row.doc)
      end
      out[#out + 1] = ''
    end
  end
  out[#out + 1] = '---@class pact\nlocal pact = {}\n'
  for _, row in ipairs(project.noun.fields) do
    out[#out + 1] = ('---%s\n---@param value %s\nfunction pact.%s(value) end\n')
      :format(row.doc, row.type.lua, row.name)
  end
  for _, word in ipairs { 'process', 'task', 'container', 'worker', 'external' } do
    local stub = '---@param id string\n---@return fun(fields: pact.service): pact.handle\n'
    out[#out + 1] = stub .. ('function pact.%s(id) end\n'):format(word)
  end
  out[#out + 1] = '---@param fields pact.service\nfunction pact.defaults(fields) end\n'
  out[#out + 1] = '---@param fields pact.service\n---@return pact.template\nfunction pact.template(fields) end\n'
  out[#out + 1] = 'return pact\n'
  return table.concat(out, '\n')
end

return M
