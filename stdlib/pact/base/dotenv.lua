--- Files of NAME=value lines, as env_file reads them: quotes, escapes, values over many lines in quotes,
--- `export`, comments, `${NAME}` and `${NAME:-otherwise}`; `$NAME` where there is such a variable, else it stays,
--- so that a password may have a dollar.
local M = {}

local escapes = { n = '\n', r = '\r', t = '\t' }

local Reader = {}
Reader.__index = Reader

function Reader:fail(what, at)
  local _, newlines = self.text:sub(1, (at or self.at) - 1):gsub('\n', '')
  error({ line = newlines + 1, message = what }, 0)
end

function Reader:value_of(name)
  local value = self.values[name]
  if value == nil then value = self.lookup(name) end
  return value
end

-- `at` is behind `${`; gives the text for it and where to go on
function Reader:reference(text, at)
  local name, operator, rest = text:match('^([%a_][%w_]*)(:?%-?)()', at)
  local close = name and text:find('}', rest, true)
  if not close then self:fail "has a '${' without its name and '}'" end
  local otherwise = text:sub(rest, close - 1)
  if operator == '' and otherwise ~= '' or operator == ':' then
    local known = "has '${%s': only ${NAME}, ${NAME-text} and ${NAME:-text} are known"
    self:fail(known:format(text:sub(at, close)))
  end
  local value = self:value_of(name)
  if operator ~= '' and (value == nil or operator == ':-' and value == '') then
    value = otherwise
  end
  return value or '', close + 1
end

-- `$NAME`, with `at` behind the dollar; gives nothing where there is no such variable
function Reader:bare(text, at)
  local name, rest = text:match('^([%a_][%w_]*)()', at)
  local value = name and self:value_of(name)
  if value then return value, rest end
end

-- `quoted`: escapes as in double quotes; else only `\$` and `\\$`
function Reader:expand(text, quoted)
  local out, from = {}, 1
  while true do
    local at = text:find('[\\$]', from)
    if not at then break end
    out[#out + 1] = text:sub(from, at - 1)
    local c, after = text:sub(at, at), text:sub(at + 1, at + 1)
    if c == '$' and after == '{' then
      out[#out + 1], from = self:reference(text, at + 2)
    elseif c == '\\' and (after == '$' or quoted and after ~= '') then
      local known = escapes[after] or (after:find '["\\$\n]' and after)
      out[#out + 1], from = known or c .. after, at + 2
    else
      local value, rest = nil, nil
      if c == '$' then value, rest = self:bare(text, at + 1) end
      out[#out + 1], from = value or c, rest or at + 1
    end
  end
  out[#out + 1] = text:sub(from)
  return table.concat(out)
end

function Reader:closing(quote)
  local at = self.at + 1
  while true do
    local found = self.text:find(quote == '"' and '["\\]' or quote, at)
    if not found then self:fail(("has a %s that is never closed"):format(quote)) end
    if self.text:sub(found, found) == quote then return found end
    at = found + 2
  end
end

function Reader:quoted(quote)
  local close = self:closing(quote)
  local inner = self.text:sub(self.at + 1, close - 1)
  local rest, ending = self.text:match('^[ \t]*([^\n]*)()', close + 1)
  if rest ~= '' and not rest:find '^#' then
    self:fail(('has text behind its closing %s'):format(quote), close)
  end
  local value = quote == '"' and self:expand(inner, true) or inner
  self.at = ending
  return value
end

function Reader:plain()
  local raw, ending = self.text:match('^([^\n]*)()', self.at)
  if raw:find '^#' then raw = '' end
  raw = raw:gsub('%s#.*$', ''):gsub('%s+$', '')
  self.at = ending
  return self:expand(raw, false)
end

function Reader:assignment()
  local export = self.text:match('^export[ \t]+()', self.at)
  local name, at = self.text:match('^([^%s=#]+)[ \t]*()', export or self.at)
  if not name then self:fail 'has no name' end
  if not name:find '^[%a_][%w_.-]*$' then
    self:fail(("has a name '%s' that no variable can have"):format(name))
  end
  if self.text:sub(at, at) ~= '=' then
    if export and self.text:match('^[^\n]*', at):find '^%s*$' then -- exports what is there already
      self.at = at
      return
    end
    self:fail(("'%s' has no '=' behind it"):format(name))
  end
  self.at = self.text:match('^[ \t]*()', at + 1)
  local quote = self.text:match('^["\']', self.at)
  local value = quote and self:quoted(quote) or not quote and self:plain()
  if self.values[name] == nil then self.names[#self.names + 1] = name end
  self.values[name] = value
end

function Reader:run()
  while true do
    self.at = self.text:match('^%s*()', self.at)
    if self.at > #self.text then return end
    if self.text:byte(self.at) == 35 then
      self.at = self.text:match('^[^\n]*()', self.at)
    else
      self:assignment()
    end
  end
end

---@param text string the file's content
---@param lookup? fun(name: string): string? variables from outside, for `${NAME}`
---@return { name: string, value: string }[]? variables in order of first appearance
---@return string? message what is wrong
---@return integer? line where
function M.parse(text, lookup)
  if text:find('\0', 1, true) then return nil, 'is binary, not lines of NAME=value', 1 end
  text = text:gsub('^\239\187\191', ''):gsub('\r\n', '\n')
  local reader = setmetatable({
    text = text, at = 1, values = {}, names = {},
    lookup = lookup or function() end,
  }, Reader)
  local ok, err = pcall(reader.run, reader)
  if not ok then
    if type(err) ~= 'table' then error(err, 0) end
    return nil, err.message, err.line
  end
  local out = {}
  for i, name in ipairs(reader.names) do out[i] = { name = name, value = reader.values[name] } end
  return out
end

---A value as such a file holds it, which a shell reads the same way.
---@param value string
---@return string
function M.quote(value)
  if value:find '^[%w_@%%+=:,./-]*$' then return value end
  if not value:find("'", 1, true) then return "'" .. value .. "'" end
  return '"' .. value:gsub('["\\$`]', '\\%0') .. '"'
end

return M
