--- The table of `top`: as lines of a screen of any size, and as plain text.

local columns = require 'pact.observe.columns'
local duration = require 'pact.base.duration'
local size = require 'pact.base.size'
local text = require 'pact.base.text'
local view = require 'pact.observe.top.view'

local M = {}

local HEAD = {
  name = 'SERVICE', status = 'STATUS', health = 'HEALTH', pid = 'PID', uptime = 'UP', restarts = 'RESTARTS',
  processes = 'PROCS', cpu = 'CPU', memory = 'MEMORY',
}

local CELL = {
  name = function(row) return row.id end,
  status = function(row) return row.status end,
  health = function(row) return row.health or '' end,
  pid = function(row) return row.pid and ('%d'):format(row.pid) or '' end,
  uptime = function(row) return row.uptime and duration.short(row.uptime) or '' end,
  restarts = function(row) return row.restarts > 0 and ('%d'):format(row.restarts) or '' end,
  processes = function(row) return row.processes and ('%d'):format(row.processes) or '' end,
  cpu = function(row) return row.cpu and ('%.1f%%'):format(row.cpu) or '' end,
  memory = function(row) return row.memory and size.format(row.memory) or '' end,
}

local RIGHT = { pid = true, uptime = true, restarts = true, processes = true, cpu = true, memory = true }
local LEAST = { health = 9, uptime = 7, memory = 6, cpu = 6, status = 9, pid = 6 } -- so that columns don't jump about

-- Where there is no room for all: what goes first.
local DROPPED = { 'pid', 'restarts', 'uptime', 'processes', 'health', 'status', 'memory', 'cpu' }
local NAME_LEAST = 8

---@class top_look
---@field project string
---@field uptime integer ms, of the network
---@field clock string
---@field style style
---@field measure fun(s: string): integer

local STATUSES = {
  'running', 'starting', 'waiting', 'backoff', 'stopping', 'completed', 'failed', 'skipped', 'stopped', 'idle',
}

local function counted(sample)
  local out = {}
  for _, status in ipairs(STATUSES) do
    if sample.counts[status] then out[#out + 1] = ('%d %s'):format(sample.counts[status], status) end
  end
  return table.concat(out, ', ')
end

---What is true of the network and of the machine.
---@param sample top_sample
---@param look top_look
---@return string network, string machine
local function totals(sample, look)
  local machine = sample.machine
  local cpu = machine.cpu and ('cpu %.0f%% of %s, '):format(machine.cpu, text.plural(machine.cpus, 'processor')) or ''
  return ('%s  up %s  %s: %s  cpu %.1f%%, %s, %s'):format(look.project, duration.format(look.uptime),
      text.plural(#sample.rows, 'service'), counted(sample), sample.cpu, size.format(sample.memory),
      text.plural(sample.processes, 'process', 'processes')),
    ('machine  %sload %.2f  memory %s of %s'):format(cpu, machine.load, size.format(machine.mem_used),
      size.format(machine.mem_total))
end

---The whole table as text.
---@param sample top_sample
---@param state top_view
---@param look top_look
---@return string
function M.plain(sample, state, look)
  local network, machine = totals(sample, look)
  local rows, head, right = {}, {}, {}
  for i, column in ipairs(view.columns) do head[i], right[i] = HEAD[column.name], RIGHT[column.name] end
  rows[1] = head
  for _, row in ipairs(state:rows(sample.rows)) do
    local cells = {}
    for i, column in ipairs(view.columns) do cells[i] = CELL[column.name](row) end
    rows[#rows + 1] = cells
  end
  return ('%s\n%s\n%s'):format(network, machine, columns.render(rows, {
    right = right, width = look.measure,
    paint = look.style.colour and function(cell, column)
      return column == 2 and look.style:status(cell) or cell
    end or nil,
  }))
end

---------------------------------------------------------------------------------------------------
-- A screen.

local function widths_of(rows, look)
  local widths = {}
  for _, column in ipairs(view.columns) do
    local name = column.name
    local width = math.max(#HEAD[name] + 1, LEAST[name] or 0) -- with a mark
    for _, row in ipairs(rows) do width = math.max(width, look.measure(CELL[name](row))) end
    widths[name] = width
  end
  return widths
end

-- Which columns there is room for, the sorted one always; and how wide names may be.
local function fit(widths, width, sorted)
  local dropped, used = {}, -2
  for _, column in ipairs(view.columns) do used = used + widths[column.name] + 2 end
  local name = widths.name
  for _, each in ipairs(DROPPED) do
    if used - name + math.min(name, NAME_LEAST) <= width then break end
    if each ~= sorted then
      dropped[each], used = true, used - widths[each] - 2
    end
  end
  if used > width then name = math.max(name - (used - width), 1) end
  return dropped, name
end

-- Exactly so many columns.
local function cell_text(value, width, right, look)
  value = value:gsub('%c', ' ')
  if look.measure(value) > width then value = text.truncate(value, width) end
  local gap = (' '):rep(width - look.measure(value))
  return right and gap .. value or value .. gap
end

local function line_of(cell, widths, dropped, paint, look)
  local out = {}
  for _, column in ipairs(view.columns) do
    local name = column.name
    if not dropped[name] then out[#out + 1] = paint(cell_text(cell(name), widths[name], RIGHT[name], look), name) end
  end
  return table.concat(out, '  ')
end

local KEYS = 'q quit  < > sort  r reverse  / filter  up down scroll'

local function foot(state, shown, room, look)
  if state.typing then return look.style:paint('bold', '/' .. state.filter) .. '_' end
  local place = ''
  if shown > room then
    place = ('%d-%d of %d  '):format(state.first, math.min(state.first + room - 1, shown), shown)
  end
  if state.filter ~= '' then place = ('%s/%s (Esc: all)  '):format(place, state.filter) end
  return place .. KEYS
end

-- The column by which is sorted, without colours.
local function marked(cell)
  local head = cell:gsub('^( *) (%u+)$', '%1*%2')
  return head == cell and cell:gsub('^(%u+) ', '%1*') or head
end

local function clipped(line, width) return text.truncate(line, width) end

-- Of a low screen the table has as much as possible: the figures of the machine, the keys, the network's and the
-- heading go, in that order.
local function parts(height)
  return { machine = height >= 8, foot = height >= 6, network = height >= 4, head = height >= 2 }
end

---The rows that a screen of this height has room for.
---@param height integer
---@return integer
function M.page(height)
  local room = height
  for _, shown in pairs(parts(height)) do room = room - (shown and 1 or 0) end
  return math.max(room, 1)
end

---The lines of a screen, none longer than it is wide, no more than it is high.
---@param sample top_sample
---@param state top_view what is beyond the last row is set back
---@param look top_look
---@param width integer
---@param height integer
---@return string[]
function M.screen(sample, state, look, width, height)
  local rows, room, part, out = state:rows(sample.rows), M.page(height), parts(height), {}
  state.first = math.max(1, math.min(state.first, #rows - room + 1))
  local network, machine = totals(sample, look)
  if part.network then out[1] = look.style:paint('bold', clipped(network, width)) end
  if part.machine then out[2] = clipped(machine, width) end
  local sorted = view.columns[state.column].name
  local widths = widths_of(rows, look)
  local dropped, name = fit(widths, width, sorted)
  widths.name = name
  if part.head then
    out[#out + 1] = line_of(function(column) return HEAD[column] end, widths, dropped, function(cell, column)
      if column == sorted and not look.style.colour then return marked(cell) end
      return look.style:paint(column == sorted and 'reverse' or 'dim', cell)
    end, look)
  end
  for i = state.first, math.min(state.first + room - 1, #rows) do
    local row = rows[i]
    out[#out + 1] = line_of(function(column) return CELL[column](row) end, widths, dropped, function(cell, column)
      if column == 'status' then return look.style:status(row.status, cell) end
      if column == 'health' and row.health == 'unhealthy' then return look.style:paint('red', cell) end
      return cell
    end, look)
  end
  if part.foot then
    while #out < height - 1 do out[#out + 1] = '' end
    local last = foot(state, #rows, room, look)
    out[#out + 1] = state.typing and last or look.style:paint('dim', clipped(last, width))
  end
  return out
end

return M
