--- The drivers by kind of service: what a supervisor is given. Each is loaded for the first service of its kind.

local MODULES = {
  process = 'pact.drivers.process',
  worker = 'pact.drivers.worker',
  external = 'pact.drivers.external',
}

return setmetatable({}, {
  __index = function(drivers, kind)
    local driver = MODULES[kind] and require(MODULES[kind])
    drivers[kind] = driver
    return driver
  end,
})
