--- What a network's output looks like in a pipe, and what its logs hold.
local functional = require 'functional'
local case = functional.case

-- Lines of one service in the output, without their prefix.
local function lines_of(result, id)
  local found = {}
  for line in result.out:gmatch '([^\n]*)\n' do
    local text = line:match('^%s*' .. id:gsub('%p', '%%%0') .. '%s*| ?(.*)$')
    if text then found[#found + 1] = text end
  end
  return found
end

for _, way in ipairs { { 'a pipe', { pipe = true } }, { 'a file', {} } } do
  describe('output to ' .. way[1], function()
    case('every line has its service before it', function(t)
      local result = t:up([[
        pact.task 'one' { shell = 'echo first; echo second >&2' }
        pact.task 'another' { shell = 'echo third' }
      ]], way[2]):wait()
      assert.equal(0, result.code)
      assert.same({ 'first', 'second' }, lines_of(result, 'one'))
      assert.same({ 'third' }, lines_of(result, 'another'))
    end)

    case('nothing is lost and nothing is reordered', function(t)
      local result = t:up([[
        pact.task 'many' { shell = 'seq 1 100000' }
      ]], way[2]):wait()
      assert.equal(0, result.code)
      local lines = lines_of(result, 'many')
      assert.equal(100000, #lines)
      for i, line in ipairs(lines) do
        if line ~= tostring(i) then assert.equal(tostring(i), line) end
      end
    end)

    case('no colour is written', function(t)
      local result = t:up([[ pact.task 'a' { shell = 'echo x' } pact.task 'b' { shell = 'exit 1' } ]], way[2]):wait()
      assert.falsy((result.out .. result.err):find('\27', 1, true))
    end)
  end)
end

describe('output', function()
  case('many writers at once lose nothing', function(t)
    local result = t:up([[
      for i = 1, 8 do pact.task('w' .. i) { shell = 'seq 1 5000' } end
    ]], { pipe = true }):wait()
    assert.equal(0, result.code)
    for i = 1, 8 do
      local lines = lines_of(result, 'w' .. i)
      assert.equal(5000, #lines)
      assert.equal('5000', lines[5000])
    end
  end)

  case('what was written just before the end is there', function(t)
    for i = 1, 5 do
      local result = t:up(([[ pact.task 't%d' { shell = 'seq 1 2000; echo the end' } ]]):format(i)):wait()
      local lines = lines_of(result, 't' .. i)
      assert.equal('the end', lines[#lines])
      assert.equal(2001, #lines)
    end
  end)

  case('a reader that stalls stalls nobody else', function(t)
    -- The reader of the pipe stops after the first byte; the flood must go on into the log.
    t:recipe [[
      pact.task 'flood' { shell = 'seq 1 400000; echo done >>trace' }
      pact.process 'stay' { command = { 'sleep', '1000' } }
    ]]
    local network = t:start({ '-c', '"$0" net.lua | { head -c 1 >/dev/null; exec sleep 1000; }', functional.bin },
      { program = 'sh' })
    t:wait_lines('trace', 1)
    t:wait_service('flood', { status = 'completed' })
    for _, process in ipairs(network:processes()) do
      if process.command == 'sleep 1000' and process.ppid == network.pid then functional.signal(process.pid, 'KILL') end
    end
    for _, process in ipairs(network:processes()) do
      if process.ppid == network.pid and process.command:find('net.lua', 1, true) then
        functional.signal(process.pid, 'TERM')
      end
    end
    network:wait()
  end)

  case('logs are rotated by size, and the old ones deleted', function(t)
    t:recipe [[
      pact.task 'many' { shell = 'seq 100001 130000', log = { max_size = '32k', max_files = 2 } }
    ]]
    -- `run` follows no log, so none is held back from being deleted
    assert.equal(0, t:run({ 'run', 'net.lua', '--', 'true' }).code)
    local files = t:state 'many%.log[^/]*$'
    assert.equal(3, #files, table.concat(files, ' '))
  end)

  case('one who follows loses nothing to a rotation', function(t)
    for _ = 1, 8 do -- it may be rotated away before the front has opened it, or while it moves on
      local result = t:up([[
        pact.task 'many' { shell = 'seq 100001 130000', log = { max_size = '32k', max_files = 1 } }
      ]], { pipe = true }):wait()
      assert.equal(30000, #lines_of(result, 'many'))
    end
  end)

  case('the latest run is linked', function(t)
    t:up([[ pact.task 'a' { shell = 'echo hello' } ]]):wait()
    assert.equal(1, #t:state 'latest$')
    local path = io.popen('ls ' .. t.dir .. '/.pactlua/*/latest/a.log'):read 'l'
    assert.equal('hello\n', functional.procfs.read(path))
  end)

  case('only the last ten runs are kept', function(t)
    t:recipe [[ pact.project 'p' pact.task 'a' { command = { 'true' } } ]]
    for _ = 1, 12 do assert.equal(0, t:run({ 'net.lua' }).code) end
    assert.equal(10, #t:state 'runs/[^/]+$')
  end)

  case('a failure is summed up with its last lines', function(t)
    local result = t:up([[
      pact.task 'bad' { shell = 'seq 1 30; echo the reason >&2; exit 5' }
    ]]):wait()
    assert.equal(3, result.code)
    local all = result.out .. result.err
    assert.truthy(all:find('exit code 5', 1, true), all)
    local _, count = all:gsub('the reason', '')
    assert.equal(2, count, 'once where it happened, once in the summary')
  end)

  case('changes of state are told with their reasons', function(t)
    local result = t:up([[
      pact.process 'p' { shell = 'exit 7', restart = { delay = '100ms', max_retries = 1 } }
    ]]):wait()
    local all = result.out .. result.err
    for _, word in ipairs { 'exit code 7', 'backoff', 'failed' } do
      assert.truthy(all:find(word, 1, true), word .. ' in\n' .. all)
    end
  end)
end)
