local style = require 'pact.observe.style'
local summary = require 'pact.observe.summary'

local function service(fields)
  local all = { want = 'up', status = 'running', restart_count = 0, reason = '', epoch = 1, history = {} }
  for key, value in pairs(fields) do all[key] = value end
  return all
end

local function render(services, opts)
  local input = {
    services = services, style = style.new(false), reason = 'Ctrl-C', elapsed = 61000, log_dir = '/run',
    lines = function(id, count)
      return { { text = ('last of %s (%d)'):format(id, count) } }
    end,
  }
  for key, value in pairs(opts or {}) do input[key] = value end
  return summary.render(input)
end

describe('the summary', function()
  it('shows how each service ended, and where the logs are', function()
    assert.equal(table.concat {
      'ended after 1 m 1 s: Ctrl-C\n',
      'SERVICE  STATUS     RESTARTS  UP  REASON\n',
      'db       stopped           2  5s  stopped by the shutdown\n',
      'seed     completed            1s  exit code 0\n',
      'logs: /run\n',
    }, render {
      service { id = 'db', status = 'stopped', restart_count = 2, reason = 'stopped by the shutdown',
        history = { { uptime = 5000, requested = true, reason = 'killed by SIGTERM' } } },
      service { id = 'seed', status = 'completed', history = { { uptime = 1000, reason = 'exit code 0' } } },
    })
  end)

  it('has the last ten lines of each failure', function()
    local out = render {
      service { id = 'bad', status = 'failed', reason = 'exit code 5' },
      service { id = 'good' },
    }
    assert.truthy(out:find('last lines of bad:\n  last of bad (10)\n', 1, true), out)
    assert.falsy(out:find('last of good', 1, true))
    assert.truthy(out:find('bad      failed', 1, true))
    assert.truthy(out:find('exit code 5', 1, true))
  end)

  it('says who stopped a service before the network ended', function()
    local crashed = { { uptime = 5000, reason = 'exit code 9' } }
    local out = render {
      service { id = 'a', status = 'stopped', reason = 'stopped by a hook', history = crashed },
      service { id = 'b', status = 'stopped', reason = 'stopped by the shutdown', history = crashed },
    }
    assert.truthy(out:find('a        stopped  +5s  stopped by a hook\n'), out)
    assert.truthy(out:find('b        stopped  +5s  exit code 9\n'), out)
  end)

  it('leaves out what was never wanted', function()
    assert.falsy(render({ service { id = 'idle', want = 'down', status = 'idle', epoch = 0 } }):find('idle', 1, true))
  end)

  it('has what waited to the end and never started', function()
    local out = render { service { id = 'late', want = 'down', status = 'stopped', epoch = 0,
      reason = 'stopped by the shutdown' } }
    assert.truthy(out:find('late     stopped', 1, true), out)
  end)

  it('names what could not be killed', function()
    local out = render({}, { survivors = { { service = 'db', pid = 7, name = 'dd', state = 'D' } } })
    assert.truthy(out:find("could not be killed: pid 7 (dd) of 'db', state D\n", 1, true), out)
  end)

  it('shows no control characters of a reason', function()
    assert.falsy(render({ service { id = 'x', status = 'failed', reason = 'a\27[2Jb\nc' } }):find('[\27]'))
  end)
end)

describe('text for a terminal', function()
  for _, row in ipairs {
    { 'plain', 'plain' },
    { 'a\tb\n', 'a\tb\n' },
    { '\27[31mred\27[0m', '\27[31mred\27[0m' },
    { '\27[31mred\nplain\27[1m', '\27[31mred\27[0m\nplain\27[1m\27[0m' },
    { '\27[38:5:9mred\27[m', '\27[38:5:9mred\27[m' },
    { 'a\27[2Jb', 'a\\x1b[2Jb' },
    { '\27]52;c;AAAA\7', '\\x1b]52;c;AAAA\\x07' },
    { '\27[31', '\\x1b[31' },
    { 'a\rb\r\n', 'a\\x0db\r\n' },
    { 'größe €😀', 'größe €😀' },
    { '\xc2\x9b2J', '\\xc2\\x9b2J' },
    { '\x9b2J', '\\x9b2J' },
    { 'ö\x80\xffö\xc3', 'ö\\x80\\xffö\\xc3' },
    { '\xed\xa0\x80', '\\xed\\xa0\\x80' },
  } do
    it(('shows %q harmlessly'):format(row[1]), function() assert.equal(row[2], style.escaped(row[1])) end)
  end
end)
