local variables = require 'pact.declare.variables'

describe('declare.variables', function()
  it('has a value for each', function()
    local settings, problems = variables.read {}
    assert.same({}, problems)
    assert.same({
      stop_timeout = 10000, restart_delay = 1000, max_retries = 3,
      health = { interval = 30000, timeout = 5000, retries = 3 },
      tui = { refresh_rate = 1000, max_logs = 100, show_debug_logs = false },
      debug = { enabled = false, all = false, words = {} },
    }, settings)
  end)

  for _, row in ipairs {
    { { DEBUG = 'true' }, { enabled = true, all = true, words = {} } },
    { { DEBUG = '1' }, { enabled = true, all = true, words = {} } },
    { { DEBUG = '*' }, { enabled = true, all = true, words = {} } },
    { { DEBUG = 'false' }, { enabled = false, all = false, words = {} } },
    { { DEBUG = 'process, network:*,-http' }, { enabled = true, all = false, words = { 'process', 'network' } } },
    { { DEBUG = 'true', PACTLUA_DEBUG = '0' }, { enabled = false, all = false, words = {} } },
    { { DEBUG = '', PACTLUA_DEBUG = 'health' }, { enabled = true, all = false, words = { 'health' } } },
    { { DEBUG_LEVEL = 'WARN', DEBUG_CATEGORIES = 'a,b:c', DEBUG_CONSOLE = 'false' },
      { enabled = false, all = false, words = {}, level = 'warn', categories = { 'a', 'b:c' }, console = false } },
  } do
    it('reads ' .. require('pact.base.json').encode(row[1]), function()
      local settings, problems = variables.read(row[1])
      assert.same({}, problems)
      assert.same(row[2], settings.debug)
    end)
  end
end)
