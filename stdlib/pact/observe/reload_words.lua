--- What a reload has done, or would do, in words for people.

local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

local MOST = 8 -- services in one line

local function fields(...)
  local all = {}
  for _, names in ipairs { ... } do
    for _, name in ipairs(names) do all[#all + 1] = name end
  end
  return table.concat(all, ', ')
end

-- Each: what was done, what would be.
local ACTIONS = {
  added = function(it, dry)
    if not it.wanted then return 'added, not wanted' end
    return dry and 'would be added and started' or 'added, started'
  end,
  removed = function(_, dry) return dry and 'would be stopped and removed' or 'removed, stopped' end,
  restarted = function(it, dry)
    return ('%s (%s)'):format(dry and 'would restart' or 'restarted', fields(it.restarts, it.live or {}))
  end,
  next_start = function(it, dry)
    return ('%s (%s)'):format(dry and 'would change at its next start' or 'changed for its next start',
      fields(it.restarts, it.live or {}))
  end,
  changed = function(it, dry)
    local kept = it.pid and (', pid %d kept'):format(it.pid) or ''
    return ('%s %s%s'):format(fields(it.live or {}), dry and 'would change' or 'changed', kept)
  end,
}

local NETWORK = { hooks = 'hooks', commands = 'commands' }

local function others(answer)
  local names = list.map(answer.network, function(name) return NETWORK[name] or 'pact.' .. name end)
  return names[1] and text.enumerate(names, 'and') or nil
end

local NOTHING = 'nothing has changed'

local function nothing(answer)
  return answer.text and "nothing has changed but the recipe's text" or NOTHING
end

---@param answer reload_answer
---@return string a line for each service, and one for the rest
function M.lines(answer)
  if not answer.changed then return nothing(answer) .. '\n' end
  local out, dry = {}, answer.dry_run
  for _, it in ipairs(answer.services) do out[#out + 1] = ('%s: %s'):format(it.id, ACTIONS[it.action](it, dry)) end
  local rest = others(answer)
  if rest then out[#out + 1] = ('%s of the recipe: %s'):format(rest, dry and 'would be taken over' or 'taken over') end
  if answer.unchanged > 0 then out[#out + 1] = text.plural(answer.unchanged, 'service') .. ' unchanged' end
  return table.concat(out, '\n') .. '\n'
end

---@param answer reload_answer of one that was done
---@return string the same in one line
function M.summary(answer)
  if not answer.changed then return nothing(answer) end
  local out = {}
  for i, it in ipairs(answer.services) do
    if i > MOST then
      out[i] = ('%d more'):format(#answer.services - MOST)
      break
    end
    out[i] = ('%s %s'):format(it.id, ACTIONS[it.action](it, false))
  end
  local rest = others(answer)
  if rest then out[#out + 1] = rest .. ' taken over' end
  return table.concat(out, '; ')
end

---@param answer reload_answer
---@return string? that the recipe was not read to its end
function M.stopped(answer)
  if not answer.stopped_at then return nil end
  return ('reload stops at %s: what the recipe does from there on is not done again, and what it has started stays')
    :format(answer.stopped_at)
end

return M
