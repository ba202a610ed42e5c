--- Engines and guards as /proc shows them: which ones of ours live, where, and whether one has ended. Linux only.

local M = {}

local NAME = 'pactlua-engine'

---When a process began, as a word that no other process of its number has; nil: it has ended.
---@param sys sys
---@param pid integer
---@return string?
function M.born(sys, pid)
  local stat = sys.fs.read(('/proc/%d/stat'):format(pid)) or ''
  local state, rest = stat:match '^%d+ %(.*%) (%a) (.*)$'
  if not state or state == 'Z' or state == 'X' then return nil end
  local at = 0
  for word in rest:gmatch '%S+' do
    at = at + 1
    if at == 19 then return word end
  end
end

---The directories in which our engines run: those of their recipes.
---@param sys sys
---@return string[]
function M.directories(sys)
  local uid, seen, out = sys.os.ids(), {}, {}
  for _, pid in ipairs(sys.fs.list '/proc' or {}) do
    local process = '/proc/' .. pid
    local name = pid:find '^%d+$' and sys.fs.read(process .. '/comm', 64)
    if name == NAME .. '\n' and (sys.fs.stat(process) or {}).uid == uid then
      local directory = sys.fs.realpath(process .. '/cwd')
      if directory and not seen[directory] then
        seen[directory], out[#out + 1] = true, directory
      end
    end
  end
  table.sort(out)
  return out
end

return M
