--- `pact.exec`: runs a program to its end, with what it wrote; yields. Also `service:exec` and `pact.env_of`.

local arguments = require 'pact.control.recipe.arguments'
local environment = require 'pact.supervise.environment'
local handle = require 'pact.declare.handle'
local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

local TIMEOUT_MS = 300000

---@class exec_spec
---@field shell? string instead of argv in the list part
---@field cwd? string
---@field env? table<string, any> added; false removes
---@field stdin? string what it reads; `input` is the same
---@field timeout? any
---@field max_output? any bytes of each stream that are kept
---@field stdout? 'say' shown, too
---@field stderr? 'say'

local KEYS = {
  shell = 'string', cwd = 'string', env = 'table', stdin = 'string', input = 'string', timeout = 'duration',
  max_output = 'size', stdout = 'string', stderr = 'string',
}
local EXAMPLE = "{ 'npm', 'run', 'seed' }"

local function argv_of(spec, shell, what)
  if shell then
    if spec[1] ~= nil then arguments.misuse("%s: an argv or 'shell', not both", what) end
    return { '/bin/sh', '-c', shell }
  end
  local argv = {}
  for i, word in ipairs(spec) do
    if type(word) ~= 'string' and type(word) ~= 'number' and not handle.id_of(word) then
      arguments.misuse('%s: argument %d must be text, got %s', what, i, text.show(word))
    end
    argv[i] = tostring(word)
  end
  if #argv == 0 then arguments.misuse('%s needs a program: %s', what, EXAMPLE) end
  return argv
end

-- The fields with names, checked; the list part is the argv.
local function named_of(spec, what)
  if type(spec) ~= 'table' or getmetatable(spec) then
    arguments.misuse('%s needs a table: %s, got %s', what, EXAMPLE, text.show(spec))
  end
  local named = {}
  for key, value in pairs(spec) do
    if math.type(key) ~= 'integer' then named[key] = value end
  end
  return arguments.options(named, KEYS, what)
end

-- The environment of a spawn's options as a map.
local function map_of(options)
  local map = {}
  for _, env in ipairs { options.env_base or {}, options.env } do
    for _, pair in ipairs(env) do
      local name, value = pair:match '^(.-)=(.*)$'
      map[name] = value
    end
  end
  return map
end

local function environment_of(all, extra)
  for name, value in pairs(extra or {}) do all[tostring(name)] = value ~= false and tostring(value) end
  return environment.list(all)
end

local function not_started(message, code)
  local status = code == 'ENOENT' and 127 or (code == 'EACCES' or code == 'ENOEXEC') and 126 or 125
  return { status = status, stdout = '', stderr = message .. '\n', error = message }
end

-- Ends with the task, whatever ends that.
local function closing(fn) return setmetatable({}, { __close = fn }) end

local function result_of(sys, exit, timed_out)
  return {
    status = exit.code, stdout = exit.stdout or '', stderr = exit.stderr or '', timed_out = timed_out or nil,
    signal = exit.signal and sys.os.signal_name(exit.signal), signal_number = exit.signal, truncated = exit.truncated,
  }
end

-- A limit in time: then it is killed, and what it wrote is still told.
local function await(context, id, timeout)
  local sys, sched = context.sys, context.sched
  local timed_out = false
  local timer = sched:after(timeout, function()
    timed_out = true
    sys.proc.signal(id, sys.os.signals.KILL, 'group')
  end)
  local _ <close> = closing(function() sched:cancel(timer) end)
  local _, exit = sched:await(id)
  sys.proc.sweep(id, { grace = 0 })
  return result_of(sys, exit, timed_out)
end

---@class exec_result
---@field status? integer
---@field signal? string
---@field signal_number? integer
---@field stdout string
---@field stderr string
---@field truncated? boolean more was written than is kept
---@field timed_out? boolean
---@field error? string it could not be started

---Runs a program to its end.
---@param context table
---@param spec exec_spec
---@param base? table what a service's own program has: env cwd uid gid groups limits umask tag
---@param what? string the call's name
---@return exec_result
function M.run(context, spec, base, what)
  what = what or 'pact.exec'
  local named = named_of(spec, what)
  local argv, options = argv_of(spec, named.shell, what), list.copy(base or {})
  context.sched:must_wait()
  local directory = options.cwd or context.launch.found.directory
  options.cwd = named.cwd or directory
  if options.cwd:sub(1, 1) ~= '/' then options.cwd = directory .. '/' .. options.cwd end
  local input = named.stdin or named.input
  options.argv = argv
  local inherited = options.env and map_of(options) or list.copy(environment.inherited(context.network.env))
  options.env, options.env_base = environment_of(inherited, named.env), nil
  options.input, options.stdin = input, input and 'pipe' or 'null'
  options.stdout, options.stderr, options.capture_max = 'capture', 'capture', named.max_output
  local id, message, code = context.sys.proc.spawn(options)
  if not id then return not_started(message, code) end
  local result = await(context, id, named.timeout or TIMEOUT_MS)
  for _, name in ipairs { 'stdout', 'stderr' } do
    if named[name] == 'say' then context.network:say(result[name]) end
  end
  return result
end

---The environment that a service would start with now; yields where the recipe's functions do.
---@param id string
---@return table<string, string>?, string? message, string? code
function M.env_of(context, id)
  local options, message, code = context.network.supervisor:surroundings(id)
  if not options then return nil, message, code end
  return map_of(options)
end

---Runs a program in a service's surroundings.
---@param id string
---@param spec exec_spec
---@return exec_result?, string? message, string? code
function M.of_service(context, id, spec)
  local options, message, code = context.network.supervisor:surroundings(id)
  if not options then return nil, message, code end
  return M.run(context, spec, options, ("exec of service '%s'"):format(id))
end

return M
