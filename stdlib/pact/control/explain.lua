--- Why a service is as it is: what the supervisor knows, who had the last word, and what it wrote before it ended.

local list = require 'pact.base.list'

local M = {}

local EXITS, LINES = 3, 3

-- The last lines of each of its last lives that nobody has ended.
local function last_words(network, id, history)
  local log = network.supervisor:log(id)
  if not log then return end
  for i = math.max(1, #history - EXITS + 1), #history do
    local exit = history[i]
    local found = not exit.requested and network.sys.log.lines(log, { epoch = exit.epoch, count = LINES })
    if found and found[1] then exit.lines = list.map(found, function(line) return line.text end) end
  end
end

---@param network network
---@param id string
---@return why?
function M.service(network, id)
  local why = network.supervisor:why(id)
  if not why then return nil end
  last_words(network, id, why.history)
  why.decided = network.decisions:of(id)
  local decide = network.supervisor:service(id).restart.decide
  why.restart_function = decide and network.recipe:place(decide)
  return why
end

return M
