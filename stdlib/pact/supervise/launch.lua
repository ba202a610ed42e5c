--- Begins an epoch in the driver's hands, watches it, and takes in what the driver reports.

local deps = require 'pact.supervise.deps'
local health = require 'pact.supervise.health'
local monitor = require 'pact.supervise.monitor'
local notified = require 'pact.supervise.notified'
local reason = require 'pact.supervise.reason'
local timers = require 'pact.supervise.timers'

local M = {}

local HISTORY = 20

---@return integer? id, string? message, string? code
function M.open_log(sup, node)
  if node.log or node.service.kind == 'external' then return node.log end
  local log = node.service.log or {}
  local id, message, code = sup.sys.log.open {
    dir = sup.opts.log_dir, name = node.id, max_size = log.max_size, max_files = log.max_files, format = log.format,
  }
  node.log = id
  return id, message, code
end

---Closes a log whose next bytes are to be of another form: it is opened anew for the next epoch.
function M.close_log(sup, node)
  if not node.log then return end
  sup.sys.log.close(node.log)
  if sup.opts.log_closed then sup.sched:guard(sup.opts.log_closed, node.id, node.log) end
  node.log = nil
end

-- An edge that waits for a line of its dependency.
local function await_line(sup, link)
  sup.sched:cancel(link.watch)
  link.watch = nil
  local log = link.to.log
  local id = link.edge.condition == 'log' and log and sup.sys.log.match(log, link.edge.pattern)
  if not id then return end
  link.watch = id
  sup.sched:on(id, function()
    sup.sched:cancel(id)
    link.watch, link.logged = nil, true
    if deps.refresh(link) then sup:mark(link.from) end
  end)
end

---A new edge: in this epoch of its dependency the line may have come already.
---@param link link
function M.watch_line(sup, link)
  local to = link.to
  if link.edge.condition ~= 'log' or not to.log or not to.record.started then return end
  local filter = { grep = link.edge.pattern, epoch = to.record.epoch, count = 1 }
  link.logged = (sup.sys.log.lines(to.log, filter) or {})[1] ~= nil
  if not link.logged then await_line(sup, link) end
end

local function watch_lines(sup, node)
  for _, link in ipairs(node.serves) do await_line(sup, link) end
end

local function remember(sup, node, exit)
  local history = node.history
  exit.epoch = node.record.epoch
  history[#history + 1] = exit
  if #history > HISTORY then table.remove(history, 1) end
  node.ended_at = sup.sys.time.wall()
end

-- To the people, of what no event tells.
local function say(sup, node, text)
  if sup.opts.say then sup.sched:guard(sup.opts.say, ('%s: %s'):format(node.id, text)) end
end

local REPORTS = {}

function REPORTS.spawned(sup, node)
  node.started_at, node.began = sup.sys.time.wall(), sup.sys.time.now()
  node.ended_at, node.ready_at, node.last_probe = nil, nil, nil
end

function REPORTS.exited(sup, node, data)
  local r = node.record
  local crash = r.status == 'stopping' and (r.cause == 'crash' or r.cause == 'fail')
  remember(sup, node, {
    code = data.code, signal = data.signal, core = data.core, at = sup.sys.time.wall(), uptime = data.uptime or 0,
    reason = crash and r.reason or reason.exit(data),
    requested = not crash and (r.status == 'stopping' or r.want == 'down'),
  })
end

function REPORTS.start_failed(sup, node, data)
  if node.record.status == 'starting' then
    remember(sup, node, { at = sup.sys.time.wall(), uptime = 0, reason = data.reason, requested = false })
  end
end

-- One that was asked to end may leave its end to us; one that went by itself may have wanted them to live.
local function tell_left(sup, node, killed)
  local exit = node.history[#node.history]
  if not exit or killed == 0 then return end
  exit.left = killed
  if exit.requested then return end
  say(sup, node, killed == 1 and 'it left a process behind, which was ended (stop.scope and stop.keep spare some)'
    or ('it left %d processes behind, which were ended (stop.scope and stop.keep spare some)'):format(killed))
end

function REPORTS.swept(sup, node, data)
  tell_left(sup, node, data.killed or 0)
  for _, left in ipairs(data.survivors or {}) do
    if not left.spared then
      sup.survivors[#sup.survivors + 1] =
        { service = node.id, pid = left.pid, name = left.name, state = left.state }
    end
  end
end

local function report(sup, node, job, kind, data)
  if job ~= node.job then return end
  if kind == 'note' then
    node.note = data.text
    if data.text and data.aloud then say(sup, node, data.text) end
    return
  elseif kind == 'notified' then
    return notified.heard(sup, node, data)
  end
  if REPORTS[kind] then REPORTS[kind](sup, node, data) end
  local event = { name = kind, epoch = job.epoch }
  for key, value in pairs(data) do event[key] = value end
  sup:feed(node, event)
end

-- Whether it will give up a port soon: a reload has taken the service out, or changed the port for its next life.
local function leaves(node)
  return function(port)
    for _, one in ipairs(not node.leaving and (node.pending or node.service).ports or {}) do
      if one.port == port then return false end
    end
    return node.leaving or node.pending ~= nil
  end
end

---Begins the epoch that the record names.
function M.begin(sup, node)
  local job = { service = node.service, epoch = node.record.epoch, ports = {}, claims = sup.claims }
  if node.service.ports[1] then job.leaves = leaves(node) end
  function job.report(kind, data)
    report(sup, node, job, kind, data)
  end
  node.job, node.ports, node.note, node.said = job, job.ports, nil, nil
  for _, link in ipairs(node.needs) do link.used = link.to.record.epoch end
  local log, message, code = M.open_log(sup, node)
  if message then
    return job.report('start_failed', { reason = 'log: ' .. message, code = code, step = 'log' })
  end
  job.log = log
  if log then sup.sys.log.epoch(log, job.epoch) end
  watch_lines(sup, node)
  local ok, err = sup.sys.try(node.driver.start, node.driver, job)
  if not ok then
    job.report('start_failed', { reason = err.message, step = 'driver' })
    sup.sched.on_error(err.message, sup.full(err))
  end
end

local function start_monitor(sup, node, spec, probed, edge)
  return monitor.start({
    sys = sup.sys, sched = sup.sched, external = node.record.external, log = node.log,
    spawn = function() return node.driver:probe_spec(node.job) end,
    handle = function() return sup:handle(node.id) end,
    probed = probed, edge = edge,
  }, spec)
end

local function ready(sup, node, why)
  sup:feed(node, { name = 'ready', epoch = node.record.epoch, reason = why })
end

local function tell_probe(sup, node, result, of)
  if sup.bus:wanted 'probe' then
    sup:emit(node, 'probe', { of = of, ok = result.ok, reason = result.reason, ms = result.ms })
  end
end

-- A check of its own tells readiness alone; health, if there is any, goes its own way.
local function watch_ready(sup, node)
  local found
  found = start_monitor(sup, node, node.service.ready, function(result)
    node.last_ready = result
    tell_probe(sup, node, result, 'ready')
  end, function(edge)
    if edge.state ~= 'healthy' then return end
    found:stop()
    ready(sup, node, edge.reason)
  end)
  return found
end

local function watch_health(sup, node)
  local epoch = node.record.epoch
  return start_monitor(sup, node, node.service.health, function(result)
    node.last_probe = result
    tell_probe(sup, node, result, 'health')
  end, function(edge)
    sup:feed(node, {
      name = 'health', epoch = epoch, state = edge.state, edge = edge.edge, reason = edge.reason,
      failures = edge.failures,
    })
    if edge.state == 'healthy' and not node.service.ready then ready(sup, node, edge.reason) end
  end)
end

local WATCH = { ready = watch_ready, health = watch_health }

local function begin_monitor(sup, node, what)
  local found = WATCH[what](sup, node)
  found.what = what
  node.monitors[#node.monitors + 1] = found
end

---It lives: probes begin.
function M.watch(sup, node)
  M.unwatch(node)
  node.last_ready = nil
  if node.service.ready then begin_monitor(sup, node, 'ready') end
  if node.service.health then begin_monitor(sup, node, 'health') end
end

local function monitor_of(node, what)
  for i, found in ipairs(node.monitors) do
    if found.what == what then return found, i end
  end
end

-- Goes on with other times, or begins anew as another check.
local function renew_monitor(sup, node, what, before, after)
  local found, at = monitor_of(node, what)
  if found and before and after and health.same_check(before, after) then return found:adopt(after) end
  if found then
    found:stop()
    table.remove(node.monitors, at)
  end
  local status = node.record.status
  if after and (status == 'starting' or status == 'running' and what == 'health') then
    begin_monitor(sup, node, what)
  end
end

---The service of a node that lives is another.
---@param before service
function M.rewatch(sup, node, before)
  local service, r = node.service, node.record
  for _, what in ipairs { 'ready', 'health' } do renew_monitor(sup, node, what, before[what], service[what]) end
  if r.status == 'starting' and not service.ready and r.health == 'healthy' then ready(sup, node, 'healthy') end
end

---It is no more: what it holds is given back.
function M.leave(sup, node)
  M.unwatch(node)
  for name in pairs(node.timers) do timers.stop(sup, node, name) end
  M.close_log(sup, node)
end

function M.unwatch(node)
  for i = #node.monitors, 1, -1 do
    node.monitors[i]:stop()
    node.monitors[i] = nil
  end
end

return M
