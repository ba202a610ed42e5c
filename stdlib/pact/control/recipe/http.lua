--- `pact.http`: requests that yield until their answer is there, or hand it over piece by piece.

local arguments = require 'pact.control.recipe.arguments'
local json = require 'pact.base.json'
local text = require 'pact.base.text'

local M = {}

local TIMEOUT_MS, MAX_BODY, REDIRECTS = 30000, 16 << 20, 5

---@class http_request
---@field url string
---@field method? string GET, or POST with a body
---@field headers? table<string, any>
---@field body? any text; a table is sent as JSON
---@field json? any sent as JSON
---@field timeout? any for all of it; with `stream`, the longest silence
---@field max_body? any size: so much of the body is kept
---@field redirects? integer followed to the same host
---@field insecure? boolean take any TLS certificate
---@field stream? fun(piece: string, answer: http_answer): boolean? gets the body piece by piece; false ends the request

---@class http_answer
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string
---@field url string
---@field ms integer
---@field truncated? boolean
---@field json fun(self): any, string? the body decoded; nil and a message

local KEYS = {
  url = 'string', method = 'string', headers = 'table', body = true, json = true, timeout = 'duration',
  max_body = 'size', redirects = 'number', insecure = 'boolean', stream = 'function',
}

local Answer = {}
Answer.__index = Answer

function Answer:json() return json.decode(self.body) end

local function headers_of(given, kind)
  local headers, typed = {}, false
  for name, value in pairs(given or {}) do
    if type(name) ~= 'string' or (type(value) ~= 'string' and type(value) ~= 'number') then
      arguments.misuse('pact.http: headers: %s must be text, got %s', text.show(name), text.show(value))
    end
    headers[name] = tostring(value)
    typed = typed or name:lower() == 'content-type'
  end
  if kind and not typed then headers['content-type'] = kind end
  return headers
end

local function encoded(value)
  local ok, body = pcall(json.encode, value)
  if not ok then arguments.misuse('pact.http: the body cannot be JSON: %s', tostring(body):gsub('^[^:]+:%d+: ', '')) end
  return body
end

-- The request for the binding.
local function request_of(opts)
  local given = arguments.options(opts, KEYS, 'pact.http')
  if not given.url then arguments.misuse 'pact.http needs a url' end
  local body, kind = given.body, nil
  if given.json ~= nil or type(body) == 'table' then
    body, kind = encoded(given.json ~= nil and given.json or body), 'application/json'
  elseif body ~= nil then
    kind = 'text/plain; charset=utf-8'
    body = type(body) == 'number' and tostring(body) or arguments.typed(body, 'string', 'pact.http: body')
  end
  return {
    url = given.url, method = given.method and given.method:upper() or body and 'POST' or 'GET',
    headers = headers_of(given.headers, kind), body = body, timeout = math.max(1, given.timeout or TIMEOUT_MS),
    max_body = given.max_body or MAX_BODY, redirects = given.redirects or REDIRECTS, insecure = given.insecure,
    stream = given.stream ~= nil,
  }, given.stream
end

local function answer_of(response, message, code)
  if not response then return nil, message, code end
  return setmetatable(response, Answer)
end

-- What comes of a request while its function may be waiting for something else.
local function events_of(sched, id)
  local inbox, wake = {}, nil
  sched:on(id, function(...)
    inbox[#inbox + 1] = table.pack(...)
    if wake then wake() end
  end)
  return function()
    if not inbox[1] then
      sched:suspend(function(fn)
        wake = fn
        return function() sched:cancel(id) end
      end)
    end
    return table.unpack(table.remove(inbox, 1), 1, 4)
  end
end

-- Hands over piece by piece; the next one is read when the function has done with the last.
local function streamed(context, id, fn)
  local head
  local next_event = events_of(context.sched, id)
  local _ <close> = setmetatable({}, { __close = function() context.sched:cancel(id) end })
  while true do
    local kind, first, second, third = next_event()
    if kind == 'http' then
      local answer, message, code = answer_of(first, second, third)
      if answer and answer.body ~= '' then fn(answer.body, answer) end -- a made-up world's: all in one piece
      return answer, message, code
    end
    head = head or setmetatable({ status = second, headers = third, body = '' }, Answer)
    if fn(first, head) == false then return head end
    context.sys.http.more(id)
  end
end

local function perform(context, opts)
  local request, fn = request_of(opts)
  context.sched:must_wait()
  local id = context.sys.http.request(request)
  if fn then return streamed(context, id, fn) end
  local _, response, message, code = context.sched:await(id)
  return answer_of(response, message, code)
end

local function with_method(context, method, url, body, opts)
  local all = { url = url, method = method, body = body }
  for key, value in pairs(arguments.options(opts, KEYS, 'pact.http.' .. method:lower())) do all[key] = value end
  all.timeout = opts and opts.timeout
  return perform(context, all)
end

---@param api table behind `pact`
---@param context table sys, sched
function M.install(api, context)
  api.http = {}
  function api.http.request(opts)
    return perform(context, arguments.typed(opts, 'table', 'pact.http.request: the request'))
  end
  for _, method in ipairs { 'GET', 'HEAD', 'DELETE' } do
    api.http[method:lower()] = function(url, opts) return with_method(context, method, url, nil, opts) end
  end
  for _, method in ipairs { 'POST', 'PUT', 'PATCH' } do
    api.http[method:lower()] = function(url, body, opts) return with_method(context, method, url, body, opts) end
  end
end

return M
