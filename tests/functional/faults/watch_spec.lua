--- Fault 56: storms of changes, loops of links, the limits of inotify.
local functional = require 'functional'
local case = functional.case

local function recipe(watch)
  return ([[pact.process 'p' { shell = 'echo $$ >>pids; exec sleep 1000', watch = %s }]]):format(watch)
end

local function run(t, command)
  assert(os.execute(('cd %s && { %s; } >/dev/null 2>&1'):format(t.dir, command)))
end

-- Gives the body a directory in memory: a disk that others write to takes its time.
local function in_memory(body)
  return function(t)
    local dir = os.execute 'test -w /dev/shm' and '/dev/shm' .. t.dir:match '/[^/]*$' or t:path 'src'
    assert(os.execute('rm -rf ' .. dir .. ' && mkdir ' .. dir))
    local ok, message = pcall(body, t, dir)
    os.execute('rm -rf ' .. dir)
    if not ok then error(message, 0) end
  end
end

local LIMITED = 'echo 4 >/proc/sys/user/max_inotify_watches && exec "$@"'
local can_mount = os.execute "unshare -U -r -m sh -c 'mount -t tmpfs none /mnt' 2>/dev/null"
local can_limit = os.execute("unshare -U -r sh -c 'echo 4 >/proc/sys/user/max_inotify_watches' 2>/dev/null")

describe('watch', function()
  case('fault 56: git checkout of 10,000 files is one restart', in_memory(function(t, dir)
    run(t, ([[cd %s && git init -q -b one . && git config user.email a@b.c && git config user.name t &&
      for d in 0 1 2 3 4 5 6 7 8 9; do mkdir -p d$d/x; (cd d$d/x; seq 1000 | awk -v d=$d '{ f = "f" $1 ".js"; print d > f; close(f) }'); done &&
      git add . && git commit -qm one && git checkout -q -b two && find . -name '*.js' -exec sed -i 's/^/x/' {} + &&
      git commit -qam two && git checkout -q one]]):format(dir))
    local up = t:up(recipe(("{ paths = { '%s/**/*.js' }, debounce = '1s' }"):format(dir)))
    t:wait_service('p', { status = 'running' })
    run(t, ('cd %s && git checkout -q two'):format(dir))
    up:expect('changed')
    t:wait_lines('pids', 2)
    t:wait_service('p', { status = 'running', restart_count = 1 })
    local more = tonumber(up:out():match 'and (%d+) more changed')
    assert.is_true(more > 1000 and more <= 10000, up:out()) -- the kernel's queue may overflow
    run(t, ('echo one more >%s/d0/x/f1.js'):format(dir))
    up:expect 'd0/x/f1.js changed'
    t:wait_lines('pids', 3)
    assert.equal(3, #t:lines 'pids')
  end))

  case('fault 56: links that lead in circles, out and nowhere end the search', function(t)
    run(t, 'mkdir -p src/a/b outside && ln -s .. src/a/up && ln -s . src/here && ln -s nowhere src/broken && ln -s ../outside src/out')
    local up = t:up(recipe "{ paths = { 'src/**/*.js' }, debounce = '50ms' }")
    t:wait_service('p', { status = 'running' })
    t:file('src/a/b/x.js', '1')
    t:wait_lines('pids', 2)
    t:file('outside/y.js', '1')
    up:expect 'src/out/y.js changed'
    t:wait_lines('pids', 3)
    assert.equal(2, select(2, up:out():gsub(' changed\n', '')))
  end)

  case('fault 56: at the limit of inotify it says so, and looks by itself', function(t)
    run(t, 'for d in 1 2 3 4 5 6 7 8; do mkdir -p src/d$d; echo 1 >src/d$d/a.js; done')
    t:recipe(recipe "{ paths = { 'src/**/*.js' }, debounce = '50ms' }")
    local up = t:start({ '-U', '-r', 'sh', '-c', LIMITED, '--', functional.bin, 'net.lua' }, { program = 'unshare' })
    up:expect '5 are looked at every 2 s instead; raise the limit'
    t:wait_lines('pids', 1)
    for d = 1, 8 do
      t:file(('src/d%d/a.js'):format(d), 'changed')
      up:expect(('src/d%d/a.js changed'):format(d))
      t:wait_lines('pids', d + 1)
    end
  end, not can_limit and 'no user namespaces here')

  case('fault 56: a file system that is unmounted is gone, and what is below it counts', function(t)
    run(t, 'mkdir src')
    t:recipe(recipe "{ paths = { 'src/**/*.js' }, debounce = '50ms' }"
      .. [[ pact.task 'away' { disabled = true, command = { 'umount', 'src' } } ]]
      .. [[ pact.task 'inside' { disabled = true, shell = 'mkdir src/deep; sleep 0.2; echo 1 >src/deep/in.js' } ]])
    local up = t:start({ '-U', '-r', '-m', 'sh', '-c', 'mount -t tmpfs none src && exec "$@"', '--', functional.bin,
      'net.lua' }, { program = 'unshare' })
    t:wait_service('p', { status = 'running' })
    t:run { 'start', 'inside' }
    up:expect 'src/deep/in.js changed'
    t:wait_lines('pids', 2)
    t:run { 'start', 'away' }
    t:wait_service('away', { status = 'completed' })
    t:file('src/below.js', '1')
    up:expect 'src/below.js changed'
    t:wait_lines('pids', 3)
    t:wait_service('p', { status = 'running' })
  end, not can_mount and 'no mounts in user namespaces here')

  case('fault 56: a directory that is moved away and back is followed', function(t)
    run(t, 'mkdir -p src/a/b && echo 1 >src/a/b/x.js')
    local up = t:up(recipe "{ paths = { 'src/**/*.js' }, debounce = '50ms' }")
    t:wait_service('p', { status = 'running' })
    run(t, 'mv src/a elsewhere')
    t:wait_lines('pids', 2)
    t:file('elsewhere/b/x.js', 'not ours any more')
    run(t, 'mv elsewhere src/c')
    up:expect 'src/c/b/x.js changed'
    t:wait_lines('pids', 3)
    t:file('src/c/b/y.js', '1')
    up:expect 'src/c/b/y.js changed'
    t:wait_lines('pids', 4)
    assert.equal(4, #t:lines 'pids')
  end)
end)
