--- The table `sys` of stdlib/meta/sys.lua over a made-up world in virtual time. What it doesn't support raises.

local fake_proc = require 'fake_proc'
local fake_world = require 'fake_world'

local M = {}

-- A table whose missing fields are errors: a test never passes by calling nothing.
local function closed(name, fields)
  return setmetatable(fields, {
    __index = function(_, key)
      if type(key) == 'string' then
        error(('fake sys: sys.%s.%s is not supported'):format(name, key), 2)
      end
    end,
  })
end

local SIGNALS = {
  HUP = 1, INT = 2, QUIT = 3, KILL = 9, USR1 = 10, SEGV = 11, USR2 = 12, TERM = 15, CHLD = 17, CONT = 18,
  STOP = 19, TSTP = 20, WINCH = 28,
}

local function time(world)
  return closed('time', {
    now = function()
      return world.now
    end,
    wall = function()
      return world.now + world.offset
    end,
    random = function()
      return world:random()
    end,
    after = function(ms)
      assert(math.type(ms) == 'integer' and ms >= 0, 'time.after: whole milliseconds')
      local id = world:id()
      world.operations[id] = world:at(ms, function()
        world.operations[id] = nil
        world:event(id, 'timer')
      end)
      return id
    end,
  })
end

local function http(world)
  return closed('http', {
    request = function(opts)
      assert(opts.url and opts.timeout, 'http.request: url and timeout')
      local id = world:id()
      local fn = world.http[opts.url]
      local answer, message, code
      if fn then
        answer, message, code = fn(opts, world.now)
      else
        message, code = 'connection refused', 'refused'
      end
      local delay = answer and answer.delay or code == 'timeout' and opts.timeout or 1
      if delay >= opts.timeout then
        answer, message, code, delay = nil, 'no answer in time', 'timeout', opts.timeout
      end
      world.operations[id] = world:at(delay, function()
        world.operations[id] = nil
        if answer then
          answer.headers, answer.body = answer.headers or {}, answer.body or ''
        end
        world:event(id, 'http', answer, message, code)
      end)
      return id
    end,
  })
end

local function open_port(world, host, port)
  local fixed = world.tcp[host .. ':' .. port]
  if type(fixed) == 'function' then
    fixed = fixed(world.now)
  end
  return fixed or fake_proc.listener(world, port) ~= nil
end

local function net(world)
  local function holder(port)
    local proc = fake_proc.listener(world, port)
    if proc then
      return { pid = proc.pid, name = proc.name, command = table.concat(proc.spec.argv, ' '), uid = 0 }
    end
    return world.holders[port]
  end
  local function lingers(port)
    return (world.lingering[port] or 0) > world.now
  end
  return closed('net', {
    connect = function(opts)
      local id = world:id()
      world.operations[id] = world:at(1, function()
        world.operations[id] = nil
        if open_port(world, opts.host, opts.port) then
          world:event(id, 'connect', true)
        else
          world:event(id, 'connect', nil, 'connection refused', 'refused')
        end
      end)
      return id
    end,
    port_free = function(port)
      if holder(port) or lingers(port) then
        return false, 'EADDRINUSE'
      end
      return true
    end,
    port_holder = holder,
    port_lingers = function(port)
      return not holder(port) and lingers(port)
    end,
  })
end

local function fs(world)
  return closed('fs', {
    read = function(path)
      local text = world.files[path]
      if not text then
        return nil, path .. ': No such file or directory', 'ENOENT'
      end
      return text
    end,
    stat = function(path)
      local text = world.files[path]
      if not text then
        return nil, path .. ': No such file or directory', 'ENOENT'
      end
      return { type = 'file', size = #text, mtime = 0, mode = 420, uid = 0 }
    end,
  })
end

local function find(pattern, text)
  if type(pattern) == 'table' then
    error 'fake sys: regular expressions are not supported'
  end
  return text:find(pattern, 1, true) ~= nil
end

local function text()
  return closed('text', {
    check = function()
      return true
    end,
    find = find,
  })
end

local function log(world)
  function world.say(id, line, stream)
    local entry = id and world.logs[id]
    if not entry then
      return
    end
    entry.lines[#entry.lines + 1] =
      { at = world.now + world.offset, stream = stream, epoch = entry.epoch, text = line }
    for _, watch in ipairs(entry.watches) do
      if not world.cancelled[watch.id] and find(watch.pattern, line) then
        world:event(watch.id, 'line', line, stream, world.now + world.offset)
      end
    end
  end
  return closed('log', {
    open = function(opts)
      local id = world:id()
      world.logs[id] = { name = opts.name, lines = {}, watches = {}, epoch = 0 }
      return id
    end,
    epoch = function(id, epoch)
      world.logs[id].epoch = epoch
    end,
    write = function(id, stream, bytes)
      world.say(id, (bytes:gsub('\n$', '')), stream)
    end,
    match = function(id, pattern)
      local watch = { id = world:id(), pattern = pattern }
      table.insert(world.logs[id].watches, watch)
      return watch.id
    end,
    lines = function(id, filter)
      local lines = world.logs[id].lines
      local count = filter.count or 100
      return table.move(lines, math.max(1, #lines - count + 1), #lines, 1, {})
    end,
    close = function() end,
  })
end

local function os_table(world)
  local names = {}
  for name, number in pairs(SIGNALS) do
    names[number] = name
  end
  return closed('os', {
    signals = SIGNALS,
    signal_name = function(number)
      return names[number] or tostring(number)
    end,
    env = function()
      return world.env
    end,
    user = function(name)
      return world.users[name]
    end,
    pid = function()
      return 1
    end,
  })
end

---@param opts? { seed?: integer }
---@return sys sys, fake_world world
function M.new(opts)
  local world = fake_world.new(opts)
  world.operations = {}
  local sys = {
    role = 'solo',
    terminal = false,
    args = {},
    version = '0.0.0',
    program = '/usr/bin/pactlua',
    time = time(world),
    proc = closed('proc', fake_proc.new(world)),
    http = http(world),
    net = net(world),
    fs = fs(world),
    log = log(world),
    os = os_table(world),
    text = text(),
  }
  function sys.dispatch(fn)
    world.on_dispatch = fn
  end
  function sys.turn(fn)
    world.on_turn = fn
  end
  function sys.cancel(id)
    world.cancelled[id] = true
    local entry = world.operations[id]
    if entry then
      entry.dead = true
      world.operations[id] = nil
    end
  end
  function sys.try(fn, ...)
    return xpcall(fn, function(err)
      local message = type(err) == 'table' and err.message or tostring(err)
      return { message = message, traceback = debug.traceback(message, 2) }
    end, ...)
  end
  function sys.resume(thread, _, ...)
    return coroutine.resume(thread, ...)
  end
  function sys.stop(status)
    world.stopped = status
  end
  return setmetatable(sys, {
    __index = function(_, key)
      error(('fake sys: sys.%s is not supported'):format(tostring(key)), 2)
    end,
  }),
    world
end

return M
