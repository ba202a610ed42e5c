--- The control protocol: what is refused and why, the document of its routes, its figures.
local fake_engine = require 'fake_engine'
local openapi = require 'openapi'
local routes = require 'pact.control.api'

local function up()
  local engine = fake_engine.start([[
    pact.process 'web' { command = { 'server' } }
    pact.process 'db' { command = { 'server' }, replicas = 2 }
    pact.process 'bad' { command = { 'bad' }, restart = { delay = '200ms', max_retries = 2 } }
  ]], { programs = { server = {}, bad = { exit_after = 100, code = 7 } } })
  engine.world:advance(100)
  return engine
end

-- method, path, body → status, code, a part of the message
local REFUSED = {
  { 'GET', '/v1/servces', nil, 404, 'unknown', "did you mean '/v1/services'?" },
  { 'GET', '/', nil, 404, 'unknown', 'no such thing: /' },
  { 'GET', '/v1/services/../status', nil, 404, 'unknown', 'no such thing' },
  { 'GET', '/v1/services/we\255b', nil, 404, 'unknown', 'no service' },
  { 'GET', '/v1/services/' .. ('x'):rep(5000), nil, 404, 'unknown', 'no service' },
  { 'GET', '/' .. ('x'):rep(5000), nil, 404, 'unknown', 'no such thing' },
  { 'GET', '/openapixjson', nil, 404, 'unknown', 'no such thing' },
  { 'GET', '/v1/services/wbe', nil, 404, 'unknown', "no service 'wbe' (did you mean 'web'?)" },
  { 'POST', '/v1/services/wbe/stop', {}, 404, 'unknown', "no service 'wbe' (did you mean 'web'?)" },
  { 'POST', '/v1/services', {}, 405, 'method', 'GET, HEAD only' },
  { 'DELETE', '/v1/services/web', nil, 405, 'method', 'GET, HEAD only' },
  { 'GET', '/v1/eval', nil, 405, 'method', 'POST only' },
  { 'GET', '/v1/events?sinc=1', nil, 400, 'EINVAL', "query: unknown 'sinc' (did you mean 'since'?)" },
  { 'GET', '/v1/events?since=-1', nil, 400, 'EINVAL', "query: 'since' must be a whole number, 0 or more, got '-1'" },
  { 'GET', '/v1/events?since=99999999999999999999', nil, 400, 'EINVAL', "'since' must be a whole number" },
  { 'GET', '/v1/services?brief=yes', nil, 400, 'EINVAL', "'brief' must be true or false, got 'yes'" },
  { 'POST', '/v1/services/web/stop', '{"wait":', 400, 'EINVAL', 'body: ' },
  { 'POST', '/v1/services/web/stop', '[1]', 400, 'EINVAL', 'body: an object expected' },
  { 'POST', '/v1/services/web/stop', '"stop"', 400, 'EINVAL', 'body: an object expected' },
  { 'POST', '/v1/services/web/stop', 'null', 400, 'EINVAL', 'body: an object expected' },
  { 'POST', '/v1/services/web/stop', ('['):rep(100000), 400, 'EINVAL', 'body: ' },
  { 'POST', '/v1/services/web/stop', '{"with_dependent":true}', 400, 'EINVAL', "did you mean 'with_dependents'?" },
  { 'POST', '/v1/services/web/stop', { timeout = 'soon' }, 400, 'EINVAL', "'timeout' must be a number of milliseconds" },
  { 'POST', '/v1/services/web/stop', { timeout = 1e300 }, 400, 'EINVAL', "'timeout' must be a number of milliseconds" },
  { 'POST', '/v1/services/web/start', { wait = 'soon' }, 400, 'EINVAL', "'wait' must be true, false" },
  { 'POST', '/v1/services/web/signal', { signal = {} }, 400, 'EINVAL', "'signal' must be a signal's name or number" },
  { 'POST', '/v1/services/web/signal', { signal = 'HPU' }, 400, 'EINVAL', "no signal 'HPU'" },
  { 'POST', '/v1/services/web/signal', { signal = 99 }, 400, 'EINVAL', 'no signal 99' },
  { 'POST', '/v1/services/web/signal', { signal = '99' }, 400, 'EINVAL', 'no signal 99' },
  { 'POST', '/v1/services/web/signal', { scope = 'all' }, 400, 'EINVAL', "'scope' must be 'leader', 'group' or 'tree'" },
  { 'POST', '/v1/wait', { ['for'] = 'happy' }, 400, 'EINVAL', "'for' must be 'started', 'ready', 'healthy' or 'stopped'" },
  { 'POST', '/v1/services/db/scale', {}, 400, 'EINVAL', "'count' is needed: of instances" },
  { 'POST', '/v1/services/db/scale', { count = -1 }, 400, 'EINVAL', "'count' must be a whole number" },
  { 'POST', '/v1/services/db/scale', { count = 1.5 }, 400, 'EINVAL', "'count' must be a whole number" },
  { 'POST', '/v1/wait', { ids = { 1 } }, 400, 'EINVAL', "'ids' must be a list of texts" },
  { 'POST', '/v1/wait', { ids = { 'wbe' } }, 404, 'unknown', "did you mean 'web'?" },
  { 'POST', '/v1/commands/x', { args = 'x' }, 400, 'EINVAL', "'args' must be a list of texts" },
  { 'POST', '/v1/complete', { text = ('x.'):rep(40000) }, 400, 'EINVAL', "'text' is 80000 bytes long, and may have 65536" },
  { 'POST', '/v1/shutdown', { now = 1 }, 400, 'EINVAL', "'now' must be true or false" },
}

describe('the control protocol refuses', function()
  for _, row in ipairs(REFUSED) do
    local method, path, body, status, code, words = table.unpack(row, 1, 6)
    it(('%s %.60s with %s'):format(method, path, tostring(type(body) == 'string' and body:sub(1, 30) or body)), function()
      local engine = up()
      local got, answer = engine.ask(method, path, body)
      assert.same({ status, code }, { got, answer.code }, answer.error)
      assert.truthy(answer.error:find(words, 1, true), answer.error)
      assert.is_true(#answer.error < 6000)
      engine.world:advance(30000)
      assert.equal('running', select(2, engine.ask('GET', '/v1/services/web')).status)
      assert.equal('running', select(2, engine.ask('GET', '/v1/services/db')).status)
    end)
  end
end)

-- An answer, whole: { status, headers, body, finished }.
local function answer_to(engine, method, path, body, headers)
  local id = engine.server.ask(method, path, body, false, headers)
  engine.world:advance(1000)
  return engine.server.answers[id]
end

describe('HEAD', function()
  it('answers as GET, and never goes on', function()
    local engine = up()
    for _, row in ipairs(routes.rows) do
      local path = row[2]:gsub('{%a+}', 'web')
      if row[1] == 'GET' and not row.hidden then
        local head = answer_to(engine, 'HEAD', path, nil, { upgrade = 'pactlua/1' })
        local got = answer_to(engine, 'GET', path)
        assert.same({ got.status, got.headers['content-type'], true }, { head.status, head.headers['content-type'], head.finished }, path)
        if row.type == 'application/x-ndjson' then assert.equal('', head.body) end
      end
    end
    for _, path in ipairs { '/v1/events?follow=1', '/v1/logs?follow=1', '/v1/services/db/logs?follow=true' } do
      local answer = answer_to(engine, 'HEAD', path, nil, { accept = 'text/event-stream' })
      assert.same({ 200, 'text/event-stream', '', true },
        { answer.status, answer.headers['content-type'], answer.body, answer.finished }, path)
    end
  end)

  it('is refused where GET is', function()
    local engine = up()
    for path, status in pairs {
      ['/v1/services/wbe'] = 404, ['/v1/services/wbe/logs'] = 404, ['/v1/logs?lines=x'] = 400, ['/v1/logs?regex=('] = 400,
      ['/v1/events?since=x'] = 400, ['/v1/eval'] = 405, ['/v1/nothing'] = 404,
    } do
      assert.equal(status, answer_to(engine, 'HEAD', path).status, path)
    end
  end)

  it('of a lease or a REPL takes none', function()
    local engine = up()
    assert.equal(200, answer_to(engine, 'HEAD', '/v1/lease').status)
    assert.equal(0, select(2, engine.ask('GET', '/v1/status')).leases)
    assert.equal(200, answer_to(engine, 'HEAD', '/v1/repl').status)
  end)
end)

describe('what a path takes', function()
  it('is told to OPTIONS and with 405', function()
    local engine = up()
    for path, methods in pairs {
      ['/v1/services'] = 'GET, HEAD', ['/v1/services/web/stop'] = 'POST', ['/v1/services/web/logs'] = 'GET, HEAD',
      ['/openapi.json'] = 'GET, HEAD', ['*'] = 'GET, HEAD, POST',
    } do
      local answer = answer_to(engine, 'OPTIONS', path)
      assert.same({ 204, methods .. ', OPTIONS', '' }, { answer.status, answer.headers.allow, answer.body }, path)
      answer = answer_to(engine, 'PATCH', path)
      assert.equal(path == '*' and 404 or 405, answer.status, path)
      if path ~= '*' then assert.equal(methods .. ', OPTIONS', answer.headers.allow, path) end
    end
    assert.equal(404, answer_to(engine, 'OPTIONS', '/v1/nothing').status)
  end)
end)

describe('eval', function()
  it('takes JSON that nobody has called so for Lua, and says what to do', function()
    local engine = up()
    local answer = answer_to(engine, 'POST', '/v1/eval', '{"code": "1 + 1"}', { ['content-type'] = 'application/x-www-form-urlencoded' })
    assert.equal(400, answer.status)
    assert.truthy(answer.body:find("send it with 'Content-Type: application/json'", 1, true), answer.body)
    assert.equal(200, answer_to(engine, 'POST', '/v1/eval', '{"code": "1 + 1"}', { ['content-type'] = 'application/json' }).status)
    for _, text in ipairs { '{ "code" }', '1 +', '{ code: 1 }' } do
      assert.falsy(answer_to(engine, 'POST', '/v1/eval', text, {}).body:find('application/json', 1, true), text)
    end
  end)
end)

it('a body that is packed is refused with 415', function()
  local engine = up()
  local answer = answer_to(engine, 'POST', '/v1/eval', '\31\139\8', { ['content-encoding'] = 'gzip' })
  assert.equal(415, answer.status)
  assert.truthy(answer.body:find("Content-Encoding 'gzip' is not read here", 1, true), answer.body)
  assert.equal(200, answer_to(engine, 'POST', '/v1/eval', '1', { ['content-encoding'] = 'identity' }).status)
  assert.equal(200, answer_to(engine, 'GET', '/v1/status', nil, { ['content-encoding'] = 'gzip' }).status)
end)

describe('a group', function()
  it('is asked as one', function()
    local engine = up()
    engine.sys.proc.tree = function(id) return { { pid = id * 10, ppid = 1, name = 'server', command = 'server', state = 'S', rss = 1 } } end
    local _, answer = engine.ask('GET', '/v1/services/db/tree')
    assert.same({ 'db-1', 'db-2' }, { answer.tree[1].service, answer.tree[2].service })
    _, answer = engine.ask('GET', '/v1/services/web/tree')
    assert.same({ 1, 'web' }, { #answer.tree, answer.tree[1].service })
    _, answer = engine.ask('GET', '/v1/services/db/why')
    assert.same({ 'db', 'running', 'db-1', 'db-2' }, { answer.id, answer.status, answer.each[1].id, answer.each[2].id })
    assert.same({ 'db-1', 'db-2' }, answer.instances)
    assert.equal(200, (engine.ask('GET', '/v1/services/db/env')))
  end)
end)

it('waits for one to be healthy that has not begun yet', function()
  local engine = fake_engine.start([[
    pact.process 'gate' { command = { 'server' }, health = { log = 'open' } }
    pact.process 'late' { command = { 'server' }, health = { log = 'open' }, depends_on = { gate = 'healthy' } }
  ]], { programs = { server = {} } })
  engine.world:advance(100)
  for _, ids in ipairs { { 'late' }, {} } do
    local id = engine.server.ask('POST', '/v1/wait', { ids = ids, ['for'] = 'healthy', timeout = 500 })
    engine.world:advance(1000)
    local status, answer = engine.server.answer(id)
    assert.same({ 408, 'timeout' }, { status, answer.code }, answer.error)
  end
end)

describe('the document of the control protocol', function()
  local function document() return select(2, up().ask('GET', '/openapi.json')) end

  it('has every route with all that it takes', function()
    local paths, count = document().paths, 0
    for _, row in ipairs(routes.rows) do
      local operation = (paths[row[2]] or {})[row[1]:lower()]
      assert.equal(row.hidden, not operation or nil, row[2])
      for _, field in ipairs(operation and row.body or {}) do
        assert.truthy(operation.requestBody.content['application/json'].schema.properties[field[1]], field[1])
      end
      assert.equal(not row.hidden and row.summary or nil, operation and operation.summary)
      count = count + 1
    end
    assert.is_true(count > 20)
  end)

  it('is an OpenAPI document', function()
    assert.same({}, openapi.problems(document()))
    local broken = document()
    broken.paths['/v1/logs'].get.parameters[1].schema.type = 'lines'
    broken.paths['/v1/services/{id}'].get.parameters = nil
    broken.paths['/v1/status'].get.responses.default.content['application/json'].schema['$ref'] = '#/x'
    assert.equal(3, #openapi.problems(broken), table.concat(openapi.problems(broken), '\n'))
  end)

  it('names each operation once, and each part of its path', function()
    local seen = {}
    for path, operations in pairs(document().paths) do
      for _, operation in pairs(operations) do
        assert.is_nil(seen[operation.operationId], operation.operationId)
        seen[operation.operationId] = true
        local parts = {}
        for _, parameter in ipairs(operation.parameters) do
          if parameter['in'] == 'path' then parts[#parts + 1] = '{' .. parameter.name .. '}' end
        end
        assert.equal(#parts, select(2, path:gsub('{', '')), path)
      end
    end
    assert.is_true(seen.get_services_id)
  end)
end)

describe('figures', function()
  local function figures(engine)
    local id = engine.server.ask('GET', '/metrics')
    engine.world:advance(1)
    return engine.server.answers[id].body, engine.server.answers[id].headers['content-type']
  end

  it('are OpenMetrics text', function()
    local text, kind = figures(up())
    assert.equal('application/openmetrics-text; version=1.0.0; charset=utf-8', kind)
    assert.truthy(text:find '\n# EOF\n$')
    local declared
    for line in text:gmatch '[^\n]+' do
      local name = line:match '^# TYPE ([%w_]+) '
      declared = name or declared
      if line:sub(1, 1) ~= '#' then
        assert.equal(1, (line:find(declared, 1, true)), line)
        assert.truthy(line:find '^[%w_]+ [%d.]+$' or line:find '^[%w_]+{[%w_]+="[^"]*"[^}]*} [%d.]+$', line)
      end
    end
  end)

  it('tell of state and restarts', function()
    local engine = up()
    engine.world:advance(20000)
    local text = figures(engine)
    for _, line in ipairs {
      'pactlua_service_status{service="web",pactlua_service_status="running"} 1',
      'pactlua_service_status{service="bad",pactlua_service_status="failed"} 1',
      'pactlua_service_health{service="db-2",pactlua_service_health="none"} 1',
      'pactlua_service_restarts_total{service="bad"} 2',
      'pactlua_service_restarts_total{service="db-1"} 0',
      'pactlua_service_log_bytes{service="web"} 17',
      'pactlua_service_log_lost_bytes_total{service="web"} 3',
    } do
      assert.truthy(text:find(line .. '\n', 1, true), line .. '\n' .. text)
    end
  end)
end)

describe('events', function()
  local function events(path, headers)
    local engine = up()
    local id = engine.server.ask('GET', path, nil, false, headers)
    engine.world:advance(1)
    return engine.server.answers[id]
  end

  it('are server-sent ones for who accepts them, and go on from the last', function()
    local all = events('/v1/events', { accept = 'text/event-stream' })
    assert.same({ 200, 'text/event-stream' }, { all.status, all.headers['content-type'] })
    local from, last = all.body:match '^(id: 1\ndata: {[^\n]*"seq":1[,}][^\n]*\n\n).*id: (%d+)\ndata: [^\n]*\n\n$'
    assert.truthy(from, all.body)
    assert.is_true(tonumber(last) > 3)
    local rest = events('/v1/events', { accept = 'text/event-stream', ['last-event-id'] = '1' })
    assert.equal(all.body:sub(#from + 1), rest.body)
    local chosen = events('/v1/events?since=2', { ['last-event-id'] = '1' })
    assert.equal('application/x-ndjson', chosen.headers['content-type'])
    assert.falsy(chosen.body:find('"seq":2[,}]'))
    assert.truthy(chosen.body:find('"seq":3[,}]'))
  end)

  it('are all new to who has heard more of them, in an earlier run', function()
    local all = events('/v1/events', { accept = 'text/event-stream' }).body
    assert.equal(all, events('/v1/events', { accept = 'text/event-stream', ['last-event-id'] = '99999' }).body)
    local last = all:match '.*id: (%d+)'
    assert.equal('', events('/v1/events', { accept = 'text/event-stream', ['last-event-id'] = last }).body or '')
  end)

  it('go on from no event that has no number', function()
    local answer = events('/v1/events', { ['last-event-id'] = 'x' })
    assert.equal(400, answer.status)
    assert.truthy(answer.body:find('Last-Event-ID must be the number of an event', 1, true), answer.body)
  end)
end)
