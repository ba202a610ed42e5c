--- `sys.watch` over a made-up world: what changes is what somebody says has changed.

local list = require 'pact.base.list'

local M = {}

local function parent(path)
  local up, name = path:match '^(.*)/([^/]*)$'
  return up ~= '' and up or '/', name
end

-- How a test or a script says what has changed.
local function speak(world, keys)
  ---Tells those who watch a path's directory.
  ---@param path string
  ---@param what? 'written'|'created'|'removed' default 'written'
  ---@param directory? boolean
  function world.changed(path, what, directory)
    local up, name = parent(path)
    local key = keys[up]
    for id, set in list.sorted(world.watches) do
      if set.keys[key] and not set.dead then
        world:event(id, 'change', key, name, what or 'written', directory or false)
      end
    end
  end

  ---A directory is no more, or events were lost (without a path).
  function world.lost(path)
    for id, set in list.sorted(world.watches) do
      local key = path and keys[path] or 0
      if not path or set.keys[key] then
        set.keys[key] = nil
        world:event(id, 'change', key, '', path and 'gone' or 'overflow', true)
      end
    end
  end
end

---@param world world
---@param stat fun(path: string): table?, string?, string?
---@return table sys.watch
function M.new(world, stat)
  local keys, count = {}, 0 -- the same key for the same path, always
  world.watches = {}

  speak(world, keys)
  local watch = {}

  function watch.open()
    local set = { keys = {} }
    local id = world:id()
    world.watches[id], world.operations[id] = set, set
    return id
  end

  function watch.add(id, path)
    local set = world.watches[id]
    local found, message, code = stat(path)
    if not set or set.dead then return nil, 'no such set', 'ENOENT' end
    if not found then return nil, message, code end
    if found.type ~= 'directory' then return nil, path .. ': Not a directory', 'ENOTDIR' end
    if world.watch_limit and count >= world.watch_limit and not keys[path] then
      return nil, path .. ': No space left on device', 'ENOSPC'
    end
    if not keys[path] then
      count = count + 1
      keys[path] = count
    end
    set.keys[keys[path]] = true
    return keys[path]
  end

  function watch.remove(id, key)
    if world.watches[id] then world.watches[id].keys[key] = nil end
  end

  return watch
end

return M
