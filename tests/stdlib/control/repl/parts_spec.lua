--- What a REPL's client is made of: text that goes on, what Tab does, commands, what was typed before.
local chunk = require 'pact.control.repl.chunk'
local commands = require 'pact.control.repl.commands'
local disk = require 'pact.sim.disk'
local history = require 'pact.control.repl.history'
local sched = require 'pact.base.sched'
local sim_sys = require 'pact.sim.sys'
local tab = require 'pact.control.repl.tab'

-- code, does it want another line
local UNFINISHED = {
  { '1 + 1', false },
  { '1 +', true },
  { 'for i = 1, 2 do', true },
  { 'for i = 1, 2 do print(i) end', false },
  { 'x = {', true },
  { 'f(', true },
  { 'print [[', true },
  { 'function f() return end', false },
  { 'x x', false },
  { ')', false },
  { '--[[', true },
  { '"a', false },
  { 'a = "b\\', true },
  { 'return', false },
  { '', false },
}

describe('lines of a REPL', function()
  for _, row in ipairs(UNFINISHED) do
    it(('%q %s'):format(row[1], row[2] and 'goes on' or 'is whole'), function()
      assert.equal(row[2], chunk.unfinished(row[1]))
    end)
  end

  it('are joined until they are whole, and given up together', function()
    local lines = chunk.new()
    assert.is_nil(lines:add '   ')
    assert.is_false(lines:begun())
    assert.is_nil(lines:add 'for i = 1, 2 do')
    assert.is_nil(lines:add '')
    assert.is_true(lines:begun())
    assert.equal('for i = 1, 2 do\n\nend', lines:add 'end')
    assert.is_false(lines:begun())
    lines:add 'x = {'
    assert.equal('x = {', lines:drop())
    assert.equal('1', lines:add '1')
  end)
end)

describe('tab', function()
  local function candidates(...)
    local out = {}
    for i, word in ipairs { ... } do out[i] = { text = word, label = word } end
    return out
  end

  -- the line before the cursor, from, candidates, what is done
  local CHANGES = {
    { 'svc.we', 5, candidates 'web', { back = 2, insert = 'web' } },
    { 'svc.web', 5, candidates 'web', {} },
    { 'svc.', 5, candidates('web', 'worker'), { back = 0, insert = 'w' } },
    { 'svc.w', 5, candidates('web', 'worker'), { list = { 'web', 'worker' } } },
    { 'svc.my', 4, candidates "['my-app']", { back = 3, insert = "['my-app']" } },
    { 'svc.my', 4, candidates("['my-app']", "['my-db']"), { list = { "['my-app']", "['my-db']" } } },
    { 'x', 1, candidates(), {} },
    { 'ä', 1, candidates('äb', 'äc'), { list = { 'äb', 'äc' } } },
    { '', 1, candidates('ä', 'ö'), { list = { 'ä', 'ö' } } },
    { 'größ', 1, candidates 'größe', { back = 4, insert = 'größe' } },
  }
  for i, row in ipairs(CHANGES) do
    it(('of %q (%d)'):format(row[1], i), function() assert.same(row[4], tab.change(row[1], row[2], row[3])) end)
  end

  it('lists words in columns, downwards', function()
    assert.equal('aa  cc\nbb  d\n', tab.columns({ 'aa', 'bb', 'cc', 'd' }, 7))
    assert.equal('aa\nbb\n', tab.columns({ 'aa', 'bb' }, 1))
    local words = {}
    for i = 1, 100 do words[i] = 'w' .. i end
    assert.truthy(tab.columns(words, 4):find('(100 in all)', 1, true))
  end)
end)

describe('commands of a REPL', function()
  -- line, command, what stands behind, or what is wrong
  local READ = {
    { ':help', 'help', '' },
    { '  :ps  web  db ', 'ps', 'web  db' },
    { ':h', nil, "no command ':h'; ':help' shows them" },
    { ':he', 'help', '' },
    { ':q', 'quit', '' },
    { ':time f( 1 )', 'time', 'f( 1 )' },
    { ':evnets', nil, "no command ':evnets' (did you mean ':events'?)" },
    { ':xyzzyx', nil, "no command ':xyzzyx'; ':help' shows them" },
    { ':', nil, "no command ':'; ':help' shows them" },
  }
  for _, row in ipairs(READ) do
    it(('reads %q'):format(row[1]), function()
      local command, rest = commands.read(row[1])
      assert.same({ row[2], row[3] }, { command and command.name, rest })
    end)
  end

  local function labels(before)
    local found, ids_from = commands.complete(before)
    local out = {}
    for i, one in ipairs(found and found.candidates or {}) do out[i] = before:sub(1, found.from - 1) .. one.text end
    return out, ids_from
  end

  it('completes their names, then ids', function()
    assert.same({ ':help', ':hooks' }, (labels ':h'))
    assert.same({ ':why ' }, (labels ':w'))
    assert.same({}, (labels ':xy'))
    assert.same({ {}, 6 }, { labels ':why we' })
    assert.same({ {}, 10 }, { labels ':ps web  d' })
    assert.same({ {}, nil }, { labels ':time we' })
    assert.same({ {}, nil }, { labels 'svc.we' })
  end)

  it('stand for commands of the command line that there are', function()
    local cli = require 'pact.control.cli'
    for _, row in ipairs(commands.rows) do
      assert.truthy(row.run or row.verb, row.name)
      if row.verb then
        local words = table.move({ 'web' }, 1, row.name == 'why' and 1 or 0, #row.verb + 1, table.move(row.verb, 1, #row.verb, 1, {}))
        assert.truthy(cli.parse(words, { now = 0, exists = function() return false end }), row.name)
      end
    end
  end)
end)

describe('history', function()
  local function open(files_of)
    local sys, world = sim_sys.new()
    local fs, files = disk.new()
    if files_of then files.files, files.directories = files_of.files, files_of.directories end
    sys.fs = fs
    function fs.lock()
      if files.held then return nil, 'held', 'held' end
      return 1
    end
    function fs.close() end
    return history.new(sys, sched.new(sys), { HOME = '/home/me' }), files, world
  end

  it('is read as it was written, whatever was typed', function()
    local entries = { '1 + 1', 'for i = 1, 2 do\n  print(i)\nend', 'a \\ b \\n c', 'größe', 'x\r' }
    local one, files = open()
    for _, entry in ipairs(entries) do one:add(entry) end
    assert.same(entries, open(files):read())
  end)

  it('keeps out what repeats the last, begins with a blank, or is very long', function()
    local one, files = open()
    for _, entry in ipairs { 'a', 'a', ' secret', ('x'):rep(70000), 'b', 'a' } do one:add(entry) end
    assert.same({ 'a', 'b', 'a' }, open(files):read())
  end)

  it('has the entries of all who write into it', function()
    local one, files = open()
    local other = open(files)
    one:add 'a'
    other:add 'b'
    one:add 'c'
    assert.same({ 'a', 'b', 'c' }, open(files):read())
  end)

  it('waits for who has the file, and loses nothing', function()
    local one, files, world = open()
    files.held = true
    one:add 'late'
    world:advance(50)
    assert.same({}, open(files):read())
    files.held = false
    world:advance(50)
    assert.same({ 'late' }, open(files):read())
  end)

  it('is cut when it has grown too long', function()
    local lines = {}
    for i = 1, 2500 do lines[i] = 'entry ' .. i end
    local one, files = open()
    files.files['/home/me/.local/state/pactlua/history'] = table.concat(lines, '\n') .. '\n'
    local found = one:read()
    assert.same({ 1000, 'entry 1501', 'entry 2500' }, { #found, found[1], found[1000] })
    assert.equal(found[1], open(files):read()[1])
    assert.is_true(#files.files['/home/me/.local/state/pactlua/history'] < 12000)
  end)

  it('does without a place', function()
    local sys = sim_sys.new()
    assert.is_nil(history.new(sys, sched.new(sys), {}))
  end)
end)
