local bus = require 'pact.base.bus'
local disk = require 'pact.sim.disk'
local sim_sys = require 'pact.sim.sys'
local hooks = require 'pact.control.hooks'
local sched = require 'pact.base.sched'

describe('hooks', function()
  local sys, world, loop, events, subject, fs, files, trace

  before_each(function()
    sys, world = sim_sys.new()
    fs, files = disk.new()
    trace = {}
    loop = sched.new(sys)
    events = bus.new { now = sys.time.now, wall = sys.time.wall, try = sys.try, on_error = error }
    subject = hooks.new {
      sched = loop, bus = events, fs = fs, directory = '/net',
      environment = setmetatable({ trace = trace }, { __index = _G }),
      handle = function(id) return 'handle of ' .. id end,
    }
    events:subscribe(function(event) subject:fire(event) end, { rank = 'hooks' })
  end)

  local function say(word)
    return function(service, event) trace[#trace + 1] = ('%s %s %s'):format(word, service, event.name) end
  end

  it("runs the service's own first, then the others in order of declaration", function()
    subject:add('crashed', say 'first')
    subject:add('crashed', say 'second')
    subject:add('crashed', say 'own', { service = 'web' })
    subject:add('crashed', say 'other', { service = 'db' })
    events:emit { name = 'crashed', service = 'web' }
    world:advance(10)
    assert.same({ 'own handle of web crashed', 'first handle of web crashed', 'second handle of web crashed' }, trace)
  end)

  it('has no service for events of the network', function()
    subject:add('all_ready', say 'x')
    events:emit { name = 'all_ready' }
    world:advance(10)
    assert.same({ 'x nil all_ready' }, trace)
  end)

  it('runs once what shall run once', function()
    subject:add('started', say 'once', { once = true })
    events:emit { name = 'started', service = 'a' }
    events:emit { name = 'started', service = 'b' }
    world:advance(10)
    assert.same({ 'once handle of a started' }, trace)
  end)

  it('leaves out what was taken back', function()
    local declared = { event = 'started', fn = say 'gone', once = false }
    subject:add_declared(declared)
    declared.off = true
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.same({}, trace)
  end)

  it('tells of an error as an event, and nobody else is touched', function()
    local failed
    subject:add('hook_failed', function(_, event) failed = event end)
    subject:add('started', function() error 'oh' end)
    subject:add('started', say 'next')
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.same({ 'next handle of a started' }, trace)
    assert.equal('a', failed.service)
    assert.equal('started', failed.hook)
    assert.equal('oh', failed.message)
    assert.truthy(failed.file:find('hooks_spec.lua', 1, true))
    assert.truthy(failed.traceback:find('hooks_spec.lua', 1, true))
  end)

  it('does not run in circles when a hook of hook_failed fails', function()
    local count = 0
    subject:add('hook_failed', function()
      count = count + 1
      error 'again'
    end)
    subject:add('started', function() error 'oh' end)
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.equal(1, count)
  end)

  it('does not wait for one hook before the next', function()
    subject:add('started', function()
      loop:sleep(1000)
      trace[#trace + 1] = 'slow'
    end)
    subject:add('started', say 'quick')
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.same({ 'quick handle of a started' }, trace)
    world:advance(2000)
    assert.equal('slow', trace[2])
  end)

  it('runs a script file, and loads it again when it has changed', function()
    files.files['/net/hooks/x.lua'] = "local service, event = ...; trace[#trace + 1] = 'one ' .. event.name"
    subject:add('started', 'hooks/x.lua')
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    files.files['/net/hooks/x.lua'] = "trace[#trace + 1] = 'another'"
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.same({ 'one started', 'another' }, trace)
  end)

  it('tells when a script file is not there or no Lua', function()
    local failed = {}
    subject:add('hook_failed', function(_, event) failed[#failed + 1] = event.message end)
    subject:add('started', 'nowhere.lua')
    files.files['/net/bad.lua'] = 'this is no'
    subject:add('started', 'bad.lua')
    events:emit { name = 'started', service = 'a' }
    world:advance(10)
    assert.equal(2, #failed)
    assert.truthy(failed[1]:find('No such file', 1, true), failed[1])
    assert.truthy(failed[2]:find('syntax error', 1, true), failed[2])
  end)

  it('lets shutdown wait for its hooks, not for others', function()
    local done = false
    subject:add('started', function() loop:sleep(60000) end)
    subject:add('shutdown', function()
      loop:sleep(500)
      trace[#trace + 1] = 'saved'
    end)
    events:emit { name = 'started', service = 'a' }
    subject:before_stop('Ctrl-C', function() done = true end)
    world:advance(100)
    assert.is_false(done)
    world:advance(1000)
    assert.is_true(done)
    assert.same({ 'saved' }, trace)
  end)

  it('goes on with the shutdown when its hook fails', function()
    local done = false
    subject:add('shutdown', function() error 'no' end)
    subject:before_stop('Ctrl-C', function() done = true end)
    world:advance(10)
    assert.is_true(done)
  end)
end)
