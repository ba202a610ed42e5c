--- The control protocol over the table of routes. An answer is JSON; a refusal has `error` and `code`.

local given = require 'pact.control.given'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local routes = require 'pact.control.routes'
local text = require 'pact.base.text'

local M = {}

local rows = table.move(routes.rows, 1, #routes.rows, 1, {})
rows[#rows + 1] = { 'GET', '/openapi.json', function(_, request)
  return 200, require('pact.control.openapi').document(rows, request.over)
end,
  summary = 'This description', answer = 'an OpenAPI document', raw = true }
M.rows = rows

-- '/v1/services/{id}' as a pattern of the whole path.
local patterns = list.map(rows, function(row)
  return '^' .. row[2]:gsub('%.', '%%.'):gsub('{%a+}', '([^/]+)') .. '$'
end)

-- The route, or the methods that this path has.
local function find(method, path)
  local others = {}
  for i, row in ipairs(rows) do
    local captures = table.pack(path:match(patterns[i]))
    if captures[1] then
      if row[1] == method then return row, captures end
      others[#others + 1] = row[1]
    end
  end
  return nil, others
end

-- What a table tells is state, but where the route's purpose is to give something as it is.
local function answer(network, id, status, body, kind, headers, raw)
  if not status then return end
  headers = headers or {}
  headers['content-type'] = kind or 'application/json'
  local bytes = type(body) == 'string' and body or json.encode(body, { lenient = true }) .. '\n'
  if type(body) ~= 'string' and not raw then bytes = network.secrets:json(bytes) end
  network.sys.ctl.respond(id, status, headers, bytes)
end

local function nowhere(network, id, request, others)
  if others[1] then
    local methods = table.concat(others, ', ')
    return answer(network, id, 405, { error = ('%s only'):format(methods), code = 'method' }, nil, { allow = methods })
  end
  local paths = list.map(list.filter(rows, function(row) return not row.hidden end), function(row) return row[2] end)
  local near = text.suggest(request.path, paths)
  answer(network, id, 404, {
    error = ('no such thing: %s%s'):format(text.truncate(request.path, 200),
      near ~= '' and near or '; GET /openapi.json tells what there is'),
    code = 'unknown',
  })
end

---Runs as a task: a handler may wait.
---@param network network
---@param id integer the request
---@param request sys.ctl_request
function M.handle(network, id, request)
  local route, captures = find(request.method, request.path)
  if not route then return nowhere(network, id, request, captures) end
  local message
  if request.over and (route.hidden or route.socket_only) then
    return answer(network, id, 403, {
      error = ('%s is for the control socket alone, not for TCP: %s'):format(text.truncate(request.path, 200),
        route.socket_only or "it is the front's own"),
      code = 'socket',
    })
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
