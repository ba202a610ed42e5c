--- A recipe's network in a made-up world: the same declaring, planning, supervising and hooks as in an
-- engine; only `sys` and who listens are others. Nothing is started, and time passes when it is told to.

local acts = require 'pact.control.ending'
local answers = require 'pact.sim.answers'
local disk = require 'pact.sim.disk'
local fail = require 'pact.base.fail'
local lualib = require 'pact.sim.lualib'
local rows = require 'pact.sim.rows'
local sched = require 'pact.base.sched'
local stage = require 'pact.sim.stage'
local sim_sys = require 'pact.sim.sys'
local text = require 'pact.base.text'

local M = {}

local WALL = 1767225600000 -- the first of January 2026: a simulation begins when none is told
local QUESTIONS = { 'read', 'exists', 'stat', 'list' }

---@class play
---@field world world
---@field network network
---@field problem? string the recipe or the rows are wrong
---@field ended? rest how the network ended by itself
---@field errors string[] ours
local Play = {}
Play.__index = Play

---@class play_options
---@field host sim_host
---@field recipe found_recipe
---@field body? fun(pact: table) instead of the recipe's file
---@field rows? table[] checked ones
---@field random? fun(play: play) begins faults at random
---@field seed? integer
---@field wall? integer
---@field env? table<string, string>
---@field args? string[]
---@field options? table of the invocation
---@field ids? string[]
---@field script? string where rows are written, for messages
---@field on_entry fun(entry: table) hears of all that happens

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
    finish = function(_, done) done() end,
  }
end

-- No journal: what happens is told to whoever plays.
local SILENT = { write = function() end, close = function() end, line = function() return '' end }

local function make_network(self, opts)
  local loop = sched.new(self.sys, function(message, traceback) self:failed(message, traceback) end)
  local settings = require('pact.declare.variables').read(self.world.env)
  local network = acts.new {
    sys = self.sys, sched = loop, env = self.world.env,
    invocation = { verb = 'simulate', options = opts.options or {}, ids = opts.ids or {}, args = opts.args or {} },
    log = require('pact.observe.logapi').new({
      fs = self.fs, time = self.sys.time, console = function(line) self:tell { kind = 'say', text = line } end,
    }, settings.debug or {}),
  }
  network.audience = audience(self)
  function network.internal_error(_, message, traceback) self:failed(message, traceback) end
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

local function make_recipe(self, opts)
  local launch = require('pact.control.launch').new(self.network, opts.recipe, { settings = self.settings })
  local api = require('pact.control.recipe_api').new(self.network, launch)
  launch.methods, self.launch = api.methods, launch
  local recipe = launch:make_recipe(lualib.install(api.globals, {
    world = self.world, fs = self.fs, directory = opts.recipe.directory,
  }))
  api:install(recipe.api)
  ask_files(self, recipe.api)
  if opts.body then from_function(recipe, opts.body) end
end

local function make_world(self, opts)
  local host, world = opts.host, self.world
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
    tell = function(actor, row, words)
      self:tell { kind = 'fault', service = actor.id, row = row, nothing = words }
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
    if row then return row.content end
    local there, content = self.stage:file(path)
    return there and content or nil
  end
  setmetatable(world.holders, { __index = function(_, port)
    local row = self.answers:port_row(port)
    local name = row and (row.holder or 'another program')
    return row and { pid = 4242, name = name, command = name, uid = 0 }
  end })
end

---@param opts play_options
---@return play
function M.new(opts)
  local sys, world = sim_sys.new { seed = opts.seed or 1, now = 0, wall = opts.wall or WALL, resume = opts.host.resume }
  local self = setmetatable({
    sys = sys, world = world, recipe = opts.recipe, errors = {}, on_entry = opts.on_entry, rows = opts.rows or {},
    random = opts.random,
  }, Play)
  self.where = function() return place(self) end
  make_world(self, opts)
  make_network(self, opts)
  for _, row in ipairs(self.rows) do
    if row.subject ~= 'service' then self.answers:add(row) end
  end
  make_recipe(self, opts)
  self.launch:run()
  return self
end

---@param entry table
function Play:tell(entry)
  entry.at = self.world.now
  self.on_entry(entry)
end

function Play:failed(message, traceback)
  self.errors[#self.errors + 1] = message
  self:tell { kind = 'say', text = ('pactlua: internal error: %s\n%s\n'):format(message, traceback) }
end

-- The plan is known: its services take the stage, and rows find theirs.
function Play:cast(plan)
  for _, id in ipairs(plan.order) do self.stage:add(plan.services[id]) end
  local found = {}
  for _, row in ipairs(self.rows) do
    if row.subject == 'service' then
      local problem = self:problem_of(row, plan)
      if problem then found[#found + 1] = ('%s: row %d: %s\n'):format(row.place, row.index, problem) end
    end
  end
  if found[1] then return nil, table.concat(found) end
  self.stage:script(self:service_rows())
  if self.random then self.random(self) end
  return true
end

local ABOUT_TASKS = { takes = true }
local OF_PROGRAMS = { says = true, slow_start = true, start_fails = true, deaf = true, takes = true }
local OF_OTHERS = { crash = true, exit = true }

---What is wrong with a row of a service, seen from the plan.
---@return string?
function Play:problem_of(row, plan)
  local service = plan.services[row.service]
  if not service then
    if row.later then return nil end
    return ("no service '%s'%s"):format(row.service, text.suggest(row.service, plan.order))
  elseif ABOUT_TASKS[row.effect] and not service.task then
    return ("'%s' is for tasks; '%s' is none (slow_start delays when it is ready)"):format(row.effect, row.service)
  elseif service.kind == 'external' and OF_PROGRAMS[row.effect] then
    return ("'%s' is external: it has no process to which '%s' could happen"):format(row.service, row.effect)
  elseif service.kind == 'worker' and (OF_PROGRAMS[row.effect] or OF_OTHERS[row.effect]) then
    return ("'%s' is a worker: its own Lua is played, '%s' can't happen to it"):format(row.service, row.effect)
  elseif row.effect == 'unhealthy' and not service.health and not service.ready then
    return ("'%s' has no health check that could fail"):format(row.service)
  end
end

function Play:service_rows()
  local out = {}
  for _, row in ipairs(self.rows) do
    if row.subject == 'service' then out[#out + 1] = row end
  end
  return out
end

---More rows while it runs.
---@param raw table[]
---@return true?, string? message
function Play:script(raw, name)
  local checked, problems = rows.check(raw, { name = name or 'test', directory = self.recipe.directory })
  if not checked then return nil, fail.render(problems) end
  for _, row in ipairs(checked) do
    local plan = self.network.plan
    local problem = plan and row.subject == 'service' and self:problem_of(row, plan)
    if problem then return nil, problem end
    row.place = nil
  end
  self.stage:script(checked)
  return true
end

---Somebody at the command line.
---@return true?, string?, string?
function Play:by_hand(name, id, opts)
  local args = { ids = { id }, wait = false }
  for key, value in pairs(opts or {}) do args[key] = value end
  return self.network:command(name, args, 'person')
end

---Lets time pass, to the end of the network at the latest.
---@param ms integer
function Play:advance(ms)
  local world = self.world
  local limit = world.now + ms
  while not world.stopped and world:turn(limit) do end
  if not world.stopped then world.now = limit end
end

---One turn of the loop.
---@param limit integer until when
---@return boolean something happened
function Play:turn(limit)
  return not self.world.stopped and self.world:turn(limit)
end

---How it stands, or ended.
---@return rest
function Play:rest()
  if self.ended then return self.ended end
  local supervisor = self.network.supervisor
  return supervisor and supervisor:rest() or { status = 0, failed = {}, reason = 'nothing was started', survivors = {} }
end

---@return snapshot[]
function Play:snapshots() return self.network:snapshots() end

M.class = Play

return M
