--- sys.web over a made-up world: what workers serve is asked by tests, and by sys.http of the same world.

local M = {}

---@class web_world
---@field answers table<integer, table> by request: status headers body finished; gone: the client has left; dead: cut
---@field queued integer what a write says is queued behind it
---@field ask fun(place: integer|string, method: string, path: string, opts?: table): integer? nil: nobody listens
---@field leave fun(request: integer) its client leaves
---@field drain fun(request: integer) its client has taken what was queued

-- A listener stands among those who hold ports, as the process that we are.
local function as_process(entry)
  local fixed = { pid = 1, name = 'pactlua', spec = { argv = { 'pactlua' } }, started_at = 0, program = {} }
  return setmetatable(fixed, {
    __index = function(_, key) return key == 'ended' and entry.dead or nil end,
  })
end

local function taken(world, port)
  local other = world.listeners[port]
  return world.holders[port] ~= nil or other ~= nil and not other.ended
end

local function listen(world, entries, opts)
  local entry = { id = world:id(), opts = opts }
  if opts.port == 0 then
    world.given_port = (world.given_port or 42000) + 1
    entry.port = world.given_port
  elseif opts.port then
    if taken(world, opts.port) then
      return nil, ('%s:%d: Address already in use'):format(opts.host, opts.port), 'EADDRINUSE'
    end
    entry.port = opts.port
  elseif entries[opts.path] and not entries[opts.path].dead then
    return nil, ("socket '%s': Address already in use"):format(opts.path), 'EADDRINUSE'
  end
  world.operations[entry.id] = entry
  entries[entry.port or opts.path] = entry
  if entry.port then world.listeners[entry.port] = as_process(entry) end
  return entry.id, entry.port
end

local function answering(web)
  local function begin(request, status, headers, body, finished)
    local answer = web.answers[request]
    if answer.gone then return nil, 'the client has left', 'gone' end
    assert(not answer.status, 'answered twice')
    answer.status, answer.headers, answer.body, answer.finished = status, headers or {}, body or '', finished
    if finished and answer.done then answer.done(answer) end
    return true
  end
  local function write(request, bytes)
    local answer = web.answers[request]
    if answer.gone then return nil, 'the client has left', 'gone' end
    assert(answer.status and not answer.finished, 'written to before its begin or behind its end')
    answer.body = answer.body .. bytes
    return web.queued
  end
  local function finish(request)
    local answer = web.answers[request]
    answer.finished = true
    if answer.done then answer.done(answer) end
    return true
  end
  return begin, write, finish
end

local function decoded(text)
  return (text:gsub('+', ' '):gsub('%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end))
end

local function request_of(method, target, opts)
  local path, rest = target:match '^([^?]*)%??(.*)$'
  local query, headers = {}, {}
  for key, value in rest:gmatch '([^&=]+)=?([^&]*)' do query[decoded(key)] = decoded(value) end
  for name, value in pairs(opts.headers or {}) do headers[name:lower()] = value end
  return {
    method = method, path = decoded(path), query = query, headers = headers, body = opts.body or '',
    remote = '127.0.0.1:50000',
  }
end

---@param world world
---@return table sys.web, web_world web
function M.new(world)
  local entries = {}
  local web = { answers = {}, queued = 0 }
  local begin, write, finish = answering(web)

  function web.ask(place, method, target, opts)
    local entry = entries[place]
    if not entry or entry.dead then return nil end
    local id = world:id()
    web.answers[id] = { done = opts and opts.done }
    world.operations[id] = web.answers[id] -- cancelling it is cutting it off
    world:at(0, function()
      if not entry.dead then world:event(entry.id, 'request', id, request_of(method, target, opts or {})) end
    end)
    return id
  end

  function web.leave(id)
    web.answers[id].gone = true
    world:at(0, function() world:event(id, 'gone', 'the client has left') end)
  end

  function web.drain(id)
    world:at(0, function() world:event(id, 'drain') end)
  end

  return {
    listen = function(opts) return listen(world, entries, opts) end,
    respond = function(id, status, headers, body) return begin(id, status, headers, body, true) end,
    stream = function(id, status, headers) return begin(id, status, headers, '', false) end,
    write = write,
    finish = finish,
  }, web
end

---A request of sys.http to a server of this world itself.
---@param web web_world
---@param opts table of sys.http.request
---@param done fun(answer: table)
---@return boolean served false: no server of this world has this address
function M.fetch(web, opts, done)
  local port, target = opts.url:match '^http://[%w.]+:(%d+)(.*)$'
  if not port then return false end
  if target:sub(1, 1) ~= '/' then target = '/' .. target end
  return web.ask(math.tointeger(tonumber(port)), opts.method or 'GET', target, {
    headers = opts.headers, body = opts.body, done = done,
  }) ~= nil
end

return M
