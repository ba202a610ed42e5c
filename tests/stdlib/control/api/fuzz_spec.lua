--- Requests of any kind to the control protocol: each gets one answer, and it is never an error of ours.
local cases = require 'route_cases'
local fake_engine = require 'fake_engine'
local json = require 'pact.base.json'
local mutations = require 'mutations'
local plans = require 'schedule_plan'

-- PACTLUA_FUZZ=1000000 tries more, PACTLUA_SEED begins elsewhere: what fails names its seed.
local COUNT = math.max(200, (tonumber(os.getenv 'PACTLUA_FUZZ') or 20000) // 5)

local METHODS = { 'GET', 'POST', 'PUT', 'DELETE', 'PATCH' }
local TYPES = { 'application/json', 'text/plain', 'application/json; charset=utf-8', '', 'x' }
local STATUSES = { [400] = true, [403] = true, [404] = true, [405] = true, [408] = true, [409] = true, [422] = true, [426] = true }
local WORDS = {
  '"ids":["web","db"]', '"timeout":10', '"wait":false', '"count":2', '"text":"x"', '"code":"1 + 1"', '"signal":"HUP"', '"args":["a"]',
  '{', '}', ',', 'null', '[]', '1e999',
}

local function up()
  local engine = fake_engine.start([[
    pact.process 'web' { command = { 'server' } }
    pact.process 'db' { command = { 'server' }, replicas = 2 }
    pact.command('seed', {}, function(args) return #args end)
  ]], { programs = { server = {} } })
  engine.world:advance(100)
  return engine
end

local function good_targets()
  local paths, bodies = {}, { '{}', '', '{"ids":["web"],"for":"ready","timeout":10}', '{"wait":false}', '1 + 1', 'return svc.web' }
  for i, row in ipairs(cases.rows()) do
    local query = {}
    for j, field in ipairs(row.query or {}) do query[j] = field[1] .. '=1' end
    paths[i] = cases.path(row) .. (query[1] and '?' .. table.concat(query, '&') or '')
    bodies[#bodies + 1] = cases.body(row)
  end
  return paths, bodies
end

-- What is asked of the network to end is well asked, and what it evaluates is not our matter here.
local function is_meant(path) return path:find('shutdown', 1, true) or path:find('eval', 1, true) end

describe('requests of any kind', function()
  it('get an answer each, never an error of ours, and disturb nothing', function()
    local paths, bodies = good_targets()
    local first, engine, left = tonumber(os.getenv 'PACTLUA_SEED') or 1, nil, 0
    for seed = first, first + COUNT - 1 do
      if left == 0 then engine, left = up(), 200 end
      left = left - 1
      local d = plans.draw(seed, 77)
      local path = mutations.text(seed, paths, { '/', '//', '..', '?', '&', '=', 'db', 'web', 'since=5m', 'regex=(', 'ids=web,db' })
      local body, method = mutations.text(seed + 1, bodies, WORDS), d:of(METHODS)
      local what = ('seed %d: %s %q %q'):format(seed, method, path, body)
      if path:sub(1, 1) == '/' and not is_meant(path) then
        local id = engine.server.ask(method, path, body, false, { ['content-type'] = d:of(TYPES) })
        engine.world:advance(20)
        local answer = engine.server.answers[id]
        if answer and answer.status >= 400 then
          assert(STATUSES[answer.status], what .. ': ' .. answer.status .. ' ' .. answer.body)
          local refusal = json.decode(answer.body)
          assert(refusal and type(refusal.error) == 'string' and type(refusal.code) == 'string', what .. ': ' .. answer.body)
          assert(utf8.len(answer.body), what .. ': no UTF-8')
        end
        assert(answer or method == 'POST', what .. ': no answer') -- it may still wait
        if not answer then engine.world:at(0, function() engine.world:event(id, 'gone', '') end) end
      end
      if left == 0 then
        engine.world:advance(1000)
        assert(engine.said() == '', what .. ': ' .. engine.said())
        assert(engine.ask('GET', '/v1/status') == 200, what)
      end
    end
  end)
end)
