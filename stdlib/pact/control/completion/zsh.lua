--- Completion for zsh.

local options = require 'pact.control.options'
local verbs = require 'pact.control.verbs'

local M = {}

local FRAME = [[
#compdef pactlua
# zsh completion for pactlua, by `pactlua completion zsh`
_pactlua_ids() {
  local -a ids
  ids=(${(f)"$(timeout 2 pactlua ps --json 2>/dev/null | sed -nE 's/^    "(id|group)": "(.*)",?$/\2/p' | sort -u)"})
  _describe -t services service ids
}
_pactlua_recipes() { _files -g '*.lua' }
_pactlua_recipes_ids() { _alternative 'services:service:_pactlua_ids' 'recipes:recipe:_pactlua_recipes' }
_pactlua_commands() {
  local -a commands
  commands=(
@NAMES@  )
  _describe -t commands command commands
}
_pactlua_first() { _alternative 'commands:command:_pactlua_commands' 'recipes:recipe:_pactlua_recipes' }
_pactlua() {
  local curcontext=$curcontext state line
  local -A opt_args
  _arguments -C @EVERYWHERE@ '1: :_pactlua_first' '*::argument:->argument' && return
  case $words[1] in
@VERBS@    *) _files ;;
  esac
}
if [ "$funcstack[1]" = _pactlua ]; then _pactlua "$@"; else compdef _pactlua pactlua; fi
]]

-- Text between quotes, within a specification of _arguments.
local function quoted(text) return (text:gsub("'", "'\\''"):gsub('[%[%]:]', '\\%0')) end

local ACTIONS = {
  ids = '_pactlua_ids', recipes = '_pactlua_recipes', files = '_files', directories = '_files -/',
}

local function action(offer)
  if type(offer) == 'table' then return '(' .. table.concat(offer, ' ') .. ')' end
  return ACTIONS[offer] or ''
end

local function specs(completion, list)
  local out = {}
  for _, option in ipairs(list) do
    local value = option.value and (':%s:%s'):format(quoted(option.value), action(completion.value(option))) or ''
    local equals = option.value and '=' or ''
    out[#out + 1] = ("'--%s%s[%s]%s'"):format(option.name, equals, quoted(option.help), value)
    if option.short then out[#out + 1] = ("'-%s[%s]%s'"):format(option.short, quoted(option.help), value) end
  end
  return table.concat(out, ' ')
end

local function words(completion, verb)
  local offers = completion.words(verb)
  if not offers[1] then return '' end
  local both = offers[1] == 'recipes' and offers[2] == 'ids'
  return (" '*:%s:%s'"):format(quoted(verb.args), both and '_pactlua_recipes_ids' or action(offers[1]))
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
    NAMES = table.concat(names), VERBS = table.concat(cases), EVERYWHERE = specs(completion, everywhere),
  }
  return (FRAME:gsub('@(%u+)@', parts))
end

return M
