--- The recipes that come with pactlua.
local cjson = require 'cjson'
local functional = require 'functional'
local case = functional.case

local function copy_recipe(t, ...)
  for _, name in ipairs { ... } do
    os.execute(('cp -r %s/recipes/%s %s/'):format(functional.quote(functional.root), name, functional.quote(t.dir)))
  end
end

local function fetch(url, body)
  local pipe = io.popen(('perl -MIO::Socket::INET -e %s'):format(functional.quote(([[
    my ($host, $path) = '%s' =~ m{^http://([^/]+)(/.*)$};
    my $s = IO::Socket::INET->new(PeerAddr => $host, Timeout => 5) or die "$!";
    my $body = '%s';
    printf $s "%%s $path HTTP/1.0\r\nContent-Length: %%d\r\n\r\n%%s", $body ne '' ? 'POST' : 'GET', length $body, $body;
    local $/; print <$s>;]]):format(url, body or ''))))
  local text = pipe:read 'a'
  pipe:close()
  return tonumber(text:match '^HTTP/%d%.%d (%d+)'), text:match '\r\n\r\n(.*)$'
end

describe('recipes', function()
  case('quickstart tells its story in under 15 seconds', function(t)
    copy_recipe(t, 'quickstart.lua')
    local result = t:run({ 'quickstart.lua' }, { pipe = true })
    assert.equal(0, result.code, result.out .. result.err)
    assert.is_true(result.ms < 15000, ('%d ms'):format(result.ms))
    assert.equal(0, result.left)
    local at = 1
    for _, text in ipairs { 'ready to accept connections', '3 tables created', 'in life 1', 'exit code 70', 'in life 2',
      'listening', 'serving', 'stuck', 'unhealthy', 'serving again', 'that was the tour', 'web      | closing',
      'api      | closing', 'database | closing' } do
      local _, last = result.out:find(text, at, true)
      assert.truthy(last, ('%q is missing behind the others in:\n%s'):format(text, result.out))
      at = last
    end
  end)

  case('webstack serves pages from PostgreSQL and Redis through nginx', function(t)
    copy_recipe(t, 'webstack.lua', 'webstack')
    os.execute('chmod 755 ' .. functional.quote(t.dir))
    local network = t:start { 'webstack.lua' }
    local nginx = t:wait_service('nginx', { status = 'running', health = 'healthy' })
    local url = nginx.endpoints.site
    local status, page = fetch(url)
    assert.equal(200, status)
    assert.truthy(page:find('visit 1\nhello from the migration\n', 1, true), page)
    assert.equal(201, (fetch(url, "it\\'s me; DROP TABLE greeting")))
    status, page = fetch(url)
    assert.equal(200, status)
    assert.truthy(page:find("visit 2\nit's me; DROP TABLE greeting\nhello from the migration\n", 1, true), page)
    network:signal 'TERM'
    local result = network:wait()
    assert.equal(143, result.code or 128 + result.signal)
    assert.equal(0, result.left)

    -- The data are there again the next time.
    network = t:start { 'webstack.lua' }
    nginx = t:wait_service('nginx', { status = 'running', health = 'healthy' })
    assert.equal(url, nginx.endpoints.site)
    status, page = fetch(url)
    assert.equal(200, status)
    assert.truthy(page:find('DROP TABLE greeting\n', 1, true), page)
    network:signal 'INT'
    network:wait()
  end)

  case('recovery asks, restarts, replaces, and gives up after three attempts; the webhook hears of each', function(t)
    copy_recipe(t, 'recovery.lua', 'recovery')
    local network = t:start({ 'recovery.lua' }, { pipe = true })
    local webhook = t:wait_service('webhook', { status = 'running' })
    network:expect('shop: restarted')
    local status, alerts = fetch(('http://127.0.0.1:%d/alerts'):format(webhook.ports.http))
    assert.equal(200, status)
    assert.same({ service = 'shop', decision = 'restarted', cause = 'memory leak' }, cjson.decode(alerts)[1])
    local result = network:wait()
    assert.equal(3, result.code, result.out .. result.err)
    assert.equal(0, result.left)
    -- Each in its order; what a worker prints comes with its log, and may be shown a moment later than what follows.
    for _, texts in ipairs {
      { 'shop    | open, life 1', 'shop    * unhealthy: http 503 twice', 'shop    | open, life 2', 'shop    * stopped',
        'spare   | open, life 1', 'spare   | open, life 2', 'spare   * failed: unwell after 3 attempts: memory leak' },
      { 'webhook | shop: restarted (memory leak)', 'webhook | shop: replaced (corrupt cache)',
        'webhook | spare: restarted (memory leak)', 'webhook | spare: given up (memory leak)' },
    } do
      local at = 1
      for _, text in ipairs(texts) do
        local _, last = result.out:find(text, at, true)
        assert.truthy(last, ('%q is missing behind the others in:\n%s'):format(text, result.out))
        at = last
      end
    end
    assert.falsy(result.out:find('hook_failed', 1, true), result.out)
  end)

  case('check and plan start nothing', function(t)
    copy_recipe(t, 'quickstart.lua', 'webstack.lua', 'webstack', 'recovery.lua', 'recovery')
    os.execute('chmod 755 ' .. functional.quote(t.dir))
    for _, recipe in ipairs { 'quickstart.lua', 'webstack.lua', 'recovery.lua' } do
      for _, verb in ipairs { 'check', 'plan', 'graph' } do
        local result = t:run { verb, recipe }
        assert.equal(0, result.code, result.out .. result.err)
      end
    end
    assert.is_false(t:exists '.pactlua/webstack-data')
  end)
end)
