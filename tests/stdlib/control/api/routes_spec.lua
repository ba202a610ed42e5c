--- Every route of the control protocol with what is wrong: refused with the right status and a word that says what, and
-- nothing else happens.
local cases = require 'route_cases'
local fake_engine = require 'fake_engine'
local json = require 'pact.base.json'

local function up()
  local engine = fake_engine.start([[
    pact.process 'web' { command = { 'server' } }
    pact.process 'db' { command = { 'server' }, replicas = 2 }
  ]], { programs = { server = {} } })
  engine.world:advance(100)
  local function pids()
    local out = {}
    for _, service in ipairs(select(2, engine.ask('GET', '/v1/services')).services) do
      out[#out + 1] = ('%s %s %s %d'):format(service.id, service.status, service.pid, service.restart_count)
    end
    return out
  end
  local before, names = pids(), #engine.names()
  function engine.undisturbed(what)
    assert.same(before, pids(), what)
    assert.equal(names, #engine.names(), what)
  end
  function engine.refused(status, words, method, path, body)
    local id = engine.server.ask(method, path, body, false, { ['content-type'] = body and 'application/json' or nil })
    engine.world:advance(1)
    local got, answer = engine.server.answer(id)
    local what = ('%s %q %q'):format(method, path:sub(1, 200), tostring(body):sub(1, 100))
    assert.equal(status, got, what .. ': ' .. json.encode(answer or 'no answer'))
    assert.is_string(answer.code, what)
    assert.truthy(answer.error:find(words, 1, true), what .. ': ' .. answer.error)
    assert.is_true(#answer.error < 6000, what)
    engine.undisturbed(what)
  end
  return engine
end

describe('what is wrong is refused by', function()
  for _, row in ipairs(cases.rows()) do
    it(row[1] .. ' ' .. row[2], function()
      local engine = up()
      for _, wrong in ipairs(cases.wrong(row)) do engine.refused(400, wrong.words, row[1], wrong.path, wrong.body) end
      for _, method in ipairs(cases.other_methods(row[2])) do engine.refused(405, ' only', method, cases.path(row), '{}') end
      if not row[2]:find '{' then return end
      for _, id in ipairs(cases.ODD_IDS) do
        engine.refused(404, 'no ', row[1], cases.path(row, id), cases.body(row))
      end
      engine.refused(404, 'no such thing', row[1], cases.path(row, 'web/x'), cases.body(row))
      engine.refused(404, 'no such thing', row[1], cases.path(row, ''), cases.body(row))
    end)
  end

  it('no route at all', function()
    local engine = up()
    for _, path in ipairs { '/', '//', '/v1', '/v1/', '/v1//services', '/v2/services', '/v1/services/', '*', '/%', '/v1/services/web/',
      '/' .. ('x'):rep(8000), '/' .. ('/'):rep(8000), '/openapi_json', '/metrics/', '/v1/status/..', '/\255' } do
      engine.refused(404, 'no such thing', 'GET', path)
      engine.refused(404, 'no such thing', 'POST', path, '{}')
    end
  end)
end)
