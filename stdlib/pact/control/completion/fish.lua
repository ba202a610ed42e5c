--- Completion for fish.

local options = require 'pact.control.options'
local verbs = require 'pact.control.verbs'

local M = {}

local FRAME = [[
# fish completion for pactlua, by `pactlua completion fish`
function __pactlua_ids
    timeout 2 pactlua ps --json 2>/dev/null | sed -nE 's/^    "(id|group)": "(.*)",?$/\2/p' | sort -u
end
complete -c pactlua -f
complete -c pactlua -n __fish_use_subcommand -a '(__fish_complete_suffix .lua)'
]]

local function quoted(text) return "'" .. text:gsub("[\\']", '\\%0') .. "'" end

local OFFERS = {
  ids = '(__pactlua_ids)', recipes = '(__fish_complete_suffix .lua)', files = '(__fish_complete_path)',
  directories = '(__fish_complete_directories)',
}

local function offered(offer)
  if not offer then return '' end
  return " -a '" .. (type(offer) == 'table' and table.concat(offer, ' ') or OFFERS[offer]) .. "'"
end

local function option_line(completion, condition, option)
  return ('complete -c pactlua%s -l %s%s%s%s -d %s\n'):format(condition, option.name,
    option.short and ' -s ' .. option.short or '', option.value and ' -x' or '',
    option.value and offered(completion.value(option)) or '', quoted(option.help))
end

---@param completion table control/completion
---@return string
function M.script(completion)
  local out = { FRAME }
  for _, name in ipairs(options.everywhere) do
    out[#out + 1] = option_line(completion, '', options.by_name[name])
  end
  for _, verb in ipairs(verbs.rows) do
    local condition = (" -n '__fish_seen_subcommand_from %s'"):format(verb.name)
    out[#out + 1] = ('complete -c pactlua -n __fish_use_subcommand -a %s -d %s\n'):format(verb.name, quoted(verb.help))
    for _, option in ipairs(completion.options(verb, verb.options)) do
      out[#out + 1] = option_line(completion, condition, option)
    end
    for _, offer in ipairs(completion.words(verb)) do
      out[#out + 1] = ('complete -c pactlua%s%s\n'):format(condition, offered(offer))
    end
  end
  return table.concat(out)
end

return M
