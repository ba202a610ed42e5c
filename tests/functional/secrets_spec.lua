--- What must not be shown is not, wherever state is.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

local SECRET = 'correct"horse'
local RECIPE = [[
  local known = pact.secret 'MY_OWN'
  pact.process 'web' {
    command = { 'sh', '-c', 'exec sleep 1000', 'sh', '--password=hunter21', '--api-key', 'hunter22', known },
    env = { DB_PASSWORD = 'hunter23', ADDRESS = 'http://x/' .. known, LATER = function() return known end },
    secrets = { 'PLAIN' }, endpoints = { db = 'postgres://u:hunter24@localhost/x', web = 'http://u:hunter24@localhost:1' },
    health = { http = 'http://u:hunter25@127.0.0.1:1/?token=hunter26', interval = '1s', retries = 1, start_period = '1ms' },
  }
  pact.process 'bad' { command = { '/no/such/' .. known } }
  pact.process 'tool' { shell = 'TOOL_TOKEN=hunter27; export TOOL_TOKEN; exec sleep 1000 # ' .. known }
  pact.on('failed', function() error('hook with ' .. known) end)
  pact.on('failed', function() pact.notify('notice with ' .. known) pact.log.info('log with', { a = known, b = '--token hunter28' }) end)
]]

-- Fails when one of them is in a text.
local function clean(what, text)
  for _, secret in ipairs { 'hunter2', 'correct"horse', 'correct\\"horse', 'correct\\\\"horse' } do
    local at = text:find(secret, 1, true)
    assert(not at, ('%s tells %s: %s'):format(what, secret, text:sub(math.max(1, (at or 1) - 200), (at or 1) + 60)))
  end
end

describe('secrets', function()
  case('are in no answer, event, journal, log of ours, table, plan or word to people', function(t)
    local env = { MY_OWN = SECRET, DEBUG = '*' }
    t:recipe(RECIPE)
    local network = t:start({ 'up', 'net.lua', '--listen', '0' }, { env = env })
    network:expect 'bad     * failed'
    network:expect 'notice with ********'
    functional.wait('the probe', function() return t:ps().web.last_probe end)
    t:wait_service('tool', { status = 'running' })
    local socket = t:path(t:state('control%.sock$')[1])
    local token = t:read(t:state('/token$')[1]):gsub('\n', '')
    local address = network:out():match 'listens on (http://%S+);'
    local function ask(path, ...)
      return t:run({ '-sS', '--max-time', '20', '--unix-socket', socket, 'http://x' .. path, ... }, { program = 'curl' }).out
    end
    for _, path in ipairs { '/v1/status', '/v1/services', '/v1/services?brief=1', '/v1/services/web', '/v1/services/web/why', '/v1/services/bad/why',
      '/v1/services/web/tree', '/v1/services/tool/tree', '/v1/services/web/env', '/v1/events', '/v1/commands', '/metrics' } do
      local answer = ask(path)
      assert.is_true(#answer > 10, path)
      clean(path, answer)
    end
    local over_tcp = t:run({ '-sS', '-H', 'authorization: Bearer ' .. token, address .. '/v1/addresses' }, { program = 'curl' }).out
    clean('addresses over TCP', over_tcp)
    for _, words in ipairs { { 'ps' }, { 'ps', '--json' }, { 'ps', '--tree' }, { 'why', 'bad' }, { 'why', 'web' }, { 'events' },
      { 'events', '--json' }, { 'env', 'web' }, { 'env', 'web', '--json' }, { 'open', 'web' }, { 'open', 'web', 'db' }, { 'timeline' },
      { 'timeline', '--json' }, { 'top', '--json' },
      { 'start', 'bad' }, { 'plan', 'net.lua' }, { 'plan', 'net.lua', '--json' }, { 'graph', 'net.lua', '--dot' }, { 'doctor', 'net.lua' },
      { 'doctor', 'net.lua', '--json' }, { 'check', 'net.lua', '--json' } } do
      local result = t:run(words, { env = env })
      assert.is_true(#result.out + #result.err > 10, table.concat(words, ' '))
      clean(table.concat(words, ' '), result.out .. result.err)
    end
    assert.equal('http://u@localhost:1\n', t:run({ 'open', 'web' }).out)
    local prompt = [[printf ':why bad\n:events\n:tree web\n:ps\n:hooks\n' | "$0" repl]]
    local said = t:run({ '-c', prompt, functional.bin }, { program = 'sh' })
    assert.truthy(said.out:find('/no/such/********', 1, true), said.out .. said.err)
    clean('repl', said.out .. said.err)
    t:run { 'down' }
    network:wait()
    assert.equal(0, t:run({ 'timeline', '--html', 'page.html' }).code)
    clean('the page', t:read 'page.html')
    clean('the output', network:out() .. network:err())
    for _, pattern in ipairs { 'events%.jsonl$', 'plan%.jsonl$', 'pactlua%.log$' } do
      local path = t:state('runs/[^/]+/' .. pattern)[1]
      assert.is_true(#t:read(path) > 10)
      clean(path, t:read(path))
    end
    assert.truthy(t:read(t:state('pactlua%.log$')[1]):find('--token ********', 1, true))
  end)

  case("are not in a pipeline's report", function(t)
    t:recipe(RECIPE)
    local result = t:run({ 'ci', 'net.lua', '--junit', 'report.xml' }, { env = { MY_OWN = SECRET } })
    assert.equal(3, result.code)
    clean('ci', result.out .. result.err)
    clean('the report', t:read 'report.xml')
    assert.truthy(t:read('report.xml'):find('/no/such/********', 1, true))
  end)

  case('come as they are where that is what is asked for: programs beside a service, addresses, eval', function(t)
    t:up(RECIPE, { env = { MY_OWN = SECRET } }):expect 'notice with'
    assert.equal('hunter23\n', t:run({ 'exec', 'web', '--', 'sh', '-c', 'echo $DB_PASSWORD' }).out)
    assert.truthy(t:run({ 'env', '--dotenv' }).out:find('postgres://u:hunter24@localhost/x', 1, true))
    assert.equal(SECRET .. '\n', t:run({ 'eval', "'correct' .. string.char(34) .. 'horse'" }).out)
    assert.equal('hunter24', cjson.decode(t:run({ 'env', '--json' }).out).WEB_URL:match 'hunter24')
  end)

  case('in mistakes of a recipe are masked, too', function(t)
    t:recipe [[ local s = pact.secret 'MY_OWN'
      pact.process 'a' { command = { 'x' }, stdin = s, health = { http = 'postgres://u:hunter2@h/' } } ]]
    for _, verb in ipairs { 'check', 'plan', 'up' } do
      local result = t:run({ verb, 'net.lua' }, { env = { MY_OWN = SECRET } })
      assert.equal(2, result.code)
      assert.truthy(result.err:find("stdin must be 'open' or 'null'", 1, true), result.err)
      clean(verb, result.out .. result.err)
    end
  end)
end)
