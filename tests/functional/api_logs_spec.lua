--- Logs over the control socket, by curl and Node's own client: windows, and what comes behind them.
local functional = require 'functional'
local cases = require 'route_cases'
local cjson = require 'cjson'
local case = functional.case

-- Brings a network up; gives the socket, a function that asks by curl: status, body, and the front.
local function network(t, recipe)
  t:recipe(recipe)
  local front = t:start { 'up', 'net.lua', '--json' }
  functional.wait('all to be up', function() return t:run({ 'wait' }).code == 0 end)
  local socket = t:path(t:state('control%.sock$')[1])
  return socket, function(path, ...)
    local words = { '-sS', '--max-time', '20', '--unix-socket', socket, '-w', '\n%{http_code}', 'http://x' .. path, ... }
    local body, status = t:run(words, { program = 'curl' }).out:match '^(.*)\n(%d+)$'
    return tonumber(status), body
  end, front
end

local function follow(t, socket, path, ...)
  return t:start({ '-sSN', '--unix-socket', socket, 'http://x' .. path, ... }, { program = 'curl' })
end

-- The objects of an NDJSON text; what isn't a whole line is left out.
local function objects(text)
  local out = {}
  for line in (text:match '^(.*\n)' or ''):gmatch '[^\n]+' do out[#out + 1] = cjson.decode(line) end
  return out
end

local function texts(text)
  local out = {}
  for i, object in ipairs(objects(text)) do out[i] = ('%s %s'):format(object.service, object.text) end
  return out
end

local COUNTER = 'i=0; while :; do n=0; while [ $n -lt 50 ]; do i=$((i+1)); n=$((n+1)); echo $i; done; sleep 0.01; done'
local TURNING = ("pact.process 'count' { log = { max_size = '20k', max_files = 50 }, shell = '%s' }\n"):format(COUNTER)

describe('logs over the socket', function()
  case('are merged in the order of time, and filtered', function(t)
    local _, ask = network(t, [[
      pact.task 'a' { shell = 'echo one; sleep 0.05; touch a; while [ ! -e b ]; do sleep 0.01; done; echo three >&2' }
      pact.task 'b' { shell = 'while [ ! -e a ]; do sleep 0.01; done; echo two; sleep 0.05; touch b' }
      pact.process 'c' { command = { 'sleep', '1000' } }
    ]])
    local status, body = ask '/v1/logs'
    assert.equal(200, status)
    assert.same({ 'a one', 'b two', 'a three' }, texts(body))
    local third = objects(body)[3]
    assert.same({ service = 'a', stream = 'stderr', epoch = 1, text = 'three', at = third.at }, third)
    assert.same({ 'a three' }, texts((select(2, ask '/v1/services/a/logs?stream=stderr'))))
    assert.same({ 'b two', 'a three' }, texts((select(2, ask '/v1/logs?lines=1'))))
    assert.same({ 'a one', 'a three' }, texts((select(2, ask '/v1/logs?ids=a,c&grep=e'))))
    assert.same({ 'b two', 'a three' }, texts((select(2, ask '/v1/logs?regex=%5Et'))))
    assert.same({}, texts((select(2, ask(('/v1/logs?since=%d'):format(third.at + 1))))))
    assert.same({ 'a three' }, texts((select(2, ask(('/v1/logs?since=%d'):format(third.at))))))
  end)

  case('go on across rotation and restarts, with every line once', function(t)
    local socket = network(t, TURNING)
    functional.wait('files to be turned over', function() return #t:state 'count%.log%.%d+$' > 2 end)
    local followers = {}
    for i = 1, 5 do followers[i] = follow(t, socket, ('/v1/logs?follow=1&lines=%d'):format(10 ^ (i - 1))) end
    functional.wait('much', function() return #followers[5]:out() > 300000 end)
    assert.equal(0, t:run({ 'restart', 'count' }).code)
    functional.wait('the second life', function() return followers[5]:out():find('"epoch":2', 1, true) end)
    for i, follower in ipairs(followers) do
      follower:signal 'KILL'
      follower:wait()
      local last, epoch
      for _, object in ipairs(objects(follower:out())) do
        assert.is_nil(object.missed)
        local number = tonumber(object.text)
        if object.epoch == epoch then assert.equal(last + 1, number, i) end
        if epoch == 1 and object.epoch == 2 then assert.equal(1, number) end
        last, epoch = number, object.epoch
      end
    end
  end)

  case('have those that begin to write later, and last words', function(t)
    local socket, _, front = network(t, [[
      pact.process 'early' { shell = 'exec 2>/dev/null; trap "echo bye; exit 0" TERM; echo hello; while :; do sleep 0.05; done' }
      pact.process 'late' { shell = 'echo first; exec sleep 1000', profiles = { 'x' } }
    ]])
    local all, sse = follow(t, socket, '/v1/logs?follow=1'), follow(t, socket, '/v1/services/early/logs?follow=1', '-H', 'Accept: text/event-stream')
    all:expect 'hello'
    sse:expect 'hello'
    assert.equal(0, t:run({ 'start', 'late' }).code)
    all:expect 'first'
    front:signal 'TERM'
    assert.equal(0, all:wait().code)
    assert.same({ 'early hello', 'late first', 'early bye' }, texts(all:out()))
    sse:wait()
    local events = {}
    for data in sse:out():gmatch 'data: ([^\n]*)\n\n' do events[#events + 1] = cjson.decode(data).text end
    assert.same({ 'hello', 'bye' }, events)
  end)

  case('show a prompt as it is, and whole lines where they are searched', function(t)
    local socket = network(t, [[ pact.process 'asks' { shell = 'printf "name? "; read name; echo "$name!"; exec sleep 1000' } ]])
    local plain, searched = follow(t, socket, '/v1/logs?follow=1'), follow(t, socket, '/v1/logs?follow=1&grep=name%3F%20eva')
    plain:expect 'name? '
    assert.equal(0, t:run({ 'send', 'asks', 'eva' }).code)
    plain:expect 'eva!'
    searched:expect 'eva!'
    local first, second = table.unpack(objects(plain:out()))
    assert.same({ 'name? ', true }, { first.text, first.partial })
    assert.same({ 'eva!', true }, { second.text, second.continues })
    assert.equal('name? eva!', objects(searched:out())[1].text)
  end)

  case('are those of the run before on demand', function(t)
    t:recipe [[ pact.task 'a' { shell = 'echo one' } ]]
    assert.equal(0, t:run({ 'net.lua' }).code)
    local _, ask = network(t, [[ pact.process 'a' { shell = 'echo two; exec sleep 1000' } ]])
    functional.wait('its line', function() return #objects((select(2, ask '/v1/logs'))) == 1 end)
    assert.same({ 'a one' }, texts((select(2, ask '/v1/logs?previous=true'))))
    assert.same({ 'a two' }, texts((select(2, ask '/v1/logs'))))
  end)
end)

-- What stands in place of an id, and what is answered.
local TRICKS = {
  { '%2e%2e', 404 }, { '..', 404 }, { '.', 404 }, { '%2e%2e%2f%2e%2e%2fetc%2fpasswd', 404 }, { '%00', 400 }, { 'web%00', 400 },
  { '%ff', 400 }, { '%c0%af', 400 }, { '%zz', 400 }, { '%', 400 }, { '%e2%80%ae', 404 }, { '', 404 }, { '/', 404 }, { 'web//', 404 },
  { ('x'):rep(5000), 404 }, { ('x'):rep(9000), 414 }, { '%0d%0aX-A:1', 400 },
}

-- Answers that have no end by themselves.
local ENDLESS = { ['/v1/lease'] = true, ['/v1/repl'] = true }

describe('every route', function()
  case('is answered as its description says, by Node\'s client', function(t)
    local socket, ask, front = network(t, [[
      pact.process 'web' { command = { 'sleep', '1000' } }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]])
    local described = cjson.decode((select(2, ask '/openapi.json'))).paths
    local rows, requests = {}, {}
    for _, row in ipairs(cases.rows()) do
      table.insert(rows, rows[1] and rows[#rows][2] == '/v1/shutdown' and #rows or #rows + 1, row) -- that one is the last
    end
    for i, row in ipairs(rows) do
      requests[i] = cjson.encode { method = row[1], path = cases.path(row), body = cases.body(row),
        headers = { ['content-type'] = row[1] ~= 'GET' and 'application/json' or nil }, ms = ENDLESS[row[2]] and 300 or nil }
    end
    t:file('requests', table.concat(requests, '\n') .. '\n')
    local node = t:run({ functional.root .. '/tests/fixtures/node/ask.js', socket, t:path 'requests' }, { program = 'node' })
    for i, answer in ipairs(objects(node.out)) do
      local row, what = rows[i], requests[i] .. ' ' .. tostring(answer.body or answer.failed)
      local operation = assert(described[row[2]][row[1]:lower()], what)
      -- what can't be done with this service is refused as such; nothing is unknown, nothing wrong with the request
      local refused = row[2]:find '{name}' and 404 or 409
      assert.is_true(answer.status == 200 or answer.status == refused or answer.status == 426, what)
      local content = operation.responses[answer.status == 200 and '200' or 'default'].content
      assert.truthy(content[answer.type], what .. ' ' .. tostring(answer.type))
      rows[i] = answer.status == 200
    end
    assert.is_true(rows[#rows], 'the shutdown')
    assert.equal(0, front:wait().code)
  end)

  case('is told what is wrong with a path, by Node\'s client', function(t)
    local socket = network(t, [[ pact.process 'web' { command = { 'sleep', '1000' } } ]])
    local pid, requests, expected = t:ps().web.pid, {}, {}
    for _, row in ipairs(cases.rows()) do
      if row[2]:find '{' then
        for _, trick in ipairs(TRICKS) do
          requests[#requests + 1] = cjson.encode { method = row[1], path = cases.path(row, trick[1]), body = cases.body(row),
            headers = { ['content-type'] = 'application/json' } }
          expected[#expected + 1] = trick[2]
        end
      end
      requests[#requests + 1] = cjson.encode { method = row[1], path = '/' .. cases.path(row), body = cases.body(row) }
      expected[#expected + 1] = 404
      requests[#requests + 1] = cjson.encode { method = row[1], path = cases.path(row) .. '/a/%2e%2e/b', body = cases.body(row) }
      expected[#expected + 1] = 404
    end
    t:file('requests', table.concat(requests, '\n') .. '\n')
    local node = t:run({ functional.root .. '/tests/fixtures/node/ask.js', socket, t:path 'requests' }, { program = 'node' })
    local answers = objects(node.out)
    assert.equal(#requests, #answers, node.out:sub(-500) .. node.err)
    for i, answer in ipairs(answers) do
      assert.equal(expected[i], answer.status, requests[i]:sub(1, 300) .. ' ' .. tostring(answer.body or answer.failed))
      assert.is_true(#answer.body > 5, requests[i]:sub(1, 300))
    end
    assert.same({ 'running', pid }, { t:ps().web.status, t:ps().web.pid })
  end)
end)
