--- The asking end of the control protocol: from the front to its engine, from a command to a live network.

local json = require 'pact.base.json'

local M = {}

---@class client
---@field pid? integer of the engine, where the link is to a path
---@field uid? integer
---@field heard? fun() called whenever something comes from the engine
---@field acting? boolean it was asked for more than to be looked at
local Client = {}
Client.__index = Client

---@param sys sys
---@param sched sched
---@param path? string of a control socket; none: the engine at the other end of the socketpair
---@return client?, string? message, string? code
function M.connect(sys, sched, path)
  local connection, message, code = sys.ctl.connect(path)
  if not connection then return nil, message, code end
  return setmetatable({ sys = sys, sched = sched, connection = connection }, Client)
end

local function request_of(method, path, body)
  local request = { method = method, path = path }
  if body then
    request.body = json.encode(body)
    request.headers = { ['content-type'] = 'application/json' }
  end
  return request
end

---Asks; `answer(status, body)` with the decoded body, or `answer(nil, message)` when the connection was lost.
---@param method string
---@param path string
---@param body? table
---@param answer fun(status: integer?, body: any)
---@return integer? id for `sched:cancel`: the other end sees that we have left
function Client:call(method, path, body, answer)
  local call, message = self.sys.ctl.call(self.connection, request_of(method, path, body))
  if not call then return answer(nil, message) end
  self.acting = self.acting or method ~= 'GET'
  self.sched:on(call, function(kind, status, _, bytes)
    self.sched:off(call)
    if kind == 'gone' then return answer(nil, status) end
    if self.heard then self.heard() end
    answer(status, json.decode(bytes or '') or bytes)
  end)
  return call
end

---In a task: asks and waits.
---@return integer? status, any body or message
function Client:ask(method, path, body)
  return self.sched:suspend(function(wake)
    local call = self:call(method, path, body, wake)
    return call and function() self.sched:cancel(call) end or nil
  end)
end

---@class stream_handlers
---@field line fun(line: string)
---@field ended fun(message?: string) nil at the answer's end, a message when the connection was lost
---@field status? fun(status: integer) before the first line

---Follows an NDJSON answer.
---@param path string
---@param handlers stream_handlers
---@return integer? id for `sched:cancel`
function Client:stream(path, handlers)
  local call, message = self.sys.ctl.call(self.connection, { method = 'GET', path = path, stream = true })
  if not call then return handlers.ended(message) end
  local rest = ''
  self.sched:on(call, function(kind, status, _, piece)
    if kind == 'gone' then
      self.sched:off(call)
      return handlers.ended(status or 'connection lost')
    end
    if self.heard then self.heard() end
    if status then
      return handlers.status and handlers.status(status)
    elseif piece == nil then
      self.sched:off(call)
      if rest ~= '' then handlers.line(rest) end
      return handlers.ended()
    end
    local text, from = rest .. piece, 1
    while true do
      local newline = text:find('\n', from, true)
      if not newline then break end
      handlers.line(text:sub(from, newline - 1))
      from = newline + 1
    end
    rest = text:sub(from)
  end)
  return call
end

---@class upgrade_handlers
---@field begun fun() both sides send frames from here
---@field answered fun(status: integer, body?: string) it was refused
---@field frame fun(kind: string, bytes: string) of sys.ctl.frame
---@field gone fun(message: string)

---Asks for a connection on which both sides send frames; `sys.ctl.frame` sends ours by the call's id.
---@param path string
---@param handlers upgrade_handlers
---@return integer? call, string? message
function Client:upgrade(path, handlers)
  local call, message = self.sys.ctl.call(self.connection, { method = 'GET', path = path, upgrade = true })
  if not call then return nil, message end
  self.sched:on(call, function(kind, first, second, third)
    if self.heard and kind ~= 'gone' then self.heard() end
    if kind == 'frame' then
      handlers.frame(first, second)
    elseif kind == 'gone' then
      self.sched:off(call)
      handlers.gone(first)
    elseif first == 101 then
      handlers.begun()
    else
      self.sched:off(call)
      handlers.answered(first, third)
    end
  end)
  return call
end

return M
