local network = require 'network'

describe('a watched service', function()
  local net
  after_each(function()
    assert.same({}, net.errors)
  end)

  local FILES = { 'src/a.js', 'src/deep/b.js', 'src/deep/c.txt', 'node_modules/x/d.js', 'conf.json' }

  local function up(watch, opts)
    opts = opts or {}
    watch = setmetatable(watch, { __index = {
      paths = { 'src/**/*.js' }, ignore = {}, debounce = 200, cascade = false, action = 'restart', signal = 1,
    } })
    net = network.new({ { 'web', { watch = watch, restart = opts.restart } }, { 'front', { depends_on = { 'web' } } } },
      { programs = { web = opts.program } })
    for _, name in ipairs(opts.files or FILES) do net.world.files['/srv/' .. name] = 'x' end
    net.world.watch_limit = opts.limit
    if opts.later then
      local stat, wall = net.sys.fs.stat, net.sys.time.wall()
      function net.sys.fs.stat(path)
        local found, message, code = stat(path)
        if found and path == '/srv/' .. opts.later then found.mtime = wall + 1 end
        return found, message, code
      end
    end
    return net:up(1000)
  end

  local function touch(name, ms)
    net.world.files['/srv/' .. name] = 'new'
    net.world.changed('/srv/' .. name)
    net.world:advance(ms or 0)
  end

  local function told()
    local out = {}
    for _, event in ipairs(net.events) do
      if event.name == 'watch' then out[#out + 1] = event.action .. ': ' .. event.reason end
    end
    return out
  end

  local function runs(id) return #net:runs(id or 'web') end

  -- paths, ignore, .gitignore, what changes, whether it restarts
  local rows = {
    { { 'src/**/*.js' }, {}, nil, 'src/a.js', true }, { { 'src/**/*.js' }, {}, nil, 'src/deep/b.js', true },
    { { 'src/**/*.js' }, {}, nil, 'src/deep/c.txt', false }, { { 'src/*.js' }, {}, nil, 'src/deep/b.js', false },
    { { 'src/' }, {}, nil, 'src/deep/c.txt', true }, { { 'conf.json' }, {}, nil, 'conf.json', true },
    { { '**/*' }, {}, nil, 'node_modules/x/d.js', false }, { { 'node_modules/x/*' }, {}, nil, 'node_modules/x/d.js', true },
    { { '**/*' }, { '!node_modules' }, nil, 'node_modules/x/d.js', true }, { { '**/*' }, { 'deep' }, nil, 'src/deep/b.js', false },
    { { '**/*' }, { '/src/a.*' }, nil, 'src/a.js', false }, { { '**/*' }, {}, '*.js', 'src/a.js', false },
    { { '**/*' }, { '!a.js' }, '*.js', 'src/a.js', true }, { { 'src/a.js' }, {}, '/src', 'src/a.js', true },
    { { '**/*' }, {}, nil, 'src/.a.js.swp', false }, { { '**/*' }, {}, nil, 'src/a.js~', false }, { { '{src,lib}/*.{js,ts}' }, {}, nil, 'src/a.js', true },
  }
  for i, row in ipairs(rows) do
    it(('%d: %s %s'):format(i, row[5] and 'restarts for' or 'leaves alone', row[4]), function()
      local files = table.move(FILES, 1, #FILES, 1, { row[4] })
      if row[3] then files[#files + 1] = '.gitignore' end
      net = network.new { { 'web', { watch = { paths = row[1], ignore = row[2], debounce = 200, action = 'restart' } } } }
      for _, name in ipairs(files) do net.world.files['/srv/' .. name] = name == '.gitignore' and row[3] or 'x' end
      net:up(1000)
      touch(row[4], 1000)
      assert.equal(row[5] and 2 or 1, runs())
    end)
  end

  it('waits for silence, and says what has changed', function()
    up {}
    touch('src/a.js', 150)
    touch('src/deep/b.js', 150)
    touch('src/a.js', 150)
    assert.equal(1, runs())
    net.world:advance(60)
    assert.equal(2, runs())
    assert.same({ 'restart: src/a.js and 1 more changed' }, told())
    assert.equal('watch', net:last('restarted', 'web').by)
    assert.equal(1, net.sup:snapshot('web').restart_count)
    assert.equal(1, runs 'front')
  end)

  it('misses nothing that changes before the search has come to it', function()
    up({}, { later = 'src/deep/b.js' })
    assert.equal(2, runs())
    assert.same({ 'restart: src/deep/b.js changed' }, told())
  end)

  it('does not wait for ever', function()
    up {}
    for _ = 1, 310 do touch('src/a.js', 100) end
    assert.equal(2, runs())
  end)

  it('restarts what depends on it when that is said', function()
    up { cascade = true }
    touch('src/a.js', 1000)
    assert.same({ 2, 2 }, { runs 'web', runs 'front' })
  end)

  it('signals instead', function()
    up { action = 'signal', signal = 10 }
    touch('src/a.js', 1000)
    assert.same({ 1, { 10 } }, { runs(), net:runs('web')[1].signals })
  end)

  it('calls a function, never twice at once; its error is told', function()
    local calls = {}
    up { action = function(service, paths)
      calls[#calls + 1] = service.id .. ' ' .. table.concat(paths, ' ')
      net.loop:sleep(2000)
      error('boom', 0)
    end }
    touch('src/a.js', 500)
    touch('src/deep/b.js', 500)
    assert.same({ 'web src/a.js' }, calls)
    net.world:advance(2000)
    assert.same({ 'web src/a.js', 'web src/deep/b.js' }, calls)
    assert.equal('boom', net:last('hook_failed', 'web').message)
    assert.equal(1, runs())
  end)

  it('starts one that has failed, with all its retries', function()
    up({}, { program = function(_, nth) return nth <= 2 and { exit_after = 10, code = 1 } or {} end,
      restart = { max_retries = 1, delay = 100 } })
    assert.equal('failed', net:status 'web')
    touch('src/a.js', 1000)
    assert.same({ 'running', 3, 0 }, { net:status 'web', runs(), net.sup:snapshot('web').attempt })
  end)

  it('leaves alone one that was stopped by hand', function()
    up {}
    net.sup:stop 'web'
    net.world:advance(1000)
    touch('src/a.js', 1000)
    assert.equal(1, runs())
    net.sup:start 'web'
    net.world:advance(1000)
    touch('src/a.js', 1000)
    assert.equal(3, runs())
  end)

  it('pauses after ten restarts in a minute, and goes on after another one', function()
    up {}
    for _ = 1, 14 do touch('src/a.js', 1000) end
    assert.equal(11, runs())
    assert.equal('paused: src/a.js changed, the 11th time within a minute: the watch pauses for 1m', told()[11])
    assert.equal(11, #told())
    assert.is_true(net.sup:why('web').watch_paused_for > 50000)
    net.world:advance(60000)
    assert.equal(12, runs())
    assert.is_nil(net.sup:why('web').watch_paused_for)
    touch('src/a.js', 1000)
    assert.equal(13, runs())
  end)

  it('takes ten restarts that are spread over more than a minute', function()
    up {}
    for _ = 1, 30 do touch('src/a.js', 7000) end
    assert.equal(31, runs())
  end)

  it('looks anew when events were lost', function()
    up {}
    net.world.files['/srv/src/late/x.js'] = 'x'
    net.world.lost()
    net.world:advance(1000)
    assert.equal(2, runs())
    touch('src/late/x.js', 1000)
    assert.equal(3, runs())
  end)

  it('follows directories that come and go', function()
    up {}
    net.world.files['/srv/src/new/sub/x.js'] = 'x'
    net.world.changed('/srv/src/new', 'created', true)
    net.world:advance(1000)
    assert.equal('restart: src/new/sub/x.js changed', told()[1])
    touch('src/new/sub/x.js', 1000)
    assert.equal(3, runs())
    net.world.files['/srv/src/new/sub/x.js'] = nil
    net.world.changed('/srv/src/new', 'removed', true)
    net.world.lost '/srv/src/new/sub'
    net.world.lost '/srv/src/new'
    net.world:advance(1000)
    assert.equal(4, runs())
  end)

  it('waits for a path that is not there', function()
    up({ paths = { 'later/on/*.js' } })
    net.world.files['/srv/later/on/x.js'] = 'x'
    net.world.changed('/srv/later', 'created', true)
    net.world:advance(1000)
    assert.same({ 'restart: later/on/x.js changed' }, told())
    touch('later/on/x.js', 1000)
    assert.equal(3, runs())
  end)

  it('looks by itself at what the kernel does not watch, and says so', function()
    up({}, { limit = 1 })
    assert.matches('^degraded: the kernel watches no more directories for this user %(fs.inotify.max_user_watches%): 1 are', told()[1])
    net.world.files['/srv/src/deep/b.js'] = 'longer than before'
    net.world:advance(2500)
    assert.same({ 2, 'restart: src/deep/b.js changed' }, { runs(), told()[2] })
    net.world.files['/srv/src/deep/new.js'] = 'x'
    net.world:advance(2500)
    assert.equal(3, runs())
    net.world.files['/srv/src/deep/new.js'] = nil
    net.world:advance(2500)
    assert.equal(4, runs())
  end)

  it('leaves nothing behind', function()
    up({}, { limit = 1 })
    touch('src/a.js', 100)
    net.sup:shutdown 'test'
    net.world:advance(60000)
    assert.is_true(net.world:quiet())
    for _, set in pairs(net.world.watches) do assert.is_true(set.dead) end
  end)
end)
