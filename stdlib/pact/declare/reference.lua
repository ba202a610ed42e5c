--- What there is to say in a recipe, from the fields themselves: `help FIELD`, the reference, editor stubs.
local calls = require 'pact.declare.calls'
local edges = require 'pact.declare.edges'
local event_words = require 'pact.declare.event_words'
local events = require 'pact.declare.events'
local health = require 'pact.declare.fields.health'
local hooks = require 'pact.declare.fields.hooks'
local list = require 'pact.base.list'
local options = require 'pact.declare.options'
local patterns = require 'pact.declare.patterns'
local policies = require 'pact.declare.fields.policies'
local project = require 'pact.declare.fields.project'
local record = require 'pact.declare.record'
local server = require 'pact.declare.fields.server'
local service = require 'pact.declare.fields.service'
local text = require 'pact.base.text'
local values = require 'pact.declare.call_values'
local variables = require 'pact.declare.variables'

local M = {}

---@class chapter
---@field noun noun
---@field prefix string
---@field title string
---@field class? string in editor stubs; default: the noun's name

---@type chapter[] in the order of the reference
local chapters = {
  { noun = service, prefix = '', title = 'Services' },
  { noun = health.noun, prefix = 'health.', title = 'health, ready' },
  { noun = policies.restart, prefix = 'restart.', title = 'restart' },
  { noun = policies.stop, prefix = 'stop.', title = 'stop' },
  { noun = policies.log, prefix = 'log.', title = 'log' },
  { noun = edges.noun, prefix = 'depends_on.', title = 'depends_on' },
  { noun = hooks.line, prefix = 'line.', title = 'line' },
  { noun = service.inner.terminal, prefix = 'tty.', title = 'tty' },
  { noun = service.inner.watch, prefix = 'watch.', title = 'watch' },
  { noun = service.inner.schedule, prefix = 'schedule.', title = 'schedule' },
  { noun = service.inner.build, prefix = 'build.', title = 'build' },
  { noun = server, prefix = 'http_server.', title = 'self:http_server' },
  { noun = project.noun, prefix = 'pact.', title = 'The network' },
  { noun = project.tui, prefix = 'pact.tui.', title = 'pact.tui' },
  { noun = options.noun, prefix = 'pact.option.', title = 'pact.option' },
}
for _, name in ipairs { 'web_server', 'database', 'worker', 'blockchain_node' } do
  local word = 'patterns.' .. name
  chapters[#chapters + 1] = {
    noun = patterns.rows[name].noun, prefix = ('pact.%s.'):format(word), title = 'pact.' .. word, class = word,
  }
end

---Every table of fields, for who must look at all of them.
M.chapters = chapters

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

-- What becomes of a change of the field when the recipe is loaded again.
local RELOAD = {
  live = 'A reload takes a change over at once.',
  restart = 'A reload restarts what has a change here.',
}

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
  out[#out + 1] = '  ' .. RELOAD[row.reload]
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

---@param own? boolean by the names that are theirs, without aliases
---@return string[] what `field` knows, sorted
function M.known(own)
  local out = {}
  for _, chapter in ipairs(chapters) do
    for name, row in pairs(record.index(chapter.noun)) do out[own and row.name or name] = true end
  end
  for _, row in ipairs(variables.rows) do out[row.name] = true end
  for _, group in ipairs(calls.groups) do
    for _, row in ipairs(group.rows) do
      if not row[1]:find '^%[' then out[(group.prefix or '') .. row[1]] = true end
    end
  end
  for _, name in ipairs(events.names) do out[name] = true end
  out.hooks = true
  return list.keys(out)
end

local function event_lines(name)
  local row = event_words.row(name)
  if not row then return {} end
  local out = { ('%s: an event'):format(name), '  ' .. row[2] }
  if row[3] then out[#out + 1] = ('  Fields of its own: %s.'):format(row[3]) end
  out[#out + 1] = ("  Heard by pact.on('%s', function(service, event) … end)."):format(name)
  return out
end

-- What hooks of a service hear.
local function all_events(out)
  out[#out + 1] = '  Its events:'
  for _, row in ipairs(event_words.rows) do
    local first = row[2]:match '^(.-)[.;]%f[ \0]'
    out[#out + 1] = ('    %s %s.'):format(text.pad(row[1], 19), first)
  end
  out[#out + 1] = "  'pactlua help EVENT' tells what each is given."
end

local VALUES = {}
for _, group in ipairs(values.groups) do VALUES[group.class] = true end

-- What a call takes and gives, where that is a table of fields or an object.
local function value_lines(out, row)
  for _, group in ipairs(calls.groups) do
    if VALUES[group.class] and (row[2] .. ' '):find(group.class .. '%f[^%w_.]') then
      out[#out + 1] = ('  %s: %s'):format(group.class, group.doc)
      for _, field in ipairs(group.rows) do
        out[#out + 1] = ('    %s %s'):format(text.pad(field[1], 15), field[3])
      end
    end
  end
end

local function call_lines(word)
  local out = {}
  for _, group in ipairs(calls.groups) do
    for _, row in ipairs(group.rows) do
      local whole = (group.prefix or '') .. row[1]
      if word == whole or word == row[1] or word == whole:gsub(':', '.') then
        out[#out + 1] = ('%s: %s\n  %s'):format(whole, row[2], row[3])
        value_lines(out, row)
      end
    end
  end
  return out
end

---@param name string a field, with or without the one that holds it; a variable; a call; an event; `hooks`
---@return string? text
---@return string? message that there is none, with the nearest
function M.field(name)
  if name == 'hooks' then name = 'on' end
  local out = {}
  for _, found in ipairs(matches(name)) do
    if #out > 0 then out[#out + 1] = '' end
    lines_of(out, found[1], found[2])
  end
  if name == 'on' then all_events(out) end
  for _, row in ipairs(variables.rows) do
    if row.name == name then
      local default = row.default ~= nil and (', default %s'):format(tostring(row.default)) or ''
      out = { ('%s: a variable of the environment%s'):format(name, default), '  ' .. row.doc }
    end
  end
  if #out == 0 then out = call_lines(name) end
  if #out == 0 then out = event_lines(name) end
  if #out == 0 then
    return nil, ("there is no field '%s'%s"):format(name, text.suggest(name, M.known()))
  end
  return table.concat(out, '\n') .. '\n'
end

---@return string the whole reference, as Markdown
function M.markdown() return require('pact.declare.markdown').text(chapters, spellings) end

---@return string LuaCATS stubs of what recipes write
function M.stubs() return require('pact.declare.stubs').text(chapters, project.noun) end

---@return { path: string, text: string }[] all files of stubs, by their paths below a directory
function M.stub_files()
  return {
    { path = 'pact.lua', text = M.stubs() },
    { path = 'pact/sim.lua', text = require('pact.declare.stubs').sim() },
  }
end

return M
