--- A plan for people and programs: text, Graphviz, Mermaid, JSON.
local address = require 'pact.base.address'
local duration = require 'pact.base.duration'
local fail = require 'pact.base.fail'
local handle = require 'pact.declare.handle'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local mask = require 'pact.base.mask'
local plans = require 'pact.plan'
local resolve = require 'pact.plan.resolve'
local signals = require 'pact.declare.signals'
local text = require 'pact.base.text'

local M = {}

---@param word string|function
local function shown_word(word)
  if type(word) == 'function' then return '<function>' end
  if word ~= '' and not word:find '[^%w_@%%+=:,./-]' then return word end
  return text.quote(word, 1000)
end

---What a service runs, in one line; the lines of a script are joined.
---@param service service
---@return string
function M.command(service)
  if service.command then
    return table.concat(list.map(service.command, shown_word), ' ')
  end
  if service.shell then
    if type(service.shell) == 'function' then return '<function>' end
    return 'sh: ' .. text.trim(service.shell):gsub('%s*\n%s*', '; ')
  end
  if service.kind == 'container' then return service.image or '<build>' end
  return ''
end

local function pattern(value) return type(value) == 'table' and '/' .. value.regex .. '/' or text.quote(value) end

---@param edge edge
---@return string such as `postgres (healthy, 60 s)`
function M.edge(edge)
  local words = { edge.condition == 'log' and 'log ' .. pattern(edge.pattern) or edge.condition }
  if edge.timeout then words[#words + 1] = 'at most ' .. duration.format(edge.timeout) end
  if edge.restart then words[#words + 1] = 'restarts with it' end
  return ('%s (%s)'):format(edge.id, table.concat(words, ', '))
end

local probe = {
  http = function(h) return type(h.url) == 'function' and '<function>' or h.url end,
  tcp = function(h) return ('%s:%d'):format(h.host, h.port) end,
  command = function(h) return h.shell or table.concat(list.map(h.command, shown_word), ' ') end,
  log = function(h) return pattern(h.pattern) end,
  file = function(h) return h.path end,
}

---@param health health
---@return string such as `http http://localhost:3000/health every 2 s`
function M.health(health)
  local what = probe[health.kind]
  local words = { health.kind, what and what(health) or nil }
  words[#words + 1] = 'every ' .. duration.format(health.interval)
  return table.concat(words, ' ')
end

---@param schedule { every?: integer, cron?: string, tz?: string }
---@return string such as `by cron '0 9 * * mon-fri' (Europe/Berlin)`
function M.schedule(schedule)
  if schedule.every then return 'every ' .. duration.format(schedule.every) end
  return ("by cron '%s'%s"):format(schedule.cron, schedule.tz and (' (%s)'):format(schedule.tz) or '')
end

---@param watch { paths: string[], action: string|function, cascade: boolean }
---@return string such as `src/**/*.js: restart`
function M.watch(watch)
  local action = type(watch.action) == 'function' and 'calls a function' or watch.action
  return ('%s: %s%s'):format(table.concat(watch.paths, ', '), action, watch.cascade and ', with dependents' or '')
end

---@param place listen_place
---@return string such as `http on 127.0.0.1:3000`
function M.place(place)
  local where = place.path or place.port > 0 and address.text(place.host, place.port) or 'a free port of ' .. place.host
  return ('%s on %s'):format(place.name, where)
end

local function flags(service)
  local out = {}
  if service.disabled then out[#out + 1] = 'disabled' end
  if #service.profiles > 0 then out[#out + 1] = 'profile ' .. table.concat(service.profiles, ', ') end
  if service.essential then out[#out + 1] = 'essential' end
  return out[1] and '(' .. table.concat(out, '; ') .. ')' or nil
end

local function detail(out, label, value)
  if value and value ~= '' then out[#out + 1] = ('    %s %s'):format(text.pad(label, 8), value) end
end

local function block(out, service, plan)
  local what = service.task and 'task' or service.kind
  local head = { text.pad(service.id, 16), what, flags(service) }
  out[#out + 1] = '  ' .. table.concat(head, ' ')
  local ports = list.map(list.filter(service.ports, function(port) return not port.listen end), function(port)
    return port.name == tostring(port.port) and port.name or ('%s %d'):format(port.name, port.port)
  end)
  detail(out, 'runs', mask.text(text.truncate(M.command(service), 160), plan.secret_values))
  detail(out, 'ports', table.concat(ports, ', '))
  detail(out, 'listens', table.concat(list.map(service.listen or {}, M.place), ', '))
  detail(out, 'ready', service.ready and M.health(service.ready))
  detail(out, 'health', service.health and M.health(service.health))
  detail(out, 'called', service.schedule and M.schedule(service.schedule))
  detail(out, 'watches', service.watch and M.watch(service.watch))
  for i, edge in ipairs(service.depends_on) do
    detail(out, i == 1 and 'waits' or '', 'for ' .. M.edge(edge))
  end
end

---The plan as `pactlua plan` shows it: what starts together, and what each service waits for.
---@param plan plan
---@return string
function M.text(plan)
  local out, levels = {}, plans.levels(plan)
  local count = #plan.order
  out[1] = ('%s: %s, %s'):format(plan.project, text.plural(count, 'service'), text.plural(#levels, 'step'))
  local place = list.set(plan.order)
  for i, id in ipairs(plan.declared_order) do place[id] = i end
  for i, level in ipairs(levels) do
    out[#out + 1] = ''
    out[#out + 1] = ('step %d'):format(i)
    local group = table.move(level, 1, #level, 1, {})
    table.sort(group, function(a, b) return place[a] < place[b] end)
    for _, id in ipairs(group) do block(out, plan.services[id], plan) end
  end
  return table.concat(out, '\n') .. '\n'
end

local shapes = { process = 'box', container = 'box3d', worker = 'component', external = 'ellipse' }
local styles = { ready = 'solid', started = 'dotted', log = 'dashed', healthy = 'bold', completed = 'dashed' }

local function dot_quote(value) return '"' .. value:gsub('[\\"]', '\\%0'):gsub('\n', '\\n') .. '"' end

---@param plan plan
---@return string for Graphviz
function M.dot(plan)
  local out = { ('digraph %s {'):format(dot_quote(plan.project)), '  rankdir=LR;', '  node [fontname="sans-serif"];' }
  for _, id in ipairs(plan.declared_order) do
    local service = plan.services[id]
    out[#out + 1] = ('  %s [label=%s shape=%s%s];'):format(dot_quote(id), dot_quote(service.display_name),
      service.task and 'cds' or shapes[service.kind], service.disabled and ' style=dashed' or '')
  end
  for _, id in ipairs(plan.declared_order) do
    for _, edge in ipairs(plan.services[id].depends_on) do
      out[#out + 1] = ('  %s -> %s [label=%s style=%s];'):format(dot_quote(id), dot_quote(edge.id),
        dot_quote(edge.condition), styles[edge.condition])
    end
  end
  return table.concat(out, '\n') .. '\n}\n'
end

local function mermaid_quote(value) return '"' .. value:gsub('"', '#quot;'):gsub('\n', ' ') .. '"' end

local brackets = {
  task = { '([', '])' }, process = { '[', ']' }, container = { '[[', ']]' }, worker = { '{{', '}}' },
  external = { '((', '))' },
}

---@param plan plan
---@return string for Mermaid
function M.mermaid(plan)
  local out, name = { 'flowchart LR' }, {}
  for i, id in ipairs(plan.declared_order) do
    local service = plan.services[id]
    local pair = brackets[service.task and 'task' or service.kind]
    name[id] = 's' .. i
    out[#out + 1] = ('  s%d%s%s%s'):format(i, pair[1], mermaid_quote(service.display_name), pair[2])
  end
  for _, id in ipairs(plan.declared_order) do
    for _, edge in ipairs(plan.services[id].depends_on) do
      out[#out + 1] = ('  %s -->|%s| %s'):format(name[id], edge.condition, name[edge.id])
    end
  end
  return table.concat(out, '\n') .. '\n'
end

local lists = {
  tags = true, env_file = true, ports = true, success_exit = true, profiles = true, depends_on = true,
  secrets = true, keep = true, listen = true, command = true, paths = true, ignore = true,
}

-- values only: functions are named, handles are ids, what must not be seen is masked
local function plain(value, plan, key)
  if type(value) == 'function' then return '<function>' end
  if type(value) == 'string' then return mask.text(value, plan.secret_values) end
  local id = handle.id_of(value)
  if id or type(value) ~= 'table' then return id or value end
  if key == 'extends' then return nil end
  local out = {}
  for name, inner in pairs(value) do out[name] = plain(inner, plan, name) end
  return lists[key] and list.is_sequence(out) and json.array(out) or out
end

local function hide(env, secrets)
  local named = list.set(secrets)
  for name in pairs(type(env) == 'table' and env or {}) do
    if type(name) == 'string' and (mask.is_secret(name) or named[name]) then env[name] = mask.hidden end
  end
end

---A service as values: for JSON.
---@param plan plan
---@param service service
---@return table
function M.service(plan, service)
  local out = plain(resolve.fields(service), plan)
  hide(out.env, service.secrets)
  hide(out.declared.env, service.secrets)
  hide(out.declared.environment, service.secrets)
  out.stop.signal = signals.name(service.stop.signal)
  for i, edge in ipairs(out.depends_on) do edge.at = fail.place(service.depends_on[i].at) end
  out.at, out.container = fail.place(service.at), nil
  return out
end

---@param plan plan
---@return string
function M.json(plan)
  local services = list.map(plan.order, function(id) return M.service(plan, plan.services[id]) end)
  local levels = list.map(plans.levels(plan), function(level) return json.array(list.copy(level)) end)
  return json.encode({
    project = plan.project, recipe = plan.recipe, directory = plan.directory,
    order = json.array(list.copy(plan.order)), levels = json.array(levels), services = json.array(services),
    commands = json.array(list.keys(plan.commands)),
    max_parallel_starts = plan.max_parallel_starts, shutdown_timeout = plan.shutdown_timeout,
  }, { indent = true, lenient = true }) .. '\n'
end

---@param problem problem
---@return string one line for people
function M.problem(problem) return fail.text(problem) end

return M
