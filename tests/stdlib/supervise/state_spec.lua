local state = require 'pact.supervise.state'

local POLICY = {
  policy = 'on-failure', max_retries = 2, delay = 500, factor = 2, max_delay = 30000, jitter = 0, reset_after = 60000,
}

local function policy(changes)
  local copy = {}
  for key, value in pairs(POLICY) do copy[key] = value end
  for key, value in pairs(changes or {}) do copy[key] = value end
  return copy
end

local function record(changes)
  local r = state.new { id = 'web', kind = 'process', task = false, restart = policy(), success_exit = { 0 } }
  for key, value in pairs(changes or {}) do r[key] = value end
  return r
end

-- Records in the statuses from which rows start.
local FROM = {
  idle = {},
  waiting = { want = 'up', status = 'waiting' },
  starting = { want = 'up', status = 'starting', epoch = 1, live = 'up', checked = true, pid = 7 },
  begun = { want = 'up', status = 'starting', epoch = 1, live = 'begun', checked = true },
  ready = { want = 'up', status = 'running', epoch = 1, live = 'up', pid = 7 },
  probed = { want = 'up', status = 'running', epoch = 1, live = 'up', probed = true, health = 'healthy' },
  unwanted = { want = 'down', status = 'running', epoch = 1, live = 'up' },
  stopping = { want = 'down', status = 'stopping', epoch = 1, live = 'up', cause = 'stop', reason = 'stopped by hand' },
  restarting = { want = 'up', status = 'stopping', epoch = 1, live = 'up', cause = 'restart', again = true, restarting = 'person' },
  ending = { want = 'up', status = 'stopping', epoch = 1, live = 'up', cause = 'crash', reason = 'unhealthy: http 503' },
  backoff = { want = 'up', status = 'backoff', epoch = 1, attempt = 1, restarting = 'policy', reason = 'exit code 1' },
  sweeping = { want = 'up', status = 'backoff', epoch = 1, live = 'ended', attempt = 1, restarting = 'policy' },
  asked = { want = 'up', status = 'backoff', epoch = 1, asked = 'crashed', exit = { uptime = 1, success = false }, reason = 'exit code 1' },
  completed = { want = 'up', status = 'completed', epoch = 1 },
  failed = { want = 'up', status = 'failed', epoch = 1, attempt = 2, restart_count = 2 },
  skipped = { want = 'up', status = 'skipped' },
  stopped = { want = 'down', status = 'stopped', epoch = 1 },
}

local function short(action)
  if action[1] == 'emit' or action[1] == 'ask' then return action[1] .. ' ' .. action[2] end
  if action[1] == 'delay' then return { 'delay', action[2] } end
  return action[1]
end

local function run(row)
  local r, actions = state.step(record(FROM[row[1]]), row[2])
  local found = {}
  for i, action in ipairs(actions) do found[i] = short(action) end
  return r, found
end

local function ev(name, fields)
  local event = fields or {}
  event.name = name
  return event
end

describe('state', function()
  -- from, event, to, actions
  local rows = {
    { 'idle', ev 'up', 'waiting', {} },
    { 'idle', ev 'down', 'idle', {} },
    { 'waiting', ev 'go', 'starting', { 'spawn' } },
    { 'waiting', ev('block', { reason = "dependency 'db' failed" }), 'skipped', { 'emit skipped' } },
    { 'waiting', ev 'down', 'stopped', { 'emit stopped' } },
    { 'waiting', ev('fail', { reason = 'redis not ready after 60s' }), 'failed', { 'emit failed' } },
    { 'skipped', ev 'unblock', 'waiting', {} },
    { 'skipped', ev('down', { by = 'shutdown' }), 'skipped', {} },
    { 'begun', ev('spawned', { pid = 7 }), 'starting', { 'emit started' } },
    { 'begun', ev('start_failed', { reason = 'no such file', code = 'ENOENT' }), 'failed', { 'emit failed' } },
    { 'begun', ev('start_failed', { reason = 'no memory', code = 'ENOMEM' }), 'backoff', { { 'delay', 500 }, 'emit backoff' } },
    { 'begun', ev 'down', 'stopping', { 'halt' } },
    { 'starting', ev 'ready', 'running', { 'emit ready', 'emit running' } },
    { 'starting', ev('expired', { reason = 'not ready after 60s' }), 'stopping', { 'halt' } },
    { 'starting', ev('exited', { code = 0 }), 'completed', { 'emit completed' } },
    { 'ready', ev('exited', { code = 1 }), 'backoff', { 'emit crashed', { 'delay', 500 }, 'emit backoff' } },
    { 'ready', ev('exited', { code = 1, ask = true }), 'backoff', { 'emit crashed', 'ask crashed' } },
    { 'ready', ev('exited', { code = 1, uptime = 10000 }), 'backoff', { 'emit crashed', { 'delay', 0 }, 'emit backoff' } },
    { 'ready', ev('exited', { code = 0 }), 'completed', { 'emit completed' } },
    { 'ready', ev 'down', 'stopping', { 'halt' } },
    { 'ready', ev 'restart', 'stopping', { 'halt' } },
    { 'ready', ev 'unwant', 'running', {} },
    { 'ready', ev 'up', 'running', {} },
    { 'ready', ev('fail', { reason = 'disk full' }), 'stopping', { 'halt' } },
    { 'unwanted', ev('exited', { code = 1 }), 'stopped', { 'emit stopped' } },
    { 'unwanted', ev('exited', { code = 0 }), 'completed', { 'emit completed' } },
    { 'probed', ev('health', { state = 'healthy' }), 'running', {} },
    { 'probed', ev('health', { state = 'unhealthy', reason = 'http 503', edge = true }), 'running',
      { 'emit unhealthy', 'emit health_check_failed' } },
    { 'probed', ev('health', { state = 'unhealthy', reason = 'http 503', edge = true, ask = true }), 'running',
      { 'emit unhealthy', 'emit health_check_failed', 'ask unhealthy' } },
    { 'stopping', ev('exited', { code = 1 }), 'stopping', {} },
    { 'stopping', ev 'swept', 'stopped', { 'emit stopped' } },
    { 'stopping', ev 'up', 'stopping', {} },
    { 'stopping', ev('spawned', { pid = 7 }), 'stopping', { 'halt' } },
    { 'stopping', ev('start_failed', { reason = 'x' }), 'stopped', { 'emit stopped' } },
    { 'restarting', ev 'swept', 'waiting', {} },
    { 'restarting', ev 'down', 'stopping', {} },
    { 'ending', ev('exited', { signal = 'TERM' }), 'backoff', { 'emit crashed', { 'delay', 500 }, 'emit backoff' } },
    { 'ending', ev 'down', 'stopping', {} },
    { 'backoff', ev 'timer', 'waiting', {} },
    { 'backoff', ev 'up', 'waiting', {} },
    { 'backoff', ev('up', { by = 'dependency' }), 'backoff', {} },
    { 'backoff', ev 'down', 'stopped', { 'emit stopped' } },
    { 'sweeping', ev 'timer', 'backoff', {} },
    { 'sweeping', ev 'swept', 'backoff', {} },
    { 'asked', ev 'verdict', 'backoff', { { 'delay', 500 }, 'emit backoff' } },
    { 'asked', ev('verdict', { verdict = { action = 'restart', after = 2000 } }), 'backoff', { { 'delay', 2000 }, 'emit backoff' } },
    { 'asked', ev('verdict', { verdict = { action = 'ignore' } }), 'stopped', { 'emit stopped' } },
    { 'asked', ev('verdict', { verdict = { action = 'fail', reason = 'disk full' } }), 'failed', { 'emit failed' } },
    { 'asked', ev 'down', 'stopped', { 'emit stopped' } },
    { 'asked', ev('restart', { by = 'hook' }), 'backoff', { { 'delay', 0 }, 'emit backoff' } },
    { 'failed', ev('up', { by = 'person' }), 'waiting', {} },
    { 'failed', ev 'down', 'failed', {} },
    { 'completed', ev 'up', 'waiting', {} },
    { 'stopped', ev 'restart', 'waiting', {} },
  }

  for _, row in ipairs(rows) do
    local from, event, to, actions = table.unpack(row)
    it(('%s, %s → %s'):format(from, event.name, to), function()
      local r, found = run(row)
      assert.equal(to, r.status)
      assert.same(actions, found)
    end)
  end

  it('says why, in words', function()
    local reasons = {
      { 'ready', ev('exited', { code = 3 }), 'exit code 3' },
      { 'ready', ev('exited', { signal = 'KILL' }), 'killed by SIGKILL' },
      { 'ready', ev('exited', { signal = 'SEGV', core = true }), 'killed by SIGSEGV (core dumped)' },
      { 'ready', ev('down', { by = 'person' }), 'stopped by hand' },
      { 'ready', ev('down', { by = 'shutdown' }), 'stopped by the shutdown' },
      { 'ending', ev('exited', { signal = 'TERM' }), 'unhealthy: http 503' },
    }
    for _, row in ipairs(reasons) do assert.equal(row[3], (run(row)).reason) end
  end)

  it('gives up after max_retries, and says after how many', function()
    local r = record(FROM.ready)
    r.attempt = 2
    r = state.step(r, ev('exited', { code = 1 }))
    assert.equal('failed', r.status)
    assert.equal('exit code 1; gave up after 2 restarts', r.reason)
  end)

  it('changes nothing on an event of an earlier epoch', function()
    local r = record(FROM.ready)
    r.epoch = 5
    for _, name in ipairs { 'exited', 'ready', 'health', 'swept', 'expired', 'verdict', 'spawned' } do
      local after, actions = state.step(r, { name = name, epoch = 4, code = 1, state = 'unhealthy' })
      assert.equal(r, after)
      assert.same({}, actions)
    end
  end)

  it('leaves its argument as it was', function()
    local r = record(FROM.ready)
    local before = {}
    for key, value in pairs(r) do before[key] = value end
    state.step(r, ev('exited', { code = 1 }))
    assert.same(before, r)
  end)

  it('knows every event in every status, or does nothing', function()
    local names = {}
    for _, row in pairs(state.table) do
      for name in pairs(row) do names[name] = true end
    end
    for from, fields in pairs(FROM) do
      for name in pairs(names) do
        assert.has_no.errors(function()
          local r = state.step(record(fields), { name = name, code = 1, reason = 'x', state = 'unhealthy', by = 'hook', ask = true })
          assert(state.table[r.status], from .. ' on ' .. name .. ' gave ' .. tostring(r.status))
        end)
      end
    end
  end)

  it('counts restarts, but a person\'s', function()
    local r = record(FROM.backoff)
    r = state.step(r, ev 'timer')
    r = state.step(r, ev 'go')
    assert.equal(1, r.restart_count)
    r = state.step(r, ev('spawned', { pid = 9 }))
    r = state.step(r, ev('restart', { by = 'person' }))
    assert.same({ 0, 0 }, { r.attempt, r.restart_count })
    r = state.step(r, ev('exited', { signal = 'TERM' }))
    r = state.step(r, ev 'swept')
    r = state.step(r, ev 'go')
    assert.same({ 'starting', 0 }, { r.status, r.restart_count })
  end)

  it('collapses commands to the newest', function()
    local r = record(FROM.ready)
    for _, name in ipairs { 'restart', 'down', 'up', 'restart', 'down' } do r = state.step(r, ev(name)) end
    r = state.step(r, ev('exited', { signal = 'TERM' }))
    r = state.step(r, ev 'swept')
    assert.same({ 'stopped', 'down' }, { r.status, r.want })
  end)

  it('waits for both, the delay and the sweep', function()
    local r = state.step(record(FROM.sweeping), ev 'timer')
    assert.equal('backoff', r.status)
    assert.equal('waiting', (state.step(r, ev 'swept')).status)
    r = state.step(record(FROM.sweeping), ev 'swept')
    assert.equal('waiting', (state.step(r, ev 'timer')).status)
  end)

  it('runs a task to completion: ready when it has completed', function()
    local r = record(FROM.begun)
    r.task, r.checked = true, false
    r = state.step(r, ev('spawned', { pid = 3 }))
    assert.equal('starting', r.status)
    local actions
    r, actions = state.step(r, ev('exited', { code = 0 }))
    assert.equal('completed', r.status)
    assert.same({ 'emit ready', 'emit completed' }, { short(actions[1]), short(actions[2]) })
  end)

  it('restarts after success only where the policy says so', function()
    local ends = { always = 'backoff', ['unless-stopped'] = 'backoff', ['on-failure'] = 'completed', no = 'completed' }
    for name, status in pairs(ends) do
      local r = record(FROM.ready)
      r.policy = policy { policy = name }
      assert.equal(status, (state.step(r, ev('exited', { code = 0 }))).status)
    end
  end)

  it('asks a policy function about every end; no delay means given up, or completed after success', function()
    local r = record(FROM.ready)
    r.policy = policy { policy = 'function' }
    local crashed = state.step(r, ev('exited', { code = 1 }))
    assert.equal('crashed', crashed.asked)
    assert.equal('failed', (state.step(crashed, ev 'verdict')).status)
    local ended = state.step(r, ev('exited', { code = 0 }))
    assert.equal('ended', ended.asked)
    assert.equal('completed', (state.step(ended, ev 'verdict')).status)
  end)

  it('keeps a count of its own for what the machine refuses', function()
    local r = record(FROM.begun)
    local delays = {}
    for i = 1, 3 do
      local actions
      r, actions = state.step(r, ev('start_failed', { code = 'EAGAIN', reason = 'fork: EAGAIN' }))
      delays[i] = actions[1][2]
      r = state.step(r, ev 'timer')
      r = state.step(r, ev 'go')
    end
    assert.same({ 500, 1000, 2000 }, delays)
    assert.same({ 0, 0 }, { r.attempt, r.restart_count })
  end)

  it('goes from unhealthy over both questions to on_unhealthy', function()
    local r = record(FROM.probed)
    r.restart_when_unhealthy = true
    r = state.step(r, ev('health', { state = 'unhealthy', reason = 'http 503 three times', edge = true, ask = true }))
    r = state.step(r, ev 'verdict')
    assert.equal('health_check_failed', r.asked)
    r = state.step(r, ev 'verdict')
    assert.same({ 'stopping', 'unhealthy: http 503 three times' }, { r.status, r.reason })
  end)

  it('leaves down what was stopped while hooks thought about its failure', function()
    for _, stop in ipairs { 'down', 'unwant' } do
      local r = state.step(record(FROM.begun), ev('start_failed', { code = 'ENOENT', reason = 'no such file', ask = true }))
      assert.same({ 'failed', 'failed' }, { r.status, r.asked })
      r = state.step(r, ev(stop, { by = 'shutdown' }))
      local actions
      r, actions = state.step(r, ev('verdict', { verdict = { action = 'restart', after = 0 } }))
      assert.same({ 'failed', 'down', 0 }, { r.status, r.want, #actions })
    end
  end)

  it('takes a start by hand during a delay for a restart by a person, which is not counted', function()
    for _, name in ipairs { 'up', 'restart' } do
      local r = state.step(record(FROM.ready), ev('exited', { code = 1 }))
      r = state.step(state.step(r, ev 'swept'), ev(name, { by = 'person' }))
      assert.equal('waiting', r.status)
      r = state.step(r, ev 'go')
      assert.same({ 'person', 0, 0 }, { r.restarting, r.attempt, r.restart_count })
    end
  end)
end)
