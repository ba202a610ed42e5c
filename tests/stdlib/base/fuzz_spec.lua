local dotenv = require 'pact.base.dotenv'
local duration = require 'pact.base.duration'
local json = require 'pact.base.json'
local mutations = require 'mutations'
local size = require 'pact.base.size'

-- PACTLUA_FUZZ=1000000 tries more, PACTLUA_SEED begins elsewhere: what fails names its seed.
local COUNT = tonumber(os.getenv 'PACTLUA_FUZZ') or 20000

-- A value or nil with a message; never an error, never both.
local function answered(value, message)
  if value == nil then
    assert(type(message) == 'string' and message ~= '', 'no value and no message')
  else
    assert(message == nil, 'a value and a message')
  end
  return value
end

describe('texts of any kind', function()
  it('are durations or not', function()
    local good = { '500ms', '1m30s', '2h', '1.5s', '7d', '30', '250', '  5s ', '1h 30m', '' }
    mutations.try(COUNT, good, nil, function(text)
      local ms = answered(duration.parse(text))
      if not ms then return end
      assert(math.type(ms) == 'integer' and ms >= 0, 'not whole, or negative')
      if ms >= 100 or ms == 0 then assert(duration.parse(duration.spell(ms)) == ms, 'spelled otherwise: ' .. duration.spell(ms)) end
      assert(#duration.format(ms) > 0 and #duration.short(ms) > 0)
    end)
  end)

  it('are sizes or not', function()
    mutations.try(COUNT, { '512m', '10k', '1.5G', '256MB', '4 KiB', '17', '17b', '1023t', '' }, nil, function(text)
      local bytes = answered(size.parse(text))
      if not bytes then return end
      assert(math.type(bytes) == 'integer' and bytes >= 0, 'not whole, or negative')
      assert(#size.format(bytes) > 0)
    end)
  end)

  it('are variables or not', function()
    local good = {
      'A=1\nB="two\\nlines"\nexport C=\'x\'\n# note\nD=${A:-5} # tail\n', 'A=${B-x}\nB=${A}\n', 'X="$\\{"\nexport X\n', '',
      'LONG="over\nlines"\nNEXT=1', '\239\187\191A=1\r\nB=2\r\n',
    }
    mutations.try(COUNT, good, { '=', '"', "'", 'export ', '${A', '}', '\n', '#', '\\' }, function(text)
      local list, message, line = dotenv.parse(text, function(name) return name == 'HOME' and '/root' or nil end)
      if not list then
        assert(type(message) == 'string' and math.type(line) == 'integer' and line >= 1, 'no message or no line')
        local _, lines = text:gsub('\n', '')
        assert(line <= lines + 1, 'a line that is not there')
        return
      end
      for _, entry in ipairs(list) do
        assert(entry.name:find '^[%a_][%w_.-]*$', 'a name')
        assert(not entry.value:find('\0', 1, true), 'a NUL')
      end
    end)
  end)

  it('are JSON or not, and what was read is written and read again as it was', function()
    local good = {
      '{"a":[1,2,3.5,{"b":null}],"c":"d\\n\\u00e9","e":true}', '[]', '{}', '"x"', '123456789012345678', '-1.5e-7', 'null',
      '[9007199254740993, 1e300, -0.0, 18446744073709551616]', '{"deep":[[[[[[1234567890123456]]]]]]}',
      '{"s":"\\ud83d\\ude00 \\" \\\\ \\/ 1234567890123456"}',
    }
    mutations.try(COUNT, good, { '1234567890123456', '"', '{"k":', ']' }, function(text)
      local value, message = json.decode(text)
      if value == nil then return assert(type(message) == 'string', 'no value and no message') end
      local once = json.encode(value, { lenient = true }) -- 1e999 is read as infinite
      local again, why = json.decode(once)
      assert(again ~= nil, ('what was written is not read: %s, %s'):format(once, why))
      -- a whole number may be read as a float once (1e+14) and as an integer from then on
      local twice = json.encode(again, { lenient = true })
      assert(json.encode(json.decode(twice), { lenient = true }) == twice, 'written otherwise each time: ' .. once)
    end)
  end)
end)
