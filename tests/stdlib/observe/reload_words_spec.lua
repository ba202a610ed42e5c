local words = require 'pact.observe.reload_words'

local function answer(fields)
  local out = { services = {}, network = {}, unchanged = 0, text = false, changed = true }
  for key, value in pairs(fields) do out[key] = value end
  return out
end

-- what was done with a service; in a line; what would be
local ROWS = {
  { { action = 'added', wanted = true }, 'added, started', 'would be added and started' },
  { { action = 'added', wanted = false }, 'added, not wanted', 'added, not wanted' },
  { { action = 'removed' }, 'removed, stopped', 'would be stopped and removed' },
  { { action = 'restarted', restarts = { 'command', 'env.PORT' } }, 'restarted (command, env.PORT)', 'would restart (command, env.PORT)' },
  { { action = 'restarted', restarts = { 'nice' }, live = { 'stop.signal' } }, 'restarted (nice, stop.signal)', 'would restart (nice, stop.signal)' },
  { { action = 'changed', live = { 'health.interval' }, pid = 7 }, 'health.interval changed, pid 7 kept', 'health.interval would change, pid 7 kept' },
  { { action = 'changed', live = { 'tags' } }, 'tags changed', 'tags would change' },
  { { action = 'next_start', restarts = { 'nice' } }, 'changed for its next start (nice)', 'would change at its next start (nice)' },
}

describe('words of a reload', function()
  for _, row in ipairs(ROWS) do
    it(row[2], function()
      row[1].id = 'a'
      assert.equal('a: ' .. row[2] .. '\n', words.lines(answer { services = { row[1] } }))
      assert.equal('a: ' .. row[3] .. '\n', words.lines(answer { services = { row[1] }, dry_run = true }))
      assert.equal('a ' .. row[2], words.summary(answer { services = { row[1] } }))
    end)
  end

  it('tell what else has changed, and when nothing has', function()
    assert.equal('hooks and pact.hook_timeout of the recipe: taken over\n2 services unchanged\n',
      words.lines(answer { network = { 'hooks', 'hook_timeout' }, unchanged = 2 }))
    assert.equal('commands taken over', words.summary(answer { network = { 'commands' } }))
    assert.equal('nothing has changed\n', words.lines(answer { changed = false, unchanged = 2 }))
    assert.equal("nothing has changed but the recipe's text\n", words.lines(answer { changed = false, text = true }))
    assert.is_nil(words.stopped(answer {}))
    assert.truthy(words.stopped(answer { stopped_at = 'net.lua:4' }):find('^reload stops at net.lua:4: '))
  end)
end)
