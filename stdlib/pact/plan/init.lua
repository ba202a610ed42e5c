--- What a recipe declared becomes a plan: resolved, checked as a whole, ordered, frozen.
local fail = require 'pact.base.fail'
local freeze = require 'pact.plan.freeze'
local graph = require 'pact.plan.graph'
local groups = require 'pact.plan.groups'
local list = require 'pact.base.list'
local options = require 'pact.declare.options'
local replicas = require 'pact.declare.replicas'
local resolve = require 'pact.plan.resolve'
local validate = require 'pact.plan.validate'
local variables = require 'pact.declare.variables'

local M = {}

---The name of a recipe's network: its own word, else from its place.
---@param recipe table
---@return string
function M.project_name(recipe)
  if recipe.settings.project then return recipe.settings.project end
  local directory = recipe.directory:match '([^/]+)/*$' or 'root'
  local file = (recipe.context.path:match '[^/]*$'):gsub('%.%w+$', '')
  local name = file == 'pact' and directory or directory .. '-' .. file
  return (name:gsub('[^%w_.-]', '-'):gsub('^[^%w]+', ''):sub(1, 64):gsub('^$', 'pact'))
end

-- the recipe's words beat the variables
local function settings_of(recipe)
  local settings, problems = variables.read(recipe.context.env or {})
  for _, problem in ipairs(problems) do recipe.slips:add(problem) end
  for name, value in pairs(recipe.settings.tui or {}) do settings.tui[name] = value end
  return settings
end

local function nothing_declared(recipe)
  local something = #recipe.declarations > 0 or recipe.busy or next(recipe.commands)
  if something or not recipe.slips:empty() then return end
  recipe.slips:add {
    at = { file = recipe.name, line = 0 },
    message = "declares nothing and starts nothing: a service is declared by pact.process 'web' { … }",
  }
end

local function resolved(draft, resolver, declaration)
  draft.services[declaration.id] = resolver:service(declaration)
  draft.ids[#draft.ids + 1] = declaration.id
end

-- resolves declarations from `first` on into `draft`
local function take(recipe, draft, resolver, first)
  for i = first, #recipe.declarations do
    local declaration = recipe.declarations[i]
    if declaration.fields.replicas then
      local instances = replicas.of(recipe, declaration)
      for _, one in ipairs(instances) do resolved(draft, resolver, one) end
      draft.groups[declaration.id] = list.map(instances, function(one) return one.id end)
    else
      resolved(draft, resolver, declaration)
    end
  end
  groups.spread(draft.services, draft.ids, draft.groups)
end

---The order anew, from the services and the order of their declaration.
---@param plan plan
---@param declared string[]
---@param sorted? string[] the order where it is known already
function M.arrange(plan, declared, sorted)
  rawset(plan, 'declared_order', declared)
  rawset(plan, 'order', sorted or (graph.order(declared, validate.needs(plan.services, declared))))
end

---What may start together.
---@param plan plan
---@return string[][]
function M.levels(plan) return graph.levels(plan.order, validate.needs(plan.services, plan.order)) end

local function checked(recipe, draft)
  validate.run(draft)
  return recipe.slips:empty()
end

---Called when the body has ended, or at the first acting call.
---@param recipe recipe
---@return plan? plan nil when there are problems
---@return problem[] problems all, sorted by place
function M.build(recipe)
  recipe:close()
  local settings = settings_of(recipe)
  if recipe.broken then return nil, recipe.slips:sorted() end
  options.unknown(recipe)
  nothing_declared(recipe)
  recipe.resolver = resolve.new(settings, recipe.directory, recipe.secret_values, recipe.texts)
  local draft = {
    ids = {}, services = {}, groups = {}, declared = recipe.declared, hooks = recipe.hooks, slips = recipe.slips,
  }
  take(recipe, draft, recipe.resolver, 1)
  draft.order = draft.ids
  if not checked(recipe, draft) then return nil, recipe.slips:sorted() end
  local plan = {
    project = M.project_name(recipe), directory = recipe.directory, recipe = recipe.context.path,
    services = draft.services, groups = draft.groups, hooks = recipe.hooks,
    commands = recipe.commands, settings = settings,
    max_parallel_starts = recipe.settings.max_parallel_starts,
    shutdown_timeout = recipe.settings.shutdown_timeout, hook_timeout = recipe.settings.hook_timeout,
    secret_values = recipe.secret_values, texts = recipe.texts, prints = recipe.resolver.prints,
  }
  M.arrange(plan, draft.ids, draft.sorted)
  recipe.planned = #recipe.declarations
  return freeze.table(plan), {}
end

-- what is to be added to a plan, before it is checked
local function addition(plan, recipe, resting)
  return {
    resting = resting, ids = {}, services = list.copy(plan.services), groups = list.copy(plan.groups),
    declared = recipe.declared, slips = fail.new(),
  }
end

-- checks an addition and puts it into the plan
local function join(plan, draft)
  draft.order = table.move(draft.ids, 1, #draft.ids, #plan.declared_order + 1,
    table.move(plan.declared_order, 1, #plan.declared_order, 1, {}))
  validate.run(draft)
  if not draft.slips:empty() then return nil, draft.slips:sorted() end
  for _, id in ipairs(draft.ids) do plan.services[id] = draft.services[id] end
  for id, members in pairs(draft.groups) do plan.groups[id] = members end
  M.arrange(plan, draft.order, draft.sorted)
  return list.map(draft.ids, function(id) return plan.services[id] end), {}
end

---Services declared since: checked against the plan and put into it; on problems they are forgotten.
---@param plan plan
---@param recipe recipe
---@param resting fun(id: string): boolean whether a service of the plan lives no more: then its ports are free
---@return service[]? added
---@return problem[] problems
function M.extend(plan, recipe, resting)
  local first = (recipe.planned or 0) + 1
  local draft = addition(plan, recipe, resting)
  take(recipe, draft, recipe.resolver, first)
  local added, problems = join(plan, draft)
  if not added then
    for i = #recipe.declarations, first, -1 do
      replicas.forget(recipe, table.remove(recipe.declarations, i))
    end
    return nil, problems
  end
  recipe.planned = #recipe.declarations
  return added, {}
end

---Another declaration of a service that is in the plan, checked against it and put into it.
---@param plan plan
---@param recipe recipe
---@param declaration declaration
---@param resting fun(id: string): boolean
---@return service? service
---@return problem[] problems then nothing has changed
function M.replace(plan, recipe, declaration, resting)
  local draft, id = addition(plan, recipe, resting), declaration.id
  draft.ids[1], draft.order = id, plan.declared_order
  draft.services[id] = recipe.resolver:service(declaration)
  groups.spread(draft.services, draft.ids, draft.groups)
  validate.run(draft)
  if not draft.slips:empty() then return nil, draft.slips:sorted() end
  plan.services[id] = draft.services[id]
  M.arrange(plan, plan.declared_order, draft.sorted)
  return plan.services[id], {}
end

---Gives a group so many instances. Those it has no more stay in the plan, outside of the group.
---@param plan plan
---@param recipe recipe
---@param group string
---@param count integer
---@return service[]? added
---@return problem[] problems then nothing has changed
function M.scale(plan, recipe, group, count)
  local draft, new, ids = addition(plan, recipe), {}, {}
  for number = 1, count do
    ids[number] = replicas.id(group, number)
    if not plan.services[ids[number]] then new[#new + 1] = replicas.declare(recipe, recipe.declared[group], number) end
  end
  if not draft.slips:empty() then return nil, draft.slips:sorted() end
  for _, declaration in ipairs(new) do
    resolved(draft, recipe.resolver, declaration)
    draft.services[declaration.id].replicas = count
  end
  groups.spread(draft.services, draft.ids, plan.groups)
  local added, problems = join(plan, draft)
  if not added then
    for _, declaration in ipairs(new) do recipe.declared[declaration.id] = nil end
    return nil, problems
  end
  plan.groups[group] = ids
  for _, service in ipairs(added) do groups.join(plan.services, group, service.id) end
  if added[1] then M.arrange(plan, plan.declared_order) end
  return added, {}
end

return M
