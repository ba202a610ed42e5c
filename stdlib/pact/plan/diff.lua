--- What two plans of one recipe differ in, and what that means for services that live: which fields are taken over in
-- place, and which need a new process.
local fingerprint = require 'pact.plan.fingerprint'
local list = require 'pact.base.list'
local record = require 'pact.declare.record'
local resolve = require 'pact.plan.resolve'
local service_noun = require 'pact.declare.fields.service'

local M = {}

---@class plan_change
---@field id string
---@field restarts string[] fields that shape the process, such as `command` or `env.PORT`
---@field live string[] fields that are taken over in place

---@class plan_diff
---@field added string[] in the order of their start
---@field removed string[] in the order of their stop
---@field changed plan_change[]
---@field unchanged string[]
---@field hooks boolean the recipe's hooks are others
---@field commands boolean the recipe's commands are others
---@field settings string[] of the network, such as `hook_timeout`
---@field text boolean some file of the recipe is another: its functions are, perhaps

-- What isn't the service's own, or follows from the rest.
local IGNORED = list.set { 'at', 'declared', 'id', 'group', 'replica', 'replicas', 'container' }
-- Resolved names that stand for a field of another name.
local MEANT = { task = 'kind', decide = 'policy' }
-- Tables whose keys are the user's.
local MAPS = { env = true, limits = true, on = true, endpoints = true }

---@class comparing
---@field old table<string, string> texts of the old plan's recipe
---@field new table<string, string>
---@field restarts table<string, true>
---@field live table<string, true>

local function both_functions(a, b) return type(a) == 'function' and type(b) == 'function' end

local function same_text(one, a, b) return fingerprint.text(a, one.old) == fingerprint.text(b, one.new) end

-- 'same', 'swapped' (only functions differ), or 'other'.
local function compare(one, a, b)
  if a == b then return 'same' end
  if both_functions(a, b) then return same_text(one, a, b) and 'same' or 'swapped' end
  if type(a) ~= 'table' or type(b) ~= 'table' then return 'other' end
  local found = 'same'
  for key, value in pairs(a) do
    local how = key == 'at' and 'same' or compare(one, value, b[key])
    if how == 'other' then return 'other' end
    if how == 'swapped' then found = 'swapped' end
  end
  for key in pairs(b) do
    if a[key] == nil and key ~= 'at' then return 'other' end
  end
  return found
end

---@param row field?
---@param how 'swapped'|'other'
local function note(one, row, name, how)
  local restarts = how == 'other' and (not row or row.reload == 'restart')
  one[restarts and 'restarts' or 'live'][name] = true
end

local function keys_of(a, b)
  local all = {}
  for key in pairs(a) do all[key] = true end
  for key in pairs(b) do all[key] = true end
  return list.keys(all)
end

-- Each key of its own: those of a map, or the fields of a noun.
-- What follows from another field of the same noun, where nothing else is said.
local FOLLOWS = { start_interval = 'interval', max_retries = 'policy', max_delay = 'delay' }

local function compare_parts(one, row, name, a, b)
  local noun = record.inner(row)
  if noun and a.kind ~= b.kind then return note(one, row, name, 'other') end -- another check
  for _, key in ipairs(keys_of(a, b)) do
    local how = compare(one, a[key], b[key])
    local from = FOLLOWS[key]
    if how ~= 'same' and not (from and compare(one, a[from], b[from]) ~= 'same') then
      local inner = noun and record.index(noun)[MEANT[key] or key]
      local shown = (inner or not noun) and ('%s.%s'):format(name, inner and inner.name or key) or name
      note(one, inner or row, shown, how)
    end
  end
end

local function by_id(edges)
  local out = {}
  for _, edge in ipairs(edges) do out[edge.id] = edge end
  return out
end

local function compare_edges(one, row, a, b)
  local before, after = by_id(a), by_id(b)
  for _, id in ipairs(keys_of(before, after)) do
    local how = compare(one, before[id], after[id])
    if how ~= 'same' then note(one, row, 'depends_on.' .. ((after[id] or before[id]).group or id), 'swapped') end
  end
end

local function compare_field(one, name, a, b)
  local row = record.index(service_noun)[MEANT[name] or name]
  if name == 'depends_on' then return compare_edges(one, row, a, b) end
  local how = compare(one, a, b)
  if how == 'same' then return end
  local parts = type(a) == 'table' and type(b) == 'table' and (MAPS[name] or row and record.inner(row))
  if parts and name ~= 'ports' then return compare_parts(one, row, name, a, b) end
  note(one, row, MEANT[name] or name, how)
end

-- The text of a worker's `run` with what it had captured when it was declared.
local function compare_run(one, old, new, id)
  if old.prints[id] ~= new.prints[id] then one.restarts.run = true end
end

-- What a service is told of its dependencies stands in its environment.
local function compare_addresses(one, old, new, id)
  local before = by_id(old.services[id].depends_on)
  for _, edge in ipairs(new.services[id].depends_on) do
    local was, is = old.services[edge.id], new.services[edge.id]
    if before[edge.id] and was and is and compare(one, was.ports, is.ports) == 'other' then
      one.restarts[(edge.group or edge.id) .. '.ports'] = true
    end
  end
end

local function compare_service(old, new, id)
  local one = { old = old.texts or {}, new = new.texts or {}, restarts = {}, live = {} }
  local a, b = resolve.fields(old.services[id]), resolve.fields(new.services[id])
  for _, name in ipairs(keys_of(a, b)) do
    if name ~= 'run' and not IGNORED[name] then compare_field(one, name, a[name], b[name]) end
  end
  if b.container then compare_parts(one, {}, 'container', a.container or {}, b.container) end
  if old.prints and new.prints then compare_run(one, old, new, id) end
  if b.kind ~= 'external' then compare_addresses(one, old, new, id) end
  if not next(one.restarts) and not next(one.live) then return nil end
  return { id = id, restarts = list.keys(one.restarts), live = list.keys(one.live) }
end

local function compare_hooks(one, a, b)
  if #a ~= #b then return true end
  for i, hook in ipairs(a) do
    local other = b[i]
    if hook.event ~= other.event or hook.once ~= other.once or compare(one, hook.fn, other.fn) ~= 'same'
      or compare(one, hook.filter, other.filter) ~= 'same' then
      return true
    end
  end
  return false
end

local SETTINGS = { 'max_parallel_starts', 'shutdown_timeout', 'hook_timeout', 'settings', 'secret_values' }
local SHOWN = { settings = 'tui', secret_values = 'secret' }

local function compare_network(old, new, out)
  local one = { old = old.texts or {}, new = new.texts or {} }
  out.hooks = compare_hooks(one, old.hooks or {}, new.hooks or {})
  out.commands = compare(one, old.commands, new.commands) ~= 'same'
  out.text = false
  for name, text in pairs(one.new) do out.text = out.text or one.old[name] ~= text end
  for _, name in ipairs(SETTINGS) do
    if compare(one, old[name], new[name]) ~= 'same' then out.settings[#out.settings + 1] = SHOWN[name] or name end
  end
end

-- An instance that its group has no more is kept in a plan, and doesn't count.
local function has(plan, id)
  local service = plan.services[id]
  if not service then return false end
  local group = service.group and plan.groups and plan.groups[service.group]
  return not group or list.index(group, id) ~= nil
end

---@param old plan the one that runs
---@param new plan
---@return plan_diff
function M.compare(old, new)
  local out = { added = {}, removed = {}, changed = {}, unchanged = {}, settings = {} }
  for _, id in ipairs(new.order) do
    if has(new, id) then
      local change = has(old, id) and compare_service(old, new, id)
      local into = has(old, id) and out.unchanged or out.added
      if change then out.changed[#out.changed + 1] = change else into[#into + 1] = id end
    end
  end
  for _, id in ipairs(list.reverse(old.order)) do
    if has(old, id) and not has(new, id) then out.removed[#out.removed + 1] = id end
  end
  compare_network(old, new, out)
  return out
end

return M
