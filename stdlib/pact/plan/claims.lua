--- What one service alone can have: the rules that two of them don't claim the same port or socket.
local fail = require 'pact.base.fail'
local list = require 'pact.base.list'

local M = {}

-- two that are never wanted together may share a port, and one that comes when the other has gone
local function together(draft, a, b)
  if a.disabled or b.disabled or draft.resting and draft.resting(b.id) then return false end
  if #a.profiles == 0 or #b.profiles == 0 then return true end
  local own = list.set(a.profiles)
  for _, profile in ipairs(b.profiles) do
    if own[profile] then return true end
  end
  return false
end

local function claims_in(draft, tell)
  return { draft = draft, tell = tell, at_stake = list.set(draft.ids), holders = {} }
end

-- One service alone can have it: `what` tells it from others of its kind, `words` tell of it, `key` has it.
local function claim(claims, service, key, what, words)
  local others = claims.holders[what] or {}
  for _, other in ipairs(claims.at_stake[service.id] and others or {}) do
    local siblings = service.group and service.group == other.group
    if not siblings and other ~= service and together(claims.draft, service, other) then
      claims.tell(claims.draft, service, key, ("%s of '%s' too (%s)")
        :format(words, other.group or other.id, fail.place(other.at)))
      break
    end
  end
  others[#others + 1] = service
  claims.holders[what] = others
end

local function check_port(draft, tell, service, port)
  local key = port.listen and 'listen' or 'ports'
  if port.port > 65535 then
    tell(draft, service, key, ('%d for %s is beyond 65535'):format(port.port, service.id))
  end
  if port.counts == nil and (service.replicas or 1) > 1 and not port.fallback and not port.listen then
    tell(draft, service, 'ports', ("%d is fixed, which %d replicas cannot share: write '%d+' to count up")
      :format(port.port, service.replicas, port.port))
  end
end

---@param draft table
---@param tell fun(draft: table, service: service, key: string, message: string)
function M.ports(draft, tell)
  local claims = claims_in(draft, tell)
  for _, id in ipairs(draft.order) do
    local service = draft.services[id]
    local own = not service.task and service.kind ~= 'external'
    for _, port in ipairs(own and service.ports or {}) do
      if not port.fallback and port.port > 0 then -- else it is one that is free
        claim(claims, service, port.listen and 'listen' or 'ports', (port.protocol or 'tcp') .. port.port,
          ('%d is the port'):format(port.port))
      end
      check_port(draft, tell, service, port)
    end
  end
end

---@param draft table
---@param tell fun(draft: table, service: service, key: string, message: string)
function M.sockets(draft, tell)
  local claims = claims_in(draft, tell)
  for _, id in ipairs(draft.order) do
    local service = draft.services[id]
    for _, place in ipairs(service.listen or {}) do
      if place.path then claim(claims, service, 'listen', place.path, place.path .. ' is the socket') end
    end
  end
end

return M
