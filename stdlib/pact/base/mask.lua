--- What must not be shown: variables whose names speak of secrets, values that are known to be some, and what in
-- words stands where passwords stand: in addresses, behind options and names, in headers.
local M = {}

M.hidden = '********'

---@param name string of a variable
---@return boolean
function M.is_secret(name)
  local upper = name:upper()
  if upper:find('PUBLIC_KEY', 1, true) then return false end
  return upper:find('PASSWORD', 1, true) ~= nil or upper:find('SECRET', 1, true) ~= nil
    or upper:find('TOKEN', 1, true) ~= nil or upper:find('PRIVATE', 1, true) ~= nil
    or upper:find '_KEY$' ~= nil
end

---@param text string
---@param values string[] texts to hide within it
---@return string
function M.text(text, values)
  for _, value in ipairs(values) do
    local from = 1
    while value ~= '' do
      local first, last = text:find(value, from, true)
      if not first then break end
      text = text:sub(1, first - 1) .. M.hidden .. text:sub(last + 1)
      from = first + #M.hidden
    end
  end
  return text
end

---@param name string
---@param value string
---@param names? table<string, true> more variables to hide
---@param values? string[]
---@return string what may be shown
function M.variable(name, value, names, values)
  if M.is_secret(name) or names and names[name] then return M.hidden end
  return M.text(value, values or {})
end

---------------------------------------------------------------------------------------------------
-- In words.

-- Without one of these no name in it is a secret's.
local SIGNS = { 'password', 'secret', 'token', 'private', '_key', '-key' }

-- A value stands behind `=` or an option: most texts have neither.
local function may_name(text)
  if not text:find('=', 1, true) and not text:find('-', 1, true) then return false end
  local lower = text:lower()
  for _, sign in ipairs(SIGNS) do
    if lower:find(sign, 1, true) then return true end
  end
  return false
end

local function names_secret(option) return M.is_secret((option:gsub('^%-+', ''):gsub('%-', '_'))) end

-- `NAME=value`; what a shell puts there itself ($NAME) is no secret.
local function assigned(name, value)
  if not names_secret(name) or value:find '^%$' then return nil end
  return name .. '=' .. M.hidden
end

-- `--name value`
local function behind(option, blank)
  if names_secret(option) then return option .. blank .. M.hidden end
end

-- What in a word of JSON or of a command line is not the end of it.
local IN_WORD = '[^%s"\'\\&;,)]'

local QUOTED, QUOTED_JSON = '("[^"]*")', '(\\"[^"\\]*\\")'

-- What stands behind names. In JSON nothing that is found may reach over the end of a text.
local function find_named(text, quoted)
  text = text:gsub('%f[%w_%-]([%w_%-]+)=(' .. IN_WORD .. '+)', assigned)
  text = text:gsub("%f[%w_%-]([%w_%-]+)=('[^'\"\\]*')", assigned)
  text = text:gsub('%f[%w_%-]([%w_%-]+)=' .. quoted, assigned)
  text = text:gsub("%f[%-%w](%-%-?[%w_%-]+)([ ]+)%f[^ ]'[^'\"\\]*'", behind)
  return (text:gsub('%f[%-%w](%-%-?[%w_%-]+)([ ]+)%f[^ %-]' .. IN_WORD .. '+', behind))
end

local function find_all(text, quoted)
  if text:find('://', 1, true) and text:find('@', 1, true) then
    text = text:gsub('(://[^%s/:@"\'\\]*):[^%s/"\'\\]+@', '%1:' .. M.hidden .. '@')
  end
  local names = may_name(text)
  if names then text = find_named(text, quoted) end
  if text:find('uthorization', 1, true) then
    text = text:gsub('([Aa]uthorization:? %a+ )' .. IN_WORD .. '+', '%1' .. M.hidden)
  end
  return text, names
end

---@param text string for people: a command line, a reason, an address
---@return string
function M.words(text)
  return (find_all(text, QUOTED))
end

---@param line string JSON
---@return string JSON still
function M.json(line)
  local masked, names = find_all(line, QUOTED_JSON)
  if not names then return masked end
  return (masked:gsub('"(%-%-?[%w_%-]+)",(%s*)"[^"\\]*"', function(option, blank) -- words of a list
    if names_secret(option) then return ('"%s",%s"%s"'):format(option, blank, M.hidden) end
  end))
end

return M
