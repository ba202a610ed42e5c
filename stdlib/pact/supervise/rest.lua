--- Whether everything wanted is ready, whether anything lives or can live, and with which status it would end.

local view = require 'pact.supervise.view'

local M = {}

local GOOD = { running = true, completed = true }

-- Something goes on, or will by itself.
local function active(r)
  if r.scheduled and r.want == 'up' and r.status ~= 'skipped' then return true end
  return r.live ~= nil or r.asked ~= nil or r.status == 'backoff' or r.status == 'starting'
    or r.status == 'stopping'
end

local function unready(r)
  return r.want == 'up' and not GOOD[r.status] and not (r.status == 'waiting' and not r.called)
end

---Keeps the counts right over one change of a record.
---@param before record
---@param r record
function M.count(sup, before, r)
  if active(before) ~= active(r) then sup.active = sup.active + (active(r) and 1 or -1) end
  if unready(before) ~= unready(r) then sup.unready = sup.unready + (unready(r) and 1 or -1) end
  if before.want ~= r.want then sup.wanted = sup.wanted + (r.want == 'up' and 1 or -1) end
end

---@return boolean
function M.all_ready(sup)
  return sup.wanted > 0 and sup.unready == 0
end

---@return string[] wanted services that failed or were skipped; with `all`, also those that never became ready
function M.failed(sup, all)
  local found = {}
  for _, id in ipairs(sup.order) do
    local r = sup.nodes[id].record
    local bad = r.status == 'failed' or r.status == 'skipped'
    if r.want == 'up' and (bad or (all and not GOOD[r.status])) then found[#found + 1] = id end
  end
  return found
end

---How it would end now.
---@return rest
function M.now(sup)
  local failed = M.failed(sup, sup.active == 0)
  local why = failed[1] and view.snapshot(sup, sup.nodes[failed[1]]).reason
  return {
    down = false,
    status = failed[1] and 3 or 0,
    reason = failed[1] and ('%s: %s'):format(failed[1], why) or 'all that was wanted has completed',
    failed = failed,
    survivors = sup.survivors,
  }
end

---After each turn with changes.
function M.look(sup)
  if not sup.down and M.all_ready(sup) and not sup.told_ready then
    sup.told_ready = true
    sup:emit(nil, 'all_ready', {})
  end
  if sup.active > 0 or sup.dirty[1] then
    sup.resting = false
  elseif sup.touched and not sup.resting and not sup.down then
    sup.resting = true
    if sup.opts.on_rest then sup.sched:guard(sup.opts.on_rest, M.now(sup)) end
  end
end

return M
