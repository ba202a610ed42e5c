--- `pactlua completion SHELL`: what the shell is to evaluate; `completion names KIND`: what that asks for.

local completion = require 'pact.control.cli.completion'
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@param context main_context
---@return integer? status
function M.run(context)
  local ids = context.invocation.ids
  local shell = ids[1]
  if shell == 'names' and ids[2] then
    return require('pact.control.cli.offers').run(context, ids[2], table.move(ids, 3, #ids, 1, {}))
  elseif ids[2] then
    context.err(("pactlua: completion: '%s' is too much; usage: pactlua completion bash|zsh|fish\n"):format(ids[2]))
    return 2
  elseif not list.index(completion.shells, shell) then
    context.err(("pactlua: completion: '%s' is none of %s%s\n"):format(shell,
      text.enumerate(completion.shells, 'or'), text.suggest(shell, completion.shells)))
    return 2
  end
  context.out(completion.script(shell))
  return 0
end

---@return string
function M.help()
  local out, width = {
    'pactlua completion names KIND writes names, one a line, with a tab and a few words\n',
    'where there is something to tell:\n',
  }, 0
  local kinds = require('pact.control.cli.offers').kinds
  for kind in pairs(kinds) do width = math.max(width, #kind) end
  for kind, about in list.sorted(kinds) do out[#out + 1] = ('  %s  %s\n'):format(text.pad(kind, width), about) end
  return table.concat(out)
end

return M
