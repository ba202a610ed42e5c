--- The control protocol over TCP, in an engine over made-up processes.
local fake_engine = require 'fake_engine'
local json = require 'pact.base.json'

local RECIPE = [[
  pact.process 'web' { command = { 'web' }, env = { TOKEN_OF_MINE = 'x' } }
]]
local SITE = 'http://localhost:5173'

describe('--listen', function()
  local engine, listener, asked

  -- An engine that listens; `refusal`: what listening is answered with.
  local function start(words, env, refusal)
    asked = nil
    engine = fake_engine.start(RECIPE, {
      words = words, env = env, programs = { web = {} },
      early = function(made)
        made.world.holders[4711] = { pid = 12, name = 'node', command = 'node server.js', uid = 0 }
        made.sys.os.random = function(count) return ('\xAB'):rep(count) end
        made.sys.web = { listen = function(opts)
          asked = opts
          if refusal then return nil, table.unpack(refusal) end
          listener = made.world:id()
          return listener, opts.port == 0 and 4711 or opts.port
        end }
      end,
    })
    engine.world:advance(10)
  end

  local function token() return (engine.files.files['/net/.pactlua/net-net/token'] or ''):gsub('\n', '') end

  -- Asks over TCP: status, decoded body, headers, the request's number.
  local function ask(method, path, headers, body)
    local id = engine.world:id()
    headers = headers or {}
    headers.host = headers.host or '127.0.0.1:4711'
    if headers.authorization == nil then headers.authorization = 'Bearer ' .. token() end
    engine.world:at(0, function()
      engine.world:event(listener, 'request', id, {
        method = method, path = path, headers = headers, query = {}, body = body or '', remote = '127.0.0.1:5', pid = 0, front = false,
      })
    end)
    engine.world:advance(1)
    local answer = engine.server.answers[id]
    return answer.status, json.decode(answer.body) or answer.body, answer.headers, id
  end

  it('is not loaded without being asked for, and what is left of a token goes', function()
    package.loaded['pact.control.api.tcp'] = nil
    engine = fake_engine.start(RECIPE, {
      programs = { web = {} },
      early = function(made) made.files.files['/net/.pactlua/net-net/token'] = 'old\n' end,
    })
    engine.world:advance(10)
    assert.is_nil(package.loaded['pact.control.api.tcp'])
    assert.equal('', token())
    assert.is_nil(select(2, engine.ask('GET', '/v1/status')).listens)
  end)

  it('keeps a token of 192 bits in a file, and says where it listens', function()
    start { '--listen', '0' }
    assert.equal(('ab'):rep(24), token())
    assert.same({ '127.0.0.1', 0 }, { asked.host, asked.port })
    assert.is_true(asked.head_timeout > 0 and asked.take_timeout > 0 and asked.max_body == 1 << 20)
    assert.same({ 'json', 'give_way' }, { asked.refusals, asked.when_full })
    assert.equal('pactlua: the control API listens on http://127.0.0.1:4711; token: see /net/.pactlua/net-net/token\n', engine.said())
    local _, status = engine.ask('GET', '/v1/status')
    assert.same({ url = 'http://127.0.0.1:4711', token_file = '/net/.pactlua/net-net/token' }, status.listens)
    assert.same(status.listens, select(2, engine.ask('GET', '/v1/services')).listens)
  end)

  it('warns of addresses that others reach', function()
    for address, warned in pairs { ['0.0.0.0:4711'] = true, ['[::]:4711'] = true, ['192.168.1.5:4711'] = true, ['127.0.0.2:4711'] = false,
      ['[::1]:4711'] = false, ['localhost:4711'] = false, ['4711'] = false } do
      start { '--listen', address }
      assert.equal(warned, engine.said():find('warning: other machines reach http://', 1, true) ~= nil, address)
    end
  end)

  it('takes a token of the environment, which is good enough', function()
    start({ '--listen', '4711' }, { PATH = '/bin', PACTLUA_TOKEN = 'mine-is-16-long.' })
    assert.equal('mine-is-16-long.', token())
    for _, bad in ipairs { 'short', 'has a blank in it, but is long', ('x'):rep(20) .. '\n', ('ä'):rep(20) } do
      start({ '--listen', '4711' }, { PATH = '/bin', PACTLUA_TOKEN = bad })
      local refused = engine.messages('refused')[1]
      assert.same({ 1, 'pactlua: PACTLUA_TOKEN must be 16 or more of A–Z a–z 0–9 - . _ ~ + /\n' }, { refused.status, refused.text })
      assert.is_nil(asked)
      assert.same({}, engine.world.spawned)
    end
  end)

  it('is told why it cannot be; nothing starts, and no token is left', function()
    local rows = {
      { 'EADDRINUSE', '--listen 127.0.0.1:4711: port 4711 is taken by pid 12 (node server.js) (port 0 takes a free one)' },
      { 'EACCES', '--listen 127.0.0.1:4711: port 4711: not permitted to listen on it (below 1024 only root may) (port 0 takes a free one)' },
      { 'EADDRNOTAVAIL', '--listen 127.0.0.1:4711: no address of this machine (port 0 takes a free one)' },
    }
    for _, row in ipairs(rows) do
      start({ '--listen', '4711' }, nil, { 'refused', row[1] })
      assert.equal(1, engine.messages('refused')[1].status)
      assert.equal('pactlua: ' .. row[2] .. '\n', engine.messages('refused')[1].text)
      assert.same({}, engine.world.spawned)
      assert.equal('', token())
    end
  end)

  it('answers who has the token, and nobody else', function()
    start { '--listen', '0' }
    assert.equal(200, (ask('GET', '/v1/services')))
    local status, body, headers = ask('GET', '/v1/services', { authorization = 'Bearer x' })
    assert.same({ 401, 'token', 'Bearer realm="pactlua", error="invalid_token"' }, { status, body.code, headers['www-authenticate'] })
    assert.same({ 421, 403 }, { (ask('GET', '/v1/services', { host = 'evil.test' })), (ask('GET', '/v1/services', { origin = 'null' })) })
    assert.equal(404, (ask('GET', '/v1/no')))
    assert.equal(200, (ask('POST', '/v1/eval', { ['content-type'] = 'text/plain' }, '1 + 1')))
  end)

  it('keeps to itself what is for the socket alone', function()
    start { '--listen', '0' }
    for _, path in ipairs { '/v1/services/web/surroundings', '/v1/session' } do
      local status, body = ask('GET', path)
      assert.same({ 403, 'socket' }, { status, body.code }, path)
    end
    assert.equal(200, (engine.ask('GET', '/v1/services/web/surroundings')))
    local _, shown = ask('GET', '/v1/services/web/env')
    assert.equal('********', shown.env.TOKEN_OF_MINE)
  end)

  it('describes itself with its token', function()
    start { '--listen', '0' }
    local _, document = ask('GET', '/openapi.json')
    assert.equal('bearer', document.components.securitySchemes.token.scheme)
    assert.same({ { token = {} } }, document.security)
    assert.equal('http://127.0.0.1:4711', document.servers[1].url)
    assert.is_nil(document.paths['/v1/services/{id}/surroundings'])
    local _, plain = engine.ask('GET', '/openapi.json')
    assert.is_nil(plain.security or plain.components.securitySchemes)
    assert.is_table(plain.paths['/v1/services/{id}/surroundings'])
  end)

  it('gives the pages of a site that is let in their header, in whole answers and in streams', function()
    start { '--listen', '0', '--allow-origin', SITE .. ',http://b.test' }
    local function origin_of(...) return (select(3, ask(...)))['access-control-allow-origin'] end
    assert.equal(SITE, origin_of('GET', '/v1/services', { origin = SITE }))
    assert.equal('http://b.test', origin_of('GET', '/v1/no', { origin = 'http://b.test' }))
    assert.equal(SITE, origin_of('GET', '/v1/events', { origin = SITE, accept = 'text/event-stream' }))
    assert.is_nil(origin_of('GET', '/v1/services'))
    assert.same({ SITE, 'http://b.test' }, { origin_of('OPTIONS', '/v1/eval', { origin = SITE, ['access-control-request-method'] = 'POST' }),
      origin_of('GET', '/v1/services', { origin = 'http://b.test', authorization = 'no' }) })
    assert.same({ 'http://b.test', SITE }, select(2, engine.ask('GET', '/v1/status')).listens.allow_origin)
  end)

  it('takes its token away at the end', function()
    start { '--listen', '0' }
    engine.ask('POST', '/v1/shutdown', {})
    engine.world:advance(20000)
    assert.equal('', token())
  end)
end)
