--- Goes over to the recipe as it is written now: it runs again beside the network, the plans are compared, and the
-- least is done. A recipe that doesn't load any more changes nothing.

local carry = require 'pact.plan.carry'
local diff = require 'pact.plan.diff'
local fail = require 'pact.base.fail'
local generation = require 'pact.control.generation'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local words = require 'pact.observe.reload_words'

local M = {}

-- A declaring part may read over the network, but not without end.
local LONGEST_MS = 60000
local SUPERSEDED = 'another reload has come'

---@class reload_answer
---@field dry_run? boolean nothing was done: it tells what would be
---@field changed boolean
---@field services reload_service[] those that are not as they were
---@field unchanged integer services that are
---@field network string[] what has changed of the recipe besides services: 'hooks', 'commands', names of settings
---@field text boolean some file of the recipe has changed
---@field stopped_at? string file and line where the recipe first acts: it is read up to there

---@class reload_service
---@field id string
---@field action 'added'|'removed'|'restarted'|'changed'|'next_start' next_start: a change that needs a new process,
--- of a service that has none
---@field restarts? string[] fields that need a new process
---@field live? string[] fields that are taken over in place
---@field pid? integer of a process that lives on
---@field wanted? boolean of one that was added

---@param network network
---@return true?, string? message, string? code
local function may(network)
  if not network.supervisor then return nil, 'nothing runs yet', 'busy' end
  if network.ending or network.supervisor.down then return nil, 'the network is shutting down', 'busy' end
  return true
end

---------------------------------------------------------------------------------------------------
-- Another plan.

---@class reload_change
---@field plan plan
---@field wanted table<string, true>
---@field late table<string, true> declared while the network ran, and nowhere else
---@field diff plan_diff
---@field stopped? at

local function refused(problems) return nil, (fail.render(problems):gsub('\n$', '')), 'recipe', problems end

local RENAMED = "the project is '%s' now, and a network keeps its name as long as it lives, which is '%s': "
  .. 'shut it down and start it again'

local ACTS_FIRST = 'acts before it has declared a service: a reload reads a recipe up to there, where there is nothing'

-- What the new plan comes to beside the running one.
---@return reload_change?, string? message, string? code, problem[]? problems
local function compared(network, draft, plan, stopped)
  if plan.project ~= network.project then
    return refused { { at = { file = draft.recipe.name, line = 0 },
      message = RENAMED:format(plan.project, network.project) } }
  end
  if stopped and not plan.order[1] then return refused { { at = stopped, message = ACTS_FIRST } } end
  local wanted, problems = draft:wanted(plan)
  if not wanted then return refused(problems) end
  plan = require('pact.plan.select').cut(plan, draft:selection(), wanted) or plan
  problems = carry.scales(plan, draft.recipe, network.plan, network.recipe)
  if problems then return refused(problems) end
  local late = carry.services(plan, draft.recipe, network.plan, network.recipe, network.late)
  return { plan = plan, wanted = wanted, late = late, diff = diff.compare(network.plan, plan), stopped = stopped }
end

-- Yields until the recipe has been read.
local function read(network, draft)
  return network.sched:suspend(function(wake)
    local sched = network.sched
    local timer = sched:after(LONGEST_MS, function()
      draft.too_long(('its declarations have not come to their end within %d s'):format(LONGEST_MS // 1000))
    end, draft.work.group)
    draft.superseded = function() wake(nil, SUPERSEDED, 'superseded') end
    draft:declare(function(plan, problems, stopped)
      sched:cancel(timer)
      if not plan then return wake(refused(problems)) end
      wake(compared(network, draft, plan, stopped))
    end)
  end)
end

---------------------------------------------------------------------------------------------------
-- What is told of it.

local function action_of(network, change)
  if not change.restarts[1] then return 'changed' end
  return network.supervisor:renews(change.id) and 'restarted' or 'next_start'
end

local function of_change(network, change)
  local action = action_of(network, change)
  local seen = network.supervisor:snapshot(change.id)
  return {
    id = change.id, action = action, restarts = change.restarts[1] and json.array(change.restarts),
    live = change.live[1] and json.array(change.live), pid = action == 'changed' and seen.pid or nil,
  }
end

local function network_changes(found)
  local out = {}
  for _, name in ipairs { 'hooks', 'commands' } do
    if found[name] then out[#out + 1] = name end
  end
  return table.move(found.settings, 1, #found.settings, #out + 1, out)
end

---@param change reload_change
---@return reload_answer
local function answer_of(network, change, dry_run)
  local found, services = change.diff, json.array {}
  for _, id in ipairs(found.removed) do services[#services + 1] = { id = id, action = 'removed' } end
  for _, one in ipairs(found.changed) do services[#services + 1] = of_change(network, one) end
  for _, id in ipairs(found.added) do
    services[#services + 1] = { id = id, action = 'added', wanted = change.wanted[id] ~= nil }
  end
  local others = json.array(network_changes(found))
  return {
    dry_run = dry_run or nil, services = services, unchanged = #found.unchanged, network = others, text = found.text,
    changed = services[1] ~= nil or others[1] ~= nil, stopped_at = change.stopped and fail.place(change.stopped),
  }
end

---------------------------------------------------------------------------------------------------
-- Going over.

local CHOSEN_BY = { disabled = true, profiles = true, category = true, tags = true }

local function chosen_anew(one)
  for _, field in ipairs(one.live) do
    if CHOSEN_BY[field] then return true end
  end
  return false
end

-- What is wanted by itself now, and what isn't any more because it says so itself.
local function wishes(network, change)
  local up, down = {}, {}
  local before = network.wanted_ids
  for _, id in ipairs(change.plan.order) do
    if change.wanted[id] and not before[id] then up[#up + 1] = id end
  end
  for _, id in ipairs(change.diff.added) do
    if change.wanted[id] and before[id] then up[#up + 1] = id end -- one that its group has again
  end
  for _, one in ipairs(change.diff.changed) do
    if before[one.id] and not change.wanted[one.id] and chosen_anew(one) then table.insert(down, 1, one.id) end
  end
  return up, down
end

local function go_over(network, draft, change)
  local before, heard = network.generation, { hooks = network.hooks, lines = network.lines, metrics = network.metrics }
  local up, down = wishes(network, change)
  network.bus:flush() -- what has happened so far is for those who hear now
  network.at_rest = false -- what the supervisor says of that comes anew
  carry.names(draft.recipe, network.recipe, change.diff.removed)
  network.plan, network.wanted_ids, network.late, network.draft = change.plan, change.wanted, change.late, nil
  draft:listen(change.plan)
  assert(network.supervisor:reload(change.plan, change.diff, 'reload'))
  draft:listen_closely(change.plan)
  before:retire(heard)
  if change.stopped then
    network.sched:stop(draft.task)
  elseif network.body then
    network.body:leave_body() -- the recipe acts no longer
  end
  network.supervisor:want(down, 'down', 'reload')
  network.supervisor:want(up, 'up', 'reload', { no_deps = network.invocation.options.no_deps })
  local recorded = list.map(change.diff.added, function(id) return change.plan.services[id] end)
  for _, one in ipairs(change.diff.changed) do recorded[#recorded + 1] = change.plan.services[one.id] end
  if recorded[1] then network:record(recorded, change.wanted) end
end

local function tell(network, draft, answer)
  local ok, message = draft.ports:save(network.dir.path)
  if not ok then network:say(('pactlua: the ports given are not kept: %s\n'):format(message)) end
  network.bus:emit {
    name = 'reloaded', reason = words.summary(answer), services = answer.services, network = answer.network,
    stopped_at = answer.stopped_at,
  }
end

-- Another one that is being read is given up: what was asked last counts.
local function begin(network)
  local other = network.draft
  if other then
    other:discard()
    other.superseded()
  end
  network.draft = generation.new(network, network.generation.found, network.generation)
  return network.draft
end

---Reads the recipe and goes over to it, or tells what would be done.
local function run(network, dry_run)
  local draft = begin(network)
  local change, message, code, problems = read(network, draft)
  if change and network.draft ~= draft then change, message, code = nil, SUPERSEDED, 'superseded' end
  local ok = true
  if change then ok, message, code = may(network) end -- it may have taken a while
  if code ~= 'superseded' then network.read_paths = draft.recipe.paths end
  if not change or not ok or dry_run then
    if network.draft == draft then network.draft = nil end
    draft:discard()
    if not change or not ok then return nil, message, code, problems end
    return answer_of(network, change, true)
  end
  local answer = answer_of(network, change)
  go_over(network, draft, change)
  tell(network, draft, answer)
  return answer
end

---Goes over to the recipe as it is written now. Yields.
---@param network network
---@param opts? { dry_run?: boolean }
---@return reload_answer?
---@return string? message
---@return string? code 'recipe': it doesn't load any more; 'busy', 'superseded'
---@return problem[]? problems of the recipe
function M.run(network, opts)
  local ok, refusal, why = may(network)
  if not ok then return nil, refusal, why end
  local answer, message, code, problems = run(network, opts and opts.dry_run)
  if network.recipe_watch then network.recipe_watch:look() end
  return answer, message, code, problems
end

return M
