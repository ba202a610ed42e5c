--- Sockets that are bound here for services and handed to each of their lives. They stay open over restarts and
-- backoff, so that who connects meanwhile waits; they are closed when nobody is to have them any more.

local address = require 'pact.base.address'
local list = require 'pact.base.list'
local ports = require 'pact.supervise.ports'

local M = {}

---@class held_socket
---@field id integer of sys.net.listen
---@field port? integer
---@field path? string
---@field owner socket_owner stands among the claims of ports
---@field kept table<string, true> services for whom it stays open
---@field lives table<string, true> services that have it now

---@class socket_owner
---@field service { id: string }
---@field held true
---@field leaves fun(): boolean nobody is to have it any more, once those who have it have ended

---@class sockets
local Sockets = {}
Sockets.__index = Sockets

---@param context { sys: sys, sched: sched, declared: fun(id: string): service? } declared: what it is to be, nil: gone
---@param claims table<integer, table> port → who has it
---@return sockets
function M.new(context, claims)
  return setmetatable({ context = context, claims = claims, held = {} }, Sockets)
end

-- Replicas have one together; a place that was changed is another socket.
local function key_of(service, place)
  local whose = place.counts and service.id or service.group or service.id
  return table.concat({ whose, place.name, place.path or address.text(place.host, place.port) }, '\0')
end

local function close(self, key)
  local socket = self.held[key]
  self.held[key] = nil
  if socket.port and self.claims[socket.port] == socket.owner then self.claims[socket.port] = nil end
  self.last = self.last or {}
  self.last[key] = socket.port -- a free port is asked for again
  self.context.sys.cancel(socket.id)
end

local function in_use(sys, place, message)
  if place.path then return ('%s: another program listens there'):format(message) end
  local holder = sys.net.port_holder(place.port)
  return holder and ('port %d is taken by %s'):format(place.port, ports.holder_text(holder)) or message
end

-- What errno's name doesn't tell.
local WORDS = {
  EADDRINUSE = in_use,
  EACCES = function(_, place, message)
    if place.path then return message end
    return ('port %d: not permitted to listen on it (below 1024 only root may)'):format(place.port)
  end,
  EEXIST = function(_, _, message) return message .. ': what is there is no socket' end,
}

-- A socket's directory is made when it is missing.
local function bind(self, key, place)
  local sys = self.context.sys
  if place.path then
    local directory = place.path:match '^(.+)/[^/]*$'
    if directory and not sys.fs.stat(directory) then
      local ok, message, code = sys.fs.mkdir(directory)
      if not ok then return nil, message, code end
    end
    return sys.net.listen { path = place.path }
  end
  local before = place.port == 0 and self.last and self.last[key]
  if before then
    local id, port = sys.net.listen { host = place.host, port = before }
    if id then return id, port end
  end
  return sys.net.listen { host = place.host, port = place.port }
end

local function holder_of(self, path)
  for _, socket in pairs(self.held) do
    if socket.path == path then return socket.owner end
  end
end

-- Another service's, by an earlier declaration of it, is waited for.
local function path_obstacle(self, job, path, wait)
  local sched, now = self.context.sched, self.context.sys.time.now
  local owner, until_when = holder_of(self, path), now() + ports.PATIENCE
  while owner do
    local words = ("%s is still held by service '%s'"):format(path, owner.service.id)
    if not owner.leaves() or now() > until_when then return words, 'EADDRINUSE' end
    if not wait then return words, 'EAGAIN' end
    job.report('note', { text = words .. ', which is ending; waiting for it' })
    sched:sleep(ports.LOOK_AGAIN)
    owner = holder_of(self, path)
  end
  if wait then job.report('note', {}) end
end

-- nil, or why it can't be had, and errno's name; 'EAGAIN': only by waiting.
local function obstacle(self, job, place, wait)
  if place.path then return path_obstacle(self, job, place.path, wait) end
  if place.port == 0 then return nil end
  local why, code, passes = ports.foreign(job, place.port)
  if why and not passes then return why, code end
  if place.said and not why then return nil end
  why, code = ports.clear(self.context, job, place.port, wait)
  if place.said and code ~= 'EAGAIN' and not ports.foreign(job, place.port) then return nil end
  return why, code
end

-- Whether none of those that have it is to have it in its next life.
local function given_up(self, key, socket)
  for id in pairs(socket.kept) do
    local service = self.context.declared(id)
    for _, place in ipairs(service and service.listen or {}) do
      if key_of(service, place) == key then return false end
    end
  end
  return true
end

local function open(self, job, key, place, wait)
  local why, code = obstacle(self, job, place, wait)
  if why then return nil, why, code end
  local id, port
  id, port, code = bind(self, key, place)
  if not id then
    local words = WORDS[code]
    return nil, ('listen: %s'):format(words and words(self.context.sys, place, port) or port), code
  end
  local service = job.service
  local owner = { service = { id = service.id }, held = true }
  local socket = { id = id, port = place.port and port, path = place.path, owner = owner, kept = {}, lives = {} }
  function owner.leaves() return given_up(self, key, socket) end
  if socket.port then self.claims[socket.port] = owner end
  self.held[key] = socket
  return socket
end

---Leaves those that the service has no longer, as its declaration was changed.
---@param service service
function Sockets:keep_declared(service)
  local wanted = {}
  for _, place in ipairs(service.listen or {}) do wanted[key_of(service, place)] = true end
  for _, key in ipairs(list.keys(self.held)) do
    if self.held[key].kept[service.id] and not wanted[key] then self:leave(key, service.id) end
  end
end

---Binds what isn't bound yet; fills `job.ports`, `job.sockets` and the names of them.
---@param job job
---@param wait boolean in a task: wait for a port that will be free. Without: give up at once, with code 'EAGAIN'
---@return true? ok, string? message, string? code
function Sockets:claim(job, wait)
  local service, ids, names = job.service, {}, {}
  self:keep_declared(service)
  for i, place in ipairs(service.listen or {}) do
    local key = key_of(service, place)
    if not self.held[key] then
      local opened, why, code = open(self, job, key, place, wait)
      if not opened then return nil, why, code end
    end
    local socket = self.held[key]
    -- whether a socket blocks is the same for all who have it: one that lives keeps what it has made of it
    if next(socket.lives) == nil then self.context.sys.net.block(socket.id) end
    socket.kept[service.id], socket.lives[service.id] = true, true
    ids[i], names[i] = socket.id, place.name
    if socket.port then job.ports[place.name] = socket.port end
  end
  if ids[1] then job.sockets, job.socket_names = ids, names end
  return true
end

---A life is over; its sockets stay, those that the next one is to have.
---@param id string of a service
function Sockets:ended(id)
  for _, socket in pairs(self.held) do socket.lives[id] = nil end
  local service = self.context.declared(id)
  if service then self:keep_declared(service) end
end

function Sockets:leave(key, id)
  local socket = self.held[key]
  socket.kept[id], socket.lives[id] = nil, nil
  if next(socket.kept) == nil then close(self, key) end
end

-- It doesn't run and won't by itself.
local AT_REST = { idle = true, stopped = true, completed = true, failed = true, skipped = true }

---A record has changed: at rest nobody answers, so who connects is refused.
---@param id string of a service
---@param status string
function Sockets:look(id, status)
  if not AT_REST[status] then return end
  for _, key in ipairs(list.keys(self.held)) do
    if self.held[key].kept[id] then self:leave(key, id) end
  end
end

---@param job job with sockets
---@param env string[] 'NAME=value'
---@return string[] with what sd_listen_fds(3) reads; LISTEN_PID is the child's own to add
function M.environment(job, env)
  local out = list.filter(env, function(pair) return not pair:find '^LISTEN_%u+=' end)
  out[#out + 1] = ('LISTEN_FDS=%d'):format(#job.sockets)
  out[#out + 1] = 'LISTEN_FDNAMES=' .. table.concat(job.socket_names, ':')
  return out
end

return M
