--- An engine over made-up processes, files and clients: what a recipe does, seen through its control protocol.

local cli = require 'pact.control.cli'
local fake_ctl = require 'fake_ctl'
local fake_feed = require 'fake_feed'
local disk = require 'pact.sim.disk'
local sim_sys = require 'pact.sim.sys'

local M = {}

---@param recipe string text; `pact` is required already
---@param opts? { programs?: table, words?: string[], env?: table, early?: fun(engine: table), no_session?: boolean }
---@return table engine world server files sys; `messages(type?)`, `names()`, `last()`
function M.start(recipe, opts)
  opts = opts or {}
  local sys, world = sim_sys.new()
  local fs, files = disk.new()
  local ctl, server = fake_ctl.new(world)
  files.files['/net/net.lua'] = "local pact = require 'pact'\n" .. recipe
  files.directories['/net'] = true
  fs.chdir = function(path) files.cwd = path end
  sys.fs, sys.ctl, sys.role = fs, ctl, 'engine'
  sys.text.hash = function() return '0123456789abcdef' end
  sys.log.notify = function() end
  sys.log.news = function() return {} end
  sys.log.flush = function() end
  sys.log.stat = function() return { size = 17, lines = 2, lost = 3, queued = 0 } end
  sys.time.on_signal = function() end
  sys.proc.tagged = function() return {} end
  for name, program in pairs(opts.programs or {}) do world.programs[name] = program end
  local words = { 'up', 'net.lua', table.unpack(opts.words or {}) }
  local invocation = assert(cli.parse(words, { now = 0, exists = function() return false end }))
  local engine = { world = world, server = server, files = files, sys = sys }
  sys.feed, engine.feeds = fake_feed.new(world)
  if opts.early then opts.early(engine) end
  require('pact.control.engine').run {
    sys = sys, env = opts.env or { PATH = '/bin' }, invocation = invocation,
    recipe = { path = '/net/net.lua', name = 'net.lua', directory = '/net' },
    out = function() end, err = function() end,
  }
  local session
  function engine.open_session() session = server.ask('GET', '/v1/session', nil, true) end
  if not opts.no_session then engine.open_session() end

  ---Messages of the session so far.
  function engine.messages(kind)
    local out = {}
    for _, message in ipairs(session and server.answers[session] and server.lines(session) or {}) do
      if not kind or message.type == kind then out[#out + 1] = message end
    end
    return out
  end

  ---Events as `service:name` or `name`, in order.
  function engine.names()
    local out = {}
    for i, message in ipairs(engine.messages 'event') do
      local event = message.event
      out[i] = event.service and event.service .. ':' .. event.name or event.name
    end
    return out
  end

  function engine.said()
    local out = {}
    for i, message in ipairs(engine.messages 'say') do out[i] = message.text end
    return table.concat(out)
  end

  function engine.last()
    local all = engine.messages()
    return all[#all]
  end

  ---Asks and lets the answer come; gives status and body.
  function engine.ask(method, path, body)
    local id = server.ask(method, path, body)
    world:advance(1)
    return server.answer(id)
  end

  return engine
end

return M
