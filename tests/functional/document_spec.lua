--- The recipe of the manual, as far as a machine without its programs can go: it is declared, checked
--- and planned whole.
local functional = require 'functional'
local case = functional.case

local RECIPE = [[
local pact = require 'pact'
pact.project 'shop'
pact.defaults { log = { max_size = '10m', max_files = 5 } }
local db = pact.process 'postgres' {
  category = 'service', display_name = 'PostgreSQL', tags = { 'backend' },
  command = { 'postgres', '-D', 'data' },
  cwd = 'db', env = { PGPORT = 5433, DEBUG = false }, env_file = '.env', tty = false, stdin = 'open',
  ports = { sql = 5433 }, endpoints = { db = 'postgres://localhost:5433' },
  health = { command = { 'pg_isready', '-p', '5433' }, interval = '2s', timeout = '1s', retries = 5, start_period = '10s' },
  restart = { policy = 'on-failure', max_retries = 5, delay = '500ms', factor = 2, max_delay = '30s', jitter = 0.1, reset_after = '60s' },
  stop = { signal = 'INT', timeout = '15s', scope = 'tree' },
  limits = { nofile = 65535 }, nice = 5, oom_score_adj = 200, max_runtime = '8h', success_exit = { 0 }, essential = false,
}
pact.task 'migrate' { command = { 'npm', 'run', 'migrate' }, depends_on = { db } }
pact.process 'redis' { command = { 'redis-server' }, health = { command = { 'redis-cli', 'ping' } } }
pact.process 'web' {
  command = { 'npm', 'start' }, ports = { 3000 }, profiles = { 'full' },
  depends_on = { db, 'migrate', redis = { condition = 'healthy', timeout = '60s', restart = true } },
  env = { DATABASE_URL = function() return 'postgres://127.0.0.1:' .. db.ports.sql end },
  health = { http = 'http://localhost:3000/health', status = '2xx', body = 'ok' }, on_unhealthy = 'restart',
}
]]

describe("the manual's recipe", function()
  case('passes check, plan and graph', function(t)
    t:file('net.lua', RECIPE)
    t:file('db/x', '')
    t:file('.env', 'A=1\n')
    for _, verb in ipairs { 'check', 'plan', 'graph' } do
      local result = t:run { verb, 'net.lua' }
      assert.equal(0, result.code, verb .. ': ' .. result.out .. result.err)
    end
  end)

  case('camelCase and other old names are understood', function(t)
    local result = t:up([[
      pact.process 'db' { command = 'sleep', args = { '1000' }, displayName = 'DB', healthCheck = { command = { 'true' }, interval = 5000, initialDelay = 100 },
        autoRestart = true, retries = 2, gracefulShutdownTimeout = 1000 }
      pact.process 'api' { command = 'sh', args = { '-c', 'touch ran' }, dependencies = { 'db' }, essential = true, autoRestart = false }
    ]]):wait()
    assert.equal(0, result.code, result.out .. result.err)
    assert.is_true(t:exists 'ran')
  end)

  case('defaults, templates and extends', function(t)
    local result = t:up([[
      pact.defaults { env = { A = 'default' } }
      local base = pact.template { env = { B = 'template' }, cwd = 'sub' }
      pact.task 'x' { extends = base, env = { C = 'own' }, shell = 'echo $A $B $C $(basename $PWD) >../seen' }
    ]]):wait()
    assert.not_equal(nil, result.code)
    if result.code ~= 0 then
      t:file('sub/x', '')
      result = t:run { 'net.lua' }
    end
    assert.equal(0, result.code, result.out .. result.err)
    assert.equal('default template own sub\n', t:read 'seen')
  end)
end)
