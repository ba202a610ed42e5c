--- Rows of text as aligned columns.

local text = require 'pact.base.text'

local M = {}

---@class columns_options
---@field right? table<integer, true> columns aligned there
---@field paint? fun(cell: string, column: integer, row: integer): string
---@field width? fun(s: string): integer
---@field limit? integer columns of the terminal: the last cell is cut to it

-- Blanks are asked for again and again in the same few lengths.
local blanks = setmetatable({}, {
  __index = function(self, count)
    local made = (' '):rep(count)
    self[count] = made
    return made
  end,
})

local function measured(rows, count, measure)
  local widths, sizes = {}, {}
  for i = 1, count do widths[i] = 0 end
  for r, row in ipairs(rows) do
    local size = {}
    for i = 1, count do
      local cell = row[i] or ''
      size[i] = cell:find '[\128-\255]' and measure(cell) or #cell
      if size[i] > widths[i] then widths[i] = size[i] end
    end
    sizes[r] = size
  end
  return widths, sizes
end

-- Up to its last cell that isn't empty: no blanks at a line's end.
local function last_of(size, count)
  while count > 1 and size[count] == 0 do count = count - 1 end
  return count
end

---@param rows string[][] the first one is the heading; nil cells are empty
---@param opts columns_options
---@return string with a newline behind each row
function M.render(rows, opts)
  local count = #rows[1]
  local widths, sizes = measured(rows, count, opts.width or function(s) return utf8.len(s) or #s end)
  local out, right = {}, opts.right or {}
  local room = opts.limit
  for i = 1, count - 1 do room = room and room - widths[i] - 2 end
  for r, row in ipairs(rows) do
    local size, cells = sizes[r], {}
    local last = last_of(size, count)
    for i = 1, last do
      local cell = row[i] or ''
      if i == count and room and room > 0 and size[i] > room then cell = text.truncate(cell, room) end
      if opts.paint and r > 1 then cell = opts.paint(cell, i, r) end
      local gap = widths[i] - size[i]
      if gap > 0 then
        if right[i] then cell = blanks[gap] .. cell elseif i < last then cell = cell .. blanks[gap] end
      end
      cells[i] = cell
    end
    out[r] = table.concat(cells, '  ') .. '\n'
  end
  return table.concat(out)
end

return M
