--- What shells may offer behind `pactlua`, from the tables of verbs and options. Names that no table has come from
-- `pactlua completion names`, at the moment they are asked for; nobody waits long for an engine that doesn't answer.

local list = require 'pact.base.list'
local options = require 'pact.control.cli.options'
local verbs = require 'pact.control.cli.verbs'

local M = {}

---@alias offer 'recipes'|'files'|'directories'|string|string[] another text: a kind of control/offers

local NAMES = {
  project = 'projects', run = 'runs', only = 'services', except = 'services', tag = 'tags', profile = 'profiles',
  category = 'categories',
}

---What the value of an option may be; nil: nothing is known of it.
---@param option cli_option
---@return offer?
function M.value(option)
  local value = option.value
  if option.choices then return option.choices end
  if NAMES[option.name] then return NAMES[option.name] end
  if option.name == 'signal' then return list.keys(require('pact.declare.signals').numbers) end
  if value == 'FILE' then return 'files' end
  if value == 'DIR' then return 'directories' end
  return M.choice(value or '')
end

---@param words string such as `ready|healthy`
---@return string[]?
function M.choice(words)
  if not words:find '^%l+|[%l|]+$' then return nil end
  local out = {}
  for word in words:gmatch '%l+' do out[#out + 1] = word end
  return out
end

---@return string[]
function M.names()
  local out = {}
  for i, verb in ipairs(verbs.rows) do out[i] = verb.name end
  return out
end

---What the words of a verb may be.
---@param verb cli_verb
---@return offer[] first, offer[] others those behind the first
function M.words(verb)
  if verb.offers then return { verb.offers[1] }, { verb.offers[2] or verb.words[2] > 1 and verb.offers[1] or nil } end
  local out = {}
  if verb.recipe then out[#out + 1] = 'recipes' end
  if verb.args:find '%f[%w]ID%f[%W]' then out[#out + 1] = verb.role and 'services' or 'ids' end
  out[#out + 1] = M.choice(verb.args)
  return out, verb.words[2] > 1 and M.choice(verb.args) == nil and out or {}
end

---@return string[] as they are spelt, of those whose value may be the next word
function M.valued()
  local out = {}
  for _, option in ipairs(options.rows) do
    if option.value then
      if option.short and not list.index(out, '-' .. option.short) then out[#out + 1] = '-' .. option.short end
      out[#out + 1] = '--' .. option.name
    end
  end
  return out
end

---Options that this version has, as a verb takes them.
---@param verb cli_verb
---@param names string[]
---@return cli_option[]
function M.options(verb, names)
  local out = {}
  for _, name in ipairs(names) do
    local option = options.of(options.by_name[name], verb.name)
    if not option.later then out[#out + 1] = option end
  end
  return out
end

---All that a verb takes.
---@param verb cli_verb
---@return cli_option[]
function M.all_options(verb)
  local names = table.move(verb.options, 1, #verb.options, 1, {})
  return M.options(verb, table.move(options.everywhere, 1, #options.everywhere, #names + 1, names))
end

M.shells = { 'bash', 'zsh', 'fish' }

---@param shell string one of `shells`
---@return string script
function M.script(shell) return require('pact.control.cli.completion.' .. shell).script(M) end

return M
