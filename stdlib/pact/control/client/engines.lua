--- Engines and guards as /proc shows them: which ones of ours live, where, and whether one has ended. Linux only.

local M = {}

local NAME, GUARD = 'pactlua-engine', 'pactlua-guard'

-- The letter of its state, and what stands behind it; nil: it has ended.
local function stat_of(sys, pid)
  local stat = sys.fs.read(('/proc/%d/stat'):format(pid)) or ''
  local state, rest = stat:match '^%d+ %(.*%) (%a) (.*)$'
  if state == 'Z' or state == 'X' then return nil end
  return state, rest
end

---What a process does: R runs, S sleeps, D waits for a device, T is stopped, t is traced; nil: it has ended.
---@param sys sys
---@param pid integer
---@return string?
function M.state(sys, pid) return (stat_of(sys, pid)) end

---When a process began, as a word that no other process of its number has; nil: it has ended.
---@param sys sys
---@param pid integer
---@return string?
function M.born(sys, pid)
  local state, rest = stat_of(sys, pid)
  if not state then return nil end
  local at = 0
  for word in rest:gmatch '%S+' do
    at = at + 1
    if at == 19 then return word end
  end
end

local function each_of(sys, uid)
  local pids = sys.fs.list '/proc' or {}
  local at = 0
  return function()
    while pids[at + 1] do
      at = at + 1
      local process = '/proc/' .. pids[at]
      local name = pids[at]:find '^%d+$' and sys.fs.read(process .. '/comm', 64)
      if name == NAME .. '\n' and (sys.fs.stat(process) or {}).uid == uid then return process end
    end
  end
end

local function is_ours(sys, pid, name)
  local process = ('/proc/%d'):format(pid)
  return sys.fs.read(process .. '/comm', 64) == name .. '\n' and (sys.fs.stat(process) or {}).uid == sys.os.ids()
end

---Whether a process is an engine of ours.
---@param sys sys
---@param pid integer
---@return boolean
function M.is_ours(sys, pid) return is_ours(sys, pid, NAME) end

---Whether a process is the guard of an engine of ours.
---@param sys sys
---@param pid integer
---@return boolean
function M.is_guard(sys, pid) return is_ours(sys, pid, GUARD) end

---The directories in which our engines run: those of their recipes.
---@param sys sys
---@return string[]
function M.directories(sys)
  local uid, seen, out = sys.os.ids(), {}, {}
  for process in each_of(sys, uid) do
    local directory = sys.fs.realpath(process .. '/cwd')
    if directory and not seen[directory] then
      seen[directory], out[#out + 1] = true, directory
    end
  end
  table.sort(out)
  return out
end

return M
