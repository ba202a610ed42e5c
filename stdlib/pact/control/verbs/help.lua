--- `pactlua help`, `help COMMAND`, `help FIELD`, `VERB --help`, `RECIPE --help`: all from the tables.

local options = require 'pact.control.cli.options'
local text = require 'pact.base.text'
local verbs = require 'pact.control.cli.verbs'

local M = {}

local function option_rows(names, verb)
  local rows, width = {}, 0
  for _, name in ipairs(names) do
    local option = options.of(options.by_name[name], verb.name)
    if not option.later then
      local left = ('%s--%s%s'):format(option.short and '-' .. option.short .. ', ' or '    ', name,
        option.value and ' ' .. option.value or '')
      rows[#rows + 1] = { left, option.help }
      width = math.max(width, #left)
    end
  end
  for i, row in ipairs(rows) do rows[i] = ('  %s  %s\n'):format(text.pad(row[1], width), row[2]) end
  return table.concat(rows)
end

---@param verb cli_verb
---@return string
function M.verb(verb)
  local usage = ('pactlua %s %s'):format(verb.name, verb.args):gsub(' $', '')
  local out = { ('%s\n  %s\n'):format(usage, verb.help) }
  if verb.name == 'up' then
    out[#out + 1] = "  'pactlua RECIPE ARGS…' is short for it; without RECIPE: pact.lua, devnet.lua or compose.yml,\n"
      .. '  here or above\n'
  end
  local names = table.move(verb.options, 1, #verb.options, 1, {})
  table.move(options.everywhere, 1, #options.everywhere, #names + 1, names)
  out[#out + 1] = '\noptions:\n' .. option_rows(names, verb)
  if verb.about then out[#out + 1] = '\n' .. require(verb.about).help() end
  return table.concat(out)
end

---@return string
function M.overview()
  local out = {
    'pactlua RECIPE [ARGS…]       start the network that a recipe declares\n',
    'pactlua COMMAND [OPTIONS] …\n\ncommands:\n',
  }
  local width = 0
  for _, verb in ipairs(verbs.rows) do width = math.max(width, #verb.name) end
  for _, verb in ipairs(verbs.rows) do
    out[#out + 1] = ('  %s  %s\n'):format(text.pad(verb.name, width), verb.help)
  end
  out[#out + 1] = "\n'pactlua help COMMAND' tells more, 'pactlua help FIELD' about a field of a service such as "
    .. "'health',\n'pactlua RECIPE --help' about a recipe's own options. 'pactlua init' writes a first recipe.\n"
  return table.concat(out)
end

local function topics()
  local names = {}
  for _, verb in ipairs(verbs.rows) do names[#names + 1] = verb.name end
  return names
end

---All that there is to tell about.
---@return offered[]
function M.topics()
  local out = {}
  for _, verb in ipairs(verbs.rows) do out[#out + 1] = { verb.name, verb.help } end
  for _, name in ipairs(require('pact.declare.reference').known(true)) do
    if not verbs.by_name[name] then out[#out + 1] = { (name:gsub(':', '.')) } end -- shells break words at colons
  end
  return out
end

---@param context main_context
---@return integer
function M.run(context)
  local word = context.invocation.ids[1]
  if context.invocation.options.markdown then
    context.out(require('pact.declare.reference').markdown())
    return 0
  end
  if not word then
    context.out(M.overview())
    return 0
  end
  local verb = verbs.by_name[word]
  if verb then
    context.out(M.verb(verb))
    return 0
  end
  local field, message = require('pact.declare.reference').field(word)
  if field then
    context.out(field:gsub('\n*$', '\n'))
    return 0
  end
  local near = text.suggest(word, topics())
  if near == '' then near = message:match ' %(did you mean.*' or '' end
  context.err(("pactlua: help: '%s' is neither a command nor a field%s\n"):format(word, near))
  return 2
end

---`--help` behind a verb or a recipe.
---@param context main_context
---@return integer|false status false: it comes later
function M.about(context)
  local invocation = context.invocation
  if invocation.bare then return require('pact.control.verbs.usage').run(context) or false end
  if invocation.verb == 'help' and not invocation.ids[1] then
    context.out(M.overview())
  else
    context.out(M.verb(verbs.by_name[invocation.verb]))
  end
  return 0
end

return M
