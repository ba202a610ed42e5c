--- Completion for bash.

local options = require 'pact.control.cli.options'
local verbs = require 'pact.control.cli.verbs'

local M = {}

-- What is typed is read from the line itself: bash breaks words at ':' and '=', and puts an answer in the place of
-- what stands behind the last of them.
local FRAME = [==[
# bash completion for pactlua, by `pactlua completion bash`
_pactlua_reply() {
  local name
  while IFS=$'\t' read -r name _; do
    [[ $name && $list$name == "$word"* ]] || continue
    printf -v name %s%q "$list" "$name"
    COMPREPLY+=("${name#"$broken"}")
  done
}
_pactlua_words() { _pactlua_reply < <(printf '%s\n' $1); }
_pactlua_names() { _pactlua_reply < <(timeout 2 pactlua completion names "$@" "${project[@]}" 2>/dev/null); }
_pactlua_list() { [[ $word == *,* ]] && list=${word%,*},; "$@"; }
_pactlua_paths() { compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$@" -- "$word"); }
_pactlua_files() { _pactlua_paths -f; }
_pactlua_directories() { _pactlua_paths -d; }
_pactlua_recipes() { _pactlua_paths -f -X '!*.lua'; _pactlua_directories; }
_pactlua_value() {
  case $verb:$1 in
@VALUES@    @VALUED@) ;;
    *) return 1 ;;
  esac
}
_pactlua() {
  local line=${COMP_LINE:0:COMP_POINT} word before verb= list= broken= i
  local -a words given=() project=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  COMPREPLY=()
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    case ${words[i]} in
      --) compopt -o default; return ;;
      --project) project=(--project "${words[i+1]}"); ((i++)) ;;
      --project=*) project=("${words[i]}") ;;
      @OPTIONS@) ((i++)) ;;
      -*) ;;
      *) if [[ $verb ]]; then given+=("${words[i]}"); else verb=${words[i]}; fi ;;
    esac
  done
  word=${words[-1]} before=
  ((${#words[@]} > 1)) && before=${words[-2]}
  if [[ $word == --*=* ]]; then before=${word%%=*} word=${word#*=}; fi
  case $word in *[:=]*) broken=${word%"${word##*[:=]}"} ;; esac
  _pactlua_value "$before" && return
  case $verb in
    '') _pactlua_words '@NAMES@'; _pactlua_recipes ;;
@VERBS@    *) compopt -o default ;;
  esac
}
complete -F _pactlua pactlua
]==]

-- Names that depend on the words before them.
local DEPENDENT = { arguments = true, endpoints = true }
local PATHS = { recipes = true, files = true, directories = true }

-- The call that offers it.
local function call(offer)
  if type(offer) == 'table' then return ("_pactlua_words '%s'"):format(table.concat(offer, ' ')) end
  if PATHS[offer] then return '_pactlua_' .. offer end
  return ('_pactlua_names %s%s'):format(offer, DEPENDENT[offer] and ' "${given[@]}"' or '')
end

local function calls(offers)
  local out = {}
  for i, offer in ipairs(offers) do out[i] = call(offer) end
  return out[1] and table.concat(out, '; ') or ':'
end

-- A letter may be short for several options: which one is told by the verb.
local function spelt(option)
  local out = { '*:--' .. option.name }
  for _, verb in ipairs(option.short and verbs.rows or {}) do
    for _, name in ipairs(verb.options) do
      if name == option.name then out[#out + 1] = verb.name .. ':-' .. option.short end
    end
  end
  return table.concat(out, '|')
end

local function verb_case(completion, verb)
  local names = {}
  for _, option in ipairs(completion.all_options(verb)) do names[#names + 1] = '--' .. option.name end
  local first, others = completion.words(verb)
  local one, more = calls(first), calls(others)
  local words = one == more and one or ('if ((${#given[@]})); then %s; else %s; fi'):format(more, one)
  return ("    %s) if [[ $word == -* ]]; then _pactlua_words '%s'; else %s; fi ;;\n"):format(verb.name,
    table.concat(names, ' '), words)
end

---@param completion table control/completion
---@return string
function M.script(completion)
  local values, cases, valued, behind = {}, {}, {}, {}
  for _, option in ipairs(options.rows) do
    local offer = option.value and completion.value(option)
    if offer then
      values[#values + 1] = ('    %s) %s%s ;;\n'):format(spelt(option), option.list and '_pactlua_list ' or '',
        call(offer))
    end
  end
  for i, verb in ipairs(verbs.rows) do cases[i] = verb_case(completion, verb) end
  for i, name in ipairs(completion.valued()) do
    valued[i] = '*:' .. name
    if name ~= '--project' then behind[#behind + 1] = name end
  end
  local parts = {
    VALUED = table.concat(valued, '|'), OPTIONS = table.concat(behind, '|'), VALUES = table.concat(values),
    VERBS = table.concat(cases), NAMES = table.concat(completion.names(), ' '),
  }
  return (FRAME:gsub('@(%u+)@', parts))
end

return M
