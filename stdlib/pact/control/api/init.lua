--- The control protocol over the table of routes. An answer is JSON; a refusal has `error` and `code`.

local given = require 'pact.control.api.given'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local routes = require 'pact.control.api.routes'
local text = require 'pact.base.text'

local M = {}

local rows = table.move(routes.rows, 1, #routes.rows, 1, {})
rows[#rows + 1] = { 'GET', '/openapi.json', function(_, request)
  return 200, require('pact.control.api.openapi').document(rows, request.over)
end,
  summary = 'This description', answer = 'an OpenAPI document', raw = true }
M.rows = rows

-- '/v1/services/{id}' as a pattern of the whole path.
local patterns = list.map(rows, function(row)
  return '^' .. row[2]:gsub('%.', '%%.'):gsub('{%a+}', '([^/]+)') .. '$'
end)

-- The route, or the methods that this path has. HEAD is GET without a body.
local function find(method, path)
  local methods = {}
  if method == 'HEAD' then method = 'GET' end
  for i, row in ipairs(rows) do
    local captures = table.pack(path:match(patterns[i]))
    if captures[1] then
      if row[1] == method then return row, captures end
      methods[row[1]] = true
    end
  end
  return nil, methods
end

-- What a table tells is state, but where the route's purpose is to give something as it is. Without a body it is the
-- head of an answer that goes on.
local function answer(network, id, status, body, kind, headers, raw)
  if not status then return end
  local ctl = network.sys.ctl
  headers = headers or {}
  headers['content-type'] = kind or 'application/json'
  if body == nil then
    if ctl.stream(id, status, headers) then ctl.finish(id) end
    return
  end
  local bytes = type(body) == 'string' and body or json.encode(body, { lenient = true }) .. '\n'
  if type(body) ~= 'string' and not raw then bytes = network.secrets:json(bytes) end
  ctl.respond(id, status, headers, bytes)
end

local function with_head(methods)
  if methods.GET then methods.HEAD = true end
  return methods
end

-- What a path takes, in words and as the header has it.
local function allowed(methods)
  local names = list.keys(with_head(methods))
  return table.concat(names, ', '), table.concat(names, ', ') .. ', OPTIONS'
end

local function no_such_path(network, id, path)
  local paths = list.map(list.filter(rows, function(row) return not row.hidden end), function(row) return row[2] end)
  local near = text.suggest(path, paths)
  answer(network, id, 404, {
    error = ('no such thing: %s%s'):format(text.truncate(path, 200),
      near ~= '' and near or '; GET /openapi.json tells what there is'),
    code = 'unknown',
  })
end

local function no_route(network, id, request, methods)
  local asks = request.method == 'OPTIONS'
  if asks and request.path == '*' then methods = list.set(list.map(rows, function(row) return row[1] end)) end
  if not next(methods) then return no_such_path(network, id, request.path) end
  local words, header = allowed(methods)
  if asks then return network.sys.ctl.respond(id, 204, { allow = header }, '') end
  answer(network, id, 405, { error = words .. ' only', code = 'method' }, nil, { allow = header })
end

-- How its body is packed, for people.
local function packed(request)
  local coding = request.headers['content-encoding']
  if not coding or coding:lower() == 'identity' or (request.body or '') == '' then return nil end
  return text.truncate(text.show(coding), 80)
end

---Runs as a task: a handler may wait.
---@param network network
---@param id integer the request
---@param request sys.ctl_request
function M.handle(network, id, request)
  local route, captures = find(request.method, request.path)
  if not route then return no_route(network, id, request, captures) end
  local message
  request.head = request.method == 'HEAD'
  if request.over and (route.hidden or route.socket_only) then
    return answer(network, id, 403, {
      error = ('%s is for the control socket alone, not for TCP: %s'):format(text.truncate(request.path, 200),
        route.socket_only or "it is the front's own"),
      code = 'socket',
    })
  end
  local coding = packed(request)
  if coding then
    return answer(network, id, 415, {
      error = ('Content-Encoding %s is not read here: send the body as it is'):format(coding), code = 'unsupported',
    }, nil, { ['accept-encoding'] = 'identity' })
  end
  request.given, message = given.read(route, request)
  if not request.given then return answer(network, id, 400, { error = message, code = 'EINVAL' }) end
  request.id = id
  local status, body, kind, headers = route[3](network, request, table.unpack(captures, 1, captures.n))
  answer(network, id, status, body, kind, headers, route.raw == true or route.raw == 'socket' and not request.over)
end

---@param network network
---@param id integer
---@param request sys.ctl_request
function M.serve(network, id, request)
  network.sched:spawn(function()
    M.handle(network, id, request)
  end, {
    name = ('%s %s'):format(request.method, request.path),
    on_error = function(message)
      answer(network, id, 500, { error = message, code = 'internal' })
    end,
  })
end

return M
