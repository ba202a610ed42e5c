--- Rows as lines of a table, for people or for a document.
local compare = require 'compare'

local M = {}

local FORMAT = '%-46s %12s %12s %14s  %s'

local function number(value)
  if value >= 100 or value == math.floor(value) then return ('%.0f'):format(value) end
  return ('%.3g'):format(value)
end

local function shown(value, unit)
  if value == nil then return '' end
  return number(value) .. (unit ~= '' and ' ' .. unit or '')
end

---Does the row meet its goal? nil when there is none.
function M.met(row)
  if not row.goal then return nil end
  if row.more then return row.value >= row.goal end
  return row.value <= row.goal
end

local function cells(row)
  local verdict = { [true] = 'ok', [false] = 'MISSED' }
  return {
    row.what, shown(row.floor, row.unit), shown(row.value, row.unit),
    row.goal and (row.more and '>= ' or '<= ') .. shown(row.goal, row.unit) or '', verdict[M.met(row)] or '',
  }
end

local function document_line(words) return '| ' .. table.concat(words, ' | ') .. ' |' end

---Lines that stand above the rows.
function M.head(markdown)
  if markdown then return '| | floor | pactlua | goal | |\n| --- | --- | --- | --- | --- |' end
  return FORMAT:format('', 'floor', 'pactlua', 'goal', '')
end

function M.row(row, markdown)
  if markdown then return document_line(cells(row)) end
  return FORMAT:format(table.unpack(cells(row)))
end

---@param rows table[]
---@return string? nil without a goal
function M.summary(rows)
  local goals, missed = 0, {}
  for _, row in ipairs(rows) do
    if row.goal then goals = goals + 1 end
    if M.met(row) == false then missed[#missed + 1] = row.what end
  end
  if goals == 0 then return nil end
  return ('%d of %d goals met%s'):format(goals - #missed, goals,
    #missed > 0 and '; missed: ' .. table.concat(missed, '; ') or '')
end

local function cell(row, key)
  if row[key] == nil then return row.failed[key] and 'failed' or '-' end
  if key == 'rate' and row.unfinished then return number(row[key]) .. '*' end
  return number(row[key])
end

local function comparison_cells(row)
  local words = { row.name }
  if row.failed.start then return { row.name, 'failed: ' .. row.failed.start } end
  for _, column in ipairs(compare.columns) do words[#words + 1] = cell(row, column[1]) end
  return words
end

local function comparison_titles()
  local words = { '' }
  for _, column in ipairs(compare.columns) do
    words[#words + 1] = column[2] .. (column[3] ~= '' and ', ' .. column[3] or '')
  end
  return words
end

local function aligned(words)
  local out = { ('%-16s'):format(words[1]) }
  for i = 2, #words do out[i] = ('%12s'):format(words[i]) end
  return table.concat(out)
end

local function sorted(of)
  local keys = {}
  for key in pairs(of) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function notes_of(row)
  local out = {}
  for _, part in ipairs(row.failed.start and {} or sorted(row.failed)) do
    out[#out + 1] = ('%s failed: %s'):format(part, row.failed[part])
  end
  for _, part in ipairs(sorted(row.cannot)) do out[#out + 1] = ('no %s: %s'):format(part, row.cannot[part]) end
  if row.unfinished then out[#out + 1] = '* the log was not done in time; the rate until then' end
  out[#out + 1] = row.note
  return #out > 0 and { ('%s: %s'):format(row.name, table.concat(out, '; ')) } or {}
end

local function notes(rows, absent)
  local out = {}
  for _, row in ipairs(rows) do table.move(notes_of(row), 1, 1, #out + 1, out) end
  for _, peer in ipairs(absent) do out[#out + 1] = ('%s: %s'):format(peer.name, peer.why) end
  return out
end

---The comparison as lines.
function M.comparison(rows, absent, markdown)
  local titles = comparison_titles()
  local out = { (markdown and document_line or aligned)(titles), markdown and '|' .. (' --- |'):rep(#titles) or nil }
  for _, row in ipairs(rows) do out[#out + 1] = (markdown and document_line or aligned)(comparison_cells(row)) end
  out[#out + 1] = ''
  for _, note in ipairs(notes(rows, absent)) do out[#out + 1] = (markdown and '- ' or '') .. note end
  return table.concat(out, '\n')
end

return M
