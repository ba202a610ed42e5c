local sim_sys = require 'pact.sim.sys'
local sched = require 'pact.base.sched'

describe('sched', function()
  local sys, world, loop, errors

  before_each(function()
    sys, world = sim_sys.new()
    errors = {}
    loop = sched.new(sys, function(message, traceback)
      errors[#errors + 1] = { message = message, traceback = traceback }
    end)
  end)

  it('sleeps in virtual time', function()
    local seen = {}
    loop:spawn(function()
      seen[#seen + 1] = sys.time.now()
      loop:sleep(500)
      seen[#seen + 1] = sys.time.now()
    end)
    world:advance(1000)
    assert.same({ 1000, 1500 }, seen)
  end)

  it('hands every event of an id to its handler until off', function()
    local seen = {}
    loop:on(77, function(kind, value)
      seen[#seen + 1] = kind .. value
    end)
    world:event(77, 'a', 1)
    world:event(77, 'b', 2)
    loop:off(77)
    world:event(77, 'c', 3)
    assert.same({ 'a1', 'b2' }, seen)
  end)

  it('gives events of unknown ids to the handler of their kind, and signals to theirs', function()
    local seen = {}
    sys.time.on_signal = function() end
    loop:on_kind('request', function(id, request)
      seen[#seen + 1] = id .. request
    end)
    loop:on_signal('INT', function(name)
      seen[#seen + 1] = name
    end)
    world:event(9, 'request', 'x')
    world:event(0, 'signal', 'INT')
    world:event(0, 'signal', 'HUP')
    assert.same({ '9x', 'INT' }, seen)
  end)

  it('awaits the next event of an id, or times out and cancels it', function()
    local got = {}
    local id = sys.time.after(300)
    loop:spawn(function()
      got[1] = loop:await(id)
      got[2] = loop:await(12345, 200)
    end)
    world:advance(1000)
    assert.same({ 'timer', 'timeout' }, got)
    assert.is_true(world.cancelled[12345])
  end)

  it('waits through coroutines of the user', function()
    local out = {}
    local coroutine = loop.coroutine
    loop:spawn(function()
      local generator = coroutine.wrap(function()
        for i = 1, 3 do
          loop:sleep(100)
          coroutine.yield(i)
        end
      end)
      for _ = 1, 3 do
        out[#out + 1] = generator() .. '@' .. sys.time.now()
      end
    end)
    world:advance(1000)
    assert.same({ '1@1100', '2@1200', '3@1300' }, out)
    assert.same({}, errors)
  end)

  it("says so where it can't wait", function()
    local inner, outside
    loop:spawn(function()
      local ok, message = pcall(table.sort, { 3, 2, 1 }, function(a, b)
        loop:sleep(1)
        return a < b
      end)
      inner = not ok and message
    end)
    world:advance()
    outside = select(2, pcall(loop.sleep, loop, 1))
    assert.matches("^[^:]*sched_spec%.lua:%d+: can't wait here", inner)
    assert.matches("can't wait here", outside)
  end)

  it('tells a coroutine within a C call, and lets the task go on', function()
    local message, after
    loop:spawn(function()
      ('x'):gsub('x', function()
        local ok, err = loop.coroutine.resume(loop.coroutine.create(function()
          loop:sleep(10)
        end))
        message = not ok and err
      end)
      loop:sleep(50)
      after = sys.time.now()
    end)
    world:advance(100)
    assert.matches("can't wait here", message)
    assert.equal(1050, after)
  end)

  it('gives an error of a task to the handler, with its traceback', function()
    local own
    loop:spawn(function()
      error { code = 3 }
    end)
    loop:spawn(function()
      loop:sleep(10)
      error 'late'
    end, {
      on_error = function(message)
        own = message
      end,
    })
    world:advance(100)
    assert.equal(1, #errors)
    assert.equal('raised {"code":3}', errors[1].message)
    assert.matches('stack traceback', errors[1].traceback)
    assert.matches('late$', own)
  end)

  it('isolates handlers: the next one is still called', function()
    local called
    loop:after(10, function()
      error 'boom'
    end)
    loop:after(10, function()
      called = true
    end)
    world:advance(20)
    assert.matches('boom', errors[1].message)
    assert.is_true(called)
  end)

  it('cancels all of a group: timers, sleepers, the one that runs', function()
    local seen = {}
    local group = loop:group()
    loop:after(50, function()
      seen[#seen + 1] = 'timer'
    end, group)
    loop:spawn(function()
      local _ <close> = setmetatable({}, {
        __close = function()
          seen[#seen + 1] = 'closed'
        end,
      })
      loop:sleep(50)
      seen[#seen + 1] = 'slept'
    end, { group = group })
    local runner = loop:spawn(function()
      loop:sleep(20)
      group:cancel()
      seen[#seen + 1] = 'goes on'
      loop:sleep(1)
      seen[#seen + 1] = 'never'
    end, { group = group })
    world:advance(100)
    assert.same({ 'closed', 'goes on' }, seen)
    assert.equal('cancelled', runner.status)
    assert.same({}, errors)
    assert.is_true(world:quiet())
  end)

  it('joins: results, errors, timeouts', function()
    local got = {}
    local good = loop:spawn(function()
      loop:sleep(10)
      return 1, nil, 3
    end)
    local bad = loop:spawn(function()
      error('no', 0)
    end, { on_error = function() end })
    local slow = loop:spawn(function()
      loop:sleep(1000)
    end)
    loop:spawn(function()
      got[1] = table.pack(loop:join(good))
      got[2] = table.pack(loop:join(bad))
      got[3] = table.pack(loop:join(slow, 50))
    end)
    world:advance(100)
    assert.same({ true, 1, nil, 3, n = 4 }, got[1])
    assert.same({ false, 'no', n = 2 }, got[2])
    assert.same({ nil, 'timeout', n = 2 }, got[3])
  end)

  it('runs what is batched once, after all events of the turn', function()
    local seen = {}
    for i = 1, 2 do
      loop:after(10, function()
        seen[#seen + 1] = 'event ' .. i
        if i == 1 then
          loop:batch(function()
            seen[#seen + 1] = 'batch'
          end)
        end
      end)
    end
    world:advance(20)
    assert.same({ 'event 1', 'event 2', 'batch' }, seen)
  end)

  it('fails a task that yields a value of its own to the scheduler', function()
    loop:spawn(function()
      coroutine.yield 'x'
    end)
    world:advance()
    assert.matches('yielded outside', errors[1].message)
  end)

  it('resumes under the budget given', function()
    local budgets = {}
    local resume = sys.resume
    sys.resume = function(thread, budget, ...)
      budgets[#budgets + 1] = budget
      return resume(thread, budget, ...)
    end
    loop:spawn(function()
      loop:sleep(1)
    end, { budget = 250 })
    world:advance(10)
    assert.same({ 250, 250 }, budgets)
  end)

  it('leaves the loop to others when a turn goes on and on by itself', function()
    local rounds, fired = 0, nil
    local function again()
      rounds = rounds + 1
      if rounds < 1000 then loop:batch(again) end
    end
    loop:batch(again)
    loop:after(0, function() fired = rounds end)
    world:advance(0)
    assert.equal(1000, rounds)
    assert.is_true(fired < 100)
  end)
end)
