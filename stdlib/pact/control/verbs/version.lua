--- `pactlua version`

local M = {}

---@param context main_context
---@return integer
function M.run(context)
  context.out(('pactlua %s\n'):format(context.sys.version))
  return 0
end

return M
