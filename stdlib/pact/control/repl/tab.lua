--- What Tab does: the candidates' common beginning is put into the line; when nothing is gained by it they are listed.

local text = require 'pact.base.text'

local M = {}

local ROWS = 20

-- Never within a character.
local function common(words)
  local first = words[1]
  local count = #first
  for i = 2, #words do
    while words[i]:sub(1, count) ~= first:sub(1, count) do count = count - 1 end
  end
  while count > 0 and count < #first and first:byte(count + 1) & 0xC0 == 0x80 do count = count - 1 end
  return first:sub(1, count)
end

---@class tab_change
---@field back? integer characters to take away before the cursor
---@field insert? string
---@field list? string[] to be shown

---@param before string the line up to the cursor
---@param from integer byte of it that candidates begin at
---@param candidates { text: string, label: string }[]
---@return tab_change
function M.change(before, from, candidates)
  if #candidates == 0 then return {} end
  local words, labels = {}, {}
  for i, one in ipairs(candidates) do words[i], labels[i] = one.text, one.label end
  local typed, gained = before:sub(from), common(words)
  if #candidates == 1 or #gained > #typed and text.starts_with(gained, typed) then
    if gained == typed then return {} end
    return { back = utf8.len(typed) or #typed, insert = gained }
  end
  return { list = labels }
end

---Words in columns, read downwards.
---@param words string[]
---@param width integer columns there are
---@return string
function M.columns(words, width)
  local widest = 0
  for _, word in ipairs(words) do widest = math.max(widest, utf8.len(word) or #word) end
  local across = math.max((width + 2) // (widest + 2), 1)
  local down = (#words + across - 1) // across
  local out = {}
  for row = 1, math.min(down, ROWS) do
    local cells = {}
    for i = row, #words, down do cells[#cells + 1] = text.pad(words[i], widest) end
    out[row] = table.concat(cells, '  '):gsub(' +$', '')
  end
  if down > ROWS then out[#out + 1] = ('(%d in all)'):format(#words) end
  return table.concat(out, '\n') .. '\n'
end

return M
