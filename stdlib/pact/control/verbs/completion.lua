--- `pactlua completion SHELL`: what the shell is to evaluate.

local completion = require 'pact.control.completion'
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@param context main_context
function M.run(context)
  local shell = context.invocation.ids[1]
  if not list.index(completion.shells, shell) then
    context.err(("pactlua: completion: '%s' is none of %s%s\n"):format(shell,
      text.enumerate(completion.shells, 'or'), text.suggest(shell, completion.shells)))
    return 2
  end
  context.out(completion.script(shell))
  return 0
end

return M
