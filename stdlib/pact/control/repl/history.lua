--- What was typed at prompts, kept in a file that all REPLs of a user share: an entry a line, newest last.

local paths = require 'pact.base.path'
local text = require 'pact.base.text'

local M = {}

-- KEPT: entries in the file after it has been cut; MOST: how many it may have before.
local KEPT, MOST, MODE = 1000, 2000, tonumber('600', 8)
local TRIES, PAUSE_MS = 50, 10
local LONGEST = 64 << 10 -- bytes of an entry: what is longer was pasted, and is nothing to look for

---@class history
---@field path string
local History = {}
History.__index = History

local function place(env)
  local home = env.XDG_STATE_HOME
  if not home or home:sub(1, 1) ~= '/' then
    if not env.HOME or env.HOME:sub(1, 1) ~= '/' then return nil end
    home = env.HOME .. '/.local/state'
  end
  return paths.join(home, 'pactlua')
end

---@param sys sys
---@param sched sched
---@param env table<string, string>
---@return history? nil: there is no place for it
function M.new(sys, sched, env)
  local directory = place(env)
  if not directory or not sys.fs.mkdir(directory, tonumber('700', 8)) then return nil end
  return setmetatable({ fs = sys.fs, sched = sched, path = directory .. '/history' }, History)
end

---@param entry string
---@return string line one, whatever the entry has
function M.line_of(entry) return (entry:gsub('[\\\n\r]', { ['\\'] = '\\\\', ['\n'] = '\\n', ['\r'] = '\\r' })) end

---@param line string
---@return string entry
function M.entry_of(line)
  return (line:gsub('\\(.)', function(c) return c == 'n' and '\n' or c == 'r' and '\r' or c end))
end

---Entries, oldest first. A file that has grown too long is cut, unless another REPL writes right now.
---@return string[]
function History:read()
  local lines = text.lines(self.fs.read(self.path) or '')
  local from = math.max(#lines - KEPT + 1, 1)
  if #lines > MOST then
    local lock = self.fs.lock(self.path .. '.lock')
    if lock then
      lines = text.lines(self.fs.read(self.path) or '')
      from = math.max(#lines - KEPT + 1, 1)
      local kept = table.concat(lines, '\n', from, #lines) .. '\n'
      self.fs.write(self.path, kept, { atomic = true, mode = MODE })
      self.fs.close(lock)
    end
  end
  local out = {}
  for i = from, #lines do out[#out + 1] = M.entry_of(lines[i]) end
  return out
end

---Adds an entry behind what others have added meanwhile. It may wait for one that cuts the file.
---@param entry string
function History:add(entry)
  if #entry > LONGEST or entry == self.newest then return end
  if entry:find '^%s' then return end -- as shells: a blank in front keeps it out
  self.newest = entry
  self:append(M.line_of(entry) .. '\n', TRIES)
end

function History:append(line, tries)
  local lock, _, code = self.fs.lock(self.path .. '.lock')
  if not lock and code == 'held' and tries > 0 then
    return self.sched:after(PAUSE_MS, function() self:append(line, tries - 1) end)
  end
  self.fs.write(self.path, line, { append = true, mode = MODE })
  if lock then self.fs.close(lock) end
end

return M
