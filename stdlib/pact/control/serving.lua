--- Whom a network lets in, and what it opens for them: sessions, streams of events and logs, terminals.

local api = require 'pact.control.api'
local network = require 'pact.control.output'

local Network = network.class

---Answers clients on the front's socketpair and, once there is a place for it, on the control socket.
function Network:serve_front()
  local id = self.sys.ctl.serve_front()
  self.sched:on(id, function(kind)
    if kind == 'gone' then self:front_gone() end
  end)
end

---@param id integer a request
---@param request sys.ctl_request
function Network:request(id, request)
  api.serve(self, id, request)
end

-- The directory is ours by its lock: what else lies there goes.
function Network:listen()
  local sys, path = self.sys, self.dir.socket
  local found = sys.fs.stat(path)
  if found and found.type ~= 'socket' then sys.fs.remove(path) end
  local id, message = sys.ctl.listen(path)
  if not id then return nil, message end
  return true
end

-- A token that an earlier run has left is worth nothing: it goes, or is replaced.
function Network:listen_on_tcp()
  local file = self.dir.path .. '/token'
  if not self.invocation.options.listen then
    self.sys.fs.remove(file)
    return true
  end
  local tcp, message = require('pact.control.api.tcp').open(self, file)
  if not tcp then return nil, message end
  self.tcp = tcp
  self.secrets:follow { tcp.gate.token }
  self:say(self.tcp:words())
  return true
end

function Network:open_session(request)
  self.audience:open_session(request)
end

---Gives a client the terminal of a service.
---@param request integer
---@param id string
---@param size { columns?: integer, rows?: integer }
function Network:open_terminal(request, id, size)
  self.terminals = self.terminals or require('pact.control.terminals').new(self)
  self.terminals:open(request, id, size)
end

function Network:open_stream(request, opts)
  self.audience:open_stream(request, opts)
end

---Answers with lines of logs.
---@param request integer
---@param opts log_reading
---@return true?, string? message, string? code
function Network:open_logs(request, opts)
  return self.audience:open_logs({
    sys = self.sys, sched = self.sched,
    told = function()
      if not self.shows_output then
        for log in pairs(self.logs or {}) do self:ask_for_output(log) end
      end
    end,
  }, request, opts)
end

return network
