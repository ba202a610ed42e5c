--- Recovery by script: what happens when a service falls ill is a program of yours.
--
--     pactlua recipes/recovery.lua
--
-- A shop answers pages, and says at /health how it is. It falls ill after a second or two, in this way or that.
-- At every `health_check_failed` the script recovery/recover.lua asks it over HTTP what is wrong, and decides:
-- restart it, replace it by the spare one, or, after three attempts, give up. It tells each decision to a webhook,
-- which here is a worker: Lua inside pactlua. Needs perl for the shop. It ends by itself after some ten seconds.
--
-- Without starting a thing: `pactlua check recipes/recovery.lua`, `pactlua plan recipes/recovery.lua`.

local pact = require 'pact'

pact.project 'recovery'

-- Takes messages over HTTP, prints them, and shows them all at GET /alerts. A chat's webhook in real life.
local webhook = pact.worker 'webhook' {
  ports = { http = pact.free_port 'webhook' },
  run = function(self)
    local alerts = pact.json.array {}
    self:http_server {
      routes = {
        ['GET /alerts'] = function() return { json = alerts } end,
        ['POST /alerts'] = function(request)
          local alert = request:json()
          alerts[#alerts + 1] = alert
          self:print(('%s: %s (%s)'):format(alert.service, alert.decision, alert.cause))
          return { status = 204 }
        end,
      },
    }
  end,
}

-- What the shop and its spare have in common. The check says how the shop is, and on_unhealthy is left at 'ignore':
-- the script alone acts.
local port = pact.free_port 'shop'
local shop = pact.template {
  command = { 'perl', 'recovery/shop.pl' },
  ports = { http = { port = port } },
  endpoints = { site = ('http://127.0.0.1:%d'):format(port) },
  health = { http = ('http://127.0.0.1:%d/health'):format(port), interval = '200ms', timeout = '1s', retries = 2 },
  restart = { delay = '200ms' },
  stop = { timeout = '2s' },
  depends_on = { webhook },
  on = { health_check_failed = 'recovery/recover.lua' },
}

-- ILLNESSES: what befalls it in its first life, its second, …
pact.process 'shop' {
  extends = shop, display_name = 'the shop',
  env = { ILLNESSES = 'memory leak,corrupt cache' },
}

-- Takes the shop's place, on the same port: declared, and started by the script alone. When it has failed for
-- good, there is nothing left to show.
pact.process 'spare' {
  extends = shop, display_name = 'the spare shop', disabled = true, essential = true,
  env = { ILLNESSES = 'memory leak,memory leak' },
}
