--- The directories of one watch: found below the patterns' bases, followed as they come and go.

local hidden = require 'pact.supervise.watch.hidden'
local list = require 'pact.base.list'
local paths = require 'pact.base.path'
local poll = require 'pact.supervise.watch.poll'

local M = {}

local SLICE_MS = 8
-- A link to the root of the file system leads anywhere.
local DIRECTORIES_MAX = 20000

---@class watch_host
---@field sys sys
---@field sched sched
---@field directory string the recipe's
---@field paths glob_set
---@field ignore string[]
---@field hidden? hidden instead of what `ignore` and .gitignore come to
---@field changed fun(path: string)
---@field trouble fun(message: string)
---@field since? integer what has changed after this (ms of the wall clock) has changed, though nobody watched yet

---@class watch_tree
---@field host watch_host
---@field directories table<integer, { path: string, awaits: table<string, string> }> by key
---@field queue { path: string, report: boolean }[]
local Tree = {}
Tree.__index = Tree

---@param host watch_host
---@return watch_tree
function M.new(host)
  local self = setmetatable({
    host = host, hidden = host.hidden or hidden.new(host.sys.fs, host.directory, host.ignore), told = {},
    since = host.since,
  }, Tree)
  self.poll = poll.new {
    sys = host.sys, sched = host.sched,
    found = function(directory, name, what, is_directory) self:heard(directory, name, what, is_directory) end,
    gone = function(directory) self:gone(directory) end,
  }
  self:open(false)
  return self
end

-- Begins, from the start or after events were lost.
function Tree:open(report)
  local sys, sched = self.host.sys, self.host.sched
  sched:cancel(self.id)
  self.directories, self.queue, self.count, self.refused, self.unseen = {}, {}, 0, 0, 0
  self.id = sys.watch.open()
  if self.id then
    sched:on(self.id, function(_, key, name, what, is_directory) self:event(key, name, what, is_directory) end)
  end
  for _, base in ipairs(self.host.paths:bases()) do self:attend(base, report) end
end

---------------------------------------------------------------------------------------------------
-- Finding them.

-- A directory of the set, or the reason why it is none.
local function add(self, path)
  if not self.id then return nil, 'EMFILE' end
  local key, _, code = self.host.sys.watch.add(self.id, path)
  if not key then return nil, code end
  local known = self.directories[key]
  if not known then
    self.count = self.count + 1
    self.directories[key] = { path = path, awaits = {} }
    return self.directories[key]
  end
  if known.path ~= path then return nil, 'ELOOP' end
  return known
end

---The base of a pattern: its directory, or the nearest above that it may appear in.
function Tree:attend(base, report)
  local stat = self.host.sys.fs.stat(base)
  if stat and stat.type == 'directory' then return self:walk(base, report) end
  local at = base
  local name
  repeat
    name, at = at:match '[^/]*$', paths.parent(at)
    stat = self.host.sys.fs.stat(at)
  until at == '/' or stat and stat.type == 'directory'
  local directory, code = add(self, at)
  if directory then
    directory.awaits[base] = name
  elseif code ~= 'ELOOP' then
    self.host.sched:after(2000, function()
      if not self.closed then self:attend(base, true) end
    end)
  end
end

---Takes in a directory and what is below it, some at a time. `report`: the files in it are new.
function Tree:walk(path, report)
  self.queue[#self.queue + 1] = { path = path, report = report }
  if self.walking then return end
  self.walking = true
  self:step()
end

function Tree:step()
  local now = self.host.sys.time.now
  local stop = now() + SLICE_MS
  while self.queue[1] and not self.closed do
    local entry = table.remove(self.queue)
    self:visit(entry.path, entry.report)
    if now() >= stop then
      self.host.sched:after(0, function() self:step() end)
      return
    end
  end
  self.walking, self.since = false, nil
  self:complain()
end

local function watched(self, path)
  if self.count >= DIRECTORIES_MAX then
    self.unseen = self.unseen + 1
    return false
  end
  local directory, code = add(self, path)
  if directory then return true end
  if code ~= 'ENOSPC' and code ~= 'EMFILE' and code ~= 'ENFILE' then return false end
  if not self.poll:add(path) then self.unseen = self.unseen + 1 return false end
  self.refused = self.refused + 1
  return true
end

-- It has changed while the search was on its way to it.
local function newer(self, file)
  local stat = self.host.paths:match(file) and self.host.sys.fs.stat(file)
  return stat and stat.type ~= 'directory' and stat.mtime > self.since
end

function Tree:visit(path, report)
  local host = self.host
  if not host.paths:may_hold(path) or not watched(self, path) then return end
  for _, name in ipairs(host.sys.fs.list(path, { directories = true }) or {}) do
    local below = paths.join(path, name)
    if not self.hidden:hides(path, below, true) then
      self.queue[#self.queue + 1] = { path = below, report = report }
    end
  end
  if not report and not self.since then return end
  for _, name in ipairs(host.sys.fs.list(path) or {}) do
    local file = paths.join(path, name)
    if report or newer(self, file) then self:file(path, file) end
  end
end

local LIMIT = 'the kernel watches no more directories for this user (fs.inotify.max_user_watches): '
  .. "%d are looked at every 2 s instead%s; raise the limit, name fewer paths or ignore more"
local TOO_MANY = "%d directories are not watched: name fewer paths or ignore more"

-- Each trouble is told once.
function Tree:complain()
  local left = self.unseen > 0 and (', %d not at all'):format(self.unseen) or ''
  if self.refused > 0 and not self.told.limit then
    self.told.limit = true
    self.host.trouble(LIMIT:format(self.refused, left))
  elseif self.unseen > 0 and not self.told.limit and not self.told.many then
    self.told.many = true
    self.host.trouble(TOO_MANY:format(self.unseen))
  end
end

---------------------------------------------------------------------------------------------------
-- Hearing of changes.

function Tree:event(key, name, what, is_directory)
  if what == 'overflow' then
    self.host.changed(self.host.directory)
    return self:open(false)
  end
  local directory = self.directories[key]
  if not directory then return end
  if what == 'gone' then
    self.directories[key] = nil
    self.count = self.count - 1
    return self:gone(directory.path, directory.awaits)
  end
  self:heard(directory.path, name, what, is_directory)
  if what ~= 'created' then return end
  for base, awaited in list.sorted(directory.awaits) do
    if awaited == name then
      directory.awaits[base] = nil
      self:attend(base, true)
    end
  end
end

---A directory is no more what it was: nor is what was below it.
function Tree:gone(path, awaits)
  local again = {}
  for base in pairs(awaits or {}) do again[base] = true end
  for _, base in ipairs(self.host.paths:bases()) do again[base] = paths.inside(base, path) or again[base] end
  for key, directory in pairs(self.directories) do
    if paths.inside(directory.path, path) then
      self.host.sys.watch.remove(self.id, key)
      self.directories[key] = nil
      self.count = self.count - 1
      for base in pairs(directory.awaits) do again[base] = true end
    end
  end
  for _, base in ipairs(list.keys(again)) do self:attend(base, true) end
end

---Something in a directory is not as it was.
function Tree:heard(directory, name, what, is_directory)
  local path = paths.join(directory, name)
  if name == '.gitignore' then self.hidden:forget() end
  if is_directory then
    if self.hidden:hides(directory, path, true) or not self.host.paths:may_hold(path) then return end
    if what == 'created' then return self:walk(path, true) end
    return self.host.changed(path)
  end
  if what == 'created' and self.host.paths:may_hold(path) then
    local stat = self.host.sys.fs.stat(path) -- a link to a directory
    if stat and stat.type == 'directory' then return self:heard(directory, name, what, true) end
  end
  self:file(directory, path)
end

function Tree:file(directory, path)
  if self.host.paths:match(path) and not self.hidden:hides(directory, path, false) then self.host.changed(path) end
end

---@return integer directories that are watched
function Tree:size() return self.count end

function Tree:close()
  self.closed = true
  self.host.sched:cancel(self.id)
  self.poll:close()
end

return M
