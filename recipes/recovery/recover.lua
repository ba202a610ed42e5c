-- Runs at each health_check_failed of the shop and its spare, with the service and what has happened. It is read
-- again when it has changed: edit it while the network runs.
local service, event = ...
local pact = require 'pact'
local attempts = require 'recovery.attempts'

local MOST = 3

-- Asks the service itself what is wrong: its answer says more than that the probe failed.
local function cause()
  local answer, message = pact.http.get(service.endpoints.site .. '/health', { timeout = '1s' })
  if not answer then return message end
  local said = answer:json()
  return said and said.cause or ('status %d'):format(answer.status)
end

-- A webhook that can't be reached stops nobody.
local function tell(decision, why)
  local url = ('http://127.0.0.1:%d/alerts'):format(pact.service('webhook').ports.http)
  local alert = { service = service.id, decision = decision, cause = why }
  local answer, message = pact.http.post(url, alert, { timeout = '1s' })
  if not answer then pact.log.warn('recovery', 'the webhook: ' .. message) end
end

local why = cause()

if #attempts >= MOST then
  tell('given up', why)
  return pact.verdict.fail(('unwell after %d attempts: %s'):format(#attempts, why))
end
attempts[#attempts + 1] = { service = service.id, cause = why, at = event.at }

-- A restart doesn't mend what lies on the disk.
if why == 'corrupt cache' then
  tell('replaced', why)
  service:stop()
  pact.start 'spare'
else
  tell('restarted', why)
  return pact.verdict.restart { after = '100ms' }
end
