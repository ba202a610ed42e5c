--- One request and its answer: whole, piece by piece with back-pressure, or as server-sent events.

local json = require 'pact.base.json'

local M = {}

-- Queued bytes above which a writer waits until its client has taken some.
local FULL = 256 * 1024
-- So long may somebody write on without a pause, in ms: to a client that takes all of it at once nobody need wait,
-- and the loop has others to serve.
local BREATH_MS = 20
-- A comment to who hears nothing for so long: keeps what is in between awake, and finds out who has left.
local SILENCE_MS = 15000

---@class exchange
---@field web sys.web
---@field sched sched
---@field id integer the request's
---@field task? task the handler's
---@field begun boolean the answer's head has been sent
---@field over boolean nothing more can be sent
---@field gone boolean the client has left
local Exchange = {}
Exchange.__index = Exchange

---@param context { web: sys.web, sched: sched, group: task_group }
---@param id integer
---@param bodiless boolean the answer to HEAD
---@param among table<exchange, true> where it stands as long as it isn't over
---@return exchange
function M.new(context, id, bodiless, among)
  local self = setmetatable({
    web = context.web, sched = context.sched, group = context.group, id = id, bodiless = bodiless, among = among,
    begun = false, over = false, gone = false,
  }, Exchange)
  among[self] = true
  self.sched:on(id, function(kind)
    if kind == 'drain' then
      self:wake()
    elseif kind == 'gone' then
      self:left()
    end
  end)
  return self
end

-- Those who wait for room, or for the end.
function Exchange:wake()
  local waiters = self.waiters
  self.waiters = nil
  for _, wake in ipairs(waiters or {}) do wake() end
end

function Exchange:suspend()
  self.sched:suspend(function(wake)
    self.waiters = self.waiters or {}
    table.insert(self.waiters, wake)
  end)
end

---Nothing follows any more.
function Exchange:close()
  if self.over then return end
  self.over = true
  self.sched:off(self.id)
  self.sched:cancel(self.alarm)
  self.alarm = nil
  if self.waiters then self:wake() end
  self.among[self] = nil
end

-- A handler that thinks about its answer goes on to its end; one that streams ends where it waits.
function Exchange:left()
  self.gone = true
  local task = self.begun and self.task
  self:close()
  if task then self.sched:stop(task) end
end

---@param answer answer with a body or none
function Exchange:respond(answer)
  if self.over then return end
  self.web.respond(self.id, answer.status, answer.headers, answer.body) -- may raise: a header that can't be sent
  self.begun = true
  self:close()
end

---@param status integer
---@param headers table
function Exchange:begin(status, headers)
  if self.begun or self.over then return end
  if not self.web.stream(self.id, status, headers) then self.gone = true end
  self.begun = true
end

---Ends a streamed answer as it should end.
function Exchange:finish()
  if self.over then return end
  if not self.gone then self.web.finish(self.id) end
  self:close()
end

---Ends it in its middle: the client sees that something is missing.
function Exchange:abort()
  if self.over then return end
  local id = self.id
  self:close()
  self.sched:cancel(id)
end

-- Whoever writes in the handler's own stead is told; the handler itself has nothing more to do.
function Exchange:lost()
  if self.sched:current() == self.task then error(M.LEFT, 0) end
  return nil, 'the client has left', 'gone'
end

-- Who has paused by himself meanwhile begins anew.
function Exchange:breathe()
  local now = self.sched.sys.time.now()
  if not self.wrote_at or now - self.wrote_at > BREATH_MS then self.breathed_at = now end
  self.wrote_at = now
  if now - self.breathed_at <= BREATH_MS or not self.sched:can_wait() then return end
  self.breathed_at = now
  self.sched:sleep(0)
end

---@param bytes string
---@return true?, string? message, string? code 'gone': the client has left
function Exchange:write(bytes)
  if self.over or self.gone then return self:lost() end
  if self.bodiless then return true end
  local queued = self.web.write(self.id, bytes)
  if not queued then return self:lost() end
  while queued > FULL and not self.over do
    self:suspend()
    queued = 0
  end
  self:breathe()
  if self.gone then return self:lost() end
  return true
end

---The error that ends a stream's function when its client has left: no mistake of anybody.
M.LEFT = setmetatable({}, { __tostring = function() return 'the client has left' end })

---------------------------------------------------------------------------------------------------
-- Server-sent events.

local FIELDS = { event = true, data = true, id = true, retry = true, comment = true }

-- Fields are a table of these names only; any other value is the data.
local function is_fields(value)
  if type(value) ~= 'table' or next(value) == nil then return false end
  for key in pairs(value) do
    if not FIELDS[key] then return false end
  end
  return true
end

local function add_lines(out, name, value)
  if type(value) == 'table' then value = json.encode(value) end
  value = tostring(value):gsub('\r\n?', '\n')
  for line in (value .. '\n'):gmatch '(.-)\n' do out[#out + 1] = name .. line .. '\n' end
end

---One event as it is sent: `('text')`, `({ data table })`, `('name', data)` or `{ event, data, id, retry, comment }`.
---@return string
function M.event(first, second)
  local fields = is_fields(first) and first or { data = first }
  if second ~= nil then fields = { event = first, data = second } end
  local out = {}
  if fields.comment ~= nil then add_lines(out, ': ', fields.comment) end
  for _, name in ipairs { 'event', 'id', 'retry' } do
    local value = fields[name] ~= nil and tostring(fields[name]):gsub('[\r\n]', ' ')
    if value then out[#out + 1] = ('%s: %s\n'):format(name, value) end
  end
  if fields.data ~= nil then add_lines(out, 'data: ', fields.data) end
  return table.concat(out) .. '\n'
end

function Exchange:watch_silence()
  self.alarm = self.sched:after(SILENCE_MS, function()
    self.alarm = nil
    if self.over then return end
    if not self.spoke then self.web.write(self.id, ':\n\n') end
    self.spoke = false
    self:watch_silence()
  end, self.group)
end

---@return true?, string? message, string? code
function Exchange:send(...)
  self.spoke = true
  return self:write(M.event(...))
end

local HEADERS = { ['content-type'] = 'text/event-stream', ['cache-control'] = 'no-store' }

---Begins server-sent events.
---@param status? integer
---@param headers? table
function Exchange:begin_events(status, headers)
  self:begin(status or 200, headers or HEADERS)
  if not self.alarm and not self.over and not self.bodiless then self:watch_silence() end
end

---Waits until the client has left or the answer was ended by another task.
function Exchange:wait()
  while not self.over do self:suspend() end
end

return M
