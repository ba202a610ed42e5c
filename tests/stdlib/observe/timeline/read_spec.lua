--- What is read of a run's files, and what is left out of them.
local disk = require 'pact.sim.disk'
local json = require 'pact.base.json'
local phases = require 'pact.observe.timeline.phases'
local read = require 'pact.observe.timeline.read'

local function line(seq, name, fields)
  local event = { seq = seq, name = name, mono = 1000 + seq, at = 1 }
  for key, value in pairs(fields or {}) do event[key] = value end
  return json.encode(event) .. '\n'
end

describe('a run that is read', function()
  local fs, world, report
  before_each(function()
    fs, world = disk.new()
    report = { unreadable = 0 }
    fs.mkdir '/run'
  end)

  local function seqs(of_probes)
    local out = {}
    for event in read.events(fs, '/run', report, of_probes or function() end) do out[#out + 1] = event.seq end
    return out
  end

  it('is read from its oldest file to its newest, each event once', function()
    world.files['/run/events.jsonl.10'] = line(1, 'started') .. line(2, 'started')
    world.files['/run/events.jsonl.2'] = line(3, 'started')
    world.files['/run/events.jsonl.1'] = line(4, 'started') .. line(5, 'started')
    world.files['/run/events.jsonl'] = line(5, 'started') .. line(6, 'started')
    assert.same({ 1, 2, 3, 4, 5, 6 }, seqs())
    assert.same({ unreadable = 0, first = 1 }, report)
  end)

  it('gives a last line without an end when it is whole, and counts one that is cut', function()
    world.files['/run/events.jsonl'] = line(1, 'started') .. line(2, 'ready'):sub(1, -2)
    assert.same({ 1, 2 }, seqs())
    world.files['/run/events.jsonl'] = line(1, 'started') .. line(2, 'ready'):sub(1, -9)
    assert.same({ 1 }, seqs())
    assert.equal(1, report.unreadable)
  end)

  it('leaves out what is no event, and goes on behind it', function()
    world.files['/run/events.jsonl'] = table.concat {
      line(1, 'started'), 'garbage\n', '\0\255\254\n', '[1,2]\n', '"text"\n', '{}\n', '{"name":"ready"}\n', '\n',
      line(2, 'ready', { mono = 'soon' }), line(3, 'ready', { service = 7 }), ('x'):rep(300000) .. '\n', line(4, 'ready'),
    }
    assert.same({ 1, 4 }, seqs())
    assert.equal(9, report.unreadable)
  end)

  it('passes over events of kinds that it knows nothing of, and fields that are of another type', function()
    world.files['/run/events.jsonl'] = line(1, 'teleported', { service = 'a' }) .. line(2, 'own:event')
      .. line(3, 'started', { service = 'a', spent = 'long', held_by = {}, reason = 5 })
    local event = read.events(fs, '/run', report, function() end)()
    assert.same({ 3, {}, nil, nil, 0 }, { event.seq, event.spent, event.held_by, event.reason, report.unreadable })
  end)

  it('decodes results of probes only of who is asked about', function()
    world.files['/run/events.jsonl'] = line(1, 'probe', { service = 'a', ok = false }) .. line(2, 'probe', { service = 'b' })
      .. line(3, 'probe', { service = 'a' }) .. '{"name":"probe","service":"b", broken\n'
    assert.same({ 1, 3 }, seqs(function(id) return id == 'a' end))
    assert.equal(0, report.unreadable)
  end)

  it('holds a piece of a file at a time', function()
    local lines = {}
    for seq = 1, 20000 do lines[seq] = line(seq, 'started', { reason = ('x'):rep(100) }) end
    world.files['/run/events.jsonl'] = table.concat(lines)
    local whole, most = fs.read_at, 0
    fs.read_at = function(path, offset, size)
      most = math.max(most, size)
      return whole(path, offset, size)
    end
    assert.equal(20000, #seqs())
    assert.is_true(most <= 1 << 18)
  end)

  it('is without a plan when it is of an older version', function()
    assert.same({ head = {}, services = {} }, read.plan(fs, '/run', report))
    assert.same({ unreadable = 0 }, report)
  end)

  it('has a plan, of which the last line about a service holds', function()
    world.files['/run/plan.jsonl'] = [[
{"format":1,"project":"shop","began":900,"wanted_at":950,"at":17,"version":"1"}
{"service":"db","kind":"process","wanted":true,"check":"log","log":"ready"}
{"service":"web","kind":"process","wanted":true,"needs":[{"id":"db","condition":"ready"},7,{"id":8}]}
{"service":"db","display_name":"Database","kind":"process","since":4000,"extra":{"new":1}}
garbage
{"service":"cut"]]
    local plan = read.plan(fs, '/run', report)
    assert.same({ project = 'shop', began = 900, wanted_at = 950, at = 17 }, plan.head)
    assert.same({ 'db', 'Database', 'web', 2 }, { plan.services[1].id, plan.services[1].display_name, plan.services[2].id, #plan.services })
    assert.same({ { id = 'db', condition = 'ready' } }, plan.services[2].needs)
    assert.same({ true, nil }, { plan.services[1].wanted, plan.services[1].since }) -- as the first one says
    assert.same({ unreadable = 2 }, report)
  end)

  it('tells of a plan that a newer version wrote, and takes what it understands', function()
    world.files['/run/plan.jsonl'] = '{"format":2,"version":"9.0","began":[1],"project":{}}\n{"service":"db","kind":5}\n'
    local plan = read.plan(fs, '/run', report)
    assert.equal('9.0', report.newer)
    assert.same({ {}, 'db', nil }, { plan.head, plan.services[1].id, plan.services[1].kind })
  end)

  it('never fails, whatever the files hold', function()
    math.randomseed(7)
    local good = line(1, 'started', { service = 'a', spent = { waiting = 5 } }) .. line(2, 'ready', { service = 'a' })
      .. line(3, 'crashed', { service = 'a' }) .. line(4, 'all_ready') .. line(5, 'shutdown')
    local plan = '{"format":1,"began":900}\n{"service":"a","needs":[{"id":"b","condition":"ready"}],"wanted":true}\n'
    for _ = 1, 500 do
      local function spoil(text)
        local at = math.random(#text)
        if math.random(3) == 1 then return text:sub(1, at) end
        return text:sub(1, at - 1) .. string.char(math.random(0, 255)) .. text:sub(at + 1)
      end
      world.files['/run/events.jsonl'], world.files['/run/plan.jsonl'] = spoil(good), spoil(plan)
      local fold = phases.new(read.plan(fs, '/run', report))
      for event in read.events(fs, '/run', report, function(id) return fold:probing(id) end) do fold:event(event) end
      fold:finish()
    end
  end)
end)
