local record = require 'pact.supervise.record'

-- The fields that the source declares for a record.
local function declared()
  local path, names = package.searchpath('pact.supervise.record', package.path), {}
  for line in io.lines(path) do names[#names + 1] = line:match '^%-%-%-@field ([%w_]+)' end
  return names
end

describe('a record', function()
  it('is copied with every field that it may have', function()
    local r = {}
    for i, name in ipairs(declared()) do r[name] = i end
    assert.equal('id', declared()[1])
    assert.same(r, record.copy(r))
    assert.not_equal(r, record.copy(r))
  end)

  it('has no other fields', function()
    local known = {}
    for _, name in ipairs(declared()) do known[name] = true end
    local r = record.new { id = 'web', kind = 'process', restart = {}, success_exit = { 0 } }
    for name in pairs(r) do assert.is_true(known[name], name) end
  end)
end)
