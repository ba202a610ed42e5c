--- Asks those who may decide instead of the policy: hooks, then the service's own functions.

local duration = require 'pact.base.duration'
local fail = require 'pact.base.fail'
local text = require 'pact.base.text'
local view = require 'pact.supervise.view'

local M = {}

local HOOK_TIMEOUT = 10000
local BUDGET = 250
local ACTIONS = { restart = true, wait = true, ignore = true, fail = true }

local function valid(verdict)
  return type(verdict) == 'table' and ACTIONS[verdict.action] and verdict or nil
end

local WANTED = {
  restart = "a delay such as '2s', or nil to give up",
  on_unhealthy = "'restart', 'ignore', a delay such as '2s', a verdict, or nothing",
}

-- What a function of the recipe gave, as a verdict; else what is wrong with it.
local function as_verdict(what, value)
  if value == nil or valid(value) then return value end
  if what == 'on_unhealthy' then
    if value == true or value == false then return nil end
    if value == 'restart' or value == 'ignore' then return { action = value } end
  end
  local ms, message = duration.parse(value)
  if ms then return { action = 'restart', after = ms } end
  local hint = message:find '^is ' and '; it ' .. message or ''
  return nil, ('gave %s: expected %s%s'):format(text.show(value), WANTED[what], hint)
end

local function stop_asking(sup, node, ticket)
  sup.sched:cancel(ticket.timer)
  if ticket.task then sup.sched:stop(ticket.task) end
  node.asking = nil
end

local function answer(sup, node, ticket, verdict, fallback)
  if node.asking ~= ticket then return end
  stop_asking(sup, node, ticket)
  if verdict and verdict.action == 'wait' then
    node.asking, ticket.waits = ticket, true
    ticket.timer = sup.sched:after(verdict.after or 1000, function()
      node.asking = nil
      M.begin(sup, node, ticket.name)
    end)
    return
  end
  sup:feed(node, { name = 'verdict', epoch = ticket.epoch, verdict = verdict, fallback = fallback })
end

-- The function of the recipe that has the word when no hook has.
local function own_function(sup, node, name)
  local service = node.service
  if name == 'crashed' or name == 'ended' then
    local decide = service.restart.policy == 'function' and service.restart.decide
    if not decide then return nil end
    local history = view.history(node)
    return 'restart', decide, history[#history], history
  elseif name == 'health_check_failed' and type(service.on_unhealthy) == 'function' then
    return 'on_unhealthy', service.on_unhealthy, sup:handle(node.id), node.told[name]
  end
end

-- An own function that gave nothing of use: the defaults decide.
local function failed(sup, node, ticket, what, message, traceback)
  if node.asking ~= ticket then return end
  ticket.task = nil
  local file, line, rest = message:match '^([^\n:]+):(%d+): (.*)$'
  if not file then file, line, rest = node.service.at.file, node.service.at.line, message end
  sup:emit(node, 'hook_failed', {
    hook = what, file = file, line = math.tointeger(tonumber(line)), reason = rest, message = rest,
    traceback = traceback and fail.bare_traceback(traceback, message),
  })
  answer(sup, node, ticket, nil, true)
end

local function limit(sup, ticket, fn)
  sup.sched:cancel(ticket.timer)
  ticket.timer = sup.sched:after(sup.opts.hook_timeout or sup.opts.plan.hook_timeout or HOOK_TIMEOUT, fn)
end

local function ask_own(sup, node, ticket)
  local what, fn, first, second = own_function(sup, node, ticket.name)
  if not fn then return answer(sup, node, ticket, nil) end
  ticket.task = sup.sched:spawn(fn, {
    name = ('%s of %s'):format(what, node.id),
    budget = BUDGET,
    on_done = function(value)
      ticket.task = nil
      local verdict, wrong = as_verdict(what, value)
      if wrong then return failed(sup, node, ticket, what, wrong) end
      answer(sup, node, ticket, verdict)
    end,
    on_error = function(message, traceback)
      failed(sup, node, ticket, what, message, traceback)
    end,
  }, first, second)
  limit(sup, ticket, function()
    sup.sched:stop(ticket.task)
    failed(sup, node, ticket, what, 'gave no answer in time')
  end)
end

local function ask_hooks(sup, node, ticket)
  local function reply(verdict)
    if ticket.replied or node.asking ~= ticket then return false end
    ticket.replied = true
    verdict = valid(verdict)
    if verdict then
      answer(sup, node, ticket, verdict)
    else
      ask_own(sup, node, ticket)
    end
    return true
  end
  local ok, late = sup.sys.try(sup.opts.verdict, node.id, node.told[ticket.name], reply)
  if not ok then
    sup.sched.on_error(late.message, sup.full(late))
    late = nil
  end
  if not late then return reply(nil) end
  if ticket.replied then return end
  limit(sup, ticket, function()
    reply(late())
  end)
end

local SICK = { unhealthy = true, health_check_failed = true }

---Asks; the answer is fed as `verdict`. A verdict to wait holds for further failures of the same sickness: they are
---asked about when its time is over.
---@param node node
---@param name 'crashed'|'ended'|'unhealthy'|'health_check_failed'|'failed'
function M.begin(sup, node, name)
  local asking = node.asking
  if asking and asking.waits and asking.epoch == node.record.epoch and SICK[asking.name] and SICK[name] then
    asking.name = name
    return
  end
  local ticket = { name = name, epoch = node.record.epoch }
  if asking then stop_asking(sup, node, asking) end
  node.asking = ticket
  -- After the event itself has gone round.
  sup.sched:post(function()
    if node.asking ~= ticket or node.record.asked ~= name then return end
    if sup.opts.verdict and name ~= 'ended' then return ask_hooks(sup, node, ticket) end
    ask_own(sup, node, ticket)
  end)
end

---Nobody is asked any more.
function M.forget(sup, node)
  if node.asking then stop_asking(sup, node, node.asking) end
end

return M
