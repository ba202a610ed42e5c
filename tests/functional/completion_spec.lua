--- What shells offer when Tab is pressed in them: each row in bash, zsh and fish themselves.
local functional = require 'functional'
local screen = require 'screen'
local case = functional.case

local BUILD = functional.bin:match '^(.*)/'

local function missing(program)
  return not os.execute(('command -v %s >/dev/null'):format(program)) and program .. ' is not installed' or nil
end

local NETWORK = [[
  pact.project 'shop'
  pact.process 'db' {
    command = { 'sleep', '1000' }, category = 'store', endpoints = { sql = 'postgres://x', page = 'http://y' },
  }
  pact.process 'web' { command = { 'sleep', '1000' }, tags = { 'front', 'slow' } }
  pact.process 'my-app' { command = { 'sleep', '1000' }, profiles = { 'full', 'extra' } }
  pact.command('seed', { help = 'fill the database', args = { 'small', 'large' } }, function() end)
  pact.command('db:wipe', {
    help = 'empty it', args = function(given) return #given == 0 and { 'now', 'later' } or { 'really' } end,
  }, function() end)
]]

-- A line before Tab, and what is on the screen behind it: the line as it is completed, or words that are listed.
local ROWS = {
  { 'pactlua do s', 'pactlua do seed' },
  { 'pactlua do seed ', 'large', 'small' },
  { 'pactlua do seed la', 'pactlua do seed large' },
  { 'pactlua do db:wipe n', 'pactlua do db:wipe now' },
  { 'pactlua do db:wipe now r', 'pactlua do db:wipe now really' },
  { 'pactlua --project shop do se', 'pactlua --project shop do seed' },
  { 'pactlua --project sh', 'pactlua --project shop' },
  { 'pactlua ps --project=sh', 'pactlua ps --project=shop' },
  { 'pactlua timeline --run 2', 'pactlua timeline --run 2@RUN@' },
  { 'pactlua timeline d', 'pactlua timeline db' },
  { 'pactlua signal -s US', 'USR1', 'USR2' },
  { 'pactlua signal --signal TE', 'pactlua signal --signal TERM' },
  { 'pactlua top --sort up', 'pactlua top --sort uptime' },
  { 'pactlua top -s upt', 'pactlua top -s uptime' },
  { 'pactlua up --profile e', 'pactlua up --profile extra' },
  { 'pactlua up --tag ', 'front', 'slow' },
  { 'pactlua up --tag front,s', 'pactlua up --tag front,slow' },
  { 'pactlua up --category st', 'pactlua up --category store' },
  { 'pactlua up --only my', 'pactlua up --only my-app' },
  { 'pactlua help on_un', 'pactlua help on_unhealthy' },
  { 'pactlua help pact.http.p', 'pact.http.patch', 'pact.http.post' },
  { 'pactlua help timel', 'pactlua help timeline' },
  { 'pactlua open db ', 'page', 'sql' },
  { 'pactlua stop my', 'pactlua stop my-app' },
  { 'pactlua stop web my', 'pactlua stop web my-app' },
  { 'pactlua wait --for h', 'pactlua wait --for healthy' },
  { 'pactlua completion z', 'pactlua completion zsh' },
}

local function up(t)
  t:recipe(NETWORK)
  assert.equal(0, t:run({ 'up', '--detach', 'net.lua' }).code)
  return t:state('/runs/2[^/]*$')[1]:match '/runs/2([^/]*)$'
end

local SHELLS = {
  bash = {
    words = { 'bash', '--norc', '--noprofile', '-i' }, set_up = [[
      PATH=$BIN:$PATH; . ./script; bind 'set show-all-if-ambiguous on'; bind 'set completion-query-items 0'
      bind 'set page-completions off'; PS1='ready> '; clear
    ]],
  },
  zsh = {
    words = { 'zsh', '-f', '-i' }, set_up = [[
      PATH=$BIN:$PATH; autoload -U compinit; compinit -u -D; . ./script; LISTMAX=1000; unsetopt beep list_ambiguous;
      PS1='ready> '; clear
    ]],
  },
}

for name, shell in pairs(SHELLS) do
  describe(name, function()
    case('offers what there is when Tab is pressed', function(t)
      t:file('script', t:run({ 'completion', name }).out)
      local run = up(t)
      t:file('set_up', shell.set_up)
      local at = screen.open(t, shell.words, { columns = 120, rows = 40, env = { BIN = BUILD, HOME = t.dir, ZDOTDIR = t.dir } })
      at:enter '. ./set_up'
      at:ends 'ready>'
      for _, row in ipairs(ROWS) do
        at.typing = true
        at:type(row[1])
        at:expect('ready> ' .. row[1]:gsub(' $', ''))
        at:press 'Tab'
        for i = 2, #row do at:expect((row[i]:gsub('@RUN@', run))) end
        at:press 'C-u'
        at:press 'C-l'
        at:ends 'ready>'
      end
      at:close()
      assert.equal(0, t:run({ 'down' }).code)
    end, missing(name) or missing 'tmux')
  end)
end

describe('fish', function()
  case('offers what there is when Tab is pressed', function(t)
    t:file('script', t:run({ 'completion', 'fish' }).out)
    local run = up(t)
    local lines = {}
    for i, row in ipairs(ROWS) do lines[i] = row[1] end
    t:file('lines', table.concat(lines, '\n') .. '\n')
    local result = t:run({ '-c', [[
      set -gx HOME $PWD; set -p PATH $BIN; source script
      cat lines | while read -l line; echo "== $line"; complete -C "$line"; end
    ]] }, { program = 'fish', env = { BIN = BUILD } })
    local offers, line = {}, nil
    for said in result.out:gmatch '[^\n]+' do
      line = said:match '^== (.*)' or line
      offers[line] = (offers[line] or '') .. '\n' .. said:match '^[^\t]*'
    end
    for _, row in ipairs(ROWS) do
      for i = 2, #row do
        local word = row[i]:gsub('@RUN@', run):match '%S+$'
        local all = (offers[row[1]] or offers[row[1]:gsub(' $', '')] or '') .. '\n'
        assert.truthy(all:find('\n' .. word .. '\n', 1, true), ('%s: %s in %s\n%s'):format(row[1], word, all, result.err))
      end
    end
    assert.equal(0, t:run({ 'down' }).code)
  end, missing 'fish')
end)

describe('the names that shells ask for', function()
  case('are told with a few words, of what lives and of the last run', function(t)
    local function names(...) return t:run({ 'completion', 'names', ... }).out end
    t:recipe(NETWORK)
    assert.equal('', names 'services')
    up(t)
    assert.equal('db\trunning\nmy-app\tidle\nweb\trunning\n', names 'ids')
    assert.equal('db:wipe\tempty it\nseed\tfill the database\n', names 'commands')
    assert.truthy(names('projects'):find('^shop\tlive, in /'))
    assert.equal(0, t:run({ 'down' }).code)
    assert.equal('', names 'ids')
    assert.equal('db\tprocess\nmy-app\tprocess\nweb\tprocess\n', names 'services')
    assert.equal('extra\nfull\n', names 'profiles')
    assert.equal('front\nslow\n', names 'tags')
    assert.truthy(names('runs'):find '^2%S+\tshop\n$')
    local wrong = t:run { 'completion', 'names', 'tag' }
    assert.same({ 2, "pactlua: completion: no kind of names 'tag' (did you mean 'tags'?)\n" }, { wrong.code, wrong.err })
    assert.equal(2, t:run({ 'completion', 'bash', 'more' }).code)
  end)
end)
