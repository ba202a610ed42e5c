--- `ps`: what a live network says of itself.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

describe('ps', function()
  case('lists every service with its state', function(t)
    t:up [[
      pact.process 'db' { shell = 'echo $$ >pid; exec sleep 1000', category = 'service' }
      pact.process 'web' { command = { 'sleep', '1000' }, depends_on = { 'db' }, health = { command = { 'false' } } }
      pact.task 'seed' { command = { 'true' } }
    ]]
    t:wait_service('seed', { status = 'completed' })
    local result = t:run { 'ps' }
    assert.equal(0, result.code)
    for _, text in ipairs { 'db', 'web', 'seed', 'running', 'starting', 'completed' } do
      assert.truthy(result.out:find(text, 1, true), result.out)
    end
    assert.truthy(result.out:find(tostring(t:wait_pid 'pid'), 1, true), result.out)
  end)

  case('--json is for programs', function(t)
    t:up [[ pact.process 'p' { shell = 'echo $$ >pid; exec sleep 1000', ports = { http = 15777 } } ]]
    local service = t:wait_service('p', { status = 'running' })
    assert.equal(t:wait_pid 'pid', service.pid)
    assert.equal('up', service.want)
    assert.equal(15777, service.ports.http)
    assert.equal(0, service.restart_count)
    local result = t:run { 'ps', '--json' }
    assert.has_no.errors(function() cjson.decode(result.out) end)
    assert.falsy(result.out:find('%d%.0[,}]'), 'integers are written as integers')
    assert.truthy(result.out:find('"history": [],', 1, true) and result.out:find('"tags": [],', 1, true), result.out)
  end)

  case('--tree shows the processes of each, also with --json; the API those of a group', function(t)
    t:up [[
      pact.process 'p' { shell = 'echo $$ >pid; sleep 1000 & wait' }
      pact.process 'web' { command = { 'sleep', '1001' }, replicas = 2 }
    ]]
    t:wait_service('web-2', { status = 'running' })
    local leader, out = t:wait_pid 'pid', nil
    functional.wait('its child', function()
      out = t:run({ 'ps', '--tree' }).out
      return out:find(('\np\n  %d  /bin/sh %%-c [^\n]+\n    %%d+  sleep 1000\n'):format(leader))
    end)
    local trees = {}
    for _, service in ipairs(cjson.decode(t:run({ 'ps', '--tree', '--json' }).out)) do trees[service.id] = service.tree end
    assert.same({ leader, 'sleep 1000' }, { trees.p[1].pid, trees.p[2].command })
    assert.equal('sleep 1001', trees['web-2'][1].command)
    assert.is_nil(cjson.decode(t:run({ 'ps', '--json' }).out)[1].tree)
    local socket = t:path(t:state('control%.sock$')[1])
    local answer = cjson.decode(t:run({ '-sS', '--unix-socket', socket, 'http://x/v1/services/web/tree' }, { program = 'curl' }).out)
    assert.same({ 'web-1', 'web-2' }, { answer.tree[1].service, answer.tree[2].service })
  end)

  case('works from a directory below', function(t)
    t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    t:file('sub/deep/x', '')
    local result = t:run({ 'ps' }, { cwd = t:path 'sub/deep' })
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find('running', 1, true))
  end)

  case('does not read the recipe', function(t)
    t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    t:file('net.lua', 'this is no Lua')
    assert.equal(0, t:run({ 'ps' }).code)
  end)

  case('without a network: 4, and what to do', function(t)
    local result = t:run { 'ps' }
    assert.equal(4, result.code)
    assert.not_equal('', result.err)
    assert.equal('', result.out)
  end)

  case('without a network: 4 also when an old state directory is there', function(t)
    t:recipe [[ pact.task 'a' { command = { 'true' } } ]]
    assert.equal(0, t:run({ 'net.lua' }).code)
    assert.equal(4, t:run({ 'ps' }).code)
  end)

  case('a socket that nobody else may use', function(t)
    t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    local socket = t:state('control%.sock$')[1]
    assert.truthy(socket)
    local mode = io.popen(('stat -c %%a %s/%s'):format(t.dir, socket)):read 'l'
    assert.equal('600', mode)
    mode = io.popen(('stat -c %%a %s/%s'):format(t.dir, socket:match '^(.*)/')):read 'l'
    assert.equal('700', mode)
  end)

  case('many at once are all answered', function(t)
    t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    local all = {}
    for i = 1, 20 do all[i] = t:start { 'ps', '--json' } end
    for _, one in ipairs(all) do assert.equal(0, one:wait().code) end
  end)

  case('secrets are masked', function(t)
    t:up [[ pact.process 'p' { shell = 'echo up >>trace; exec sleep 1000', env = { DB_PASSWORD = 'hunter2' } } ]]
    t:wait_lines('trace', 1)
    local result = t:run { 'ps', '--json' }
    assert.falsy(result.out:find('hunter2', 1, true))
    result = t:run { 'plan', '--json', 'net.lua' }
    assert.falsy(result.out:find('hunter2', 1, true), result.out)
  end)
end)
