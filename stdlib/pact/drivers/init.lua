--- The drivers by kind of service: what a supervisor is given.

return {
  process = require 'pact.drivers.process',
  external = require 'pact.drivers.external',
}
