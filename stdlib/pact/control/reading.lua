--- Functions of `pact` that look and wait but change no service: sleep, exec, http, file, json, log,
-- timers, and the user's own events.

local duration = require 'pact.base.duration'
local json = require 'pact.base.json'
local text = require 'pact.base.text'

local M = {}

local EXEC_TIMEOUT_MS = 300000

local function milliseconds(value, what)
  local ms, message = duration.parse(value)
  if not ms then error(('%s %s'):format(what, message), 3) end
  return ms
end

-- exec -------------------------------------------------------------------------------------------

local EXEC_KEYS = {
  shell = true, cwd = true, env = true, input = true, timeout = true, stdout = true, stderr = true,
}

local function argv_of(spec)
  if spec.shell then return { '/bin/sh', '-c', spec.shell } end
  local argv = {}
  for i, word in ipairs(spec) do argv[i] = tostring(word) end
  if #argv == 0 then error("pact.exec needs a program: pact.exec { 'npm', 'run', 'seed' }", 4) end
  return argv
end

local function environment_of(base, extra)
  local all, out = {}, {}
  for name, value in pairs(base) do all[name] = value end
  for name, value in pairs(extra or {}) do
    if value == false then all[name] = nil else all[name] = tostring(value) end
  end
  for name, value in pairs(all) do out[#out + 1] = name .. '=' .. value end
  table.sort(out)
  return out
end

local function check(spec)
  if type(spec) ~= 'table' then error("pact.exec needs a table: pact.exec { 'npm', 'run', 'seed' }", 4) end
  for key in pairs(spec) do
    if type(key) == 'string' and not EXEC_KEYS[key] then
      local known = {}
      for name in pairs(EXEC_KEYS) do known[#known + 1] = name end
      error(('pact.exec: unknown key %s%s'):format(text.show(key), text.suggest(key, known)), 4)
    end
  end
end

local function not_started(message, code)
  local status = code == 'ENOENT' and 127 or (code == 'EACCES' or code == 'ENOEXEC') and 126 or 125
  return { status = status, stdout = '', stderr = message .. '\n', error = message }
end

---Runs a program to its end, with what it left; yields.
---@param context table
---@param spec table argv or `shell`; cwd env input timeout
---@return { status?: integer, signal?: string, stdout: string, stderr: string, error?: string, timed_out?: boolean }
function M.exec(context, spec)
  check(spec)
  local sys, sched, network = context.sys, context.sched, context.network
  local directory = context.launch.found.directory
  local cwd = spec.cwd or directory
  if cwd:sub(1, 1) ~= '/' then cwd = directory .. '/' .. cwd end
  local id, pid, code = sys.proc.spawn {
    argv = argv_of(spec), env = environment_of(network.env, spec.env), cwd = cwd, input = spec.input,
    stdin = spec.input and 'pipe' or 'null', stdout = 'capture', stderr = 'capture',
  }
  if not id then return not_started(pid, code) end
  local timeout = spec.timeout and milliseconds(spec.timeout, 'pact.exec: timeout') or EXEC_TIMEOUT_MS
  local timed_out = false
  local timer = sched:after(timeout, function()
    timed_out = true
    sys.proc.signal(id, sys.os.signals.KILL, 'group')
  end)
  local _, exit = sched:await(id)
  sched:cancel(timer)
  sys.proc.sweep(id, { grace = 0 })
  local result = {
    status = exit.code, stdout = exit.stdout or '', stderr = exit.stderr or '', timed_out = timed_out or nil,
    signal = exit.signal and sys.os.signal_name(exit.signal), signal_number = exit.signal,
    truncated = exit.truncated,
  }
  for _, name in ipairs { 'stdout', 'stderr' } do
    if spec[name] == 'say' then network:say(result[name]) end
  end
  return result
end

-- http -------------------------------------------------------------------------------------------

local function http(context, opts)
  if type(opts.url) ~= 'string' then error('pact.http needs a url', 4) end
  local body, headers = opts.body, opts.headers
  if type(body) == 'table' then
    body = json.encode(body)
    headers = headers or { ['content-type'] = 'application/json' }
  elseif opts.json ~= nil then
    body, headers = json.encode(opts.json), headers or { ['content-type'] = 'application/json' }
  end
  local id = context.sys.http.request {
    url = opts.url, method = opts.method or 'GET', headers = headers, body = body,
    timeout = opts.timeout and milliseconds(opts.timeout, 'pact.http: timeout') or 30000,
    max_body = opts.max_body or 16 << 20, redirects = opts.redirects or 5, insecure = opts.insecure,
  }
  local _, response, message, code = context.sched:await(id)
  if not response then return nil, message, code end
  function response.json(self)
    return json.decode(self.body)
  end
  return response
end

local function http_api(context)
  local api = {}
  function api.request(opts)
    if type(opts) ~= 'table' then error('pact.http.request needs a table', 2) end
    return http(context, opts)
  end
  for _, method in ipairs { 'get', 'head', 'delete' } do
    api[method] = function(url, opts)
      local all = { url = url, method = method:upper() }
      for key, value in pairs(opts or {}) do all[key] = value end
      return http(context, all)
    end
  end
  for _, method in ipairs { 'post', 'put', 'patch' } do
    api[method] = function(url, body, opts)
      local all = { url = url, method = method:upper(), body = body }
      for key, value in pairs(opts or {}) do all[key] = value end
      return http(context, all)
    end
  end
  return api
end

-- files and values ---------------------------------------------------------------------------------

local function file_api(context)
  local fs = context.sys.fs
  local function absolute(path)
    if type(path) ~= 'string' or path == '' then error('pact.file: a path expected, got ' .. text.show(path), 3) end
    return path:sub(1, 1) == '/' and path or context.launch.found.directory .. '/' .. path
  end
  return {
    read = function(path) return fs.read(absolute(path)) end,
    write = function(path, bytes) return fs.write(absolute(path), tostring(bytes), { atomic = true }) end,
    append = function(path, bytes) return fs.write(absolute(path), tostring(bytes), { append = true }) end,
    exists = function(path) return fs.stat(absolute(path)) ~= nil end,
    stat = function(path) return fs.stat(absolute(path)) end,
    list = function(path) return fs.list(absolute(path or '.')) end,
    mkdir = function(path) return fs.mkdir(absolute(path)) end,
    remove = function(path, opts) return fs.remove(absolute(path), opts) end,
  }
end

-- timers -----------------------------------------------------------------------------------------

---A function that runs by time, as a task of its own; the next round begins when the last has ended.
local function timer(context, value, fn, again, what)
  local ms = milliseconds(value, what)
  if type(fn) ~= 'function' then error(('%s: a function expected, got %s'):format(what, text.show(fn)), 3) end
  local network, sched = context.network, context.sched
  local handle, id, live = {}, nil, true
  network.timers = network.timers + 1
  context.launch.recipe.busy = true
  local function off()
    if not live then return end
    live = false
    sched:cancel(id)
    network.timers = network.timers - 1
    network:end_at_rest()
  end
  local function round()
    local function ended()
      if not live then return end
      if again and not network.ending then id = sched:after(ms, round) else off() end
    end
    sched:spawn(fn, {
      name = what, budget = 250, on_done = ended,
      on_error = function(message, traceback)
        network:hook_failed(what, message, traceback)
        ended()
      end,
    })
  end
  id = sched:after(ms, round)
  function handle.off() off() end
  return handle
end

---@param api table behind `pact`
---@param context table network, launch, sys, sched
function M.install(api, context)
  local network = context.network
  api.log = require('pact.observe.logapi').api(network.log.log)
  api.json = { encode = json.encode, decode = json.decode, array = json.array, null = json.null }
  api.http, api.file = http_api(context), file_api(context)
  function api.sleep(value) context.sched:sleep(milliseconds(value, 'pact.sleep')) end
  function api.exec(spec) return M.exec(context, spec) end
  function api.every(value, fn) return timer(context, value, fn, true, 'pact.every') end
  function api.after(value, fn) return timer(context, value, fn, false, 'pact.after') end
  function api.notify(message) network:notify(tostring(message)) end
  function api.now() return context.sys.time.now() end
  function api.emit(name, fields)
    if type(name) ~= 'string' or not name:find(':', 1, true) then
      error(("pact.emit: an event of your own has a colon, such as 'chain:block', got %s"):format(text.show(name)), 2)
    end
    local event = { name = name }
    for key, value in pairs(fields or {}) do
      if event[key] == nil and type(key) == 'string' then event[key] = value end
    end
    network.bus:emit(event)
  end
end

return M
