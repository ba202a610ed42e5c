--- What stands on the screen when a network has ended: each service's end, the last lines of what
--- failed, and where the logs are.

local columns = require 'pact.observe.columns'
local duration = require 'pact.base.duration'
local reason = require 'pact.supervise.reason'

local M = {}

local LAST_LINES = 10
local SHUTDOWN = reason.by('stopped', 'shutdown')

local function ended_badly(service)
  return service.status == 'failed' or service.status == 'skipped'
end

-- Who was stopped by somebody before the network ended was stopped by them; else its own end says more.
local function how(service)
  local last = service.history and service.history[#service.history]
  if service.status == 'skipped' or service.status == 'failed' then return service.reason or '' end
  if service.status == 'stopped' and service.reason ~= SHUTDOWN then return service.reason or '' end
  if last and not last.requested then return last.reason or '' end
  return service.reason or ''
end

---How services ended, as a table.
---@param services snapshot[]
---@param style style
---@param width? fun(s: string): integer
---@return string
function M.services(services, style, width)
  local rows = { { 'SERVICE', 'STATUS', 'RESTARTS', 'UP', 'REASON' } }
  for _, service in ipairs(services) do
    if service.want == 'up' or service.status ~= 'idle' then
      local last = service.history and service.history[#service.history]
      rows[#rows + 1] = {
        service.id,
        service.status,
        service.restart_count > 0 and tostring(service.restart_count) or '',
        last and last.uptime and duration.short(last.uptime) or '',
        (how(service):gsub('%c', ' ')),
      }
    end
  end
  if #rows == 1 then return '' end
  return columns.render(rows, {
    width = width,
    right = { [3] = true },
    paint = function(cell, column)
      return column == 2 and style:status(cell) or cell
    end,
  })
end

---@param service snapshot
---@param lines fun(id: string, count: integer): sys.log_line[]?
local function last_words(service, lines, style)
  local found = lines(service.id, LAST_LINES)
  if not found or #found == 0 then return '' end
  local out = { style:paint('bold', ('last lines of %s:'):format(service.id)) .. '\n' }
  for _, line in ipairs(found) do
    out[#out + 1] = '  ' .. line.text .. '\n'
  end
  return table.concat(out)
end

---@class summary_input
---@field services snapshot[]
---@field reason? string why it ended
---@field elapsed? integer ms
---@field survivors? table[]
---@field log_dir? string
---@field unready? table<string, true|string> services whose last lines are shown, too, and why they weren't ready
---@field lines fun(id: string, count: integer): sys.log_line[]?
---@field style style
---@field width? fun(s: string): integer

---@param input summary_input
---@return string
function M.render(input)
  local out, style = {}, input.style
  for _, service in ipairs(input.services) do
    local unready = input.unready and input.unready[service.id]
    if unready or ended_badly(service) then out[#out + 1] = last_words(service, input.lines, style) end
  end
  for _, service in ipairs(input.services) do
    local why = input.unready and input.unready[service.id]
    if type(why) == 'string' then out[#out + 1] = ('not ready: %s: %s\n'):format(service.id, why) end
  end
  local head = 'ended'
  if input.elapsed then head = head .. ' after ' .. duration.format(input.elapsed) end
  if input.reason and input.reason ~= '' then head = head .. ': ' .. input.reason end
  out[#out + 1] = style:paint('bold', head) .. '\n'
  out[#out + 1] = M.services(input.services, style, input.width)
  for _, survivor in ipairs(input.survivors or {}) do
    out[#out + 1] = style:paint('red', ("could not be killed: pid %d (%s) of '%s', state %s"):format(survivor.pid,
      survivor.name, survivor.service or '?', survivor.state)) .. '\n'
  end
  if input.log_dir then out[#out + 1] = 'logs: ' .. input.log_dir .. '\n' end
  return table.concat(out)
end

return M
