--- An HTTP server of a worker: requests become tasks that run its handlers.

local answers = require 'pact.drivers.worker.answer'
local exchanges = require 'pact.drivers.worker.exchange'
local json = require 'pact.base.json'
local router = require 'pact.drivers.worker.router'

local M = {}

---@class http_server
---@field host? string
---@field port? integer
---@field path? string of a Unix socket
---@field url? string
---@field name string of its port
local Server = {}
Server.__index = Server

---@class server_context
---@field sys sys
---@field web sys.web
---@field sched sched
---@field group task_group
---@field directory string
---@field spawn fun(name: string, fn: function, opts: table, ...): task a task of the worker's
---@field failed fun(what: string, message: string, traceback?: string) a handler raised
---@field closed fun(server: http_server)

---------------------------------------------------------------------------------------------------
-- What handlers get.

local Request = {}
Request.__index = Request

---@return any value raises an error that is answered 400 when the body is no JSON
function Request:json()
  local value, message = json.decode(self.body)
  if message then error({ status = 400, text = ('the body is no JSON: %s\n'):format(message) }, 0) end
  return value
end

---Begins server-sent events: an object with `send`, `wait` and `close`.
function Request:events()
  return self.response:events()
end

---The client has left.
---@return boolean
function Request:gone()
  return self.response.exchange.gone
end

local Response = {}
Response.__index = Response

---@param bytes string sent after the head, which is made of `status` and `headers`; waits while the client is slow
function Response:write(bytes)
  local exchange = self.exchange
  if not exchange.begun then
    local head = answers.of({ status = self.status, headers = self.headers, body = '' }, {})
    exchange:begin(head.status, head.headers)
  end
  return exchange:write(tostring(bytes))
end

local Events = {}
Events.__index = Events

function Response:events()
  self.exchange:begin_events(self.status)
  return setmetatable({ exchange = self.exchange }, Events)
end

function Events:send(...) return self.exchange:send(...) end
function Events:wait() return self.exchange:wait() end
function Events:close() self.exchange:finish() end
Events.__call = Events.send

---------------------------------------------------------------------------------------------------
-- Answering.

local function stream(exchange, answer)
  if answer.events then
    exchange:begin_events(answer.status, answer.headers)
  else
    exchange:begin(answer.status, answer.headers)
  end
  if not exchange.bodiless then
    local fn = answer.events or answer.stream
    fn(function(...)
      if answer.events then return exchange:send(...) end
      return exchange:write(...)
    end)
  end
  exchange:finish()
end

local function no_route(request, methods)
  if not methods then return answers.plain(404, ('no such thing: %s'):format(request.path)) end
  local allowed = table.concat(methods, ', ')
  if request.method == 'OPTIONS' then return { status = 204, headers = { allow = allowed } } end
  return answers.plain(405, ('%s only'):format(allowed), { allow = allowed })
end

-- Who answers: a route's function or value, the handler, or nobody.
local function find(self, request)
  local route, params, found = self.router:find(request.method, request.path)
  request.params = params or {}
  if route then return route.value, ' of ' .. route.key end
  if self.handler and not found then return self.handler, '' end
  return nil, '', no_route(request, found)
end

local function place_of(value)
  if type(value) ~= 'function' then return '' end
  local info = debug.getinfo(value, 'S')
  return ('%s:%d: '):format(info.short_src, info.linedefined)
end

-- The body of a request's task.
local function handle(self, exchange, handler, request, response)
  local given = handler
  if type(handler) == 'function' then given = handler(request, response) end
  if exchange.begun then return exchange:finish() end
  local ok, answer = pcall(answers.of, given, self.files)
  if not ok then error(('%sthe answer %s'):format(place_of(handler), answer), 0) end
  if answer.stream or answer.events then return stream(exchange, answer) end
  exchange:respond(answer)
end

-- An error that is a table with a status is an answer; any other is the handler's mistake.
local function failed(self, exchange, what, message, traceback, err)
  if err == exchanges.LEFT then return exchange:close() end
  if type(err) == 'table' and err.status and not exchange.begun then
    local ok, answer = pcall(answers.of, err, self.files)
    if ok and not answer.stream and not answer.events then return exchange:respond(answer) end
  end
  self.context.failed(what, message, traceback)
  if exchange.begun or exchange.over then return exchange:abort() end
  exchange:respond(answers.plain(500, message))
end

function Server:serve(id, request)
  local context = self.context
  local exchange = exchanges.new(context, id, request.method == 'HEAD', self.exchanges)
  local response = setmetatable({ exchange = exchange, headers = {} }, Response)
  request.id, request.response = id, response
  setmetatable(request, Request)
  local value, key, refusal = find(self, request)
  if refusal then return exchange:respond(refusal) end
  local what = 'http handler' .. key
  exchange.task = context.spawn(what, handle, {
    on_error = function(message, traceback, _, err) failed(self, exchange, what, message, traceback, err) end,
  }, self, exchange, value, request, response)
end

---------------------------------------------------------------------------------------------------
-- Life.

local function url_of(host, port)
  return host and ('http://%s:%d'):format(host:find ':' and '[' .. host .. ']' or host, port) or nil
end

---@param context server_context
---@param options table the checked fields of `http_server`
---@return http_server? server, string? message, string? code
function M.open(context, options)
  local found, message = router.new(options.routes or {})
  if not found then return nil, 'routes: ' .. message, 'EINVAL' end
  local listen = options.listen
  local id, port, code = context.web.listen {
    host = listen.host, port = listen.port, path = listen.path, max_body = options.max_body,
    max_connections = options.max_connections, head_timeout = options.head_timeout,
    body_timeout = options.body_timeout, idle_timeout = options.idle_timeout, take_timeout = options.take_timeout,
  }
  if not id then return nil, port, code end
  local self = setmetatable({
    context = context, id = id, host = listen.host, port = port, path = listen.path, url = url_of(listen.host, port),
    handler = options.handler, router = found, exchanges = {},
    files = { fs = context.sys.fs, directory = context.directory },
  }, Server)
  context.sched:on(id, function(_, request, what) self:serve(request, what) end)
  return self
end

-- Who waits for an answer is told; what streams is cut off.
local function end_all(self)
  for exchange in pairs(self.exchanges) do
    if exchange.begun then
      exchange:abort()
    else
      exchange:respond(answers.plain(503, 'the server is stopping'))
    end
  end
end

---Closes it with all its connections. Inside a handler of its own: when that has answered or waits.
function Server:close()
  if self.closing then return end
  self.closing = true
  self.context.sched:post(function() self:close_now() end)
end

function Server:close_now()
  if self.closed then return end
  self.closing, self.closed = true, true
  end_all(self)
  self.context.sched:cancel(self.id)
  self.context.closed(self)
end

return M
