--- Which run of which network a command means, by files alone.
local disk = require 'pact.sim.disk'
local runs = require 'pact.control.client.runs'

local OLD, MIDDLE, NEW = '20260101T000000-000', '20260102T000000-000', '20260203T000000-000'

describe('the run that is meant', function()
  local context, world
  before_each(function()
    local fs
    fs, world = disk.new()
    context = { sys = { fs = fs, os = { ids = function() return 1000 end } }, env = { XDG_STATE_HOME = '/state' }, invocation = { options = {} } }
    fs.mkdir '/home/me/shop/sub'
    world.cwd = '/home/me/shop/sub'
    for _, run in ipairs { OLD, MIDDLE, NEW } do fs.mkdir('/home/me/shop/.pactlua/shop/runs/' .. run) end
  end)

  local function found(options)
    context.invocation.options = options
    local run, message = runs.find(context)
    return run and run.name or message
  end

  it('is the newest, or the one before', function()
    assert.equal(NEW, found {})
    assert.equal(MIDDLE, found { previous = true })
    assert.same({ name = NEW, path = '/home/me/shop/.pactlua/shop/runs/' .. NEW, project = 'shop', live = false,
      socket = '/home/me/shop/.pactlua/shop/control.sock' },
      runs.find { sys = context.sys, env = context.env, invocation = { options = {} } })
  end)

  it('is the one whose name is given, or begins so', function()
    assert.equal(OLD, found { run = OLD })
    assert.equal(NEW, found { run = '202602' })
    context.sys.fs.mkdir('/home/me/shop/.pactlua/shop/runs/' .. OLD .. '.0001')
    assert.equal(OLD, found { run = OLD }) -- though another begins so, too
  end)

  it('is told of when there are several or none, with those that there are', function()
    assert.equal(("several runs begin with '202601': %s, %s"):format(OLD, MIDDLE), found { run = '202601' })
    assert.equal(("no run 'x': there are %s, %s, %s"):format(NEW, MIDDLE, OLD), found { run = 'x' })
    assert.equal("no run 'x': there is none here or above", found { run = 'x', project = 'other' })
    assert.equal('no run of a network here or above', found { project = 'other' })
    for i = 1, 20 do context.sys.fs.mkdir(('/home/me/shop/.pactlua/shop/runs/20270101T0000%02d-000'):format(i)) end
    assert.truthy(found({ run = 'x' }):find('20270101T000011-000 and 13 more', 1, true))
  end)

  it('is of the live network, also where another directory is nearer', function()
    context.sys.fs.mkdir('/home/me/shop/sub/.pactlua/near/runs/' .. OLD)
    assert.equal(OLD, found {})
    world.files['/home/me/shop/.pactlua/shop/control.sock'] = ''
    local run = runs.find(context)
    assert.same({ NEW, true }, { run.name, run.live })
    context.invocation.options = { previous = true }
    run = runs.find(context)
    assert.same({ MIDDLE, false }, { run.name, run.live })
  end)

  it('is of the network that answers; of several the one that is named', function()
    local answering, connected = { ['/home/me/shop/.pactlua/shop/control.sock'] = true }, 0
    context.sys.ctl = { connect = function(path) if answering[path] then connected = connected + 1 return 1 end end }
    context.sys.ctl.peer = function() return 4711, 1000 end
    context.sys.cancel = function() connected = connected - 1 end
    context.sys.fs.mkdir('/home/me/shop/.pactlua/killed/runs/20270101T000000-000')
    for _, name in ipairs { 'shop', 'killed' } do world.files['/home/me/shop/.pactlua/' .. name .. '/control.sock'] = '' end
    assert.equal(NEW, found {})
    answering['/home/me/shop/.pactlua/killed/control.sock'] = true
    local run, message, status = runs.find(context)
    assert.same({ nil, 'several networks are live here: killed and shop; --project NAME says which one', 2 }, { run, message, status })
    assert.equal(NEW, found { project = 'shop' })
    context.live = {} -- who is with one of them means that
    assert.equal('20270101T000000-000', found {})
    assert.equal(0, connected)
  end)

  it('leaves out what is no run', function()
    world.files['/home/me/shop/.pactlua/shop/runs/zzz'] = 'x'
    context.sys.fs.mkdir '/home/me/shop/.pactlua/empty/runs'
    world.files['/home/me/shop/.pactlua/junk'] = 'x'
    assert.equal(NEW, found {})
  end)
end)
