--- The control protocol as programs use it: curl over the control socket, and `pactlua eval`.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

local TWO = [[
  pact.process 'db' { shell = 'echo up >>trace; exec sleep 1000' }
  pact.process 'web' { command = { 'sleep', '1000' }, depends_on = { 'db' } }
]]

-- Brings a network up and gives a function that asks by curl: status, body.
local function network(t, recipe)
  t:up(recipe or TWO)
  functional.wait('all to be up', function() return t:run({ 'wait' }).code == 0 end)
  local socket = t:path(t:state('control%.sock$')[1])
  return function(path, ...)
    local words = { '-sS', '--max-time', '20', '--unix-socket', socket, '-w', '\n%{http_code}',
      'http://localhost' .. path, ... }
    local result = t:run(words, { program = 'curl' })
    local body, status = result.out:match '^(.*)\n(%d+)$'
    return tonumber(status), body, result
  end
end

describe('eval', function()
  case('of curl runs in the state of the network', function(t)
    local ask = network(t)
    local status, body = ask('/v1/eval', '-d', 'kept = svc.web.pid; return kept, svc.db.status')
    assert.equal(200, status, body)
    local values = cjson.decode(body).values
    assert.same({ ('%d'):format(t:ps().web.pid), 'running' }, values)
    assert.same({ values[1] }, cjson.decode((select(2, ask('/v1/eval', '-d', 'kept')))).values)
  end)

  case('is interrupted when it hogs, and the network goes on', function(t)
    local ask = network(t)
    for _, code in ipairs { 'while true do end', 'pcall(function() while true do end end); while true do end' } do
      local status, body = ask('/v1/eval', '-d', code)
      assert.equal(422, status, body)
      assert.equal('interrupted', cjson.decode(body).code)
    end
    assert.equal('running', t:ps().web.status)
  end)

  case('as a command prints what came of it', function(t)
    network(t)
    local result = t:run { 'eval', 'print "one"; pact.sleep "10ms"; return svc.web.status, { 1, 2 }' }
    assert.equal(0, result.code, result.err)
    assert.equal('one\nrunning\n{ 1, 2 }\n', result.out)
  end)

  case('as a command tells what is wrong and where', function(t)
    network(t)
    local result = t:run { 'eval', 'local function f() error "no" end\nf()' }
    assert.equal(1, result.code)
    assert.truthy(result.err:find('eval: eval:1: no', 1, true), result.err)
    assert.truthy(result.err:find('eval:2: in', 1, true), result.err)
    result = t:run { 'eval', '1 +' }
    assert.equal(1, result.code)
    assert.truthy(result.err:find('near <eof>', 1, true), result.err)
    assert.equal(2, t:run({ 'eval' }).code)
  end)

  case('without a network: 4', function(t)
    assert.equal(4, t:run({ 'eval', '1' }).code)
  end)
end)
