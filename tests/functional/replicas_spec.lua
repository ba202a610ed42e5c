--- Replicas: several instances of one declaration, and their number at run time.
local functional = require 'functional'
local case = functional.case

local function running(t)
  local out = {}
  for id, service in pairs(t:ps() or {}) do
    if service.status == 'running' then out[#out + 1] = id end
  end
  table.sort(out)
  return out
end

local function wait_running(t, ids)
  local last
  functional.wait(function() return table.concat(ids, ' ') .. ' to run, not ' .. table.concat(last, ' ') end, function()
    last = running(t)
    return table.concat(last, ' ') == table.concat(ids, ' ')
  end)
end

local function sorted_lines(t, name, count)
  local lines = t:wait_lines(name, count)
  table.sort(lines)
  return lines
end

describe('replicas', function()
  case('are instances of their own, each with its number and its port', function(t)
    t:up [[
      pact.process 'web' { replicas = 3, ports = { '21200+' },
        shell = 'echo $PACTLUA_SERVICE $PACTLUA_REPLICA $((PORT - 21200)) >>seen; exec sleep 1000' }
      pact.process 'one' { replicas = 1, shell = 'echo $PACTLUA_SERVICE ${PACTLUA_REPLICA} >>seen; exec sleep 1000' }
      pact.process 'plain' { shell = 'echo plain ${PACTLUA_REPLICA-none} >>seen; exec sleep 1000' }
    ]]
    assert.same({ 'one-1 1', 'plain none', 'web-1 1 0', 'web-2 2 1', 'web-3 3 2' }, sorted_lines(t, 'seen', 5))
    wait_running(t, { 'one-1', 'plain', 'web-1', 'web-2', 'web-3' })
    assert.equal('web', t:ps()['web-2'].group)
  end)

  case('are all waited for, and their addresses are told', function(t)
    t:up [[
      pact.process 'web' { replicas = 2, ports = { http = '21210+' }, shell = 'sleep 0.$((PACTLUA_REPLICA * 2)); touch $PACTLUA_SERVICE; exec sleep 1000',
        health = { shell = 'test -e web-2' } }
      pact.process 'proxy' { depends_on = { web = 'healthy' },
        shell = 'ls web-2; echo $WEB_PORT $WEB_1_PORT $WEB_2_PORT $WEB_URL >seen; exec sleep 1000' }
    ]]
    assert.same({ '21210 21210 21211 http://127.0.0.1:21210' }, t:wait_lines('seen', 1))
  end)

  case('are commanded as one by the name of the group', function(t)
    t:up [[
      pact.process 'db' { command = { 'sleep', '1000' } }
      pact.process 'web' { replicas = 2, shell = 'echo started; trap "echo told $PACTLUA_SERVICE >>told" USR1; while :; do sleep 0.05; done' }
    ]]
    wait_running(t, { 'db', 'web-1', 'web-2' })
    t:wait_service('web-2', { status = 'running' })
    functional.wait('both to have begun', function()
      return select(2, t:run({ 'logs', 'web' }).out:gsub('started', '')) == 2
    end)
    assert.equal(0, t:run({ 'signal', '--signal', 'USR1', 'web' }).code)
    assert.same({ 'told web-1', 'told web-2' }, sorted_lines(t, 'told', 2))
    assert.equal(0, t:run({ 'stop', 'web' }).code)
    assert.same({ 'db' }, running(t))
    assert.equal(0, t:run({ 'start', 'web' }).code)
    assert.equal(0, t:run({ 'restart', 'web-2' }).code)
    assert.equal(0, t:run({ 'wait', 'web' }).code)
    assert.same({ 'db', 'web-1', 'web-2' }, running(t))
    local ps = t:run { 'ps', 'web' }
    assert.truthy(ps.out:find('web-1', 1, true) and ps.out:find('web-2', 1, true) and not ps.out:find('db', 1, true), ps.out)
    local logs = t:run { 'logs', 'web', '-n', '1' }
    assert.truthy(logs.out:find('web-1', 1, true) and logs.out:find('web-2', 1, true), logs.out .. logs.err)
    local why = t:run { 'why', 'web' }
    assert.truthy(why.out:find('web%-1 is running.*web%-2 is running'), why.out .. why.err)
    local result = t:run { 'stop', 'wbe' }
    assert.equal(1, result.code)
    assert.truthy(result.err:find("no service 'wbe'", 1, true), result.err)
  end)

  case("are known by their addresses to CMD of run, the first one by the group's name", function(t)
    t:recipe [[ pact.process 'web' { replicas = 2, ports = { '21230+' }, command = { 'sleep', '1000' } } ]]
    local result = t:run { 'run', 'net.lua', '--', 'sh', '-c', 'echo $WEB_PORT $WEB_1_PORT $WEB_2_PORT' }
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find('21230 21230 21231\n', 1, true), result.out)
  end)

  case('are chosen by the name of the group', function(t)
    t:recipe [[
      pact.process 'web' { replicas = 2, command = { 'sleep', '1000' } }
      pact.process 'api' { command = { 'sleep', '1000' }, depends_on = { 'web' } }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    local network = t:start { 'up', 'net.lua', 'web' }
    wait_running(t, { 'web-1', 'web-2' })
    network:signal 'TERM'
    network:wait()
    t:start { 'up', 'net.lua', '--except', 'web' }
    wait_running(t, { 'api', 'other' })
  end)

  case('each has hooks and a handle; the handle of the group sums them up', function(t)
    local result = t:up([[
      local web = pact.process 'web' { replicas = 2, retries = 1, restart = { delay = '100ms' },
        shell = 'test $PACTLUA_REPLICA = 1 && exit 3; exec sleep 1000',
        on = { crashed = function(service, event) print('~', service.id, service.group, service.replica, event.exit_code) end } }
      pact.once('failed', function(service)
        print('~', service.id, web.id, web.status, web.restart_count, table.concat(web.instances, '+'), web.reason)
        print('~', pact.state('web').status, pact.state('web-2').status, #pact.services(), pact.service('web-2').status)
        web:stop()
        print('~', web.status)
        pact.shutdown()
      end)
    ]]):wait()
    assert.equal(0, result.code, result.out .. result.err)
    local said = {}
    for line in result.out:gmatch '~\t([^\n]+)' do said[#said + 1] = line end
    assert.same({
      'web-1\tweb\t1\t3', 'web-1\tweb\t1\t3', 'web-1\tweb\tfailed\t1\tweb-1+web-2\t1 of 2 failed: exit code 3; gave up after 1 restart',
      'failed\trunning\t2\trunning', 'failed',
    }, said)
  end)
end)

describe('scale', function()
  local RECIPE = [[
    pact.process 'web' { replicas = 2, ports = { '21220+' }, restart = { max_retries = 0 },
      shell = 'trap "echo $PACTLUA_SERVICE >>stops; exit 0" TERM; echo $PACTLUA_SERVICE $PORT >>starts; while :; do sleep 0.05; done' }
    pact.process 'api' { shell = 'echo api >>starts; exec sleep 1000', dependencies = { 'web' } }
    pact.process 'fixed' { replicas = 1, ports = { 21230 }, command = { 'sleep', '1000' } }
    pact.process 'plain' { command = { 'sleep', '1000' } }
  ]]

  case('adds behind the last and stops the highest; nobody else is touched', function(t)
    t:up(RECIPE)
    wait_running(t, { 'api', 'fixed-1', 'plain', 'web-1', 'web-2' })
    t:wait_lines('starts', 3)
    assert.equal(0, t:run({ 'scale', 'web=4' }).code)
    assert.same({ 'api', 'fixed-1', 'plain', 'web-1', 'web-2', 'web-3', 'web-4' }, running(t))
    assert.same({ 'api', 'web-1 21220', 'web-2 21221', 'web-3 21222', 'web-4 21223' }, sorted_lines(t, 'starts', 5))
    local pid = t:ps()['web-1'].pid
    assert.equal(0, t:run({ 'scale', 'web=1' }).code)
    local seen = t:ps()
    assert.same({ 'web-2', 'web-3', 'web-4' }, sorted_lines(t, 'stops', 3))
    assert.is_nil(seen['web-2'])
    assert.equal(pid, seen['web-1'].pid)
    assert.equal(1, t:run({ 'start', 'web-2' }).code)
    -- what was stopped doesn't hold up who depends on the group
    assert.equal(0, t:run({ 'restart', 'api' }).code)
    assert.equal(0, t:run({ 'scale', 'web=2', 'web=3' }).code)
    assert.same({ 'api', 'fixed-1', 'plain', 'web-1', 'web-2', 'web-3' }, running(t))
    assert.equal(2, #table.move(t:lines('starts'), 6, 20, 1, {}) - 1)
  end)

  case('is refused with a reason', function(t)
    t:up(RECIPE)
    wait_running(t, { 'api', 'fixed-1', 'plain', 'web-1', 'web-2' })
    for _, row in ipairs {
      { 'web=0', 1, "a group has 1 to 1000 instances; stop web stops all of them" },
      { 'web=1001', 1, 'a group has 1 to 1000 instances' },
      { 'web', 2, "'web' is not ID=N, such as web=3" },
      { 'web=x', 2, "'web=x' is not ID=N" },
      { 'web=-1', 2, "'web=-1' is not ID=N" },
      { 'wbe=2', 1, "no group 'wbe' (did you mean 'web'?)" },
      { 'plain=2', 1, "'plain' has no replicas" },
      { 'web-1=2', 1, "'web-1' is one of the group 'web'" },
      { 'fixed=2', 1, "net.lua:4: process 'fixed': ports 21230 is fixed, which 2 replicas cannot share: write '21230+'" },
    } do
      local result = t:run { 'scale', row[1] }
      assert.equal(row[2], result.code, row[1] .. result.err)
      assert.truthy(result.err:find(row[3], 1, true), row[1] .. ': ' .. result.err)
    end
    assert.same({ 'api', 'fixed-1', 'plain', 'web-1', 'web-2' }, running(t))
  end)

  case('from a hook and from the body, of what was declared late, too', function(t)
    local result = t:up([[
      local web = pact.start { id = 'web', replicas = 1, command = { 'sleep', '1000' } }
      print('~', #web.instances, web.status, web:scale(3), #web.instances, #pact.services(), web.status)
      print('~', pact.scale('web', 1), #web.instances, #pact.services())
      print('~', pact.scale('web', 2, { wait = false }), web.status)
      print('~', select(2, pact.service('web-1'):scale(2)))
      print('~', select(2, pcall(web.scale, web, 'two')))
      print('~', (select(2, web:exec { 'true' })))
      print('~', (select(2, pact.env_of 'web')))
      print('~', pact.env_of('web-2').PACTLUA_REPLICA, pact.service('web-2'):exec({ 'sh', '-c', 'echo $PACTLUA_REPLICA' }).stdout)
      pact.once('chain:grow', function() web:scale(4); print('~', #web.instances, web.status); pact.shutdown() end)
      pact.emit 'chain:grow'
      pact.sleep '5s'
    ]]):wait()
    assert.equal(0, result.code, result.out .. result.err)
    local said = {}
    for line in result.out:gmatch '~\t([^\n]+)' do said[#said + 1] = line end
    assert.same({
      '1\trunning\ttrue\t3\t3\trunning', 'true\t1\t1', 'true\twaiting', "'web-1' is one of the group 'web': scale that\trefused",
      "net.lua:6: scale: a number of instances expected, got 'two'",
      "'web' is a group: name one of its instances, such as 'web-1'",
      "'web' is a group: name one of its instances, such as 'web-1'", '2\t2', '4\trunning',
    }, said)
  end)
end)

describe('replicas that cannot be', function()
  for name, row in pairs {
    ['a fixed port'] = { "pact.process 'web' { replicas = 2, ports = { 3000 }, command = { 'x' } }",
      "net.lua:1: process 'web': ports 3000 is fixed, which 2 replicas cannot share: write '3000+' to count up\n" },
    ['a port beyond the last'] = { "pact.process 'web' { replicas = 3, ports = { '65534+' }, command = { 'x' } }",
      "net.lua:1: process 'web': ports 65536 for web-3 is beyond 65535\n" },
    ['a name that is taken'] = { "pact.process 'web-2' { command = { 'x' } }\npact.process 'web' { replicas = 2, command = { 'x' } }",
      "net.lua:2: process 'web': has an instance 'web-2', which is declared already, at net.lua:1\n" },
    ['a name taken later'] = { "pact.process 'web' { replicas = 2, command = { 'x' } }\npact.process 'web-2' { command = { 'x' } }",
      "net.lua:2: process 'web-2': is declared already, at net.lua:1\n" },
    ['an unknown dependency is told once'] = { "pact.process 'web' { replicas = 3, command = { 'x' }, depends_on = { 'databse' } }\n"
      .. "pact.process 'database' { replicas = 2, command = { 'x' } }",
      "net.lua:1: process 'web': depends_on 'databse' is not declared (did you mean 'database'?)\n" },
    ['a group that needs itself'] = { "pact.process 'web' { replicas = 2, command = { 'x' }, depends_on = { 'web' } }",
      "net.lua:1: process 'web': depends_on names the service itself\n" },
    ['health that is not there'] = { "pact.process 'web' { replicas = 2, command = { 'x' } }\n"
      .. "pact.process 'a' { command = { 'x' }, depends_on = { web = 'healthy' } }",
      "net.lua:2: process 'a': depends_on 'web' can never be healthy: it has no health check\n" },
    ['none at all'] = { "pact.process 'web' { replicas = 0, command = { 'x' } }",
      "net.lua:1: process 'web': replicas must be between 1 and 1000, got 0\n" },
  } do
    case(name, function(t)
      t:recipe(row[1])
      local result = t:run { 'check', 'net.lua' }
      assert.equal(2, result.code, result.out .. result.err)
      assert.equal(row[2], result.out .. result.err)
    end)
  end
end)
