--- Editor stubs: what recipes may write, as LuaCATS for a language server.
local calls = require 'pact.declare.calls'
local events = require 'pact.declare.events'
local list = require 'pact.base.list'
local record = require 'pact.declare.record'
local text = require 'pact.base.text'

local M = {}

-- what isn't a field of a recipe: the shapes that functions take and give
local HEAD = [[
---@meta
-- Written by pactlua from its own tables; don't edit.

---@alias duration string|integer '500ms' '30s' '1m30s'; a bare number is milliseconds
---@alias size string|integer '512m'; a bare number is bytes
---@alias pact.pattern string|{ regex: string } text to find, or a POSIX extended regex
---@alias pact.port integer|string|{ port: integer, fallback?: boolean }
---@alias pact.ports pact.port|pact.port[]|table<string, pact.port>
---@alias pact.condition 'ready'|'healthy'|'started'|'completed'|{ log: pact.pattern }
---@alias pact.dependency string|pact.handle|pact.edge
---@alias pact.depends_on pact.dependency|pact.dependency[]|table<string, pact.condition|pact.edge|true>
---@alias pact.hook fun(service: pact.handle, event: pact.event): pact.verdict?
---@alias pact.run pact.hook|string a function, or the path of a script
---@alias pact.lines pact.pattern|pact.line_filter which lines `line` hears
---@alias pact.hooks table<pact.event_name, pact.run>
---@alias pact.goal 'started'|'ready'|'healthy'|'stopped'
---@alias pact.life 'idle'|'waiting'|'starting'|'running'|'stopping'
---@alias pact.rest 'stopped'|'backoff'|'completed'|'failed'|'skipped'
---@alias pact.status pact.life|pact.rest

---@class pact.template
---@class pact.verdict
]]

local function type_of(row)
  local lua = row.lua or row.type.lua
  if row.type.short then lua = lua .. '|string|boolean|function' end
  return lua
end

local function field_line(row)
  return ('---@field %s? %s %s'):format(row.name, type_of(row), row.doc)
end

---@param out string[]
---@param name string of the class
---@param noun noun
---@param kind? string only fields that such services have
local function class(out, name, noun, kind)
  record.index(noun)
  out[#out + 1] = ('---%s\n---@class pact.%s'):format(noun.doc, name)
  for _, row in ipairs(noun.fields) do
    if record.has_kind(row, kind) then out[#out + 1] = field_line(row) end
  end
  out[#out + 1] = ''
end

local function event_names(out)
  local names = list.map(events.names, text.quote)
  for name in list.sorted(events.older) do names[#names + 1] = text.quote(name) end
  out[#out + 1] = '---@alias pact.event_name ' .. table.concat(names, '|') .. '|string\n'
end

local function group(out, one)
  local parent = one.inherits and ': ' .. one.inherits or ''
  out[#out + 1] = ('---%s\n---@class %s%s'):format(one.doc, one.class, parent)
  for _, row in ipairs(one.rows) do out[#out + 1] = ('---@field %s %s %s'):format(row[1], row[2], row[3]) end
  out[#out + 1] = ''
end

local KINDS = { 'process', 'container', 'worker', 'external' }

---@param chapters chapter[]
---@param project noun the words about the whole network, which are functions of `pact`
---@return string
function M.text(chapters, project)
  local out, seen = { HEAD }, {}
  event_names(out)
  for _, chapter in ipairs(chapters) do
    local noun = chapter.noun
    if noun ~= project and not seen[noun] then
      seen[noun] = true
      class(out, chapter.class or noun.name, noun)
    end
    if noun.name == 'service' then
      for _, kind in ipairs(KINDS) do class(out, kind, noun, kind) end
      out[#out + 1] = '---A service to declare and start; its kind is seen by its keys.'
      out[#out + 1] = '---@class pact.start: pact.service'
      out[#out + 1] = "---@field id string\n---@field wait? boolean|'started'|'ready'|'healthy'\n"
    end
  end
  for i = #calls.groups, 1, -1 do group(out, calls.groups[i]) end
  for _, row in ipairs(project.fields) do
    out[#out] = ('---@field %s fun(value: %s) %s'):format(row.name, row.type.lua, row.doc)
    out[#out + 1] = ''
  end
  out[#out + 1] = '---@type pact\nlocal pact = {}\n\nreturn pact\n'
  return table.concat(out, '\n')
end

---@return string those of `pact.sim`, whose types stand with the others
function M.sim()
  return "---@meta\n-- Written by pactlua from its own tables; don't edit.\n\n"
    .. '---@type pact.sim\nlocal sim = {}\n\nreturn sim\n'
end

return M
