--- A stream to a client that reads slowly: nothing is kept for it, nothing is lost to it.
local disk = require 'pact.sim.disk'
local journal = require 'pact.observe.journal'
local stream = require 'pact.control.api.stream'

-- A client with room for `room` bytes until it reads.
local function client(room)
  local got = { lines = {}, queued = 0 }
  local ctl = { stream = function() end }
  function ctl.write(_, bytes)
    got.queued = got.queued + #bytes
    got.most = math.max(got.most or 0, got.queued)
    for line in bytes:gmatch '[^\n]+' do got.lines[#got.lines + 1] = line end
    return got.queued + (256 * 1024 - room)
  end
  function ctl.finish() got.finished = true end
  local log = journal.new(disk.new(), '/run', error)
  local sched = { on = function(_, _, fn) got.heard = fn end, off = function() end }
  function sched.after(_, ms, fn)
    got.next_turn = fn
    return ms
  end
  function sched.cancel() got.next_turn = nil end
  function got.reads()
    got.queued = 0
    got.heard 'drain'
  end
  local context = { ctl = ctl, sched = sched, journal = function() return log end }
  return got, log, function(opts) return stream.new(context, 1, opts) end
end

local function emit(log, from, to)
  for seq = from, to do log:write { name = 'probe', seq = seq, text = ('x'):rep(100) } end
end

local function numbers(got)
  local out = {}
  for i, line in ipairs(got.lines) do out[i] = tonumber(line:match '"seq":(%d+)') or line end
  return out
end

local function upto(n)
  local out = {}
  for i = 1, n do out[i] = i end
  return out
end

describe('a stream', function()
  it('stops when the client is full and goes on when it has read', function()
    local got, log, open = client(1000)
    emit(log, 1, 100)
    local it = open {}
    it:replay()
    assert.is_true(#got.lines < 20 and got.most < 1500, got.most)
    for _ = 1, 20 do got.reads() end
    assert.same(upto(100), numbers(got))
    assert.is_true(got.most < 1500, got.most)
  end)

  it('takes what came while the client was full from the journal', function()
    local got, log, open = client(1000)
    local it = open {}
    for seq = 1, 50 do
      local event = { name = 'probe', seq = seq, text = ('x'):rep(100) }
      log:write(event)
      it:event(event, log:line(event))
    end
    assert.is_true(#got.lines < 20)
    for _ = 1, 20 do got.reads() end
    assert.same(upto(50), numbers(got))
  end)

  it('ends when a slow client has got everything', function()
    local got, log, open = client(1000)
    emit(log, 1, 100)
    local it = open {}
    it:replay()
    it:finish()
    assert.is_nil(got.finished)
    for _ = 1, 20 do got.reads() end
    assert.is_true(got.finished)
    assert.same(upto(100), numbers(got))
  end)

  it('goes on in the next turn when a fast client has taken much', function()
    local got, log, open = client(math.maxinteger >> 1)
    emit(log, 1, 10000)
    local it, turns = open {}, 0
    it:replay()
    it:finish()
    while got.next_turn do
      local turn = got.next_turn
      got.next_turn, got.queued, turns = nil, 0, turns + 1
      assert.is_nil(got.finished)
      turn()
      assert.is_true(got.queued < 260 * 1024, got.queued)
    end
    assert.is_true(turns > 3, turns)
    assert.is_true(got.finished)
    assert.same(upto(10000), numbers(got))
  end)

  it('reads no more for who has left', function()
    local got, log, open = client(math.maxinteger >> 1)
    emit(log, 1, 10000)
    open({}):replay()
    local before = #got.lines
    got.heard 'gone'
    assert.is_nil(got.next_turn)
    assert.equal(before, #got.lines)
  end)

  it('ends at once when there is no time to wait', function()
    local got, log, open = client(1000)
    emit(log, 1, 100)
    local it = open {}
    it:replay()
    it:finish_now()
    assert.is_true(got.finished)
    assert.same(upto(100), numbers(got))
  end)

  it('leaves out what is too much in a hurry, not the end of it', function()
    local got, log, open = client(1000)
    local it = open { front = true }
    for seq = 1, 20000 do
      local event = { name = 'x:y', seq = seq }
      log:write(event)
      it:event(event, log:line(event))
    end
    it:finish_now()
    assert.is_true(got.finished)
    local found = numbers(got)
    assert.equal(20000, found[#found])
    assert.is_true(#found > 10000 and #found < 10100, #found)
    local said = table.concat(got.lines, '\n'):match '%((%d+) events are left out here'
    assert.equal(20000, #found - 1 + tonumber(said))
  end)

  it('sends no more in a hurry than a client can be sent', function()
    local got, log, open = client(1000)
    local it = open { front = true }
    for seq = 1, 1000 do
      local event = { name = 'x:y', seq = seq, text = ('x'):rep(10000) }
      log:write(event)
      it:event(event, log:line(event))
    end
    it:finish_now()
    assert.is_true(got.finished)
    assert.is_true(got.queued < 5 << 20, got.queued)
  end)

  it('has early messages at their places among the events', function()
    local got, log, open = client(1e9)
    emit(log, 1, 4)
    open { front = true }:replay {
      { message = 'a', behind = 0 }, { message = 'b', behind = 2 }, { message = 'c', behind = 9 },
    }
    assert.same({ '"a"', 1, 2, '"b"', 3, 4, '"c"' }, numbers(got))
  end)

  it('tells of output once the client has room again', function()
    local got, log, open = client(1000)
    emit(log, 1, 20)
    local it = open { front = true }
    it:replay()
    it:output 'web'
    for _ = 1, 20 do got.reads() end
    assert.equal('{"type":"output","service":"web"}', got.lines[#got.lines])
  end)
end)
