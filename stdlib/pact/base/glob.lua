--- Patterns of paths: `src/**/*.js`. `*` and `?` stay within a name, `**` is any number of directories,
--- `[abc]` a character, `{js,ts}` alternatives, `\` takes a character as it is.

local M = {}

local ALTERNATIVES_MAX = 256

---@class glob one alternative, by names between slashes
---@field names (string|true)[] Lua patterns; true: any number of names
---@field plain table<integer, string> names without anything special
---@field base integer how many names in front are plain; the last one doesn't count

-- What stands between a pair of braces that belong together; nil: there is none.
local function braces(text)
  local depth, from, commas, at = 0, nil, {}, 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == '\\' then
      at = at + 1
    elseif c == '{' then
      depth = depth + 1
      from = from or at
    elseif c == ',' and depth == 1 then
      commas[#commas + 1] = at
    elseif c == '}' and depth > 0 then
      depth = depth - 1
      if depth == 0 then return from, at, commas end
    end
    at = at + 1
  end
  return from
end

-- Adds each alternative of a pattern to `out`; gives what is wrong with it.
local function expand(text, out)
  local from, to, commas = braces(text)
  if from and not to then return "has a '{' without its '}'" end
  if not from then
    out[#out + 1] = text
    return #out > ALTERNATIVES_MAX and 'has too many alternatives' or nil
  end
  commas[#commas + 1] = to
  local at = from + 1
  for _, comma in ipairs(commas) do
    local why = expand(text:sub(1, from - 1) .. text:sub(at, comma - 1) .. text:sub(to + 1), out)
    if why then return why end
    at = comma + 1
  end
end

local function literal(c) return (c:gsub('[^%w]', '%%%0')) end

-- A set of characters; gives its pattern and the place behind.
local function class(name, at)
  local negated, first = name:match('^%[([!^]?)()', at)
  local close = name:find(']', first + 1, true)
  if not close then return nil end
  local body = name:sub(first, close - 1):gsub('[%%%]%[%^]', '%%%0')
  return '[' .. (negated ~= '' and '^' or '') .. body .. ']', close + 1
end

-- One name as a Lua pattern; nil: a '[' is never closed.
local function name_pattern(name)
  local out, at, special = {}, 1, false
  while at <= #name do
    local c = name:sub(at, at)
    if c == '[' then
      special = true
      out[#out + 1], at = class(name, at)
      if not at then return nil end
    else
      if c == '\\' and at < #name then
        at = at + 1
        out[#out + 1] = literal(name:sub(at, at))
      elseif c == '*' then
        out[#out + 1], special = '.*', true
      elseif c == '?' then
        out[#out + 1], special = '[%z\1-\127\194-\244][\128-\191]*', true
      else
        out[#out + 1] = literal(c)
      end
      at = at + 1
    end
  end
  return '^' .. table.concat(out) .. '$', special
end

local function split(path)
  local names = {}
  for name in path:gmatch '[^/]+' do
    if name == '..' and names[1] and names[#names] ~= '..' and names[#names] ~= '**' then
      names[#names] = nil
    elseif name ~= '.' then
      names[#names + 1] = name
    end
  end
  return names
end

local function one(text)
  local out, fixed = { names = {}, plain = {}, base = 0 }, true
  local names = split(text)
  if text:find '/$' then names[#names + 1] = '**' end
  for i, name in ipairs(names) do
    if name == '**' then
      out.names[i], fixed = true, false
    else
      local pattern, special = name_pattern(name)
      if not pattern then return nil, "has a '[' without its ']'" end
      out.names[i] = pattern
      if not special then out.plain[i] = (name:gsub('\\(.)', '%1')) end
      fixed = fixed and not special
    end
    if fixed and i < #names then out.base = i end
  end
  return out
end

---@class glob_set
---@field list glob[]
local Set = {}
Set.__index = Set

---@param pattern string
---@return string? message what is wrong with it, goes on after its name
function M.check(pattern)
  local _, message = M.new { pattern }
  return message
end

---@param patterns string[]
---@param directory? string what relative ones are below
---@return glob_set? set
---@return string? message
function M.new(patterns, directory)
  local set = setmetatable({ list = {} }, Set)
  for _, pattern in ipairs(patterns) do
    local all = {}
    if pattern:sub(1, 1) ~= '/' and directory then pattern = directory .. '/' .. pattern end
    local why = expand(pattern, all)
    for _, text in ipairs(why and {} or all) do
      set.list[#set.list + 1], why = one(text)
      if why then break end
    end
    if why then return nil, why end
  end
  return set
end

local function name_fits(glob, j, name)
  local plain = glob.plain[j]
  if plain then return plain == name end
  return name:find(glob.names[j]) ~= nil
end

-- Whether the names from i on match the pattern's from j on.
local function fits(glob, names, i, j)
  local patterns = glob.names
  while j <= #patterns do
    if patterns[j] == true then
      if j == #patterns then return i <= #names end
      for k = i, #names do
        if fits(glob, names, k, j + 1) then return true end
      end
      return false
    end
    if i > #names or not name_fits(glob, j, names[i]) then return false end
    i, j = i + 1, j + 1
  end
  return i > #names
end

-- Whether something below these names may match.
local function leads_on(glob, names)
  for i = 1, #names do
    if glob.names[i] == true then return true end
    if not glob.names[i] or not name_fits(glob, i, names[i]) then return false end
  end
  return #names < #glob.names
end

---@param path string
---@return boolean
function Set:match(path)
  local names = split(path)
  for _, glob in ipairs(self.list) do
    if fits(glob, names, 1, 1) then return true end
  end
  return false
end

---@param name string without a slash
---@return boolean one of the patterns is for single names, and matches
function Set:match_name(name)
  for _, glob in ipairs(self.list) do
    if #glob.names == 1 and (glob.names[1] == true or name_fits(glob, 1, name)) then return true end
  end
  return false
end

---@param directory string
---@return boolean something below it may match
function Set:may_hold(directory)
  local names = split(directory)
  for _, glob in ipairs(self.list) do
    if leads_on(glob, names) then return true end
  end
  return false
end

---@return string[] the directories below which all that matches is, as far as names are plain
function Set:bases()
  local out, seen = {}, {}
  for _, glob in ipairs(self.list) do
    local base = '/' .. table.concat(glob.plain, '/', 1, glob.base)
    if not seen[base] then
      seen[base] = true
      out[#out + 1] = base
    end
  end
  return out
end

return M
