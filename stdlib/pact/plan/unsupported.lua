--- What recipes may say already and this version can't do yet. A row goes when its feature comes.

---@class unsupported
---@field found fun(service: service): boolean?
---@field text string

local function with(field)
  return {
    found = function(service) return service[field] ~= nil end,
    text = ("'%s' is not supported by this version"):format(field),
  }
end

local function of_kind(kind)
  return {
    found = function(service) return service.kind == kind end,
    text = ("this version cannot run services of kind '%s'"):format(kind),
  }
end

local function checked_by(kind)
  return {
    found = function(service)
      return service.health and service.health.kind == kind or service.ready and service.ready.kind == kind
    end,
    text = ("checks of kind '%s' are not supported by this version"):format(kind),
  }
end

---@type unsupported[]
return {
  of_kind 'container',
  of_kind 'worker',
  with 'schedule',
  with 'replicas',
  with 'watch',
  checked_by 'notify',
  checked_by 'check',
  {
    found = function(service) return service.tty end,
    text = "'tty' is not supported by this version",
  },
}
