--- Lua text in a running network's state: what comes of it, what is kept, what can't hurt.
local fake_engine = require 'fake_engine'

local function up(recipe)
  local engine = fake_engine.start(recipe or [[
    pact.process 'web' { command = { 'server' } }
    pact.process 'db' { command = { 'server' } }
  ]], { programs = { server = {} } })
  engine.world:advance(100)
  function engine.eval(code)
    local status, body = engine.ask('POST', '/v1/eval', { code = code })
    return body, status
  end
  return engine
end

-- code → what comes of it, each as text
local VALUES = {
  { '1 + 1', { '2' } },
  { 'return 1 + 1', { '2' } },
  { '1, nil, "x"', { '1', 'nil', 'x' } },
  { 'nil', { 'nil' } },
  { 'local x = 3', {} },
  { 'local x = 3; return x', { '3' } },
  { '', {} },
  { '-- a remark', {} },
  { '1 -- a remark', { '1' } },
  { 'svc.web.status', { 'running' } },
  { 'svc.web', { 'web' } },
  { 'svc', { 'services: web, db' } },
  { "{ a = { 1, 2 }, b = 'x' }", { "{ a = { 1, 2 }, b = 'x' }" } },
  { 'local out = {}; for id, s in pairs(svc) do out[#out + 1] = id .. s.status end; return table.concat(out, " ")',
    { 'webrunning dbrunning' } },
  { 'pact.now() > 0', { 'true' } },
}

-- code → code of the refusal, status, a part of the message
local REFUSED = {
  { '1 +', 'syntax', 400, "eval:1: unexpected symbol near <eof>" },
  { '\27Lua', 'syntax', 400, 'compiled Lua is refused' },
  { 'error "no"', 'raised', 422, 'eval:1: no' },
  { 'error { 1 }', 'raised', 422, 'raised [1]' },
  { 'error()', 'raised', 422, 'raised nothing' },
  { 'svc.wbe.pid', 'raised', 422, "no service 'wbe' (did you mean 'web'?)" },
  { 'svc.web.statsu', 'raised', 422, "did you mean 'status'?" },
  { 'svc.web = 1', 'raised', 422, 'svc is a table to read' },
  { 'prnt(1)', 'raised', 422, "eval:1: 'prnt' has no value here" },
  { 'setmetatable({}, { __tostring = function() error "deep" end })', 'raised', 422, 'deep' },
}

-- what misuses a function of ours: its line is told, not ours, also of a call that nothing follows
local MISUSED = {
  'svc.web:restart(1, 2)', 'pact.sleep "x"', 'return pact.sleep "x"', '\nlocal x = 1\nreturn pact.sleep "x"',
  'coroutine.wrap(function() return pact.sleep "x" end)()', 'pact.stop(5)', 'pact.stop("web", { [1] = 2 })',
  'pact.all(1)', 'svc.web:wait("x")', 'svc.web:wait("ready", "y")', 'svc.web:logs "x"', 'svc.web:logs { cnt = 1 }',
  'svc.web:tail "x"', 'svc.web:scale "x"', 'pact.spawn(1)', 'pact.queue "x"', 'pact.shutdown "x"', 'pact.exec(1)',
  'pact.json.encode(print)', 'svc.web = 1', 'svc.nothing', 'svc = 1', 'string.rep(1)', 'nobody()',
}

-- code → what is refused of it: names that have a meaning are everybody's
local KEPT_NAMES = {
  { 'svc = 1', 'svc' }, { 'pact = nil', 'pact' }, { 'print = 1', 'print' }, { '_G = 1', '_G' }, { '_G.svc = 1', 'svc' },
  { 'function svc() end', 'svc' },
}

describe('eval', function()
  for _, code in ipairs(MISUSED) do
    it(('names the line of %q'):format(code), function()
      local body, status = up().eval(code)
      assert.equal(422, status, body.error)
      local line = select(2, code:gsub('\n', '')) + 1
      assert.equal(('eval:%d: '):format(line), body.error:sub(1, 8), body.error)
      assert.falsy(body.error:find('stdlib', 1, true), body.error)
    end)
  end

  for _, row in ipairs(KEPT_NAMES) do
    it(('%q takes nothing away from others'):format(row[1]), function()
      local engine = up()
      assert.truthy(engine.eval(row[1]).error:find(("eval:1: '%s' is everybody's"):format(row[2]), 1, true))
      assert.same({ 'running' }, engine.eval('print() return pact and _G.svc.web.status').values)
      assert.same({ '1' }, engine.eval(('local %s = 1 return %s'):format(row[2], row[2])).values)
    end)
  end

  it('suggests what it has besides globals', function()
    local engine = up()
    assert.truthy(engine.eval('svcs.web').error:find("did you mean 'svc'?", 1, true))
  end)

  for _, row in ipairs(VALUES) do
    it(('of %q'):format(row[1]), function()
      local body, status = up().eval(row[1])
      assert.same({ 200, row[2] }, { status, body.values })
    end)
  end

  for _, row in ipairs(REFUSED) do
    it(('refuses %q'):format(row[1]), function()
      local engine = up()
      local body, status = engine.eval(row[1])
      assert.same({ row[3], row[2] }, { status, body.code }, body.error)
      assert.truthy(body.error:find(row[4], 1, true), body.error)
      assert.same({ '2' }, engine.eval('1 + 1').values)
      assert.same({}, engine.messages 'end')
    end)
  end

  it('shows the lines of its own in a traceback', function()
    local body = up().eval 'local function f() error "no" end\nf()'
    assert.truthy(body.traceback:find('eval:1:', 1, true) and body.traceback:find('eval:2:', 1, true), body.traceback)
    assert.falsy(body.traceback:find('stdlib', 1, true), body.traceback)
  end)

  it('keeps globals for the next, and not for the recipe', function()
    local engine = up [[
      pact.process 'web' { command = { 'server' } }
      pact.command('look', 'looks', function() return rawget(_G, 'mine') == nil end)
    ]]
    engine.eval 'mine = 5'
    assert.same({ '5' }, engine.eval('mine').values)
    assert.is_true(select(2, engine.ask('POST', '/v1/commands/look', {})).result)
  end)

  it('is what os.exit ends, with its status; the network goes on', function()
    local engine = up()
    for code, status in pairs { ['os.exit(3)'] = 3, ['print "x" os.exit()'] = 0, ['pcall(os.exit, false)'] = 1 } do
      local body, answered = engine.eval(code)
      assert.same({ 200, status }, { answered, body.status }, code)
    end
    assert.truthy(engine.eval('os.exit(300)').error:find('a status of 0–255', 1, true))
    assert.same({ 'running' }, engine.eval('svc.web.status').values)
    assert.same({}, engine.messages 'end')
  end)

  it('tells what tasks and queues do', function()
    local engine = up()
    assert.same({ 'task, running' }, engine.eval('pact.spawn(function() pact.sleep "1h" end)').values)
    assert.same({ 'queue with 1 of 3 values' }, engine.eval('q = pact.queue(3) q:put(1) return q').values)
    assert.same({ 'queue, closed' }, engine.eval('q:close() return q').values)
  end)

  it('takes the text as the body, too', function()
    local _, body = up().ask('POST', '/v1/eval', 'svc.web.status, 2')
    assert.same({ 'running', '2' }, body.values)
  end)

  it('says what a body must have', function()
    local engine = up()
    for _, given in ipairs { { cod = '1' }, { code = 5 } } do
      local status, body = engine.ask('POST', '/v1/eval', given)
      assert.equal(400, status)
      assert.truthy(body.error:find("body: .*did you mean 'code'") or body.error:find("body: 'code' must be text", 1, true),
        body.error)
    end
  end)

  it('gives what is printed to who asked, not to the front', function()
    local engine = up()
    local body = engine.eval 'print("here", 1); return 2'
    assert.same({ 'here\t1\n', { '2' } }, { body.output, body.values })
    engine.world:advance(1000)
    assert.falsy(engine.said():find('here', 1, true))
  end)

  it('keeps no more than a megabyte of it', function()
    local body = up().eval 'for _ = 1, 30 do print(("x"):rep(100000)) end'
    assert.is_true(#body.output < 1100000, #body.output)
    assert.truthy(body.output:find('more was printed than is kept', 1, true))
  end)

  it('answers when a call that waits is done', function()
    local engine = up()
    local id = engine.server.ask('POST', '/v1/eval', { code = 'pact.sleep "2s"; return "late"' })
    engine.world:advance(1000)
    assert.is_nil(engine.server.answers[id])
    assert.same({ '2' }, engine.eval('1 + 1').values)
    engine.world:advance(1500)
    assert.same({ 'late' }, select(2, engine.server.answer(id)).values)
  end)

  it('ends with the client that asked', function()
    local engine = up()
    local id = engine.server.ask('POST', '/v1/eval', { code = 'pact.sleep "2s"; done = true' })
    engine.world:advance(1000)
    engine.world:event(id, 'gone', 'the client has left')
    engine.world:advance(5000)
    assert.same({ 'nil' }, engine.eval('rawget(_G, "done")').values)
  end)

  it('acts by the methods of services', function()
    local engine = up()
    engine.eval 'svc.web:stop()'
    engine.world:advance(20000)
    assert.same({ 'stopped' }, engine.eval('svc.web.status').values)
  end)
end)
