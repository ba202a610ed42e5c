--- What recipes may say already and this version can't do yet. A row goes when its feature comes.

---@class unsupported
---@field kinds table<string, true> kinds of services
---@field fields string[] fields of a service
---@field checks table<string, true> kinds of health and ready
local M = {
  kinds = { container = true },
  fields = {},
  checks = {},
}

local checks = { 'health', 'ready' }

---@param service service
---@return string[] what can't be done, for people
function M.found(service)
  local out = {}
  if M.kinds[service.kind] then
    out[#out + 1] = ("this version cannot run services of kind '%s'"):format(service.kind)
  end
  for _, field in ipairs(M.fields) do
    if service[field] then out[#out + 1] = ("'%s' is not supported by this version"):format(field) end
  end
  for _, field in ipairs(checks) do
    local check = service[field]
    if check and M.checks[check.kind] then
      out[#out + 1] = ("checks of kind '%s' are not supported by this version"):format(check.kind)
    end
  end
  return out
end

return M
