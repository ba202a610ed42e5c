--- JSON as the engine writes it and as the library does: the same text for whatever the engine takes.
local functional = require 'functional'
local case = functional.case

-- Stands in for the entry: random values, among them what only the library writes.
local COMPARE = [==[
return function(sys)
  local json = require 'pact.base.json'
  math.randomseed(tonumber(sys.args[2]))
  local ATOMS = {
    '', 'a', 'running', 'http 200', 'a"b\\', '\0\1\31\127', 'grün', '😀\n', 'x\255', '\xed\xa0\x80', ('y'):rep(3000),
    0, -1, 1795668345091, math.maxinteger, 0.5, 1e300, 2.0, true, false, json.null,
  }
  local value
  local function list(depth)
    local out = {}
    for i = 1, math.random(0, 6) do out[i] = value(depth + 1) end
    return math.random(3) == 1 and json.array(out) or out
  end
  local function map(depth)
    local out = {}
    for _ = 1, math.random(0, math.random(20) == 1 and 90 or 9) do
      local key = math.random(4) > 1 and ('k%d'):format(math.random(40)) or ATOMS[math.random(11)]
      out[math.random(60) == 1 and math.random(5) or key] = value(depth + 1)
    end
    return out
  end
  function value(depth)
    local dice = math.random(depth > 4 and 6 or 10)
    if dice <= 6 then return ATOMS[math.random(#ATOMS)] end
    return dice <= 8 and list(depth) or map(depth)
  end
  local taken, count = 0, 1500
  for _ = 1, count do
    local one = value(0)
    local own, ours = json.encode(one, { lenient = true }), sys.text.json(one, json.null)
    if ours and ours ~= own then error(('%q instead of %q'):format(ours, own)) end
    if ours then taken = taken + 1 end
  end
  sys.os.write(1, taken > count // 3 and taken < count and 'the same\n' or 'nothing compared\n')
  return 0
end
]==]

describe('JSON', function()
  case('is the same text from the engine and from the library', function(t)
    os.execute(('cp -r %s/stdlib %s/lib'):format(functional.quote(functional.root), functional.quote(t.dir)))
    t:file('lib/pact/main.lua', COMPARE)
    for seed = 1, 3 do
      local result = t:run { '--stdlib', 'lib', 'check', tostring(seed) }
      assert.equal('the same\n', result.out, result.err)
    end
  end)
end)
