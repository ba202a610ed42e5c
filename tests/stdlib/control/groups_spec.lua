--- Groups of replicas in virtual time: the whole network, over the world of a simulation.

local groups = require 'pact.control.groups'
local sim = require 'pact.sim'

-- A network whose recipe hands its `pact` out; `act` runs a function as a hook would.
local function network(declare, opts)
  local handed
  local net = sim.new(function(pact)
    handed = pact
    declare(pact)
    pact.on('test:act', function(_, event) event.fn(pact) end)
  end, opts)
  return net, function(fn)
    handed.emit('test:act', { fn = fn })
    net:advance '1ms'
  end
end

local function web(fields)
  local all = { command = { 'web' }, replicas = 2 }
  for key, value in pairs(fields or {}) do all[key] = value end
  return all
end

describe('scale', function()
  it('lets a waiting dependent wait for what is new, too', function()
    local net, act = network(function(pact)
      pact.task 'job' { command = { 'job' }, replicas = 2 }
      pact.process 'api' { command = { 'api' }, depends_on = { 'job' } }
    end, { faults = { { service = 'job-1', takes = '5s' }, { service = 'job-3', takes = '30s', later = true } } })
    net:advance '2s'
    assert.equal('waiting', net:status 'api')
    act(function(pact) pact.scale('job', 3, { wait = false }) end)
    net:advance '10s'
    assert.same({ 'completed', 'completed', 'starting', 'waiting' },
      { net:status 'job-1', net:status 'job-2', net:status 'job-3', net:status 'api' })
    assert.is_true(net:until_({ api = 'running' }, '1m'))
  end)

  it('takes away what has failed, and its dependents go on', function()
    local net, act = network(function(pact)
      pact.process 'web'(web { restart = 'no' })
      pact.process 'api' { command = { 'api' }, depends_on = { 'web' }, restart = { delay = '10ms' } }
    end, { faults = { { service = 'web-2', at = '2s', crash = 1 }, { service = 'api', at = '3s', crash = 1 } } })
    net:advance '10s'
    assert.same({ 'failed', 'skipped' }, { net:status 'web-2', net:status 'api' })
    act(function(pact) pact.scale('web', 1) end)
    assert.is_true(net:until_({ api = 'running' }, '10s'))
  end)

  it('up and down without waiting ends with what was asked last', function()
    local counts = {}
    local net, act = network(function(pact) pact.process 'web'(web { stop = { timeout = '1s' } }) end)
    net:advance '1s'
    act(function(pact)
      for _, count in ipairs { 4, 1, 3, 2, 5, 3 } do pact.scale('web', count, { wait = false }) end
    end)
    net:advance '30s'
    act(function(pact)
      for _, one in ipairs(pact.services()) do counts[#counts + 1] = one.id .. ' ' .. one.status end
    end)
    assert.same({ 'web-1 running', 'web-2 running', 'web-3 running' }, counts)
  end)

  it('leaves those who depend on it with restart alone', function()
    local net, act = network(function(pact)
      pact.process 'web'(web())
      pact.process 'api' { command = { 'api' }, dependencies = { 'web' } }
    end)
    net:advance '1s'
    act(function(pact) pact.scale('web', 5) end)
    net:advance '1s'
    act(function(pact) pact.scale('web', 1) end)
    net:advance '1s'
    act(function(pact) pact.scale('web', 2) end)
    net:advance '10s'
    assert.equal(0, #net:events 'restarted')
    net:crash 'web-2'
    net:advance '30s'
    assert.equal('running', net:status 'web-2')
    local restarted = {}
    for _, event in ipairs(net:events 'restarted') do restarted[event.service] = true end
    assert.same({ ['web-2'] = true, api = true }, restarted)
  end)

  it('is refused while the network shuts down', function()
    local answer
    local net = sim.new(function(pact)
      pact.process 'web'(web())
      pact.on('shutdown', function() answer = table.pack(pact.scale('web', 3)) end)
      pact.after('1s', function() pact.shutdown(0) end)
    end)
    net:advance '10s'
    assert.same({ n = 3, [2] = 'the network is shutting down', [3] = 'busy' }, answer)
  end)
end)

describe('a group as a whole', function()
  local function one(status, more)
    local out = {
      id = status, status = status, health = 'none', want = 'up', restart_count = 1, attempt = 0, reason = status .. '!',
      kind = 'process', category = 'service', ports = {}, endpoints = {}, tags = {},
    }
    for key, value in pairs(more or {}) do out[key] = value end
    return out
  end

  -- statuses of the instances → status, reason
  local rows = {
    { { 'running', 'running' }, 'running', 'running!' },
    { { 'running', 'starting' }, 'starting', '1 of 2 starting: starting!' },
    { { 'running', 'failed', 'backoff' }, 'failed', '1 of 3 failed: failed!' },
    { { 'completed', 'running' }, 'running', '1 of 2 running: running!' },
    { { 'completed', 'completed' }, 'completed', 'completed!' },
    { { 'stopped', 'stopping', 'running' }, 'stopping', '1 of 3 stopping: stopping!' },
  }
  for _, row in ipairs(rows) do
    it(('of %s is %s'):format(table.concat(row[1], ', '), row[2]), function()
      local parts = {}
      for i, status in ipairs(row[1]) do parts[i] = one(status) end
      local whole = groups.snapshot('web', parts)
      assert.same({ 'web', row[2], row[3], #parts }, { whole.id, whole.status, whole.reason, whole.restart_count })
    end)
  end

  it('has the worst health there is', function()
    local healths = { 'none', 'healthy', 'unknown', 'unhealthy' }
    local parts = {}
    for i, health in ipairs(healths) do
      parts[i] = one('running', { health = health })
      local whole = groups.snapshot('web', parts)
      assert.equal(health, whole.health)
    end
  end)
end)
