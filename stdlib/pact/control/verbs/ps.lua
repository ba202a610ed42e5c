--- `pactlua ps`: the services of the live network as a table, a tree of processes, or JSON.

local columns = require 'pact.observe.columns'
local duration = require 'pact.base.duration'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local live = require 'pact.control.verbs.live'
local size = require 'pact.base.size'
local style = require 'pact.observe.style'
local text = require 'pact.base.text'

local M = {}

local HEAD = { 'SERVICE', 'STATUS', 'HEALTH', 'PID', 'UP', 'RESTARTS', 'CPU', 'MEMORY', 'PORTS', 'REASON' }

local function ports_of(service)
  local out = {}
  for name, port in list.sorted(service.ports or {}) do
    out[#out + 1] = name == tostring(port) and name or ('%s:%d'):format(name, port)
  end
  return table.concat(out, ' ')
end

local function next_run(service)
  return service.next_run_in and 'next run in ' .. duration.format(service.next_run_in)
end

local function why_of(service)
  if service.note or service.said then return service.note or service.said end
  if service.status == 'running' or service.status == 'completed' then return next_run(service) or '' end
  if service.next_start_in then
    return ('%s; again in %s'):format(service.reason or '', duration.format(service.next_start_in))
  end
  if service.next_run_in and service.status ~= 'waiting' then
    return ('%s; %s'):format(service.reason or '', next_run(service))
  end
  return service.reason or ''
end

local function row_of(service)
  return {
    service.id,
    service.status,
    service.health ~= 'none' and service.health or '',
    service.pid and ('%d'):format(service.pid) or '',
    service.uptime and duration.short(service.uptime) or '',
    (service.restart_count or 0) > 0 and ('%d'):format(service.restart_count) or '',
    service.cpu and ('%.1f%%'):format(service.cpu) or '',
    service.memory and size.format(service.memory) or '',
    ports_of(service),
    (why_of(service):gsub('%c', ' ')),
  }
end

---@param services table[]
---@param opts { colour: boolean, limit?: integer, width?: fun(s: string): integer }
---@return string
function M.render(services, opts)
  local rows, paint = { HEAD }, style.new(opts.colour)
  for _, service in ipairs(services) do rows[#rows + 1] = row_of(service) end
  return columns.render(rows, {
    right = { [4] = true, [6] = true, [7] = true, [8] = true },
    limit = opts.limit,
    width = opts.width,
    paint = opts.colour and function(cell, column)
      if column == 2 then return paint:status(cell) end
      if column == 3 and cell == 'unhealthy' then return paint:paint('red', cell) end
      return cell
    end or nil,
  })
end

---What holds the network, where it isn't just the terminal from which it was started.
---@param holding? table of the answer
---@return string
function M.held(holding)
  if not holding then return '' end
  local count, after = holding.leases, holding.linger > 0 and duration.format(holding.linger) .. ' after' or 'with'
  local leases, repls = text.plural(count, 'lease'), holding.repls or 0
  if holding.ends_with_leases and repls > 0 then
    leases = (count > 0 and leases .. ' and ' or '') .. text.plural(repls, 'REPL')
  end
  if holding.ends_in then
    return ('ends in %s unless somebody takes a lease\n'):format(duration.format(holding.ends_in))
  elseif holding.ends_with_leases then
    return ('left running, held by %s: ends %s the last one\n'):format(leases, after)
  elseif holding.detached then
    return "left running, without leases: stays until 'pactlua down'\n"
  end
  return count > 0 and ('held by %s, and by the terminal from which it was started\n'):format(leases) or ''
end

local function branch(process, children, indent, out)
  out[#out + 1] = ('%s%d  %s\n'):format(indent, process.pid, (process.command:gsub('%c', ' ')))
  for _, child in ipairs(children[process.pid] or {}) do branch(child, children, indent .. '  ', out) end
end

---@param processes { pid: integer, ppid: integer, command: string }[] a service's
---@return string
function M.tree(processes)
  local known, children, out = {}, {}, {}
  for _, process in ipairs(processes) do known[process.pid] = true end
  for _, process in ipairs(processes) do
    local parent = known[process.ppid] and process.ppid ~= process.pid and process.ppid or 0
    children[parent] = children[parent] or {}
    table.insert(children[parent], process)
  end
  for _, process in ipairs(children[0] or {}) do branch(process, children, '  ', out) end
  return table.concat(out)
end

-- The processes of each, asked for one by one: nobody else pays for them.
local function with_trees(link, services)
  for _, service in ipairs(services) do
    local _, answer = link:ask('GET', ('/v1/services/%s/tree'):format(service.id))
    service.tree = json.array(type(answer) == 'table' and answer.tree or {})
  end
end

local function as_json(services)
  for _, service in ipairs(services) do json.array(service.history); json.array(service.tags) end
  return json.encode(json.array(services), { indent = true }) .. '\n'
end

---@param context main_context
function M.run(context)
  local sys, options = context.sys, context.invocation.options
  return live.run(context, function(link)
    local status, body = link:ask('GET', options.json and '/v1/services' or '/v1/services?brief=1')
    if status ~= 200 then return live.refused(context, status, body) end
    local services, message = body.services, nil
    if context.invocation.ids[1] then
      services, message = require('pact.control.verbs.chosen').of(services, context.invocation.ids)
    end
    if not services then
      context.err(('pactlua: ps: %s\n'):format(message))
      return 1
    end
    if options.tree then with_trees(link, services) end
    if options.json then
      context.out(as_json(services))
      return 0
    end
    local terminal = sys.os.isatty(1)
    context.out(M.render(services, {
      colour = style.wanted(sys.os, 1, context.env),
      limit = terminal and sys.os.terminal_size() or nil,
      width = sys.text.width,
    }))
    context.out(M.held(body.holding))
    if body.listens then
      context.out(('control API: %s, token in %s\n'):format(body.listens.url, body.listens.token_file))
    end
    for _, service in ipairs(options.tree and services or {}) do
      context.out(('\n%s\n%s'):format(service.id, M.tree(service.tree)))
    end
    return 0
  end)
end

return M
