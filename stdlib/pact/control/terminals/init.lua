--- Clients at the terminals of services: what they type goes in, what is shown goes to all of them. A
-- terminal is as large as the smallest of its clients'; once nobody is there it stays as it was.

local json = require 'pact.base.json'
local list = require 'pact.base.list'
local replay = require 'pact.control.terminals.replay'

local M = {}

local SIZE_MAX = 1000

---@class terminal_client
---@field request integer
---@field id string the service's
---@field log integer
---@field columns? integer nil: it hasn't said
---@field rows? integer
---@field blocked? boolean it takes nothing now
---@field refused? boolean it has been told that what it types is not taken

---@class terminals
local Terminals = {}
Terminals.__index = Terminals

---@param network network
---@return terminals
function M.new(network)
  return setmetatable({ network = network, clients = {} }, Terminals)
end

-- The service ends for good with these, as far as its clients are concerned.
local ENDS = { completed = true, stopped = true, failed = true, skipped = true }
local RESTS = { idle = true, completed = true, stopped = true, failed = true, skipped = true }

local NOTED = { crashed = true, started = true, stopped = true, backoff = true }

---Whether somebody can be given the terminal of a service.
---@param service service
---@param snapshot snapshot
---@return true?, string? message, string? code
function M.possible(service, snapshot)
  local id = service.id
  if not service.tty then
    return nil, ("'%s' has no terminal: give it tty = true in the recipe ('pactlua logs -f %s' shows what it writes, "
      .. "'pactlua send %s TEXT' writes to its standard input)"):format(id, id, id), 'tty'
  elseif RESTS[snapshot.status] and snapshot.want == 'down' or ENDS[snapshot.status] then
    return nil, ("'%s' does not run (%s: %s); 'pactlua start %s' starts it")
      :format(id, snapshot.status, snapshot.reason, id), 'gone'
  end
  return true
end

function Terminals:message(client, message)
  if client.blocked and message.type == 'note' then return end
  self.network.sys.ctl.frame(client.request, 'j', json.encode(message, { lenient = true }))
end

local function bytes_to(self, client, bytes)
  if bytes == '' then return end
  local queued = self.network.sys.ctl.frame(client.request, 'b', bytes)
  client.blocked = queued ~= nil and queued > 256 * 1024
end

-- What the client missed while it took nothing.
local function catch_up(self, client)
  local missed, lost = self.network.sys.log.show(client.log, client.request)
  client.blocked = false
  if not missed then return end
  if lost > 0 then
    self:message(client, { type = 'note', text = ('%d bytes are left out here; the log has them'):format(lost) })
  end
  bytes_to(self, client, missed)
end

local function clients_of(self, id)
  self.clients[id] = self.clients[id] or {}
  return self.clients[id]
end

-- The smallest of all clients that have said how large they are.
local function smallest(clients)
  local columns, rows
  for _, client in ipairs(clients) do
    if client.columns then
      columns, rows = math.min(columns or SIZE_MAX, client.columns), math.min(rows or SIZE_MAX, client.rows)
    end
  end
  return columns, rows
end

---@param redraw? boolean also when the size is what it was
local function fit(self, id, redraw)
  local clients = clients_of(self, id)
  local columns, rows = smallest(clients)
  if not columns or not redraw and clients.columns == columns and clients.rows == rows then return end
  clients.columns, clients.rows = columns, rows
  self.network.supervisor:resize(id, columns, rows)
end

local function is_size(value) return math.type(value) == 'integer' and value >= 0 end

-- A terminal that doesn't know its size says 0.
local function take_size(client, columns, rows)
  if not is_size(columns) or not is_size(rows) then
    return nil, 'size: columns and rows are whole numbers, 0 or more'
  end
  client.columns = columns > 0 and math.min(columns, SIZE_MAX) or nil
  client.rows = client.columns and math.max(1, math.min(rows, SIZE_MAX))
  if rows == 0 then client.columns, client.rows = nil, nil end
  return true
end

local function type_in(self, client, bytes)
  local ok, message, code = self.network.supervisor:write(client.id, bytes)
  if not ok and code ~= 'gone' and not client.refused then self:message(client, { type = 'note', text = message }) end
  client.refused = not ok and code ~= 'gone'
end

local function heard(self, client, kind, bytes)
  if kind == 'b' then return type_in(self, client, bytes) end
  local message = json.decode(bytes)
  local why = "a message is an object with a 'type': 'size' is known"
  if type(message) == 'table' and message.type == 'size' then
    local ok
    ok, why = take_size(client, message.columns, message.rows)
    if ok then return fit(self, client.id, message.redraw == true) end
  end
  self:message(client, { type = 'error', error = why })
end

local function leave(self, client)
  self.network.sched:off(client.request)
  self.network.sys.log.hide(client.log, client.request)
  local clients = clients_of(self, client.id)
  for i, other in ipairs(clients) do
    if other == client then table.remove(clients, i) end
  end
  if not self.network.ending then fit(self, client.id) end
end

---Gives a client the terminal of a service. What was shown last comes first.
---@param request integer
---@param id string
---@param given { columns?: integer, rows?: integer }
function Terminals:open(request, id, given)
  local network = self.network
  local log = network.supervisor:log(id)
  if not log or not network.sys.ctl.upgrade(request) then return end
  local client = { request = request, id = id, log = log }
  network.sched:on(request, function(kind, ...)
    if kind == 'frame' then
      heard(self, client, ...)
    elseif kind == 'drain' then
      catch_up(self, client)
    elseif kind == 'gone' then
      leave(self, client)
    end
  end)
  local clients = clients_of(self, id)
  clients[#clients + 1] = client
  bytes_to(self, client, replay.of(network.sys.log.show(log, request)))
  if given.columns and given.rows then
    take_size(client, given.columns, given.rows)
    fit(self, id, true)
  end
  local snapshot = network.supervisor:snapshot(id)
  if not snapshot.pid then
    self:message(client, { type = 'note', text = ("'%s' does not run yet (%s: %s)"):format(id, snapshot.status,
      snapshot.reason) })
  end
end

local function finish(self, client, event)
  catch_up(self, client)
  self:message(client, { type = 'end', status = event.name, reason = event.reason, exit_code = event.exit_code,
    signal = event.signal })
  self.network.sched:off(client.request)
  self.network.sys.log.hide(client.log, client.request)
  self.network.sys.ctl.finish(client.request)
end

---@param event event
function Terminals:event(event)
  local clients = event.service and self.clients[event.service]
  if not clients then return end
  if ENDS[event.name] and not self.network.supervisor:returns(event.service) then
    self.clients[event.service] = nil
    for _, client in ipairs(clients) do finish(self, client, event) end
  elseif NOTED[event.name] then
    if event.name == 'backoff' and event.exit_code ~= 0 then return end -- after a crash, which has been told
    local text = event.name == 'started' and 'has started' or ('has %s: %s'):format(
      event.name == 'backoff' and 'ended' or event.name, event.reason)
    for _, client in ipairs(list.copy(clients)) do
      self:message(client, { type = 'note', text = ("'%s' %s"):format(event.service, text) })
    end
  end
end

return M
