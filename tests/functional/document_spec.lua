--- Older names of fields, and what defaults and templates come to in a running network.
local functional = require 'functional'
local case = functional.case

describe('fields of services', function()
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
