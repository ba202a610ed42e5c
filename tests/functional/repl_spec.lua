--- Sessions of the REPL: at a terminal, from a pipe, and at a network of its own.
local functional = require 'functional'
local lfs = require 'lfs'
local screen = require 'screen'
local case = functional.case

local NETWORK = [[
  pact.project 'shop'
  pact.process 'db' { command = { 'sleep', '1000' } }
  pact.process 'web' { shell = 'echo hello; exec sleep 1000', depends_on = { 'db' }, health = { log = 'hello' } }
  pact.process 'my-app' { command = { 'sleep', '1000' } }
  pact.on('ready', function() end)
]]

local function up(t, recipe)
  local network = t:up(recipe or NETWORK)
  t:wait_service('web', { status = 'running' })
  return network
end

-- Words in a terminal, in which a REPL asks for lines.
local function open_words(t, words, opts)
  opts = opts or {}
  opts.prompts = { 'shop>', '    |' }
  local at = screen.open(t, words, opts)
  t.open_screens = t.open_screens or {}
  table.insert(t.open_screens, at)
  at:expect 'shop>'
  return at
end

-- The process of a REPL in a terminal.
local function repl_in(at)
  local pane = tonumber((at:tmux('display-message', '-p', '#{pane_pid}'):match '%d+'))
  return functional.wait('the REPL', function()
    for _, process in ipairs(functional.procfs.below(pane)) do
      if process.command == functional.bin .. ' repl' then return process.pid end
    end
  end)
end

-- A REPL at the network of the test, at its prompt.
local function open(t, opts) return open_words(t, { functional.bin, 'repl' }, opts) end

-- A test with terminals: they are closed before anything else is looked at.
local function session(name, body)
  case(name, function(t)
    local ok, message = xpcall(body, debug.traceback, t)
    for _, at in ipairs(t.open_screens or {}) do at:close() end
    if not ok then error(message, 0) end
  end)
end

-- Lines as a script's input; what came of it.
local function script(t, lines, words, opts)
  t:file('script', lines)
  return t:run({ '-c', '"$0" "$@" <script', functional.bin, 'repl', table.unpack(words or {}) },
    { program = 'sh', env = opts and opts.env, cwd = opts and opts.cwd })
end

describe('repl at a terminal', function()
  session('shows what an expression is, and completes by Tab', function(t)
    up(t)
    local at = open(t)
    at:enter 'svc.web.status'
    at:ends('shop> svc.web.status', 'running', 'shop>')
    at:type 'svc.we'
    at:press 'Tab'
    at:ends 'shop> svc.web'
    at:type '.heal'
    at:press 'Tab'
    at:ends 'shop> svc.web.health'
    at:press 'Enter'
    at:ends('healthy', 'shop>')
    at:type 'svc.my'
    at:press 'Tab'
    at:ends "shop> svc['my-app']"
    at:type ':re'
    at:press 'Tab'
    at:ends "shop> svc['my-app']:restart"
    at:enter '()'
    at:ends('true', 'shop>')
    at:type ':he'
    at:press 'Tab'
    at:ends 'shop> :help'
    at:press('C-u')
    at:type 'svc.web.st'
    at:press 'Tab'
    at:ends 'shop> svc.web.sta'
    at:press 'Tab'
    at:expect 'started_at  status'
    at:ends 'shop> svc.web.sta'
  end)

  session('takes several lines for what is not finished, and UTF-8', function(t)
    up(t)
    local at = open(t)
    at:enter 'for _, word in ipairs {'
    at:ends '    |'
    at:enter "'größe', '日本' } do"
    at:enter 'print(word)'
    at:enter 'end'
    at:ends('    | end', 'größe', '日本', 'shop>')
    at:press 'Up'
    at:ends('shop> for _, word in ipairs {', "'größe', '日本' } do", 'print(word)', 'end')
  end)

  session('shows services by how they do, and tables over several rows', function(t)
    up(t)
    local at = open(t)
    at:enter 'svc.web'
    at:expect 'web  running, healthy, pid '
    at:enter 'svc'
    at:expect 'my-app  running, pid '
    at:enter "{ a = 1, b = { 'x' }, c = ('y'):rep(60) }"
    at:ends('{', '  a = 1,', "  b = { 'x' },", "  c = '" .. ('y'):rep(60) .. "'", '}', 'shop>')
    at:enter '_.b'
    at:ends("{ 'x' }", 'shop>')
    at:enter 'for s in pairs(svc) do print(s) end'
    at:ends('db', 'web', 'my-app', 'shop>')
    at:enter 'for s in pact.services() do print(s.id .. " is " .. s.status) end'
    at:ends('db is running', 'web is running', 'my-app is running', 'shop>')
  end)

  session('shows errors with the places that matter', function(t)
    up(t)
    local at = open(t)
    at:enter 'svc.wbe'
    at:ends("eval:1: no service 'wbe' (did you mean 'web'?)", 'shop>')
    at:enter "function f() error 'no' end function g() f() end"
    at:enter 'g() return 1'
    at:ends('eval:1: no', "  eval:1: in global 'f'", "  eval:1: in global 'g'", '  eval:1: in main chunk', 'shop>')
    at:enter 'x x'
    at:ends("eval:1: syntax error near 'x'", 'shop>')
  end)

  session('Ctrl-C ends a call that waits or runs, and gives up a line; the network goes on', function(t)
    up(t)
    local at = open(t)
    at:enter 'ticks = 0'
    at:enter 'print "begun" while true do pact.sleep(100) ticks = ticks + 1 end'
    at:ends 'begun'
    at:press 'C-c'
    at:ends('^Cinterrupted', 'shop>')
    at:enter 'seen = ticks pact.sleep(300) return ticks == seen'
    at:ends('true', 'shop>')
    at:enter 'while true do end'
    at:ends('eval:1: interrupted: ran for more than 250 ms without waiting', 'shop>')
    at:enter '1 + 1'
    at:ends('2', 'shop>')
    at:type 'not this'
    at:ends 'shop> not this'
    at:press 'C-c'
    at:ends('shop> not this^C', 'shop>')
    at:enter 'for i = 1, 2 do'
    at:ends '    |'
    at:press 'C-c'
    at:ends('    | ^C', 'shop>')
    at:press 'C-c'
    at:expect "':quit' or Ctrl-D leaves; the network goes on"
    assert.equal('running', t:ps().web.status)
  end)

  session('Ctrl-D and text that are typed while a call runs are heard when it has ended', function(t)
    up(t)
    local at = open(t)
    at:enter "go = pact.queue() print 'begun' go:take()"
    at:ends 'begun'
    at.typing = true -- there is no prompt to wait for
    at:enter '20 + 2'
    at:press 'C-d'
    assert.equal(0, t:run({ 'eval', "go:put 'on'" }).code)
    at:expect '\n22\n'
    at:ends 'status 0'
    assert.is_true(at:same_modes())
    local other = open(t)
    other:press 'C-Space' -- sets a mark: it ends nothing
    other:enter '1 + 1'
    other:ends('2', 'shop>')
  end)

  session('what is printed later goes above the line that is being typed', function(t)
    up(t)
    local at = open(t, { columns = 40 })
    at:enter "go = pact.queue()"
    at:enter "pact.spawn(function() for word in function() return go:take() end do print(word) end end)"
    at:expect 'task, running'
    local typed = 'local typed = "over more than one row, which is forty columns"'
    at:type(typed)
    at:press('Left', 'Left')
    at:ends('shop> local typed = "over more than one', 'row, which is forty columns"')
    for i = 1, 3 do
      assert.equal(0, t:run({ 'eval', ('go:put "late %d"'):format(i) }).code)
      at:ends('late ' .. i, 'shop> local typed = "over more than one', 'row, which is forty columns"')
    end
    at:type '!'
    at:ends('row, which is forty column!s"')
    at:press('C-u')
    at:ends('late 3', 'shop>')
  end)

  session('events come as they happen, until they are no longer wanted', function(t)
    up(t)
    local at = open(t)
    at:enter ':events'
    at:expect 'events are shown as they come'
    assert.equal(0, t:run({ 'restart', 'my-app' }).code)
    at:expect 'my-app restarted by person'
    at:enter ':events off'
    at:ends('events are no longer shown', 'shop>')
    at:enter ':events 1000'
    at:expect 'web started'
    at:enter ':tail web'
    at:expect 'web | hello'
    at:enter ':tail off'
    at:ends('no log is followed any more', 'shop>')
    at:enter ':tail db'
    at:type 'not this'
    at:press 'C-c'
    at:ends('shop> not this^C', 'shop>')
    at:press 'C-c'
    at:ends('shop> ^C', 'no log is followed any more', 'shop>')
    at:enter 'os.exit(7)'
    at:ends 'status 7'
    assert.equal('running', t:ps().web.status)
    assert.equal(5, t:run({ 'eval', 'os.exit(5)' }).code)
    assert.equal('running', t:ps().web.status)
  end)

  session('commands are those of the command line, and some of its own', function(t)
    up(t)
    local at = open(t, { columns = 120, rows = 60 })
    local rows = {
      { ':ps web', 'web      running  healthy' }, { ':tree db', 'sleep 1000' }, { ':why web', 'web is running' }, { ':logs web', 'hello' },
      { ':env', 'no address' }, { ':hooks', 'net.lua:' }, { ':time pact.sleep(200)', 'took ' }, { ':help', ':events [N|off]' },
      { ':hlp', "no command ':hlp' (did you mean ':help'?)" }, { ':why wbe', "no service 'wbe' (did you mean 'web'?)" },
      { ':ps --colour', 'unknown option --colour' },
    }
    for _, row in ipairs(rows) do
      at:enter(row[1])
      if row[1] ~= ':env' then at:expect(row[2]) end
    end
    at:type ':why my'
    at:press 'Tab'
    at:ends 'shop> :why my-app'
    at:press('C-u')
    at:enter ':clear'
    at:ends 'shop>'
    at:enter ':quit'
    at:ends 'status 0'
    assert.is_true(at:same_modes())
    assert.equal('running', t:ps().web.status)
  end)

  session('keeps what was typed, of several at once too, for the next', function(t)
    up(t)
    local one, other = open(t), open(t)
    one:enter '"from one"'
    one:expect('from one', 2)
    other:enter '"from the other"'
    other:expect('from the other', 2)
    one:enter ' "a secret"'
    one:expect('a secret', 2)
    one:press 'C-d'
    one:ends 'status 0'
    other:enter ':quit'
    other:ends 'status 0'
    assert.equal('"from one"\n"from the other"\n:quit\n', t:read '.state/pactlua/history')
    assert.equal('rw-------', lfs.attributes(t:path '.state/pactlua/history', 'permissions'))
    local later = open(t)
    later:press('Up', 'Up', 'Up')
    later:ends 'shop> "from one"'
    later:press('C-c')
    later:ends('shop> "from one"^C', 'shop>')
    later:press 'C-r'
    later:type 'other'
    later:expect 'bck:other'
    later:press 'Enter'
    later:ends('from the other', 'shop>')
  end)

  session('a network that is to end with its last lease waits until it is left', function(t)
    t:recipe(NETWORK)
    local network = t:start { 'up', '--detach', 'net.lua' }
    assert.equal(0, network:wait().code)
    local lease = t:start({ '-sSN', '--unix-socket', t:path '.pactlua/shop/control.sock', 'http://localhost/v1/lease' },
      { program = 'curl' })
    lease:expect '"lease":"held"'
    local at = open(t)
    at:expect 'the network ends with its last lease and with you'
    assert.truthy(t:run({ 'ps' }).out:find('held by 1 lease and 1 REPL: ends with the last one', 1, true))
    lease:signal 'KILL'
    functional.wait('the end of the lease', function()
      return t:run({ 'ps' }).out:find('held by 1 REPL: ends with the last one', 1, true)
    end)
    at:enter 'svc.db.status'
    at:ends('running', 'shop>')
    at:press 'C-d'
    at:ends 'status 0'
    functional.wait('the end of the network', function() return network:clean() end)
  end)

  session('the end of the network is told, and is the end', function(t)
    local network = up(t)
    local at = open(t)
    at:type 'being typed'
    network:signal 'TERM'
    at:ends('the network has ended: SIGTERM', 'status 0')
    assert.is_true(at:same_modes())
  end)

  session('the death of the engine is told, with status 4', function(t)
    local network = up(t)
    local at = open(t)
    functional.signal(network:roles().engine, 'KILL')
    at:expect 'the network is gone'
    at:ends 'status 4'
    assert.is_true(at:same_modes())
  end)

  session('a signal leaves the terminal as it was', function(t)
    up(t)
    for _, row in ipairs { { 'TERM', 143 }, { 'HUP', 129 }, { 'QUIT', 131 } } do
      local at = open(t)
      at:type 'being typed'
      at:ends 'shop> being typed'
      functional.signal(repl_in(at), row[1])
      at:expect('status ' .. row[2])
      assert.is_true(at:same_modes(), row[1])
    end
  end)

  -- What stops it: a key, or a signal that it can't hear of.
  for _, way in ipairs { 'Ctrl-Z', 'SIGSTOP' } do
    session(way .. ' stops it alone, and `fg` goes on with the line', function(t)
      up(t)
      local at = open_words(t, { 'bash', '--norc', '-c',
        'set -m; "$0" repl; echo stopped; until [ -e go ]; do sleep 0.02; done; stty sane; fg', functional.bin })
      at:type '40 + '
      at:ends 'shop> 40 +'
      if way == 'Ctrl-Z' then at:press 'C-z' else functional.signal(repl_in(at), 'STOP') end
      at:expect 'stopped'
      assert.equal('running', t:ps().web.status)
      t:file('go', '')
      at:ends 'shop> 40 +'
      at:enter '2'
      at:ends('42', 'shop>')
      at:type '1\b2'
      at:ends 'shop> 2'
    end)
  end

  session('without an editor lines are read as they come: TERM=dumb', function(t)
    up(t)
    local at = open_words(t, { 'env', 'TERM=dumb', functional.bin, 'repl' })
    at:enter 'for i = 1, 2 do'
    at:ends '    |'
    at:enter 'print(i) end'
    at:ends('    | print(i) end', '1', '2', 'shop>')
    at:enter 'print "begun" while true do pact.sleep(100) end'
    at:ends 'begun'
    at:press 'C-c'
    at:expect 'interrupted'
    at:press 'C-d'
    at:ends 'status 0'
  end)
end)

describe('what is typed', function()
  local function is_root()
    local pipe = io.popen 'id -u'
    local uid = pipe:read 'l'
    pipe:close()
    return uid == '0'
  end

  case('comes from the owner alone: no other user is let in, not even by an open door', function(t)
    up(t)
    local socket = t:path '.pactlua/shop/control.sock'
    local code = ('io.open(%q, "w"):close()'):format(t:path 'evil')
    local function ask(prefix)
      local words = { '-sS', '--max-time', '10', '--unix-socket', socket, '-d', code, 'http://localhost/v1/eval' }
      if prefix then words = { '--reuid=65534', '--regid=65534', '--clear-groups', 'curl', table.unpack(words) } end
      return t:run(words, { program = prefix and 'setpriv' or 'curl' })
    end
    assert.is_not.equal(0, ask(true).code)
    os.execute(('chmod 777 %s %s/.pactlua %s/.pactlua/shop %s'):format(t.dir, t.dir, t.dir, socket))
    local refused = ask(true)
    assert.is_false(t:exists 'evil', refused.out .. refused.err)
    assert.equal(0, ask(false).code)
    assert.is_true(t:exists 'evil')
  end, not is_root() and 'only root can be somebody else')
end)

describe('repl from a pipe', function()
  -- lines, status, output, a part of the standard error
  local SCRIPTS = {
    { 'svc.web.status\n', 0, 'running\n' },
    { 'svc.web.status', 0, 'running\n' },
    { '', 0, '' },
    { '\n\n', 0, '' },
    { 'for i = 1, 2 do\n  print(i)\nend\nx = 5\nx\n_ + 1\n', 0, '1\n2\n5\n6\n' },
    { 'print "a"\ndo io.write "b" end\n"c"\n', 0, 'a\nb\nc\n' },
    { '1\nerror "no"\n2\n', 1, '1\n', 'eval:1: no' },
    { '1\nsvc.wbe\n2\n', 1, '1\n', "did you mean 'web'?" },
    { '1 +\n', 1, '', "near <eof>" },
    { 'pact.sleep(200) print "slept"\n', 0, 'slept\n' },
    { ':quit\nprint "not this"\n', 0, '' },
    { ':why wbe\nprint(1)\n', 1, '', "no service 'wbe' (did you mean 'web'?)" },
    { ':hlp\nprint(1)\n', 2, '', "did you mean ':help'" },
    { '1\n:ps nobody\n2\n', 1, '1\n', "no service 'nobody'" },
    { '\xff\n', 1, '', 'the line is no text' },
  }
  case('is a script: values, errors and its status', function(t)
    up(t)
    for _, row in ipairs(SCRIPTS) do
      local result = script(t, row[1])
      assert.same({ row[2], row[3] }, { result.code, result.out }, ('%q: %s'):format(row[1], result.err))
      assert.truthy(result.err:find(row[4] or '', 1, true), result.err)
    end
  end)

  case('ends as other programs do when nobody reads what it says, or the disk is full', function(t)
    up(t)
    t:file('many', ('print(("x"):rep(100))\n'):rep(3000))
    local function run(text) return t:run({ '-c', text, functional.bin }, { program = 'bash' }) end
    assert.equal('141 0\n', run('"$0" repl <many | head -n 1 >/dev/null; echo ${PIPESTATUS[@]}').out)
    local full = run('"$0" repl <many >/dev/full')
    assert.same({ 1, 'pactlua: repl: stdout: No space left on device\n' }, { full.code, full.err })
  end)

  case('the network may end by it; what comes behind that can not be done', function(t)
    up(t)
    assert.equal(0, script(t, 'pact.shutdown()\n').code)
    t.started[1]:wait()
    up(t)
    local result = script(t, 'pact.shutdown() pact.sleep(100000)\nprint "more"\n')
    assert.equal(4, result.code)
    assert.truthy(result.err:find('the network has ended before a call had', 1, true), result.err)
    assert.equal('', result.out)
  end)

  case('says how to begin where there is no network', function(t)
    local result = script(t, '1\n')
    assert.equal(4, result.code)
    assert.truthy(result.err:find('no live network here or above', 1, true), result.err)
    assert.truthy(result.err:find("'pactlua repl RECIPE' loads a recipe", 1, true), result.err)
  end)
end)

describe('repl with a recipe', function()
  case('starts nothing, then what is asked for and what that needs, and ends with its prompt', function(t)
    t:recipe(NETWORK)
    local result = script(t, 'svc.web.status\nsvc.web:start()\nsvc.web.status\nsvc.db.status\nsvc["my-app"].status\n', { 'net.lua' })
    assert.same({ 0, 'idle\ntrue\nrunning\nrunning\nidle\n' }, { result.code, result.out }, result.err)
    assert.equal(0, result.left)
    assert.equal(0, #t:events 'crashed')
  end)

  case('ends with 1 after an error, and as the network was told to', function(t)
    t:recipe(NETWORK)
    local result = script(t, 'svc.db:start()\nerror "no"\n', { 'net.lua' })
    assert.equal(1, result.code)
    assert.equal(5, script(t, 'pact.shutdown(5) pact.sleep(100000)\n', { 'net.lua' }).code)
  end)

  case('tells what is wrong with the recipe, with status 2', function(t)
    t:recipe "pact.process 'web' { comand = { 'x' } }"
    local result = script(t, '1\n', { 'net.lua' })
    assert.equal(2, result.code)
    assert.truthy(result.err:find("did you mean 'command'", 1, true), result.err)
    assert.equal('', result.out)
  end)

  case('of a network that is up says so, and what to do', function(t)
    up(t)
    local result = script(t, '1\n', { 'net.lua' })
    assert.equal(1, result.code)
    assert.truthy(result.err:find("'shop' is up already", 1, true) and result.err:find("'pactlua repl' opens a prompt at it", 1, true), result.err)
  end)

  case('reads a body up to where it first acts', function(t)
    t:recipe "pact.process 'a' { command = { 'sleep', '1000' } } pact.start 'a' pact.process 'b' { command = { 'sleep', '1' } }"
    local result = script(t, 'svc.a.status\n', { 'net.lua' })
    assert.same({ 0, 'idle\n' }, { result.code, result.out }, result.err)
    assert.truthy(result.err:find('the recipe is read up to here, where it first acts', 1, true), result.err)
  end)

  session('at a terminal: Ctrl-D ends the network', function(t)
    t:recipe(NETWORK)
    local at = open_words(t, { functional.bin, 'repl', 'net.lua' })
    at:expect 'nothing is started yet'
    at:enter 'svc.db:start()'
    at:ends('true', 'shop>')
    assert.equal('running', t:ps().db.status)
    at:press 'C-d'
    at:ends 'status 0'
    assert.is_true(at:same_modes())
    assert.is_nil(t:ps())
  end)
end)
