--- An answer that goes on: events, and for the front also notices and words, as NDJSON; or events as
-- server-sent ones. What a slow
-- client doesn't take isn't kept for it: it is read again from the journal when there is room.

local json = require 'pact.base.json'
local list = require 'pact.base.list'

local M = {}

local FULL = 256 * 1024
local WORDS_MAX = 1 << 20
-- Bytes of the journal in one go, though the client takes them as fast as they come: the loop has others to serve.
local GO = 256 * 1024
-- What is sent in a hurry to a client that is far behind: more would be cut off, and the last words with it.
local HURRY_EVENTS, HURRY_MAX = 10000, 4 << 20

-- The addresses of `ready` are a CMD's to use.
local AS_IT_IS = { ready = true }

---@class stream
local Stream = {}
Stream.__index = Stream

---@param context { ctl: sys.ctl, sched: sched, journal: (fun(): journal?), shown?: fun(line: string): string }
---@param request integer
---@param opts { front?: boolean, sse?: boolean, since?: integer, on_gone?: fun(stream: stream) }
---@return stream
function M.new(context, request, opts)
  local self = setmetatable({
    context = context,
    request = request,
    front = opts.front,
    sse = opts.sse,
    seq = opts.since or 0,
    words = {}, -- messages that wait for room
    words_size = 0,
    dropped = 0,
    early = {},
    early_at = 1,
    outputs = {}, -- services with new bytes, told when there is room
  }, Stream)
  context.ctl.stream(request, 200, { ['content-type'] = opts.sse and 'text/event-stream' or 'application/x-ndjson' })
  context.sched:on(request, function(kind)
    if kind == 'drain' then
      self:catch_up()
    elseif kind == 'gone' then
      self:forget()
      if opts.on_gone then opts.on_gone(self) end
    end
  end)
  return self
end

function Stream:forget()
  self.gone = true
  self.context.sched:off(self.request)
  if self.timer then self.context.sched:cancel(self.timer) end
end

function Stream:write(bytes)
  if self.gone then return end
  local queued = self.context.ctl.write(self.request, bytes)
  if not queued then
    self.gone = true
  elseif queued > FULL then
    self.blocked = true
  end
end

function Stream:event_line(seq, line)
  if self.sse then return self:write(('id: %d\ndata: %s\n\n'):format(seq, line)) end
  self:write(self.front and '{"type":"event","event":' .. line .. '}\n' or line .. '\n')
end

---@param event event
---@param line string the event as JSON
function Stream:event(event, line)
  if event.seq <= self.seq then return end
  if self.blocked then
    self.behind, self.newest = true, event.seq
    return
  end
  self.seq = event.seq
  self:event_line(event.seq, line)
end

-- Sends what is in the journal behind the last event sent, until the client is full.
local function read_on(self)
  local journal, sent = self.context.journal(), 0
  if self.hurried then self:skip((self.newest or 0) - HURRY_EVENTS) end
  for seq, line in journal and journal:since(self.seq) or function() end do
    if self.blocked and not self.hurried then
      self.behind = true
      return
    end
    if self.gone then return end
    if sent > GO and not self.hurried then return self:pause() end
    sent = sent + #line
    if self.hurried and sent > HURRY_MAX then return self:skip(self.newest) end
    self:early_before(seq)
    self.seq = seq
    self:event_line(seq, line)
  end
end

-- Goes on in the next turn; until then it is as if the client had no room.
function Stream:pause()
  self.behind, self.blocked = true, true
  self.timer = self.timer or self.context.sched:after(0, function()
    self.timer = nil
    self:catch_up()
  end)
end

-- Leaves out events up to `seq`, and says so.
function Stream:skip(seq)
  if not seq or seq <= self.seq then return end
  local count = seq - self.seq
  self.seq = seq
  if self.front then
    self:message { type = 'say', text = ('(%d events are left out here; events.jsonl has them)\n'):format(count) }
  end
end

-- Messages from before the client came, each at its place among the events.
function Stream:early_before(seq)
  local early = self.early
  while early[self.early_at] and early[self.early_at].behind < seq do
    self.early_at = self.early_at + 1
    self:message(early[self.early_at - 1].message, true)
  end
end

---Sends what is in the journal.
---@param early? { message: table, behind: integer }[] messages with the event before each, in order
function Stream:replay(early)
  if early then self.early, self.early_at = early, 1 end
  read_on(self)
  if not self.behind then self:early_before(math.huge) end
end

---A message to the front that is no event.
---@param message table with a `type`
---@param always? boolean never dropped
function Stream:message(message, always)
  local line = json.encode(message, { lenient = true }) .. '\n'
  if self.context.shown and not AS_IT_IS[message.type] then line = self.context.shown(line) end
  if not self.blocked or self.hurried then
    self:write(line)
  elseif always or self.words_size + #line <= WORDS_MAX then
    self.words[#self.words + 1] = line
    self.words_size = self.words_size + #line
  else
    self.dropped = self.dropped + 1
  end
end

---New bytes of a service are in its file.
function Stream:output(id)
  if self.blocked and not self.hurried then
    self.outputs[id] = true
  else
    self:write(('{"type":"output","service":"%s"}\n'):format(id))
  end
end

function Stream:catch_up()
  self.blocked = false
  if self.behind then
    self.behind = false
    self:replay()
    if self.behind then return end
  end
  local outputs = self.outputs
  self.outputs = {}
  for _, id in ipairs(list.keys(outputs)) do self:output(id) end
  for _, line in ipairs(self.words) do self:write(line) end
  self.words, self.words_size = {}, 0
  if self.dropped > 0 then
    self:message { type = 'say', text = ('(%d messages dropped)\n'):format(self.dropped) }
    self.dropped = 0
  end
  if self.finishing and (self.hurried or not self.blocked) then
    self.context.ctl.finish(self.request)
    self:forget()
  end
end

---Ends the answer when all that waits is sent.
function Stream:finish()
  if self.gone then return end
  self.finishing = true
  if not self.blocked then self:catch_up() end
end

---Sends all that waits, room or not, and ends the answer.
function Stream:finish_now()
  if self.gone then return end
  self.hurried, self.finishing = true, true
  self:catch_up()
end

return M
