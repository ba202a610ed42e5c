local sched = require 'pact.base.sched'
local sim_sys = require 'pact.sim.sys'
local together = require 'pact.control.recipe.together'
local work = require 'pact.control.work'

describe('several things at once', function()
  local sys, world, loop, pact, trace, failures, network

  before_each(function()
    sys, world = sim_sys.new()
    trace, failures, pact = {}, {}, {}
    loop = sched.new(sys, function(message) failures[#failures + 1] = message end)
    network = { idle = 0 }
    network.work = work.new {
      sched = loop,
      failed = function(what, message) failures[#failures + 1] = ('%s: %s'):format(what, message) end,
      on_idle = function() network.idle = network.idle + 1 end,
    }
    together.install(pact, { sys = sys, sched = loop, network = network, launch = {
      recipe = {}, here = function() return network.work:here() end,
    } })
  end)

  local function run(fn, ms)
    local task = loop:spawn(function()
      local values = table.pack(fn())
      for i = 1, values.n do trace[#trace + 1] = tostring(values[i]) end
    end)
    world:advance(ms or 10000)
    return task
  end

  local function after(ms, ...)
    local values = table.pack(...)
    return function()
      loop:sleep(ms)
      return table.unpack(values, 1, values.n)
    end
  end

  describe('all', function()
    it('waits for the last one, and gives the results under their keys', function()
      run(function()
        local began = sys.time.now()
        local found = pact.all { after(300, 'a'), web = after(100, 'b'), after(200) }
        return found[1], found.web, found[2], sys.time.now() - began
      end)
      assert.same({ 'a', 'b', 'nil', '300' }, trace)
    end)

    it('of nothing is done at once', function()
      run(function() return next(pact.all {}) end, 1)
      assert.same({ 'nil' }, trace)
    end)

    it('raises what one of them raised, and ends the others', function()
      run(function()
        return pcall(pact.all, { function() loop:sleep(50) error('oh', 0) end, function() loop:sleep(100) trace[1] = 'never' end })
      end)
      assert.same({ 'false', 'oh' }, trace)
    end)

    it('gives up at its timeout', function()
      run(function() return pact.all({ after(10), after(300) }, { timeout = '100ms' }) end)
      assert.same({ 'nil', '1 of them is not done yet', 'timeout' }, trace)
    end)

    it('ends with the one who waits', function()
      local task = run(function() pact.all { function() loop:sleep(500) trace[1] = 'never' end } end, 100)
      loop:stop(task)
      world:advance(1000)
      assert.same({}, trace)
    end)
  end)

  describe('race', function()
    it('gives the first result and its key, and ends the others', function()
      run(function()
        return pact.race { slow = function() loop:sleep(200) trace[1] = 'never' end, quick = after(100, 'b', 'c') }
      end)
      assert.same({ 'b', 'quick' }, trace)
    end)

    it('raises when the first one raises', function()
      run(function() return pcall(pact.race, { function() error('oh', 0) end, after(100, 1) }) end)
      assert.same({ 'false', 'oh' }, trace)
    end)

    it('gives up at its timeout', function()
      run(function() return pact.race({ after(300) }, { timeout = '100ms' }) end)
      assert.same({ 'nil', 'none of them is done yet', 'timeout' }, trace)
    end)
  end)

  describe('spawn', function()
    it('runs beside, and can be waited for', function()
      run(function()
        local task = pact.spawn(function(a, b) loop:sleep(100) return a + b, 'x' end, 1, 2)
        trace[1] = task:status()
        trace[2] = tostring(task:wait())
        return task:status(), select(2, task:wait())
      end)
      assert.same({ 'running', '3', 'done', 'x' }, trace)
      assert.equal(1, network.idle)
    end)

    it('tells an error to who waits, else to all', function()
      run(function()
        pact.spawn(function() error('nobody hears', 0) end)
        local task = pact.spawn(function() loop:sleep(10) error('heard', 0) end)
        return task:wait()
      end)
      assert.same({ 'nil', 'heard', 'failed' }, trace)
      assert.same({ 'pact.spawn: nobody hears' }, failures)
    end)

    it('can be cancelled, and waiting for it can have a limit', function()
      run(function()
        local task = pact.spawn(after(60000))
        trace[1] = table.concat({ select(2, task:wait { timeout = '1s' }) }, ' ')
        task:cancel()
        return task:status(), select(2, task:wait())
      end)
      assert.same({ 'it is not done yet timeout', 'cancelled', 'cancelled', 'cancelled' }, trace)
      assert.equal(0, network.work.living)
    end)

    it('is ended with the network', function()
      run(function() pact.spawn(function() loop:sleep(100) trace[1] = 'never' end) end, 10)
      network.work:cancel()
      world:advance(1000)
      assert.same({}, trace)
    end)
  end)

  describe('a queue', function()
    it('keeps the order, and makes the quick wait for the slow', function()
      run(function()
        local queue, most = pact.queue(2), 0
        pact.spawn(function()
          for i = 1, 5 do queue:put(i) most = math.max(most, #queue) end
          queue:close()
        end)
        for value in function() return queue:take() end do
          trace[#trace + 1] = tostring(value)
          loop:sleep(10)
        end
        return most
      end)
      assert.same({ '1', '2', '3', '4', '5', '2' }, trace)
    end)

    it('hands over to those who wait, first come first served', function()
      run(function()
        local queue = pact.queue(1)
        for i = 1, 2 do pact.spawn(function() local got = queue:take() trace[#trace + 1] = i .. got end) end
        loop:sleep(1)
        queue:put 'a'
        queue:put 'b'
        loop:sleep(1)
      end)
      assert.same({ '1a', '2b' }, trace)
    end)

    it('has limits in time, and an end', function()
      run(function()
        local queue = pact.queue(1)
        trace[1] = select(3, queue:take { timeout = '100ms' })
        queue:put(1)
        trace[2] = select(3, queue:put(2, { timeout = '100ms' }))
        pact.spawn(function() trace[4] = select(3, queue:put(3)) end)
        loop:sleep(1)
        queue:close()
        trace[3] = tostring(queue:take())
        loop:sleep(1)
        return select(3, queue:take()), select(3, queue:put(1))
      end)
      assert.same({ 'timeout', 'timeout', '1', 'closed', 'closed', 'closed' }, trace)
    end)

    it('loses nothing to one who was ended while it waited', function()
      run(function()
        local queue = pact.queue(1)
        pact.race { function() queue:take() end, function() loop:sleep(5) end }
        queue:put 'kept'
        return queue:take()
      end)
      assert.same({ 'kept' }, trace)
    end)
  end)

  for _, row in ipairs {
    { function() pact.all(5) end, 'pact.all: what it runs must be a table, got 5' },
    { function() pact.all { 5 } end, 'pact.all: 1 must be a function, got 5' },
    { function() pact.race {} end, 'pact.race needs functions' },
    { function() pact.race({ print }, { timeot = 1 }) end, "pact.race: unknown key 'timeot' (did you mean 'timeout'?)" },
    { function() pact.spawn() end, 'pact.spawn: what it runs must be a function, got nothing' },
    { function() pact.queue(0) end, 'pact.queue needs the number of values it holds, 1 or more, got 0' },
    { function() pact.queue(1):put() end, 'put: nil is no value for a queue' },
    { function() pact.spawn(print):wait { timeout = 5 } end, "wait: timeout is 5: a bare number is milliseconds" },
  } do
    it('misuse is told with its place: ' .. row[2], function()
      run(function() return select(2, pcall(row[1])) end)
      assert.truthy(trace[1]:find(row[2], 1, true), trace[1])
      assert.truthy(trace[1]:find('together_spec.lua:' .. debug.getinfo(row[1], 'S').linedefined .. ':', 1, true), trace[1])
    end)
  end
end)
