--- Drives the real binary. Each test gets a directory of its own and an object `t`; when its body has
--- run, what is still up is ended, and an audit fails the test if anything is left behind.
local cjson = require 'cjson'
local lfs = require 'lfs'
local system = require 'system'
local procfs = require 'procfs'

local M = { procfs = procfs, sleep = system.sleep, now = system.monotime }

M.bin = os.getenv 'PACTLUA_BIN' or 'build/release/pactlua'
if M.bin:sub(1, 1) ~= '/' then M.bin = lfs.currentdir() .. '/' .. M.bin end
M.fixtures = M.bin:gsub('[^/]*$', '') .. 'fixtures/'
M.root = lfs.currentdir()

-- Deadlines are for a loaded machine; a slower build (sanitizers) stretches them.
---Why a test that measures memory, or kills by a signal that sanitizers catch, is skipped in their builds; else nil.
M.sanitized = os.getenv 'ASAN_OPTIONS' and 'a sanitizer keeps memory and catches signals' or nil

local patience = tonumber(os.getenv 'PACTLUA_PATIENCE' or '1')
local self_pid = (procfs.read '/proc/self/stat'):match '^%d+'

-- Variables that would change what the binary does, and would come from whoever runs the tests.
local FOREIGN = {
  'DEBUG', 'DEBUG_LEVEL', 'DEBUG_CATEGORIES', 'DEBUG_CONSOLE', 'NO_COLOR', 'FORCE_COLOR', 'CI',
  'PROCESS_SHUTDOWN_TIMEOUT', 'PROCESS_RESTART_DELAY', 'PROCESS_MAX_RETRIES', 'TUI_REFRESH_RATE',
  'TUI_MAX_LOGS', 'TUI_ENABLE_DEBUG', 'HEALTH_CHECK_INTERVAL', 'HEALTH_CHECK_TIMEOUT',
  'HEALTH_CHECK_RETRIES', 'PACTLUA_DEBUG', 'PACTLUA_PROJECT', 'PACTLUA_RUN', 'PACTLUA_SOCKET',
  'PACTLUA_SERVICE', 'LUA_PATH', 'LUA_CPATH', 'LUA_INIT', 'PORT',
}

function M.quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

local function quoted(words)
  local out = {}
  for i, word in ipairs(words) do out[i] = M.quote(word) end
  return table.concat(out, ' ')
end

local function exists(path) return lfs.symlinkattributes(path) ~= nil end

---Waits until `fn` gives something true, and returns that. Fails the test at the deadline.
---@param what string|fun(): string
---@param fn fun(): any
---@param seconds? number default 60: only a failure waits so long, and a slow machine needs it
function M.wait(what, fn, seconds)
  local deadline = system.monotime() + (seconds or 60) * patience
  local pause = 0.002
  while true do
    local value = fn()
    if value then return value end
    if system.monotime() > deadline then
      error('waited in vain for ' .. (type(what) == 'function' and what() or what), 0)
    end
    system.sleep(pause)
    pause = math.min(pause * 1.5, 0.03)
  end
end

function M.signal(pid, name) os.execute(('kill -%s %d 2>/dev/null'):format(name, pid)) end

---Kills several in one moment: none can act between the signals.
---@param pids integer[]
function M.kill(pids)
  local all = table.concat(pids, ' ')
  os.execute(('kill -STOP %s; kill -KILL %s'):format(all, all))
end

---------------------------------------------------------------------------------------------------
---One start of the binary.
---@class started
---@field pid integer
---@field keeper integer
local Started = {}
Started.__index = Started

local function result_of(self)
  local status = procfs.read(self.dir .. '/status')
  if not status then return nil end
  local kind, number, left, maxrss, cpu = status:match '^(%a+) (%d+) (%d+) (%d+) (%d+)'
  return {
    code = kind == 'exit' and tonumber(number) or nil,
    signal = kind == 'signal' and tonumber(number) or nil,
    left = tonumber(left), maxrss_kb = tonumber(maxrss), cpu_ms = tonumber(cpu),
    out = self:out(), err = self:err(), ms = math.floor((system.monotime() - self.at) * 1000),
  }
end

function Started:out() return procfs.read(self.dir .. '/out') or '' end
function Started:err() return procfs.read(self.dir .. '/err') or '' end
function Started:ended() return exists(self.dir .. '/status') end
function Started:clean() return exists(self.dir .. '/clean') end
function Started:signal(name, pid) M.signal(pid or self.pid, name) end

---Its terminal is gone, as when a window is closed; needs `tty = true` at the start.
function Started:hang_up() M.signal(self.keeper, 'USR1') end

---Waits for the program's end.
function Started:wait(seconds)
  return M.wait(function() return ('the end of `%s`\n%s%s'):format(self.name, self:out(), self:err()) end,
    function() return result_of(self) end, seconds)
end

---Ends it as somebody does who has pressed Ctrl-C once and doesn't want to wait: presses again until it ends. A second
---one counts 400 ms after the first, by the clock of who hears them.
function Started:insist()
  M.wait('the end by a second Ctrl-C', function()
    M.sleep(0.6)
    if not self:ended() then self:signal 'INT' end
    return self:ended()
  end)
  return self:wait()
end

---Waits until the output (both streams) holds `text`.
function Started:expect(text, seconds, plain)
  return M.wait(function()
    return ('%q in the output of `%s`:\n%s%s'):format(text, self.name, self:out(), self:err())
  end, function()
    local all = self:out() .. self:err()
    return all:find(text, 1, plain ~= false) and all
  end, seconds)
end

---Writes to its input; needs `input = true` or `tty = true` at the start.
function Started:type(text)
  local fifo = assert(io.open(self.dir .. '/in', 'w'))
  fifo:write(text)
  fifo:close()
end

---Live processes below it, engine and guard among them, but not itself.
function Started:processes()
  local found = {}
  for _, process in ipairs(procfs.below(self.keeper)) do
    if process.pid ~= self.pid then found[#found + 1] = process end
  end
  return found
end

---The guard and the engine of a network that this front has started.
---@return { guard: integer, engine: integer }
function Started:roles()
  return M.wait('guard and engine', function()
    local ours = {}
    for _, process in ipairs(procfs.below(self.keeper)) do
      local exe = lfs.symlinkattributes(('/proc/%d/exe'):format(process.pid), 'target')
      if exe == M.bin then ours[process.pid] = process end
    end
    for _, process in pairs(ours) do -- a child that the engine has just forked has its name, too
      local parent = ours[process.ppid]
      if parent and parent.name == 'pactlua-guard' then return { guard = parent.pid, engine = process.pid } end
    end
  end)
end

---------------------------------------------------------------------------------------------------
---@class test
---@field dir string
local Test = {}
Test.__index = Test

function Test:path(name) return self.dir .. '/' .. name end
function Test:exists(name) return exists(self:path(name)) end
function Test:read(name) return procfs.read(self:path(name)) end

---@return string[] lines of a file in the test's directory; none when it isn't there
function Test:lines(name)
  local found = {}
  for line in (self:read(name) or ''):gmatch '([^\n]*)\n' do found[#found + 1] = line end
  return found
end

function Test:file(name, text, executable)
  local path = self:path(name)
  local parent = path:match '^(.*)/'
  if not exists(parent) then os.execute('mkdir -p ' .. M.quote(parent)) end
  local file = assert(io.open(path, 'wb'))
  file:write(text)
  file:close()
  if executable then os.execute('chmod +x ' .. M.quote(path)) end
  return path
end

---Writes a recipe; `pact` is required already.
function Test:recipe(text, name)
  return self:file(name or 'net.lua', "local pact = require 'pact' " .. text)
end

---Starts the binary and returns at once.
---@param args string[]
---@param opts? { env?: table<string,string|false>, pipe?: boolean, tty?: boolean, input?: boolean,
--- cwd?: string, program?: string } env: false removes; pipe, tty: what its output goes to;
--- input: it reads what `type` writes
---@return started
function Test:start(args, opts)
  opts = opts or {}
  self.count = self.count + 1
  local dir = ('%s/.run/%d'):format(self.dir, self.count)
  os.execute('mkdir -p ' .. M.quote(dir))
  if opts.tty or opts.input then os.execute('mkfifo ' .. M.quote(dir .. '/in')) end
  local words = { M.fixtures .. 'launch', '-w', self_pid, '-C', opts.cwd or self.dir }
  if opts.tty then words[#words + 1] = '-t' end
  if opts.pipe then words[#words + 1] = '-p' end
  words[#words + 1] = dir
  words[#words + 1] = 'env'
  for _, name in ipairs(FOREIGN) do words[#words + 1] = '--unset=' .. name end
  for name, value in pairs(opts.env or {}) do
    if not value then words[#words + 1] = '--unset=' .. name end
  end
  words[#words + 1] = 'XDG_STATE_HOME=' .. self.dir .. '/.state'
  words[#words + 1] = 'FUNCTIONAL_TEST=' .. self.dir
  for name, value in pairs(opts.env or {}) do
    if value then words[#words + 1] = name .. '=' .. value end
  end
  words[#words + 1] = opts.program or M.bin
  table.move(args, 1, #args, #words + 1, words)
  local pipe = assert(io.popen(quoted(words), 'r'))
  local answer = pipe:read 'a'
  pipe:close()
  local keeper, pid = answer:match '^(%d+) (%d+)'
  assert(keeper, 'launch failed')
  local started = setmetatable({
    dir = dir, keeper = tonumber(keeper), pid = tonumber(pid), at = system.monotime(),
    name = table.concat(args, ' '),
  }, Started)
  self.started[#self.started + 1] = started
  return started
end

---Runs the binary to its end: `code signal left out err ms maxrss_kb cpu_ms`.
function Test:run(args, opts)
  return self:start(args, opts):wait(opts and opts.seconds)
end

---Writes the recipe and brings it up.
function Test:up(text, opts, ...)
  self:recipe(text)
  return self:start({ 'net.lua', ... }, opts)
end

---What `ps --json` says, by id; nil while there is no network.
function Test:ps()
  local result = self:run { 'ps', '--json' }
  if result.code ~= 0 then return nil end
  local all = cjson.decode(result.out)
  local by_id = {}
  for _, service in ipairs(all.services or all) do by_id[service.id] = service end
  return by_id
end

---Waits until a service's snapshot has these fields.
function Test:wait_service(id, fields, seconds)
  local last
  return M.wait(function()
    return ('%s to be %s; it is %s'):format(id, cjson.encode(fields), cjson.encode(last or 'unknown'))
  end, function()
    last = (self:ps() or {})[id]
    for key, value in pairs(fields) do
      if not last or last[key] ~= value then return nil end
    end
    return last
  end, seconds)
end

---Waits until a file of the test's directory has at least `count` lines.
function Test:wait_lines(name, count, seconds)
  return M.wait(function() return ('%d lines in %s'):format(count, name) end, function()
    local lines = self:lines(name)
    return #lines >= count and lines
  end, seconds)
end

---Waits for a pid that a service has written into a file.
function Test:wait_pid(name, seconds)
  return M.wait('a pid in ' .. name, function()
    return tonumber((self:read(name) or ''):match '^(%d+)\n')
  end, seconds)
end

---Files of the state directory of the network, by the pattern of their path below .pactlua.
function Test:state(pattern)
  local found = {}
  local pipe = io.popen(('cd %s && find .pactlua .state -mindepth 1 2>/dev/null | sort')
    :format(M.quote(self.dir)))
  for line in pipe:lines() do
    if line:find(pattern) then found[#found + 1] = line end
  end
  pipe:close()
  return found
end

---Events of a name in the journals of the network's runs.
function Test:events(name)
  local found = {}
  for _, path in ipairs(self:state '/events%.jsonl$') do
    for _, line in ipairs(self:lines(path)) do
      local event = cjson.decode(line)
      if event.name == name then found[#found + 1] = event end
    end
  end
  return found
end

---Waits until of each network that was started nothing is left: in its first milliseconds a front dies of a signal,
---and engine and guard then end by themselves.
function Test:wait_clean(seconds)
  M.wait('the end of all', function()
    for _, network in ipairs(self.started) do
      if not network:clean() then return false end
    end
    return true
  end, seconds)
end

---------------------------------------------------------------------------------------------------
local function describe(processes)
  local out = {}
  for _, p in ipairs(processes) do
    out[#out + 1] = ('%d (parent %d, session %d, %s) %s'):format(p.pid, p.ppid, p.sid, p.state,
      p.command ~= '' and p.command or p.name)
  end
  return table.concat(out, '\n  ')
end

-- Ends what the test has left running, the way a user would.
local function end_all(test)
  for _, started in ipairs(test.started) do
    if not started:ended() then
      started:signal 'TERM'
      pcall(started.wait, started, 45)
    end
  end
end

local function audit(test, complain)
  for _, started in ipairs(test.started) do
    if not started:ended() then complain(('`%s` did not end after SIGTERM'):format(started.name)) end
    local ok = pcall(M.wait, 'the last process', function() return started:clean() end, 30)
    if not ok then
      local left = procfs.below(started.keeper)
      complain(('`%s` left processes:\n  %s'):format(started.name, describe(left)))
      for _, process in ipairs(left) do M.signal(process.pid, 'KILL') end
    end
  end
  local tagged = procfs.with_environment('FUNCTIONAL_TEST=' .. test.dir .. '\0')
  if #tagged > 0 then complain('processes with the environment of the test:\n  ' .. describe(tagged)) end
  for _, path in ipairs(test:state 'control%.sock$') do complain('a socket is left: ' .. path) end
  for _, path in ipairs(test:state '/lock$') do
    if not os.execute(('flock -n %s true'):format(M.quote(test.dir .. '/' .. path))) then
      complain('the lock is still held: ' .. path)
    end
  end
end

local function output_of(test)
  local out = {}
  for i, started in ipairs(test.started) do
    if i <= 3 or i > #test.started - 4 then -- networks come first; what went wrong is among the last
      local text = started:out() .. started:err()
      if #text > 3000 then text = text:sub(1, 1000) .. '\n…\n' .. text:sub(-2000) end
      out[#out + 1] = ('--- %s\n%s'):format(started.name, text)
    end
  end
  return table.concat(out, '\n')
end

local serial = 0

---Declares a test: its body gets `t`. With a reason to skip it (something isn't to be had here) it
---is only counted and named.
---@param name string
---@param body fun(t: test)
---@param skip? string|false
function M.case(name, body, skip)
  if skip then return require('busted').pending(('%s (%s)'):format(name, skip)) end
  require('busted').it(name, function()
    serial = serial + 1
    local dir = ('/tmp/pactlua-test-%s-%d'):format(self_pid, serial)
    os.execute('rm -rf ' .. dir .. ' && mkdir ' .. dir)
    local test = setmetatable({ dir = dir, started = {}, count = 0 }, Test)
    local ok, message = xpcall(body, function(e)
      if type(e) == 'table' then return e end
      return tostring(e) .. '\n' .. debug.traceback('', 2):match '^(.-)%[C%]: in function .xpcall' or ''
    end, test)
    end_all(test)
    local complaints = {}
    audit(test, function(text) complaints[#complaints + 1] = text end)
    local output = (not ok or #complaints > 0) and output_of(test)
    for _, started in ipairs(test.started) do
      if procfs.alive(started.keeper) then M.signal(started.keeper, 'KILL') end
    end
    if not os.getenv 'PACTLUA_KEEP' then os.execute('rm -rf ' .. dir) end
    if not ok then
      if type(message) ~= 'table' then error(message .. '\n' .. output, 0) end
      message.message = tostring(message.message) .. '\n' .. output
      error(message, 0)
    end
    if #complaints > 0 then error(table.concat(complaints, '\n') .. '\n' .. output, 0) end
  end)
end

return M
