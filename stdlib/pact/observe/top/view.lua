--- What is shown of the samples, and how keys change that: the column to sort by, a filter, a place to scroll to.

local text = require 'pact.base.text'

local M = {}

---The columns by which can be sorted, as they stand in the table.
---@type { name: string, of: (fun(row: top_row): any), up?: boolean }[] up: the least first
M.columns = {
  { name = 'name', of = function(row) return row.id end, up = true },
  { name = 'status', of = function(row) return row.status end, up = true },
  { name = 'health', of = function(row) return row.health or '' end },
  { name = 'pid', of = function(row) return row.pid or 0 end },
  { name = 'uptime', of = function(row) return row.uptime or -1 end },
  { name = 'restarts', of = function(row) return row.restarts end },
  { name = 'processes', of = function(row) return row.processes or -1 end },
  { name = 'cpu', of = function(row) return row.cpu or -1 end },
  { name = 'memory', of = function(row) return row.memory or -1 end },
}

---@return string[]
function M.names()
  local out = {}
  for i, column in ipairs(M.columns) do out[i] = column.name end
  return out
end

---@class top_view
---@field column integer
---@field reversed boolean
---@field filter string
---@field typing boolean a filter is being written
---@field first integer of the rows shown
local View = {}
View.__index = View

---@param sort? string name of a column, by default cpu
---@return top_view?, string? message
function M.new(sort)
  local self = setmetatable({ reversed = false, filter = '', typing = false, first = 1 }, View)
  for i, column in ipairs(M.columns) do
    if column.name == (sort or 'cpu') then self.column = i end
  end
  if self.column then return self end
  return nil, ("--sort '%s' is no column%s: %s"):format(sort, text.suggest(sort, M.names()),
    table.concat(M.names(), ', '))
end

---Rows that the filter lets through, in order.
---@param rows top_row[]
---@return top_row[]
function View:rows(rows)
  local out, column = {}, M.columns[self.column]
  for _, row in ipairs(rows) do
    if self.filter == '' or row.id:lower():find(self.filter:lower(), 1, true) then out[#out + 1] = row end
  end
  local up = (column.up or false) ~= self.reversed
  table.sort(out, function(a, b)
    local x, y = column.of(a), column.of(b)
    if x == y then return a.place < b.place end
    if up then return x < y end
    return x > y
  end)
  return out
end

local function turn(by)
  return function(self)
    self.column = (self.column - 1 + by) % #M.columns + 1
    self.reversed = false
  end
end

local function scroll(rows, pages)
  return function(self, page) self.first = math.max(1, self.first + rows + pages * page) end
end

local KEYS = {
  q = function() return 'quit' end, Q = function() return 'quit' end, ['\3'] = function() return 'interrupt' end,
  ['\26'] = function() return 'suspend' end, [' '] = function() return 'again' end,
  left = turn(-1), ['<'] = turn(-1), right = turn(1), ['>'] = turn(1),
  r = function(self) self.reversed = not self.reversed end,
  ['/'] = function(self) self.typing = true end,
  escape = function(self) self.filter = '' end,
  up = scroll(-1, 0), down = scroll(1, 0), k = scroll(-1, 0), j = scroll(1, 0), page_up = scroll(0, -1),
  page_down = scroll(0, 1), home = function(self) self.first = 1 end,
  ['end'] = function(self) self.first = math.maxinteger // 2 end,
}

local FILTER_MOST = 64

-- Its last character taken off.
local function shorter(filter) return (filter:gsub('[^\x80-\xBF][\x80-\xBF]*$', '')) end

local TYPED = {
  ['\r'] = function(self) self.typing = false end, ['\n'] = function(self) self.typing = false end,
  escape = function(self) self.typing, self.filter = false, '' end,
  ['\127'] = function(self) self.filter = shorter(self.filter) end,
  ['\8'] = function(self) self.filter = shorter(self.filter) end,
  ['\21'] = function(self) self.filter = '' end,
  ['\3'] = KEYS['\3'], ['\26'] = KEYS['\26'],
}

---@param key string a character, or one of `M.keys`
---@param page integer rows that are shown at once
---@return 'quit'|'interrupt'|'suspend'|'again'|nil
function View:press(key, page)
  if not self.typing then return KEYS[key] and KEYS[key](self, page) end
  if TYPED[key] then return TYPED[key](self) end
  if key:find '^%c' or key:find '^%a%a' or #self.filter >= FILTER_MOST then return end
  self.filter = self.filter .. key
end

local SEQUENCES = {
  ['[A'] = 'up', ['[B'] = 'down', ['[C'] = 'right', ['[D'] = 'left', OA = 'up', OB = 'down', OC = 'right',
  OD = 'left',
  ['[5~'] = 'page_up', ['[6~'] = 'page_down', ['[H'] = 'home', ['[F'] = 'end', OH = 'home', OF = 'end',
  ['[1~'] = 'home', ['[4~'] = 'end',
}

---Keys by what a terminal sends for them: characters as they are, others by name; what isn't known is left out.
---@param bytes string
---@return string[]
function M.keys(bytes)
  local out, at = {}, 1
  while at <= #bytes do
    local sequence = bytes:match('^\27([%[O][%d;]*[%a~])', at)
    local character = bytes:match('^[\1-\127\xC2-\xF4][\x80-\xBF]*', at)
    if sequence then
      out[#out + 1], at = SEQUENCES[sequence], at + 1 + #sequence
    elseif bytes:sub(at, at) == '\27' then
      out[#out + 1], at = 'escape', at + 1
    else
      if character and utf8.len(character) == 1 then out[#out + 1] = character end
      at = at + #(character or ' ')
    end
  end
  return out
end

return M
