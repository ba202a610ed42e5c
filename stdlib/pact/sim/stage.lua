--- How the services of a simulation behave: well, unless a row says otherwise. Answers what supervisor
-- and probes ask about them, and lets rows happen at their time.

local probes = require 'pact.supervise.probes'
local procs = require 'pact.sim.proc'

local M = {}

local TASK_MS, PROBE_MS = 100, 1
local NOT_WELL = { 503, 500, 404, 200 }
local ERRNO = { ENOENT = 'No such file or directory', EACCES = 'Permission denied', ENOEXEC = 'Exec format error',
  EAGAIN = 'Resource temporarily unavailable', ENOMEM = 'Cannot allocate memory', EMFILE = 'Too many open files' }

---@class stage
local Stage = {}
Stage.__index = Stage

---@class actor one service
---@field id string
---@field service service
---@field proc? table its process, the last one
---@field hung? table|true the process that hangs; true: an external service
---@field sick? { reason: string, proc?: table }
---@field slow integer ms
---@field starts integer

---@param world world
---@param answers answers
---@param context { tell: fun(actor: actor, row: table, words: string), command: fun(name: string, id: string) }
---@return stage
function M.new(world, answers, context)
  return setmetatable({
    world = world, answers = answers, context = context, actors = {}, order = {}, checks = {}, lines = {},
    rows = {}, samples = 0,
  }, Stage)
end

---------------------------------------------------------------------------------------------------
-- Who is who.

local function key_of(kind, what) return kind .. '\0' .. what end

-- Text that a pattern finds.
function Stage:sample(pattern)
  if type(pattern) ~= 'table' then return pattern end
  self.world.samples = self.world.samples or {}
  self.samples = self.samples + 1
  local words = ('(text that fits /%s/)'):format(pattern.regex)
  self.world.samples[pattern] = words
  return words
end

local KEYS = {
  http = function(spec) return type(spec.url) == 'string' and spec.url end,
  tcp = function(spec) return ('%s:%d'):format(spec.host, spec.port) end,
  command = function(spec)
    return table.concat(spec.shell and { '/bin/sh', '-c', spec.shell } or spec.command, '\0')
  end,
  file = function(spec) return spec.path end,
}

local function add_check(self, actor, spec)
  if not spec then return end
  if spec.kind == 'log' then
    self.lines[actor.id][#self.lines[actor.id] + 1] = self:sample(spec.pattern)
  end
  local key = KEYS[spec.kind] and KEYS[spec.kind](spec)
  if key then self.checks[key_of(spec.kind, key)] = { actor = actor, spec = spec } end
end

---@param service service
function Stage:add(service)
  local actor = { id = service.id, service = service, slow = 0, starts = 0, effects = {} }
  self.actors[service.id] = actor
  self.order[#self.order + 1] = service.id
  self.lines[service.id] = self.lines[service.id] or {}
  add_check(self, actor, service.health)
  add_check(self, actor, service.ready)
  for _, port in ipairs(service.ports) do self.checks[key_of('port', port.port)] = { actor = actor } end
  for _, edge in ipairs(service.depends_on) do
    if edge.condition == 'log' then
      local lines = self.lines[edge.id] or {}
      self.lines[edge.id] = lines
      lines[#lines + 1] = self:sample(edge.pattern)
    end
  end
  for _, row in ipairs(self.rows) do
    if row.service == service.id then self:arrange(actor, row) end
  end
end

local function alive(actor)
  return actor.proc and not actor.proc.ended
end

-- A worker is Lua of the recipe itself, an external service runs elsewhere.
local function has_program(actor)
  return actor.service.kind ~= 'external' and actor.service.kind ~= 'worker'
end

---How an actor is: 'down', 'slow', 'hung', 'sick' or 'well'.
---@param actor actor
---@return string state, string reason
function Stage:state(actor)
  local program = has_program(actor)
  if actor.gone or program and not alive(actor) then return 'down', 'connection refused' end
  if actor.hung and (actor.hung == true or actor.hung == actor.proc) then return 'hung', 'no answer in time' end
  if program and self.world.now < actor.proc.started_at + actor.slow then return 'slow', 'still starting' end
  local sick = actor.sick
  if sick and (not sick.proc or sick.proc == actor.proc) then return 'sick', sick.reason end
  return 'well', 'well'
end

---------------------------------------------------------------------------------------------------
-- What probes ask.

local function good_status(accepted)
  local first = tostring(accepted or '2xx'):match '[^%s,]+'
  local class = first:match '^(%d)[xX][xX]$'
  return math.tointeger(tonumber(class and class .. '00' or first:match '^%d+'))
end

local function bad_status(accepted)
  for _, status in ipairs(NOT_WELL) do
    if not probes.status_matches(accepted, status) then return status end
  end
end

---@return table? answer, string? message, string? code
function Stage:http_state(actor, spec)
  local state, why = self:state(actor)
  if state == 'hung' then return nil, 'no answer in time', 'timeout' end
  if state == 'down' or state == 'slow' then return nil, 'connection refused', 'refused' end
  if state == 'sick' then
    local status = math.tointeger(tonumber(why:match '^http (%d%d%d)$'))
    return { status = status or bad_status(spec and spec.status), body = why }
  end
  if actor.service.kind == 'worker' then return nil end -- it answers by itself
  return spec and { status = good_status(spec.status), body = spec.body and self:sample_of(spec.body) or 'ok' }
end

function Stage:sample_of(pattern)
  if type(pattern) ~= 'table' then return pattern end
  return self.world.samples and self.world.samples[pattern] or self:sample(pattern)
end

local function is_probe(request) return (request.user_agent or ''):find('(health)', 1, true) ~= nil end

-- The service that a request reaches, by its port on this machine.
function Stage:owner(url)
  local host, port = url:match '^%a+://([^/:]+):(%d+)'
  if host == 'localhost' or host == '127.0.0.1' or host == '[::1]' or host == '0.0.0.0' then
    local found = self.checks[key_of('port', math.tointeger(tonumber(port)))]
    return found and found.actor
  end
end

---@param request table as sys.http.request takes it
---@return table? answer, string? message, string? code nothing at all: it is not known here
function Stage:http(request)
  local check = self.checks[key_of('http', request.url)]
  local actor = check and check.actor or self:owner(request.url)
  local row = self.answers:http_row(request)
  if actor then
    local spec = check and check.spec
    if not spec and is_probe(request) then spec = actor.service.health or {} end
    local answer, message, code = self:http_state(actor, not row and spec or nil)
    if answer or message then return answer, message, code end
  end
  if row then return self.answers:answer_http(row, request) end
end

---@return boolean|string? open 'timeout' when nobody answers
function Stage:tcp(opts)
  local check = self.checks[key_of('tcp', ('%s:%d'):format(opts.host, opts.port))]
    or self.checks[key_of('port', opts.port)]
  if not check then return nil end
  local state = self:state(check.actor)
  if state == 'hung' then return 'timeout' end
  return state == 'well'
end

---@return boolean? there nil: no service's business
function Stage:file(path)
  local check = self.checks[key_of('file', path)]
  if not check then return nil end
  return self:state(check.actor) == 'well', check.spec.contains and self:sample_of(check.spec.contains) or ''
end

---------------------------------------------------------------------------------------------------
-- What is run.

local function failing(name)
  return { fail = name, message = ERRNO[name] or name, step = 'exec' }
end

local function probe_program(self, check)
  local state, why = self:state(check.actor)
  if state == 'hung' then return { name = 'probe' } end
  local well = state == 'well'
  return { name = 'probe', exit_after = PROBE_MS, code = well and 0 or 1, stderr = well and '' or why }
end

-- An effect that holds now and, where its times are counted, once less from now on.
local function taken(self, actor, effect, counted)
  local held = actor.effects[effect]
  if not held or held.stop and self.world.now >= held.stop or held.left <= 0 then return nil end
  if counted then held.left = held.left - 1 end
  return held.row
end

local function speak(self, actor, proc)
  for _, line in ipairs(self.lines[actor.id]) do
    self.world:at(actor.slow, function()
      if not proc.ended and actor.hung ~= proc then self.world.say(proc.spec.log, line, 1) end
    end)
  end
end

local function began(self, actor, proc)
  actor.proc = proc
  speak(self, actor, proc)
  for _, entry in ipairs(actor.on_start or {}) do
    if entry.left > 0 then
      self.world:at(entry.row.after or 0, function()
        if proc.ended or entry.left <= 0 then return end
        entry.left = entry.left - 1
        self:happen(actor, entry.row)
      end)
    end
  end
end

local function ports_of(service)
  local numbers = {}
  for i, port in ipairs(service.ports) do numbers[i] = port.port end
  return numbers
end

local function main_program(self, actor)
  local service = actor.service
  actor.starts = actor.starts + 1
  local fails = taken(self, actor, 'start_fails', true)
  if fails then return failing(fails.value == true and 'ENOENT' or fails.value) end
  local slow = taken(self, actor, 'slow_start', true)
  actor.slow = slow and slow.value or 0
  local program = {
    name = actor.id, listens = ports_of(service), listens_after = actor.slow, deaf = taken(self, actor, 'deaf') ~= nil,
    started = function(proc) began(self, actor, proc) end,
  }
  if service.task then
    local takes, ends = taken(self, actor, 'takes'), taken(self, actor, 'exit', true)
    program.exit_after = takes and takes.value or math.max(TASK_MS, actor.slow)
    program.code = ends and ends.value.code or 0
  end
  return program
end

---@param spec sys.spawn_spec
---@return table? program
function Stage:program(spec)
  local id = spec.tag and spec.tag:match '/([^/]+)/%d+$'
  local actor = id and self.actors[id]
  if not actor then return nil end
  if spec.argv == actor.service.stop.command then
    return { name = 'stop', exit_after = PROBE_MS, started = function()
      if alive(actor) then
        local proc = actor.proc
        self.world:at(PROBE_MS, function() procs.finish(self.world, proc, 0) end)
      end
    end }
  elseif spec.log then
    return main_program(self, actor)
  end
  local check = self.checks[key_of('command', table.concat(spec.argv, '\0'))]
  return check and probe_program(self, check)
end

---------------------------------------------------------------------------------------------------
-- What happens.

local happen = {}

local function finish(self, actor, ending)
  if not has_program(actor) then
    actor.gone = true
  elseif alive(actor) then
    procs.finish(self.world, actor.proc, ending.code, ending.signal)
  else
    return 'has no process now'
  end
end

happen.crash = function(self, actor, row) return finish(self, actor, row.value) end
happen.exit = happen.crash

function happen.hang(self, actor, row)
  if has_program(actor) and not alive(actor) then return 'has no process now' end
  local hung = actor.proc or true
  actor.hung = hung
  if row.lasts then
    self.world:at(row.lasts, function()
      if actor.hung == hung then actor.hung = nil end
    end)
  end
end

function happen.unhealthy(self, actor, row)
  local sick = { reason = row.value, proc = row.restart_heals and actor.proc or nil }
  if sick.reason == true then sick.reason = 'http 503' end
  actor.sick = sick
  if row.lasts then
    self.world:at(row.lasts, function()
      if actor.sick == sick then actor.sick = nil end
    end)
  end
end

function happen.recover(_, actor)
  actor.hung, actor.sick, actor.gone = nil, nil, nil
end

function happen.says(self, actor, row)
  if not alive(actor) then return 'has no process now' end
  self.world.say(actor.proc.spec.log, row.value, 1)
end

function happen.command(self, actor, row) self.context.command(row.value, actor.id) end

-- What a start is like from now on.
local function hold(self, actor, row)
  actor.effects[row.effect] = {
    row = row, left = row.times or math.huge, stop = row.lasts and self.world.now + row.lasts,
  }
end

happen.slow_start, happen.takes, happen.start_fails = hold, hold, hold

function happen.deaf(self, actor, row)
  hold(self, actor, row)
  if alive(actor) then actor.proc.program.deaf = true end
end

---Lets a row happen to its service now.
---@param actor actor
---@param row table
function Stage:happen(actor, row)
  local nothing = happen[row.effect]
  self.context.tell(actor, row)
  local why = nothing(self, actor, row)
  if why then self.context.tell(actor, row, why) end
end

local AT_START = { crash = true, exit = true, hang = true, says = true }

local function again(self, actor, row, left)
  self:happen(actor, row)
  if row.every and left > 1 then
    self.world:at(row.every, function() again(self, actor, row, left - 1) end)
  end
end

---A row of a service waits for its time.
---@param actor actor
---@param row table
function Stage:arrange(actor, row)
  local plain = not row.at and not row.every and not row.after
  if plain and row.effect == 'exit' and actor.service.task then return hold(self, actor, row) end
  if row.after or plain and AT_START[row.effect] then
    actor.on_start = actor.on_start or {}
    table.insert(actor.on_start, { row = row, left = row.times or math.huge })
    return
  end
  local first = row.at or row.every
  if not first then return happen[row.effect](self, actor, row) end
  self.world:at(first - self.world.now, function() again(self, actor, row, row.times or math.huge) end)
end

---Rows that are checked; of services that are there already, and for those to come.
---@param list table[]
function Stage:script(list)
  for _, row in ipairs(list) do
    if row.subject ~= 'service' then
      self.answers:add(row)
    else
      self.rows[#self.rows + 1] = row
      if self.actors[row.service] then self:arrange(self.actors[row.service], row) end
    end
  end
end

return M
