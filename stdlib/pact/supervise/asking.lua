--- Asks those who may decide instead of the policy: hooks, then the service's own functions.

local duration = require 'pact.base.duration'

local M = {}

local HOOK_TIMEOUT = 10000
local BUDGET = 250
local ACTIONS = { restart = true, wait = true, ignore = true, fail = true }
local HEALTH = { unhealthy = true, health_check_failed = true }

local function valid(verdict)
  return type(verdict) == 'table' and ACTIONS[verdict.action] and verdict or nil
end

-- What a function of the recipe gave, as a verdict.
local function as_verdict(value)
  if value == nil or valid(value) then return value end
  if ACTIONS[value] then return { action = value } end
  local ms = math.type(value) == 'float' and math.floor(value) or value
  if type(ms) == 'string' then ms = duration.parse(ms) end
  if math.type(ms) == 'integer' and ms >= 0 then return { action = 'restart', after = ms } end
end

local function answer(sup, node, ticket, verdict)
  if node.asking ~= ticket then return end
  sup.sched:cancel(ticket.timer)
  node.asking = nil
  if verdict and verdict.action == 'wait' then
    node.asking = ticket
    ticket.timer = sup.sched:after(verdict.after or 1000, function()
      node.asking = nil
      M.begin(sup, node, ticket.name)
    end)
    return
  end
  sup:feed(node, { name = 'verdict', epoch = ticket.epoch, verdict = verdict })
end

-- The function of the recipe that has the word when no hook has.
local function own_function(node, name)
  local service = node.service
  if name == 'crashed' or name == 'ended' then
    local decide = service.restart.policy == 'function' and service.restart.decide
    return decide or nil, decide and { node.history[#node.history], node.history }
  elseif name == 'health_check_failed' and type(service.on_unhealthy) == 'function' then
    return service.on_unhealthy, nil
  end
end

local function ask_own(sup, node, ticket)
  local fn, args = own_function(node, ticket.name)
  if not fn then return answer(sup, node, ticket, nil) end
  args = args or { sup:handle(node.id), node.told[ticket.name] }
  sup.sched:spawn(fn, {
    name = ('%s of %s'):format(HEALTH[ticket.name] and 'on_unhealthy' or 'restart', node.id),
    budget = BUDGET,
    on_done = function(value)
      answer(sup, node, ticket, as_verdict(value))
    end,
    on_error = function(message, traceback)
      sup:emit(node, 'hook_failed', {
        hook = HEALTH[ticket.name] and 'on_unhealthy' or 'restart', reason = message, message = message,
        traceback = traceback,
      })
      answer(sup, node, ticket, nil)
    end,
  }, args[1], args[2])
end

local function ask_hooks(sup, node, ticket)
  local replied = false
  local function reply(verdict)
    if replied or node.asking ~= ticket then return end
    replied = true
    verdict = valid(verdict)
    if verdict then return answer(sup, node, ticket, verdict) end
    ask_own(sup, node, ticket)
  end
  local ok, pending = sup.sys.try(sup.opts.verdict, node.id, node.told[ticket.name], reply)
  if not ok then sup.sched.on_error(pending.message, sup.full(pending)) end
  if not (ok and pending) then return reply(nil) end
end

---Asks; the answer is fed as `verdict`.
---@param node node
---@param name 'crashed'|'ended'|'unhealthy'|'health_check_failed'|'failed'
function M.begin(sup, node, name)
  local ticket = { name = name, epoch = node.record.epoch }
  sup.sched:cancel(node.asking and node.asking.timer)
  node.asking = ticket
  ticket.timer = sup.sched:after(sup.opts.hook_timeout or sup.opts.plan.hook_timeout or HOOK_TIMEOUT, function()
    answer(sup, node, ticket, nil)
  end)
  -- After the event itself has gone round.
  sup.sched:post(function()
    if node.asking ~= ticket or node.record.asked ~= name then return end
    if sup.opts.verdict and name ~= 'ended' then return ask_hooks(sup, node, ticket) end
    ask_own(sup, node, ticket)
  end)
end

---Nobody is asked any more.
function M.forget(sup, node)
  if node.asking then
    sup.sched:cancel(node.asking.timer)
    node.asking = nil
  end
end

return M
