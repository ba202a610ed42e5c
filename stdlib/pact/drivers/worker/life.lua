--- One epoch of a worker: its `run`, and the tasks, timers and servers that came of it. It lives while any
-- of them does; they end together.

local fail = require 'pact.base.fail'
local ports = require 'pact.supervise.ports'
local servers = require 'pact.drivers.worker.server'

local M = {}

local BUDGET_MS = 250
-- The same mistake is told to the network once in this time; the worker's log has each.
local REPEAT_MS = 1000

---@class life
---@field job job
---@field service service
---@field env table<string, string>
---@field over boolean it may not act any more
local Life = {}
Life.__index = Life

---@param host { sys: sys, sched: sched, emit: fun(event: table) }
---@param job job
---@param on_end fun(exit: { code?: integer, why?: string }) once
---@return life
function M.new(host, job, env, on_end)
  local self = setmetatable({
    sys = host.sys, sched = host.sched, emit = host.emit, job = job, service = job.service, env = env,
    on_end = on_end, group = host.sched:group(), servers = {}, living = 0, over = false, told = {},
  }, Life)
  function self.output(bytes) self:say(1, bytes) end
  self.work = self -- for pact.spawn, pact.every and pact.after inside it
  return self
end

---@param stream integer 1 output, 2 errors
---@param bytes string
function Life:say(stream, bytes)
  if self.job.log and not self.job.gone then self.sys.log.write(self.job.log, stream, bytes) end
end

---It is ready, as a process says by sd_notify.
---@param said? string what it does, for people
function Life:ready(said)
  local fields = { READY = '1', STATUS = said and tostring(said) }
  if self.begun then return self.job.report('notified', fields) end
  self.notified = fields -- nobody listens yet
end

---Its start is over.
function Life:begin()
  self.begun = true
  self.job.report('spawned', {})
  if self.notified then self.job.report('notified', self.notified) end
end

---A task of this life.
---@param name string
---@param fn function
---@param opts { on_done?: function, on_error: function }
---@return task
function Life:spawn(name, fn, opts, ...)
  opts.name, opts.group, opts.budget, opts.owner = name, self.group, BUDGET_MS, self
  return self.sched:spawn(fn, opts, ...)
end

---Something begins that keeps it alive until `left`.
function Life:entered()
  if self.over then fail.misuse 'this worker has been stopped' end
  self.living = self.living + 1
end

function Life:left()
  self.living = self.living - 1
  if self.living == 0 and not self.over then self:finish { code = 0 } end
end

---A task that pact.spawn or a timer of pact's starts in it; see control/work.
---@param what string
---@param fn function
---@param opts? { ended?: fun(), quiet?: fun(): boolean }
---@return task
function Life:run(what, fn, opts, ...)
  opts = opts or {}
  self:entered()
  return self:spawn(what, fn, {
    on_error = function(message, traceback)
      if not (opts.quiet and opts.quiet()) then self:failed(what, message, traceback) end
    end,
    on_end = function()
      if opts.ended then opts.ended() end
      self:left()
    end,
  }, ...)
end

-- Lines of our own say nothing to who wrote the recipe, but what is wrong does, wherever it was found.
local function without_ours(traceback)
  local first, rest = traceback:match '^([^\n]*)(.*)$'
  local out = { (first:gsub('^%S*stdlib/pact/[^:]+:%d+: ', '')) }
  for line in rest:gmatch '[^\n]+' do
    if not line:find('stdlib/pact/', 1, true) and not line:find('%[C%]: in %?$') then out[#out + 1] = line end
  end
  return table.concat(out, '\n') .. '\n'
end

---Part of what makes it live: an error in it is the worker's end.
---@param fn function
---@return { off: fun() } handle
function Life:branch(fn, ...)
  self:entered()
  local task = self:spawn('run', fn, {
    on_done = function() self:left() end,
    on_error = function(message, traceback)
      self:say(2, without_ours(traceback))
      self:finish { code = 1, why = message }
    end,
  }, ...)
  return {
    off = function()
      if task.result or task.cancelled then return end
      self.sched:stop(task)
      self:left()
    end,
  }
end

---------------------------------------------------------------------------------------------------
-- What may fail without ending the worker.

local function place(message)
  local file, line, rest = message:match '^([^\n:]+):(%d+): (.*)$'
  return file, math.tointeger(line), rest or message
end

---A handler or a timer raised: in the log with its traceback, and an event.
---@param what string
---@param message string
---@param traceback? string
function Life:failed(what, message, traceback)
  traceback = without_ours(traceback or message)
  self:say(2, ('%s: %s'):format(what, traceback))
  local now = self.sys.time.now()
  if now - (self.told[message] or -REPEAT_MS) < REPEAT_MS then return end
  if not self.told[message] and (self.told_count or 0) >= 100 then self.told, self.told_count = {}, 0 end
  self.told_count = (self.told_count or 0) + (self.told[message] and 0 or 1)
  self.told[message] = now
  local file, line, rest = place(message)
  self.emit {
    name = 'hook_failed', service = self.service.id, epoch = self.job.epoch, hook = what, file = file, line = line,
    message = rest, reason = rest, -- the traceback is in its log
  }
end

---A function that runs by time; the next round begins when the last has ended.
---@return { off: fun() } handle
function Life:timer(what, ms, fn, again)
  local id, live = nil, true
  self:entered()
  local function off()
    if not live then return end
    live = false
    self.sched:cancel(id)
    self:left()
  end
  local function round()
    local function ended()
      if live and again then id = self.sched:after(ms, round, self.group) else off() end
    end
    self:spawn(what, fn, {
      on_done = ended,
      on_error = function(message, traceback)
        self:failed(what, message, traceback)
        ended()
      end,
    })
  end
  local function start() id = self.sched:after(ms, round, self.group) end
  start()
  return { off = off }
end

---------------------------------------------------------------------------------------------------
-- Servers.

-- The port of the declaration that isn't served yet, else any.
local function usual(self)
  for _, port in ipairs(self.service.ports) do
    local number = self.job.ports[port.name]
    if not self.servers[number] then return { host = '127.0.0.1', port = number } end
  end
  return { host = '127.0.0.1', port = 0 }
end

-- The name of a port: its declaration's, the one given, or `http`.
local function name_of(self, given, number)
  for _, port in ipairs(self.service.ports) do
    if self.job.ports[port.name] == number then return port.name end
  end
  if given or not self.job.ports.http then return given or 'http' end
  return tostring(number)
end

-- The error that ends a start: told as it is for a process whose port is taken.
local function refuse(self, message, code)
  self.refusal = { message = message, code = code }
  error(setmetatable({ message = message, code = code }, { __tostring = function() return message end }), 0)
end

local function is_declared(self, name)
  for _, port in ipairs(self.service.ports) do
    if port.name == name then return true end
  end
  return false
end

local function close_server(self, server)
  self.servers[server.port or server.path] = nil
  if server.port and not is_declared(self, server.name) then
    self.job.ports[server.name], self.job.claims[server.port] = nil, nil
  end
  self:left()
end

---@param options table the checked fields of `http_server`
---@return http_server
function Life:serve(options)
  options.listen = options.listen or usual(self)
  local job, number = self.job, options.listen.port
  local why, code
  if number and number > 0 then why, code = ports.foreign(job, number) end
  if why then refuse(self, why, code) end
  local server
  server, why, code = servers.open({
    sys = self.sys, web = self.sys.web, sched = self.sched, group = self.group, directory = self.service.cwd,
    spawn = function(...) return self:spawn(...) end,
    failed = function(...) self:failed(...) end,
    closed = function(closed) close_server(self, closed) end,
  }, options)
  if not server then
    if code == 'EINVAL' then fail.misuse('http_server: ' .. why) end
    refuse(self, number and ports.obstacle(self.sys, job, number) or 'http_server: ' .. why, code)
  end
  self:entered()
  self.servers[server.port or server.path] = server
  if server.port then
    server.name = name_of(self, options.name, server.port)
    job.ports[server.name] = server.port
    ports.take(job, server.port)
  end
  return server
end

---------------------------------------------------------------------------------------------------

---Ends all of it, once: servers are closed, timers ended, coroutines closed.
---@param exit { code?: integer, why?: string }
function Life:finish(exit)
  if self.over then return end
  self.over = true
  self.living = 0
  for _, server in pairs(self.servers) do server:close_now() end
  self.group:cancel()
  self.on_end(exit)
end

return M
