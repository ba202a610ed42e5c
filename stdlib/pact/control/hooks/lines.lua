--- Hooks of `line`: the logs of services are watched for what the hooks match. Other lines stay in C.

local list = require 'pact.base.list'

local M = {}

-- So many runs of one hook at a time, and so many lines of one service within a window: what comes meanwhile is
-- left out.
local RUNS_MOST, WINDOW_MS, LINES_MOST = 100, 100, 2000

local STREAMS = { 'stdout', 'stderr' }

---@class line_hooks
local Lines = {}
Lines.__index = Lines

---@class line_hooks_context
---@field sys sys
---@field sched sched
---@field supervisor supervisor
---@field hooks hooks
---@field say fun(text: string) tells people

---@param context line_hooks_context
---@return line_hooks
function M.new(context)
  local self = setmetatable({ context = context, hooks = {}, watches = {} }, Lines)
  for _, hook in ipairs(context.hooks.global.line or {}) do self:add(hook) end
  return self
end

local function hears(hook, service)
  local wanted = hook.filter.service
  return not wanted or list.index(wanted, service.id) or (service.group and list.index(wanted, service.group))
end

-- Told once for each hook: one that filters more finely misses nothing.
local function leave_out(self, hook, service, lines)
  hook.left_out = (hook.left_out or 0) + lines
  if hook.told then return end
  hook.told = true
  self.context.say(("pactlua: hook of line at %s:%d: '%s' says more than it can hear; some lines are left out\n")
    :format(hook.at.file, hook.at.line, service.id))
end

function Lines:heard(hook, watch, service, text, stream)
  local context, wanted = self.context, hook.filter.stream
  if wanted and STREAMS[stream] ~= wanted then return end
  if (hook.under_way or 0) >= RUNS_MOST then
    return leave_out(self, hook, service, 1)
  end
  local snapshot = context.supervisor:snapshot(service.id)
  local more = context.hooks:hear(hook, {
    name = 'line', service = service.id, epoch = snapshot and snapshot.epoch, text = text,
    stream = STREAMS[stream] or 'ours', at = context.sys.time.wall(), mono = context.sys.time.now(),
    left_out = hook.left_out,
  })
  hook.left_out = nil
  if more == false then self:unwatch(watch) end
end

function Lines:unwatch(watch)
  self.context.sched:cancel(watch)
  self.watches[watch] = nil
end

function Lines:watch(hook, service)
  local context = self.context
  if self.closed then return end
  local log = hears(hook, service) and context.supervisor:log(service.id)
  local watch = log and context.sys.log.match(log, hook.filter.match)
  if not watch then return end
  self.watches[watch] = true
  local count, began = 0, context.sys.time.now()
  context.sched:on(watch, function(_, text, stream, _, lost)
    if (lost or 0) > 0 then leave_out(self, hook, service, lost) end
    local since = context.sys.time.now() - began
    if since >= WINDOW_MS then count, began, since = 0, began + since, 0 end
    count = count + 1
    if count <= LINES_MOST then return self:heard(hook, watch, service, text, stream) end
    leave_out(self, hook, service, 1) -- and nothing is looked for until the window is over
    self:unwatch(watch)
    context.sched:after(WINDOW_MS - since, function() self:watch(hook, service) end)
  end)
end

---@param hook hook
function Lines:add(hook)
  self.hooks[#self.hooks + 1] = hook
  local supervisor = self.context.supervisor
  for _, id in ipairs(supervisor:list()) do self:watch(hook, supervisor:service(id)) end
end

---Nothing is heard any more.
function Lines:close()
  self.closed = true
  for watch in pairs(self.watches) do self.context.sched:cancel(watch) end
  self.watches = {}
end

---@param service service added to the network
function Lines:add_service(service)
  for _, hook in ipairs(self.hooks) do self:watch(hook, service) end
end

return M
