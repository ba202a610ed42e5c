--- Faults 18, 19 and 20: programs that can't be executed, directories that can't be entered: failed at
-- once, with the step, the reason and what to do.
local functional = require 'functional'
local case = functional.case

local ROOT = os.execute 'test "$(id -u)" = 0'
local SCRIPT = 'echo ran >>ran\n'

-- Number of the fault, name, the service's fields, what the reason holds, and what is made before.
local ROWS = {
  { 18, 'ENOENT: no such program on PATH', "command = { 'no-such-program' }, env = { PATH = '/usr/bin:/nowhere' }",
    "exec 'no-such-program': not found on PATH" },
  { 18, 'ENOENT: no such file', "command = { './nothing' }", "exec './nothing': No such file or directory" },
  { 18, 'ENOENT: an empty name', "command = { function() return '' end }", 'exec: the command is an empty string' },
  { 18, 'EACCES: not executable', "command = { './data' }", "exec './data': Permission denied: './data' can't be executed (chmod +x?)",
    function(t) t:file('data', SCRIPT) end },
  { 18, 'EACCES: not executable on PATH', "command = { 'data' }, env = { PATH = 'bin:/bin' }",
    "exec 'data': Permission denied: 'bin/data' can't be executed (chmod +x?)", function(t) t:file('bin/data', SCRIPT) end },
  { 18, 'EACCES: a directory', "command = { './dir' }", "exec './dir': './dir' is a directory", function(t) t:file('dir/x', '') end },
  { 18, 'EACCES: a directory above that another user may not enter', "command = { './locked/prog' }, user = 'nobody'",
    "exec './locked/prog': Permission denied", function(t)
      t:file('locked/prog', '#!/bin/sh\n' .. SCRIPT, true)
      os.execute(('chmod 711 %s; chmod 700 %s'):format(t.dir, t:path 'locked'))
    end, root = true },
  { 18, 'ENOEXEC: an empty file', "command = { './empty' }", "exec './empty': Exec format error: './empty' is an empty file",
    function(t) t:file('empty', '', true) end },
  { 18, 'ENOEXEC: bytes that are no program', "command = { './bytes' }", "'./bytes' is not a program",
    function(t) t:file('bytes', 'a\0b\1c', true) end },
  { 18, 'ENOEXEC: a program for another machine', "command = { './other' }", "'./other' is a program for another kind of machine",
    function(t) t:file('other', '\127ELF\2\2\1' .. ('\0'):rep(60), true) end },
  { 18, 'ENOTDIR', "command = { './data/prog' }", "exec './data/prog': Not a directory: './data' is a file",
    function(t) t:file('data', SCRIPT) end },
  { 18, 'ELOOP', "command = { './loop' }", "exec './loop': Too many levels of symbolic links",
    function(t) os.execute('ln -s loop ' .. t:path 'loop') end },
  { 18, 'E2BIG: one argument', "command = { 'true', ('x'):rep(200000) }",
    "exec 'true': Argument list too long: arguments and environment are too large together" },
  { 18, 'E2BIG: the environment', "command = { 'true' }, env = { BIG = ('x'):rep(200000) }",
    "exec 'true': Argument list too long: arguments and environment are too large together" },
  { 18, 'ETXTBSY', "command = { './busy' }", "exec './busy': Text file busy: './busy' is being written to",
    function(t)
      os.execute(('cp /bin/true %s'):format(t:path 'busy'))
      return assert(io.open(t:path 'busy', 'a'))
    end },
  { 18, 'ENAMETOOLONG', "command = { './' .. ('x'):rep(300) }", 'File name too long' },
  { 19, 'no such directory', "command = { 'true' }, cwd = 'nowhere'", "/nowhere': no such directory" },
  { 19, 'a file as directory', "command = { 'true' }, cwd = 'data'", "/data': Not a directory", function(t) t:file('data', '') end },
  { 19, 'a directory that its user may not enter', "command = { 'true' }, cwd = 'locked', user = 'nobody'",
    "/locked': Permission denied", function(t)
      t:file('locked/x', '')
      os.execute(('chmod 711 %s; chmod 700 %s'):format(t.dir, t:path 'locked'))
    end, root = true },
  { 20, 'a script without a #! line', "command = { './script' }",
    "exec './script': Exec format error: './script' has no #! line; begin it with #!/bin/sh, or run it by its interpreter",
    function(t) t:file('script', SCRIPT, true) end },
  { 20, 'a script with CRLF', "command = { './script' }",
    "the lines of './script' end in CR LF, so its interpreter '/bin/sh\\r' was not found; save it with Unix line ends",
    function(t) t:file('script', '#!/bin/sh\r\n' .. SCRIPT, true) end },
  { 20, 'a script with CRLF on PATH', "command = { 'our-script' }, env = { PATH = '/usr/bin:bin' }",
    "the lines of 'bin/our-script' end in CR LF", function(t) t:file('bin/our-script', '#!/bin/bash\r\n' .. SCRIPT, true) end },
  { 20, 'a script whose interpreter is not there', "command = { './script' }",
    "'./script' asks for the interpreter '/opt/none/python', which was not found",
    function(t) t:file('script', '#!/opt/none/python -u\n' .. SCRIPT, true) end },
}

describe('exec', function()
  for _, row in ipairs(ROWS) do
    case(('fault %d: %s: failed at once, and the reason says it'):format(row[1], row[2]), function(t)
      local held = row[5] and row[5](t)
      local network = t:up(([[
        pact.process 'p' { %s, restart = 'always' }
        pact.process 'other' { shell = 'echo ran >>trace; exec sleep 1000' }
      ]]):format(row[3]))
      local service = t:wait_service('p', { status = 'failed' })
      assert.truthy(service.reason:find(row[4], 1, true), service.reason)
      assert.equal(0, service.restart_count)
      assert.equal(1, #service.history)
      t:wait_lines('trace', 1)
      assert.equal('running', t:wait_service('other', { status = 'running' }).status)
      network:expect('failed: ' .. service.reason:sub(1, 40))
      assert.falsy(t:exists 'ran')
      if held then held:close() end
    end, row.root and not ROOT and 'needs root')
  end

  case('fault 18: where a program was looked for is told by why', function(t)
    t:up [[
      pact.process 'p' { command = { 'no-such-program' }, env = { PATH = '/usr/bin:/nowhere' } }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]]
    local service = t:wait_service('p', { status = 'failed' })
    assert.equal("exec 'no-such-program': not found on PATH", service.reason)
    local why = t:run({ 'why', 'p' }).out
    assert.truthy(why:find('\n  looked for on PATH: /usr/bin:/nowhere\n', 1, true), why)
    assert.falsy(t:run({ 'why', 'other' }).out:find('PATH', 1, true))
  end)
end)
