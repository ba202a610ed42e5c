--- The log for people who look for a fault: entries with level, category and data, in a file that
-- rotates, on the console where asked. `pact.log` is one of these.

local inspect = require 'pact.observe.inspect'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local logfile = require 'pact.observe.logfile'
local text = require 'pact.base.text'

local M = {}

M.levels = { trace = 1, debug = 2, info = 3, warn = 4, error = 5 }
M.level_names = { 'trace', 'debug', 'info', 'warn', 'error' }

local COLOURS = { trace = 35, debug = 36, info = 32, warn = 33, error = 31 }
local MIB = 1 << 20

---@class debuglog_options
---@field path? string of the file; entries are kept until it is known
---@field max_size? integer bytes, default 10 MiB
---@field max_files? integer default 5
---@field file? boolean default true
---@field console? boolean default false
---@field categories? string[] default { '*' }
---@field min_level? string default 'debug'
---@field format? 'text'|'json'

---@class debuglog
local Log = {}
Log.__index = Log

---@param context { fs: sys.fs, time: sys.time, console: (fun(text: string, level: string)), traceback?: fun(): string }
---@param opts debuglog_options
---@return debuglog
function M.new(context, opts)
  return setmetatable({
    context = context,
    console = opts.console or false,
    file = opts.file ~= false,
    format = opts.format or 'text',
    min_level = opts.min_level or 'debug',
    enabled = list.set(opts.categories or { '*' }),
    disabled = {},
    counts = { trace = 0, debug = 0, info = 0, warn = 0, error = 0 },
    written = 0,
    sink = logfile.new(context.fs, {
      path = opts.path,
      max_size = opts.max_size or 10 * MIB,
      max_files = opts.max_files or 5,
      on_fault = function(message)
        context.console(('pactlua.log: %s\n'):format(message), 'warn')
      end,
    }),
  }, Log)
end

---The longest name in `set` that is the category or one above it; '*' is above all.
local function closest(set, category)
  local name = category
  while name do
    if set[name] then return #name end
    name = name:match '^(.*):[^:]*$'
  end
  return set['*'] and 0 or nil
end

---Whether an entry would be kept: the nearer of enabling and disabling decides, disabling when both are as near.
---@return boolean
function Log:takes(level, category)
  if (M.levels[level] or 0) < M.levels[self.min_level] then return false end
  local on, off = closest(self.enabled, category), closest(self.disabled, category)
  return on ~= nil and (off == nil or on > off)
end

local function iso(wall)
  return ('%s.%03dZ'):format(os.date('!%Y-%m-%dT%H:%M:%S', wall // 1000), wall % 1000)
end
M.iso = iso

local function ids(entry)
  local parts = {}
  if entry.process_id then parts[#parts + 1] = 'Process ID: ' .. entry.process_id end
  if entry.container_id then parts[#parts + 1] = 'Container ID: ' .. entry.container_id end
  if entry.network_id then parts[#parts + 1] = 'Network ID: ' .. entry.network_id end
  return parts
end

local function indented(title, body)
  return ('  %s: %s\n'):format(title, (body:gsub('\n', '\n  ')))
end

local function as_text(entry)
  local out = { ('%s [%-5s] [%-20s] %s\n'):format(iso(entry.at), entry.level:upper(), entry.category, entry.message) }
  if entry.data ~= nil then out[#out + 1] = indented('Data', inspect.text(entry.data)) end
  for _, id in ipairs(ids(entry)) do out[#out + 1] = '  ' .. id .. '\n' end
  if entry.stack then out[#out + 1] = indented('Stack', entry.stack) end
  return table.concat(out)
end

local function as_json(entry)
  return json.encode({
    at = iso(entry.at),
    level = entry.level,
    category = entry.category,
    message = entry.message,
    data = entry.data,
    process_id = entry.process_id,
    container_id = entry.container_id,
    network_id = entry.network_id,
    stack = entry.stack,
  }, { lenient = true }) .. '\n'
end

local function on_console(entry)
  local clock = os.date('%H:%M:%S', entry.at // 1000)
  local out = { ('%s [%s] [%s] %s\n'):format(clock, entry.level:upper(), entry.category, entry.message) }
  if entry.data ~= nil then out[#out + 1] = indented('Data', inspect.text(entry.data, 2)) end
  return table.concat(out)
end

local function write(self, entry)
  local is_json, shown = self.format == 'json', self.context.shown
  local words = is_json and as_json(entry) or as_text(entry)
  self.sink:write(shown and shown(words, is_json) or words)
end

---@class debuglog_entry
---@field level string
---@field category string
---@field message any
---@field data? any
---@field process_id? string
---@field container_id? string
---@field network_id? string
---@field stack? string|boolean true: where we are now; false: none; default for error and trace: where we are now

---@param entry debuglog_entry
function Log:log(entry)
  local level, category = entry.level, tostring(entry.category)
  if not M.levels[level] then
    error(("pact.log: no level %s%s"):format(text.show(level), text.suggest(level, M.level_names)), 3)
  end
  if not self:takes(level, category) then return end
  local stack = entry.stack
  if (stack == nil or stack == true) and (level == 'error' or level == 'trace') and self.context.traceback then
    stack = self.context.traceback()
  end
  local full = {
    at = self.context.time.wall(),
    level = level,
    category = category,
    message = inspect.text(entry.message),
    data = entry.data,
    process_id = entry.process_id,
    container_id = entry.container_id,
    network_id = entry.network_id,
    stack = stack or nil,
  }
  self.counts[level] = self.counts[level] + 1
  if self.file then
    write(self, full)
  end
  if self.console then self.context.console(on_console(full), level) end
end

---An entry for the file that no filter keeps away.
---@param category string
---@param message string
function Log:note(category, message)
  local entry = { at = self.context.time.wall(), level = 'info', category = category, message = message }
  if self.file then write(self, entry) end
end

for _, level in ipairs(M.level_names) do
  ---One argument is the message, of category 'recipe'.
  Log[level] = function(self, category, ...)
    if select('#', ...) == 0 then
      return self:log { level = level, category = 'recipe', message = category }
    end
    local message, data = ...
    self:log { level = level, category = category, message = message, data = data }
  end
end

---@param colour boolean
---@return string the line's own colour around it, for a terminal
function M.coloured(line, level, colour)
  if not colour then return line end
  local head, rest = line:match '^(%S+ )(%[.*)$'
  if not head then return line end
  local tag, tail = rest:match '^(%[.-%] %[.-%])(.*)$'
  return ('%s\27[%dm%s\27[0m%s\n'):format(head, COLOURS[level] or 0, tag, (tail:gsub('\n$', '')))
end

for _, category in ipairs { 'process', 'container', 'network' } do
  Log[category] = function(self, id, level, message, data)
    self:log {
      level = level, category = category, message = message, data = data, [category .. '_id'] = tostring(id),
      stack = level == 'error',
    }
  end
end

function Log:performance(category, operation, ms, data)
  self:log {
    level = 'info',
    category = 'perf:' .. category,
    message = ('%s completed in %sms'):format(operation, inspect.text(ms)),
    data = data,
  }
end

function Log:resource_usage(category, usage)
  self:log { level = 'debug', category = 'resource:' .. category, message = 'Resource usage snapshot', data = usage }
end

function Log:http_activity(method, url, status, ms, data)
  self:log {
    level = status >= 400 and 'warn' or 'debug',
    category = 'http',
    message = ('%s %s %s %sms'):format(method, url, inspect.text(status), inspect.text(ms)),
    data = data,
  }
end

function Log:enable_category(category)
  self.enabled[category], self.disabled[category] = true, nil
end

function Log:disable_category(category)
  self.enabled[category], self.disabled[category] = nil, true
end

function Log:set_min_level(level)
  if not M.levels[level] then
    error(("pact.log: no level %s%s"):format(text.show(level), text.suggest(level, M.level_names)), 2)
  end
  self.min_level = level
end

---@return string?
function Log:file_path()
  return self.file and self.sink.path or nil
end

---@class debuglog_stats
---@field file_size integer
---@field entries integer
---@field by_level table<string, integer>
---@field categories string[]
---@field disabled string[]
---@field min_level string
---@field lost integer since the file can't be written

---@return debuglog_stats
function Log:stats()
  local entries = 0
  for _, count in pairs(self.counts) do entries = entries + count end
  return {
    file_size = self.sink.size,
    entries = entries,
    by_level = list.copy(self.counts),
    categories = list.keys(self.enabled),
    disabled = list.keys(self.disabled),
    min_level = self.min_level,
    lost = self.sink.lost,
  }
end

function Log:close()
  self.sink:close()
end

return M
