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

---@class pact.event
---@field name string
---@field at integer milliseconds of the wall clock
---@field mono integer milliseconds of a clock that never jumps
---@field service? string id
---@field epoch? integer
---@field from? pact.status
---@field to? pact.status
---@field reason? string
---@field exit_code? integer
---@field signal? string
---@field attempt? integer
---@field restart_count? integer
---@field uptime? integer
---@field held_by? string of started: the dependency whose condition was the last to hold
---@field spent? table<pact.life, integer> milliseconds that it was waiting, starting or stopping since its last event
---@field [string] any

---@class pact.subscription
---@field off fun(self) ends it

---How to start, stop, restart.
---@class pact.act
---@field wait? boolean|'started'|'ready'|'healthy' false: returns at once
---@field timeout? duration
---@field with_dependents? boolean
---@field no_deps? boolean

---A program: its arguments as a list, or `shell`.
---@class pact.exec
---@field [integer] string|number
---@field shell? string
---@field cwd? string
---@field env? table<string, string|number|boolean>
---@field stdin? string
---@field timeout? duration
---@field stdout? 'say'
---@field stderr? 'say'

---@class pact.exec_result
---@field status? integer
---@field signal? string
---@field stdout string
---@field stderr string
---@field timed_out? boolean
---@field error? string it could not be started

---@class pact.http_request
---@field url? string
---@field method? string
---@field headers? table<string, string>
---@field body? any text; a table is sent as JSON
---@field json? any
---@field timeout? duration
---@field max_body? size
---@field redirects? integer
---@field insecure? boolean
---@field stream? fun(piece: string, answer: pact.http_answer): boolean?

---@class pact.http_answer
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string
---@field json fun(self): any, string?

---@class pact.spawned
---@field wait fun(self, options?: { timeout: duration }): any
---@field cancel fun(self)
---@field status fun(self): 'running'|'done'|'failed'|'cancelled'

---@class pact.queue
---@field put fun(self, value: any, options?: { timeout: duration }): true?, string?, string?
---@field take fun(self, options?: { timeout: duration }): any, string?, string?
---@field close fun(self)
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

return M
