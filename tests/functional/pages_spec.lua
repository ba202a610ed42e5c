--- What comes of the command line's tables: completion in shells, the manual page.
local functional = require 'functional'
local options = require 'pact.control.cli.options'
local verbs = require 'pact.control.cli.verbs'
local case = functional.case

local BUILD = functional.bin:match '^(.*)/'

local function there(program)
  return os.execute(('command -v %s >/dev/null'):format(program)) or false
end

local function missing(program)
  return not there(program) and program .. ' is not installed' or nil
end

-- What bash offers for the words of a line, the last one unfinished.
local function offered(t, line)
  t:file('try.bash', [[
    . ./completion.bash
    compopt() { :; }
    COMP_LINE=$1 COMP_POINT=${#1}
    PATH=$BIN:$PATH _pactlua
    printf '%s\n' "${COMPREPLY[@]}" | sort
  ]])
  local result = t:run({ 'try.bash', line }, { program = 'bash', env = { BIN = BUILD } })
  assert.equal('', result.err)
  return (result.out:gsub('\n$', ''):gsub('\n', ' '))
end

describe('completion', function()
  case('in bash offers commands, options, values, recipes and the services that live', function(t)
    t:file('completion.bash', t:run({ 'completion', 'bash' }).out)
    local network = t:up [[
      pact.process 'web' { shell = 'echo up >>trace; exec sleep 1000' }
      pact.process 'db' { command = { 'sleep', '1000' } }
    ]]
    t:wait_lines('trace', 1)
    for _, row in ipairs {
      { 'pactlua sta', 'start' },
      { 'pactlua stop ', 'db web' },
      { 'pactlua restart web d', 'db' },
      { 'pactlua --stdlib x why w', 'web' },
      { 'pactlua logs --f', '--follow' },
      { 'pactlua wait --for ', 'healthy ready started stopped' },
      { 'pactlua up --only d', 'db' },
      { 'pactlua up --timeout ', '' },
      { 'pactlua check n', 'net.lua' },
      { 'pactlua completion z', 'zsh' },
      { 'pactlua run net.lua -- st', '' },
    } do
      assert.equal(row[2], offered(t, row[1]), row[1])
    end
    network:signal 'INT'
    network:wait()
    assert.equal('', offered(t, 'pactlua stop '), 'no network, no services')
    t:recipe [[ pact.process 'api' { replicas = 2, command = { 'sleep', '1000' } } ]]
    assert.equal(0, t:run({ 'up', '--detach', 'net.lua' }).code)
    assert.equal('api api-1 api-2', offered(t, 'pactlua stop '), 'groups; and what stands below the table is none')
    assert.equal(0, t:run({ 'down' }).code)
  end, missing 'bash')

  case('in fish offers the same', function(t)
    t:file('completion.fish', t:run({ 'completion', 'fish' }).out)
    t:up [[ pact.process 'web' { shell = 'echo up >>trace; exec sleep 1000' } ]]
    t:wait_lines('trace', 1)
    for line, expected in pairs {
      ['pactlua stop '] = 'web', ['pactlua logs --foll'] = '--follow', ['pactlua completion z'] = 'zsh',
    } do
      local result = t:run({ '-c', 'set -gx HOME $PWD; set -p PATH $BIN; source completion.fish; complete -C $LINE' },
        { program = 'fish', env = { BIN = BUILD, LINE = line } })
      assert.equal(expected, result.out:match '^(%S*)', line .. '\n' .. result.out .. result.err)
    end
  end, missing 'fish')

  case('in zsh is found for the name', function(t)
    t:file('_pactlua', t:run({ 'completion', 'zsh' }).out)
    local result = t:run({ '-f', '-c', 'autoload -U compinit; compinit -u -D; . ./_pactlua; echo $_comps[pactlua]' },
      { program = 'zsh' })
    assert.equal('_pactlua\n', result.out, result.err)
  end, missing 'zsh')

  case('of another shell: which there are', function(t)
    local result = t:run { 'completion', 'bsh' }
    assert.equal(2, result.code)
    assert.truthy(result.err:find("bash, zsh or fish (did you mean 'bash'?)", 1, true), result.err)
    assert.equal(2, t:run({ 'completion' }).code)
  end)
end)

describe('the manual page', function()
  local PATH = BUILD .. '/share/man/man1/pactlua.1'
  local page = functional.procfs.read(PATH)

  case('is that of the tables, and so are the scripts that are installed', function(t)
    assert.equal(require('pact.control.cli.manual').page(), page)
    for shell, path in pairs {
      bash = 'bash-completion/completions/pactlua', zsh = 'zsh/site-functions/_pactlua',
      fish = 'fish/vendor_completions.d/pactlua.fish',
    } do
      assert.equal(t:run({ 'completion', shell }).out, functional.procfs.read(BUILD .. '/share/' .. path))
    end
  end, not page and 'it is not built')

  case('has every command with its options', function()
    local rest = page:match '\n%.SH COMMANDS\n(.*)\n%.SH EXIT STATUS'
    for _, verb in ipairs(verbs.rows) do
      local part = rest:match('%.SS "' .. verb.name .. '[ "].-\n(.*)')
      assert.truthy(part, verb.name)
      part = part:match '^(.-)\n%.SS' or part
      for _, name in ipairs(verb.options) do
        if name ~= 'detach' and not options.by_name[name].later then
          assert.truthy(part:find('\\fB\\-\\-' .. name:gsub('%-', '\\-') .. '\\fR', 1, true), verb.name .. ' --' .. name)
        end
      end
    end
  end, not page and 'it is not built')

  case('is read without a warning', function(t)
    local result = t:run({ '-man', '-Tutf8', '-ww', '-z', PATH }, { program = 'groff' })
    assert.equal('', result.err)
  end, missing 'groff' or not page and 'it is not built')
end)
