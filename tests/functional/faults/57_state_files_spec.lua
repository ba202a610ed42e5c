--- Fault 57: files that an older or newer version has written, or that were cut short. What can't be read is left
--- out with a warning; nothing fails because of it.
local functional = require 'functional'
local cjson = require 'cjson'
local case, quote = functional.case, functional.quote

local RECIPE = [[
  pact.project 'p'
  pact.process 'db' { shell = 'echo one; echo two >&2; echo $$ >>pids; exec sleep 1000', health = { log = 'one' } }
  pact.process 'web' { command = { 'sleep', '1000' }, depends_on = { 'db' }, ports = { x = pact.free_port 'x' } }
]]

local STATE = '.pactlua/p'

-- One run that has ended; gives its directory.
local function ended(t)
  t:recipe(RECIPE)
  local result = t:run { 'run', 'net.lua', '--', 'true' }
  assert.equal(0, result.code, result.err)
  return assert(t:state '/runs/[^/]+$'[1])
end

local function spoil(t, command)
  assert.is_true(os.execute(('cd %s && { %s; }'):format(quote(t.dir), command)), command)
end

-- What has become of the next run: it comes up, is seen, and ends well.
local function comes_up(t)
  local network = t:start { 'net.lua' }
  t:wait_service('web', { status = 'running' })
  network:signal 'TERM'
  local result = network:wait()
  assert.equal(143, result.code or 128 + result.signal, result.out .. result.err)
  return result
end

describe('state files', function()
  -- What ports.json holds, the warning's end.
  local ports = {
    { 'cut short', [[printf '{"x":15' >%s]], "can't be read" },
    { 'empty', ': >%s', "can't be read" },
    { 'of bytes', 'head -c 5000 /dev/urandom >%s', "can't be read" },
    { 'of a newer form', [[echo '{"version":2,"ports":{"x":{"tcp":15001}}}' >%s]], 'holds what is no port: left out' },
    { 'of numbers that are no ports', [[echo '{"x":99999999999999999999}' >%s]], 'holds what is no port: left out' },
  }
  for _, row in ipairs(ports) do
    case(('fault 57: ports.json %s is told of and written anew'):format(row[1]), function(t)
      ended(t)
      spoil(t, row[2]:format(STATE .. '/ports.json'))
      local result = comes_up(t)
      local _, told = (result.out .. result.err):gsub('ports%.json ' .. row[3]:gsub('%p', '%%%0'), '')
      assert.equal(1, told, result.out .. result.err)
      assert.truthy(math.tointeger(cjson.decode(t:read(STATE .. '/ports.json')).x))
      assert.falsy(comes_up(t).out:find('ports.json', 1, true)) -- all is well again
    end)
  end

  -- What becomes of the journal, the warning, whether the picture still has its end.
  local journals = {
    { 'cut short', 'truncate -s -9 %s', '1 line of the run\'s files can\'t be read: left out' },
    { 'with rubbish in it', [[sed -i '3i {"name": rubbish' %s]], '1 line of' },
    { 'with bytes in it', [[{ head -c 3000 /dev/urandom | tr '\n' x; echo; } >>%s]], '1 line of' },
    { 'with events of a newer version', [[echo '{"name":"teleported","mono":"then","seq":[1],"service":{}}' >>%s]], nil },
    { 'of another form altogether', [[sed -i 's/^{/[{/; s/}$/}]/' %s]], 'lines of' },
    { 'that is gone', 'rm %s', nil },
    { 'that is a directory', 'rm %s; mkdir %s', nil },
  }
  for _, row in ipairs(journals) do
    case(('fault 57: a journal %s'):format(row[1]), function(t)
      local run = ended(t)
      spoil(t, (row[2]:gsub('%%s', run .. '/events.jsonl')))
      for _, form in ipairs { {}, { '--json' }, { '--svg', '-' }, { '--html', '-' }, { '--all' } } do
        local result = t:run { 'timeline', table.unpack(form) }
        assert.equal(0, result.code, result.err)
        assert.truthy(result.out:find('web', 1, true), result.out)
        if row[3] then assert.truthy(result.err:find(row[3], 1, true), result.err) else assert.equal('', result.err) end
      end
      comes_up(t)
    end)
  end

  case('fault 57: a run of an older version, without a plan, is drawn from its journal', function(t)
    local run = ended(t)
    spoil(t, ('rm %s/plan.jsonl; sed -i %s %s/events.jsonl'):format(run, quote 's/,"spent":{[^}]*}//; s/,"held_by":"[^"]*"//', run))
    local result = t:run { 'timeline', '--json' }
    assert.same({ 0, '' }, { result.code, result.err })
    local timeline = cjson.decode(result.out)
    assert.same({ 'db', 'web' }, { timeline.services[1].id, timeline.services[2].id })
    assert.equal('waiting', timeline.services[2].phases[1].phase)
    assert.equal('web', timeline.chain.last)
  end)

  case('fault 57: the plan of a newer version is told of, and taken as far as it is understood', function(t)
    local run = ended(t)
    spoil(t, ([[sed -i '1s/.*/{"format":7,"version":"9.1","began":"then"}/; $a {"service":"later","needs":{"a":1},"kind":[]}' %s/plan.jsonl]]):format(run))
    local result = t:run { 'timeline' }
    assert.equal(0, result.code, result.err)
    assert.equal("pactlua: timeline: plan.jsonl is of pactlua 9.1: what isn't known of it is left out\n", result.err)
    assert.truthy(result.out:find('db', 1, true), result.out)
  end)

  -- What becomes of the index of a log.
  local indexes = {
    { 'cut short', 'truncate -s 50 %s' }, { 'empty', ': >%s' }, { 'of bytes', 'head -c 4000 /dev/urandom >%s' },
    { 'that is gone', 'rm %s' },
    { 'of a newer form', [[{ printf 'PACTIDX\n\002'; tail -c +10 %s | sed 's/./&&/g'; } >new.idx && mv new.idx %s]] },
  }
  for _, row in ipairs(indexes) do
    case(('fault 57: an index %s costs no line, and is told of'):format(row[1]), function(t)
      local run = ended(t)
      spoil(t, (row[2]:gsub('%%s', run .. '/db.idx')))
      local result = t:run { 'logs', 'db' }
      assert.same({ 0, 'one\ntwo\n' }, { result.code, result.out })
      assert.equal("pactlua: logs: db.idx can't be read: times and order of its lines are guesses\n", result.err)
    end)
  end

  case('fault 57: an index that is of another version only by its head costs nothing', function(t)
    local run = ended(t)
    spoil(t, ([[printf '\002' | dd of=%s/db.idx bs=1 seek=8 conv=notrunc 2>/dev/null]]):format(run))
    local result = t:run { 'logs', 'db' }
    assert.same({ 0, 'one\ntwo\n', '' }, { result.code, result.out, result.err })
  end)

  case('fault 57: an index with a cut last record tells what it can', function(t)
    local run = ended(t)
    spoil(t, ('truncate -s -7 %s/db.idx'):format(run))
    local result = t:run { 'logs', 'db' }
    assert.equal(0, result.code, result.err)
    local lines = {}
    for line in result.out:gmatch '[^\n]+' do lines[#lines + 1] = line end
    table.sort(lines)
    assert.same({ 'one', 'two' }, lines)
  end)

  case('fault 57: a log shorter than its index tells of', function(t)
    local run = ended(t)
    spoil(t, ('truncate -s 2 %s/db.log'):format(run))
    local result = t:run { 'logs', 'db' }
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find '^on', result.out)
  end)

  case('fault 57: `latest` that leads nowhere, or round, misleads nobody', function(t)
    ended(t)
    for _, target in ipairs { 'runs/gone', 'latest', '/' } do
      spoil(t, ('rm -f %s/latest && ln -s %s %s/latest'):format(STATE, target, STATE))
      assert.equal(0, t:run({ 'timeline' }).code)
      assert.equal('one\ntwo\n', t:run({ 'logs', 'db' }).out)
    end
    assert.equal('', comes_up(t).err)
    assert.truthy(t:exists(STATE .. '/latest/events.jsonl'))
  end)

  case('fault 57: names among the runs that are none', function(t)
    ended(t)
    spoil(t, ('cd %s/runs && mkdir zzz 99990101 && touch 29990101T000000-000x x && ln -s gone 29990101T000000-000'):format(STATE))
    local result = t:run { 'logs', 'db' }
    assert.equal(0, result.code, result.err)
    comes_up(t)
  end)

  case('fault 57: what a lock holds that is held', function(t)
    t:recipe(RECIPE)
    t:start { 'net.lua' }
    t:wait_service('web', { status = 'running' })
    for _, content in ipairs { 'rubbish', '', '{"pid":1,"version":9}' } do
      spoil(t, ("printf '%%s' %s >%s/lock"):format(quote(content), STATE))
      local result = t:run { 'net.lua' }
      assert.equal(1, result.code)
      assert.truthy(result.err:find("'p' is up already", 1, true), result.err)
    end
    assert.equal(1, #t:lines 'pids')
  end)

  -- A network without a place beside its recipe says in `directory` whose it is.
  case('fault 57: `directory` of a place elsewhere', function(t)
    for i, content in ipairs { '', '\\n\\n', 'rubbish', '/no/such\\nx\\n', '{"v":2}' } do
      spoil(t, ("mkdir -p .state/pactlua/p-0123456%d && printf '%s' >.state/pactlua/p-0123456%d/directory"):format(i, content, i))
    end
    spoil(t, 'mkdir -p .state/pactlua/q-01234567/directory; head -c 300 /dev/urandom >.state/pactlua/p-01234561/directory')
    for _, verb in ipairs { 'ps', 'timeline', 'logs', 'down' } do
      local result = t:run { verb }
      assert.equal(4, result.code, verb .. ': ' .. result.err)
    end
    t:recipe(RECIPE)
    comes_up(t)
  end)
end)
