--- Rows of text as aligned columns.

local text = require 'pact.base.text'

local M = {}

---@class columns_options
---@field right? table<integer, true> columns aligned there
---@field paint? fun(cell: string, column: integer, row: integer): string
---@field width? fun(s: string): integer
---@field limit? integer columns of the terminal: the last cell is cut to it

---@param rows string[][] the first one is the heading; nil cells are empty
---@param opts columns_options
---@return string with a newline behind each row
function M.render(rows, opts)
  local measure = opts.width or function(s) return utf8.len(s) or #s end
  local widths, count = {}, #rows[1]
  for _, row in ipairs(rows) do
    for i = 1, count do
      widths[i] = math.max(widths[i] or 0, measure(row[i] or ''))
    end
  end
  local out = {}
  for r, row in ipairs(rows) do
    local cells, used = {}, 0
    for i = 1, count do
      local cell = row[i] or ''
      if i == count and opts.limit and opts.limit > used then cell = text.truncate(cell, opts.limit - used) end
      local blanks = (' '):rep(widths[i] - measure(cell))
      local painted = opts.paint and r > 1 and opts.paint(cell, i, r) or cell
      if opts.right and opts.right[i] then
        painted = blanks .. painted
      elseif i < count then
        painted = painted .. blanks
      end
      cells[i], used = painted, used + widths[i] + 2
    end
    out[r] = (table.concat(cells, '  '):gsub('%s+$', '')) .. '\n'
  end
  return table.concat(out)
end

return M
