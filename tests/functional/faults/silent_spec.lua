--- Beside an engine that doesn't answer: stopped by a signal, killed, or somebody else's. Verbs say so and end.
local functional = require 'functional'
local case, wait = functional.case, functional.wait

local NETWORK = [[
  pact.process 'web' { command = { 'sh', '-c', 'echo $$ > pid; exec sleep 1000' } }
  pact.process 'shell' { command = { 'sh', '-c', 'echo prompt; exec cat' }, tty = true }
]]

local function up(t)
  local network = t:up(NETWORK)
  network:expect 'all ready'
  return network, network:roles().engine
end

-- As whoever looks sees it; a signal takes a moment.
local function stop(engine)
  functional.signal(engine, 'STOP')
  wait('a stopped engine', function()
    return (functional.procfs.read(('/proc/%d/stat'):format(engine)) or ''):find '%) T '
  end)
end

-- Whatever comes of the test, the engine goes on: nothing could end it else.
local function with_stopped(t, body)
  local network, engine = up(t)
  stop(engine)
  local ok, message = pcall(body, engine, network)
  functional.signal(engine, 'CONT')
  if not ok then error(message, 0) end
end

local function told(engine)
  return ("the engine of '[%%w-]+' %%(pid %d%%) has not answered since %%d%%d:%%d%%d:%%d%%d: it is stopped %%(state T%%); "
    .. "'kill %%-CONT %d' lets it go on"):format(engine, engine)
end

describe('beside an engine that does not answer', function()
  case('a command says which, since when, and what to do; when it goes on, so does the command', function(t)
    local verbs = {
      { 'ps' }, { 'ps', '--json' }, { 'why', 'web' }, { 'env' }, { 'eval', '1 + 1' }, { 'send', 'shell', 'x' },
      { 'signal', '--signal', 'CONT', 'web' }, { 'wait' }, { 'reload', '--dry-run' }, { 'events' }, { 'top' },
      { 'exec', 'web', '--', 'true' }, { 'open', 'web' }, { 'restart', 'web' },
    }
    local started = {}
    with_stopped(t, function(engine)
      for i, words in ipairs(verbs) do started[i] = t:start(words) end
      for i, verb in ipairs(started) do
        verb:expect(told(engine), 10, false)
        assert.truthy(verb:err():find(('pactlua: %s: '):format(verbs[i][1]), 1, true), verb:err())
      end
    end)
    for i, verb in ipairs(started) do
      local result = verb:wait()
      assert.equal(verbs[i][1] == 'open' and 1 or 0, result.code, verb.name .. ': ' .. result.err)
      assert.equal(1, select(2, result.err:gsub('has not answered', '')), result.err)
    end
  end)

  case('who follows is told, told again when it answers, and goes on', function(t)
    local followers = {}
    with_stopped(t, function(engine)
      for i, words in ipairs { { 'events', '-f' }, { 'logs', '-f' } } do followers[i] = t:start(words) end
      for _, follower in ipairs(followers) do follower:expect(told(engine), 10, false) end
    end)
    for _, follower in ipairs(followers) do
      follower:expect 'the engine answers again'
      assert.is_false(follower:ended())
      follower:signal 'INT'
      follower:wait()
    end
  end)

  case('who sits at a prompt or a terminal is told there', function(t)
    local network, engine = up(t)
    local repl = t:start({ 'repl' }, { tty = true, env = { TERM = 'xterm' } })
    repl:expect 'net>'
    local attached = t:start({ 'attach', 'shell' }, { tty = true })
    attached:expect 'detaches'
    stop(engine)
    local ok, message = pcall(function()
      repl:expect(told(engine), 12, false)
      attached:expect(told(engine), 12, false)
    end)
    functional.signal(engine, 'CONT')
    assert(ok, message)
    repl:expect 'the engine answers again'
    attached:expect 'the engine answers again'
    repl:type '\4'
    attached:type '\29'
    assert.equal(0, repl:wait().code)
    assert.equal(0, attached:wait().code)
    assert.is_false(network:ended())
  end)

  case('what has no bound of its own is given up with 1, exec with 125; wait keeps to its own with 124', function(t)
    with_stopped(t, function(engine)
      local ps, exec = t:start { 'ps' }, t:start { 'exec', 'web', '--', 'true' }
      local stopped, waits = t:start { 'stop', 'web' }, t:start { 'wait', '--timeout', '1s' }
      local down = t:start { 'down' }
      local result = waits:wait(30)
      assert.equal(124, result.code)
      assert.truthy(result.err:find(told(engine)), result.err)
      result = ps:wait(40)
      assert.equal(1, result.code)
      assert.truthy(result.err:find('pactlua: ps: no answer within 15 s: given up\n', 1, true), result.err)
      assert.equal(125, exec:wait(40).code)
      result = stopped:wait(40)
      assert.equal(1, result.code)
      assert.truthy(result.err:find('what was asked may yet be done when the engine goes on', 1, true), result.err)
      result = down:wait(40)
      assert.equal(1, result.code)
      assert.truthy(result.err:find("'pactlua down --force' kills it and ends all of its processes", 1, true), result.err)
    end)
  end)

  case('a long call is none: eval that yields for longer than that is waited for', function(t)
    up(t)
    local result = t:run({ 'eval', "pact.sleep '17s' return 7" }, { seconds = 60 })
    assert.equal(0, result.code, result.err)
    assert.equal('7\n', result.out)
    assert.is_nil(result.err:find('given up', 1, true))
  end)

  case('`down --force` ends the network in spite of it', function(t)
    local network, engine = up(t)
    local web = t:wait_pid 'pid'
    stop(engine)
    local down = t:run { 'down', '--force' }
    functional.signal(engine, 'CONT')
    assert.equal(0, down.code, down.err)
    assert.truthy(down.err:find(('pid %d'):format(engine), 1, true), down.err)
    assert.truthy(down.err:find('it is stopped (state T); it is killed now', 1, true), down.err)
    assert.truthy(down.out:find("by force: its engine was killed, nothing of it is left\n", 1, true), down.out)
    assert.is_false(functional.procfs.alive(web))
    local result = network:wait()
    assert.equal(1, result.code)
    assert.truthy(result.err:find('SIGKILL', 1, true), result.err)
    assert.equal(4, t:run { 'down' }.code)
  end)

  case('`down --force` does nothing but `down` while it answers', function(t)
    local network = up(t)
    local down = t:run { 'down', '--force' }
    assert.same({ 0, '' }, { down.code, down.err })
    assert.truthy(down.out:find("^ended '[%w-]+' after "), down.out)
    assert.equal(0, network:wait().code)
  end)

  case('`logs -f` ends with an engine that was killed, though its socket lies there still', function(t)
    t:recipe(NETWORK)
    assert.equal(0, t:run({ 'up', '--detach', 'net.lua' }).code)
    local pid = tonumber(t:run({ 'eval', "io.open('/proc/self/stat'):read 'n'" }).out)
    local logs = t:start { 'logs', '-f' }
    logs:expect 'prompt'
    functional.signal(pid, 'KILL')
    assert.equal(0, logs:wait(20).code)
    assert.equal(0, t:run({ 'logs', '-f' }).code)
    assert.equal(0, t:run({ 'down' }).code)
  end)
end)

describe("another user's network", function()
  local root = functional.procfs.read('/proc/self/status'):match 'Uid:%s+(%d+)' == '0'
  local function as_stranger(t, ...)
    return t:run({ '--reuid=65534', '--regid=65534', '--clear-groups', functional.bin, ... }, { program = 'setpriv' })
  end

  case('is not permitted: 5, with whose it is', function(t)
    local network = up(t)
    os.execute(('chmod 755 %s %s/.pactlua'):format(t.dir, t.dir))
    local function refused(...)
      for _, words in ipairs { { 'ps' }, { 'down' }, { 'eval', '1' }, { 'repl' }, ... } do
        local result = as_stranger(t, table.unpack(words))
        assert.equal(5, result.code, result.err)
        assert.truthy(result.err:find("is of user 'root', who alone may ask it: not permitted\n", 1, true), result.err)
      end
    end
    refused { 'logs' }
    -- One that is dead, of somebody who has another, is none.
    os.execute(('mkdir -p %s/other/.pactlua/dead && chmod 700 %s/other/.pactlua/dead'):format(t.dir, t.dir))
    os.execute(('mv %s/.pactlua %s/away'):format(t.dir, t.dir))
    local dead = t:run({ '--reuid=65534', '--regid=65534', '--clear-groups', functional.bin, 'ps' },
      { program = 'setpriv', cwd = t.dir .. '/other' })
    os.execute(('mv %s/away %s/.pactlua'):format(t.dir, t.dir))
    assert.equal(4, dead.code, dead.err)
    local socket = t.dir .. '/' .. t:state 'control%.sock$'[1]
    os.execute(('chmod 666 %s && chmod 755 %s'):format(socket, socket:match '^(.*)/'))
    refused()
    assert.is_false(network:ended())
  end, not root and 'only root can be somebody else')
end)
