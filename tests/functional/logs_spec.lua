--- `logs`: what services wrote, of one or several, of this run or the one before, and as it comes.
local functional = require 'functional'
local cjson = require 'cjson'
local case = functional.case

-- Two tasks that take turns, each line behind the other's.
local TURNS = [[
  pact.project 'turns'
  pact.task 'a' { shell = 'for i in 1 2 3; do echo "a$i $RUN"; sleep 0.06; touch a$i; while [ ! -e b$i ]; do sleep 0.01; done; done' }
  pact.task 'b' { shell = 'for i in 1 2 3; do while [ ! -e a$i ]; do sleep 0.01; done; echo "b$i $RUN"; sleep 0.06; touch b$i; done' }
]]

local function played(t, run)
  os.execute(('cd %s && rm -f a? b?'):format(functional.quote(t.dir)))
  t:recipe(TURNS)
  local result = t:run({ 'net.lua' }, { env = { RUN = run } })
  assert.equal(0, result.code, result.out .. result.err)
end

local function merged(run)
  return (('a | a1 R\nb | b1 R\na | a2 R\nb | b2 R\na | a3 R\nb | b3 R\n'):gsub('R', run))
end

describe('logs', function()
  case('of several services are merged in the order of time, of the run before, too', function(t)
    played(t, 'one')
    played(t, 'two')
    assert.equal(merged 'two', t:run({ 'logs' }).out)
    assert.equal(merged 'two', t:run({ 'logs', 'b', 'a' }).out)
    assert.equal(merged 'one', t:run({ 'logs', '--previous' }).out)
    assert.equal('a | a3 one\nb | b3 one\n', t:run({ 'logs', '--previous', '-n', '1', 'a', 'b' }).out)
    assert.equal('b2 two\n', t:run({ 'logs', '--grep', 'b2', 'b' }).out)
  end)

  case('show a line whole, however long it is', function(t)
    t:recipe [[
      pact.task 'long' { shell = 'head -c 700000 /dev/zero | tr "\\0" x; echo; printf "\\377\\1 end\\n"' }
    ]]
    assert.equal(0, t:run({ 'net.lua' }).code)
    local out = t:run({ 'logs' }).out
    assert.equal(700000 + #'\n\255\1 end\n', #out)
    assert.equal(('x'):rep(700000) .. '\n\255\1 end\n', out)
    assert.equal(('x'):rep(700000) .. '\n', t:run({ 'logs', '--grep', 'xxx', 'long' }).out)
  end)

  case('of an unknown service: did you mean; of no run: 4', function(t)
    assert.equal(4, t:run({ 'logs' }).code)
    assert.equal(4, t:run({ 'logs', '--previous', 'a' }).code)
    played(t, 'one')
    local result = t:run { 'logs', 'aa' }
    assert.equal(1, result.code)
    assert.truthy(result.err:find("did you mean 'a'?", 1, true), result.err)
    assert.equal(4, t:run({ 'logs', '--previous' }).code)
  end)
end)

describe('logs -f', function()
  case('goes on through restarts of a service, and ends with the network', function(t)
    local network = t:up [[ pact.process 'p' { shell = 'echo $$ >>trace; echo "life $(wc -l <trace)"; exec sleep 1000' } ]]
    network:expect 'life 1'
    local follower = t:start { 'logs', '-f', 'p' }
    follower:expect 'life 1'
    assert.equal(0, t:run({ 'restart', 'p' }).code)
    follower:expect 'life 2'
    functional.signal(tonumber(t:lines('trace')[2]), 'KILL')
    follower:expect 'life 3'
    network:signal 'INT'
    network:wait()
    assert.equal('life 1\nlife 2\nlife 3\n', follower:wait().out)
  end)

  case('of all services follows those, too, that begin to write later', function(t)
    local network = t:up [[
      pact.process 'early' { shell = 'echo begun; exec sleep 1000' }
      pact.process 'late' { shell = 'echo first; exec sleep 1000', profiles = { 'x' } }
    ]]
    network:expect 'begun'
    local follower = t:start { 'logs', '-f' }
    follower:expect 'begun'
    assert.equal(0, t:run({ 'start', 'late' }).code)
    follower:expect 'late | first\n'
  end)

  -- Numbers without end, in files that are turned over again and again.
  local COUNTER = [[
    pact.process 'count' { log = { max_size = '20k', max_files = 50 }, command = { 'sh', '-c', table.concat {
      'i=0; while :; do n=0; while [ $n -lt 50 ]; do i=$((i+1)); n=$((n+1)); echo $i; done; sleep 0.01; done' } } }
  ]]

  local function in_a_row(text, what)
    local last, count = nil, 0
    for number in text:gmatch '[^\n]+' do
      number = tonumber(number)
      if last then assert.equal(last + 1, number, what) end
      last, count = number, count + 1
    end
    return count
  end

  -- Many of them: while one window is read, others' logs go on.
  case('neither loses nor doubles a line between its windows and what comes', function(t)
    t:up((COUNTER:gsub('log =', 'replicas = 12, log =')))
    functional.wait('lines', function() return #t:state 'count%-12%.log$' > 0 end)
    for round = 1, 8 do
      local follower = t:start { 'logs', '-f', '-n', tostring(round * 3) }
      functional.wait('some lines', function() return #follower:out() > 300000 end)
      follower:signal 'INT'
      follower:wait()
      local last, count = {}, 0
      for id, number in follower:out():match('^(.*\n)'):gmatch '(count%-%d+)%s*| (%d+)\n' do
        number = tonumber(number)
        assert.equal((last[id] or number - 1) + 1, number, id)
        last[id], count = number, count + 1
      end
      assert.is_true(count > 5000)
    end
  end)

  case('of a service that has not written yet shows what it writes later; -n 0 nothing', function(t)
    t:up [[
      pact.process 'b' { shell = 'echo b; exec sleep 1000' }
      pact.process 'late' { shell = 'while [ ! -e go ]; do sleep 0.02; done; echo late; exec sleep 1000' }
    ]]
    functional.wait('a line', function() return t:run({ 'logs', 'b' }).out == 'b\n' end)
    for _, id in ipairs { 'b', 'late' } do
      local result = t:run { 'logs', '-n', '0', id }
      assert.same({ 0, '', '' }, { result.code, result.out, result.err })
    end
    local plain, json = t:start { 'logs', '-f', 'late' }, t:start { 'logs', '-f', '--json', 'late' }
    t:file('go', '')
    for _, follower in ipairs { plain, json } do
      functional.wait('its line', function() return follower:out():find('late.*\n') end)
      follower:signal 'INT'
      follower:wait()
    end
    assert.equal('late\n', plain:out())
  end)

  case('with --json or --grep has the lines that fit, each once', function(t)
    t:up(COUNTER)
    functional.wait('lines', function() return #t:state 'count%.log%.%d+$' > 2 end)
    local all, some = t:start { 'logs', '-f', '-n', '5', '--json' }, t:start { 'logs', '-f', '-n', '5', '--grep', '7', 'count' }
    functional.wait('some lines', function() return #all:out() > 100000 and #some:out() > 5000 end)
    for _, follower in ipairs { all, some } do
      follower:signal 'INT'
      follower:wait()
    end
    local numbers = {}
    for line in all:out():match('^(.*\n)'):gmatch '[^\n]+' do
      local object = cjson.decode(line)
      assert.same({ 'count', 'stdout', 1 }, { object.service, object.stream, object.epoch })
      numbers[#numbers + 1] = object.text
    end
    in_a_row(table.concat(numbers, '\n'), 'json')
    local last
    for number in some:out():match('^(.*\n)'):gmatch '%d+' do
      number = tonumber(number)
      for between = (last or number) + 1, number - 1 do assert.falsy(tostring(between):find '7', between) end
      assert.truthy(tostring(number):find '7')
      last = number
    end
  end)
end)
