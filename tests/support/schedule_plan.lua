--- What a random schedule is made of, as data: services, what their programs do, and what people do.
--
-- Each part is drawn by a generator of its own, from the seed and the part's number. So one part can be left out
-- and the others stay what they were: a schedule that fails can be made smaller.

local M = {}

local CONDITIONS = { 'ready', 'ready', 'started', 'completed', 'healthy', 'log' }
local POLICIES = { 'always', 'no', 'unless-stopped', 'function' }
local ACTS = {
  'start', 'start', 'stop', 'stop', 'restart', 'restart', 'stop_all', 'restart_all', 'hook_restart', 'kill', 'stale',
  'start_alone', 'reload',
}
local TERM = 15
local EXTRA = 2 -- services that only come with a reload

---@class draw
---@field state integer
local Draw = {}
Draw.__index = Draw

---@return draw
function M.draw(seed, part, nth)
  local state = (seed * 2654435761 + part * 40503 + (nth or 0) * 2246822519 + 17) & 0x7fffffff
  local draw = setmetatable({ state = state }, Draw)
  for _ = 1, 3 do draw:number() end
  return draw
end

---@return number in [0, 1)
function Draw:number()
  local x = self.state ~ (self.state << 13 & 0xffffffff)
  x = x ~ (x >> 17)
  x = (x ~ (x << 5)) & 0xffffffff
  self.state = x == 0 and 1 or x
  return (x >> 8) / 16777216
end

function Draw:pick(n) return (self:number() * n // 1 | 0) + 1 end
function Draw:chance(p) return self:number() < p end
function Draw:of(list) return list[self:pick(#list)] end

local KINDS = {
  function() return {} end,
  function(d) return { exit_after = d:pick(300), code = 0 } end,
  function(d) return { exit_after = d:pick(15000), code = d:pick(3) } end,
  function(d) return { exit_after = d:pick(50), signal = 11 } end,
  function() return { ignore = { [TERM] = true } } end,
  function(d) return { stop_takes = d:pick(3000), leaves = d:pick(3), leaves_for = d:pick(800) } end,
  function(d) return { exit_after = d:pick(2000), code = 1, leaves = 1, leaves_for = 300 } end,
  function(d) return { fail = d:of { 'ENOENT', 'EAGAIN', 'EMFILE', 'EACCES' } } end,
}

---What the nth run of a service's program does.
---@param made table the schedule
---@param i integer
---@param nth integer
---@return table see pact.sim.proc
function M.program(made, i, nth)
  local d = M.draw(made.seed, 1000 + i, nth)
  local chosen = made.calm[i] and {} or d:of(KINDS)(d)
  chosen.output = { { d:pick(500), 'listening' } }
  chosen.listens, chosen.listens_after = { 5000 + i }, d:pick(3000)
  return chosen
end

local function edges(d, i, kept, health, chance)
  local found = {}
  for j = 1, i - 1 do
    local wanted, condition, restart = d:chance(chance), d:of(CONDITIONS), d:chance(0.3)
    local timeout = d:chance(0.2) and 1000 + d:pick(20000) or nil
    if wanted and kept[j] then
      if condition == 'healthy' and not health[j] then condition = 'ready' end
      found[#found + 1] =
        { id = 's' .. j, condition = condition, pattern = 'listening', restart = restart, timeout = timeout }
    end
  end
  return found
end

local function restart(d)
  local fields = {
    delay = d:pick(500), max_retries = d:pick(4) - 1, reset_after = d:chance(0.7) and 1000000 or 500 + d:pick(5000),
  }
  if d:chance(0.35) then fields.policy = d:of(POLICIES) end
  if fields.policy == 'function' then
    local after, most = d:pick(800), d:pick(4)
    fields.decide = function(_, history)
      if #history <= most then return after end
    end
  end
  return fields
end

local function service(d, i, kept, health, chance)
  local fields = { restart = restart(d), stop = { timeout = 100 + d:pick(2000) } }
  fields.task = d:chance(0.2)
  if d:chance(0.5) then
    fields.health = {
      kind = 'tcp', host = '127.0.0.1', port = 5000 + i, interval = 1000 + d:pick(3000), retries = d:pick(3),
    }
    health[i] = true
    local how = d:number()
    fields.on_unhealthy = how < 0.4 and 'restart' or how < 0.5 and function() return { action = 'restart' } end or nil
  end
  if d:chance(0.2) then fields.timeout = d:pick(8000) end
  if d:chance(0.1) then fields.max_runtime = 1000 + d:pick(9000) end
  fields.essential = d:chance(0.03)
  fields.depends_on = edges(d, i, kept, health, chance)
  return fields
end

-- Some are called every so often, never two at once.
local function at_times(d, fields)
  local policy = fields.restart.policy
  if d:chance(0.08) and policy ~= 'always' and policy ~= 'unless-stopped' then
    fields.schedule = { every = 200 + d:pick(20000) }
  end
  return fields
end

-- Mostly small: what goes wrong goes wrong between few; but some of up to fifty.
local function size(d)
  local kind = d:number()
  if kind < 0.87 then return d:pick(3) end
  if kind < 0.982 then return 3 + d:pick(4) end
  if kind < 0.998 then return 7 + d:pick(9) end
  return 15 + d:pick(35)
end

local function set(list, count)
  local out = {}
  if list then
    for _, i in ipairs(list) do out[i] = true end
  else
    for i = 1, count do out[i] = true end
  end
  return out
end

local function acts(seed, count, services, kept, kept_acts)
  local list = {}
  for k = 1, count do
    local d = M.draw(seed, 5000 + k)
    local gap = d:pick(d:chance(0.5) and 50 or 4000)
    local act = { number = k, gap = gap, kind = d:of(ACTS), on = d:pick(services) }
    if kept_acts[k] and kept[act.on] then
      list[#list + 1] = act
    elseif list[1] then
      list[#list].after = (list[#list].after or 0) + gap
    end
  end
  return list
end

-- What a reload makes of one service: there or not, with other fields, with another shape.
local function vary(seed, k, i, before)
  local d = M.draw(seed, 7000 + k, i)
  local spec = { there = before.there, fields = before.fields, shape = before.shape }
  if d:chance(before.there and 0.15 or 0.3) then spec.there = not before.there end
  if d:chance(0.25) then spec.fields = k end
  if d:chance(0.2) then spec.shape = k end
  return spec
end

-- Services as their specs say, without those that are not there.
local function services(made, specs)
  local list, kept, health = {}, {}, {}
  for i, spec in pairs(specs) do kept[i] = spec.there or nil end
  for i = 1, made.count + EXTRA do
    if kept[i] then
      local id, spec = 's' .. i, specs[i]
      local fields = service(M.draw(made.seed, i, spec.fields), i, kept, health, made.chance)
      fields.nice = spec.shape
      list[#list + 1] = { id, at_times(M.draw(made.seed, 9000 + i, spec.fields), fields) }
    end
  end
  return list
end

---The services of the recipe after its kth act, a reload.
---@param made table the schedule
---@param specs table<integer, table> until then
---@param k integer
---@return table list, table<integer, table> specs
function M.reload(made, specs, k)
  local after = {}
  for i in pairs(specs) do after[i] = vary(made.seed, k, i, specs[i]) end
  return services(made, after), after
end

---@class keep what is left of a schedule that is being made smaller; nil is all
---@field services? integer[]
---@field acts? integer[]
---@field calm? integer[] services whose programs do nothing odd

---@param seed integer
---@param keep? keep
---@return table
function M.make(seed, keep)
  keep = keep or {}
  local d = M.draw(seed, 0)
  local made = { seed = seed, list = {}, ids = {}, numbers = {} }
  made.count, made.act_count = size(d), d:pick(5) - 1
  made.limit = d:chance(0.2) and d:pick(3) or nil
  made.shutdown_timeout = d:chance(0.5) and 20000 or 500 + d:pick(6000)
  made.forced = d:chance(0.2) and d:pick(500) or nil
  made.settles, made.hooks = d:chance(0.25), d:chance(0.2)
  made.last_gap = d:pick(3000)
  made.chance = math.min(0.35, 3 / made.count)
  local kept = set(keep.services, made.count)
  made.calm = set(keep.calm, 0)
  made.specs = {}
  for i = 1, made.count + EXTRA do
    if kept[i] or i > made.count then
      made.specs[i], made.numbers['s' .. i] = { there = i <= made.count, fields = 0, shape = 0 }, i
      made.ids[#made.ids + 1] = 's' .. i
    end
  end
  made.list = services(made, made.specs)
  made.acts = acts(seed, made.act_count, made.count, kept, set(keep.acts, made.act_count))
  return made
end

local function describe_service(entry)
  local id, f = entry[1], entry[2]
  local parts = { ('%s%s: restart %s, %s retries, delay %d ms; grace %d ms'):format(id, f.task and ' (task)' or '',
    f.restart.policy or 'default', f.restart.max_retries, f.restart.delay, f.stop.timeout) }
  if f.health then
    parts[#parts + 1] = ('probed every %d ms, %d retries, on_unhealthy %s'):format(f.health.interval, f.health.retries,
      type(f.on_unhealthy))
  end
  for _, name in ipairs { 'timeout', 'max_runtime' } do
    if f[name] then parts[#parts + 1] = ('%s %d ms'):format(name, f[name]) end
  end
  if f.schedule then parts[#parts + 1] = ('called every %d ms'):format(f.schedule.every) end
  if f.essential then parts[#parts + 1] = 'essential' end
  for _, edge in ipairs(f.depends_on) do
    parts[#parts + 1] = ('needs %s %s%s%s'):format(edge.id, edge.condition, edge.restart and ', restarts' or '',
      edge.timeout and (' within %d ms'):format(edge.timeout) or '')
  end
  return table.concat(parts, '; ')
end

-- Fields that differ from the last reload's are drawn by its number.
local function describe_reload(made, act)
  local parts = {}
  local list
  list, made.shown = M.reload(made, made.shown or made.specs, act.number)
  for _, entry in ipairs(list) do
    parts[#parts + 1] = ('\n    %s, nice %d'):format(describe_service(entry), entry[2].nice)
  end
  return table.concat(parts)
end

---@return string a schedule for people
function M.describe(made)
  local out = {}
  for _, entry in ipairs(made.list) do out[#out + 1] = describe_service(entry) end
  for _, act in ipairs(made.acts) do
    local what = act.kind == 'reload' and describe_reload(made, act) or 's' .. act.on
    out[#out + 1] = ('after %d ms: %s %s'):format(act.gap, act.kind, what)
  end
  out[#out + 1] = ('%sshutdown within %d ms%s%s%s'):format(made.settles and 'a minute later: ' or '',
    made.shutdown_timeout, made.forced and (', forced after %d ms'):format(made.forced) or '',
    made.limit and (', %d starts at once'):format(made.limit) or '', made.hooks and ', hooks decide' or '')
  return table.concat(out, '\n')
end

return M
