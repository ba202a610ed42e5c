--- Networks of other users: there, and not ours to ask.

local M = {}

local function owner(sys, uid)
  local user = sys.os.user(uid)
  return user and ("user '%s'"):format(user.name) or ('the user with id %d'):format(uid)
end

---Whose a state directory is in which somebody else's network may live; nil: it is ours to look into.
---@param sys sys
---@param dir found_network
---@return integer? uid
function M.uid(sys, dir)
  local _, _, code = sys.fs.stat(dir.path .. '/control.sock')
  if code ~= 'EACCES' then return nil end
  local stat = sys.fs.stat(dir.path)
  return stat and stat.uid ~= sys.os.ids() and stat.uid or nil
end

-- What can't be looked into may be long dead; the kernel's list of sockets has what lives.
local function lives(sys, dir)
  return (sys.fs.read '/proc/net/unix' or ''):find(' ' .. dir.path .. '/control.sock\n', 1, true) ~= nil
end

---@param sys sys
---@param found { dir: found_network, uid?: integer, live?: boolean }[]
---@return string? words for the first one that lives
function M.words(sys, found)
  for _, it in ipairs(found) do
    if it.uid and (it.live or lives(sys, it.dir)) then
      return ("the network '%s' in %s is of %s, who alone may ask it: not permitted"):format(it.dir.project,
        it.dir.directory, owner(sys, it.uid))
    end
  end
end

return M
