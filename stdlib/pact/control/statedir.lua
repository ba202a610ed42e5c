--- The files of a network: `.pactlua/<project>/` beside its recipe, or a directory of its own below
-- $XDG_STATE_HOME where that can't be written or the socket's path would be too long.

local paths = require 'pact.base.path'

local M = {}

local SOCKET_PATH_MAX = 107
local KEPT_RUNS = 10
local IGNORE = '# Made by pactlua: state and logs of networks.\n*\n'

---@class state_dir
---@field path string
---@field project string
---@field socket string
---@field fallback boolean not beside the recipe
---@field lock? integer

-- Who has neither: a directory in /tmp, which may be somebody else's trap.
local function in_tmp(sys)
  return ('/tmp/pactlua-%d'):format((sys.os.ids()))
end

---@return string
local function state_home(sys, env)
  local home = env.XDG_STATE_HOME
  if home and home:sub(1, 1) == '/' then return home end
  if env.HOME and env.HOME:sub(1, 1) == '/' then return env.HOME .. '/.local/state' end
  return in_tmp(sys)
end

---Where networks without a place beside their recipe are.
---@return string
function M.fallback_root(sys, env)
  return state_home(sys, env) .. '/pactlua'
end

local function beside(directory, project)
  return paths.join(directory, '.pactlua/') .. project
end

local function describe(path, project, fallback)
  return { path = path, project = project, socket = path .. '/control.sock', fallback = fallback }
end

local function try_beside(sys, directory, project)
  local dir = describe(beside(directory, project), project, false)
  if #dir.socket > SOCKET_PATH_MAX then return nil end
  local ok = sys.fs.mkdir(directory .. '/.pactlua')
  if not ok or not sys.fs.mkdir(dir.path, tonumber('700', 8)) or not sys.fs.can_write(dir.path) then return nil end
  if not sys.fs.stat(directory .. '/.pactlua/.gitignore') then
    sys.fs.write(directory .. '/.pactlua/.gitignore', IGNORE)
  end
  return dir
end

-- A long name is cut so that the socket's path fits; the hash keeps it apart from others.
local function elsewhere(sys, directory, project, env)
  local root = M.fallback_root(sys, env)
  local hash = sys.text.hash(directory .. '\0' .. project):sub(1, 8)
  local room = SOCKET_PATH_MAX - #('%s/-%s/control.sock'):format(root, hash)
  return ('%s/%s-%s'):format(root, project:sub(1, math.max(room, 1)), hash)
end

---Where the directory of a project may be, whether it exists or not.
---@return string[]
function M.places(sys, directory, project, env)
  return { beside(directory, project), elsewhere(sys, directory, project, env) }
end

-- In /tmp anybody may have been there before us.
local function check_owner(sys, env)
  local home = in_tmp(sys)
  if state_home(sys, env) ~= home then return true end
  local ok, message = sys.fs.mkdir(home, tonumber('700', 8))
  local stat = ok and sys.fs.stat(home)
  if not stat then return nil, message end
  if stat.uid == sys.os.ids() and stat.mode & tonumber('022', 8) == 0 then return true end
  return nil, ('%s is somebody else\'s, or others may write there (set XDG_STATE_HOME)'):format(home)
end

local function try_fallback(sys, directory, project, env)
  local dir = describe(elsewhere(sys, directory, project, env), project, true)
  if #dir.socket > SOCKET_PATH_MAX then
    return nil, ('the path of the control socket is too long: %s'):format(dir.socket)
  end
  local ok, message = check_owner(sys, env)
  if not ok then return nil, message end
  ok, message = sys.fs.mkdir(dir.path, tonumber('700', 8))
  if not ok then return nil, message end
  ok, message = sys.fs.write(dir.path .. '/directory', ('%s\n%s\n'):format(directory, project))
  if not ok then return nil, message end
  return dir
end

-- Who has the lock, as its own card in it says; it may not be written yet.
local function holder(card)
  local pid, since, recipe = card:match '^(%d+)\n(%d*)\n?([^\n]*)'
  if not pid then return '' end
  local out = { 'engine: pid ' .. pid }
  if #since > 3 and #since < 16 then out[2] = os.date('since %Y-%m-%d %H:%M:%S', tonumber(since) // 1000) end
  if recipe ~= '' then out[#out + 1] = 'recipe ' .. recipe end
  return (' (%s)'):format(table.concat(out, ', '))
end

---Makes the directory of a project, and takes its lock for life.
---@param sys sys
---@param directory string the recipe's
---@param project string
---@param env table<string, string>
---@param recipe string its path, for who comes second
---@return state_dir?, string? message, string? code 'held'
function M.open(sys, directory, project, env, recipe)
  local dir = try_beside(sys, directory, project)
  if not dir then
    local problem
    dir, problem = try_fallback(sys, directory, project, env)
    if not dir then
      return nil, ('no place for the state of this network: %s'):format(problem)
    end
  end
  local card = ('%d\n%d\n%s\n'):format(sys.os.pid(), sys.time.wall(), recipe)
  local lock, why, code, content = sys.fs.lock(dir.path .. '/lock', card)
  if lock then
    dir.lock = lock
    return dir
  end
  if code ~= 'held' then return nil, why, code end
  return nil, ("'%s' is up already%s; 'pactlua ps' shows it, 'pactlua down' ends it"):format(
    project, holder(content or '')), 'held'
end

local function stamp(wall)
  return ('%s-%03d'):format(os.date('!%Y%m%dT%H%M%S', wall // 1000), wall % 1000)
end

---Names of the runs, oldest first.
---@return string[]
function M.runs(sys, path)
  local runs = {}
  for _, name in ipairs(sys.fs.list(path .. '/runs', { directories = true }) or {}) do
    if name:find '^%d+T%d+%-%d+' then runs[#runs + 1] = name end
  end
  table.sort(runs)
  return runs
end

-- Names sort by age, also where the clock was set back: then one counts on from the last.
local function next_id(sys, dir)
  local id, runs = stamp(sys.time.wall()), M.runs(sys, dir.path)
  local last = runs[#runs]
  if not last or id > last then return id end
  local base, count = last:match '^([^.]+)%.?(%d*)$'
  return ('%s.%04d'):format(base or last, (tonumber(count) or 0) + 1)
end

---Makes the directory of a new run, points `latest` at it, and removes runs past the last ten.
---@param dir state_dir
---@return { id: string, dir: string }?, string? message
function M.new_run(sys, dir)
  local id = next_id(sys, dir)
  local path = dir.path .. '/runs/' .. id
  local ok, message = sys.fs.mkdir(path, tonumber('700', 8))
  if not ok then return nil, message end
  local latest = dir.path .. '/latest'
  sys.fs.remove(latest .. '.new')
  if sys.fs.symlink('runs/' .. id, latest .. '.new') then sys.fs.rename(latest .. '.new', latest) end
  local runs = M.runs(sys, dir.path)
  for i = 1, #runs - KEPT_RUNS do
    if runs[i] ~= id then sys.fs.remove(dir.path .. '/runs/' .. runs[i], { tree = true }) end
  end
  return { id = id, dir = path }
end

return M
