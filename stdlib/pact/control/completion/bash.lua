--- Completion for bash.

local options = require 'pact.control.options'
local verbs = require 'pact.control.verbs'

local M = {}

local FRAME = [==[
# bash completion for pactlua, by `pactlua completion bash`
_pactlua_offer() { mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$@" -- "$word"); }
_pactlua_words() { _pactlua_offer -W "$1"; }
_pactlua_ids() {
  _pactlua_words "$(timeout 2 pactlua ps --json 2>/dev/null | sed -nE 's/^    "(id|group)": "(.*)",?$/\2/p' | sort -u)"
}
_pactlua_files() { compopt -o filenames; _pactlua_offer -f; }
_pactlua_directories() { compopt -o filenames; _pactlua_offer -d; }
_pactlua_recipes() { compopt -o filenames; _pactlua_offer -f -X '!*.lua'; _pactlua_directories; }
_pactlua() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --) compopt -o default; return ;;
      @VALUED@) ((i++)) ;;
      -*) ;;
      *) [[ $verb ]] || verb=${COMP_WORDS[i]} ;;
    esac
  done
  case $before in
@VALUES@    @VALUED@) return ;;
  esac
  case $verb in
    '') _pactlua_words '@NAMES@'; _pactlua_recipes ;;
@VERBS@    *) compopt -o default ;;
  esac
}
complete -F _pactlua pactlua
]==]

-- The call that offers it.
local function call(offer)
  if type(offer) == 'table' then return ("_pactlua_words '%s'"):format(table.concat(offer, ' ')) end
  return '_pactlua_' .. offer
end

local function spelt(option)
  return (option.short and '-' .. option.short .. '|' or '') .. '--' .. option.name
end

local function verb_case(completion, verb)
  local names, calls = {}, {}
  for _, option in ipairs(completion.all_options(verb)) do names[#names + 1] = '--' .. option.name end
  for i, offer in ipairs(completion.words(verb)) do calls[i] = call(offer) end
  return ("    %s) if [[ $word == -* ]]; then _pactlua_words '%s'; else %s; fi ;;\n"):format(verb.name,
    table.concat(names, ' '), calls[1] and table.concat(calls, '; ') or ':')
end

---@param completion table control/completion
---@return string
function M.script(completion)
  local valued, values, cases = {}, {}, {}
  for _, option in ipairs(options.rows) do
    if option.value then
      valued[#valued + 1] = spelt(option)
      local offer = completion.value(option)
      if offer then values[#values + 1] = ('    %s) %s; return ;;\n'):format(spelt(option), call(offer)) end
    end
  end
  for i, verb in ipairs(verbs.rows) do cases[i] = verb_case(completion, verb) end
  local parts = {
    VALUED = table.concat(valued, '|'), VALUES = table.concat(values), VERBS = table.concat(cases),
    NAMES = table.concat(completion.names(), ' '),
  }
  return (FRAME:gsub('@(%u+)@', parts))
end

return M
