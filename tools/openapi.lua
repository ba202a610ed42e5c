-- Writes the description of the control protocol, as a live network gives it at /openapi.json.
package.path = 'stdlib/?.lua;stdlib/?/init.lua;' .. package.path
local api = require 'pact.control.api'
local json = require 'pact.base.json'

io.write(json.encode(require('pact.control.api.openapi').document(api.rows)), '\n')
