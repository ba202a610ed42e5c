--- What people and editors are told of recipes: the reference, the stubs, `pactlua init`.
local cjson = require 'cjson'
local functional = require 'functional'
local calls = require 'pact.declare.calls'
local case = functional.case

local function names_of(class)
  local out = {}
  for _, group in ipairs(calls.groups) do
    if group.class == class then
      for _, row in ipairs(group.rows) do out[row[1]] = true end
    end
  end
  return out
end

describe('the reference', function()
  case('knows everything that a recipe sees of pact', function(t)
    local result = t:up([[
      pact.task 'x' { command = { 'true' } }
      for name in pairs(pact) do print('~', 'pact', name) end
      for _, part in ipairs { 'http', 'file', 'json' } do
        for name in pairs(pact[part]) do print('~', 'pact.' .. part, name) end
      end
    ]]):wait()
    assert.equal(0, result.code, result.out .. result.err)
    local count, network = 0, { project = true, max_parallel_starts = true, shutdown_timeout = true, hook_timeout = true }
    for class, name in result.out:gmatch '~\t([%w.]+)\t([%w_]+)' do
      local known = names_of(class)[name] or class == 'pact' and network[name]
      assert.truthy(known, ('%s.%s has no row in stdlib/pact/declare/calls.lua'):format(class, name))
      count = count + 1
    end
    assert.truthy(count > 50, count)
  end)

  case('knows nothing that is not there', function(t)
    local checks = {}
    for _, group in ipairs(calls.groups) do
      local prefix = group.prefix:match '^(pact[%w_.]*)%.$'
      for _, row in ipairs(prefix and group.rows or {}) do
        checks[#checks + 1] = ('there(%q, function() return %s.%s end)'):format(prefix .. '.' .. row[1], prefix, row[1])
      end
    end
    local result = t:up(([[
      local function there(name, fn)
        local ok, value = pcall(fn)
        if not ok or value == nil then print('~ ' .. name) end
      end
      pact.task 'x' { command = { 'true' } }
      %s]]):format(table.concat(checks, '\n'))):wait()
    assert.equal(0, result.code, result.out .. result.err)
    assert.truthy(#checks > 80, #checks)
    assert.is_nil(result.out:match '~ ([%w_.]+)')
  end)

  case('is written by help --markdown, with every field', function(t)
    local result = t:run { 'help', '--markdown' }
    assert.equal(0, result.code)
    for _, text in ipairs { '# Reference of recipes', '| `depends_on` |', '## pact.verdict', '| `scale` |', '| `crashed` |', '## pact.sim', '| `timed_out` |',
      '`PROCESS_MAX_RETRIES`', '## pact.patterns.web_server' } do
      assert.truthy(result.out:find(text, 1, true), text)
    end
  end)
end)

describe('init', function()
  local function library(t, path)
    local settings = cjson.decode(t:read(path or '.luarc.json'))
    assert.equal('Lua 5.4', settings.runtime.version)
    return settings.workspace.library[1]
  end

  case('writes settings for editors that find the stubs', function(t)
    assert.equal(0, t:run({ 'init' }).code)
    local stubs = io.open(library(t) .. '/pact.lua')
    assert.truthy(stubs)
    assert.truthy(stubs:read('a'):find('---@class pact.process', 1, true))
    stubs:close()
  end)

  case('writes the stubs for this user where nothing is installed', function(t)
    local alone = t:path 'pactlua'
    os.execute(('cp %s %s'):format(functional.quote(functional.bin), functional.quote(alone)))
    local result = t:run({ 'init', 'sub/net' }, { program = alone, env = { XDG_DATA_HOME = t:path 'data' } })
    assert.equal(1, result.code, 'there is no directory to write to')
    t:file('sub/x', '')
    result = t:run({ 'init', 'sub/net' }, { program = alone, env = { XDG_DATA_HOME = t:path 'data' } })
    assert.equal(0, result.code, result.out .. result.err)
    assert.equal(t:path 'data' .. '/pactlua/editor', library(t, 'sub/.luarc.json'))
    assert.is_function(assert(load(t:read 'data/pactlua/editor/pact.lua')))
    assert.truthy(t:read('data/pactlua/editor/pact/sim.lua'):find('@type pact.sim', 1, true))
  end)

  case('keeps settings that are there, and says what they need', function(t)
    t:file('.luarc.json', '{}')
    assert.equal(0, t:run({ 'init' }).code)
    assert.equal('{}', t:read '.luarc.json')
    local result = t:run { 'init', '--editor' }
    assert.equal(1, result.code)
    assert.truthy(result.err:find("'.luarc.json' is there already; its workspace.library should name /", 1, true), result.err)
    os.remove(t:path '.luarc.json')
    assert.equal(0, t:run({ 'init', '--editor' }).code)
    assert.truthy(library(t))
  end)
end)
