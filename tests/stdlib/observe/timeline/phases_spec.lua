--- What services were from when to when, by journals that are made up as tables.
local chain = require 'pact.observe.timeline.chain'
local phases = require 'pact.observe.timeline.phases'
local words = require 'pact.observe.timeline.words'

local BEGAN = 5000

-- Services: { id, task =, wanted =, needs = }; events: { ms, name, service, fields }.
local function made(services, events, now)
  local plan = { head = { began = BEGAN, wanted_at = BEGAN, project = 'shop' }, services = {} }
  for i, row in ipairs(services) do
    local needs = {}
    for at, id in ipairs(row.needs or {}) do needs[at] = { id = id, condition = 'ready' } end
    plan.services[i] = { id = row[1], task = row.task or false, wanted = row.wanted ~= false, needs = needs }
  end
  local fold = phases.new(plan)
  for seq, row in ipairs(events) do
    local event = { seq = seq, mono = BEGAN + row[1], at = row.at or 1, name = row[2], service = row[3], spent = {} }
    for key, value in pairs(row[4] or {}) do event[key] = value end
    fold:event(event)
  end
  return fold:finish(now and BEGAN + now)
end

local function told(line, id)
  local out = {}
  phases.each(line.by_id[id], 0, line.last, function(phase, from, to) out[#out + 1] = ('%s %d-%d'):format(phase, from, to) end)
  return table.concat(out, ', ')
end

local STARTED = { to = 'starting', reason = 'not ready yet' }

local rows = {
  { 'waits, starts, is probed and ready', {
    { 510, 'started', 'a', { spent = { waiting = 400, starting = 110 } } }, { 900, 'ready', 'a', { to = 'running' } }, { 1000, 'all_ready' },
  }, 'waiting 0-400, starting 400-510, probing 510-900, ready 900-1000' },
  { 'is ready at once without a check', { { 10, 'started', 'a' }, { 10, 'ready', 'a' }, { 50, 'all_ready' } }, 'waiting 0-10, ready 10-50' },
  { 'crashes, pauses, waits and starts again', {
    { 0, 'started', 'a' }, { 0, 'ready', 'a' }, { 100, 'crashed', 'a' }, { 100, 'backoff', 'a' },
    { 350, 'started', 'a', { spent = { waiting = 50 } } }, { 350, 'restarted', 'a' }, { 360, 'ready', 'a' }, { 500, 'shutdown' },
  }, 'ready 0-100, backoff 100-300, waiting 300-350, probing 350-360, ready 360-500' },
  { 'is restarted by a person: no event tells of its stop', {
    { 0, 'started', 'a' }, { 0, 'ready', 'a' }, { 700, 'started', 'a', { spent = { stopping = 100, waiting = 30, starting = 20 } } }, { 800, 'ready', 'a' },
    { 900, 'shutdown' },
  }, 'ready 0-550, stopping 550-650, waiting 650-680, starting 680-700, probing 700-800, ready 800-900' },
  { 'takes its time to stop', {
    { 0, 'started', 'a' }, { 0, 'ready', 'a' }, { 300, 'shutdown' }, { 900, 'stopped', 'a', { spent = { stopping = 600 } } },
    { 1000, 'stopped', 'b' },
  }, 'ready 0-300, stopping 300-900, stopped 900-1000' },
  { 'gives up', { { 5, 'started', 'a' }, { 50, 'crashed', 'a' }, { 50, 'failed', 'a' }, { 80, 'shutdown' } },
    'waiting 0-5, probing 5-50, failed 50-80' },
  { 'never gets its turn', { { 40, 'skipped', 'a', { spent = { waiting = 40 } } }, { 80, 'shutdown' } }, 'waiting 0-40, skipped 40-80' },
  { 'waits to the end', { { 80, 'shutdown' } }, 'waiting 0-80' },
  { 'is not hurt by a clock that is set back or ahead: at means nothing', {
    { 10, 'started', 'a', at = 9e12 }, { 20, 'ready', 'a', at = 5 }, { 30, 'shutdown', at = 9e15 } }, 'waiting 0-10, probing 10-20, ready 20-30' },
  { 'has events that run backwards: no time goes back', {
    { 100, 'started', 'a' }, { 50, 'ready', 'a' }, { 200, 'shutdown' } }, 'waiting 0-100, ready 100-200' },
  { 'was longer somewhere than the run lasts', {
    { 100, 'started', 'a', { spent = { waiting = 1e9, starting = 1e9 } } }, { 200, 'shutdown' } }, 'starting 0-100, probing 100-200' },
}

describe('a service', function()
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[3], told(made({ { 'a' }, { 'b' } }, row[2]), 'a')) end)
  end

  it('of a journal without its beginning is known from what there is', function()
    local plan = { head = { began = 0 }, services = {} }
    for i, id in ipairs { 'a', 'b', 'c', 'd' } do plan.services[i] = { id = id, wanted = true, needs = {}, task = false } end
    local fold = phases.new(plan)
    local seq = 5000
    for _, row in ipairs { { 1000, 'probe', 'a', { ok = true } }, { 2000, 'probe', 'b', { ok = false, reason = 'refused' } },
      { 3000, 'crashed', 'c' }, { 3500, 'started', 'c' }, { 3600, 'ready', 'c' }, { 4000, 'shutdown' } } do
      seq = seq + 1
      local event = { seq = seq, mono = row[1], name = row[2], service = row[3], spent = {} }
      for key, value in pairs(row[4] or {}) do event[key] = value end
      fold:event(event)
      if row[3] == 'a' then assert.is_false(fold:probing 'a') end
    end
    local line = fold:finish()
    assert.same({ 'ready 1000-4000', '', 'backoff 3000-3500, probing 3500-3600, ready 3600-4000', '' },
      { told(line, 'a'), told(line, 'b'), told(line, 'c'), told(line, 'd') })
    assert.is_nil(line.by_id.c.ready_at) -- the first time isn't known
    local hung, count, wanted = chain.hung(line)
    assert.same({ {}, 0, 2 }, { hung, count, wanted })
    assert.equal('its start is not known any more, ended after 4 s', words.outcome(line, { hung = count, wanted = wanted }))
  end)

  it('that came later waits from then on', function()
    local fold = phases.new { head = { began = 1000 }, services = { { id = 'late', wanted = true, since = 6000, needs = {}, task = false } } }
    fold:event { seq = 1, mono = 7000, name = 'started', service = 'late', spent = {} }
    assert.equal('waiting 5000-6000, probing 6000-6500', told(fold:finish(7500), 'late'))
  end)

  it('that came later, and was not wanted yet, waits for nothing', function()
    local fold = phases.new { head = { began = 1000 }, services = { { id = 'late', since = 6000, needs = {}, task = false } } }
    fold:event { seq = 1, mono = 7000, name = 'started', service = 'late', spent = {} }
    assert.equal('probing 6000-6500', told(fold:finish(7500), 'late'))
  end)

  it('that starts when its time comes is not missed', function()
    local line = made({ { 'a' }, { 'cron' } }, { { 0, 'started', 'a' }, { 900, 'shutdown' } })
    line.by_id.cron.scheduled = true
    local hung, count, wanted = chain.hung(line)
    assert.same({ 1, 1, 1 }, { #hung, count, wanted })
  end)

  it('that is a task works and completes', function()
    local line = made({ { 't', task = true } }, { { 5, 'started', 't' }, { 90, 'ready', 't', { to = 'completed' } },
      { 90, 'completed', 't', { reason = 'exit code 0' } }, { 100, 'shutdown' } })
    assert.equal('waiting 0-5, working 5-90, completed 90-100', told(line, 't'))
    assert.equal(90, line.by_id.t.ready_at)
  end)

  it('of a run without a plan is known from its events', function()
    local fold = phases.new { head = {}, services = {} }
    for seq, row in ipairs { { 100, 'started', 'x', STARTED }, { 300, 'ready', 'x', {} }, { 300, 'all_ready' } } do
      local event = { seq = seq, mono = row[1], name = row[2], service = row[3], spent = {} }
      for key, value in pairs(row[4] or {}) do event[key] = value end
      fold:event(event)
    end
    local line = fold:finish()
    assert.equal('probing 0-200', told(line, 'x'))
    assert.equal(200, line.ready_at)
  end)

  it('is unhealthy in stretches, which end with its recovery or its end', function()
    local line = made({ { 'a' } }, { { 0, 'started', 'a' }, { 0, 'ready', 'a' }, { 100, 'unhealthy', 'a', { reason = 'http 503' } },
      { 200, 'healthy', 'a' }, { 300, 'unhealthy', 'a' }, { 400, 'crashed', 'a' }, { 500, 'started', 'a' }, { 600, 'unhealthy', 'a' } }, 900)
    assert.same({ { from = 100, to = 200, reason = 'http 503' }, { from = 300, to = 400 }, { from = 600, to = 900 } }, line.by_id.a.sick)
  end)

  it('goes on until now in a run that lives', function()
    local line = made({ { 'a' } }, { { 0, 'started', 'a' } }, 700)
    assert.equal('probing 0-700', told(line, 'a'))
    assert.is_true(line.live)
  end)

  it('wants to hear of its probes until it is ready', function()
    local fold = phases.new { head = { began = 0 }, services = { { id = 'a', wanted = true, needs = {}, task = false } } }
    assert.is_true(fold:probing 'a')
    assert.is_false(fold:probing 'nobody')
    assert.is_false(fold:probing(nil))
    fold:event { seq = 1, mono = 5, name = 'probe', service = 'a', ok = false, reason = 'refused', spent = {} }
    fold:event { seq = 2, mono = 9, name = 'ready', service = 'a', spent = {} }
    assert.is_false(fold:probing 'a')
    assert.same({ 1, 'refused' }, { fold.line.by_id.a.refused, fold.line.by_id.a.refusal })
  end)
end)

-- db is probed for 5.8 s, migrate works for 0.3 s, web is probed for 2.1 s; cache is quick.
local SHOP = { { 'db' }, { 'cache' }, { 'migrate', task = true, needs = { 'db' } }, { 'web', needs = { 'migrate', 'cache' } } }
local STORY = {
  { 0, 'started', 'db', STARTED }, { 0, 'started', 'cache', STARTED }, { 200, 'ready', 'cache', { reason = 'http 200' } },
  { 500, 'probe', 'db', { ok = false, reason = 'connection refused' } }, { 900, 'probe', 'db', { ok = false, reason = 'connection refused' } },
  { 5800, 'ready', 'db', { reason = 'http 200' } },
  { 5800, 'started', 'migrate', { held_by = 'db', spent = { waiting = 5800 } } }, { 6100, 'completed', 'migrate', { reason = 'exit code 0' } },
  { 6200, 'started', 'web', { held_by = 'migrate', spent = { waiting = 6100, starting = 100 } } }, { 8200, 'ready', 'web', { reason = 'http 200' } },
  { 8200, 'all_ready' },
}

-- As whole as the engine tells it: a task's ready comes before its completed.
local function story()
  local out = {}
  for _, row in ipairs(STORY) do
    if row[2] == 'completed' then out[#out + 1] = { row[1], 'ready', row[3], { to = 'completed', reason = 'exit code 0' } } end
    out[#out + 1] = row
  end
  return out
end

describe('the critical chain', function()
  it('goes from the last that was ready back to what held it longest', function()
    local line = made(SHOP, story())
    local found = chain.of(line)
    local steps = {}
    for i, step in ipairs(found.steps) do steps[i] = { step.id, step.from, step.to, step.behind } end
    assert.same({ { 'db', 0, 5800 }, { 'migrate', 5800, 6100, 'db' }, { 'web', 6100, 8200, 'migrate' } }, steps)
    assert.same({ 'web', 8200, 'db' }, { found.last, found.total, found.costliest.id })
    assert.equal('web was ready last, after 8.2 s: waited 6.1 s for migrate (at work 300 ms), starting 100 ms, probing 2 s. '
      .. 'db cost most, 5.8 s (71 %), probing: connection refused 2 times', words.sentence(line, found))
    assert.equal('probing 5.8 s: connection refused 2 times', words.step(line, found.steps[1]))
    assert.equal('starting 100 ms, probing 2 s: http 200', words.step(line, found.steps[3]))
  end)

  it('is one step where nothing was waited for', function()
    local line = made({ { 'a' } }, { { 0, 'started', 'a' }, { 900, 'ready', 'a', { reason = "logged 'up'" } }, { 900, 'all_ready' } })
    assert.equal("a was ready last, after 900 ms: probing 900 ms: logged 'up'", words.sentence(line, chain.of(line)))
  end)

  it('tells of a wait that no dependency is to blame for', function()
    local line = made({ { 'a' }, { 'b' } }, { { 0, 'started', 'a' }, { 0, 'ready', 'a' }, { 800, 'started', 'b', { spent = { waiting = 800 } } },
      { 1000, 'ready', 'b' }, { 1000, 'all_ready' } })
    assert.equal('b was ready last, after 1 s: waited 800 ms for its turn, probing 200 ms', words.sentence(line, chain.of(line)))
  end)

  it('begins with the recipe where that took long', function()
    local fold = phases.new { head = { began = 0, wanted_at = 3000 }, services = { { id = 'a', wanted = true, needs = {}, task = false } } }
    fold:event { seq = 1, mono = 3000, name = 'started', service = 'a', spent = {} }
    fold:event { seq = 2, mono = 3500, name = 'ready', service = 'a', spent = {} }
    fold:event { seq = 3, mono = 3500, name = 'all_ready', spent = {} }
    local line = fold:finish()
    local found = chain.of(line)
    assert.same({ nil, 0, 3000 }, { found.steps[1].id, found.steps[1].from, found.steps[1].to })
    assert.equal('a was ready last, after 3.5 s: probing 500 ms. The recipe cost most, 3 s (86 %), reading the recipe and running it',
      words.sentence(line, found))
  end)

  it('counts pauses before restarts to who made them', function()
    local line = made({ { 'a' } }, { { 0, 'started', 'a' }, { 100, 'crashed', 'a' }, { 600, 'started', 'a' }, { 900, 'ready', 'a' }, { 900, 'all_ready' } })
    assert.equal('probing 400 ms, in pauses before restarts 500 ms', words.step(line, chain.of(line).steps[1]))
  end)

  it('ends where it would go round, or leads to nobody', function()
    local line = made({ { 'a' }, { 'b' } }, { { 100, 'started', 'a', { held_by = 'b' } }, { 100, 'started', 'b', { held_by = 'a' } },
      { 300, 'ready', 'a' }, { 400, 'ready', 'b' }, { 400, 'all_ready' } })
    assert.is_true(#chain.of(line).steps <= 2)
    line = made({ { 'a' } }, { { 100, 'started', 'a', { held_by = 'gone' } }, { 300, 'ready', 'a' }, { 300, 'all_ready' } })
    assert.equal(1, #chain.of(line).steps)
  end)
end)

describe('a start that never was one', function()
  it('hung on those who waited for nobody else', function()
    local line = made(SHOP, { { 0, 'started', 'db', STARTED }, { 0, 'started', 'cache' }, { 100, 'ready', 'cache' },
      { 900, 'probe', 'db', { ok = false, reason = 'connection refused' } }, { 30000, 'shutdown' },
      { 30001, 'stopped', 'web', { spent = { waiting = 30001 } } }, { 30100, 'stopped', 'db', { spent = { stopping = 100 } } } })
    assert.is_nil(chain.of(line))
    local hung, count, wanted = chain.hung(line)
    assert.same({ 1, 3, 4 }, { #hung, count, wanted })
    assert.equal('db: alive, not ready for 30 s: connection refused; migrate and web waited behind it', words.hung(hung[1]))
    assert.equal('3 of 4 services not ready, ended after 30 s', words.outcome(line, { hung = count, wanted = wanted }))
  end)

  it('hung on what was ready and failed, too, and on who held most first', function()
    local line = made({ { 'a' }, { 'b' }, { 'c', needs = { 'b' } }, { 'd' } }, { { 0, 'started', 'a' }, { 0, 'ready', 'a' },
      { 50, 'crashed', 'a' }, { 60, 'failed', 'a', { reason = 'exit code 1' } }, { 0, 'started', 'b' },
      { 90, 'probe', 'b', { ok = false, reason = 'http 503' } }, { 95, 'probe', 'b', { ok = false, reason = 'http 503' } },
      { 0, 'started', 'd' }, { 0, 'ready', 'd' }, { 99, 'stopped', 'd' } }, 1100)
    local hung, count = chain.hung(line)
    assert.same({ 'b', 'a', 3 }, { hung[1].id, hung[2].id, count })
    assert.equal('b: alive, not ready for 1.1 s: http 503 2 times; c waited behind it', words.hung(hung[1]))
    assert.equal('failed', words.result(line.by_id.a, tostring))
  end)

  it('says why what failed did, and how many were skipped for it', function()
    local services, events = { { 'db' } }, { { 0, 'started', 'db' }, { 50, 'failed', 'db', { reason = 'exit code 1; gave up' } } }
    for i = 1, 9 do
      services[i + 1] = { 'web' .. i, needs = { 'db' } }
      events[#events + 1] = { 50, 'skipped', 'web' .. i, { spent = { waiting = 50 } } }
    end
    local line = made(services, events, 1050)
    local hung = chain.hung(line)
    assert.equal('db: failed for 1 s: exit code 1; gave up; web1, web2, web3, web4 and 5 more waited behind it', words.hung(hung[1]))
  end)
end)
