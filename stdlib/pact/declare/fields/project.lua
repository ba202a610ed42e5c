--- What a recipe says about the whole network: `pact.shutdown_timeout '1m'`, `pact.tui { … }`.
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

local project = {
  name = 'name', lua = 'string',
  check = function(value, cursor)
    if type(value) == 'string' and #value <= 64 and value:find '^%w[%w_.-]*$' then return value end
    cursor:fail(("must be a name of letters, digits, '_', '.' and '-', got %s"):format(text.show(value)))
  end,
}

---@type noun each field is a function of `pact`
M.noun = {
  name = 'project',
  doc = 'The whole network.',
  fields = {
    { name = 'project', type = project, reload = 'restart',
      default = "the directory's name, with the recipe's unless that is pact.lua",
      doc = 'The name of the network, which it keeps as long as it lives.' },
    { name = 'max_parallel_starts', type = values.integer, min = 1, default = 'none',
      doc = 'So many services may be starting at once.' },
    { name = 'shutdown_timeout', type = values.duration,
      default = '30s, or the longest stop.timeout',
      doc = 'The whole shutdown; then everything is killed.' },
    { name = 'hook_timeout', type = values.duration, min = 1, default = '10s',
      doc = 'How long a policy waits for the verdict of a hook.' },
  },
}

---@type noun
M.tui = {
  name = 'tui',
  doc = 'The terminal interface.',
  fields = {
    { name = 'refresh_rate', type = values.duration, min = 10, default = '1s',
      doc = 'The time between two drawings.' },
    { name = 'max_logs', type = values.integer, min = 1, default = '100',
      doc = 'Lines of output that are shown.' },
    { name = 'show_debug_logs', type = values.boolean, default = 'false',
      doc = 'Show our own log too.' },
    { name = 'theme', type = values.any, doc = 'Colours, symbols and borders.' },
  },
}
for _, noun in ipairs { M.noun, M.tui } do
  for _, row in ipairs(noun.fields) do row.reload = row.reload or 'live' end
end

return M
