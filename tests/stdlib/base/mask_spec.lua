local json = require 'pact.base.json'
local mask = require 'pact.base.mask'
local secrets = require 'pact.base.secrets'

describe('base.mask', function()
  it('knows names that speak of secrets', function()
    for name, secret in pairs {
      PGPASSWORD = true, MY_SECRET_X = true, token = true, API_KEY = true, PRIVATE_PATH = true, SSH_PUBLIC_KEY = false,
      KEYBOARD = false, PATH = false, KEY_ID = false,
    } do
      assert.equal(secret, mask.is_secret(name), name)
    end
  end)

  it('hides values by name, by list and by text', function()
    assert.equal('********', mask.variable('DB_PASSWORD', 'x'))
    assert.equal('********', mask.variable('URL', 'x', { URL = true }))
    assert.equal('pg://u:********@h/********', mask.variable('URL', 'pg://u:hush@h/hush', nil, { 'hush', '' }))
    assert.equal('plain', mask.variable('URL', 'plain'))
  end)

  -- words, and what may be shown of them; nil: all
  local ROWS = {
    { 'postgres://u:pw@h/db', 'postgres://u:********@h/db' },
    { 'redis://:p@ss@h:1 refused', 'redis://:********@h:1 refused' },
    { 'http://localhost:3000/x@y' }, { 'http://u@h:80/' }, { 'see http://a:80, or b@c' },
    { 'psql --password hunter2 -h x', 'psql --password ******** -h x' },
    { 'psql --password  it -h', 'psql --password  ******** -h' },
    { 'run --db-password=abc --x', 'run --db-password=******** --x' },
    { "run --api-key 'a b' c", 'run --api-key ******** c' },
    { 'a --password --next' }, { 'needs --no-password' }, { 'run --key=abc' }, { '--ssh-public-key abc' },
    { 'PGPASSWORD=abc psql', 'PGPASSWORD=******** psql' },
    { "A_TOKEN='a b' x B_TOKEN=\"c d\" y", 'A_TOKEN=******** x B_TOKEN=******** y' },
    { 'PASSWORD=$X y' },
    { 'GET http://x/?token=abc&b=1: http 500', 'GET http://x/?token=********&b=1: http 500' },
    { "curl -H 'Authorization: Bearer a.b-c' x", "curl -H 'Authorization: Bearer ********' x" },
    { 'waiting for api-token (healthy: connection refused)' }, { 'my-token - x' }, { "exec 'x --password': not found" },
    { 'TOKEN= and no more' }, { "TOKEN=' and no more" },
  }
  for _, row in ipairs(ROWS) do
    it(('finds in words what must not be shown: %s'):format(row[1]), function()
      assert.equal(row[2] or row[1], mask.words(row[1]))
      local decoded = json.decode(mask.json(json.encode { a = row[1], b = "it's" }))
      assert.same({ a = row[2] or row[1], b = "it's" }, decoded)
    end)
  end

  it('finds it among the words of a list', function()
    assert.equal('{"a":["x","--password","********","y"]}', mask.json '{"a":["x","--password","hunter2","y"]}')
  end)

  it('leaves JSON what it is, whatever is in it', function()
    local parts = { 'TOKEN=', '--token ', "'", '"', '\\', ' ', '://', ':', '@', 'x', '=', '\n', 'Authorization: ', 'password', '-', '/' }
    local seed = 7
    local function random(n)
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed // 65536 % n + 1
    end
    for _ = 1, 3000 do
      local texts = {}
      for i = 1, 3 do
        local text = {}
        for j = 1, random(8) do text[j] = parts[random(#parts)] end
        texts[i] = table.concat(text)
      end
      local value = { a = texts[1], b = { texts[2], texts[3] }, c = 'end' }
      local line = json.encode(value)
      local decoded = json.decode(mask.json(line))
      assert.is_table(decoded, line)
      assert.same({ 'end', 2 }, { decoded.c, #decoded.b }, line)
    end
  end)

  it('hides what a network knows to be secret, also values that come later', function()
    local values = { 'hush' }
    local hidden = secrets.new(values)
    hidden:follow(values)
    hidden:follow { 'a"b\\c' }
    values[2] = 'later'
    assert.equal('******** and ******** and ********', hidden:words 'hush and later and a"b\\c')
    local shown = json.decode(hidden:json(json.encode { x = 'hush-a"b\\c', y = { 'later', 'y --password z' } }))
    assert.same({ x = '********-********', y = { '********', 'y --password ********' } }, shown)
  end)
end)
