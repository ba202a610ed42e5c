--- `check`, `plan` and `graph`: the recipe's declaring part without its acting one. Nothing starts.

local fail = require 'pact.base.fail'
local find = require 'pact.control.client.find'
local json = require 'pact.base.json'
local text = require 'pact.base.text'

local M = {}

local Declared = require 'pact.control.declared'

---Who needs whom, as text.
---@param plan plan
---@param edge fun(edge: edge): string
---@return string
function M.graph(plan, edge)
  local out = {}
  for _, id in ipairs(plan.order) do
    out[#out + 1] = id .. '\n'
    local needs = plan.services[id].depends_on
    for i, need in ipairs(needs) do
      out[#out + 1] = ('  %s── %s\n'):format(i == #needs and '└' or '├', edge(need))
    end
  end
  return table.concat(out)
end

local function problems_as_json(problems)
  local out = json.array {}
  for i, problem in ipairs(problems) do
    out[i] = {
      file = problem.at and problem.at.file, line = problem.at and problem.at.line, subject = problem.subject,
      key = problem.key, message = problem.message, text = fail.text(problem),
    }
  end
  return json.encode({ ok = #problems == 0, problems = out }, { indent = true, lenient = true }) .. '\n'
end

local show = {}

function show.check(context, plan, out)
  if context.invocation.options.json then
    out(problems_as_json {})
  else
    out(('%s: %s, all is well\n'):format(context.recipe.name, text.plural(#plan.order, 'service')))
  end
end

function show.plan(context, plan, out)
  local render = require 'pact.plan.show'
  out(context.invocation.options.json and render.json(plan) or render.text(plan))
end

function show.graph(context, plan)
  local render, options = require 'pact.plan.show', context.invocation.options
  if options.dot then return context.out(render.dot(plan)) end
  if options.mermaid then return context.out(render.mermaid(plan)) end
  context.out(M.graph(plan, render.edge))
end

local function tell(context, plan, problems, stopped, hidden)
  local invocation = context.invocation
  local function out(words) context.out(invocation.options.json and hidden:json(words) or hidden:words(words)) end
  if not plan then
    if invocation.options.json then out(problems_as_json(problems)) end
    context.err(hidden:words(fail.render(problems)))
    return 2
  end
  show[invocation.verb](context, plan, out)
  if stopped then
    context.err(('pactlua: %s stops at %s: what the recipe does from there on depends on running services\n'):format(
      invocation.verb, fail.place(stopped)))
  end
  return 0
end

---@param context main_context
function M.run(context)
  local recipe, message = find.recipe(context.sys, context.invocation)
  if not recipe then
    context.err(('pactlua: %s\n'):format(message))
    return 2
  end
  context.recipe = recipe
  Declared.run(context, function(plan, problems, stopped, declared)
    local hidden = require('pact.base.secrets').new(declared.secret_values)
    context.sys.stop(tell(context, plan, problems, stopped, hidden))
  end)
end

return M
