--- The services of a simulation: who they are, how each one is, and what probes and hooks hear of it.
-- What they run is in sim/programs, what happens to them in sim/happening.

local probes = require 'pact.supervise.probes'

local M = {}

local NOT_WELL = { 503, 500, 404, 200 }
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
---@param context { tell: fun(actor: actor, row: table, more: table), command: fun(name: string, id: string) }
--- `more`: `nothing` why nothing happens, `over` when it is over
---@return stage
function M.new(world, answers, context)
  return setmetatable({
    world = world, answers = answers, context = context, actors = {}, order = {}, checks = {}, lines = {},
    rows = {}, samples = 0,
  }, Stage)
end

---------------------------------------------------------------------------------------------------
-- Who is who.

function M.key(kind, what) return kind .. '\0' .. what end

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

-- Two services may have one address, as long as one of them lives.
function Stage:learn(key, check)
  local known = self.checks[key]
  if known and known.actor ~= check.actor then check.other = known end
  self.checks[key] = check
end

---@param key string of `M.key`
---@return { actor: actor, spec?: health }? check of the service that is there now, else of any that could be
function Stage:known(key)
  local first = self.checks[key]
  local check = first
  while check and self:state(check.actor) == 'down' do check = check.other end
  return check or first
end

local function add_check(self, actor, spec)
  if not spec then return end
  if spec.kind == 'log' then
    self.lines[actor.id][#self.lines[actor.id] + 1] = self:sample(spec.pattern)
  end
  local key = KEYS[spec.kind] and KEYS[spec.kind](spec)
  if key then self:learn(M.key(spec.kind, key), { actor = actor, spec = spec }) end
end

---@param service service
function Stage:add(service)
  local actor = { id = service.id, service = service, slow = 0, starts = 0, effects = {} }
  self.actors[service.id] = actor
  self.order[#self.order + 1] = service.id
  self.lines[service.id] = self.lines[service.id] or {}
  add_check(self, actor, service.health)
  add_check(self, actor, service.ready)
  for _, port in ipairs(service.ports) do self:learn(M.key('port', port.port), { actor = actor }) end
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

---@param actor actor
---@return boolean it has a process that lives
function M.alive(actor)
  return actor.proc ~= nil and not actor.proc.ended
end

---A worker is Lua of the recipe itself, an external service runs elsewhere.
function M.has_program(actor)
  return actor.service.kind ~= 'external' and actor.service.kind ~= 'worker'
end

---How an actor is: 'down', 'slow', 'hung', 'sick' or 'well'.
---@param actor actor
---@return string state, string reason
function Stage:state(actor)
  local program = M.has_program(actor)
  if actor.gone or program and not M.alive(actor) then return 'down', 'connection refused' end
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
    local found = self:known(M.key('port', math.tointeger(tonumber(port))))
    return found and found.actor
  end
end

-- A row may say what a sick service answers, but not make its probe succeed.
local function tells_of_sickness(row, request, spec)
  return not is_probe(request) or row.error ~= nil or not probes.status_matches(spec.status, row.status or 200)
end

---@param request table as sys.http.request takes it
---@return table? answer, string? message, string? code nothing at all: it is not known here
function Stage:http(request)
  local check = self:known(M.key('http', request.url))
  local actor = check and check.actor or self:owner(request.url)
  local row = self.answers:http_row(request)
  if actor then
    local spec = check and check.spec
    if not spec and is_probe(request) then spec = actor.service.health or {} end
    if row and self:state(actor) == 'sick' and tells_of_sickness(row, request, spec) then
      return self.answers:answer_http(row, request)
    end
    local answer, message, code = self:http_state(actor, not row and spec or nil)
    if answer or message then return answer, message, code end
  end
  if row then return self.answers:answer_http(row, request) end
end

---@return boolean|string? open 'timeout' when nobody answers
function Stage:tcp(opts)
  local check = self:known(M.key('tcp', ('%s:%d'):format(opts.host, opts.port)))
    or self:known(M.key('port', opts.port))
  if not check then return nil end
  local state = self:state(check.actor)
  if state == 'hung' then return 'timeout' end
  return state == 'well'
end

---@return boolean? there nil: no service's business
function Stage:file(path)
  local check = self:known(M.key('file', path))
  if not check then return nil end
  return self:state(check.actor) == 'well', check.spec.contains and self:sample_of(check.spec.contains) or ''
end

M.class = Stage

return M
