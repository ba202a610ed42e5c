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
    local before = t:ps()
    for _, code in ipairs { 'while true do end', 'pcall(function() while true do end end); while true do end',
      "return ('a'):rep(60):match(('a?'):rep(60) .. ('a'):rep(60))",
      "for _ in ('a'):rep(60):gmatch(('a-'):rep(60) .. 'b') do end" } do
      local status, body = ask('/v1/eval', '-d', code)
      assert.equal(422, status, body)
      assert.equal('interrupted', cjson.decode(body).code)
      assert.truthy(body:find('eval:1: interrupted: ran for more than 250 ms', 1, true), body)
    end
    local after = t:ps()
    assert.equal('running', after.web.status)
    assert.same({ before.web.pid, before.db.pid }, { after.web.pid, after.db.pid })
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

describe('figures', function()
  case('are there for every service', function(t)
    local ask = network(t, [[
      pact.process 'loud' { shell = 'echo 1234567; exec sleep 1000' }
      pact.process 'quiet' { command = { 'sleep', '1000' } }
    ]])
    local text
    functional.wait('the line in the log', function()
      text = select(2, ask '/metrics')
      return text:find('pactlua_service_log_bytes{service="loud"} 8\n', 1, true)
    end)
    local running = 'pactlua_service_status{service="quiet",pactlua_service_status="running"} 1\n'
    assert.truthy(text:find(running, 1, true), text)
    local memory = tonumber(text:match 'pactlua_service_memory_bytes{service="quiet"} (%d+)\n')
    assert.is_true(memory > 100000, text)
    assert.truthy(text:find 'pactlua_service_cpu_seconds_total{service="loud"} %d')
  end)
end)

describe('HEAD and OPTIONS', function()
  case('tell of what GET gives, and of what a path takes', function(t)
    local ask = network(t)
    local _, whole = ask '/v1/services/db/env'
    local status, head = ask('/v1/services/db/env', '-I')
    assert.equal(200, status)
    assert.truthy(head:find(('Content-Length: %d\r\n'):format(#whole), 1, true), head)
    assert.equal('\r\n', head:match '\r\n(\r\n.*)$' or head:sub(-2))
    for _, path in ipairs { '/v1/events?follow=1', '/v1/logs?follow=1', '/v1/lease' } do
      status, head = ask(path, '-I')
      assert.equal(200, status, head)
      assert.truthy(head:find('application/x-ndjson', 1, true), head)
    end
    assert.equal(404, (ask('/v1/services/wbe', '-I')))
    status, head = ask('/v1/services/web', '-X', 'OPTIONS', '-i')
    assert.equal(204, status)
    assert.truthy(head:find('allow: GET, HEAD, OPTIONS\r\n', 1, true), head)
    status, head = ask('/v1/services/web', '-X', 'DELETE', '-i')
    assert.equal(405, status)
    assert.truthy(head:find('allow: GET, HEAD, OPTIONS\r\n', 1, true), head)
  end)
end)

describe('what is wrong with a request', function()
  case('is told, and nothing else happens', function(t)
    local ask = network(t)
    local before = t:ps().web.pid
    for _, row in ipairs {
      { 400, '/v1/services/web/stop', '-d', '{"wait":' },
      { 400, '/v1/services/web/stop', '-d', '\255\254' },
      { 400, '/v1/services/web/restart', '-d', '{"wait":"\255"}' },
      { 404, '/v1/services/..%2f..%2fetc%2fpasswd' },
      { 404, '/../../etc/passwd', '--path-as-is' },
      { 405, '/v1/services/web', '-X', 'DELETE' },
    } do
      local status, body = ask(table.unpack(row, 2))
      assert.equal(row[1], status, row[2] .. ': ' .. tostring(body))
      assert.is_string(cjson.decode(body).error)
    end
    t:file('large', ('x'):rep(2 << 20))
    -- what never becomes a request
    for _, row in ipairs {
      { 400, 'EINVAL', '/v1/services/%00' },
      { 400, 'EINVAL', '/v1/services/%ff/stop', '-X', 'POST' },
      { 400, 'EINVAL', '/v1/eval', '-d', '1', '-H', 'transfer-encoding: chunked', '-H', 'content-length: 1' },
      { 413, 'too_large', '/v1/eval', '--data-binary', '@' .. t:path 'large' },
      { 414, 'too_large', '/' .. ('x'):rep(9000) },
      { 431, 'too_large', '/v1/status', '-H', 'x: ' .. ('x'):rep(70000) },
    } do
      local status, body = ask(table.unpack(row, 3))
      assert.equal(row[1], status, row[3]:sub(1, 100) .. ': ' .. tostring(body))
      assert.same({ code = row[2], error = cjson.decode(body).error }, cjson.decode(body))
    end
    -- what libc would take for ever, or all memory, for
    for path, words in pairs {
      ['/v1/logs?regex=((a%7B200%7D)%7B200%7D)%7B200%7D'] = 'larger than 2,000 characters when its counts are written out',
      ['/v1/services/web/logs?regex=(.*)%5C1'] = 'it refers back',
    } do
      local status, body = ask(path, '-g')
      assert.equal(400, status, body)
      assert.truthy(cjson.decode(body).error:find(words, 1, true), body)
    end
    assert.equal(before, t:ps().web.pid)
  end)
end)

describe('events', function()
  case('of curl are server-sent ones on demand, and go on from the last', function(t)
    local ask = network(t)
    local status, all = ask('/v1/events', '-H', 'Accept: text/event-stream')
    assert.equal(200, status)
    local first = all:match '^id: 1\ndata: {[^\n]*\n\n'
    assert.truthy(first, all)
    local _, rest = ask('/v1/events', '-H', 'Accept: text/event-stream', '-H', 'Last-Event-ID: 1')
    assert.equal(1, (rest:find('id: 2\n', 1, true)), rest)
  end)
end)
