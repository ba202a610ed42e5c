--- Functions of `pact` and methods of handles that start, stop and wait. The first such call in a
-- recipe's body ends its declaring part: what was declared is checked, planned and started.

local again = require 'pact.control.recipe.again'
local arguments = require 'pact.control.recipe.arguments'
local duration = require 'pact.base.duration'
local exec = require 'pact.control.recipe.exec'
local fail = require 'pact.base.fail'
local handle = require 'pact.declare.handle'
local list = require 'pact.base.list'
local log_filter = require 'pact.control.recipe.log_filter'
local older = require 'pact.declare.older'
local text = require 'pact.base.text'

local M = {}

local OPTIONS = { wait = true, timeout = true, with_dependents = true, no_deps = true }
local WAITS = { [true] = true, [false] = true, started = true, ready = true, healthy = true }
local LINES = 20

---Ends the declaring part, once; afterwards there is a supervisor.
local function begin(context)
  local launch = context.launch
  if launch.dry then launch.dry(launch.recipe:where()) end
  launch:ensure()
end

local function id_of(value)
  local id = handle.id_of(value)
  if not id and type(value) == 'string' then id = value end
  if not id then arguments.misuse('a service or its id expected, got %s', text.show(value)) end
  return id
end

local function options_of(opts)
  if opts ~= nil and type(opts) ~= 'table' then
    arguments.misuse('a table of options expected, got %s', text.show(opts))
  end
  local out = {}
  for key, value in pairs(opts or {}) do
    if not OPTIONS[key] then
      arguments.misuse('unknown option %s%s', text.show(key), text.suggest(tostring(key), list.keys(OPTIONS)))
    end
    out[key] = value
  end
  if out.wait ~= nil and not WAITS[out.wait] then
    arguments.misuse("wait must be true, false, 'started', 'ready' or 'healthy', got %s", text.show(out.wait))
  end
  if out.timeout then
    local ms, message = duration.parse(out.timeout)
    if not ms then arguments.misuse('timeout %s', message) end
    out.timeout = ms
  end
  return out
end

-- Who acts: a hook, a person by what they typed, or else the recipe.
local function actor_of(context)
  local task = context.sched:current()
  if context.network.hooks:owns(task) then return 'hook' end
  return task and task.owner and task.owner.actor or 'recipe'
end

-- A list that `for one in list do` goes through as it is, from its beginning each time.
local function walked(items)
  local at
  return setmetatable(items, {
    __call = function(_, _, before)
      at = before == nil and 1 or at + 1
      return items[at]
    end,
  })
end

local function command(context, name, id, opts)
  local args = options_of(opts)
  args.ids = { id }
  return context.network:command(name, args, actor_of(context))
end

---`pact.start 'id'`, or a declaration and start in one: `pact.start { id = …, … }`.
local function kind_of(spec)
  if spec.image or spec.build then return 'container' end
  if spec.run then return 'worker' end
  if spec.command or spec.shell or spec.args then return 'process' end
  return 'external'
end

-- Takes a declaration into the network; of a service that has ended it may be another one.
local function declare(context, spec)
  local launch, fields = context.launch, list.copy(spec)
  local id = fields.id
  fields.id, fields.wait = nil, nil
  local before = launch.begun and again.withdraw(launch, id)
  launch.starting = true
  local ok, declared = pcall(launch.recipe.api[kind_of(fields)], id, fields)
  launch.starting = nil
  if not ok then
    if before then again.put_back(launch, before) end
    error(declared, 0)
  end
  if before then
    local done, message, code = again.settle(launch, before)
    if not done then return nil, message, code end
  elseif not launch.begun then
    begin(context)
  else
    local done, problems = launch:extend()
    if not done then return nil, (fail.render(problems):gsub('\n$', '')), 'recipe' end
  end
  return declared
end

-- How long to wait may stand among the fields, too.
local function with_wait(spec, opts)
  options_of(opts)
  local out = list.copy(opts or {})
  if spec.wait ~= nil then out.wait = spec.wait end
  options_of(out)
  return out
end

local function start(context, spec, opts)
  if type(spec) == 'table' and not handle.id_of(spec) then
    opts = with_wait(spec, opts)
    local declared, message, code = declare(context, spec)
    if not declared then return nil, message, code end
    local ok
    ok, message, code = command(context, 'start', spec.id, opts)
    if not ok then return nil, message, code end
    return declared
  end
  begin(context)
  local id = id_of(spec)
  local ok, message, code = command(context, 'start', id, opts)
  if not ok then return nil, message, code end
  return context.launch.recipe.api.service(id)
end

---Starts services one after the other as declared, all at once; gives their handles.
local function start_services(context, specs)
  local handles = {}
  if not specs then
    begin(context)
    return context.network:command('wait', { ids = context.network:wanted() }, 'recipe')
  end
  for i, spec in ipairs(specs) do
    local fields = list.copy(spec)
    fields.wait = false
    local made, message, code = start(context, fields)
    if not made then return nil, message, code end
    handles[i] = made
  end
  local ids = list.map(handles, tostring)
  local ok, message, code = context.network:command('wait', { ids = ids }, 'recipe')
  if not ok then return nil, message, code end
  return handles
end

---@param status any
---@return integer
function M.status_of(status)
  if status ~= nil and not (math.type(status) == 'integer' and status >= 0 and status <= 255) then
    arguments.misuse('pact.shutdown: a status of 0–255 expected, got %s', text.show(status))
  end
  return status or 0
end

---@param context table
---@param status? integer
function M.shutdown(context, status)
  status = M.status_of(status)
  if context.launch.dry then begin(context) end
  context.network:shutdown('the recipe asked for it', { status = status })
end

-- a service, or the instances of a group
local function members(context, value)
  local id = id_of(value)
  return context.network.plan.groups[id] or { id }
end

-- what can be done with one service only
local function one_of(context, value)
  local id = id_of(value)
  local group = context.network.plan.groups[id]
  if not group then return id end
  return nil, ("'%s' is a group: name one of its instances, such as '%s'"):format(id, group[1]), 'refused'
end

local function scale(context, which, count, opts)
  begin(context)
  if math.type(count) ~= 'integer' then
    arguments.misuse('scale: a number of instances expected, got %s', text.show(count))
  end
  local args = options_of(opts)
  args.ids, args.count = { id_of(which) }, count
  return context.network:command('scale', args, context.launch.body_runs and 'recipe' or 'hook')
end

---What `service:start()` and its like do.
---@param context table
---@return table<string, function>
function M.methods(context)
  local methods = {}
  for _, name in ipairs { 'start', 'stop', 'restart' } do
    methods[name] = function(self, opts)
      begin(context)
      return command(context, name, id_of(self), opts)
    end
  end
  function methods.signal(self, signal, scope)
    begin(context)
    return context.network:command('signal', { ids = { id_of(self) }, signal = signal, scope = scope }, 'hook')
  end
  function methods.wait(self, goal, opts)
    if type(goal) == 'table' then goal, opts = goal.goal or goal['for'], { timeout = goal.timeout } end
    if type(opts) == 'string' or type(opts) == 'number' then opts = { timeout = opts } end
    begin(context)
    local args = options_of(opts)
    args.ids, args.goal = { id_of(self) }, goal
    return context.network:command('wait', args, 'hook')
  end
  function methods.scale(self, count, opts)
    return scale(context, self, count, opts)
  end
  function methods.exec(self, spec)
    begin(context)
    local id, message, code = one_of(context, self)
    if not id then return nil, message, code end
    return exec.of_service(context, id, spec)
  end
  function methods.why(self)
    begin(context)
    return context.network:why(members(context, self)[1])
  end
  function methods.logs(self, filter)
    begin(context)
    local lines, wanted = {}, log_filter.of(context.sys, filter)
    for _, id in ipairs(members(context, self)) do
      local log = context.network.supervisor:log(id)
      local found = log and context.sys.log.lines(log, wanted) or {}
      table.move(found, 1, #found, #lines + 1, lines)
    end
    return lines
  end
  function methods.tail(self, count)
    if count ~= nil and not (math.type(count) == 'integer' and count >= 0) then
      arguments.misuse('tail: a number of lines expected, got %s', text.show(count))
    end
    local lines = list.map(methods.logs(self, { count = count or LINES }), function(line) return line.text end)
    return table.concat(lines, '\n')
  end
  return methods
end

---@param api table behind `pact`
---@param context table network, launch, sys, sched
function M.install(api, context)
  local network = context.network
  local service = api.service
  local function all()
    local out = {}
    for _, id in ipairs(network.supervisor and network.supervisor:list() or {}) do out[#out + 1] = service(id) end
    return out
  end
  function api.start(spec, opts) return start(context, spec, opts) end
  function api.start_services(specs) return start_services(context, specs) end
  for _, name in ipairs { 'stop', 'restart' } do
    api[name] = function(which, opts)
      begin(context)
      return command(context, name, id_of(which), opts)
    end
  end
  function api.stop_all(opts)
    begin(context)
    local args = options_of(opts)
    args.ids = network.supervisor:list()
    return network:command('stop', args, 'recipe')
  end
  function api.scale(which, count, opts) return scale(context, which, count, opts) end
  function api.env_of(which)
    begin(context)
    local id, message, code = one_of(context, which)
    if not id then return nil, message, code end
    return exec.env_of(context, id)
  end
  function api.state(which)
    local snapshot = network.supervisor and network:look(id_of(which))
    return snapshot and older.state(snapshot)
  end
  function api.services() return walked(all()) end
  function api.by_category(category)
    return walked(list.filter(all(), function(one) return one.category == category end))
  end
  function api.shutdown(status) M.shutdown(context, status) end
end

return M
