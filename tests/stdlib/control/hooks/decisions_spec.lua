local decisions = require 'pact.control.hooks.decisions'

describe('which hook had the last word', function()
  local function told(name, fields)
    local event = { name = name, service = 'web' }
    for key, value in pairs(fields or {}) do event[key] = value end
    return event
  end
  local function hook(event, used)
    return told('hook_ended', { hook = event, file = 'net.lua', line = 7, verdict = 'ignore', used = used, at = 5 })
  end

  for _, row in ipairs {
    { 'a verdict that was used', { hook('crashed', true) }, 'crashed' },
    { 'none that was not', { hook('crashed', false) }, nil },
    { 'it stays in the life that it led to', { hook('crashed', true), told('started', { restart_count = 1 }) }, 'crashed' },
    { 'a crash is somebody else\'s to decide', { hook('crashed', true), told 'crashed' }, nil },
    { 'a verdict on health stands behind its end',
      { hook('unhealthy', true), told('crashed', { reason = 'unhealthy: http 503 twice' }) }, 'unhealthy' },
    { 'a start by hand begins anew', { hook('crashed', true), told('started', { restart_count = 0 }) }, nil },
    { 'events of others change nothing', { hook('crashed', true), { name = 'crashed', service = 'db' } }, 'crashed' },
  } do
    it(row[1], function()
      local subject = decisions.new()
      for _, event in ipairs(row[2]) do subject:event(event) end
      local found = subject:of 'web'
      assert.equal(row[3], found and found.hook)
      if found then assert.same({ 'net.lua', 7, 'ignore', 5 }, { found.file, found.line, found.verdict, found.at }) end
    end)
  end
end)
