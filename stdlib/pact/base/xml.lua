--- Text as XML holds it; HTML takes it the same way.

local M = {}

local ESCAPES = { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;', ['\n'] = '\n', ['\t'] = '\t' }

local function as_hex(c) return ('\\x%02X'):format(c:byte()) end

---Every byte stays visible: what XML can't hold is written as \xNN.
---@param text string
---@return string
function M.text(text)
  local out, from = {}, 1
  while from <= #text do
    local _, bad = utf8.len(text, from)
    out[#out + 1] = text:sub(from, (bad or #text + 1) - 1)
    if bad then out[#out + 1] = as_hex(text:sub(bad, bad)) end
    from = (bad or #text) + 1
  end
  local whole = table.concat(out):gsub('\239\191[\190\191]', function(c) return (c:gsub('.', as_hex)) end)
  return (whole:gsub('[%c&<>"]', function(c) return ESCAPES[c] or as_hex(c) end))
end

---The same between double quotes, where a line's end would become a space.
---@param text string
---@return string
function M.attribute(text) return (M.text(text):gsub('\n', '&#10;')) end

return M
