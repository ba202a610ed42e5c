--- The logs of services as they grow: who shows them is told in time.

local network = require 'pact.control.network'

local Network = network.class

---What services have written goes to the front before the news of what came of it.
function Network:tell_output()
  if not self.shows_output or not self.followed then return end
  for _, log in ipairs(self.sys.log.news()) do
    if self.logs[log] then self.audience:output(self.logs[log], true) end
  end
end

-- Who shows all holds the files from the beginning; who reads them by feeds holds none.
function Network:ask_for_output(log)
  self.sys.log.notify(log, self.shows_output or self.audience:follows_logs() and 'told')
end

---Bytes of a service's log, as they come, to the front.
function Network:follow_output(id)
  if self.followed[id] then return end
  local log = self.supervisor:log(id)
  if not log then return end
  self.followed[id], self.logs[log] = log, id
  self.sched:on(log, function(kind, message, lost)
    if kind == 'output' then
      self.audience:output(id, self.shows_output)
    elseif kind == 'logfault' then
      self:say(message and ("pactlua: the log of '%s': %s; trying again every 2 s\n"):format(id, message)
        or ("pactlua: the log of '%s' goes on; %d bytes were lost\n"):format(id, lost or 0))
    end
  end)
  self:ask_for_output(log)
  local service = self.supervisor:service(id)
  self.audience:began(id, service and service.group)
end

---A log has been closed: its service is gone, or goes on with one of another form.
function Network:forget_log(id, log)
  self.sched:off(log)
  self.followed[id], self.logs[log] = nil, nil
  self.sched:post(function()
    local service = self.supervisor:service(id)
    if service then self.lines:add_service(service) end
  end)
end

return network
