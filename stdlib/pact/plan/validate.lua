--- What must hold of a whole plan: a list of named rules, each tells all that breaks it.
local claims = require 'pact.plan.claims'
local fail = require 'pact.base.fail'
local graph = require 'pact.plan.graph'
local list = require 'pact.base.list'
local record = require 'pact.declare.record'
local text = require 'pact.base.text'
local unsupported = require 'pact.plan.unsupported'

local M = {}

---@class draft
---@field ids string[] the services to check, in order of declaration
---@field services table<string, service> all
---@field groups table<string, string[]> all
---@field declared table<string, declaration> all
---@field order string[] all ids, in order of declaration
---@field sorted? string[] all ids, dependencies first, which the rule on cycles finds out
---@field slips collector

---@param service service
---@return string such as `process 'web'`
function M.subject(service)
  return ("%s '%s'"):format(service.task and 'task' or service.kind, service.group or service.id)
end

local function tell(draft, service, key, message)
  draft.slips:add { at = service.at, subject = M.subject(service), key = key, message = message }
end

local function tried(draft, service, field)
  local declaration = draft.declared[service.id]
  return record.tried(declaration.raw, declaration.spelled, field)
end

-- rules on one service, and on its edges
local single = {}

-- what each kind must have one of, and what is said when it has none
local essence = {
  process = { 'command', 'shell',
    "has nothing to run: give it command = { 'program', 'argument' } or shell = 'line'" },
  container = { 'image', 'build', "has no image: give it image = 'name:tag' or build = 'directory'" },
  worker = { 'run', 'run', 'has nothing to run: give it run = function(self) … end' },
  external = { 'health', 'health', "needs health, such as { tcp = 'host:389' }: nothing else is known of it" },
}

function single.what_is_run(draft, service)
  local fields, row = draft.declared[service.id].fields, essence[service.kind]
  local one, other = row[1], row[2]
  if not fields[one] and not fields[other]
    and not tried(draft, service, one) and not tried(draft, service, other) then
    tell(draft, service, nil, row[3])
  end
  if fields.command and fields.shell then
    tell(draft, service, nil, "has 'command' and 'shell': one of them")
  end
end

-- the search for what was meant looks at every id: worth it for a few names only
local patience = 50

-- what may have been meant by a service that speaks of one that isn't there
local function names_for(draft, id)
  local names = list.keys(draft.services)
  for group in list.sorted(draft.groups) do names[#names + 1] = group end
  return list.filter(names, function(name) return name ~= id end)
end

local function unknown(draft, service, id)
  draft.unknown = (draft.unknown or 0) + 1
  local hint = draft.unknown <= patience and text.suggest(id, names_for(draft, service.id)) or ''
  tell(draft, service, 'depends_on', ("'%s' is not declared%s"):format(id, hint))
end

-- why a condition can't hold, by its name
local never = {}

function never.healthy(draft, dependency)
  return not dependency.health and not tried(draft, dependency, 'health') and 'it has no health check'
end

function never.completed(_, dependency)
  if dependency.kind == 'external' then return 'an external service does not end' end
  return dependency.restart.policy == 'always' and "its restart policy is 'always'"
end

local function condition_can_hold(draft, service, edge, dependency)
  local why = never[edge.condition] and never[edge.condition](draft, dependency)
  if why then
    tell(draft, service, 'depends_on', ("'%s' can never be %s: %s"):format(edge.group or edge.id, edge.condition, why))
  elseif edge.condition == 'log' and dependency.kind == 'external' then
    tell(draft, service, 'depends_on', ("'%s' is external: its output is not seen"):format(edge.id))
  end
end

function single.dependencies(draft, service)
  for _, edge in ipairs(service.depends_on) do
    local dependency = draft.services[edge.id]
    if not dependency then
      unknown(draft, service, edge.id)
    elseif dependency == service then
      tell(draft, service, 'depends_on', 'names the service itself')
    else
      condition_can_hold(draft, service, edge, dependency)
    end
  end
end

function single.schedule_ends(draft, service)
  local policy = service.restart.policy
  if service.schedule and (policy == 'always' or policy == 'unless-stopped') then
    tell(draft, service, 'restart', ("is '%s', so that no run would ever end for the next one"):format(policy))
  end
end

local checks = { 'health', 'ready' }

function single.checks_fit(draft, service)
  if service.task and service.ready then
    tell(draft, service, nil, "has 'ready', but a task is ready when it has completed")
  end
  if service.task and service.restart.policy == 'always' then
    tell(draft, service, 'restart', "is 'always', so that the task would never be completed")
  end
  for _, name in ipairs(checks) do
    local kind = service[name] and service[name].kind
    if service.kind == 'worker' and kind == 'notify' then
      tell(draft, service, name, "cannot be 'notify': a worker is no process; check = function … tells")
    end
    if service.kind == 'external' and (kind == 'alive' or kind == 'log' or kind == 'notify') then
      tell(draft, service, name, ("cannot be '%s': an external service is only probed"):format(kind))
    end
  end
end

function single.sockets_fit(draft, service)
  if not service.listen then return end
  if service.task then
    tell(draft, service, nil, "has 'listen', but a task has no next life for which a socket would stay open")
  end
  local ports = list.filter(service.ports, function(port) return not port.listen end)
  for _, place in ipairs(service.listen) do
    for _, name in ipairs(checks) do
      local check = service[name]
      if check and check.kind == 'tcp' and check.port == place.port and place.port > 0 then
        tell(draft, service, name, ('is a connection to %d, which always succeeds as the socket is bound for the '
          .. "service: ask it something, such as { http = 'http://localhost:%d/' }"):format(place.port, place.port))
      end
    end
    for _, port in ipairs(ports) do
      if port.name == place.name or port.port == place.port then
        tell(draft, service, 'listen', ("has %s, which stands in 'ports', too: what it listens on counts as a port")
          :format(text.show(port.name == place.name and place.name or place.port)))
      end
    end
  end
end

function single.terminal_has_input(draft, service)
  if not service.tty or service.stdin ~= 'null' then return end
  tell(draft, service, 'tty', "and stdin = 'null' contradict each other: its terminal is its standard input")
end

function single.supported(draft, service)
  if service.disabled then return end
  for _, message in ipairs(unsupported.found(service)) do tell(draft, service, nil, message) end
end

-- rules on all services together
local rules = {}

function rules.no_cycles(draft)
  local needs = M.needs(draft.services, draft.order)
  local sorted, cyclic = graph.order(draft.order, needs)
  draft.sorted = sorted
  if not cyclic then return end
  local at_stake = list.set(draft.ids)
  for _, cycle in ipairs(graph.cycles(draft.order, needs)) do
    local places = list.map(cycle, function(id)
      return ('%s at %s'):format(id, fail.place(draft.services[id].at))
    end)
    if at_stake[cycle[1]] then
      tell(draft, draft.services[cycle[1]], 'depends_on', ('is a cycle: %s → %s (%s)')
        :format(table.concat(cycle, ' → '), cycle[1], table.concat(places, ', ')))
    end
  end
end

function rules.ports_are_free(draft) claims.ports(draft, tell) end

function rules.sockets_are_free(draft) claims.sockets(draft, tell) end

function rules.hooks_hear_services(draft)
  for _, hook in ipairs(draft.hooks or {}) do
    for _, id in ipairs(hook.filter and hook.filter.service or {}) do
      if not draft.declared[id] then
        draft.slips:add {
          at = hook.at, subject = "pact.on('line')", key = 'service',
          message = ("'%s' is not declared%s"):format(id, text.suggest(id, list.keys(draft.declared))),
        }
      end
    end
  end
end

---The rules in the order in which they are asked.
---@type string[]
M.single = {
  'what_is_run', 'dependencies', 'schedule_ends', 'checks_fit', 'sockets_fit', 'terminal_has_input', 'supported',
}
---@type string[]
M.rules = { 'no_cycles', 'ports_are_free', 'sockets_are_free', 'hooks_hear_services' }

---Who needs whom, without names that aren't there.
---@param services table<string, service>
---@param order string[] their ids
---@return graph.edges
function M.needs(services, order)
  local out = {}
  for _, id in ipairs(order) do
    local needed
    for _, edge in ipairs(services[id].depends_on) do
      if services[edge.id] and edge.id ~= id then
        if needed then needed[#needed + 1] = edge.id else needed = { edge.id } end
      end
    end
    out[id] = needed
  end
  return out
end

---@param draft draft
function M.run(draft)
  local each = list.map(M.single, function(name) return single[name] end)
  for _, id in ipairs(draft.ids) do
    local service = draft.services[id]
    for i = 1, #each do each[i](draft, service) end
  end
  for _, name in ipairs(M.rules) do rules[name](draft) end
end

return M
