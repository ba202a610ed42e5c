--- Who is let in over TCP.
local gatekeeper = require 'pact.control.api.gatekeeper'

local TOKEN = ('t'):rep(48)
local SITE = 'http://localhost:5173'
local HERE = { token = TOKEN, host = '127.0.0.1', port = 4000, origins = {} }
local WITH_SITE = { token = TOKEN, host = '127.0.0.1', port = 4000, origins = { [SITE] = true } }
local EVERYWHERE = { token = TOKEN, host = '0.0.0.0', port = 4000, origins = {} }
local ELSEWHERE = { token = TOKEN, host = '192.168.1.5', port = 80, origins = {} }
local BEARER = 'Bearer ' .. TOKEN

-- gate, Host, Origin, Authorization → status (nil: let in) and code
local ROWS = {
  { HERE, '127.0.0.1:4000', nil, BEARER },
  { HERE, 'localhost:4000', nil, BEARER },
  { HERE, 'LocalHost:4000', nil, BEARER },
  { HERE, '[::1]:4000', nil, BEARER },
  { HERE, '127.0.0.1:4000', nil, 'bearer  ' .. TOKEN },
  -- the Host
  { HERE, nil, nil, BEARER, 421, 'host' },
  { HERE, '', nil, BEARER, 421, 'host' },
  { HERE, 'evil.test', nil, BEARER, 421, 'host' },
  { HERE, 'evil.test:4000', nil, BEARER, 421, 'host' },
  { HERE, 'localhost', nil, BEARER, 421, 'host' },
  { HERE, 'localhost:4001', nil, BEARER, 421, 'host' },
  { HERE, 'localhost:', nil, BEARER, 421, 'host' },
  { HERE, 'localhost.:4000', nil, BEARER, 421, 'host' },
  { HERE, 'a.localhost:4000', nil, BEARER, 421, 'host' },
  { HERE, '127.0.0.1:4000, evil.test', nil, BEARER, 421, 'host' },
  { HERE, '127.0.0.1:4000@evil.test', nil, BEARER, 421, 'host' },
  { HERE, '192.168.1.5:4000', nil, BEARER, 421, 'host' },
  { HERE, '[::1:4000', nil, BEARER, 421, 'host' },
  { HERE, '::1:4000', nil, BEARER, 421, 'host' },
  { EVERYWHERE, '192.168.1.5:4000', nil, BEARER },
  { EVERYWHERE, '[fe80::1]:4000', nil, BEARER },
  { EVERYWHERE, 'evil.test:4000', nil, BEARER, 421, 'host' },
  { ELSEWHERE, '192.168.1.5', nil, BEARER },
  { ELSEWHERE, '192.168.1.5:80', nil, BEARER },
  { ELSEWHERE, '192.168.1.6', nil, BEARER, 421, 'host' },
  -- the Origin
  { HERE, '127.0.0.1:4000', 'http://127.0.0.1:4000', BEARER },
  { HERE, 'LOCALHOST:4000', 'http://localhost:4000', BEARER },
  { HERE, '127.0.0.1:4000', 'http://localhost:4000', BEARER, 403, 'origin' },
  { HERE, '127.0.0.1:4000', 'https://127.0.0.1:4000', BEARER, 403, 'origin' },
  { HERE, '127.0.0.1:4000', 'null', BEARER, 403, 'origin' },
  { HERE, '127.0.0.1:4000', '', BEARER, 403, 'origin' },
  { HERE, '127.0.0.1:4000', 'http://evil.test', BEARER, 403, 'origin' },
  { HERE, '127.0.0.1:4000', 'http://127.0.0.1:4000.evil.test', BEARER, 403, 'origin' },
  { HERE, '127.0.0.1:4000', SITE, BEARER, 403, 'origin' },
  { WITH_SITE, '127.0.0.1:4000', SITE, BEARER },
  { WITH_SITE, '127.0.0.1:4000', SITE .. '/', BEARER, 403, 'origin' },
  { WITH_SITE, '127.0.0.1:4000', SITE .. '0', BEARER, 403, 'origin' },
  { WITH_SITE, '127.0.0.1:4000', 'null', BEARER, 403, 'origin' },
  { WITH_SITE, 'evil.test', SITE, BEARER, 421, 'host' },
  { WITH_SITE, '127.0.0.1:4000', SITE, nil, 401, 'token' },
  -- the token
  { HERE, '127.0.0.1:4000', nil, nil, 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, '', 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, 'Bearer', 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, 'Bearer ', 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, TOKEN, 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, 'Basic ' .. TOKEN, 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, BEARER .. 't', 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, BEARER:sub(1, -2), 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, BEARER:sub(1, -2) .. 'u', 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, BEARER .. ', ' .. BEARER, 401, 'token' },
  { HERE, '127.0.0.1:4000', nil, 'Bearer ' .. TOKEN:upper(), 401, 'token' },
}

local function ask(gate, headers, more)
  local request = { method = 'GET', headers = headers, query = {} }
  for key, value in pairs(more or {}) do request[key] = value end
  return gatekeeper.check(gate, request)
end

describe('the gatekeeper', function()
  for _, row in ipairs(ROWS) do
    it(('of %s: Host %s, Origin %s, Authorization %s: %s'):format(row[1].host, row[2], row[3], row[4], row[5] or 'in'), function()
      local verdict = ask(row[1], { host = row[2], origin = row[3], authorization = row[4] })
      assert.same({ row[5], row[6] }, { verdict.status, verdict.code })
      assert.equal(row[5] == 401, verdict.headers['www-authenticate'] ~= nil)
      assert.equal(row[5] ~= nil, verdict.error ~= nil)
    end)
  end

  it('says what was wrong and what to do, and never the token', function()
    local function said(headers, query)
      local verdict = ask(HERE, headers, { query = query })
      assert.is_nil(verdict.error:find(TOKEN, 1, true))
      return verdict.error
    end
    assert.equal("Host 'evil.test' is not what listens here, which is 127.0.0.1:4000: another name may be led here by somebody else",
      said { host = 'evil.test' })
    assert.equal("Origin 'http://a.test' is not let in; --allow-origin http://a.test lets its pages ask",
      said { host = 'localhost:4000', origin = 'http://a.test' })
    assert.equal("Origin 'null' is not let in", said { host = 'localhost:4000', origin = 'null' })
    assert.truthy(said({ host = 'localhost:4000' }):find "^a token is needed: 'Authorization: Bearer TOKEN'; it is in the file 'token'")
    assert.truthy(said({ host = 'localhost:4000' }, { token = TOKEN }):find '^a token is needed in that header, as addresses are kept')
    assert.truthy(said({ host = 'localhost:4000', authorization = 'Bearer x' }):find '^the token is wrong')
    assert.is_true(#said { host = ('x'):rep(60000) } < 400)
  end)

  local function preflight(gate, origin, more)
    local headers = { host = '127.0.0.1:4000', origin = origin, ['access-control-request-method'] = 'POST' }
    for name, value in pairs(more or {}) do headers[name] = value end
    return ask(gate, headers, { method = 'OPTIONS' })
  end

  it("lets a browser's preflight through without a token, of sites that are let in", function()
    assert.same({ status = 204, headers = {
      ['access-control-allow-origin'] = SITE, ['access-control-allow-methods'] = 'GET, HEAD, POST', vary = 'Origin',
      ['access-control-allow-headers'] = 'authorization, content-type, last-event-id', ['access-control-max-age'] = '600',
    } }, preflight(WITH_SITE, SITE))
    local private = preflight(WITH_SITE, SITE, { ['access-control-request-private-network'] = 'true' })
    assert.equal('true', private.headers['access-control-allow-private-network'])
    assert.equal(403, preflight(WITH_SITE, 'http://evil.test').status)
    assert.equal(403, preflight(HERE, SITE).status)
    assert.equal(401, preflight(HERE, 'http://127.0.0.1:4000').status)
    assert.equal(421, preflight(WITH_SITE, SITE, { host = 'evil.test' }).status)
    assert.equal(401, ask(WITH_SITE, { host = '127.0.0.1:4000', origin = SITE }, { method = 'OPTIONS' }).status)
  end)

  it('names a site that is let in in every answer to it, refusals too, and no other', function()
    local headers = { host = 'localhost:4000', origin = SITE }
    assert.equal(SITE, ask(WITH_SITE, headers).headers['access-control-allow-origin'])
    headers.authorization = BEARER
    assert.same({ ['access-control-allow-origin'] = SITE, vary = 'Origin' }, ask(WITH_SITE, headers).headers)
    headers.origin = 'http://evil.test'
    assert.same({ vary = 'Origin' }, ask(WITH_SITE, headers).headers)
    headers.origin = nil
    assert.same({ vary = 'Origin' }, ask(WITH_SITE, headers).headers)
    assert.same({}, ask(HERE, headers).headers)
  end)

  it('compares whole tokens', function()
    for _, row in ipairs { { 'abc', 'abc', true }, { 'abd', 'abc', false }, { '', 'abc', false }, { 'ab', 'abc', false },
      { 'abcd', 'abc', false }, { 'abc\0', 'abc', false }, { 'bbc', 'abc', false } } do
      assert.equal(row[3], gatekeeper.same(row[1], row[2]), row[1])
    end
  end)
end)
