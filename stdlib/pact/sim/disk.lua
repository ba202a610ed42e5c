--- `sys.fs` over files in memory: what modules that keep files need, with faults on demand.

local M = {}

local function parent(path) return path:match '^(.*)/[^/]*$' end

local function refuse(path) return nil, path .. ': No such file or directory', 'ENOENT' end

---@return table fs, table world `files` by path, `directories`, `full` (a message: writing fails), `locks`,
--- `locked` by path
function M.new()
  local world = {
    files = {}, directories = { [''] = true, ['/'] = true }, links = {}, locked = {}, readonly = {}, serial = 0,
  }
  local open = {}
  local fs = {}

  local function real(path)
    for from, to in pairs(world.links) do
      if path == from or path:sub(1, #from + 1) == from .. '/' then
        return parent(from) .. '/' .. to .. path:sub(#from + 1)
      end
    end
    return path
  end

  function fs.read(path)
    local bytes = world.files[real(path)]
    if not bytes then return refuse(path) end
    return bytes
  end

  function fs.read_at(path, offset, size)
    local bytes = world.files[real(path)]
    if not bytes then return refuse(path) end
    return bytes:sub(offset + 1, offset + size)
  end

  function fs.write(path, bytes, opts)
    if world.full then return nil, world.full, 'ENOSPC' end
    if world.readonly[parent(path)] then return nil, path .. ': Read-only file system', 'EROFS' end
    world.files[path] = opts and opts.append and (world.files[path] or '') .. bytes or bytes
    return true
  end

  function fs.stat(path)
    path = real(path)
    local bytes = world.files[path]
    if bytes then return { type = 'file', size = #bytes, mtime = #bytes, mode = 420, uid = 0 } end
    if world.directories[path] then return { type = 'directory', size = 0, mtime = 0, mode = 493, uid = 0 } end
    return refuse(path)
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

  function fs.list(path)
    path = real(path)
    if not world.directories[path] then return refuse(path) end
    local names, seen = {}, {}
    for _, set in ipairs { world.files, world.directories, world.links } do
      for name in pairs(set) do
        if parent(name) == (path == '/' and '' or path) then
          local last = name:match '[^/]*$'
          if last ~= '' and not seen[last] then
            seen[last] = true
            names[#names + 1] = last
          end
        end
      end
    end
    table.sort(names)
    return names
  end

  function fs.remove(path, opts)
    for _, set in ipairs { world.files, world.directories, world.links } do
      for name in pairs(set) do
        if name == path or opts and opts.tree and name:sub(1, #path + 1) == path .. '/' then set[name] = nil end
      end
    end
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

  function fs.can_write(path) return not world.readonly[path] end
  function fs.realpath(path) return path end
  function fs.cwd() return world.cwd or '/' end

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
    world.files[open[id]] = (world.files[open[id]] or '') .. bytes
    return true
  end

  function fs.close(id) open[id] = nil end

  return fs, world
end

return M
