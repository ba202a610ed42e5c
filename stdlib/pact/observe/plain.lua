--- A network as lines: what services write behind their prefix, what happens to them in between, in order.

local describe = require 'pact.observe.describe'
local duration = require 'pact.base.duration'
local list = require 'pact.base.list'
local mask = require 'pact.base.mask'
local style = require 'pact.observe.style'

local M = {}

local NAME_MAX = 24

---@class plain
local Plain = {}
Plain.__index = Plain

---@class plain_context
---@field tail sys.tail
---@field sched sched
---@field colour boolean
---@field terminal boolean
---@field quiet? boolean services' output isn't shown

---@param context plain_context
---@return plain
function M.new(context)
  context.tail.style { escape = context.terminal }
  return setmetatable({
    tail = context.tail,
    sched = context.sched,
    style = style.new(context.colour),
    terminal = context.terminal,
    quiet = context.quiet,
    index = {},
    labels = {},
    tails = {},
    width = #'pactlua',
  }, Plain)
end

---@param hello table the engine's: services in order, the run's directory
function Plain:begin(hello)
  self.dir = hello.run
  for i, service in ipairs(hello.services) do self:know(service.id, i) end
end

function Plain:know(id, index)
  self.index[id] = index or #self.labels + 1
  self.labels[#self.labels + 1] = id
  self.width = math.min(NAME_MAX, math.max(self.width, #id))
end

local function label(id)
  return #id > NAME_MAX and id:sub(1, NAME_MAX - 1) .. '+' or id
end

function Plain:prefix(id, is_error)
  if not self.index[id] then self:know(id) end
  return self.style:prefix(self.index[id], label(id), self.width, is_error)
end

---The tail of a service's file, from its beginning on; nil while the file isn't there.
function Plain:tail_of(id)
  local tail = self.tails[id]
  if not tail and self.dir and not self.quiet then
    tail = self.tail.open {
      dir = self.dir, name = id, prefix = self:prefix(id, false), err_prefix = self:prefix(id, true), from = 'start',
    }
    self.tails[id] = tail
  end
  return tail
end

---There are new bytes of this service.
---@param id string
function Plain:output(id)
  local tail = self:tail_of(id)
  if tail then self.tail.wake(tail) end
end

---Text of our own, behind what is there. It may quote a program's: on a terminal that moves nothing.
---@param text string
---@param at? integer a time that is past: behind what was there then
function Plain:say(text, at)
  if self.terminal then text = style.escaped(text) end
  if self.backlog or not self.tail.say(text, at) then self:put_off(text) end
end

---The output is slow: what finds no room is kept until what is before it has been written.
function Plain:put_off(text)
  if self.backlog then
    self.backlog[#self.backlog + 1] = text
    return
  end
  self.backlog = { text }
  self.sched:on(self.tail.drain(), function()
    local backlog = self.backlog
    self.backlog = nil
    for _, each in ipairs(backlog) do self:say(each) end
  end)
end

---Calls `fn` when all that was said has been written, or nobody reads it any more.
function Plain:drained(fn)
  self.sched:on(self.tail.drain(), function()
    if self.backlog then return self:drained(fn) end
    fn()
  end)
end

---The prefix of what is said of a service, or of the network.
function Plain:own(id)
  if id == 'pactlua' then
    return self.style:paint('dim', 'pactlua' .. (' '):rep(self.width - #'pactlua') .. ' *') .. ' '
  end
  return (self:prefix(id, false):gsub('|', '*', 1))
end

-- News stand among the output as of their own time, a whole millisecond: what a program writes comes behind the news of
-- its start, however soon it was, and before all other news of what it had written by then.
local BEGINS = { started = true, restarted = true }

local GRAVE = { crashed = true, failed = true, skipped = true, hook_failed = true, unhealthy = true }

function Plain:event_text(event)
  local text, colour = describe.event(event)
  if not text then return nil end
  local first, rest = text:match '^([^\n]*)\n?(.*)$'
  local head = self:own(event.service or 'pactlua')
  local out = head .. self.style:paint(colour, first) .. '\n'
  return rest ~= '' and out .. rest:gsub('\n*$', '\n') or out
end

---@param event event
function Plain:event(event)
  local text = (not self.quiet or GRAVE[event.name]) and self:event_text(event)
  local begins = BEGINS[event.name]
  if event.service and not begins then self:output(event.service) end
  if text then self:say(text, event.mono and event.mono + (begins and 0 or 1)) end
  if event.service and begins then self:output(event.service) end
end

---Everything is ready: how long that took, and where it can be reached.
---@param elapsed integer
---@param services { id: string, endpoints: table<string, string> }[]
function Plain:ready(elapsed, services)
  local out = { self:own 'pactlua' .. self.style:paint('green', 'all ready in ' .. duration.format(elapsed)) .. '\n' }
  for _, service in ipairs(services) do
    for name, url in list.sorted(service.endpoints) do
      out[#out + 1] = ('%s%s %s\n'):format(self:own(service.id), name, mask.words(url))
    end
  end
  self:say(table.concat(out))
end

---All tails once more, for the end.
function Plain:wake_all()
  for _, id in ipairs(self.labels) do self:output(id) end
end

return M
