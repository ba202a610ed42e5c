local environment = require 'pact.supervise.environment'
local network = require 'network'

describe('environment', function()
  local services, files

  before_each(function()
    services, files = {}, {}
  end)

  local function build(fields, context)
    local service = network.service('web', fields or {})
    local base = { base = { PATH = '/bin', HOME = '/h' }, run = '/run/1', project = 'shop', socket = '/s' }
    for key, value in pairs(context or {}) do base[key] = value end
    base.facts = function(id) return services[id] end
    base.read = function(path)
      if not files[path] then return nil, path .. ': No such file or directory' end
      return files[path]
    end
    return environment.build(base, service, (context or {}).ports or {})
  end

  local function declare(id, fields, ports)
    services[id] = { service = network.service(id, fields), ports = ports or {} }
  end

  it('is ours, and says who it is', function()
    assert.same({
      PATH = '/bin', HOME = '/h', PACTLUA_SERVICE = 'web', PACTLUA_RUN = '/run/1', PACTLUA_PROJECT = 'shop',
      PACTLUA_SOCKET = '/s',
    }, build())
  end)

  it('lets files and then env override, calls functions, and removes by false', function()
    files['/w/.env'] = 'A=1\nB="two words"\nexport C=${HOME}/c\n'
    local env = build {
      env_file = { '/w/.env' },
      env = { A = '9', HOME = false, D = function() return 5433 end, E = function() end },
    }
    assert.same({ '9', 'two words', '/h/c', '5433', nil, nil }, { env.A, env.B, env.C, env.D, env.E, env.HOME })
  end)

  it('of a terminal says what that is, unless the recipe does; its colours and size are not ours', function()
    local base = { PATH = '/bin', TERM = 'screen', COLUMNS = '200', LINES = '50' }
    local env = build({ tty = { columns = 80, rows = 24 } }, { base = base, colour = true })
    assert.same({ 'xterm-256color', nil, nil, nil }, { env.TERM, env.COLUMNS, env.LINES, env.FORCE_COLOR })
    env = build({ tty = { columns = 80, rows = 24 }, env = { TERM = 'vt100', COLUMNS = '9' } }, { base = base })
    assert.same({ 'vt100', '9', nil }, { env.TERM, env.COLUMNS, env.LINES })
    env = build({}, { base = base, colour = true })
    assert.same({ 'screen', '200', '50', '1' }, { env.TERM, env.COLUMNS, env.LINES, env.FORCE_COLOR })
  end)

  it('names the file that is not there, and the line that is wrong', function()
    local env, message = build { env_file = { '/w/.env' } }
    assert.same({ nil, 'env_file: /w/.env: No such file or directory' }, { env, message })
    files['/w/.env'] = 'A=1\n=x\n'
    env, message = build { env_file = { '/w/.env' } }
    assert.is_nil(env)
    assert.matches('^env_file: /w/%.env:2 ', message)
  end)

  it('says what a function gave that is no text', function()
    local ok, message = pcall(build, { env = { URL = function() return {} end } })
    assert.same({ false, 'env URL: its function gave a table, expected text' }, { ok, message })
  end)

  -- dependency's fields, its real ports → HOST, PORT, URL
  local rows = {
    { { ports = { { name = '8080', port = 8080 } } }, {}, '127.0.0.1', '8080', 'http://127.0.0.1:8080' },
    { { ports = { { name = '8080', port = 8080 } } }, { ['8080'] = 8081 }, '127.0.0.1', '8081', 'http://127.0.0.1:8081' },
    { { ports = { { name = 'redis', port = 6379 } } }, {}, '127.0.0.1', '6379', 'redis://127.0.0.1:6379' },
    { { ports = { { name = 'sql', port = 5433 } }, endpoints = { db = 'postgres://localhost:5433' } }, {}, '127.0.0.1',
      '5433', 'postgres://localhost:5433' },
    { { kind = 'external', health = { kind = 'tcp', host = 'ldap.test', port = 389 } }, {}, 'ldap.test', '389',
      'tcp://ldap.test:389' },
    { { kind = 'external', health = { kind = 'http', url = 'https://api.test/health' } }, {}, 'api.test', '443',
      'https://api.test:443' },
    { {}, {}, '127.0.0.1', nil, nil },
  }
  for i, row in ipairs(rows) do
    it('tells where a dependency is ' .. i, function()
      declare('my-db', row[1], row[2])
      local env = build { depends_on = { 'my-db' } }
      assert.same({ row[3], row[4], row[5] }, { env.MY_DB_HOST, env.MY_DB_PORT, env.MY_DB_URL })
    end)
  end

  it('names each port of a dependency that has several', function()
    declare('db', { ports = { { name = 'sql', port = 1 }, { name = 'admin', port = 2 } } }, { sql = 1, admin = 3 })
    local env = build { depends_on = { 'db' } }
    assert.same({ '1', '1', '3' }, { env.DB_PORT, env.DB_PORT_SQL, env.DB_PORT_ADMIN })
  end)

  it('sets PORT where one is declared', function()
    assert.equal('3001', build({ ports = { { name = 'x', port = 3000 } } }, { ports = { x = 3001 } }).PORT)
    assert.is_nil(build({ ports = { { name = 'x', port = 1 }, { name = 'y', port = 2 } } }).PORT)
    assert.equal('7', build({ ports = { { name = 'x', port = 3000 } }, env = { PORT = '7' } }).PORT)
  end)

  it('forces colour where we have it ourselves, unless told otherwise', function()
    assert.equal('1', build({}, { colour = true }).FORCE_COLOR)
    assert.is_nil(build({}, {}).FORCE_COLOR)
    assert.is_nil(build({}, { colour = true, base = { NO_COLOR = '1' } }).FORCE_COLOR)
    assert.equal('0', build({}, { colour = true, base = { FORCE_COLOR = '0' } }).FORCE_COLOR)
  end)

  -- what a start adds → what is inherited, what is added
  local lists = {
    { { A = '1' }, { 'HOME=/h', 'PATH=/bin' }, { 'A=1' } },
    { { PATH = '/usr/bin', B = '2' }, { 'HOME=/h' }, { 'B=2', 'PATH=/usr/bin' } },
    { { HOME = false }, { 'PATH=/bin' }, {} },
    { { ABSENT = false }, { 'HOME=/h', 'PATH=/bin' }, {} },
  }
  for i, row in ipairs(lists) do
    it('is two lists, of which the first is the same for all who change nothing of it ' .. i, function()
      local base = { PATH = '/bin', HOME = '/h' }
      local inherited = environment.list(base)
      local first, second = environment.lists(base, inherited, row[1])
      assert.same({ row[2], row[3] }, { first, second })
      assert.equal(#row[2] == 2, first == inherited)
    end)
  end
end)
