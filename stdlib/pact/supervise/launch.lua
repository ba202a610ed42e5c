--- Begins an epoch in the driver's hands, watches it, and takes in what the driver reports.

local deps = require 'pact.supervise.deps'
local monitor = require 'pact.supervise.monitor'
local notified = require 'pact.supervise.notified'
local reason = require 'pact.supervise.reason'

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

-- Edges that wait for a line of this service.
local function watch_lines(sup, node)
  for _, link in ipairs(node.serves) do
    sup.sched:cancel(link.watch)
    link.watch = nil
    if link.edge.condition == 'log' and node.log then
      local id = sup.sys.log.match(node.log, link.edge.pattern)
      link.watch = id
      if id then
        sup.sched:on(id, function()
          sup.sched:cancel(id)
          link.watch, link.logged = nil, true
          if deps.refresh(link) then sup:mark(link.from) end
        end)
      end
    end
  end
end

local function remember(sup, node, exit)
  local history = node.history
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

---Begins the epoch that the record names.
function M.begin(sup, node)
  local job = { service = node.service, epoch = node.record.epoch, ports = {}, claims = sup.claims }
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

---It lives: probes begin.
function M.watch(sup, node)
  M.unwatch(node)
  node.last_ready = nil
  if node.service.ready then node.monitors[1] = watch_ready(sup, node) end
  if node.service.health then node.monitors[#node.monitors + 1] = watch_health(sup, node) end
end

function M.unwatch(node)
  for i = #node.monitors, 1, -1 do
    node.monitors[i]:stop()
    node.monitors[i] = nil
  end
end

return M
