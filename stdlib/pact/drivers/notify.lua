--- What a process says of itself by sd_notify: its socket, who may write there, and what the words mean.

local M = {}

local MOMENT = 200
local GENERATIONS = 64

---@class notify
local Notify = {}
Notify.__index = Notify

---@param host driver_host
---@return notify
function M.new(host)
  local opts = host.supervisor
  return setmetatable({
    sys = host.sys,
    sched = host.sched,
    directory = (opts.socket or opts.run .. '/'):match '^(.*)/',
    numbers = {}, -- service → the number in its socket's name
    count = 0,
  }, Notify)
end

---@param service service
---@return boolean it is to tell of itself
function M.wanted(service)
  local health, ready = service.health, service.ready
  return (health and health.kind == 'notify' or ready and ready.kind == 'notify') or false
end

-- No longer than `control.sock` beside it. Another user can't come into our directory: a name
-- without a file is for that one.
local function path_of(self, service, uid)
  if not self.numbers[service.id] then
    self.count = self.count + 1
    self.numbers[service.id] = self.count
  end
  local number = self.numbers[service.id]
  if uid and uid ~= self.sys.os.ids() then return ('@pactlua/%d/n%d'):format(self.sys.os.pid(), number) end
  return ('%s/n%d.sock'):format(self.directory, number)
end

---@param text string lines of NAME=value
---@return table<string, string>
function M.parse(text)
  local fields = {}
  for name, value in text:gmatch '([%u_][%u%d_]*)=([^\n]*)' do fields[name] = value end
  return fields
end

local function parent_of(self, pid)
  local stat = self.sys.fs.read(('/proc/%d/stat'):format(pid))
  return stat and tonumber(stat:match '^.*%) %S (%d+)')
end

-- By its parents, or by what is known of those that have lost theirs. One who has ended meanwhile
-- (`systemd-notify`) can't be looked up any more: that only its user could write must do.
local function is_of(self, job, pid)
  local from = pid
  for _ = 1, GENERATIONS do
    if from == job.pid or from == 0 then return true end
    local parent = parent_of(self, from)
    if not parent then return from == pid end
    if parent <= 1 then break end
    from = parent
  end
  for _, process in ipairs(job.id and self.sys.proc.tree(job.id) or {}) do
    if process.pid == pid then return true end
  end
  return false
end

local function may_write(self, job, uid)
  return uid == 0 or uid == self.sys.os.ids() or uid == job.notify_uid
end

-- What is known of the tree may be a moment old: a stranger is looked at twice.
local function heard(self, job, text, pid, uid, again)
  if job.ended then return end
  if may_write(self, job, uid) and is_of(self, job, pid) then return job.report('notified', M.parse(text)) end
  if not again then
    self.sched:after(MOMENT, function() heard(self, job, text, pid, uid, true) end)
    return
  end
  local why = ('a notification of process %d is ignored: it is none of its processes'):format(pid)
  job.report('note', { text = why })
end

---Opens the job's socket, and says so in its environment.
---@param job job
---@param env table<string, string>
---@param uid? integer the user it runs as
---@return true?, string? message, string? code
function Notify:open(job, env, uid)
  local service = job.service
  local path = path_of(self, service, uid)
  local id, message, code = self.sys.net.datagrams(path)
  if not id then return nil, 'notify: ' .. message, code end
  job.notify, job.notify_uid = id, uid
  env.NOTIFY_SOCKET = path
  if service.health and service.health.kind == 'notify' then
    env.WATCHDOG_USEC = tostring(service.health.interval * 1000)
  end
  self.sched:on(id, function(_, text, pid, from)
    heard(self, job, text, pid, from)
  end)
  return true
end

---@param job job
function Notify:close(job)
  if job.notify then self.sched:cancel(job.notify) end
  job.notify = nil
end

return M
