--- Templates: fields that services take over by `extends`.
local text = require 'pact.base.text'

local M = {}

local Template = { __name = 'template', __show = function() return 'a template' end }

---@param fields table checked
---@return table
function M.new(fields) return setmetatable({ fields = fields }, Template) end

local function is_template(value) return getmetatable(value) == Template end

---@type value_type a template or a list of them, to a list
M.type = {
  name = 'template', lua = 'pact.template|pact.template[]',
  check = function(value, cursor)
    if is_template(value) then return { value } end
    if type(value) ~= 'table' or getmetatable(value) then
      return cursor:fail(('must be a template of pact.template { … }, got %s'):format(text.show(value)))
    end
    local out = {}
    for i, one in ipairs(value) do
      if not is_template(one) then
        return cursor:fail(('must be a list of templates, got %s'):format(text.show(one)))
      end
      out[i] = one
    end
    if #out == 0 then return cursor:fail 'must be a template of pact.template { … }, got an empty table' end
    return out
  end,
}

return M
