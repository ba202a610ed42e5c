--- Services that follow their files.
local functional = require 'functional'
local case = functional.case

-- A process that says when it starts; `watch` is the text of the field.
local function recipe(watch, more)
  return ([[pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', watch = %s, %s }]]):format(watch, more or '')
end

-- What happens after this is seen: a change of a file that counts has been answered once.
local function settled(t, count)
  t:wait_lines('pids', count)
  return t:wait_service('p', { status = 'running' })
end

local function run(t, command) assert(os.execute(('cd %s && %s'):format(t.dir, command))) end

describe('watch', function()
  case('restarts when a file that matches changes, and for no other', function(t)
    t:file('src/deep/a.js', '1')
    t:file('src/b.txt', '1')
    local up = t:up(recipe "{ paths = { 'src/**/*.js' }, debounce = '50ms' }")
    settled(t, 1)
    t:file('src/b.txt', '2')
    t:file('src/deep/a.js', '2')
    up:expect 'src/deep/a.js changed'
    local service = settled(t, 2)
    assert.equal(1, service.restart_count)
    t:file('src/c.js', 'new')
    up:expect 'src/c.js changed'
    settled(t, 3)
    t:file('src/new/sub/d.js', 'in new directories')
    up:expect 'src/new/sub/d.js changed'
    settled(t, 4)
    os.remove(t:path 'src/c.js')
    settled(t, 5)
  end)

  case("editors' ways of saving count once", function(t)
    t:file('conf/app.conf', '1')
    local up = t:up(recipe "{ paths = { 'conf/app.conf' }, debounce = '100ms' }")
    settled(t, 1)
    run(t, 'cd conf && touch 4913 && rm 4913 && mv app.conf app.conf~ && echo 2 >app.conf && rm app.conf~') -- vim
    settled(t, 2)
    run(t, 'cd conf && echo 3 >.app.conf.tmp && mv .app.conf.tmp app.conf')
    settled(t, 3)
    run(t, 'cd conf && echo 4 >other && echo 5 >app.conf.bak')
    t:file('conf/app.conf', '6')
    settled(t, 4)
    assert.equal(3, select(2, up:out():gsub('conf/app%.conf changed', '')))
  end)

  case('leaves alone what is ignored: by default, by .gitignore, by the recipe', function(t)
    t:file('.gitignore', 'build/\n*.log\n!keep.log\n')
    t:file('src/.gitignore', 'gen.js\n')
    local up = t:up(recipe "{ paths = { '**/*' }, ignore = { 'tmp', '/pids', '.run' }, debounce = '50ms' }")
    settled(t, 1)
    for _, name in ipairs { 'node_modules/x/a.js', '.git/index', 'build/a', 'a.log', 'src/gen.js', 'tmp/a', 'x.js~' } do
      t:file(name, 'x')
    end
    t:file('keep.log', 'x')
    up:expect 'keep.log changed'
    settled(t, 2)
    assert.equal(1, select(2, up:out():gsub(' changed\n', '')))
  end)

  case('a path may appear later, and come back', function(t)
    local up = t:up(recipe "{ paths = { 'later/src/*.js', 'later/one.json' }, debounce = '50ms' }")
    settled(t, 1)
    run(t, 'mkdir -p new/src && echo 1 >new/src/a.js && mv new later')
    up:expect 'later/src/a.js changed'
    settled(t, 2)
    t:file('later/one.json', '{}')
    settled(t, 3)
    run(t, 'rm -r later')
    settled(t, 4)
    run(t, 'mkdir -p later/src')
    t:file('later/src/b.js', '1')
    up:expect 'later/src/b.js changed'
    settled(t, 5)
  end)

  case('action = signal, and a function that gets the paths', function(t)
    t:file('a.conf', '1')
    t:file('b.conf', '1')
    t:recipe [[
      pact.process 's' { shell = 'trap "echo USR1 >>heard" USR1; echo $$ >pid; while :; do sleep 0.05; done',
        watch = { 'a.conf', action = 'signal', signal = 'USR1', debounce = '50ms' } }
      pact.process 'f' { command = { 'sleep', '1000' }, watch = { 'b.conf', debounce = '50ms',
        action = function(service, paths)
          local file = io.open('called', 'a')
          file:write(service.id, ' ', table.concat(paths, ' '), '\n')
          file:close()
        end } }
    ]]
    t:start { 'net.lua' }
    t:wait_pid 'pid'
    t:wait_service('f', { status = 'running' })
    t:file('a.conf', '2')
    t:wait_lines('heard', 1)
    t:file('b.conf', '2')
    assert.same({ 'f b.conf' }, t:wait_lines('called', 1))
    assert.equal(1, t:ps().s.epoch)
    assert.equal(1, t:ps().f.epoch)
  end)

  case('cascade restarts dependents, too', function(t)
    t:file('a', '1')
    t:up [[
      pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', watch = { 'a', cascade = true, debounce = '50ms' } }
      pact.process 'q' { shell = 'echo $$ >>pids-of-q; exec sleep 1000', depends_on = { 'p' } }
    ]]
    t:wait_lines('pids-of-q', 1)
    t:file('a', '2')
    t:wait_lines('pids', 2)
    t:wait_lines('pids-of-q', 2)
    t:wait_service('q', { status = 'running' })
  end)

  case('one that has failed starts again when its files change', function(t)
    t:file('code', 'exit 1')
    t:up [[
      pact.process 'p' { command = { 'sh', 'code' }, restart = { max_retries = 1, delay = '50ms' }, watch = { 'code', debounce = '50ms' } }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    t:wait_service('p', { status = 'failed' })
    t:file('code', 'exec sleep 1000')
    t:wait_service('p', { status = 'running' })
  end)

  case('one that restarts because of itself is paused after ten in a minute', function(t)
    local up = t:up [[
      pact.process 'p' { shell = 'echo $$ >>pids; sleep 0.1; echo x >src/out; exec sleep 1000', watch = { 'src/', debounce = '10ms' },
        stop = { signal = 'KILL' } }
      pact.exec { 'mkdir', '-p', 'src' }
    ]]
    up:expect('the 11th time within a minute: the watch pauses for 1m')
    assert.equal(11, #t:lines 'pids')
    assert.matches('its watch pauses for', t:run({ 'why', 'p' }).out)
    t:wait_service('p', { status = 'running' })
  end)

  case('stopped by hand it stays so', function(t)
    t:file('a', '1')
    t:up(recipe("{ 'a', debounce = '20ms' }", "depends_on = { 'q' } } pact.process 'q' { command = { 'sleep', '1000' }"))
    settled(t, 1)
    t:run { 'stop', 'p' }
    t:wait_service('p', { status = 'stopped' })
    t:file('a', '2')
    t:run { 'start', 'p' }
    settled(t, 2)
    t:file('a', '3')
    settled(t, 3)
  end)
end)
