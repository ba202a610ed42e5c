--- Rows of text as aligned columns.

local text = require 'pact.base.text'

local M = {}

---@param rows string[][] the first one is the heading; nil cells are empty
---@param opts { right?: table<integer, true>, paint?: fun(cell: string, column: integer, row: integer): string, width?: fun(s: string): integer, limit?: integer } right: columns aligned there; limit: columns of the terminal, the last cell is cut to it
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
