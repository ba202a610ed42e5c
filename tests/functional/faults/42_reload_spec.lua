--- Fault 42: reloads at the worst moments. What was asked last holds, nothing is started twice, no stop is a crash.
local functional = require 'functional'
local case = functional.case

-- Whole in one moment, as editors write: a reload that is under way reads one or the other.
local function recipe(t, text)
  assert(os.rename(t:file('net.lua.new', "local pact = require 'pact'\n" .. text), t:path 'net.lua'))
end

local function network(t, text)
  recipe(t, text)
  local up = t:start { 'net.lua' }
  functional.wait('a network', function() return t:ps() end)
  return up
end

-- One that writes down its life and takes a while to end, and until nothing holds it.
local function slow(id, nice)
  return ([[pact.process '%s' { nice = %d, stop = { timeout = '5m' }, shell = [=[
    echo start $$ >>%s.life
    trap "sleep 0.3; while test -e hold; do sleep 0.02; done; echo end $$ >>%s.life; exit 0" TERM; while :; do sleep 0.02; done]=] }
  ]]):format(id, nice, id, id)
end

-- No two of its lives at a time: each start is behind the end of the one before.
local function one_at_a_time(t, id)
  local alive
  for _, line in ipairs(t:lines(id .. '.life')) do
    local what, pid = line:match '^(%a+) (%d+)$'
    if what == 'start' then
      assert.is_nil(alive, ('%s was started while %s lived'):format(line, alive))
      alive = pid
    elseif pid == alive then
      alive = nil
    end
  end
end

describe('fault 42: a reload', function()
  case('while services start gives them their new shape', function(t)
    network(t, [[pact.process 'db' { health = { file = 'ready', interval = '50ms' },
        shell = 'until [ -e go ]; do sleep 0.02; done; touch ready; exec sleep 1000' }
      pact.process 'web' { command = { 'sleep', '1001' }, depends_on = { 'db' } }]])
    t:wait_service('web', { status = 'waiting' })
    recipe(t, [[pact.process 'db' { health = { file = 'ready', interval = '50ms' },
        shell = 'until [ -e go ]; do sleep 0.02; done; touch ready; exec sleep 1000' }
      pact.process 'web' { command = { 'sleep', '1002' }, depends_on = { 'db' } }]])
    local result = t:run { 'reload' }
    assert.same({ 0, 'web: changed for its next start (command)\n1 service unchanged\n' }, { result.code, result.out })
    t:file('go', '')
    local web = t:wait_service('web', { status = 'running' })
    assert.truthy(functional.procfs.read(('/proc/%d/cmdline'):format(web.pid)):find('1002', 1, true))
    assert.equal(1, #t:events 'restarted' + web.epoch)
  end)

  case('while a service stops waits for its end', function(t)
    network(t, slow('a', 1) .. slow('b', 1))
    t:wait_lines('a.life', 1)
    t:file('hold', '')
    t:start { 'stop', 'a' }
    t:wait_service('a', { status = 'stopping' })
    recipe(t, slow('a', 2) .. slow('b', 1))
    local reload = t:start { 'reload' }
    os.remove(t:path 'hold')
    assert.equal(0, reload:wait().code)
    t:wait_service('a', { status = 'stopped' })
    assert.equal(2, #t:lines 'a.life')
    assert.equal(0, t:run({ 'start', 'a' }).code)
    one_at_a_time(t, 'a')
    assert.same({}, t:events 'crashed')
  end)

  case('among restarts, stops and other reloads, many at once: what was asked last holds', function(t)
    network(t, slow('a', 1) .. slow('b', 1))
    t:wait_lines('b.life', 1)
    local all = {}
    for i = 2, 9 do
      recipe(t, slow('a', i) .. (i % 2 == 1 and slow('b', i) or ''))
      all[#all + 1] = t:start { 'reload' }
      all[#all + 1] = t:start { 'restart', 'a' }
      if i % 3 == 0 then all[#all + 1] = t:start { 'reload' } end
    end
    for _, one in ipairs(all) do
      local result = one:wait()
      assert.truthy(result.code == 0 or result.err:find('another reload has come', 1, true), result.err)
    end
    assert.equal(0, t:run({ 'reload' }).code)
    assert.equal(0, t:run({ 'wait', '--timeout', '60s' }).code)
    local now = t:ps()
    assert.same({ 'running', 'running' }, { now.a.status, now.b.status })
    local fields = functional.procfs.read(('/proc/%d/stat'):format(now.a.pid)):match '^.*%) (.*)$'
    assert.equal('9', fields:match(('%S+ '):rep(16) .. '(%S+)'), 'nice, as the last recipe has it')
    one_at_a_time(t, 'a')
    one_at_a_time(t, 'b')
    assert.same({}, t:events 'crashed')
    assert.same({}, t:events 'failed')
  end)

  case('during the shutdown is refused, and the shutdown goes on', function(t)
    local up = network(t, slow('a', 1))
    t:wait_lines('a.life', 1)
    t:file('hold', '')
    local down = t:start { 'down' }
    t:wait_service('a', { status = 'stopping' })
    recipe(t, slow('a', 2) .. slow('b', 2))
    local result = t:run { 'reload' }
    os.remove(t:path 'hold')
    assert.truthy(result.code == 1 and result.err:find('shutting down', 1, true), result.err)
    assert.equal(0, down:wait().code)
    assert.equal(0, up:wait().code)
    assert.is_false(t:exists 'b.life')
    assert.equal(2, #t:lines 'a.life')
  end)

  case('that the shutdown overtakes does nothing', function(t)
    local up = network(t, slow('a', 1))
    t:wait_lines('a.life', 1)
    recipe(t, "pact.exec { 'sh', '-c', 'touch reading; while ! test -e go; do sleep 0.02; done' }\n" .. slow('b', 1))
    local reload = t:start { 'reload' }
    functional.wait('the recipe to be read', function() return t:exists 'reading' end)
    t:file('hold', '')
    local down = t:start { 'down' }
    t:wait_service('a', { status = 'stopping' })
    t:file('go', '')
    os.remove(t:path 'hold')
    assert.equal(0, down:wait().code)
    assert.equal(0, up:wait().code)
    assert.is_true(reload:wait().code ~= 0)
    assert.is_false(t:exists 'b.life')
  end)

  case('does not bring back what a person has stopped', function(t)
    network(t, slow('a', 1) .. slow('b', 1))
    t:wait_lines('a.life', 1)
    assert.equal(0, t:run({ 'stop', 'a' }).code)
    recipe(t, slow('a', 2) .. slow('b', 2))
    local result = t:run { 'reload' }
    assert.same({ 0, 'a: changed for its next start (nice)\nb: restarted (nice)\n' }, { result.code, result.out })
    assert.equal(0, t:run({ 'wait', 'b' }).code)
    assert.equal('stopped', t:ps().a.status)
  end)
end)
