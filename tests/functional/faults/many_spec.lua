--- 2,000 services at once: all of them start, are shown, and end, in bounded memory.
local functional = require 'functional'
local case, procfs = functional.case, functional.procfs

local COUNT = 2000
local SANITIZED = os.getenv 'ASAN_OPTIONS' ~= nil -- memory means nothing then

describe('many services', function()
  case('2,000 services start, are listed and looked at, are steered, and end', function(t)
    local network = t:up(([[
      for i = 1, %d do
        pact.process('p' .. i) { command = { 'sleep', '1000' }, depends_on = i > 10 and { 'p' .. i // 10 } or nil,
          health = i %% 100 == 0 and { command = { 'true' }, interval = '1s', timeout = '30s', start_period = '60s' } or nil }
      end
    ]]):format(COUNT), { pipe = true })
    network:expect('all ready in', 60)
    local roles = network:roles()
    local services, up = t:ps(), 0
    for i = 1, COUNT do
      if services['p' .. i].status == 'running' then up = up + 1 end
    end
    assert.equal(COUNT, up)
    local rss = procfs.status(roles.engine, 'VmRSS')
    assert.is_true(SANITIZED or rss < 64 * 1024, rss .. ' KB')
    assert.is_true(procfs.descriptors(roles.engine) < 8 * COUNT)
    assert.is_true(SANITIZED or procfs.status(roles.guard, 'VmRSS') < 8 * 1024)

    functional.signal(services.p77.pid, 'KILL')
    t:wait_service('p77', { status = 'running', restart_count = 1 })
    assert.equal(0, t:run({ 'restart', 'p1999' }).code)
    local table_of_all = t:run({ 'ps' }).out
    assert.equal(COUNT + 1, select(2, table_of_all:gsub('\n', '\n')))
    for _ = 1, 5 do t:ps() end
    local grown = procfs.status(roles.engine, 'VmRSS') - rss
    assert.is_true(SANITIZED or grown < 16 * 1024, grown .. ' KB more')

    network:signal 'TERM'
    local result = network:wait()
    assert.equal(0, result.left)
    assert.equal(COUNT, select(2, result.out:gsub('stopped: stopped by the shutdown\n', '')))
    assert.falsy((result.out .. result.err):find('could not be killed', 1, true))
  end)
end)
