local plain = require 'pact.observe.plain'

describe('plain output', function()
  local said, tails, woken, subject, full, drains

  local function new(opts)
    said, tails, woken, drains, full = {}, {}, {}, {}, false
    opts = opts or {}
    opts.tail = {
      style = function(style) said.escape = style.escape end,
      open = function(tail)
        tails[#tails + 1] = tail
        return #tails
      end,
      wake = function(id) woken[#woken + 1] = tails[id].name end,
      say = function(text, at)
        if full then return nil, 'full', 'EAGAIN' end
        said[#said + 1] = text
        said.at = at
        return true
      end,
      drain = function()
        drains[#drains + 1] = true
        return #drains
      end,
    }
    opts.sched = { on = function(_, id, fn) drains[id] = fn end }
    subject = plain.new(opts)
    subject:begin { run = '/run', services = { { id = 'a' }, { id = 'longer-id' } } }
  end

  it('puts an aligned prefix before the lines of a service', function()
    new {}
    subject:output 'a'
    assert.same({ 'a' }, woken)
    assert.equal('a         | ', tails[1].prefix)
    assert.equal('start', tails[1].from)
    assert.equal('/run', tails[1].dir)
  end)

  it('opens each tail once', function()
    new {}
    subject:output 'a'
    subject:output 'a'
    assert.equal(1, #tails)
    assert.same({ 'a', 'a' }, woken)
  end)

  it('tells what happens behind what was written before it', function()
    new {}
    subject:event { name = 'crashed', service = 'a', reason = 'exit code 1' }
    assert.same({ 'a' }, woken)
    assert.same('a         * crashed: exit code 1\n', said[1])
  end)

  it('tells of a start before what was written since', function()
    new {}
    subject:event { name = 'started', service = 'a', pid = 7, mono = 1234 }
    assert.equal(1234, said.at)
    subject:event { name = 'crashed', service = 'a', reason = 'exit code 1', mono = 1235 }
    assert.equal(1236, said.at)
  end)

  it('says nothing of probes', function()
    new {}
    subject:event { name = 'probe', service = 'a', reason = 'ok' }
    assert.is_nil(said[1])
  end)

  it('shows a traceback of a hook', function()
    new {}
    subject:event { name = 'hook_failed', hook = 'crashed', file = 'net.lua', line = 3, message = 'oh', traceback = 'stack traceback:\n\tnet.lua:3' }
    assert.equal('pactlua   * hook for crashed failed at net.lua:3: oh\nstack traceback:\n\tnet.lua:3\n', said[1])
  end)

  it('says when all is ready, and where', function()
    new {}
    subject:ready(1234, { { id = 'a', endpoints = { web = 'http://localhost:1' } } })
    assert.equal('pactlua   * all ready in 1.2 s\na         * web http://localhost:1\n', said[1])
  end)

  it('has colours where they are wanted', function()
    new { colour = true }
    subject:event { name = 'crashed', service = 'a', reason = 'exit code 1' }
    assert.truthy(said[1]:find('\27[31mcrashed: exit code 1\27[0m\n', 1, true), said[1])
  end)

  it('keeps its words for later while the output is slow, in order', function()
    new {}
    full = true
    subject:say 'one\n'
    subject:say 'two\n'
    local done = false
    subject:drained(function() done = true end)
    full = false
    subject:say 'three\n'
    assert.same({}, { table.unpack(said) })
    drains[1]()
    assert.same({ 'one\n', 'two\n', 'three\n' }, { table.unpack(said) })
    drains[2]()
    assert.is_true(done)
  end)

  it('is silent about services when it is asked to be quiet', function()
    new { quiet = true }
    subject:output 'a'
    subject:event { name = 'started', service = 'a', pid = 1 }
    assert.same({}, tails)
    assert.is_nil(said[1])
  end)
end)
