--- What a REPL shows as it comes: events, and what services write. The methods of `repl` that do so.

local completing = require 'pact.control.repl.completing'
local json = require 'pact.base.json'

local TAIL_LINES = 5

---@class repl
local Repl = setmetatable({}, { __index = completing })

---@param line string an event as JSON
function Repl:event(line)
  local event = json.decode(line)
  if type(event) == 'table' and event.name then
    self.terminal:whisper(require('pact.control.verbs.events').line(event))
  end
end

---Shows events behind `seq` as they come; false: no more of them.
---@param seq integer|false
---@return boolean were they shown before
function Repl:follow(seq)
  local before = self.events
  if before then self.sched:cancel(before) end
  self.events = seq and self.link:stream(('/v1/events?follow=1&since=%d'):format(seq), {
    line = function(line) if not self.left then self:event(line) end end,
    ended = function() self.events = nil end,
  }) or nil
  return before ~= nil
end

---Shows what services write from now on, with the last few lines.
---@param ids string[] none: all
---@param show fun(line: table)
function Repl:follow_logs(ids, show)
  self:unfollow()
  local query = #ids > 0 and '&ids=' .. table.concat(ids, ',') or ''
  self.following = self.link:stream(('/v1/logs?follow=1&lines=%d%s'):format(TAIL_LINES, query), {
    line = function(line)
      local it = not self.left and json.decode(line)
      if type(it) == 'table' then show(it) end
    end,
    ended = function() self.following = nil end,
  })
end

---Nothing is shown as it comes any more.
---@return boolean was there anything
function Repl:calm()
  local logs, events = self:unfollow(), self:follow(false)
  if logs then self:say 'no log is followed any more\n' end
  if events then self:say 'events are no longer shown\n' end
  return logs or events
end

---@return boolean were logs followed
function Repl:unfollow()
  local before = self.following
  if before then self.sched:cancel(before) end
  self.following = nil
  return before ~= nil
end

return Repl
