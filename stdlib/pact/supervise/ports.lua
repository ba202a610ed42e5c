--- Ports are claimed at each start: free, or somebody's, or still lingering from the last life.

local reason = require 'pact.supervise.reason'

local M = {}

local LOOK_AGAIN = 100 -- ms
local PATIENCE = 60000 -- as long as a closed connection lingers; an end takes no longer
M.LOOK_AGAIN, M.PATIENCE = LOOK_AGAIN, PATIENCE
local TRIES = 100 -- ports behind a taken one, with fallback

---@class port_context
---@field sys sys
---@field sched sched

---@param holder { pid: integer, name: string, command?: string }
---@return string
local function holder_text(holder)
  return ('pid %d (%s)'):format(holder.pid, reason.last_line(holder.command or holder.name))
end

M.holder_text = holder_text

---@param job job
---@param port integer
---@return string? message, string? code that another service of this network has it
---@return boolean? passes that one is on its way to its end
function M.foreign(job, port)
  local owner = job.claims[port]
  local id = owner and owner.service.id
  if not owner or id == job.service.id then return nil end
  if owner.stopping or owner.ended or owner.leaves and owner.leaves(port) then
    return ("port %d is still held by service '%s', which is ending"):format(port, id), 'EADDRINUSE', true
  end
  return ("port %d is taken by service '%s'"):format(port, id), 'EADDRINUSE', false
end

-- nil when the port may be used; else why not, errno's name, and whether it may pass by itself.
local function obstacle(sys, job, port)
  local foreign, in_use, ending = M.foreign(job, port)
  if foreign then return foreign, in_use, ending end
  local free, code = sys.net.port_free(port)
  if free then return nil end
  if code == 'EACCES' then
    return ('port %d: not permitted to listen on it (below 1024 only root may)'):format(port), code, false
  end
  local holder = sys.net.port_holder(port)
  if holder then return ('port %d is taken by %s'):format(port, holder_text(holder)), 'EADDRINUSE', false end
  if sys.net.port_lingers(port) then
    return ('port %d is held by connections that linger'):format(port), 'EADDRINUSE', true
  end
  return ("port %d is taken by a process that can't be seen (another user's?)"):format(port), 'EADDRINUSE', true
end

M.obstacle = obstacle

local function next_free(sys, job, port)
  for number = port + 1, math.min(port + TRIES, 65535) do
    if not job.claims[number] and not obstacle(sys, job, number) then return number end
  end
end

---@param job job
local function release_all(job)
  for number, owner in pairs(job.claims) do
    if owner.service.id == job.service.id and not owner.held then job.claims[number] = nil end
  end
end

---@param job job
function M.release(job)
  if #job.service.ports > 0 or job.took then release_all(job) end
end

---A port beyond those declared that the service has bound.
---@param job job
---@param port integer
function M.take(job, port)
  job.took = true
  job.claims[port] = job
end

-- Waits while the port may become free by itself, and says so.
local function patiently(context, job, port)
  local sys = context.sys
  local long = M.foreign(job, port) or sys.net.port_lingers(port)
  local until_when = sys.time.now() + (long and PATIENCE or 1000)
  local why, code, passes = obstacle(sys, job, port)
  while why and passes and sys.time.now() < until_when do
    job.report('note', { text = why .. '; waiting for it' })
    context.sched:sleep(LOOK_AGAIN)
    why, code, passes = obstacle(sys, job, port)
  end
  job.report('note', {})
  return why, code
end

---Whether a port can be had; waits in a task for one that will be free by itself.
---@param context port_context
---@param job job
---@param port integer
---@param wait boolean without it: 'EAGAIN' where waiting would help
---@return string? why not, string? code
function M.clear(context, job, port, wait)
  local why, code, passes = obstacle(context.sys, job, port)
  if not why or not passes then return why, code end
  if not wait then return why, 'EAGAIN' end
  return patiently(context, job, port)
end

-- A person may take another port at once.
local function with_offer(sys, job, port, why, code)
  local other = code == 'EADDRINUSE' and next_free(sys, job, port)
  if not other then return why end
  return ('%s; %d is free (fallback = true takes it)'):format(why, other)
end

local function claim_one(context, job, port, wait)
  local number = port.port
  if port.fallback then
    local why, code = obstacle(context.sys, job, number)
    if not why then return number end
    number = next_free(context.sys, job, number)
    return number, not number and ('%s, and so are the %d behind it'):format(why, TRIES) or nil, code
  end
  local why, code = M.clear(context, job, number, wait)
  return number, why and code ~= 'EAGAIN' and with_offer(context.sys, job, number, why, code) or why, code
end

---Claims the ports of a job and fills `job.ports`.
---@param context port_context
---@param job job
---@param wait boolean in a task: wait for what lingers. Without: give up at once, with code 'EAGAIN'
---@return true? ok, string? message, string? code
function M.claim(context, job, wait)
  for _, port in ipairs(job.service.ports) do
    if not port.listen then -- else it is bound for the service: sockets.lua
      local number, why, code = claim_one(context, job, port, wait)
      if why then
        release_all(job)
        return nil, why, code
      end
      job.claims[number] = job
      job.ports[port.name] = number
    end
  end
  return true
end

return M
