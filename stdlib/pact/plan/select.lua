--- Which services of a plan are wanted: by id, category, tag and profile, with all they need.
local freeze = require 'pact.plan.freeze'
local graph = require 'pact.plan.graph'
local groups = require 'pact.plan.groups'
local list = require 'pact.base.list'
local plans = require 'pact.plan'
local resolve = require 'pact.plan.resolve'
local text = require 'pact.base.text'
local validate = require 'pact.plan.validate'

local M = {}

---@class selection
---@field ids? string[]
---@field only? string[]
---@field except? string[]
---@field category? string[]
---@field tag? string[]
---@field profile? string[]
---@field no_deps? boolean

local function words_of(plan, field)
  local out = {}
  for _, service in pairs(plan.services) do
    local value = service[field]
    for _, word in ipairs(type(value) == 'table' and value or { value }) do out[word] = true end
  end
  return list.keys(out)
end

local function unknown(problems, option, kind, word, known)
  local hint = text.suggest(word, known)
  if hint == '' then
    hint = #known == 0 and '; the recipe has none' or ('; there is %s'):format(text.enumerate(known))
    if #known > 12 then hint = '' end
  end
  problems[#problems + 1] = { key = option, message = ("'%s' is no %s%s"):format(word, kind, hint) }
end

local function check_ids(plan, selection, problems)
  for _, field in ipairs { 'ids', 'only', 'except' } do
    for _, id in ipairs(selection[field] or {}) do
      if not plan.services[id] and not plan.groups[id] then
        local option = field ~= 'ids' and '--' .. field or nil
        local known = list.keys(plan.groups)
        unknown(problems, option, 'service', id, table.move(plan.order, 1, #plan.order, #known + 1, known))
      end
    end
  end
end

local function check_words(plan, selection, problems)
  for _, row in ipairs { { 'category', 'category' }, { 'tag', 'tags' }, { 'profile', 'profiles' } } do
    for _, word in ipairs(selection[row[1]] or {}) do
      local known = words_of(plan, row[2])
      if not list.index(known, word) then unknown(problems, '--' .. row[1], row[1], word, known) end
    end
  end
end

local function any(words, set)
  for _, word in ipairs(words) do
    if set[word] then return true end
  end
  return false
end

-- what is asked for, before dependencies
local function asked(plan, selection)
  local named = {}
  for _, field in ipairs { 'ids', 'only' } do
    for _, id in ipairs(selection[field] or {}) do named[#named + 1] = id end
  end
  if #named > 0 then return groups.ids(plan.groups, named) end
  local categories, tags = selection.category, selection.tag
  local profiles = list.set(selection.profile or {})
  return list.filter(plan.order, function(id)
    local service = plan.services[id]
    if service.disabled or #service.profiles > 0 and not any(service.profiles, profiles) then
      return false
    end
    if not categories and not tags then return true end
    return categories ~= nil and list.index(categories, service.category) ~= nil
      or tags ~= nil and any(service.tags, list.set(tags))
  end)
end

---@param plan plan
---@param selection selection
---@return table<string, true>? wanted
---@return problem[]? problems
function M.wanted(plan, selection)
  local problems = {}
  check_ids(plan, selection, problems)
  check_words(plan, selection, problems)
  if #problems > 0 then return nil, problems end
  local except = list.set(groups.ids(plan.groups, selection.except or {}))
  local from = list.filter(asked(plan, selection), function(id) return not except[id] end)
  if selection.no_deps then return list.set(from) end
  local needs = {}
  local by_name = list.set(from)
  for id, needed in pairs(validate.needs(plan.services, plan.order)) do
    needs[id] = list.filter(needed, function(other)
      return not except[other] and (not plan.services[other].disabled or by_name[other])
    end)
  end
  return graph.closure(from, needs)
end

---The plan without edges to services that were left out by hand: their dependents don't wait for them.
---@param plan plan
---@param selection selection
---@param wanted table<string, true>
---@return plan
function M.cut(plan, selection, wanted)
  local except = list.set(groups.ids(plan.groups, selection.except or {}))
  local function gone(id) return except[id] or selection.no_deps and not wanted[id] end
  local services, changed = {}, false
  for id, service in pairs(plan.services) do
    local kept = list.filter(service.depends_on, function(edge) return not gone(edge.id) end)
    if #kept < #service.depends_on then
      service = resolve.with(service, { depends_on = kept })
      changed = true
    end
    services[id] = service
  end
  if not changed then return plan end
  local out = list.copy(plan)
  out.services = services
  plans.arrange(out, plan.declared_order)
  return freeze.table(out)
end

return M
