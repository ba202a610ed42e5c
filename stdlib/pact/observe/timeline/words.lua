--- A timeline in words: how the run went, and its critical chain or what it hung on.

local duration = require 'pact.base.duration'
local list = require 'pact.base.list'
local phases = require 'pact.observe.timeline.phases'
local text = require 'pact.base.text'

local M = {}

local VERBS = {
  waiting = 'waited', starting = 'starting', probing = 'probing', working = 'at work', ready = 'ready',
  stopping = 'stopping', backoff = 'in pauses before restarts',
}

M.SEEN_MS = 20 -- what is shorter says nothing about a slow start

local REASON_MOST = 72

local function short(reason) return text.truncate((reason:gsub('%c', ' ')), REASON_MOST) end

-- What kept it from being ready; else what made it so.
local function why(service)
  if service.task then return service.ready_reason ~= 'exit code 0' and service.ready_reason or nil end
  local refused = service.refused
  if refused > 0 then
    return short(service.refusal or 'a probe failed') .. (refused > 1 and (' %d times'):format(refused) or '')
  end
  local reason = service.ready_reason
  return reason and reason ~= 'started' and reason ~= 'ready' and short(reason) or nil
end

-- What a step was spent on, without reasons; `bare`: where that is one thing, without how long.
local function spent(step, bare)
  if not step.id then return 'reading the recipe and running it' end
  local out = {}
  if (step.queued or 0) >= M.SEEN_MS then out[1] = ('waited %s for its turn'):format(duration.format(step.queued)) end
  local least = math.max(M.SEEN_MS, (step.to - step.from) // 50)
  for _, each in ipairs(step.parts) do
    if each.ms >= least or #step.parts == 1 then
      out[#out + 1] = ('%s %s'):format(VERBS[each.phase] or M.phase(each.phase), duration.format(each.ms))
    end
  end
  if bare and #out == 1 and step.parts[1] then return (out[1]:gsub(' %d.*$', '')) end
  return table.concat(out, ', ')
end

---@param phase phase
---@return string
function M.phase(phase) return phases.WORDS[phase] or phase end

---What a step of the chain was spent on, and why.
---@param line timeline
---@param step chain_step
---@param bare? boolean without how long that was, where it is one thing
---@return string
function M.step(line, step, bare)
  local told, reason = spent(step, bare), step.id and why(line.by_id[step.id])
  if told == '' or not reason then return told end
  return ('%s: %s'):format(told, reason)
end

---@param total integer
---@param step chain_step
---@return integer of a hundred
function M.share(total, step)
  return total > 0 and math.floor((step.to - step.from) * 100 / total + 0.5) or 0
end

---How the last one came to be ready, and what cost most.
---@param line timeline
---@param chain chain
---@return string
function M.sentence(line, chain)
  local steps, costliest, out = chain.steps, chain.costliest, {}
  local last = steps[#steps]
  if last.behind then
    local told = spent(steps[#steps - 1])
    out[1] = ('waited %s for %s%s'):format(duration.format(last.from), last.behind,
      told ~= '' and (' (%s)'):format(told) or '')
  end
  local own = costliest == last and M.step(line, last) or spent(last)
  if own ~= '' then out[#out + 1] = own end
  local words = ('%s was ready last, after %s'):format(chain.last, duration.format(chain.total))
  if out[1] then words = ('%s: %s'):format(words, table.concat(out, ', ')) end
  if #steps < 2 or costliest == last then return words end
  local told = M.step(line, costliest, true)
  return ('%s. %s cost most, %s (%d %%)%s'):format(words, costliest.id or 'The recipe',
    duration.format(costliest.to - costliest.from), M.share(chain.total, costliest),
    told ~= '' and ', ' .. told or '')
end

---@param hung stuck
---@return string
function M.hung(hung)
  local reason = hung.reason and hung.phase ~= 'waiting' and ': ' .. short(hung.reason) or ''
  if reason ~= '' and hung.times > 1 then reason = ('%s %d times'):format(reason, hung.times) end
  local words = ('%s: %s for %s%s'):format(hung.id, M.phase(hung.phase), duration.format(hung.to - hung.from), reason)
  if #hung.holds == 0 then return words end
  local names = table.move(hung.holds, 1, math.min(#hung.holds, 4), 1, {})
  if #hung.holds > #names then names[#names + 1] = ('%d more'):format(#hung.holds - #names) end
  return ('%s; %s waited behind it'):format(words, text.enumerate(names))
end

---How the run went as a whole.
---@param line timeline
---@param counts { hung: integer, wanted: integer }
---@return string
function M.outcome(line, counts)
  local out = {}
  if line.ready_at then
    out[1] = 'all ready after ' .. duration.format(line.ready_at)
  elseif line.cut then
    out[1] = 'its start is not known any more'
  elseif counts.wanted > 0 then
    out[1] = ('%d of %s not ready'):format(counts.hung, text.plural(counts.wanted, 'service'))
  end
  local restarts = 0
  for _, service in ipairs(line.services) do restarts = restarts + #service.restarts end
  if restarts > 0 then out[#out + 1] = text.plural(restarts, 'restart') end
  local ended = line.shutdown and 'ended' or line.live and 'up' or 'known for'
  out[#out + 1] = ('%s%s'):format(ended, (line.shutdown and ' after ' or line.live and ' for ' or ' ')
    .. duration.format(line.last))
  return table.concat(out, ', ')
end

---A sentence in lines. A number stays with its unit.
---@param sentence string
---@param width integer columns
---@param measure fun(s: string): integer
---@param indent? integer of further lines
---@return string[]
function M.wrap(sentence, width, measure, indent)
  local lines, line = {}, ''
  for word in sentence:gsub('%c', ' '):gsub('(%d) ([mshd%%])', '%1\0%2'):gmatch '[^ ]+' do
    word = word:gsub('%z', ' ')
    local longer = line == '' and word or line .. ' ' .. word
    if line ~= '' and measure(longer) > width then
      lines[#lines + 1], longer = line, (' '):rep(indent or 0) .. word
    end
    line = longer
  end
  lines[#lines + 1] = line
  return lines
end

---When a service was ready; else what it came to.
---@param service timeline_service
---@param format fun(ms: integer): string
---@return string
function M.result(service, format)
  local phase = service.last and service.last.phase
  if service.ready_at and phase ~= 'failed' then return format(service.ready_at) end
  return phase or ''
end

---Phases that a picture shows, in the legend's order.
---@param seen table<string, true>
---@return string[]
function M.legend(seen)
  return list.filter(phases.ORDER, function(phase) return seen[phase] == true end)
end

return M
