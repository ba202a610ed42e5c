local backoff = require 'pact.supervise.backoff'

local function policy(changes)
  local p = { policy = 'on-failure', max_retries = 3, delay = 1000, factor = 2, max_delay = 30000, jitter = 0 }
  for key, value in pairs(changes or {}) do p[key] = value end
  return p
end

describe('backoff', function()
  it('grows by the factor up to the longest delay', function()
    local delays = {}
    for attempt = 1, 7 do delays[attempt] = backoff.delay(policy(), attempt, 0.5) end
    assert.same({ 1000, 2000, 4000, 8000, 16000, 30000, 30000 }, delays)
    assert.equal(30000, backoff.delay(policy(), 100000, 0.5))
  end)

  it('jitters both ways, never above the longest delay', function()
    local p = policy { jitter = 0.1 }
    assert.equal(900, backoff.delay(p, 1, 0))
    assert.equal(1000, backoff.delay(p, 1, 0.5))
    assert.equal(30000, backoff.delay(p, 9, 0.99))
  end)

  -- policy, success, uptime, attempt → what, delay or reason
  local rows = {
    { 'no', false, 5, 0, 'failed', 'exit code 1' },
    { 'no', true, 5, 0, 'completed', 'exit code 1' },
    { 'on-failure', false, 5, 0, 'restart', 1000 },
    { 'on-failure', false, 9999, 1, 'restart', 2000 },
    { 'on-failure', false, 10000, 1, 'restart', 0 },
    { 'on-failure', false, 5, 3, 'failed', 'exit code 1; gave up after 3 restarts' },
    { 'on-failure', true, 5, 0, 'completed', 'exit code 1' },
    { 'always', true, 5, 0, 'restart', 1000 },
    { 'unless-stopped', true, 5, 0, 'restart', 1000 },
    { 'always', true, 5, 3, 'failed', 'exit code 1; gave up after 3 restarts' },
  }
  for _, row in ipairs(rows) do
    it(('%s, success %s, up %d ms, attempt %d → %s'):format(table.unpack(row)), function()
      local what, detail = backoff.decide(policy { policy = row[1] }, {
        success = row[2], uptime = row[3], attempt = row[4], random = 0.5, reason = 'exit code 1',
      })
      assert.same({ row[5], row[6] }, { what, detail })
    end)
  end

  it('never gives up without max_retries', function()
    local p = policy { policy = 'always' }
    p.max_retries = nil
    local what = backoff.decide(p, { success = false, uptime = 0, attempt = 100000, random = 0, reason = 'x' })
    assert.equal('restart', what)
  end)
end)
