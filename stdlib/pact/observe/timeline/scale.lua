--- The axis of times: round ticks and their words, and what of a service falls into which cell of a width.

local duration = require 'pact.base.duration'
local phases = require 'pact.observe.timeline.phases'

local M = {}

local S, MIN, H, D = 1000, 60000, 3600000, 86400000
local STEPS = {
  1, 2, 5, 10, 20, 50, 100, 200, 500, S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S, MIN, 2 * MIN, 5 * MIN, 10 * MIN,
  15 * MIN, 30 * MIN, H, 2 * H, 3 * H, 6 * H, 12 * H, D, 2 * D, 7 * D, 30 * D,
}

local function label(ms, step, to)
  if ms == 0 then return '0' end
  if to >= S and step % S ~= 0 and ms < MIN then return ('%g s'):format(ms / S) end
  return duration.format(ms)
end

---Round times within a window, at most `most` of them, and what stands beside each.
---@param from integer
---@param to integer
---@param most integer
---@return { at: integer, text: string }[]
function M.ticks(from, to, most)
  local step = STEPS[#STEPS]
  for _, each in ipairs(STEPS) do
    if (to - from) / each <= math.max(most, 1) then
      step = each
      break
    end
  end
  local out = {}
  for at = (from + step - 1) // step * step, to, step do
    out[#out + 1] = { at = at, text = label(at, step, to) }
  end
  return out
end

-- What must be seen although it was short.
local WEIGHT = { failed = 4, backoff = 3, unhealthy = 3, stopping = 2 }

-- Gives `what` the cells that it fills, and its share of those that it doesn't.
local function spread(cells, shares, what, first, behind, count)
  local a, b = math.max(first, 0), math.min(behind, count)
  if b <= a then return end
  local i, j = math.floor(a), math.ceil(b) - 1
  for cell = i, j do
    local part = math.min(b, cell + 1) - math.max(a, cell)
    if part >= 1 then
      cells[cell + 1] = what
    else
      local share = shares[cell] or {}
      share[what], shares[cell] = (share[what] or 0) + part, share
    end
  end
end

local function heaviest(share)
  local best, most = nil, 0
  for _, name in ipairs(phases.ORDER) do
    local weight = (share[name] or 0) * (WEIGHT[name] or 1)
    if weight > most then best, most = name, weight end
  end
  return best or next(share)
end

---@param service timeline_service
---@param from integer
---@param to integer behind it
---@param count integer of cells
---@return table<integer, phase|'unhealthy'> by number of the cell; none where nothing is known
function M.cells(service, from, to, count)
  local cells, shares, size = {}, {}, (to - from) / count
  phases.each(service, from, to, function(phase, first, behind)
    spread(cells, shares, phase, (first - from) / size, (behind - from) / size, count)
  end)
  for cell, share in pairs(shares) do cells[cell + 1] = heaviest(share) end
  local sick = {}
  for _, stretch in ipairs(service.sick) do
    local first, behind = (stretch.from - from) / size, (stretch.to - from) / size
    spread(cells, sick, 'unhealthy', first, math.max(behind, first + 0.5), count)
  end
  for cell, share in pairs(sick) do
    if share.unhealthy >= 0.3 or not cells[cell + 1] then cells[cell + 1] = 'unhealthy' end
  end
  return cells
end

---The same in runs of cells that are alike.
---@return { what: string, first: integer, last: integer }[] cells from 1 on
function M.runs(cells, count)
  local out = {}
  for cell = 1, count do
    local what, open = cells[cell], out[#out]
    if open and open.what == what and open.last == cell - 1 then
      open.last = cell
    elseif what then
      out[#out + 1] = { what = what, first = cell, last = cell }
    end
  end
  return out
end

---Cells in which a service was started again.
---@return table<integer, integer> how often, by number of the cell
function M.restarts(service, from, to, count)
  local out = {}
  for _, at in ipairs(service.restarts) do
    if at >= from and at < to then
      local cell = math.floor((at - from) * count / (to - from)) + 1
      out[cell] = (out[cell] or 0) + 1
    end
  end
  return out
end

---@class timeline_window
---@field from integer
---@field to integer

---What a picture covers: what was asked for; else the start until all was ready and a tenth more; of a start
---that never was one, all of it.
---@param line timeline
---@param opts { all?: boolean, from?: integer, to?: integer }
---@return timeline_window?, string? message
function M.window(line, opts)
  local to = line.last
  if line.ready_at and not (opts.all or opts.from or opts.to) then
    to = math.min(to, line.ready_at + math.max(line.ready_at // 10, 1))
  end
  local window = { from = opts.from or 0, to = opts.to or math.max(to, 1) }
  if window.from >= window.to then
    return nil, ('nothing is between %s and %s: the run took %s'):format(duration.format(window.from),
      duration.format(window.to), duration.format(line.last))
  end
  return window
end

return M
