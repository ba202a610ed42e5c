--- A network that is left running: its front ends, it goes on without a terminal.

local leases = require 'pact.control.api.leases'

local M = {}

---How long `up --detach` waits for all to be ready, unless said.
M.READY_MS = 300000

---How long what has no check must have lived before it counts as there: a program that dies of its first look at the
---configuration was "ready" for that long.
M.SETTLE_MS = 1000

---Who holds the network, from the first look on.
---@param network network
---@return leases
function M.leases(network)
  if not network.held_by then
    network.held_by = leases.new {
      ctl = network.sys.ctl, sched = network.sched, now = network.sys.time.now,
      linger = network.invocation.options.linger or 0,
      over = function() network:shutdown 'the last lease is gone' end,
    }
  end
  return network.held_by
end

---A client holds the network as long as its connection lasts.
---@param network network
---@param request sys.ctl_request
---@return integer? status, table? refusal, string? type
function M.hold(network, request)
  if network.ending then return 409, { error = 'the network is shutting down', code = 'busy' } end
  if request.head then return 200, nil, 'application/x-ndjson' end
  M.leases(network):take(request.id, {
    project = network.project, pid = network.sys.os.pid(), detached = network.detached == true,
  })
end

local function may(network)
  if network.invocation.verb ~= 'up' then
    return nil, ("a network of '%s' ends with its command"):format(network.invocation.verb), 'refused'
  end
  if network.ending then return nil, 'the network is shutting down', 'busy' end
  if not network.supervisor then return nil, 'nothing runs yet', 'busy' end
  return true
end

-- From here on nobody reads what was meant for the front: its output is the log's.
local function let_go(network)
  network.shows_output = false
  for log in pairs(network.logs) do network.sys.log.notify(log, false) end
  network.audience:dismiss()
  network.log:each_file(network.sys.ctl.leave_front) -- when it can't be opened it can't be told either
end

---The front gives up its lease; it is told, and ends.
---@param network network
---@param opts? { linger?: integer, fresh?: boolean } fresh: leases that have gone by now don't end it
---@return true? ok, string? message, string? code
function M.detach(network, opts)
  local ok, message, code = may(network)
  if not ok then return nil, message, code end
  opts = opts or {}
  if not network.detached then
    if network.recipe_lines then network.recipe_lines:flush() end
    network:tell_output()
    network:tell({
      type = 'detached', pid = network.sys.os.pid(), project = network.project, run = network.run.dir,
      directory = network.plan.directory, socket = network.dir.socket, ready = network.supervisor:all_ready(),
    }, true)
    network.detached = true
    let_go(network)
  end
  M.leases(network):begin { fresh = opts.fresh or false, linger = opts.linger }
  return true
end

local GOOD, TOLD = { running = true, completed = true }, { failed = true, skipped = true }
local SPEAKS = { waiting = true, starting = true }

local function why_not(it)
  local reason = (it.reason or ''):gsub('^not ready: ', '')
  if reason == '' or reason == 'not ready yet' then return it.status end
  return SPEAKS[it.status] and reason or ('%s: %s'):format(it.status, reason)
end

---Services that are wanted and not there yet, each with what it waits for.
---@param network network
---@param all? boolean also those that have failed, whose end is told anyway
---@return { id: string, why: string }[]
function M.unready(network, all)
  local out = {}
  for _, it in ipairs(network:snapshots()) do
    if it.want == 'up' and not GOOD[it.status] and (all or not TOLD[it.status]) then
      out[#out + 1] = { id = it.id, why = why_not(it) }
    end
  end
  return out
end

-- With --exit a network of which all has completed ends in a moment: that is told instead.
local function remains(network)
  if not network.invocation.options.exit or network:lives() then return true end
  for _, it in ipairs(network:snapshots()) do
    if it.want == 'up' and it.status ~= 'completed' then return true end
  end
  return false
end

-- Readiness that says no more than that it lives.
local function unchecked(service)
  local check = service.ready or service.health
  return not check or check.kind == 'alive'
end

---What is running, says nothing of itself and has only just begun.
---@param network network
---@return string[] ids, integer? ms until the last of them has settled
local function unsettled(network)
  local ids, longest = {}, 0
  for _, it in ipairs(network:snapshots()) do
    local left = it.want == 'up' and it.status == 'running' and it.uptime and M.SETTLE_MS - it.uptime or 0
    if left > 0 and unchecked(network.supervisor:service(it.id)) then
      ids[#ids + 1], longest = it.id, math.max(longest, left)
    end
  end
  return ids, longest
end

-- All is ready and has settled: then the front may go. What ends meanwhile is heard of, and looked at again.
local function settle(network)
  if network.settling or network.detached or network.ending or not network.supervisor:all_ready() then return end
  local ids, ms = unsettled(network)
  if ids[1] then
    network.settling = network.sched:after(ms, function()
      network.settling = nil
      settle(network)
    end)
  elseif remains(network) then
    M.detach(network)
  end
end

---Who keeps `up --detach` waiting.
---@param network network
---@return string[] ids
function M.late(network)
  local ids = {}
  for _, it in ipairs(M.unready(network, true)) do ids[#ids + 1] = it.id end
  return ids[1] and ids or network.supervisor and unsettled(network) or {}
end

local MAKES_READY = { all_ready = true, ready = true, completed = true, stopped = true }

---`up --detach` before all is ready: a failure of what is wanted is the end.
---@param network network
---@param event event
function M.heard(network, event)
  if network.detached or network.ending then return end
  if MAKES_READY[event.name] then
    settle(network)
  elseif event.name == 'failed' or event.name == 'skipped' then
    local it = network:look(event.service)
    if not it or it.want ~= 'up' then return end
    network:shutdown(("'%s' %s: %s"):format(it.id, event.name, it.reason or event.reason), { status = 3 })
  end
end

return M
