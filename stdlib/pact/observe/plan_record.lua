--- What a run's events don't tell, beside them in `plan.jsonl`: when it began, and of each service what it is,
--- what it waits for and how it becomes ready. One JSON object a line; of several about a service the last one holds,
--- but for when it was wanted, which the first one says.

local json = require 'pact.base.json'

local M = {}

M.FILE = 'plan.jsonl'
M.FORMAT = 1

---@class plan_head
---@field format integer
---@field project string
---@field began integer monotonic ms, as of the events
---@field wanted_at integer monotonic ms: the recipe had been read
---@field at integer wall ms
---@field version string of pactlua

---@class planned
---@field service string id
---@field display_name? string
---@field group? string
---@field kind string
---@field task? boolean
---@field wanted? boolean as soon as it was there
---@field since? integer monotonic ms when it came, of one that wasn't there from the start
---@field scheduled? boolean it starts when its time comes
---@field check? string how it becomes ready: a kind of check
---@field log? string the text that is waited for
---@field needs? { id: string, condition: string }[]
---@field category? string
---@field tags? string[]
---@field profiles? string[]

local function awaited(check)
  local pattern = check and check.kind == 'log' and check.pattern
  if type(pattern) == 'table' then return pattern.regex end
  return pattern or nil
end

local function needs(service)
  local out = {}
  for i, edge in ipairs(service.depends_on) do out[i] = { id = edge.id, condition = edge.condition } end
  return out[1] and out or nil
end

---@param service service
---@param wanted boolean
---@param since? integer
---@return planned
function M.planned(service, wanted, since)
  local check = service.ready or service.health
  return {
    service = service.id,
    display_name = service.display_name ~= service.id and service.display_name or nil,
    group = service.group, kind = service.kind, task = service.task or nil, wanted = wanted or nil,
    scheduled = service.schedule ~= nil or nil, since = since,
    check = check and check.kind, log = awaited(check), needs = needs(service),
    category = service.category ~= 'service' and service.category or nil,
    tags = service.tags and service.tags[1] and service.tags or nil,
    profiles = service.profiles and service.profiles[1] and service.profiles or nil,
  }
end

---Adds lines to a run's record; the first ones make it. What can't be written is done without.
---@param fs sys.fs
---@param dir string the run's
---@param records table[]
function M.add(fs, dir, records)
  local lines = {}
  for i, record in ipairs(records) do lines[i] = json.encode(record, { lenient = true }) .. '\n' end
  fs.write(dir .. '/' .. M.FILE, table.concat(lines), { append = true })
end

return M
