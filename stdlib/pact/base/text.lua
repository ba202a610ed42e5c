--- Words and columns for messages and tables: nearest word, plural, padding, how a value is shown.
local M = {}

---Edits between two words: insertions, deletions, substitutions and swaps of neighbours, one each.
---@param a string
---@param b string
---@return integer
function M.distance(a, b)
  local before, last, row = nil, {}, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    row[0] = i
    local ai = a:byte(i)
    for j = 1, #b do
      local bj = b:byte(j)
      local best = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (ai == bj and 0 or 1))
      if before and j > 1 and ai == b:byte(j - 1) and a:byte(i - 1) == bj then
        best = math.min(best, before[j - 2] + 1)
      end
      row[j] = best
    end
    before, last, row = last, row, before or {}
  end
  return last[#b]
end

local function fold(word) return (word:lower():gsub('[-_ .]', '')) end

---The candidate that somebody who wrote `word` most likely meant.
---@param word string
---@param candidates string[]
---@return string?
function M.nearest(word, candidates)
  local folded = fold(word)
  local limit = #folded <= 2 and 1 or math.max(1, #folded // 3)
  local best, best_cost, best_spelling
  for _, candidate in ipairs(candidates) do
    local other = fold(candidate)
    if candidate ~= word and math.abs(#other - #folded) <= limit then
      local cost = M.distance(folded, other)
      -- of two equally near words the one with the same first letter, then the one that is spelt
      -- more alike (`depends_on` rather than `dependsOn`), then the alphabet decides
      local rank = cost * 2 + (other:byte() == folded:byte() and 0 or 1)
      if cost <= limit and cost < math.max(#folded, #other) and (not best or rank <= best_cost) then
        local spelling = M.distance(word, candidate)
        local alike = best and rank == best_cost and best_spelling or math.huge
        if spelling < alike or (spelling == alike and candidate < best) then
          best, best_cost, best_spelling = candidate, rank, spelling
        end
      end
    end
  end
  return best
end

---` (did you mean 'x'?)`, or nothing.
---@param word any
---@param candidates string[]
---@return string
function M.suggest(word, candidates)
  local near = type(word) == 'string' and M.nearest(word, candidates)
  return near and (" (did you mean '%s'?)"):format(near) or ''
end

---`1 service`, `2 services`.
---@param n integer
---@param one string
---@param many? string default: `one` with an s
---@return string
function M.plural(n, one, many) return ('%d %s'):format(n, n == 1 and one or many or one .. 's') end

---`a`, `a and b`, `a, b and c`.
---@param words string[]
---@param last? string default `and`
---@return string
function M.enumerate(words, last)
  local n = #words
  if n <= 1 then return words[1] or '' end
  local head = table.concat(words, ', ', 1, n - 1)
  return ('%s %s %s'):format(head, last or 'and', words[n])
end

---Words in quotes, as `enumerate` joins them.
---@param words string[]
---@param last? string
---@return string
function M.quoted(words, last)
  local out = {}
  for i, word in ipairs(words) do out[i] = "'" .. word .. "'" end
  return M.enumerate(out, last)
end

---@param text string
---@return integer characters; of text that isn't UTF-8, bytes
local function length(text) return utf8.len(text) or #text end

---@param text string
---@param width integer
---@param measure? fun(text: string): integer default: characters
---@return string text filled with blanks on the right
function M.pad(text, width, measure)
  return text .. (' '):rep(width - (measure or length)(text))
end

---@param text string
---@param width integer
---@return string text filled with blanks on the left
function M.pad_left(text, width) return (' '):rep(width - length(text)) .. text end

---At most `width` characters, the last one an ellipsis when something was cut.
---@param text string
---@param width integer
---@return string
function M.truncate(text, width)
  if length(text) <= width then return text end
  if width < 1 then return '' end
  if not utf8.len(text) then return text:sub(1, width - 1) .. '…' end
  return text:sub(1, utf8.offset(text, width) - 1) .. '…'
end

---@param text string
---@return string
function M.trim(text) return (text:match '^%s*(.-)%s*$') end

---@param text string
---@param separator string plain
---@return string[]
function M.split(text, separator)
  local out, from = {}, 1
  while true do
    local first, last = text:find(separator, from, true)
    out[#out + 1] = text:sub(from, (first or 0) - 1)
    if not first then return out end
    from = last + 1
  end
end

---@param text string
---@return string[] without their newlines; a newline at the end makes no further line
function M.lines(text)
  local out = {}
  for line in (text:sub(-1) == '\n' and text or text .. '\n'):gmatch '(.-)\r?\n' do
    out[#out + 1] = line
  end
  return text == '' and {} or out
end

---@param text string
---@param start string
---@return boolean
function M.starts_with(text, start) return text:sub(1, #start) == start end

---The words of a command line as a POSIX shell would split plain ones; quotes are taken off.
---@param line string
---@return string[]
function M.words(line)
  local out, word, quote = {}, nil, nil
  for c in line:gmatch(utf8.len(line) and utf8.charpattern or '.') do
    if quote then
      if c == quote then quote = nil else word = word .. c end
    elseif c == "'" or c == '"' then
      quote, word = c, word or ''
    elseif c:find '^%s$' then
      out[#out + 1], word = word, nil
    else
      word = (word or '') .. c
    end
  end
  out[#out + 1] = word
  return out
end

local function escape(c)
  local known = { ['\n'] = '\\n', ['\t'] = '\\t', ['\r'] = '\\r', ["'"] = "\\'", ['\\'] = '\\\\' }
  return known[c] or ('\\%d'):format(c:byte())
end

---A string as Lua's source spells it, shortened for a message.
---@param value string
---@param width? integer default 60
---@return string
function M.quote(value, width)
  return "'" .. M.truncate(value, width or 60):gsub("[%c'\\]", escape) .. "'"
end

local articles = { table = 'a table', ['function'] = 'a function', ['nil'] = 'nothing' }

---A value as a message shows what came.
---@param value any
---@return string
function M.show(value)
  local meta = type(value) == 'table' and getmetatable(value)
  if type(meta) == 'table' and meta.__show then return meta.__show(value) end
  if type(value) == 'string' then return M.quote(value) end
  return articles[type(value)] or tostring(value)
end

return M
