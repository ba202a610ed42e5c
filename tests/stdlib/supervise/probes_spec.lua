local sim_sys = require 'pact.sim.sys'
local probes = require 'pact.supervise.probes'
local sched = require 'pact.base.sched'

describe('probes', function()
  local sys, world, context, errors

  before_each(function()
    errors = {}
    sys, world = sim_sys.new()
    context = {
      sys = sys,
      sched = sched.new(sys, function(_, traceback) errors[#errors + 1] = traceback end),
      spawn = function() return { env = { 'A=1' }, cwd = '/srv' } end,
      handle = function() return 'me' end,
    }
  end)

  after_each(function()
    assert.same({}, errors)
  end)

  local function probe(spec)
    spec.timeout = spec.timeout or 1000
    local results = {}
    local abort = probes[spec.kind](context, spec, function(ok, why)
      results[#results + 1] = { ok and true or false, why }
    end)
    return results, abort
  end

  local function result(spec)
    local results = probe(spec)
    world:advance(60000)
    assert.equal(1, #results)
    return results[1]
  end

  local statuses = {
    { nil, 204, true }, { nil, 301, false }, { '2xx', 200, true }, { '2xx', 199, false }, { 204, 204, true }, { 204, 200, false },
    { '200-399', 302, true }, { '200-399', 400, false }, { '200,404', 404, true }, { '4XX', 404, true },
  }
  for _, row in ipairs(statuses) do
    it(('status %s takes %d: %s'):format(tostring(row[1]), row[2], tostring(row[3])), function()
      assert.equal(row[3], probes.status_matches(row[1], row[2]))
    end)
  end

  -- answer, fields → ok, reason
  local answers = {
    { { status = 200 }, {}, true, 'http 200' },
    { { status = 503 }, {}, false, 'http 503' },
    { { status = 200, body = 'all ok' }, { body = 'ok' }, true, 'http 200' },
    { { status = 200, body = 'bad' }, { body = 'ok' }, false, "http 200, but the body lacks 'ok'" },
    { { status = 200, delay = 5000 }, {}, false, 'no answer in 1s' },
    { nil, {}, false, 'connection refused' },
  }
  for i, row in ipairs(answers) do
    it(('http answers %d: %s'):format(i, row[4]), function()
      local request
      if row[1] then
        world.http['http://x/'] = function(opts)
          request = opts
          return row[1]
        end
      end
      local spec = { kind = 'http', url = 'http://x/' }
      for key, value in pairs(row[2]) do spec[key] = value end
      assert.same({ row[3], row[4] }, result(spec))
      if request then assert.equal('pactlua/0.0.0 (health)', request.user_agent) end
    end)
  end

  it('leaves a User-Agent of the recipe alone', function()
    local request
    world.http['http://x/'] = function(opts)
      request = opts
      return { status = 200 }
    end
    result { kind = 'http', url = 'http://x/', headers = { ['user-agent'] = 'me' } }
    assert.is_nil(request.user_agent)
  end)

  it('connects', function()
    assert.same({ false, 'connection refused' }, result { kind = 'tcp', host = 'db', port = 1 })
    world.tcp['db:1'] = true
    assert.same({ true, 'connected to db:1' }, result { kind = 'tcp', host = 'db', port = 1 })
  end)

  -- program → ok, reason
  local commands = {
    { { exit_after = 10 }, true, 'exit code 0' },
    { { exit_after = 10, code = 2, stderr = 'warming up\nno response\n' }, false, 'exit code 2: no response' },
    { { exit_after = 10, code = 1, stdout = 'nope' }, false, 'exit code 1: nope' },
    { { exit_after = 10, signal = 9 }, false, 'killed by SIGKILL' },
    { {}, false, 'no answer in 1s' },
    { { fail = 'ENOENT', message = "program 'ping': No such file or directory" }, false, "program 'ping': No such file or directory" },
  }
  for i, row in ipairs(commands) do
    it(('runs a command %d: %s'):format(i, row[3]), function()
      world.programs.ping = row[1]
      assert.same({ row[2], row[3] }, result { kind = 'command', command = { 'ping' } })
      for _, proc in ipairs(world.spawned) do assert.is_true(proc.swept) end
    end)
  end

  it('runs it in a session of its own, with the environment and directory of the service', function()
    world.programs.ping = { exit_after = 1 }
    result { kind = 'command', shell = 'ping now' }
    local spec = world.spawned[1].spec
    assert.same({ { '/bin/sh', '-c', 'ping now' }, { 'A=1' }, '/srv', true, 'null', 4096 },
      { spec.argv, spec.env, spec.cwd, spec.session, spec.stdin, spec.capture_max })
  end)

  it('kills the whole tree at the timeout, and answers when it is gone', function()
    world.programs.ping = { ignore = { [15] = true }, leaves = 3, leaves_for = 400 }
    local results = probe { kind = 'command', command = { 'ping' } }
    world:advance(999)
    assert.same({}, results)
    world:advance(100)
    assert.same({ { false, 'no answer in 1s' } }, results)
    assert.is_true(world.spawned[1].swept)
  end)

  it('looks for a file and what is in it', function()
    assert.same({ false, '/x: No such file or directory' }, result { kind = 'file', path = '/x' })
    world.files['/x'] = 'state=ok'
    assert.same({ true, '/x is there' }, result { kind = 'file', path = '/x' })
    assert.same({ true, '/x is there' }, result { kind = 'file', path = '/x', contains = 'ok' })
    assert.same({ false, "/x lacks 'up'" }, result { kind = 'file', path = '/x', contains = 'up' })
  end)

  -- check → ok, reason
  local checks = {
    { function() return true end, true, 'check passed' },
    { function() return false, 'lag 5' end, false, 'lag 5' },
    { function() end, false, 'check failed' },
    { function() return false, setmetatable({}, { __tostring = error }) end, false, 'a table' },
    { function() error('boom', 0) end, false, 'boom' },
    { function(handle) return false, handle end, false, 'me' },
  }
  for i, row in ipairs(checks) do
    it(('calls a function %d: %s'):format(i, row[3]), function()
      assert.same({ row[2], row[3] }, result { kind = 'check', check = row[1] })
    end)
  end

  it('gives a function no longer than the timeout', function()
    local went_on
    local check = function()
      context.sched:sleep(5000)
      went_on = true
      return true
    end
    assert.same({ false, 'no answer in 1s' }, result { kind = 'check', check = check })
    assert.is_nil(went_on)
  end)

  it('tells nothing after it was ended', function()
    world.programs.ping = { exit_after = 100 }
    world.http['http://x/'] = function() return { status = 200, delay = 100 } end
    for _, spec in ipairs {
      { kind = 'command', command = { 'ping' } }, { kind = 'http', url = 'http://x/' }, { kind = 'tcp', host = 'h', port = 1 },
      { kind = 'check', check = function() context.sched:sleep(100) end },
    } do
      local results, abort = probe(spec)
      abort()
      world:advance(2000)
      assert.same({}, results)
    end
    assert.is_true(world.spawned[1].swept)
  end)
end)
