--- Completion for fish.

local options = require 'pact.control.cli.options'
local verbs = require 'pact.control.cli.verbs'

local M = {}

local FRAME = [[
# fish completion for pactlua, by `pactlua completion fish`
# Words before the cursor that are neither options nor their values: a command, and what is given to it.
function __pactlua_given
    set -l value 0
    for word in (commandline -opc)[2..]
        if test $value = 1
            set value 0
        else if contains -- $word @VALUED@
            set value 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end
function __pactlua_verb
    set -l given (__pactlua_given)
    test "$given[1]" = "$argv[1]"
end
function __pactlua_none
    test -z "$(__pactlua_given)"
end
function __pactlua_first
    set -l given (__pactlua_given)
    test "$given[1]" = "$argv[1]" -a (count $given) = 1
end
function __pactlua_later
    set -l given (__pactlua_given)
    test "$given[1]" = "$argv[1]" -a (count $given) -gt 1
end
function __pactlua_names
    set -l words (commandline -opc)
    set -l project (string match -- '--project=*' $words)
    set -l at (contains -i -- --project $words[1..-2])
    and set -a project --project $words[(math $at + 1)]
    timeout 2 pactlua completion names $argv $project 2>/dev/null
end
function __pactlua_names_behind
    __pactlua_names $argv (__pactlua_given)[2..]
end
complete -c pactlua -f
complete -c pactlua -n __pactlua_none -a '(__fish_complete_suffix .lua)'
]]

local function quoted(text) return "'" .. text:gsub("[\\']", '\\%0') .. "'" end

local PATHS = {
  recipes = '(__fish_complete_suffix .lua)', files = '(__fish_complete_path)',
  directories = '(__fish_complete_directories)',
}

local function offered(offer, how)
  if not offer then return '' end
  local words = type(offer) == 'table' and table.concat(offer, ' ') or PATHS[offer]
  return " -a '" .. (words or ('(%s %s)'):format(how or '__pactlua_names', offer)) .. "'"
end

local function value_of(completion, option)
  local offer = completion.value(option)
  if not option.list or type(offer) ~= 'string' then return offered(offer) end
  return offered(offer, '__fish_complete_list , __pactlua_names'):gsub('__pactlua_names (%l+)', '"__pactlua_names %1"')
end

local function option_line(completion, condition, option)
  return ('complete -c pactlua%s -l %s%s%s%s -d %s\n'):format(condition, option.name,
    option.short and ' -s ' .. option.short or '', option.value and ' -x' or '',
    option.value and value_of(completion, option) or '', quoted(option.help))
end

local function condition(name, verb) return (" -n '%s %s'"):format(name, verb.name) end

-- Words that may stand at every place, and those that stand first or behind the first alone.
local function word_lines(completion, verb, out)
  local first, others = completion.words(verb)
  local function add(where, offers, how)
    for _, offer in ipairs(offers) do
      out[#out + 1] = ('complete -c pactlua%s%s\n'):format(condition(where, verb), offered(offer, how))
    end
  end
  if first == others then return add('__pactlua_verb', first) end
  add('__pactlua_first', first)
  add('__pactlua_later', others, '__pactlua_names_behind')
end

---@param completion table control/completion
---@return string
function M.script(completion)
  local out = { (FRAME:gsub('@VALUED@', table.concat(completion.valued(), ' '))) }
  for _, name in ipairs(options.everywhere) do
    out[#out + 1] = option_line(completion, '', options.by_name[name])
  end
  for _, verb in ipairs(verbs.rows) do
    out[#out + 1] = ('complete -c pactlua -n __pactlua_none -a %s -d %s\n'):format(verb.name, quoted(verb.help))
    for _, option in ipairs(completion.options(verb, verb.options)) do
      out[#out + 1] = option_line(completion, condition('__pactlua_verb', verb), option)
    end
    word_lines(completion, verb, out)
  end
  return table.concat(out)
end

return M
