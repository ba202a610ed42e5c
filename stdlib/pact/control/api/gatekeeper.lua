--- Who is let in over TCP: by the Host that was asked for, the page that asks (Origin), and the token. It has neither
-- state nor effects.

local address = require 'pact.base.address'
local text = require 'pact.base.text'

local M = {}

---@class gate
---@field token string
---@field host string an address in numbers
---@field port integer
---@field origins table<string, true> sites whose pages may ask

---@class verdict
---@field status? integer of the refusal; nil: let in
---@field error? string
---@field code? 'host'|'origin'|'token'
---@field headers table<string, string> of the answer, whatever it is

local HERE = { ['localhost'] = true, ['127.0.0.1'] = true, ['::1'] = true }
local EVERYWHERE = { ['0.0.0.0'] = true, ['::'] = true }
local METHODS, HEADERS = 'GET, HEAD, POST', 'authorization, content-type, last-event-id'
local PREFLIGHT_AGE_S = '600'

-- A name could be another machine's that was made to lead here (DNS rebinding); an address in numbers can't.
local function is_ours(gate, host)
  local name, port = host:match '^%[([%x:.]+)%]:?(%d*)$'
  if not name then name, port = host:match '^([^:]+):?(%d*)$' end
  if not name or tonumber(port ~= '' and port or '80') ~= gate.port then return false end
  if HERE[name] or name == gate.host then return true end
  return EVERYWHERE[gate.host] and address.is_numeric(name) or false
end

local function same_site(origin, host) return origin == 'http://' .. host end

local function shown(value) return text.truncate(text.show(value), 120) end

---The same time for every wrong token of a length.
---@param given string
---@param right string
---@return boolean
function M.same(given, right)
  local difference = #given ~ #right
  for i = 1, #right do difference = difference | ((given:byte(i) or 0) ~ right:byte(i)) end
  return difference == 0
end

local function check_host(gate, host)
  if host and is_ours(gate, host:lower()) then return nil end
  return {
    status = 421, code = 'host',
    error = ('Host %s is not what listens here, which is %s: another name may be led here by somebody else')
      :format(host and shown(host) or '(none)', address.text(gate.host, gate.port)),
  }
end

local function check_origin(gate, origin, host)
  if not origin or same_site(origin:lower(), host:lower()) or gate.origins[origin] then return nil end
  local site = origin:match '^https?://[^/%s,]+$'
  local hint = site and ('; --allow-origin %s lets its pages ask'):format(shown(site):sub(2, -2)) or ''
  return { status = 403, code = 'origin', error = ("Origin %s is not let in%s"):format(shown(origin), hint) }
end

local function challenge(words, also)
  return {
    status = 401, code = 'token', error = words,
    headers = { ['www-authenticate'] = 'Bearer realm="pactlua"' .. (also or '') },
  }
end

local WHERE = "it is in the file 'token' of the network's directory, which 'pactlua ps' names"

local function check_token(gate, request)
  local given = request.headers.authorization
  if not given then
    local why = request.query.token and ' in that header, as addresses are kept in logs and histories' or ''
    return challenge(("a token is needed%s: 'Authorization: Bearer TOKEN'; %s"):format(why, WHERE))
  end
  local scheme, token = given:match '^(%a+) +(%S+)$'
  if not scheme or scheme:lower() ~= 'bearer' then
    return challenge(("Authorization must be 'Bearer TOKEN'; %s"):format(WHERE), ', error="invalid_request"')
  end
  if M.same(token, gate.token) then return nil end
  return challenge(('the token is wrong; %s'):format(WHERE), ', error="invalid_token"')
end

-- A browser asks before a page of another site may send what no form could.
local function is_preflight(request, allowed)
  return allowed and request.method == 'OPTIONS' and request.headers['access-control-request-method'] ~= nil
end

local function add(verdict, headers)
  for name, value in pairs(headers) do verdict.headers[name] = value end
  return verdict
end

---@param gate gate
---@param request { method: string, headers: table<string, string>, query: table<string, string> }
---@return verdict
function M.check(gate, request)
  local host, origin = request.headers.host, request.headers.origin
  local allowed = origin ~= nil and gate.origins[origin] == true
  local cors = {}
  if next(gate.origins) then cors.vary = 'Origin' end
  if allowed then cors['access-control-allow-origin'] = origin end
  local verdict = check_host(gate, host) or check_origin(gate, origin, host)
  if not verdict and is_preflight(request, allowed) then
    cors['access-control-allow-methods'], cors['access-control-allow-headers'] = METHODS, HEADERS
    cors['access-control-max-age'] = PREFLIGHT_AGE_S
    if request.headers['access-control-request-private-network'] == 'true' then
      cors['access-control-allow-private-network'] = 'true'
    end
    return { status = 204, headers = cors }
  end
  verdict = verdict or check_token(gate, request) or {}
  verdict.headers = verdict.headers or {}
  return add(verdict, cors)
end

return M
