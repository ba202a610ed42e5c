--- An engine that doesn't answer, in virtual time: when it is told, and what isn't mistaken for it.
local disk = require 'pact.sim.disk'
local scheds = require 'pact.base.sched'
local silence = require 'pact.control.client.silence'
local sim_sys = require 'pact.sim.sys'

local ENGINE = 4711

describe('an engine that is asked', function()
  local world, files, link, said, gave_up, asked

  -- Its state, as /proc has it; nil: it is gone.
  local function becomes(state)
    files.files[('/proc/%d/stat'):format(ENGINE)] = state and ('%d (pactlua-engine) %s 1 1'):format(ENGINE, state)
  end

  -- `answers(n)`: what becomes of the n-th question: ms until it is answered; false: never.
  local function watch(answers, opts)
    local sys
    sys, world = sim_sys.new()
    sys.fs, files = disk.new()
    local sched = scheds.new(sys)
    said, gave_up, asked = {}, nil, 0
    link = { pid = ENGINE, acting = opts and opts.acting }
    function link.call(_, _, _, _, answer)
      asked = asked + 1
      local ms = answers(asked)
      if not ms then return sched:after(1 << 40, function() end) end
      return sched:after(ms, function()
        if link.heard then link.heard() end
        answer(200, {})
      end)
    end
    becomes 'S'
    return silence.watch {
      sys = sys, sched = sched, link = link, project = 'shop', tell = function(words) said[#said + 1] = words end,
      give_up = not (opts and opts.endless) and function(words) gave_up = words end or nil,
      on_silent = opts and opts.on_silent, named = opts and opts.named,
    }
  end

  local function never() return false end
  local function soon() return 20 end

  it('is told of once, after three seconds, and given up after fifteen', function()
    watch(never)
    becomes 'T'
    world:advance(2900)
    assert.same({}, said)
    world:advance(200)
    assert.equal(1, #said)
    assert.truthy(said[1]:find("the engine of 'shop' (pid 4711) has not answered since", 1, true), said[1])
    assert.truthy(said[1]:find("it is stopped (state T); 'kill -CONT 4711' lets it go on, 'pactlua down --force'", 1, true),
      said[1])
    world:advance(11000)
    assert.is_nil(gave_up)
    world:advance(1000)
    assert.equal('no answer within 15 s: given up', gave_up)
    world:advance(60000)
    assert.equal(1, #said)
    assert.equal(1, asked)
  end)

  it('is not told of, however long the answer proper takes, while it answers the small question', function()
    watch(soon)
    world:advance(3600000)
    assert.same({}, said)
    assert.is_nil(gave_up)
  end)

  it('is not asked while anything comes from it', function()
    watch(never)
    for _ = 1, 100 do
      link.heard()
      world:advance(1500)
    end
    assert.equal(0, asked)
    assert.same({}, said)
  end)

  it('is told of again when it has answered in between, which is told, too', function()
    local held = true
    watch(function(n) return n == 1 and 6000 or not held and 20 end, { endless = true })
    world:advance(5000)
    assert.equal(1, #said)
    held = false
    world:advance(3000)
    assert.equal('the engine answers again', said[2])
    world:advance(20000)
    assert.equal(2, #said)
    held = true
    world:advance(9000)
    assert.equal(3, #said)
    assert.is_nil(gave_up)
  end)

  local states = {
    { 't', 'a debugger holds it (state t)' }, { 'D', 'it waits for a disk or a device (state D)' },
    { 'R', 'it is busy (state R)' }, { 'S', 'it sleeps (state S)' }, { 'I', 'its state is I' },
    { 'Z', 'it has ended' }, { nil, 'it has ended' },
  }
  for _, row in ipairs(states) do
    it(('is told of with what it does: %s'):format(row[2]), function()
      watch(never)
      becomes(row[1])
      world:advance(4000)
      assert.truthy(said[1]:find(row[2] .. "; 'pactlua down --force' kills it", 1, true), said[1])
    end)
  end

  it('may have been asked for something that it does later: that is said', function()
    watch(never, { acting = true, named = true })
    world:advance(20000)
    assert.truthy(said[1]:find("'pactlua down --force --project shop'", 1, true), said[1])
    assert.equal('no answer within 15 s: given up; what was asked may yet be done when the engine goes on', gave_up)
  end)

  it('is somebody else to deal with, who hears of it', function()
    local heard
    watch(never, { on_silent = function(it_is) heard = it_is return true end })
    world:advance(4000)
    assert.same({}, said)
    assert.truthy(heard:words(true):find('it sleeps (state S); it is killed now', 1, true))
  end)

  it('has answered lately, or not', function()
    local held = false
    local watched = watch(function() return not held and 20 end)
    assert.is_false(watched:answers())
    world:advance(1500)
    assert.is_true(watched:answers())
    held = true
    world:advance(10000)
    assert.is_false(watched:answers())
  end)

  it('is watched no longer after the end', function()
    local watched = watch(never)
    watched:off()
    world:advance(60000)
    assert.same({ 0, 0 }, { asked, #said })
    assert.is_nil(link.heard)
  end)
end)
