--- The control protocol over TCP, `--listen`: with a token, which is made anew at each start and kept in a file that is
-- the user's alone. The control socket needs none: it asks the kernel who is there.

local address = require 'pact.base.address'
local gatekeeper = require 'pact.control.api.gatekeeper'
local json = require 'pact.base.json'
local list = require 'pact.base.list'

local M = {}

local TOKEN_BYTES, GIVEN_MIN = 24, 16
local TOKEN_MODE = tonumber('600', 8)
local LIMITS = {
  head_timeout = 10000, body_timeout = 30000, idle_timeout = 60000, take_timeout = 60000, max_body = 1 << 20,
  max_connections = 256, refusals = 'json', when_full = 'give_way',
}

---@class control_tcp
---@field url string
---@field file string of the token
---@field gate gate
local Tcp = {}
Tcp.__index = Tcp

local function hex(bytes)
  return (bytes:gsub('.', function(byte) return ('%02x'):format(byte:byte()) end))
end

---@return string? token, string? message
local function token_of(sys, env)
  local given = env.PACTLUA_TOKEN
  if not given or given == '' then return hex(sys.os.random(TOKEN_BYTES)) end
  if #given >= GIVEN_MIN and given:find '^[%w._~+/-]+=*$' then return given end
  return nil, ('PACTLUA_TOKEN must be %d or more of A–Z a–z 0–9 - . _ ~ + /'):format(GIVEN_MIN)
end

local function refusal(sys, wanted, message, code)
  local place = address.text(wanted.host, wanted.port)
  if code == 'EADDRINUSE' then
    local holder = sys.net.port_holder(wanted.port)
    if holder then
      message = ('port %d is taken by %s'):format(wanted.port, require('pact.supervise.ports').holder_text(holder))
    end
  elseif code == 'EACCES' then
    message = ('port %d: not permitted to listen on it (below 1024 only root may)'):format(wanted.port)
  elseif code == 'EADDRNOTAVAIL' or code == 'EINVAL' then
    message = 'no address of this machine'
  end
  return ('--listen %s: %s (port 0 takes a free one)'):format(place, message)
end

-- Answers to pages of other sites need a header more, whoever gives them.
local function add_headers(self, ctl)
  local function with(fn)
    return function(request, status, headers, ...)
      local more = self.headers[request]
      if more then
        self.headers[request], headers = nil, list.copy(headers or {})
        for name, value in pairs(more) do headers[name] = value end
      end
      return fn(request, status, headers, ...)
    end
  end
  ctl.respond, ctl.stream = with(ctl.respond), with(ctl.stream)
end

function Tcp:request(id, request)
  local ctl = self.network.sys.ctl
  local verdict = gatekeeper.check(self.gate, request)
  if not verdict.status then
    if next(verdict.headers) then self.headers[id] = verdict.headers end
    request.over = self.url
    return self.network:request(id, request)
  end
  verdict.headers['content-type'] = verdict.error and 'application/json' or nil
  local body = verdict.error and json.encode { error = verdict.error, code = verdict.code } .. '\n' or ''
  ctl.respond(id, verdict.status, verdict.headers, body)
end

---Listens as `--listen` says.
---@param network network with its directory
---@param file string for the token
---@return control_tcp?, string? message
function M.open(network, file)
  local sys, options = network.sys, network.invocation.options
  local wanted = options.listen
  local token, message = token_of(sys, network.env)
  if not token then return nil, message end
  local ok
  ok, message = sys.fs.write(file, token .. '\n', { mode = TOKEN_MODE, atomic = true })
  if not ok then return nil, ('the token of --listen: %s'):format(message) end
  local self = setmetatable({ network = network, file = file, headers = {} }, Tcp)
  local where = { host = wanted.host, port = wanted.port }
  for name, value in pairs(LIMITS) do where[name] = value end
  local id, port, code = sys.web.listen(where)
  if not id then
    self:close()
    return nil, refusal(sys, wanted, port, code)
  end
  self.gate = { token = token, host = wanted.host, port = port, origins = list.set(options.allow_origin or {}) }
  self.url = 'http://' .. address.text(wanted.host, port)
  if next(self.gate.origins) then add_headers(self, sys.ctl) end
  network.sched:on(id, function(kind, request, data)
    if kind == 'request' then self:request(request, data) end
  end)
  return self
end

---What people are told at the start.
---@return string
function Tcp:words()
  local words = ('pactlua: the control API listens on %s; token: see %s\n'):format(self.url, self.file)
  if address.is_local(self.gate.host) then return words end
  return words .. ('pactlua: warning: other machines reach %s: who has the token there can run programs as you, '
    .. 'and who listens on the way can read it (nothing is encrypted)\n'):format(self.url)
end

---@return table what `/v1/status` has of it
function Tcp:status()
  local origins = list.keys(self.gate.origins)
  return { url = self.url, token_file = self.file, allow_origin = origins[1] and json.array(origins) or nil }
end

---The token is worth nothing any more.
function Tcp:close() self.network.sys.fs.remove(self.file) end

return M
