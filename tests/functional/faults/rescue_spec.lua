--- Clients that a signal ends while they have a terminal changed: it is given back, whatever the signal but SIGKILL.
local functional = require 'functional'
local case = functional.case

local NETWORK = [[
  pact.process 'draws' { command = { 'sh', '-c', 'printf "\27[?1049h\27[?25l\27[?2004hdrawn"; exec sleep 1000' }, tty = true }
]]

-- In a shell that notes how the terminal was before, and is behind it.
local function on_terminal(t, verb, seen)
  local line = ('stty -g >before; "$0" %s; echo "status $?"; stty -g >after'):format(verb)
  local started = t:start({ '-c', line, functional.bin }, { tty = true, program = '/bin/sh', env = { TERM = 'xterm' } })
  started:expect(seen)
  return started, functional.wait('the client', function()
    for _, process in ipairs(started:processes()) do
      if process.command:find(('%s %s'):format(functional.bin, verb), 1, true) == 1 then return process.pid end
    end
  end)
end

local function raw(t, pid)
  local pipe <close> = io.popen(('stty -g </proc/%d/fd/0'):format(pid))
  return pipe:read 'l' ~= (t:read 'before'):match '[^\n]+'
end

local clients = {
  { verb = 'attach draws', seen = 'drawn', off = { '\27[?1049l', '\27[?25h', '\27[?2004l' } },
  { verb = 'repl', seen = 'net>', off = { '\27[?2004l' } },
  { verb = 'top', seen = 'draws', off = { '\27[?1049l', '\27[?25h' } },
}

local signals = { SEGV = 139, BUS = 135, FPE = 136, ILL = 132, ABRT = 134, TERM = 143, HUP = 129, USR1 = 138, ALRM = 142 }

for _, client in ipairs(clients) do
  describe(('`%s` that is ended by a signal'):format(client.verb), function()
    case('gives the terminal back', function(t)
      t:up(NETWORK):expect 'all ready'
      for name, status in pairs(signals) do
        local started, pid = on_terminal(t, client.verb, client.seen)
        functional.wait('a changed terminal', function() return raw(t, pid) end)
        functional.signal(pid, name)
        local out = started:wait().out
        if not functional.sanitized then assert.truthy(out:find('status ' .. status, 1, true), name .. ': ' .. out) end
        assert.equal(t:read 'before', t:read 'after', name)
        for _, off in ipairs(client.off) do
          local last = out:match('.*()' .. off:gsub('%W', '%%%0'))
          assert.truthy(last and last > out:find(client.seen, 1, true), ('%s: %q in %q'):format(name, off, out))
        end
        os.remove(t:path 'before')
        os.remove(t:path 'after')
      end
    end)
  end)
end
