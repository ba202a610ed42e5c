--- The table `sys` of stdlib/meta/sys.lua over a made-up world in virtual time. What it doesn't support raises.

local proc = require 'pact.sim.proc'
local signals = require 'pact.declare.signals'
local watches = require 'pact.sim.watch'
local webs = require 'pact.sim.web'
local worlds = require 'pact.sim.world'

local M = {}

-- A table whose missing fields are errors: nobody goes on by calling nothing.
local function closed(name, fields)
  return setmetatable(fields, {
    __index = function(_, key)
      if type(key) == 'string' then
        error(('simulated sys: sys.%s.%s is not supported'):format(name, key), 2)
      end
    end,
  })
end

local function time(world)
  local function fire(entry)
    world.operations[entry.id] = nil
    world:event(entry.id, 'timer')
  end
  return closed('time', {
    now = function() return world.now end,
    wall = function() return world.now + world.offset end,
    random = function() return world:random() end,
    after = function(ms)
      assert(math.type(ms) == 'integer' and ms >= 0, 'time.after: whole milliseconds')
      return world:operation(ms, fire)
    end,
    on_signal = function() end,
    off_signal = function() end,
  })
end

local function http_answer(world, opts)
  if world.http_of then return world.http_of(opts) end
  local fn = world.http[opts.url]
  if fn then return fn(opts, world.now) end
end

local function nobody(world, opts)
  if world.http_none then world.http_none(opts) end
  return nil, 'connection refused', 'refused'
end

-- A request to what a worker of this world serves.
local function asked_here(world, opts)
  local id, entry
  local served = webs.fetch(world.web, opts, function(answer)
    if entry.dead then return end
    world:cancel(id)
    world:at(0, function()
      world:event(id, 'http', { status = answer.status, headers = answer.headers, body = answer.body, ms = 0 })
    end)
  end)
  if not served then return nil end
  id = world:operation(opts.timeout, function()
    world.operations[id] = nil
    world:event(id, 'http', nil, 'no answer in time', 'timeout')
  end)
  entry = world.operations[id]
  return id
end

local function http(world)
  return closed('http', {
    request = function(opts)
      assert(opts.url and opts.timeout, 'http.request: url and timeout')
      local answer, message, code = http_answer(world, opts)
      if not answer and not message then
        local here = asked_here(world, opts)
        if here then return here end
        answer, message, code = nobody(world, opts)
      end
      local delay = answer and answer.delay or code == 'timeout' and opts.timeout or 1
      if delay >= opts.timeout then
        answer, message, code, delay = nil, 'no answer in time', 'timeout', opts.timeout
      end
      return world:operation(delay, function(entry)
        world.operations[entry.id] = nil
        if answer then answer.headers, answer.body = answer.headers or {}, answer.body or '' end
        world:event(entry.id, 'http', answer, message, code)
      end)
    end,
  })
end

local function open_port(world, opts)
  if world.tcp_of then
    local answer = world.tcp_of(opts)
    if answer ~= nil then return answer end
  end
  local fixed = world.tcp[opts.host .. ':' .. opts.port]
  if type(fixed) == 'function' then fixed = fixed(world.now) end
  return fixed or proc.listener(world, opts.port) ~= nil
end

local function net(world)
  local given = 40000
  local function holder(port)
    local found = proc.listener(world, port)
    if found then
      return { pid = found.pid, name = found.name, command = table.concat(found.spec.argv, ' '), uid = 0 }
    end
    return world.holders[port]
  end
  local function lingers(port) return (world.lingering[port] or 0) > world.now end
  return closed('net', {
    connect = function(opts)
      local answer = open_port(world, opts)
      return world:operation(answer == 'timeout' and opts.timeout or 1, function(entry)
        world.operations[entry.id] = nil
        if answer == 'timeout' then
          world:event(entry.id, 'connect', nil, 'no answer in time', 'timeout')
        elseif answer then
          world:event(entry.id, 'connect', true)
        else
          world:event(entry.id, 'connect', nil, 'connection refused', 'refused')
        end
      end)
    end,
    free_port = function()
      given = given + 1
      return given
    end,
    datagrams = function(path)
      world.datagrams[path] = world:id()
      local socket = { id = world:id() }
      world.operations[socket.id], world.datagrams[path] = socket, socket
      return socket.id
    end,
    listen = function(opts)
      local port = opts.port
      if port == 0 then
        given = given + 1
        port = given
      end
      local socket = { id = world:id(), place = opts.path or ('%s:%d'):format(opts.host, port) }
      for _, other in pairs(world.operations) do
        if other.place == socket.place then return nil, socket.place .. ': Address already in use', 'EADDRINUSE' end
      end
      if port and holder(port) then return nil, socket.place .. ': Address already in use', 'EADDRINUSE' end
      world.operations[socket.id] = socket
      return socket.id, port
    end,
    block = function(id) return world.operations[id] ~= nil end,
    port_free = function(port)
      if holder(port) or lingers(port) then return false, 'EADDRINUSE' end
      return true
    end,
    port_holder = holder,
    port_lingers = function(port) return not holder(port) and lingers(port) end,
  })
end

local function fs(world)
  local function refuse(path) return nil, path .. ': No such file or directory', 'ENOENT' end
  -- The names in a directory, and what is behind each in the paths of the files.
  local function below(path)
    local prefix, at = path == '/' and '/' or path .. '/', nil
    return function()
      repeat at = next(world.files, at) until not at or at:sub(1, #prefix) == prefix
      if at then return at:match('^([^/]*)(.*)$', #prefix + 1) end
    end
  end
  return closed('fs', {
    read = function(path)
      local text = world.files[path]
      if not text then return refuse(path) end
      return text
    end,
    stat = function(path)
      local text = world.files[path]
      if text then return { type = 'file', size = #text, mtime = 0, mode = 420, uid = 0 } end
      if below(path)() then return { type = 'directory', size = 0, mtime = 0, mode = 493, uid = 0 } end
      return refuse(path)
    end,
    mkdir = function() return true end, -- a directory is there with its first file
    list = function(path, opts)
      local names, seen = {}, {}
      for name, rest in below(path) do
        if not seen[name] and (rest ~= '' or not (opts and opts.directories)) then
          names[#names + 1], seen[name] = name, true
        end
      end
      if not names[1] and not below(path)() then return refuse(path) end
      table.sort(names)
      return names
    end,
  })
end

local function text(world)
  local function find(pattern, subject)
    local known = world.samples and world.samples[pattern]
    if known and known == subject then return true end
    if type(pattern) == 'string' then return subject:find(pattern, 1, true) ~= nil end
    if world.find then return world.find(pattern, subject) end
    error(("regular expressions, such as '%s', are pactlua's own: run this inside pactlua"):format(pattern.regex), 0)
  end
  world.matches = find
  return closed('text', {
    check = function() return true end,
    find = find,
    hash = function() return '0123456789abcdef' end,
    width = function(line) return utf8.len(line) or #line end,
  })
end

local KEPT_LINES = 1000

local function keep(lines, line)
  lines[#lines + 1] = line
  if #lines <= 2 * KEPT_LINES then return lines end
  return table.move(lines, #lines - KEPT_LINES + 1, #lines, 1, {})
end

local function say(world, id, line, stream)
  local entry = id and world.logs[id]
  if not entry then return end
  entry.lines = keep(entry.lines, {
    at = world.now + world.offset, stream = stream or 1, epoch = entry.epoch, text = line,
  })
  for _, watch in ipairs(table.move(entry.watches, 1, #entry.watches, 1, {})) do
    if not watch.dead and world.matches(watch.pattern, line) then
      world:event(watch.id, 'line', line, stream or 1, world.now + world.offset)
    end
  end
  for i = #entry.watches, 1, -1 do
    if entry.watches[i].dead then table.remove(entry.watches, i) end
  end
end

local function wanted(world, line, filter)
  return (not filter.epoch or line.epoch == filter.epoch) and (not filter.stream or line.stream == filter.stream)
    and (not filter.since or line.at >= filter.since) and (not filter.grep or world.matches(filter.grep, line.text))
end

local function log(world)
  function world.say(id, line, stream) say(world, id, line, stream) end
  return closed('log', {
    open = function(opts)
      local id = world:id()
      world.logs[id] = { name = opts.name, format = opts.format, lines = {}, watches = {}, epoch = 0 }
      return id
    end,
    epoch = function(id, epoch) world.logs[id].epoch = epoch end,
    news = function() return {} end,
    write = function(id, stream, bytes) say(world, id, (bytes:gsub('\n$', '')), stream) end,
    match = function(id, pattern)
      local watch = { id = world:id(), pattern = pattern }
      world.operations[watch.id] = watch
      table.insert(world.logs[id].watches, watch)
      return watch.id
    end,
    lines = function(id, filter)
      local found = {}
      for _, line in ipairs(world.logs[id].lines) do
        if wanted(world, line, filter) then found[#found + 1] = line end
      end
      return table.move(found, math.max(1, #found - (filter.count or 100) + 1), #found, 1, {})
    end,
    notify = function() end,
    flush = function() return true end,
    limit = function() end,
    close = function() end,
  })
end

local function os_table(world)
  return closed('os', {
    signals = signals.numbers,
    signal_name = signals.name,
    env = function() return world.env end,
    user = function(name) return world.users[name] end,
    limits = function() return world.limits or {} end,
    pid = function() return 1 end,
    ids = function() return 0, 0 end,
    isatty = function() return false end,
  })
end

local function resume(thread, _, ...) return coroutine.resume(thread, ...) end

local function join(a, b) return tostring(a) .. tostring(b) end

local function described(err)
  local message = type(err) == 'table' and err.message or tostring(err)
  return { message = message, traceback = debug.traceback(message, 2) }
end

local function try(fn, ...) return xpcall(fn, described, ...) end

---@param opts? { seed?: integer, now?: integer, wall?: integer, resume?: function, join?: function }
---@return sys sys, world world
function M.new(opts)
  opts = opts or {}
  local world = worlds.new(opts)
  local web
  web, world.web = webs.new(world)
  local sys = {
    role = 'solo', terminal = false, args = {}, version = '0.0.0', program = '/usr/bin/pactlua',
    web = closed('web', web), time = time(world),
    proc = closed('proc', proc.new(world)), http = http(world), net = net(world), fs = fs(world),
    log = log(world), os = os_table(world), text = text(world), try = try, resume = opts.resume or resume,
    join = opts.join or join,
  }
  sys.watch = watches.new(world, function(path) return sys.fs.stat(path) end)
  function sys.dispatch(fn) world.on_dispatch = fn end
  function sys.turn(fn) world.on_turn = fn end
  function sys.burst() end

  function sys.cancel(id) world:cancel(id) end
  function sys.stop(status) world.stopped = status end
  return setmetatable(sys, {
    __index = function(_, key) error(('simulated sys: sys.%s is not supported'):format(tostring(key)), 2) end,
  }), world
end

return M
