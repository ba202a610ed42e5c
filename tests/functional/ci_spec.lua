--- `ci`: does all become ready?
local functional = require 'functional'
local case = functional.case

local function ci(t, recipe, ...)
  t:recipe(recipe)
  return t:run { 'ci', 'net.lua', ... }
end

-- The cases of the report: by name, its tag and the message.
local function report(t, name)
  local xml, out = assert(t:read(name or 'report.xml')), {}
  for head, at in xml:gmatch '<testcase (.-)>\n()' do
    local tag, message = xml:match('^%s+<(%a+) message="(.-)"', at)
    local passed = head:sub(-1) == '/'
    out[head:match ' name="(.-)" time'] = { tag = passed and 'passed' or tag, message = not passed and message, head = head }
  end
  return out, xml
end

describe('ci', function()
  case('ends with 0 when all is ready or completed, and reports each', function(t)
    local result = ci(t, [[
      pact.process 'db' { shell = 'trap "echo stop >>trace; exit 0" TERM; sleep 0.3; echo open; while true; do sleep 1 & wait; done',
        health = { log = 'open' } }
      pact.task 'seed' { shell = 'echo seed >>trace', depends_on = { 'db' } }
      pact.process 'other' { command = { 'sleep', '1000' }, profiles = { 'x' } }
    ]], '--junit', 'report.xml')
    assert.equal(0, result.code, result.out .. result.err)
    assert.same({ 'seed', 'stop' }, t:lines 'trace')
    local cases = report(t)
    assert.equal('passed', cases.db.tag)
    assert.equal('passed', cases.seed.tag)
    assert.is_nil(cases.other)
    assert.is_true(tonumber(cases.db.head:match 'time="([%d.]+)"') >= 0.2, cases.db.head)
  end)

  case('ends with 3 as soon as one has failed, with its last lines', function(t)
    local result = ci(t, [[
      pact.process 'up' { command = { 'sleep', '1000' } }
      pact.process 'slow' { command = { 'sleep', '1000' }, health = { command = { 'false' } } }
      pact.task 'bad' { shell = 'echo "last <words>"; exit 4' }
      pact.process 'web' { command = { 'sleep', '1000' }, depends_on = { bad = 'completed' } }
    ]], '--junit', 'report.xml')
    assert.equal(3, result.code, result.out .. result.err)
    assert.truthy(result.out:find('last lines of bad:\n  last <words>', 1, true), result.out)
    local cases, xml = report(t)
    assert.equal('failure', cases.bad.tag)
    assert.truthy(cases.bad.message:find('exit code 4', 1, true), cases.bad.message)
    assert.truthy(xml:find('last &lt;words&gt;', 1, true), xml)
    assert.equal('passed', cases.up.tag)
    assert.equal('skipped', cases.web.tag)
    assert.equal('skipped', cases.slow.tag)
  end)

  case('--timeout: what is not ready by then is a failure, its last lines are shown', function(t)
    local result = ci(t, [[
      pact.process 'slow' { shell = 'echo "still at it"; exec sleep 1000', health = { command = { 'false' } } }
      pact.process 'web' { command = { 'sleep', '1000' }, depends_on = { slow = 'healthy' } }
    ]], '--timeout', '500ms', '--junit', 'report.xml')
    assert.equal(3, result.code, result.out .. result.err)
    assert.truthy(result.out:find('last lines of slow:\n  still at it', 1, true), result.out)
    local cases = report(t)
    for _, id in ipairs { 'slow', 'web' } do
      assert.equal('failure', cases[id].tag)
      assert.truthy(cases[id].message:find('not ready after 500 ms', 1, true), cases[id].message)
    end
  end)

  case('runs a CMD when all is ready; its status is ours, and a case', function(t)
    local recipe = [[ pact.process 'db' { shell = 'echo up >>trace; exec sleep 1000', ports = { 15491 }, health = 'alive' } ]]
    local result = ci(t, recipe, '--junit', 'report.xml', '--', 'sh', '-c', 'echo $DB_PORT; sleep 0.1; exit 7')
    assert.equal(7, result.code, result.err)
    assert.equal('15491\n', result.out)
    assert.equal('passed', report(t).db.tag)
    local command = report(t)['sh -c echo $DB_PORT; sleep 0.1; exit 7']
    assert.equal('status 7', command.message)
    assert.is_true(tonumber(command.head:match 'time="([%d.]+)"') >= 0.1, command.head)
    local none = ci(t, recipe, '--', 'no-such-program')
    assert.same({ 127, "pactlua: ci: exec 'no-such-program': not found on PATH\n" }, { none.code, none.err })
    assert.equal(125, ci(t, [[ pact.task 'bad' { command = { 'false' } } ]], '--', 'touch', 'ran').code)
    assert.is_false(t:exists 'ran')
  end)

  case('a recipe with problems is an error of the report', function(t)
    local result = ci(t, [[ pact.process 'p' { comand = { 'true' } } ]], '--junit', 'report.xml')
    assert.equal(2, result.code, result.out .. result.err)
    local found = report(t).network
    assert.equal('error', found.tag)
    assert.truthy(found.message:find('comand', 1, true), found.message)
  end)

  case('a report that cannot be written is told, and is a failure', function(t)
    local result = ci(t, [[ pact.task 'p' { command = { 'true' } } ]], '--junit', 'nowhere/report.xml')
    assert.equal(1, result.code, result.out .. result.err)
    assert.truthy(result.err:find('nowhere/report.xml', 1, true), result.err)
  end)

  case('Ctrl-C ends it as it ends other programs', function(t)
    t:recipe [[ pact.process 'slow' { shell = 'echo up >>trace; exec sleep 1000', health = { command = { 'false' } } } ]]
    local started = t:start { 'ci', 'net.lua', '--junit', 'report.xml' }
    t:wait_lines('trace', 1)
    started:signal 'INT'
    assert.equal(2, started:wait().signal)
    assert.equal('failure', report(t).slow.tag)
  end)
end)
