--- Clients that read logs. Each has a feed of its own, which is pulled when the client has room and there is
-- time: one that reads slowly is read for again when it has caught up, and keeps nothing but its place.

local list = require 'pact.base.list'

local M = {}

-- Bytes of one pull; microseconds of all pulls in one go, and the pause behind it in ms: the loop has others to serve.
local PIECE, SPEND_US, PAUSE_MS, SOON_MS = 64 * 1024, 2000, 10, 20
local LAST = 256 * 1024 -- for each at the end of the network

---@class log_feeds
local Feeds = {}
Feeds.__index = Feeds

---@class log_reader
---@field request integer
---@field feed sys.feed_object
---@field numbers table<string, integer> in the feed, by id of the service
---@field opts log_reading

---@param context { sys: sys, sched: sched, told: fun(on: boolean) } told: whether 'output' of all logs is asked for
---@return log_feeds
function M.new(context)
  return setmetatable({ context = context, readers = {}, followers = 0, queue = {}, first = 1, last = 0 }, Feeds)
end

-- What stands around the fields of a line; what encodes is C.
local function frame(id, sse)
  local json = require 'pact.base.json'
  local head = ('{"service":%s,'):format(json.encode(id))
  if sse then return 'data: ' .. head, '}\n\n' end
  return head, '}\n'
end

local function add(self, reader, id, whole)
  local head, tail = frame(id, reader.opts.sse)
  reader.numbers[id] = self.context.sys.feed.add(reader.feed, {
    dir = reader.opts.dir, name = id, head = head, tail = tail, whole = whole,
  })
end

---@class log_reading
---@field dir string of the run
---@field ids string[]
---@field everything? boolean also those that come
---@field groups? table<string, boolean> whose instances are meant, those that come, too
---@field lines? integer
---@field since? integer
---@field stream? integer
---@field grep? string|table
---@field follow? boolean
---@field sse? boolean
---@field head? boolean no lines, only the head of the answer

---Answers a request with lines of logs.
---@param request integer
---@param opts log_reading
---@return true?, string? message, string? code
function Feeds:open(request, opts)
  local sys, sched = self.context.sys, self.context.sched
  local feed, message, code = sys.feed.open {
    lines = opts.lines, since = opts.since, stream = opts.stream, grep = opts.grep, follow = opts.follow,
  }
  if not feed then return nil, message, code end
  local kind = opts.sse and 'text/event-stream' or 'application/x-ndjson'
  local there = sys.ctl.stream(request, 200, { ['content-type'] = kind })
  if there and opts.head then sys.ctl.finish(request) end
  if not there or opts.head then -- its client has left, or wants no more
    sys.feed.close(feed)
    return true
  end
  local reader = { request = request, feed = feed, opts = opts, numbers = {} }
  for _, id in ipairs(opts.ids) do add(self, reader, id, false) end
  sched:on(request, function(what)
    if what == 'gone' then return self:forget(reader) end
    reader.blocked = false
    self:enqueue(reader)
  end)
  self.readers[#self.readers + 1] = reader
  if opts.follow then self:count(1) end
  self:enqueue(reader)
  return true
end

function Feeds:count(more)
  local before = self.followers
  self.followers = before + more
  if (before == 0) ~= (self.followers == 0) then self.context.told(self.followers > 0) end
end

function Feeds:forget(reader)
  if reader.gone then return end
  reader.gone = true
  table.remove(self.readers, list.index(self.readers, reader))
  self.context.sched:off(reader.request)
  self.context.sys.feed.close(reader.feed)
  if reader.opts.follow then self:count(-1) end
end

function Feeds:enqueue(reader)
  if reader.gone or reader.blocked or reader.queued then return end
  reader.queued = true
  self.last = self.last + 1
  self.queue[self.last] = reader
  if not self.timer then self:pump_in(0) end
end

function Feeds:pump_in(ms)
  self.timer = self.context.sched:after(ms, function()
    self.timer = nil
    self:pump()
  end)
end

-- Each in turn, until the time is spent.
function Feeds:pump()
  local spent = 0
  self:pump_in(PAUSE_MS) -- before the work: what raises ends only this turn
  while self.first <= self.last and spent < SPEND_US do
    local reader = self.queue[self.first]
    self.queue[self.first], self.first = nil, self.first + 1
    reader.queued = false
    if not reader.gone then spent = spent + self:serve(reader) end
  end
  if self.first <= self.last then return end
  self.context.sched:cancel(self.timer)
  self.timer = nil
end

---@return integer us spent
function Feeds:serve(reader)
  local sys = self.context.sys
  local bytes, state, us = sys.feed.pull(reader.feed, PIECE)
  if bytes ~= '' then sys.ctl.write(reader.request, bytes) end
  if state == 'done' then
    self:forget(reader)
    sys.ctl.finish(reader.request)
    return us
  end
  reader.blocked = sys.ctl.await(reader.request)
  if reader.blocked then return us end -- and goes on with 'drain'
  if state == 'more' then
    self:enqueue(reader)
  elseif state == 'soon' then
    self.context.sched:after(SOON_MS, function() self:enqueue(reader) end)
  end
  return us
end

---@param id string a service with new bytes in its file
function Feeds:output(id)
  for _, reader in ipairs(self.readers) do
    local number = reader.numbers[id]
    if number then
      self.context.sys.feed.wake(reader.feed, number)
      self:enqueue(reader)
    end
  end
end

---A service has begun to write that may not have been there before.
---@param id string
---@param group? string
function Feeds:began(id, group)
  for _, reader in ipairs(self.readers) do
    local opts = reader.opts
    local meant = opts.everything or opts.groups and opts.groups[group]
    if opts.follow and meant and not reader.numbers[id] then
      add(self, reader, id, true)
      self:enqueue(reader)
    end
  end
end

---The network ends: all that can be sent is sent, and each is told what it doesn't get.
function Feeds:finish()
  local sys = self.context.sys
  for _, reader in ipairs(list.copy(self.readers)) do
    local sent = 0
    repeat
      local bytes, state = sys.feed.pull(reader.feed, PIECE)
      sent = sent + #bytes
      sys.ctl.write(reader.request, bytes)
    until state ~= 'more' or sent > LAST
    sys.ctl.write(reader.request, sys.feed.finish(reader.feed))
    self:forget(reader)
    sys.ctl.finish(reader.request)
  end
end

return M
