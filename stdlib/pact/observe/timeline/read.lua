--- A run's files as records: the lines of its journal that tell of phases, oldest first, a piece of a file at a
-- time; and what is said beside it of its services. What can't be read is counted and left out.

local json = require 'pact.base.json'
local list = require 'pact.base.list'
local plan_record = require 'pact.observe.plan_record'

local M = {}

local PIECE_SIZE = 256 << 10
local LINE_MAX = 4 << 20

-- What else there is says nothing about phases.
local TELLING = list.set {
  'started', 'restarted', 'ready', 'completed', 'crashed', 'backoff', 'failed', 'skipped', 'stopped', 'healthy',
  'unhealthy', 'all_ready', 'shutdown', 'probe',
}

---@class timeline_report what couldn't be read
---@field unreadable integer lines
---@field newer? string the version that wrote the record, when it is of a form that isn't known
---@field first? integer number of the first event that was read

-- events.jsonl.2, .1, events.jsonl
local function journal_files(fs, dir)
  local ages, out = {}, {}
  for _, name in ipairs(fs.list(dir) or {}) do
    local age = name == 'events.jsonl' and 0 or math.tointeger(tonumber(name:match '^events%.jsonl%.(%d+)$'))
    if age then ages[#ages + 1] = age end
  end
  table.sort(ages, function(a, b) return a > b end)
  for i, age in ipairs(ages) do out[i] = dir .. '/events.jsonl' .. (age > 0 and '.' .. ('%d'):format(age) or '') end
  return out
end

---Lines of a file; a last one without an end is given, too.
---@param fs sys.fs
---@param path string
---@return fun(): string?
local function lines_of(fs, path)
  local offset, rest, pieces = 0, '', nil
  local function refill()
    local bytes = fs.read_at(path, offset, PIECE_SIZE) or ''
    offset = offset + #bytes
    local whole, tail = bytes:match '^(.*\n)(.*)$'
    if bytes == '' then
      whole, tail = rest, ''
    elseif whole then
      whole = rest .. whole
    else
      whole, tail = '', rest .. bytes
    end
    if #tail > LINE_MAX then tail = '\0' end -- no line of ours: told as one that can't be read
    rest, pieces = tail, whole ~= '' and whole:gmatch '[^\n]+' or nil
    return bytes ~= ''
  end
  return function()
    while true do
      local line = pieces and pieces()
      if line then return line end
      if not refill() and not pieces then return nil end
    end
  end
end

local function is_number(value) return type(value) == 'number' and value == value and math.abs(value) < 2 ^ 53 end

local function integer(value) return is_number(value) and math.floor(value) or nil end

-- An event with the fields that are asked for, each of its type.
local function checked(event)
  if type(event) ~= 'table' or type(event.name) ~= 'string' then return nil end
  event.mono, event.at, event.seq = integer(event.mono), integer(event.at), integer(event.seq)
  if not event.mono then return nil end
  if event.service ~= nil and type(event.service) ~= 'string' then return nil end
  if type(event.reason) ~= 'string' then event.reason = nil end
  if type(event.held_by) ~= 'string' then event.held_by = nil end
  local spent = {}
  for name, ms in pairs(type(event.spent) == 'table' and event.spent or {}) do
    if integer(ms) and ms > 0 then spent[name] = integer(ms) end
  end
  event.spent = spent
  return event
end

-- Most lines of a long run are results of probes; nearly all of them aren't decoded.
local function wanted(line, of_probes)
  local name = line:match '"name":"([%w_:%-]+)"'
  if not name then return true end
  if name == 'probe' then return of_probes(line:match '"service":"([^"]*)"') end
  return TELLING[name] ~= nil
end

---@param fs sys.fs
---@param dir string a run's
---@param report timeline_report
---@param of_probes fun(service?: string): boolean? whether results of its probes are asked for now
---@return fun(): event?
function M.events(fs, dir, report, of_probes)
  local files, at, lines, last = journal_files(fs, dir), 0, nil, 0
  local function next_line()
    while true do
      local line = lines and lines()
      if line then return line end
      at = at + 1
      if not files[at] then return nil end
      lines = lines_of(fs, files[at])
    end
  end
  return function()
    for line in next_line do
      if wanted(line, of_probes) then
        local event = checked(json.decode(line))
        if not event then
          report.unreadable = report.unreadable + 1
        elseif not event.seq or event.seq > last then -- a file may have got another name meanwhile
          last = event.seq or last
          report.first = report.first or event.seq
          return event
        end
      end
    end
  end
end

local function head_of(record, report)
  if not integer(record.format) or record.format > plan_record.FORMAT then
    report.newer = tostring(record.version or 'another version')
  end
  return {
    project = type(record.project) == 'string' and record.project or nil, began = integer(record.began),
    wanted_at = integer(record.wanted_at), at = integer(record.at),
  }
end

local TEXTS = { 'display_name', 'group', 'kind', 'check', 'log' }

local function planned(record)
  local out = {
    id = record.service, task = record.task == true, wanted = record.wanted == true,
    scheduled = record.scheduled == true, since = integer(record.since), needs = {},
  }
  for _, name in ipairs(TEXTS) do
    if type(record[name]) == 'string' then out[name] = record[name] end
  end
  for _, need in ipairs(type(record.needs) == 'table' and record.needs or {}) do
    if type(need) == 'table' and type(need.id) == 'string' then
      out.needs[#out.needs + 1] = { id = need.id, condition = tostring(need.condition) }
    end
  end
  return out
end

---@class timeline_plan
---@field head { project?: string, began?: integer, wanted_at?: integer, at?: integer }
---@field services table[] in the plan's order: id, display_name, group, kind, task, wanted, scheduled, since, check,
--- log, needs

---What is said beside the journal; of a run of an older version nothing.
---@param fs sys.fs
---@param dir string
---@param report timeline_report
---@return timeline_plan
function M.plan(fs, dir, report)
  local out, place = { head = {}, services = {} }, {}
  for line in lines_of(fs, dir .. '/' .. plan_record.FILE) do
    local record = json.decode(line)
    if type(record) ~= 'table' then
      report.unreadable = report.unreadable + 1
    elseif record.format ~= nil then
      out.head = head_of(record, report)
    elseif type(record.service) == 'string' then
      local index, now = place[record.service] or #out.services + 1, planned(record)
      local first = out.services[index]
      if first then now.wanted, now.since = first.wanted, first.since end
      place[record.service], out.services[index] = index, now
    end
  end
  return out
end

return M
