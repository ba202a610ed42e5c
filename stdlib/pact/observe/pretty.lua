--- Values for the eyes of a person at a prompt: a table in one line where it fits, else an item a line.

local list = require 'pact.base.list'
local style = require 'pact.observe.style'
local text = require 'pact.base.text'

local M = {}

local DEPTH, ITEMS, WIDTH, INDENT = 4, 100, 80, 2
local SORTED, TEXT = 5000, 400

---@class pretty_options
---@field width? integer columns there are, default 80
---@field depth? integer of tables shown, default 4
---@field items? integer of one table shown, default 100
---@field colour? boolean
---@field known? fun(value: table): string? what stands for a table that is known otherwise, such as a handle
---@field place? fun(fn: function): at? where one is written

---@class pretty
local Pretty = {}
Pretty.__index = Pretty

local function quoted(value)
  local quote = value:find("'", 1, true) and not value:find('"', 1, true) and '"' or "'"
  local escapes = { ['\n'] = '\\n', ['\r'] = '\\r', ['\t'] = '\\t', ['\\'] = '\\\\', [quote] = '\\' .. quote }
  return quote .. value:gsub('[%c\\' .. quote .. ']', function(c)
    return escapes[c] or ('\\x%02x'):format(c:byte())
  end) .. quote
end

local scalars = {
  string = function(value)
    if #value <= TEXT then return quoted(value), 'green' end
    local to = utf8.len(value, 1, TEXT, true) and utf8.offset(value, 0, TEXT + 1) or TEXT + 1
    return ('%s… (%d bytes)'):format(quoted(value:sub(1, to - 1)), #value), 'green'
  end,
  number = function(value) return tostring(value), 'yellow' end,
  boolean = function(value) return tostring(value), 'yellow' end,
  ['nil'] = function() return 'nil', 'dim' end,
  ['function'] = function(value, self)
    local at = self.place(value)
    return at and ('function at %s:%d'):format(at.file, at.line) or 'function', 'dim'
  end,
}

local function key_of(key)
  if type(key) == 'string' and key:find '^[%a_][%w_]*$' then return key end
  return '[' .. (type(key) == 'string' and quoted(key) or tostring(key)) .. ']'
end

-- Columns of a text that may be coloured.
local function columns(shown)
  local bare = shown:gsub('\27%[[%d;]*m', '')
  return utf8.len(bare) or #bare
end

function Pretty:note(words) return self.style:paint('dim', words) end

-- What a table has besides its list, of very many those that come first, and how many more there are.
local function named(value, length)
  local out, count = {}, 0
  for key, item in next, value do
    if not (math.type(key) == 'integer' and key >= 1 and key <= length) then
      count = count + 1
      if count <= SORTED then out[key] = item end
    end
  end
  return out, math.max(count - SORTED, 0)
end

-- A list's items without their numbers, then what else there is by its key.
function Pretty:items(value, indent, depth)
  local out, count, length = {}, 0, rawlen(value)
  local function add(prefix, item)
    count = count + 1
    if count <= self.most then out[#out + 1] = prefix .. self:any(item, indent, depth, columns(prefix)) end
  end
  for i = 1, math.min(length, self.most) do add('', rawget(value, i)) end
  count = length
  local others, more = named(value, length)
  for key, item in list.sorted(others) do add(key_of(key) .. ' = ', item) end
  count = count + more
  if count > self.most then out[#out + 1] = self:note(('… and %d more'):format(count - self.most)) end
  return out
end

-- `lead`: columns of what stands before it; a comma may stand behind.
function Pretty:layout(items, indent, lead)
  local line = ('{ %s }'):format(table.concat(items, ', '))
  if columns(line) + indent + lead < self.width and not line:find('\n', 1, true) then return line end
  local blank = (' '):rep(indent + INDENT)
  return ('{\n%s%s\n%s}'):format(blank, table.concat(items, ',\n' .. blank), (' '):rep(indent))
end

function Pretty:table(value, indent, depth, lead)
  local known = self.known(value)
  if known then return known end
  local meta = debug.getmetatable(value)
  if type(meta) == 'table' and rawget(meta, '__tostring') then
    local ok, words = pcall(tostring, value)
    return ok and words or self:note(("<its __tostring failed: %s>"):format(text.show(words)))
  end
  if self.open[value] then return self:note '<again>' end
  if next(value) == nil then return '{}' end
  if depth == 0 then return '{…}' end
  self.open[value] = true
  local shown = self:layout(self:items(value, indent + INDENT, depth - 1), indent, lead)
  self.open[value] = nil
  return shown
end

-- What isn't Lua's own may say what it is, too.
function Pretty:userdata(value)
  local ok, words = pcall(tostring, value)
  return ok and words or self:note(('<its __tostring failed: %s>'):format(text.show(words)))
end

function Pretty:any(value, indent, depth, lead)
  if type(value) == 'table' then return self:table(value, indent, depth, lead) end
  local scalar = scalars[type(value)]
  if not scalar then return self:userdata(value) end
  local shown, colour = scalar(value, self)
  return self.style:paint(colour, shown)
end

---A value as text: a string as it is, all else as Lua would spell it.
---@param value any
---@param opts? pretty_options
---@return string
function M.text(value, opts)
  if type(value) == 'string' then return value end
  opts = opts or {}
  local self = setmetatable({
    width = math.max(opts.width or WIDTH, 20), most = opts.items or ITEMS, open = {},
    style = style.new(opts.colour or false), known = opts.known or function() end,
    place = opts.place or function() end,
  }, Pretty)
  return self:any(value, 0, opts.depth or DEPTH, 0)
end

---Who a service is and how it does, in a line: of several, one below the other.
---@param it snapshot
---@param opts? { colour?: boolean, pad?: integer } pad: columns that the name takes at least
---@return string
function M.service(it, opts)
  local duration, paint = require 'pact.base.duration', style.new(opts and opts.colour or false)
  local words = { paint:status(it.status) }
  if it.health and it.health ~= 'none' then
    words[#words + 1] = it.health == 'unhealthy' and paint:paint('red', it.health) or it.health
  end
  if it.pid then words[#words + 1] = ('pid %d'):format(it.pid) end
  if it.instances then words[#words + 1] = text.plural(#it.instances, 'instance') end
  if it.pid and it.uptime then words[#words + 1] = 'up ' .. duration.short(it.uptime) end
  local calm = it.status == 'running' or it.status == 'completed'
  local reason = not calm and it.reason or ''
  if reason ~= '' and reason ~= it.status then words[#words + 1] = reason end
  local gap = (' '):rep((opts and opts.pad or 0) - #it.id)
  return ('%s%s  %s'):format(paint:paint('bold', it.id), gap, table.concat(words, ', '))
end

return M
