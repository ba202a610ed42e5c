--- Lua text of a person's, run in the recipe's own state: what `eval` and POST /v1/eval do.

local fail = require 'pact.base.fail'
local inspect = require 'pact.observe.inspect'
local text = require 'pact.base.text'

local M = {}

local NAME, OUTPUT_MAX, SHOWN_MAX = 'eval', 1 << 20, 1 << 20

---@class eval_answer
---@field ok boolean
---@field values string[] what came of it, each as text for people
---@field output? string what it printed
---@field error? string
---@field code? 'syntax'|'raised'|'interrupted'|'cancelled'
---@field traceback? string lines of its own and of the recipe's
---@field ms integer how long it took
---@field status? integer what os.exit was called with: that of who asked, not the network's
---@field heard? integer messages that its session was sent before

-- Handles by id, read afresh each time: services may come while the network runs.
local function services(network)
  local function handle_of(id)
    if type(id) == 'string' and network:look(id) then return network.recipe.api.service(id) end
    error(("no service %s%s"):format(text.show(id), text.suggest(tostring(id), network:ids())), 2)
  end
  return setmetatable({}, {
    __index = function(_, id) return handle_of(id) end,
    __newindex = function() error('svc is a table to read: its services act by their methods', 2) end,
    __pairs = function()
      local all, at = network.supervisor:list(), 0
      return function()
        at = at + 1
        if all[at] then return all[at], handle_of(all[at]) end
      end
    end,
    __tostring = function() return 'services: ' .. table.concat(network.supervisor:list(), ', ') end,
  })
end

---The network runs by another recipe: what was set here stays, the rest is that one's.
---@param network network
---@param before recipe
function M.follow(network, before)
  local names, recipe = network.eval_env and getmetatable(network.eval_env).__index, network.recipe
  if not names then return end
  recipe.sources['=' .. NAME], recipe.shorts[NAME] = NAME, NAME
  recipe.names_in[NAME] = names
  if names.pact == before.pact then names.pact = recipe.pact end
  getmetatable(names).__index = recipe.env
end

---@param env table of `environment`
---@param name any
---@return boolean it means something without anybody having set it here
function M.means_something(env, name)
  local names = getmetatable(env).__index
  return rawget(names, name) ~= nil or rawget(getmetatable(names).__index, name) ~= nil
end

-- What has a meaning is everybody's: nobody takes it away from the others.
local function set(env, name, value)
  if M.means_something(env, name) then
    fail.misuse(("'%s' is everybody's: take another name, or 'local %s = …'"):format(name, name))
  end
  rawset(env, name, value)
end

---The recipe's globals, and besides them `pact`, `svc` and what was set here before: that is kept.
---@param network network
---@return table
function M.environment(network)
  if not network.eval_env then
    local recipe = network.recipe
    recipe.sources['=' .. NAME], recipe.shorts[NAME] = NAME, NAME
    local names = setmetatable({ pact = recipe.pact, svc = services(network) }, { __index = recipe.env })
    recipe.names_in[NAME] = names
    network.eval_env = setmetatable({}, { __index = names, __newindex = set })
    names._G = network.eval_env
  end
  return network.eval_env
end

-- With a variable to be closed there are no tail calls: what a last call raises is placed in its line, too.
local NO_TAIL_CALLS = 'local __ <close> = nil; '

local function compiled(code, env) return load(NO_TAIL_CALLS .. code, '=' .. NAME, 't', env) end

---An expression needs no `return`.
---@param code string
---@param env table
---@param keeps? boolean `env` takes what the text calls local
---@return function? body
---@return string? message
function M.compile(code, env, keeps)
  if code:find '^\27' then return nil, 'eval:1: compiled Lua is refused: text is expected' end
  local expression, of_expression = compiled('return ' .. code, env)
  if expression then return expression end
  local body, message = compiled(code, env)
  local keeping = body and keeps and require('pact.control.repl.locals').keeping(code)
  if keeping then body = compiled(keeping, env) or body end -- more than a function may see are not kept
  local unfinished = of_expression:find('near <eof>', 1, true)
  return body, unfinished and of_expression or message
end

-- Runs inside the task's budget, also what values say of themselves.
local function shown(opts, ...)
  local out, values, show = {}, table.pack(...), opts.show or inspect.text
  for i = 1, values.n do out[i] = show(values[i]):sub(1, SHOWN_MAX) end
  if opts.session and values.n > 0 then opts.session.value = values[1] end
  return out
end

-- What it prints is its client's, not the front's.
local function listener(network)
  local parts, size = {}, 0
  local self = { work = network.work, actor = 'person' }
  function self.output(bytes)
    if size >= OUTPUT_MAX then
      self.cut = true
      return
    end
    parts[#parts + 1], size = bytes:sub(1, OUTPUT_MAX - size), size + #bytes
  end
  function self.leave(status)
    self.status = status
    network.sched:stop(self.task)
  end
  function self.text()
    if size == 0 then return nil end
    return table.concat(parts) .. (self.cut and '\n(more was printed than is kept)\n' or '')
  end
  return self
end

local function failure(network, raised, traceback)
  local problem = network.recipe:problem_of(raised, traceback)
  local message = fail.text { at = problem.at, message = problem.message }
  local interrupted = problem.message:find('interrupted: ', 1, true) ~= nil
  local trace = problem.traceback and problem.traceback:gsub("in upvalue 'body'", 'in main chunk')
  return { ok = false, error = message, code = interrupted and 'interrupted' or 'raised', traceback = trace }
end

---@class eval_options
---@field begun? fun(task: task)
---@field session? repl_server to which it belongs: what it prints goes there, also later
---@field show? fun(value: any): string instead of a line for programs

---Runs text as a task of its own and waits for its end. It may wait itself; it ends with the network.
---@param network network
---@param code string
---@param opts? eval_options
---@return eval_answer
function M.run(network, code, opts)
  opts = opts or {}
  local env, session = M.environment(network), opts.session
  local body, message = M.compile(code, session and session:environment(env) or env, session ~= nil)
  if not body then return { ok = false, error = message, code = 'syntax' } end
  local heard, answer, began = session and session:owner() or listener(network), nil, network.sys.time.now()
  local task = network.work:run(NAME, function()
    local ok, result = xpcall(function() return shown(opts, body()) end, function(raised)
      return { raised = raised, traceback = debug.traceback('', 2) }
    end)
    answer = ok and { ok = true, values = result } or failure(network, result.raised, result.traceback)
  end, {
    owner = heard,
    failed = function(raised, traceback) answer = failure(network, raised, traceback) end,
  })
  if not session then heard.task = task end
  if opts.begun then opts.begun(task) end
  network.sched:join(task)
  if heard.status then
    answer = { ok = true, values = {}, status = heard.status }
  elseif not answer or not answer.ok and task.cancelled then
    answer = { ok = false, error = 'the network ended before it had an answer', code = 'cancelled' }
  end
  answer.ms = network.sys.time.now() - began
  if session then answer.heard = session:flush() else answer.output = heard.text() end
  return answer
end

return M
