--- `sys.ctl`, the serving end: requests are made by the test, answers are kept.

local json = require 'pact.base.json'

local M = {}

---@param world world
---@return table ctl, table server `answers` by request: { status, headers, body, finished }; `ask`, `session`
function M.new(world)
  local server = { answers = {}, listening = {}, closed = false, queued = 0 }
  local ctl = {}

  function ctl.serve_front()
    server.front = world:id()
    return server.front
  end

  function ctl.listen(path)
    server.listening[#server.listening + 1] = path
    return world:id()
  end

  function ctl.guard() return { guard = 3 } end
  function ctl.leave_front(path) server.left_for = path return true end

  local function begin(request, status, headers)
    assert(not server.answers[request], 'answered twice')
    server.answers[request] = { status = status, headers = headers or {}, body = '' }
  end

  function ctl.respond(request, status, headers, body)
    begin(request, status, headers)
    server.answers[request].body, server.answers[request].finished = body or '', true
  end

  function ctl.stream(request, status, headers)
    begin(request, status, headers)
    return true
  end

  function ctl.write(request, bytes)
    local answer = server.answers[request]
    if answer.gone then return nil, 'gone' end
    assert(not answer.finished, 'written to behind its end')
    answer.body = answer.body .. bytes
    return server.queued
  end

  function ctl.await() return server.full or false end

  function ctl.upgrade(request)
    begin(request, 101)
    server.answers[request].frames = {}
    return true
  end

  -- What doesn't fit is what the test says it is: `server.queued`.
  function ctl.frame(request, kind, bytes)
    local answer = server.answers[request]
    if answer.gone then return nil, 'gone' end
    assert(answer.frames and not answer.finished, 'a frame where none can be')
    answer.frames[#answer.frames + 1] = kind == 'b' and bytes or json.decode(bytes)
    return server.queued
  end

  ---A frame of a client's.
  function server.frame(request, kind, bytes)
    if type(bytes) == 'table' then bytes = json.encode(bytes) end
    world:at(0, function() world:event(request, 'frame', kind, bytes) end)
  end

  function server.leave(request)
    server.answers[request].gone = true
    world:at(0, function() world:event(request, 'gone', 'the client has left') end)
  end

  function ctl.finish(request) server.answers[request].finished = true end
  function ctl.close() server.closed = true end

  function server.deliver(id, request)
    world:at(0, function() world:event(id, 'request', request) end)
  end

  ---Asks; the answer is in `server.answers[id]` when the world has turned.
  function server.ask(method, path, body, front, headers)
    local id, query = world:id(), {}
    local plain, rest = path:match '^([^?]*)%??(.*)$'
    for key, value in rest:gmatch '([^&=]+)=([^&]*)' do query[key] = value end
    server.deliver(id, {
      method = method, path = plain, query = query,
      body = type(body) == 'string' and body or body and json.encode(body) or '',
      headers = headers or { ['content-type'] = type(body) == 'table' and 'application/json' or nil },
      front = front or false, pid = 2,
    })
    return id
  end

  ---The lines of an NDJSON answer, decoded.
  function server.lines(request)
    local out = {}
    for line in server.answers[request].body:gmatch '[^\n]+' do out[#out + 1] = assert(json.decode(line)) end
    return out
  end

  ---An answer's status and decoded body.
  function server.answer(request)
    local answer = server.answers[request]
    return answer and answer.status, answer and json.decode(answer.body)
  end

  return ctl, server
end

return M
