--- `sys.fs` over files in memory, with faults on demand; over a real directory if there is one beneath, which
-- is read and never written.

local M = {}

local function parent(path) return path:match '^(.*)/[^/]*$' end

local function directories(fs, path, names)
  local out = {}
  for _, name in ipairs(names) do
    local stat = fs.stat((path == '/' and '' or path) .. '/' .. name)
    if stat and stat.type == 'directory' then out[#out + 1] = name end
  end
  return out
end

local function refuse(path) return nil, path .. ': No such file or directory', 'ENOENT' end

local function stat_of(bytes) return { type = 'file', size = #bytes, mtime = #bytes, mode = 420, uid = 0 } end

-- Where a path leads through the links of the world.
local function resolver(world)
  return function(path)
    for from, to in pairs(world.links) do
      if path == from or path:sub(1, #from + 1) == from .. '/' then
        return parent(from) .. '/' .. to .. path:sub(#from + 1)
      end
    end
    return path
  end
end

-- What is beneath, where it may be seen: below its directory, and not removed by us.
local function beneath(world, path)
  local under = world.beneath
  if not under or world.removed[path] then return nil end
  local within = under.within == '/' and '/' or under.within .. '/'
  return (path == under.within or path:sub(1, #within) == within) and under or nil
end

-- What the world itself has at a path; false: nothing, whatever is beneath.
local function own(world, path)
  local bytes = world.files[path]
  if bytes == nil and world.answer then return world.answer(path) end
  return bytes
end

local function reading(fs, world, real)
  function fs.read(path, max)
    path = real(path)
    local bytes = own(world, path)
    if bytes then return bytes end
    local under = bytes == nil and beneath(world, path)
    if under then return under.read(path, max) end
    return refuse(path)
  end

  function fs.read_at(path, offset, size)
    local bytes, message, code = fs.read(path)
    if not bytes then return nil, message, code end
    return bytes:sub(offset + 1, offset + size)
  end

  function fs.stat(path)
    path = real(path)
    local bytes = own(world, path)
    if bytes then return stat_of(bytes) end
    if world.directories[path] then return { type = 'directory', size = 0, mtime = 0, mode = 493, uid = 0 } end
    local under = bytes == nil and beneath(world, path)
    if under then return under.stat(path) end
    return refuse(path)
  end

  function fs.list(path, opts)
    path = real(path)
    local under = beneath(world, path)
    local there = under and under.list(path)
    if not world.directories[path] and not there then return refuse(path) end
    local names, seen = {}, {}
    local function add(name)
      if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
    for _, set in ipairs { world.files, world.directories, world.links } do
      for name in pairs(set) do
        if parent(name) == (path == '/' and '' or path) and not name:find '/$' then add(name:match '[^/]*$') end
      end
    end
    for _, name in ipairs(there or {}) do
      if not world.removed[path .. '/' .. name] then add(name) end
    end
    table.sort(names)
    return opts and opts.directories and directories(fs, path, names) or names
  end

  function fs.can_write(path) return not world.readonly[path] end
  function fs.can_execute() return true end
  function fs.realpath(path) return path end
  function fs.cwd() return world.cwd or '/' end
  function fs.chdir(path)
    world.cwd = path
    return true
  end
end

local function writing(fs, world)
  function fs.write(path, bytes, opts)
    if world.full then return nil, world.full, 'ENOSPC' end
    if world.readonly[parent(path)] then return nil, path .. ': Read-only file system', 'EROFS' end
    local before = opts and opts.append and (world.files[path] or fs.read(path)) or ''
    world.files[path], world.removed[path] = before .. bytes, nil
    return true
  end

  function fs.mkdir(path)
    local up = parent(path)
    if world.readonly[path] or world.readonly[up] and not world.directories[path] then
      return nil, path .. ': Read-only file system', 'EROFS'
    end
    while path ~= '' and path ~= nil do
      world.directories[path] = true
      path = parent(path)
    end
    return true
  end

  function fs.remove(path, opts)
    for _, set in ipairs { world.files, world.directories, world.links } do
      for name in pairs(set) do
        if name == path or opts and opts.tree and name:sub(1, #path + 1) == path .. '/' then set[name] = nil end
      end
    end
    if world.beneath then world.removed[path] = true end
    return true
  end

  function fs.rename(from, to)
    local found = false
    for _, set in ipairs { world.files, world.links } do
      if set[from] then
        set[to], set[from], found = set[from], nil, true
      end
    end
    if not found then return refuse(from) end
    return true
  end

  function fs.symlink(target, path)
    world.links[path] = target
    return true
  end
end

-- Files by path, as text. One that is appended to is in pieces until somebody looks.
local function files_of(pieces)
  local function settle(files, path)
    local list = pieces[path]
    if not list then return nil end
    pieces[path] = nil
    rawset(files, path, table.concat(list))
    return files[path]
  end
  return setmetatable({}, {
    __index = settle,
    __newindex = function(files, path, bytes)
      pieces[path] = nil
      rawset(files, path, bytes)
    end,
    __pairs = function(files)
      while next(pieces) do settle(files, (next(pieces))) end
      return next, files
    end,
  })
end

local function holding(fs, world, pieces)
  local open = {}

  function fs.lock(path, content)
    if world.locked[path] then return nil, path .. ': held', 'held', world.locked[path] end
    world.serial = world.serial + 1
    world.locked[path] = content or ''
    return world.serial
  end

  function fs.open_append(path)
    if world.full then return nil, world.full, 'ENOSPC' end
    world.serial = world.serial + 1
    world.files[path] = world.files[path] or ''
    open[world.serial] = path
    return world.serial
  end

  function fs.append(id, bytes)
    if world.full then return nil, world.full, 'ENOSPC' end
    local path = open[id]
    local list = pieces[path]
    if not list then
      list = { world.files[path] or '' }
      pieces[path], world.files[path] = list, nil
    end
    list[#list + 1] = bytes
    return true
  end

  function fs.close(id) open[id] = nil end
end

---@param opts? { beneath?: { within: string, read: function, stat: function, list: function } }
---@return table fs, table world `files` by path, `directories`, `full` (a message: writing fails), `locks`,
--- `locked` by path, `answer(path)` what else is there: text; false: nothing, whatever is beneath
function M.new(opts)
  local pieces = {}
  local world = {
    files = files_of(pieces), directories = { [''] = true, ['/'] = true },
    links = {}, locked = {}, readonly = {}, removed = {},
    serial = 0, beneath = opts and opts.beneath,
  }
  local fs = {}
  reading(fs, world, resolver(world))
  writing(fs, world)
  holding(fs, world, pieces)
  return fs, world
end

return M
