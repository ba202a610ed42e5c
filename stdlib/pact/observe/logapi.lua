--- `pact.log`: one debug log as functions, under the names of today and the document's, called with
-- a dot or a colon; and our own events as entries of it where DEBUG asks for them.

local debuglog = require 'pact.observe.debuglog'
local describe = require 'pact.observe.describe'
local list = require 'pact.base.list'

local M = {}

local ALIASES = {
  log_process = 'process', log_container = 'container', log_network = 'network',
  log_performance = 'performance', log_resource_usage = 'resource_usage', log_http_activity = 'http_activity',
  get_log_file_path = 'file_path', get_stats = 'stats',
  logProcess = 'process', logContainer = 'container', logNetwork = 'network',
  logPerformance = 'performance', logResourceUsage = 'resource_usage', logHTTPActivity = 'http_activity',
  resourceUsage = 'resource_usage', httpActivity = 'http_activity',
  enableCategory = 'enable_category', disableCategory = 'disable_category', setMinLevel = 'set_min_level',
  getLogFilePath = 'file_path', filePath = 'file_path', getStats = 'stats',
}

local NAMES = {
  'log', 'trace', 'debug', 'info', 'warn', 'error', 'process', 'container', 'network', 'performance',
  'resource_usage', 'http_activity', 'enable_category', 'disable_category', 'set_min_level', 'file_path', 'stats',
}

---@param log debuglog
---@return table
function M.api(log)
  local api = {}
  for _, name in ipairs(NAMES) do
    api[name] = function(first, ...)
      if first == api then return log[name](log, ...) end
      return log[name](log, first, ...)
    end
  end
  for alias, name in pairs(ALIASES) do api[alias] = api[name] end
  return api
end

-- Our own categories, and which events belong to them; all others are of 'process'.
local CATEGORY = {
  probe = 'health', healthy = 'health', unhealthy = 'health', health_check_failed = 'health',
  hook_failed = 'hook', all_ready = 'network', shutdown = 'network', metrics = 'metrics',
}
local OURS = list.set { 'process', 'health', 'hook', 'network', 'metrics', 'pactlua' }

---@class network_log
---@field log debuglog
local NetworkLog = {}
NetworkLog.__index = NetworkLog

---@param context { fs: sys.fs, time: sys.time, console: fun(text: string, level: string), traceback?: fun(): string }
---@param settings table `debug` of the variables
---@return network_log
function M.new(context, settings)
  local ours = {}
  for _, word in ipairs(settings.words or {}) do ours[word] = OURS[word] end
  return setmetatable({
    all = settings.all,
    ours = ours,
    log = debuglog.new(context, {
      console = settings.console,
      min_level = settings.level,
      categories = settings.categories,
    }),
  }, NetworkLog)
end

---@param path string
function NetworkLog:open(path)
  self.log.sink:open(path)
end

---An event of ours as an entry, where DEBUG asks for its category.
---@param event event
function NetworkLog:event(event)
  local category = CATEGORY[event.name] or 'process'
  if not (self.all or self.ours[category]) then return end
  local words = describe.event(event) or event.name .. (event.reason and ': ' .. event.reason or '')
  local level = event.name == 'probe' and 'trace' or 'debug'
  self.log:log {
    level = level, category = category, message = event.service and event.service .. ' ' .. words or words,
    data = event, process_id = event.service, stack = false,
  }
end

---Calls `fn(path)` now and for each file that follows it when the log is rotated.
---@param fn fun(path: string)
function NetworkLog:each_file(fn)
  self.log.sink.on_open = fn
  fn(self.log.sink.path)
end

---Words of ours that nobody sees now, whatever level and categories are asked for.
---@param words string
function NetworkLog:note(words)
  self.log:note('pactlua', (words:gsub('\n$', '')))
end

function NetworkLog:close()
  self.log:close()
end

return M
