--- Requests for logs: whose, of which run, and from where on.

local list = require 'pact.base.list'
local statedir = require 'pact.control.statedir'
local text = require 'pact.base.text'
local when = require 'pact.control.cli.when'

local M = {}

local DEFAULT_LINES = 100
local STREAMS = { stdout = 1, stderr = 2, pactlua = 3 }
local SETTLE_MS, LOOK_MS = 500, 2

---@param dir string of a run
---@return string[] ids of services with a log there
function M.services_in(sys, dir)
  local ids = {}
  for _, name in ipairs(sys.fs.list(dir) or {}) do
    local id = name:match '^(.+)%.log$'
    if id and id ~= 'pactlua' then ids[#ids + 1] = id end
  end
  return ids
end

---The logs of a group's instances among those known: web-1, web-2 … of web.
---@param known string[]
---@param group string
---@return string[]
function M.instances(known, group)
  local out = list.filter(known, function(id)
    return text.starts_with(id, group .. '-') and id:find('^%d+$', #group + 2) ~= nil
  end)
  table.sort(out, function(a, b) return tonumber(a:match '%d+$') < tonumber(b:match '%d+$') end)
  return out
end

-- Ids whose logs are meant; groups among them stand for their instances.
local function chosen(known, groups, ids)
  if not ids then return known, {} end
  local out, seen, met = {}, {}, {}
  for _, id in ipairs(ids) do
    local members = list.index(known, id) and { id } or groups(id)
    if #members == 0 then return nil, ("no service '%s'%s"):format(text.truncate(id, 200), text.suggest(id, known)) end
    if members[1] ~= id then met[id] = true end
    for _, member in ipairs(members) do
      if not seen[member] then out[#out + 1], seen[member] = member, true end
    end
  end
  return out, met
end

-- Services of the plan, and those that have been and left a log.
local function of_this_run(network, ids)
  local known = network.supervisor and network.supervisor:list() or {}
  known = table.move(known, 1, #known, 1, {})
  local there = list.set(known)
  for _, id in ipairs(M.services_in(network.sys, network.run.dir)) do
    if not there[id] then known[#known + 1] = id end
  end
  return chosen(known, function(id)
    return network.plan and network.plan.groups[id] or M.instances(known, id)
  end, ids)
end

local function run_before(network)
  local runs = statedir.runs(network.sys, network.dir.path)
  local place = list.index(runs, network.run.id)
  return place and runs[place - 1] and ('%s/runs/%s'):format(network.dir.path, runs[place - 1])
end

-- What has been read from services by now is in the files before they are read.
local function settle(network, ids)
  local sys, targets = network.sys, {}
  for _, id in ipairs(ids) do
    local log = network.supervisor and network.supervisor:open_log(id)
    local stat = log and sys.log.stat(log)
    if stat and stat.queued > 0 then targets[log] = stat.size + stat.lost + stat.queued end
  end
  for _ = 1, SETTLE_MS // LOOK_MS do
    for log, target in pairs(targets) do
      local stat = sys.log.stat(log)
      if not stat or stat.size + stat.lost >= target then targets[log] = nil end
    end
    if not next(targets) then return end
    network.sched:sleep(LOOK_MS)
  end
end

local function refuse(message) return 400, { error = 'query: ' .. message, code = 'EINVAL' } end

-- The filters of a request.
local function reading(network, request)
  local given = request.given
  local opts = { follow = given.follow, sse = request.sse, head = request.head, stream = STREAMS[given.stream] }
  if given.since then
    local message
    opts.since, message = when.parse(given.since, network.sys.time.wall())
    if not opts.since then return nil, "'since': " .. message end
  end
  if given.grep and given.regex then return nil, "'grep' or 'regex', not both" end
  opts.grep = given.grep or given.regex and { regex = given.regex }
  opts.lines = given.lines or (not opts.since and not opts.grep and DEFAULT_LINES) or nil
  return opts
end

local function choose(network, given, opts, ids)
  opts.dir = network.run.dir
  if given.previous then
    if given.follow then return nil, "'previous' and 'follow': the run before has ended", 'EINVAL' end
    opts.dir = run_before(network)
    if not opts.dir then return nil, 'no run before this one', 'unknown' end
    local known = M.services_in(network.sys, opts.dir)
    return chosen(known, function(id) return M.instances(known, id) end, ids)
  end
  return of_this_run(network, ids)
end

---Answers with the lines that are asked for.
---@param network network
---@param request table
---@param ids? string[] none: all services
---@return integer? status, any body
function M.answer(network, request, ids)
  if not network.run then return 409, { error = 'nothing runs yet', code = 'busy' } end
  local given = request.given
  local opts, message = reading(network, request)
  if not opts then return refuse(message) end
  local met, code
  opts.ids, met, code = choose(network, given, opts, ids)
  if not opts.ids then
    if code == 'EINVAL' then return refuse(met) end
    return 404, { error = met, code = 'unknown' }
  end
  opts.everything, opts.groups = not ids, met
  if not given.previous and not request.head then settle(network, opts.ids) end
  local ok
  ok, message = network:open_logs(request.id, opts)
  if not ok then return refuse("'regex': " .. message) end
end

return M
