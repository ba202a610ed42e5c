local fail = require 'pact.base.fail'
local rows = require 'pact.sim.rows'
local script = require 'pact.sim.script'

local function problems(raw)
  local checked, found = rows.check(raw, { name = 'f.lua', directory = '/net' })
  return checked, fail.render(found)
end

describe('rows', function()
  local wrong = {
    { { { at = '5s', service = 'db' } }, "says nothing that happens to 'db': one of 'crash', 'exit'" },
    { { { at = '5s', service = 'db', crash = 1, hang = true } }, "has 'crash' and 'hang': one thing a row" },
    { { { at = '5s', service = 'db', crsh = 1 } }, "unknown key 'crsh' (did you mean 'crash'?)" },
    { { { at = 5, service = 'db', crash = 1 } }, 'at ' },
    { { { at = 'soon', service = 'db', crash = 1 } }, 'at ' },
    { { { at = '5s', after = '1s', service = 'db', crash = 1 } }, "has 'at' and 'after': one or the other" },
    { { { every = '5s', after = '1s', service = 'db', crash = 1 } }, "has 'every' and 'after': one or the other" },
    { { { service = 'db', crash = 256 } }, 'crash must be true, an exit code of 0–255 or a signal' },
    { { { service = 'db', crash = 'BOOM' } }, 'crash must be true' },
    { { { service = 'db', exit = 'KILL' } }, 'exit must be an exit code' },
    { { { service = 'db', recover = false } }, 'recover must be true' },
    { { { service = 'db', command = 'strat' } }, "(did you mean 'start'?)" },
    { { { service = 'db', hang = true, times = 0 } }, 'times must be 1 or more' },
    { { { at = '5s' } }, "is about nothing: it needs 'exec', 'file', 'http', 'port' or 'service'" },
    { { { service = 'db', http = 'http://x', crash = 1 } }, "is about 'http' and 'service': one thing a row" },
    { { { http = 'http://x', crash = 1 } }, "has 'crash', which doesn't go with 'http'" },
    { { { http = 'http://x', status = 42 } }, 'status must be between 100 and 599' },
    { { { http = 'http://x', error = 'refsed' } }, "(did you mean 'refused'?)" },
    { { { http = 'http://x', body = 5 } }, 'body must be text, a table (sent as JSON) or a function' },
    { { { exec = {}, status = 0 } }, "exec must be words such as { 'npm', 'test' }" },
    { { { exec = 'x', status = 300 } }, 'status must be between 0 and 255' },
    { { { file = 'a' } }, "has neither 'content' nor 'absent = true'" },
    { { { port = 70000 } }, 'port must be between 1 and 65535' },
    { { 5 }, 'must be a table of fields' },
    { { random = 5 }, "random must be true or { every = '1m' }, got 5" },
    { { random = { every = 'x' } }, 'random.every ' },
    { { random = { evry = '1s' } }, "unknown key 'random.evry' (did you mean 'every'?)" },
    { { seed = 'x' }, 'seed must be a whole number' },
    { { random = true, sed = 5 }, "unknown key 'sed' (did you mean 'seed'?)" },
    { 'text', "must give a list of rows such as { at = '5s', service = 'db', crash = 1 }, got 'text'" },
  }
  for _, case in ipairs(wrong) do
    it('are refused: ' .. case[2], function()
      local checked, message = problems(case[1])
      assert.is_nil(checked)
      assert.truthy(message:find(case[2], 1, true), message)
      assert.matches('^f.lua: ', message)
    end)
  end

  it('are all told of at once', function()
    local _, message = problems { { service = 'a' }, { service = 'b', crash = {} }, { http = 'x', status = 1 } }
    assert.matches('row 1: .*row 2: .*row 3: ', message)
    local _, times = message:gsub('says nothing', '')
    assert.equal(1, times) -- of row 2 only what is wrong with it
  end)

  it('have their fields in help', function()
    local help = rows.help()
    for _, field in ipairs(rows.noun.fields) do assert.matches('\n  ' .. field.name .. ' +%S', help) end
  end)
end)

describe('a faults file', function()
  local function read(source)
    local host = {
      read = function(path)
        if path == '/net/faults.lua' then return source end
        return nil, 'no such file', 'ENOENT'
      end,
      list = function() return { 'faults.lua', 'net.lua', 'notes.txt' } end,
      resume = function(thread) return coroutine.resume(thread) end,
    }
    return function(name)
      local checked, found = script.read(host, '/net/' .. (name or 'faults.lua'), name or 'faults.lua', '/net')
      return checked, fail.render(found)
    end
  end

  it('may compute its rows', function()
    local checked = read [[
      local out = { random = true }
      for i = 1, 3 do out[i] = { at = i .. 's', service = 'db', crash = i } end
      return out
    ]]()
    assert.equal(3, #checked)
    assert.same({ 3000, { code = 3 } }, { checked[3].at, checked[3].value })
    assert.same({}, checked.random)
  end)

  it('knows the lines of its rows, whatever stands between them', function()
    local checked = read [[
-- a { comment
return {
  { service = 'a', crash = 1 }, -- { another
  { service = 'b', says = "{ text }\" {" },

  { http = 'x', body = { a = { b = 1 } } },
}]]()
    assert.same({ 'faults.lua:3', 'faults.lua:4', 'faults.lua:6' },
      { checked[1].place, checked[2].place, checked[3].place })
  end)

  local wrong = {
    { 'return {', 'faults.lua:1: unexpected symbol near <eof>' },
    { 'return nil', 'must give a list of rows' },
    { 'error "no"', 'faults.lua:1: no' },
    { 'error { 5 }', 'faults.lua: ' },
    { 'return os.time()', "faults.lua:1: 'os' is not in a faults file: it is data" },
    { 'return pacct', "faults.lua:1: 'pacct' has no value here" },
    { 'x = 5', "sets the global 'x': write local x" },
    { 'local x <close> = nil; return (nil)()', 'faults.lua:1: ' },
  }
  for _, case in ipairs(wrong) do
    it('is refused: ' .. case[1], function()
      local checked, message = read(case[1])()
      assert.is_nil(checked)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end

  it('that is not there is named with the nearest one', function()
    local _, message = read '' 'fault.lua'
    assert.equal("faults file 'fault.lua': no such file (did you mean 'faults.lua'?)\n", message)
  end)
end)
