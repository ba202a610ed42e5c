local disk = require 'pact.sim.disk'
local logfile = require 'pact.observe.logfile'

describe('a file of lines', function()
  local fs, world, faults
  before_each(function()
    fs, world = disk.new()
    faults = {}
  end)

  local function open(opts)
    opts.path = opts.path or '/run/x.log'
    opts.on_fault = function(message) faults[#faults + 1] = message end
    return logfile.new(fs, opts)
  end

  it('is not made before its first line', function()
    open { max_size = 100, max_files = 3 }
    assert.is_nil(world.files['/run/x.log'])
  end)

  it('is rotated before it would exceed its size, and the oldest is deleted', function()
    local file = open { max_size = 10, max_files = 3 }
    for i = 1, 5 do file:write(('line %d..\n'):format(i)) end
    assert.equal('line 5..\n', world.files['/run/x.log'])
    assert.equal('line 4..\n', world.files['/run/x.log.1'])
    assert.equal('line 3..\n', world.files['/run/x.log.2'])
    assert.is_nil(world.files['/run/x.log.3'])
  end)

  it('tells of each file that is begun', function()
    local file, told = open { max_size = 10, max_files = 2 }, {}
    file.on_open = function(path) told[#told + 1] = { path, world.files[path] } end
    for i = 1, 3 do file:write(('line %d..\n'):format(i)) end
    assert.same({ '/run/x.log', '/run/x.log', '/run/x.log' }, { told[1][1], told[2][1], told[3][1] })
    assert.equal(3, #told)
  end)

  it('keeps one file when one is all it may have', function()
    local file = open { max_size = 10, max_files = 1 }
    file:write 'first..\n'
    file:write 'second..\n'
    assert.equal('second..\n', world.files['/run/x.log'])
    assert.is_nil(world.files['/run/x.log.1'])
  end)

  it('writes an entry that is larger than the limit by itself', function()
    local file = open { max_size = 4, max_files = 2 }
    file:write 'much too long\n'
    assert.equal('much too long\n', world.files['/run/x.log'])
  end)

  it('keeps lines until it is known where it lies', function()
    local file = logfile.new(fs, { max_size = 100, max_files = 2 })
    file:write 'early\n'
    file:open '/run/x.log'
    file:write 'late\n'
    assert.equal('early\nlate\n', world.files['/run/x.log'])
  end)

  it('says once that it cannot write, and later how much was lost', function()
    local file = open { max_size = 1000, max_files = 2 }
    file:write 'one\n'
    world.full = 'No space left on device'
    file:write 'two\n'
    file:write 'three\n'
    assert.same({ 'No space left on device' }, faults)
    world.full = nil
    file:write 'four\n'
    assert.equal('one\n(2 entries lost: the file could not be written)\nfour\n', world.files['/run/x.log'])
    assert.equal(0, file.lost)
  end)
end)
