--- Completion for zsh.

local list = require 'pact.base.list'
local options = require 'pact.control.cli.options'
local verbs = require 'pact.control.cli.verbs'

local M = {}

local FRAME = [[
#compdef pactlua
# zsh completion for pactlua, by `pactlua completion zsh`
# KIND, then options of compadd: the names of a kind, which may depend on the words in pactlua_given.
_pactlua_names() {
  local kind=$1
  local -a names
  shift
  names=(${(f)"$(timeout 2 pactlua completion names $kind $pactlua_given $pactlua_project \
    ${opt_args[--project]:+--project=${opt_args[--project]}} 2>/dev/null)"})
  names=(${${names//:/\\:}//$'\t'/:})
  _describe -t $kind $kind names "$@"
}
@KINDS@_pactlua_recipes() { _files -g '*.lua' }
@BOTH@_pactlua_commands_of_ours() {
  local -a commands
  commands=(
@NAMES@  )
  _describe -t commands command commands
}
_pactlua_first() { _alternative 'commands:command:_pactlua_commands_of_ours' 'recipes:recipe:_pactlua_recipes' }
_pactlua() {
  local curcontext=$curcontext state line
  local -a pactlua_project pactlua_given
  local -A opt_args
  _arguments -C @EVERYWHERE@ '1: :_pactlua_first' '*::argument:->argument' && return
  pactlua_project=(${opt_args[--project]:+--project=${opt_args[--project]}})
  case $words[1] in
@VERBS@    *) _files ;;
  esac
}
if [ "$funcstack[1]" = _pactlua ]; then _pactlua "$@"; else compdef _pactlua pactlua; fi
]]

-- Text between quotes, within a specification of _arguments.
local function quoted(text) return (text:gsub("'", "'\\''"):gsub('[%[%]:]', '\\%0')) end

local PATHS = { recipes = '_pactlua_recipes', files = '_files', directories = '_files -/' }

local function action(offer)
  if type(offer) == 'table' then return '(' .. table.concat(offer, ' ') .. ')' end
  return offer and (PATHS[offer] or '_pactlua_' .. offer) or ''
end

local function value_action(completion, option)
  local offer = completion.value(option)
  return (option.list and type(offer) == 'string' and '_sequence ' or '') .. action(offer)
end

local function specs(completion, taken)
  local out = {}
  for _, option in ipairs(taken) do
    local value = option.value and (':%s:%s'):format(quoted(option.value), value_action(completion, option)) or ''
    local equals = option.value and '=' or ''
    out[#out + 1] = ("'--%s%s[%s]%s'"):format(option.name, equals, quoted(option.help), value)
    if option.short then out[#out + 1] = ("'-%s[%s]%s'"):format(option.short, quoted(option.help), value) end
  end
  return table.concat(out, ' ')
end

local function both(offers) return offers[2] and ('_pactlua_recipes_%s'):format(offers[2]) or action(offers[1]) end

-- What the first word may be, and those behind it.
local function words(completion, verb)
  local first, others = completion.words(verb)
  local about = quoted(verb.args)
  if first == others then return first[1] and (" '*:%s:%s'"):format(about, both(first)) or '' end
  local out = first[1] and (" '1:%s:%s'"):format(about, both(first)) or ''
  return others[1] and out .. (" '*:%s:%s'"):format(about, both(others)) or out
end

-- Names that depend on the words before them, which are no options.
local DEPENDENT = { arguments = true, endpoints = true }

-- A function for each kind of names, as specifications call them.
local function kinds()
  local out = {}
  for kind in list.sorted(require('pact.control.cli.offers').kinds) do
    local given = DEPENDENT[kind] and 'local -a pactlua_given=(${words[2,CURRENT-1]:#-*}); ' or ''
    out[#out + 1] = ('_pactlua_%s() { %s_pactlua_names %s "$@" }\n'):format(kind, given, kind)
  end
  return table.concat(out)
end

-- Where a word is a recipe or a name.
local function alternatives()
  local out = {}
  for _, kind in ipairs { 'ids', 'services' } do
    out[#out + 1] = ("_pactlua_recipes_%s() {\n  _alternative 'services:service:_pactlua_%s' "
      .. "'recipes:recipe:_pactlua_recipes'\n}\n"):format(kind, kind)
  end
  return table.concat(out)
end

---@param completion table control/completion
---@return string
function M.script(completion)
  local names, cases, everywhere = {}, {}, {}
  for i, verb in ipairs(verbs.rows) do
    names[i] = ("    '%s:%s'\n"):format(verb.name, (verb.help:gsub("'", "'\\''")))
    cases[i] = ('    %s) _arguments %s%s ;;\n'):format(verb.name, specs(completion, completion.all_options(verb)),
      words(completion, verb))
  end
  for i, name in ipairs(options.everywhere) do everywhere[i] = options.by_name[name] end
  local parts = {
    KINDS = kinds(), BOTH = alternatives(), NAMES = table.concat(names),
    VERBS = table.concat(cases), EVERYWHERE = specs(completion, everywhere),
  }
  return (FRAME:gsub('@(%u+)@', parts))
end

return M
