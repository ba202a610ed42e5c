--- Logs over the control protocol: whose lines, from where on, and until when.
local fake_engine = require 'fake_engine'
local json = require 'pact.base.json'
local list = require 'pact.base.list'

local function up(opts)
  local engine = fake_engine.start([[
    pact.process 'web' { command = { 'server' } }
    pact.process 'db' { command = { 'server' }, replicas = 2 }
    pact.process 'late' { command = { 'server' }, profiles = { 'x' } }
  ]], { programs = { server = { output = {} } }, words = opts and opts.words })
  engine.world:advance(100)
  function engine.say(id, line, stream)
    for log, entry in pairs(engine.world.logs) do
      if entry.name == id then
        engine.world.say(log, line, stream)
        engine.world:at(0, function() engine.world:event(log, 'output', 0, 0) end)
      end
    end
    engine.world:advance(50)
  end
  function engine.open(path, headers)
    local id = engine.server.ask('GET', path, nil, false, headers)
    engine.world:advance(50)
    return id
  end
  function engine.texts(id)
    return list.map(engine.server.lines(id), function(line) return line.service .. ' ' .. line.text end)
  end
  return engine
end

describe('logs over the control protocol', function()
  it('are those of all services, of some, of a group', function()
    local engine = up()
    engine.say('web', 'one')
    engine.say('db-2', 'two', 2)
    engine.say('db-1', 'three')
    engine.say('web', 'four')
    for path, expected in pairs {
      ['/v1/logs'] = { 'web one', 'db-2 two', 'db-1 three', 'web four' },
      ['/v1/logs?lines=1'] = { 'db-2 two', 'db-1 three', 'web four' },
      ['/v1/logs?ids=web,db-1'] = { 'web one', 'db-1 three', 'web four' },
      ['/v1/logs?stream=stderr'] = { 'db-2 two' },
      ['/v1/logs?grep=r'] = { 'db-1 three', 'web four' },
      ['/v1/logs?since=1d&ids=web'] = { 'web one', 'web four' },
      ['/v1/logs?since=1000000000000000'] = {},
      ['/v1/logs?lines=0'] = {},
      ['/v1/services/db/logs'] = { 'db-2 two', 'db-1 three' },
      ['/v1/services/web/logs?lines=1'] = { 'web four' },
    } do
      local id = engine.open(path)
      assert.same({ 200, true, expected }, { engine.server.answers[id].status, engine.server.answers[id].finished,
        engine.texts(id) }, path)
    end
    assert.equal(0, engine.feeds.open)
  end)

  it('have a shape of their own', function()
    local engine = up()
    engine.say('web', 'a "b"', 2)
    local id = engine.open '/v1/services/web/logs'
    local line = engine.server.lines(id)[1]
    assert.same({ service = 'web', at = line.at, stream = 'stderr', epoch = 1, text = 'a "b"' }, line)
    local sse = engine.open('/v1/services/web/logs', { accept = 'text/event-stream' })
    local data = engine.server.answers[sse].body:match '^data: (.*)\n\n$'
    assert.same(line, json.decode(data))
  end)

  it('go on with what comes, of services that begin later, too, until the client leaves', function()
    local engine = up()
    engine.say('web', 'one')
    local all, some = engine.open '/v1/logs?follow=1', engine.open '/v1/services/db/logs?follow=1'
    engine.ask('POST', '/v1/services/late/start', {})
    engine.say('late', 'two')
    engine.say('db-1', 'three')
    engine.ask('POST', '/v1/services/db/scale', { count = 3 })
    engine.say('db-3', 'four')
    assert.same({ 'web one', 'late two', 'db-1 three', 'db-3 four' }, engine.texts(all))
    assert.same({ 'db-1 three', 'db-3 four' }, engine.texts(some))
    assert.equal(2, engine.feeds.open)
    engine.world:at(0, function() engine.world:event(all, 'gone', '') end)
    engine.say('web', 'five')
    assert.equal(1, engine.feeds.open)
    assert.equal(4, #engine.texts(all))
    engine.ask('POST', '/v1/shutdown', {})
    engine.world:advance(20000)
    assert.is_true(engine.server.answers[some].finished)
    assert.equal(0, engine.feeds.open)
  end)

  it('wait while a client has no room, and are all there when it has', function()
    local engine = up()
    local id = engine.open '/v1/services/web/logs?follow=1'
    engine.server.full = true
    engine.say('web', 'one')
    engine.say('web', 'two')
    engine.say('web', 'three')
    assert.same({ 'web one' }, engine.texts(id))
    engine.server.full = false
    engine.world:at(0, function() engine.world:event(id, 'drain') end)
    engine.world:advance(50)
    assert.same({ 'web one', 'web two', 'web three' }, engine.texts(id))
  end)

  it('are pulled in pieces, each client in turn', function()
    local engine = up()
    engine.say('web', 'one')
    engine.feeds.pieces = 50
    local ids = {}
    for i = 1, 5 do ids[i] = engine.server.ask('GET', '/v1/services/web/logs') end
    engine.world:advance(1000)
    for _, id in ipairs(ids) do assert.same({ 'web one' }, engine.texts(id)) end
  end)

  it('ask for news of logs only while somebody follows', function()
    local engine = up { words = { '--json' } }
    local asked = {}
    engine.sys.log.notify = function(log, on) asked[engine.world.logs[log].name] = on end
    local id = engine.open '/v1/logs?follow=1'
    assert.same({ web = 'told', ['db-1'] = 'told', ['db-2'] = 'told' }, asked)
    engine.ask('POST', '/v1/services/late/start', {})
    assert.equal('told', asked.late)
    engine.world:at(0, function() engine.world:event(id, 'gone', '') end)
    engine.world:advance(10)
    assert.same({ web = false, ['db-1'] = false, ['db-2'] = false, late = false }, asked)
  end)
end)

-- path → status, a part of the message
local REFUSED = {
  { '/v1/logs?ids=wbe', 404, "no service 'wbe' (did you mean 'web'?)" },
  { '/v1/services/wbe/logs', 404, "did you mean 'web'?" },
  { '/v1/services/../logs', 404, "no service '..'" },
  { '/v1/services/pactlua/logs', 404, "no service 'pactlua'" },
  { '/v1/logs?ids=', 400, "'ids' must be a list of texts" },
  { '/v1/logs?lines=-1', 400, "'lines' must be a whole number" },
  { '/v1/logs?lines=1e99', 400, "'lines' must be a whole number" },
  { '/v1/logs?stream=out', 400, "'stream' must be 'stdout', 'stderr' or 'pactlua', got 'out'" },
  { '/v1/logs?since=soon', 400, "'since': must be a duration" },
  { '/v1/logs?since=12:60x', 400, "'since': must be a duration" },
  { '/v1/logs?grep=a&regex=b', 400, "'grep' or 'regex', not both" },
  { '/v1/logs?regex=(', 400, "'regex': '(' can't be searched for" },
  { '/v1/logs?previous=1&follow=1', 400, 'the run before has ended' },
  { '/v1/logs?previous=1', 404, 'no run before this one' },
  { '/v1/logs?folow=1', 400, "did you mean 'follow'?" },
}

describe('logs over the control protocol are refused', function()
  for _, row in ipairs(REFUSED) do
    it(row[1], function()
      local engine = up()
      local status, answer = engine.ask('GET', row[1])
      assert.equal(row[2], status, json.encode(answer))
      assert.truthy(answer.error:find(row[3], 1, true), answer.error)
      assert.equal(0, engine.feeds.open)
    end)
  end
end)
