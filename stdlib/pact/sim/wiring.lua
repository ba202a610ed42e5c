--- Puts a play's parts together: a world behind `sys`, an engine's network without clients, the recipe in it.

local acts = require 'pact.control.ending'
local answers = require 'pact.sim.answers'
local disk = require 'pact.sim.disk'
local fail = require 'pact.base.fail'
local lualib = require 'pact.sim.lualib'
local sched = require 'pact.base.sched'
local stage = require 'pact.sim.happening'

local M = {}

local QUESTIONS = { 'read', 'exists', 'stat', 'list' }

-- One that has no clients: what goes to the front comes to the play.
local function audience(self)
  local hear = {}
  function hear.refused(message) self.problem = message.text end
  function hear.say(message)
    if message.text ~= '' then self:tell { kind = 'say', text = message.text } end
  end
  return {
    tell = function(_, message)
      if hear[message.type] then hear[message.type](message) end
    end,
    event = function() end,
    output = function() end,
    began = function() end,
    follows_logs = function() return false end,
    finish = function(_, done) done() end,
  }
end

-- No journal: what happens is told to whoever plays.
local SILENT = { write = function() end, close = function() end, line = function() return '' end }

---The network that an engine would have.
---@param self play
---@param opts play_options
function M.network(self, opts)
  local loop = sched.new(self.sys, function(message, traceback) self:defect(message, traceback) end)
  local settings = require('pact.declare.variables').read(self.world.env)
  local network = acts.new {
    sys = self.sys, sched = loop, env = self.world.env,
    invocation = { verb = 'simulate', options = opts.options or {}, ids = opts.ids or {}, args = opts.args or {} },
    log = require('pact.observe.logapi').new({
      fs = self.fs, time = self.sys.time, console = function(line) self:tell { kind = 'say', text = line } end,
    }, settings.debug or {}),
  }
  network.audience = audience(self)
  function network.internal_error(_, message, traceback) self:defect(message, traceback) end
  function network.open_files(net, plan)
    local ok, message = self:cast(plan)
    if not ok then
      net:refuse(2, message)
      return nil, message
    end
    net.dir = { path = '/simulation', project = plan.project, socket = '/simulation/control.sock' }
    net.run = { id = 'simulation', dir = '/simulation/run' }
    net.project, net.plan, net.journal = plan.project, plan, SILENT
    return true
  end
  function network.finish(net, rest)
    self.ended = self.ended or rest
    acts.class.finish(net, rest)
  end
  function network.add(net, service)
    self.stage:add(service)
    acts.class.add(net, service)
  end
  function network.command(net, name, args, by)
    if by ~= 'person' then self:tell { kind = 'act', command = name, ids = args.ids, by = by, where = self.where() } end
    return acts.class.command(net, name, args, by)
  end
  network.bus:subscribe(function(event) self:tell { kind = 'event', event = event } end, { rank = 'journal' })
  self.network, self.settings = network, settings
end

-- A question about a file that neither the world nor the recipe's directory has is one without an answer.
local function ask_files(self, api)
  local file = api.file
  for _, name in ipairs(QUESTIONS) do
    local plain = file[name]
    file[name] = function(path, ...)
      local full = type(path) == 'string' and (path:sub(1, 1) == '/' and path or self.recipe.directory .. '/' .. path)
      local row = full and self.answers:file_row(full)
      if full and not self.fs.stat(full) and not (row and row.absent) and not self.disk.removed[full] then
        self.answers:no_file(full)
      end
      return plain(path, ...)
    end
  end
end

-- The line of the recipe that runs now.
local function place(self)
  local at = self.launch and self.launch.recipe and self.launch.recipe:where()
  return at and at.line > 0 and fail.place(at) or ''
end

-- A function of a test sees its own globals, but for those that are the world's.
local function lend_globals(recipe, body)
  local i, name, own = 1, debug.getupvalue(body, 1)
  while name and name ~= '_ENV' do
    i = i + 1
    name, own = debug.getupvalue(body, i)
  end
  if not name then return end
  local lent = {}
  for _, key in ipairs { 'os', 'io', 'math', 'print', 'coroutine', 'require' } do lent[key] = recipe.env[key] end
  local env = setmetatable({}, {
    __index = function(_, key)
      if lent[key] ~= nil then return lent[key] end
      return own[key]
    end,
    __newindex = function(_, key, value) own[key] = value end,
  })
  debug.upvaluejoin(body, i, function() return env end, 1)
end

local function from_function(recipe, body)
  local info = debug.getinfo(body, 'S')
  local name = info.source:match '^@(.*)$' or info.short_src
  recipe.sources[info.source], recipe.shorts[info.short_src] = name, name
  lend_globals(recipe, body)
  function recipe.compile() return function() return body(recipe.pact) end end
end

---The recipe in the network, not run yet.
---@param self play
---@param opts play_options
function M.recipe(self, opts)
  self.launch = require('pact.control.launch').new(self.network, opts.recipe, {
    settings = self.settings,
    globals = function(globals)
      return lualib.install(globals, { world = self.world, fs = self.fs, directory = opts.recipe.directory })
    end,
  })
  local recipe = self.launch.recipe
  ask_files(self, recipe.api)
  if opts.body then from_function(recipe, opts.body) end
end

---What the network has for `sys`.
---@param self play
---@param opts play_options
function M.world(self, opts)
  local host, world = opts.host, self.world
  self.where = function() return place(self) end
  self.fs, self.disk = disk.new {
    beneath = { within = opts.recipe.directory, read = host.read, stat = host.stat, list = host.list },
  }
  self.sys.fs, self.sys.role = self.fs, 'engine'
  self.sys.ctl = { close = function() end }
  if host.check then self.sys.text.check = host.check end
  world.find, world.forgets = host.find, true
  world.env = opts.env or host.env
  self.answers = answers.new(world, { where = self.where, script = opts.script or 'script it' })
  self.stage = stage.new(world, self.answers, {
    tell = function(actor, row, more)
      self:tell { kind = 'fault', service = actor.id, row = row, nothing = more.nothing, over = more.over }
    end,
    command = function(name, id) self:by_hand(name, id) end,
  })
  function world.http_of(request) return self.stage:http(request) end
  function world.http_none(request) self.answers:no_http(request) end
  function world.tcp_of(request) return self.stage:tcp(request) end
  function world.program_of(spec)
    local answer = not spec.log and self.answers:exec_of(spec) -- a service's own program has a log
    return answer or self.stage:program(spec) or self.answers:no_exec(spec)
  end
  function self.disk.answer(path)
    local row = self.answers:file_row(path)
    if row then return row.content or false end
    local there, content = self.stage:file(path)
    if there ~= nil then return there and content end
  end
  setmetatable(world.holders, { __index = function(_, port)
    local row = self.answers:port_row(port)
    local name = row and (row.holder or 'another program')
    return row and { pid = 4242, name = name, command = name, uid = 0 }
  end })
end

return M
