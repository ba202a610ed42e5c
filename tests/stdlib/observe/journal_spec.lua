--- What a journal gives back: everything behind an event, in order, across rotated files, from a place near it.
local disk = require 'pact.sim.disk'
local journal = require 'pact.observe.journal'

local function written(count, padding)
  local fs, world = disk.new()
  local it = journal.new(fs, '/run', error)
  for seq = 1, count do it:write { name = 'probe', seq = seq, text = padding } end
  return it, fs, world
end

local function seqs(it, behind)
  local out = {}
  for seq, line in it:since(behind) do
    assert(line:find(('"seq":%d'):format(seq), 1, true))
    out[#out + 1] = seq
  end
  return out
end

describe('a journal', function()
  it('gives what is behind an event, in order', function()
    local it = written(5)
    assert.same({ 1, 2, 3, 4, 5 }, seqs(it, 0))
    assert.same({ 4, 5 }, seqs(it, 3))
    assert.same({}, seqs(it, 5))
    assert.same({}, seqs(it, 99))
  end)

  it('gives nothing before anything is written', function() assert.same({}, seqs(written(0), 0)) end)

  it('reads a piece at a time, from a place near what is asked for', function()
    local it, fs = written(4000, ('x'):rep(1000))
    local read, most = fs.read_at, 0
    local calls = 0
    fs.read_at = function(path, offset, size)
      calls, most = calls + 1, math.max(most, size)
      return read(path, offset, size)
    end
    assert.same({ 3999, 4000 }, seqs(it, 3998))
    assert.is_true(calls <= 7, calls)
    assert.is_true(most <= 65536, most)
  end)

  it('goes on where a reader stopped, and sees what came meanwhile', function()
    local it = written(300, ('x'):rep(1000))
    local next_event = it:since(0)
    for _ = 1, 10 do next_event() end
    it:write { name = 'probe', seq = 301 }
    local last
    for seq in next_event do last = seq end
    assert.equal(301, last)
  end)

  it('goes through rotated files as long as they exist', function()
    local it, _, world = written(7000, ('x'):rep(10000))
    local found = seqs(it, 0)
    assert.equal(7000, found[#found])
    assert.is_true(found[1] > 1)
    for i = 2, #found do assert.equal(found[i - 1] + 1, found[i]) end
    assert.truthy(world.files['/run/events.jsonl.4'])
    assert.is_nil(world.files['/run/events.jsonl.5'])
    assert.same({ 6999, 7000 }, seqs(it, 6998))
  end)
end)
