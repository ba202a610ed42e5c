--- The ports that `pact.free_port` gives: a name gets the port it had in the last run while that is
-- free. They are kept in ports.json in the network's directory.

local json = require 'pact.base.json'
local list = require 'pact.base.list'

local M = {}

local FILE = '/ports.json'
local TRIES = 100

---@class free_ports
local Ports = {}
Ports.__index = Ports

---@class free_ports_context
---@field fs sys.fs
---@field net sys.net
---@field places fun(): string[] directories in which the network's ports.json may be
---@field live boolean false where nothing is going to be started, so that a port in use is as good
---@field warn? fun(message: string) of a file that can't be read

---@param context free_ports_context
---@return free_ports
function M.new(context)
  return setmetatable({
    fs = context.fs, net = context.net, places = context.places, live = context.live, given = {},
    warn = context.warn or function() end,
  }, Ports)
end

local function is_port(value)
  return math.type(value) == 'integer' and value > 0 and value < 65536
end

local function read(self, path)
  local bytes = self.fs.read(path)
  if not bytes then return end
  local ports, strange = json.decode(bytes), false
  for name, port in pairs(type(ports) == 'table' and ports or {}) do
    if type(name) == 'string' and is_port(port) then self.known[name] = port else strange = true end
  end
  if type(ports) ~= 'table' then
    self.warn(path .. " can't be read: ports of pact.free_port are chosen anew")
  elseif strange then
    self.warn(path .. " holds what is no port: left out")
  end
end

---What was written by earlier runs; a file that can't be read is as none.
function Ports:kept()
  if self.known then return self.known end
  self.known = {}
  for _, place in ipairs(self.places()) do read(self, place .. FILE) end
  return self.known
end

function Ports:is_taken(port, name)
  for other, given in pairs(self.given) do
    if given == port and other ~= name then return true end
  end
  return false
end

function Ports:usable(port, name)
  if self:is_taken(port, name) then return false end
  return not self.live or self.net.port_free(port) or self.net.port_lingers(port)
end

---@param name string
---@return integer? port, string? message
function Ports:get(name)
  if self.given[name] then return self.given[name] end
  local port = self:kept()[name]
  if not port or not self:usable(port, name) then
    for _ = 1, TRIES do
      local message
      port, message = self.net.free_port()
      if not port then return nil, message end
      if not self:is_taken(port, name) then break end
    end
  end
  self.given[name] = port
  return port
end

---Writes down what was given, beside what is known of other names.
---@param place string the network's directory
---@return true?, string? message
function Ports:save(place)
  local all, changed = {}, false
  for name, port in pairs(self:kept()) do all[name] = port end
  for name, port in pairs(self.given) do
    changed = changed or all[name] ~= port
    all[name] = port
  end
  if not changed or #list.keys(all) == 0 then return true end
  return self.fs.write(place .. FILE, json.encode(all) .. '\n', { atomic = true })
end

return M
