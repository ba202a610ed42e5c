--- The drivers by kind of service: what a supervisor is given.

return {
  process = require 'pact.drivers.process',
  worker = require 'pact.drivers.worker',
  external = require 'pact.drivers.external',
}
