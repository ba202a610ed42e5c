local disk = require 'pact.sim.disk'
local debuglog = require 'pact.observe.debuglog'
local json = require 'pact.base.json'
local logapi = require 'pact.observe.logapi'

local AT = 1749850196005 -- 2025-06-13T21:29:56.005Z

describe('the debug log', function()
  local fs, world, console
  before_each(function()
    fs, world = disk.new()
    console = {}
  end)

  local function new(opts)
    opts = opts or {}
    opts.path = '/run/pactlua.log'
    return debuglog.new({
      fs = fs,
      time = { wall = function() return AT end },
      console = function(text, level) console[#console + 1] = level .. ' ' .. text end,
      traceback = function() return 'here' end,
    }, opts)
  end

  local function written() return world.files['/run/pactlua.log'] or '' end

  it('writes time, level, category and message in columns', function()
    new():info('process', 'started')
    assert.equal('2025-06-13T21:29:56.005Z [INFO ] [process             ] started\n', written())
  end)

  it('keeps data that is false, zero or empty', function()
    for _, data in ipairs { false, 0, '' } do
      local log = new()
      world.files['/run/pactlua.log'] = nil
      log:info('x', 'm', data)
      assert.truthy(written():find('\n  Data: ' .. tostring(data) .. '\n', 1, true), written())
    end
  end)

  it('shows data with sorted keys', function()
    new():info('x', 'm', { b = 2, a = { 1, 2 }, ['odd key'] = 'text' })
    assert.truthy(written():find("  Data: { a = { 1, 2 }, b = 2, ['odd key'] = 'text' }\n", 1, true)
      or written():find('  Data: { a = { 1, 2 }, b = 2, ["odd key"] = \'text\' }\n', 1, true), written())
  end)

  it('does not stumble over data that contains itself', function()
    local data = {}
    data.self = data
    new():info('x', 'm', data)
    assert.truthy(written():find('<again>', 1, true))
    new({ format = 'json' }):info('x', 'm', data)
  end)

  it('orders levels trace, debug, info, warn, error', function()
    for least, level in ipairs(debuglog.level_names) do
      local log = new { min_level = level }
      for place, other in ipairs(debuglog.level_names) do
        assert.equal(place >= least, log:takes(other, 'x'), level .. ' ' .. other)
      end
    end
  end)

  local matching = {
    -- enabled, disabled, category, taken
    { { '*' }, {}, 'process', true },
    { { 'process' }, {}, 'process', true },
    { { 'process' }, {}, 'process:web', true },
    { { 'process' }, {}, 'processes', false },
    { { 'process:web' }, {}, 'process', false },
    { { '*' }, { 'process' }, 'process:web', false },
    { { '*' }, { 'process' }, 'network', true },
    { { '*', 'process:web' }, { 'process' }, 'process:web', true },
    { { 'process' }, { '*' }, 'process', true },
    { { 'process' }, { '*' }, 'network', false },
    { {}, {}, 'process', false },
  }
  for _, row in ipairs(matching) do
    it(("%s category '%s' with %s enabled and %s disabled"):format(row[4] and 'takes' or 'leaves', row[3],
      table.concat(row[1], ','), table.concat(row[2], ',')), function()
      local log = new { categories = row[1] }
      for _, category in ipairs(row[2]) do log:disable_category(category) end
      for _, category in ipairs(row[1]) do log:enable_category(category) end
      assert.equal(row[4], log:takes('info', row[3]))
    end)
  end

  it('takes a category away although all are enabled, and gives it back', function()
    local log = new()
    log:disable_category 'noise'
    log:info('noise', 'one')
    log:enable_category 'noise'
    log:info('noise', 'two')
    assert.falsy(written():find('one', 1, true))
    assert.truthy(written():find('two', 1, true))
  end)

  it('has a stack for trace and error', function()
    local log = new { min_level = 'trace' }
    log:error('x', 'bad')
    log:trace('x', 'deep')
    log:warn('x', 'odd')
    local _, stacks = written():gsub('  Stack: here\n', '')
    assert.equal(2, stacks)
  end)

  it('knows processes, containers and networks by id', function()
    local log = new()
    log:process('web', 'info', 'listening', { port = 3000 })
    log:container('redis', 'warn', 'slow')
    log:network('devnet', 'debug', 'block')
    for _, line in ipairs { '[process             ] listening', '  Process ID: web\n', '[container           ] slow',
      '  Container ID: redis\n', '[network             ] block', '  Network ID: devnet\n' } do
      assert.truthy(written():find(line, 1, true), line)
    end
  end)

  it('has words for performance, resources and HTTP', function()
    local log = new()
    log:performance('startup', 'Container creation', 2500)
    log:resource_usage('system', { cpu = 45.2 })
    log:http_activity('GET', '/health', 200, 150)
    log:http_activity('GET', '/nowhere', 404, 3)
    for _, line in ipairs { '[INFO ] [perf:startup        ] Container creation completed in 2500ms\n',
      '[DEBUG] [resource:system     ] Resource usage snapshot\n', '[DEBUG] [http                ] GET /health 200 150ms\n',
      '[WARN ] [http                ] GET /nowhere 404 3ms\n' } do
      assert.truthy(written():find(line, 1, true), line .. ' in ' .. written())
    end
  end)

  it('writes JSON lines', function()
    new({ format = 'json' }):process('web', 'error', 'failed', { code = 1, ok = false })
    local entry = json.decode(written())
    assert.equal('error', entry.level)
    assert.equal('web', entry.process_id)
    assert.is_false(entry.data.ok)
    assert.equal('here', entry.stack)
  end)

  it('is silent on the console unless asked', function()
    new():warn('x', 'm')
    assert.same({}, console)
    new({ console = true }):warn('x', 'm', { a = 1 })
    assert.equal(1, #console)
    assert.truthy(console[1]:find('^warn %d%d:%d%d:%d%d %[WARN%] %[x%] m\n  Data: { a = 1 }\n$'), console[1])
  end)

  it('counts what it has written', function()
    local log = new { min_level = 'info' }
    log:info('a', 'm')
    log:debug('a', 'm')
    log:error('a', 'm')
    local stats = log:stats()
    assert.equal(2, stats.entries)
    assert.equal(1, stats.by_level.error)
    assert.equal(#written(), stats.file_size)
    assert.equal('info', stats.min_level)
    assert.same({ '*' }, stats.categories)
  end)

  it('refuses a level that is none', function()
    assert.has_error(function() new():set_min_level 'wran' end, "pact.log: no level 'wran' (did you mean 'warn'?)")
    assert.has_error(function() new():log { level = 'loud', category = 'x', message = 'm' } end)
  end)

  it('rotates by size and deletes', function()
    local log = new { max_size = 200, max_files = 2 }
    for i = 1, 20 do log:info('x', 'entry number ' .. i) end
    assert.truthy(world.files['/run/pactlua.log.1'])
    assert.is_nil(world.files['/run/pactlua.log.2'])
    assert.is_true(#written() <= 200)
  end)
end)

describe('pact.log', function()
  local fs, world, log, api
  before_each(function()
    fs, world = disk.new()
    log = debuglog.new({ fs = fs, time = { wall = function() return AT end }, console = function() end },
      { path = '/run/pactlua.log' })
    api = logapi.api(log)
  end)

  local function written() return world.files['/run/pactlua.log'] or '' end

  it('may be called with a dot and with a colon', function()
    api.info('a', 'dotted')
    api:info('a', 'with a colon')
    assert.truthy(written():find('] dotted\n', 1, true))
    assert.truthy(written():find('] with a colon\n', 1, true))
  end)

  it('takes a message alone', function()
    api.warn 'only this'
    assert.truthy(written():find('[recipe              ] only this\n', 1, true))
  end)

  it("has the document's names", function()
    api.logProcess('web', 'info', 'm')
    api.logHTTPActivity('GET', '/', 500, 1)
    api.logPerformance('x', 'op', 1)
    api.logResourceUsage('x', {})
    api.logContainer('c', 'info', 'm')
    api.logNetwork('n', 'info', 'm')
    api.disableCategory 'x'
    api.enableCategory 'x'
    api.setMinLevel 'error'
    assert.equal('/run/pactlua.log', api.getLogFilePath())
    assert.equal(6, api.getStats().entries)
  end)
end)

describe('our own log', function()
  local function event_lines(settings, event)
    local fs, world = disk.new()
    local log = logapi.new({ fs = fs, time = { wall = function() return AT end }, console = function() end }, settings)
    log:open '/run/pactlua.log'
    log:event(event)
    return world.files['/run/pactlua.log'] or ''
  end
  local probe = { name = 'probe', service = 'web', reason = 'connection refused' }

  it('holds no events unless DEBUG asks', function()
    assert.equal('', event_lines({ words = {} }, { name = 'started', service = 'web' }))
  end)

  it('holds all with DEBUG=true, probes as traces', function()
    assert.truthy(event_lines({ all = true, level = 'trace' }, probe):find('[TRACE] [health', 1, true))
    assert.equal('', event_lines({ all = true, level = 'debug' }, probe))
    assert.truthy(event_lines({ all = true }, { name = 'started', service = 'web' }):find('web started', 1, true))
  end)

  it('holds the categories that are named, and ignores other programs’ words', function()
    local settings = { words = { 'express', 'health' }, level = 'trace' }
    assert.truthy(event_lines(settings, probe) ~= '')
    assert.equal('', event_lines(settings, { name = 'started', service = 'web' }))
  end)
end)
