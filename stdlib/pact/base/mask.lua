--- What must not be shown: variables whose names speak of secrets, and values that are known to be some.
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

return M
