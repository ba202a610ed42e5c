--- One probe of each kind. `probe(ctx, spec, done)` begins it, calls `done(ok, reason)` once, and gives
--- a function that ends it early. A probe that fails is a result, never an error.

local reason = require 'pact.supervise.reason'
local text = require 'pact.base.text'

local M = {}

---@class probe_context
---@field sys sys
---@field sched sched
---@field spawn fun(): table fields of sys.spawn_spec for a command: env, cwd, user
---@field handle fun(): any what a `check` gets

local function times_out(timeout)
  return 'no answer in ' .. reason.span(timeout)
end

local function range_of(part)
  local class, low, high = part:match '^(%d)[xX][xX]$', part:match '^(%d+)%-(%d+)$'
  if class then return { low = tonumber(class) * 100, high = tonumber(class) * 100 + 99 } end
  low, high = tonumber(low or part), tonumber(high or part)
  return low and { low = low, high = high }
end

local ranges = {} -- by what is accepted

local function ranges_of(accepted)
  local found = {}
  for part in tostring(accepted):gmatch '[^%s,]+' do found[#found + 1] = range_of(part) end
  return found
end

---@param accepted? string|integer such as '2xx', 204, '200-399', '200,204'
---@param status integer
---@return boolean
function M.status_matches(accepted, status)
  accepted = accepted or '2xx'
  ranges[accepted] = ranges[accepted] or ranges_of(accepted)
  for _, range in ipairs(ranges[accepted]) do
    if status >= range.low and status <= range.high then return true end
  end
  return false
end

local function pattern_text(pattern)
  return type(pattern) == 'table' and '/' .. pattern.regex .. '/' or ("'%s'"):format(pattern)
end

local function judge(ctx, spec, answer, message, code)
  if not answer then
    return false, code == 'timeout' and times_out(spec.timeout) or message
  elseif not M.status_matches(spec.status, answer.status) then
    return false, 'http ' .. answer.status
  elseif spec.body and not ctx.sys.text.find(spec.body, answer.body or '') then
    return false, ('http %d, but the body lacks %s'):format(answer.status, pattern_text(spec.body))
  end
  return true, 'http ' .. answer.status
end

local function agent(ctx, headers)
  for name in pairs(headers or {}) do
    if name:lower() == 'user-agent' then
      return nil
    end
  end
  return 'pactlua/' .. ctx.sys.version .. ' (health)'
end

function M.http(ctx, spec, done)
  local id = ctx.sys.http.request {
    url = spec.url,
    method = spec.method,
    headers = spec.headers,
    timeout = spec.timeout,
    max_body = 65536,
    insecure = spec.insecure,
    user_agent = agent(ctx, spec.headers),
  }
  ctx.sched:on(id, function(_, ...)
    ctx.sched:off(id)
    done(judge(ctx, spec, ...))
  end)
  return function()
    ctx.sched:cancel(id)
  end
end

function M.tcp(ctx, spec, done)
  local host, port = spec.host, spec.port
  local id = ctx.sys.net.connect { host = host, port = port, timeout = spec.timeout }
  ctx.sched:on(id, function(_, connected, message, code)
    ctx.sched:off(id)
    if connected then
      return done(true, ('connected to %s:%d'):format(host, port))
    end
    done(false, code == 'timeout' and times_out(spec.timeout) or message)
  end)
  return function()
    ctx.sched:cancel(id)
  end
end

local function command_result(exit)
  local why = reason.exit(exit)
  local said = reason.last_line(exit.stderr or '')
  if said == '' then
    said = reason.last_line(exit.stdout or '')
  end
  return exit.code == 0, said ~= '' and why .. ': ' .. said or why
end

-- Runs until the program and all its children are gone; at the timeout they are killed.
function M.command(ctx, spec, done)
  local options = ctx.spawn()
  options.argv = spec.shell and { '/bin/sh', '-c', spec.shell } or spec.command
  options.stdin, options.stdout, options.stderr = 'null', 'capture', 'capture'
  options.capture_max, options.session = 4096, true
  local sys, sched = ctx.sys, ctx.sched
  local id, message = sys.proc.spawn(options)
  if not id then
    sched:post(function()
      done(false, message)
    end)
    return function() end
  end
  local ok, why
  local timer = sched:after(spec.timeout, function()
    ok, why = false, times_out(spec.timeout)
    sys.proc.sweep(id, { grace = 0 })
  end)
  sched:on(id, function(kind, exit)
    if kind == 'exit' then
      sched:cancel(timer)
      if why == nil then
        exit.signal = exit.signal and sys.os.signal_name(exit.signal)
        ok, why = command_result(exit)
        sys.proc.sweep(id, { grace = 0 })
      end
    elseif kind == 'swept' then
      sched:off(id)
      done(ok, why)
    end
  end)
  return function()
    sched:cancel(timer)
    sched:off(id)
    sys.proc.sweep(id, { grace = 0 })
  end
end

function M.file(ctx, spec, done)
  local sys = ctx.sys
  local ok, why = true, spec.path .. ' is there'
  local stat, message = sys.fs.stat(spec.path)
  if not stat then
    ok, why = false, message
  elseif spec.contains then
    local content, err = sys.fs.read(spec.path, 1048576)
    ok = content ~= nil and sys.text.find(spec.contains, content)
    why = ok and why or err or ('%s lacks %s'):format(spec.path, pattern_text(spec.contains))
  end
  ctx.sched:post(function()
    done(ok, why)
  end)
  return function() end
end

function M.check(ctx, spec, done)
  local timer
  local task = ctx.sched:spawn(spec.check, {
    name = 'health check',
    budget = 250,
    on_done = function(ok, why)
      ctx.sched:cancel(timer)
      local said = ok and 'check passed' or why == nil and 'check failed' or why
      done(ok and true or false, type(said) == 'string' and said or text.show(said))
    end,
    on_error = function(message)
      ctx.sched:cancel(timer)
      done(false, message)
    end,
  }, ctx.handle())
  timer = ctx.sched:after(spec.timeout, function()
    ctx.sched:stop(task)
    done(false, times_out(spec.timeout))
  end)
  return function()
    ctx.sched:cancel(timer)
    ctx.sched:stop(task)
  end
end

function M.alive(ctx, _, done)
  ctx.sched:post(function()
    done(true, 'alive')
  end)
  return function() end
end

---Kinds whose answer, once good, stays good as long as the epoch: they are not asked again.
M.LASTING = { alive = true, log = true }

return M
