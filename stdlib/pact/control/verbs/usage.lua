--- `pactlua RECIPE --help`: the options and commands that a recipe has of its own.

local find = require 'pact.control.client.find'
local inspect = require 'pact.observe.inspect'
local text = require 'pact.base.text'

local M = {}

local function rows(title, list_of, left_of)
  if #list_of == 0 then return '' end
  local width = 0
  for _, item in ipairs(list_of) do width = math.max(width, #left_of(item)) end
  local out = { title .. '\n' }
  for _, item in ipairs(list_of) do
    local default = item.default ~= nil and (' (default: %s)'):format(inspect.text(item.default)) or ''
    out[#out + 1] = ('  %s  %s%s\n'):format(text.pad(left_of(item), width), item.help or '', default)
  end
  return table.concat(out)
end

---@param name string of the recipe
---@param usage { options: table[], commands: table[] }
---@return string
function M.render(name, usage)
  local out = ('pactlua %s%s\n'):format(name, #usage.options > 0 and ' [OPTIONS]' or '')
  out = out .. rows('\noptions of the recipe:', usage.options, function(item) return '--' .. item.name end)
  out = out .. rows("\ncommands of the recipe, for 'pactlua do':", usage.commands, function(item) return item.name end)
  if #usage.options + #usage.commands == 0 then out = out .. '  it has no options and no commands of its own\n' end
  return out .. "\n'pactlua help up' shows the options that stand before the recipe\n"
end

---@param context main_context
function M.run(context)
  local recipe, message = find.recipe(context.sys, context.invocation)
  if not recipe then
    context.err(('pactlua: %s\n'):format(message))
    return 2
  end
  context.recipe = recipe
  local args = context.invocation.args
  for i = #args, 1, -1 do
    if args[i] == '--help' or args[i] == '-h' then table.remove(args, i) end
  end
  require('pact.control.declared').run(context, function(_, problems, _, declared)
    local usage = declared:usage()
    context.out(M.render(recipe.name, usage))
    if #usage.options + #usage.commands == 0 and #problems > 0 then
      context.err(require('pact.base.fail').render(problems))
      return context.sys.stop(2)
    end
    context.sys.stop(0)
  end)
end

return M
