--- What people can do to a running network: one table, through which command line, API, hooks and
-- recipes act. Commands set wants; they never touch processes.

local groups = require 'pact.plan.groups'
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@class command_context
---@field supervisor supervisor
---@field by actor
---@field groups table<string, string[]> instances by the name of their group
---@field scale fun(id: string, count: integer): { up: string[], down: string[] }?, string?, string?
---@field shutdown fun(reason: string, opts: { force?: boolean, status?: integer })

---Checks that all ids are known before anything is done.
local function check(context, ids)
  for _, id in ipairs(ids) do
    if not context.supervisor:service(id) then
      local known = list.keys(context.groups)
      table.move(context.supervisor:list(), 1, #context.supervisor:list(), #known + 1, known)
      return nil, ("no service '%s'%s"):format(tostring(id), text.suggest(id, known)), 'unknown'
    end
  end
  return true
end

---Calls `fn` for each id; the first refusal is the answer, with its id; the others are done all the same.
local function each(context, ids, fn)
  local ok, message, code = check(context, ids)
  if not ok then return nil, message, code end
  local first
  for _, id in ipairs(ids) do
    ok, message, code = fn(id)
    if not ok and not first then first = { ('%s: %s'):format(id, message), code } end
  end
  if first then return nil, first[1], first[2] end
  return true
end

---@type table<string, fun(context: command_context, args: table): any, string?, string?>
local commands = {}

local AWAITED = { started = 'started', healthy = 'healthy' }

-- What has no health check never becomes healthy.
local function goal_of(context, id, args)
  if args.goal ~= 'healthy' or context.supervisor:service(id).health then return args.goal or 'ready' end
  return nil, "it has no health check and never becomes healthy; wait for 'ready'", 'refused'
end

---args: ids, no_deps, wait (false: returns at once; 'started', 'ready', 'healthy')
function commands.start(context, args)
  local ok, message, code = check(context, args.ids)
  if not ok then return nil, message, code end
  for _, id in ipairs(args.ids) do
    ok, message, code = context.supervisor:start(id, { by = context.by, no_deps = args.no_deps, wait = false })
    if not ok then return nil, message, code end
  end
  if args.wait == false then return true end
  local goal = AWAITED[args.wait] or 'ready'
  return commands.wait(context, { ids = args.ids, goal = goal, timeout = args.timeout })
end

---args: ids, with_dependents, wait
function commands.stop(context, args)
  local ok, message, code = each(context, args.ids, function(id)
    return context.supervisor:stop(id, { by = context.by, with_dependents = args.with_dependents, wait = false })
  end)
  if not ok then return nil, message, code end
  if args.wait == false then return true end
  return commands.wait(context, { ids = args.ids, goal = 'stopped', timeout = args.timeout })
end

---args: ids, with_dependents, wait (as for start), timeout
function commands.restart(context, args)
  local goal, several = args.wait ~= false and (AWAITED[args.wait] or 'ready'), #args.ids > 1
  local ok, message, code = each(context, args.ids, function(id)
    local awaited, refusal, why
    if goal then
      awaited, refusal, why = goal_of(context, id, { goal = goal })
      if not awaited then return nil, refusal, why end
    end
    return context.supervisor:restart(id, {
      by = context.by, with_dependents = args.with_dependents, wait = not several and awaited, timeout = args.timeout,
    })
  end)
  if not ok then return nil, message, code end
  if not goal or not several or args.with_dependents then return true end
  return commands.wait(context, { ids = args.ids, goal = goal, timeout = args.timeout })
end

---args: ids, signal, scope
function commands.signal(context, args)
  return each(context, args.ids, function(id)
    return context.supervisor:signal(id, args.signal or 'TERM', args.scope)
  end)
end

---args: ids, text: a line for their standard input. At a terminal a line ends with the key Enter.
function commands.send(context, args)
  if type(args.text) ~= 'string' then return nil, "'text' must be text", 'EINVAL' end
  return each(context, args.ids, function(id)
    return context.supervisor:write(id, args.text .. (context.supervisor:service(id).tty and '\r' or '\n'))
  end)
end

---args: ids, goal, timeout of the whole
function commands.wait(context, args)
  local deadline = args.timeout and context.now() + args.timeout
  return each(context, args.ids, function(id)
    local left = deadline and math.max(1, deadline - context.now())
    local goal, message, code = goal_of(context, id, args)
    if not goal then return nil, message, code end
    return context.supervisor:wait(id, goal, left)
  end)
end

---args: ids (of one group), count, wait
function commands.scale(context, args)
  local change, message, code = context.scale(args.ids[1], args.count)
  if not change then return nil, message, code end
  local ok
  ok, message, code = commands.start(context, { ids = change.up, wait = false })
  if not ok then return nil, message, code end
  ok, message, code = commands.stop(context, { ids = change.down, wait = args.wait })
  if not ok then return nil, message, code end
  if args.wait == false then return true end
  return commands.wait(context, { ids = change.up, timeout = args.timeout })
end

---args: now, status, reason
function commands.shutdown(context, args)
  context.shutdown(args.reason or 'asked for', { force = args.now, status = args.status })
  return true
end

---@param name string
---@param context command_context
---@param args table
---@return any, string? message, string? code
function M.run(name, context, args)
  local fn = commands[name]
  if not fn then return nil, ("no command '%s'"):format(name), 'unknown' end
  args = list.copy(args or {})
  if args.ids and name ~= 'scale' then args.ids = groups.ids(context.groups, args.ids) end
  return fn(context, args)
end

return M
