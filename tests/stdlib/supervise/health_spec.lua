local health = require 'pact.supervise.health'

local function spec(changes)
  local s = {
    kind = 'http', interval = 30000, timeout = 5000, retries = 3, start_period = 0, start_interval = 1000,
  }
  for key, value in pairs(changes or {}) do s[key] = value end
  return s
end

-- Plays results ('+' good, '-' bad): gives the pauses and the edges.
local function play(count, results)
  local pauses, edges = {}, {}
  for result in results:gmatch '.' do
    local edge, pause = health.observe(count, result == '+', result == '+' and 'http 200' or 'http 503')
    pauses[#pauses + 1] = pause
    if edge then
      edges[#edges + 1] = ('%d %s %s%s'):format(#pauses, edge.state, edge.reason, edge.edge and ' edge' or '')
    end
  end
  return pauses, edges
end

describe('health', function()
  -- spec, results → pauses, edges
  local rows = {
    { 'probes come faster until the first success', {}, '-----+',
      { 100, 200, 400, 800, 1000, 30000 }, { '6 healthy http 200 edge' } },
    { 'never more seldom than the interval', { interval = 300 }, '---+', { 100, 200, 300, 300 },
      { '4 healthy http 200 edge' } },
    { 'start_interval is the longest pause before the first success', { start_interval = 150 }, '---',
      { 100, 150, 150 }, {} },
    { 'retries in a row make it unhealthy, probed every two seconds', {}, '+---', { 30000, 2000, 2000, 2000 },
      { '1 healthy http 200 edge', '4 unhealthy http 503 three times edge' } },
    { 'a success in between starts the count anew', {}, '+--+--+', { 30000, 2000, 2000, 30000, 2000, 2000, 30000 },
      { '1 healthy http 200 edge' } },
    { 'it is told again after each further retries', { retries = 2 }, '+-------', nil,
      { '1 healthy http 200 edge', '3 unhealthy http 503 twice edge', '5 unhealthy http 503 4 times',
        '7 unhealthy http 503 6 times' } },
    { 'and healthy again by one success', { retries = 1 }, '+-+', { 30000, 2000, 30000 },
      { '1 healthy http 200 edge', '2 unhealthy http 503 edge', '3 healthy http 200 edge' } },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local pauses, edges = play(health.new(spec(row[2]), 0), row[3])
      if row[4] then assert.same(row[4], pauses) end
      assert.same(row[5], edges)
    end)
  end

  it('is unhealthy without a success start_period + retries × interval after the start', function()
    local count = health.new(spec { interval = 1000, start_period = 5000 }, 100)
    assert.equal(8100, count.deadline)
    play(count, '--')
    local edge = health.overdue(count)
    assert.same({ 'unhealthy', true, 'no success in 8s: http 503' }, { edge.state, edge.edge, edge.reason })
    local _, edges = play(count, '---')
    assert.same({ '3 unhealthy http 503 three times' }, edges)
    assert.is_nil(health.overdue(count))
  end)

  it('lets the deadline pass once there was a success', function()
    local count = health.new(spec(), 0)
    play(count, '+-')
    assert.is_nil(health.overdue(count))
  end)
end)
