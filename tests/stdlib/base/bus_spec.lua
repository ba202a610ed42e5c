local bus = require 'pact.base.bus'
local sim_sys = require 'pact.sim.sys'

describe('bus', function()
  local it_bus, seen, errors

  before_each(function()
    local sys = sim_sys.new()
    seen, errors = {}, {}
    it_bus = bus.new {
      now = sys.time.now,
      wall = sys.time.wall,
      try = sys.try,
      on_error = function(message)
        errors[#errors + 1] = message
      end,
    }
  end)

  local function hear(who, opts)
    return it_bus:subscribe(function(event)
      seen[#seen + 1] = who .. ':' .. event.name
    end, opts)
  end

  it('calls subscribers by rank, then in order of subscription', function()
    hear('client', { rank = 'clients' })
    hear('hook', { rank = 'hooks' })
    hear('journal', { rank = 'journal' })
    hear('client2')
    it_bus:emit { name = 'x' }
    assert.same({ 'journal:x', 'hook:x', 'client:x', 'client2:x' }, seen)
  end)

  it('numbers and stamps events', function()
    local events = {}
    it_bus:subscribe(function(event)
      events[#events + 1] = event
    end)
    it_bus:emit { name = 'a', service = 'web' }
    it_bus:emit { name = 'b' }
    assert.same(
      { name = 'a', service = 'web', seq = 1, at = 1700000000000, mono = 1000 },
      events[1]
    )
    assert.equal(2, events[2].seq)
  end)

  it('gives everybody the same order when a subscriber emits', function()
    it_bus:subscribe(function(event)
      if event.name == 'a' then
        it_bus:emit { name = 'b' }
      end
    end, { rank = 'journal' })
    hear 'late'
    it_bus:emit { name = 'a' }
    assert.same({ 'late:a', 'late:b' }, seen)
  end)

  it('lets a subscriber leave while it is being called, and others with it', function()
    local second
    local first
    first = it_bus:subscribe(function()
      seen[#seen + 1] = 'first'
      first:off()
      second:off()
    end)
    second = hear 'second'
    hear 'third'
    it_bus:emit { name = 'x' }
    it_bus:emit { name = 'y' }
    assert.same({ 'first', 'third:x', 'third:y' }, seen)
  end)

  it('isolates an error in a subscriber', function()
    it_bus:subscribe(function()
      error 'broken'
    end)
    hear 'after'
    it_bus:emit { name = 'x' }
    assert.same({ 'after:x' }, seen)
    assert.matches('broken', errors[1])
  end)

  it('hears only the names asked for, and knows whether anybody would', function()
    hear('probes', { names = { 'probe' } })
    it_bus:emit { name = 'x' }
    it_bus:emit { name = 'probe' }
    assert.same({ 'probes:probe' }, seen)
    assert.is_true(it_bus:wanted 'probe')
    assert.is_false(it_bus:wanted 'line')
  end)
end)
