--- Variables of the environment that give defaults: PROCESS_*, HEALTH_CHECK_*, TUI_*, DEBUG*.
local duration = require 'pact.base.duration'
local text = require 'pact.base.text'

local M = {}

local function milliseconds(least)
  return function(value)
    local ms, message = duration.parse(value)
    if not ms then return nil, message end
    if ms < least then return nil, ("must be %dms or more, got '%s'"):format(least, value) end
    return ms
  end
end

local function whole(least)
  return function(value)
    local n = value:find '^%s*%d+%s*$' and math.tointeger(tonumber(value))
    if n and n >= least then return n end
    return nil, ("must be a whole number of %d or more, got '%s'"):format(least, value)
  end
end

local truth = {
  ['true'] = true, ['1'] = true, yes = true, on = true,
  ['false'] = false, ['0'] = false, no = false, off = false,
}

local function boolean(value)
  local found = truth[value:lower()]
  if found == nil then return nil, ("must be true or false, got '%s'"):format(value) end
  return found
end

local levels = { 'trace', 'debug', 'info', 'warn', 'error' }

local function level(value)
  for _, name in ipairs(levels) do
    if value:lower() == name then return name end
  end
  local expected = text.quoted(levels, 'or')
  return nil, ("must be %s, got '%s'%s"):format(expected, value, text.suggest(value:lower(), levels))
end

local function words(value)
  local out = {}
  for word in value:gmatch '[^%s,]+' do out[#out + 1] = word end
  return out
end

---@type { name: string, into: string, read: (fun(value: string): any, string?), default: any, doc: string }[]
M.rows = {
  { name = 'PROCESS_SHUTDOWN_TIMEOUT', into = 'stop_timeout', read = milliseconds(0), default = 10000,
    doc = 'How long a service may take to end (stop.timeout).' },
  { name = 'PROCESS_RESTART_DELAY', into = 'restart_delay', read = milliseconds(0), default = 1000,
    doc = 'The delay before the first restart (restart.delay).' },
  { name = 'PROCESS_MAX_RETRIES', into = 'max_retries', read = whole(0), default = 3,
    doc = 'Restarts before a service has failed (restart.max_retries).' },
  { name = 'HEALTH_CHECK_INTERVAL', into = 'health.interval', read = milliseconds(10), default = 30000,
    doc = 'From one probe to the next (health.interval).' },
  { name = 'HEALTH_CHECK_TIMEOUT', into = 'health.timeout', read = milliseconds(1), default = 5000,
    doc = 'For the whole probe (health.timeout).' },
  { name = 'HEALTH_CHECK_RETRIES', into = 'health.retries', read = whole(1), default = 3,
    doc = 'Failures in a row that make a service unhealthy (health.retries).' },
  { name = 'TUI_REFRESH_RATE', into = 'tui.refresh_rate', read = milliseconds(10), default = 1000,
    doc = 'The time between two drawings of the terminal interface.' },
  { name = 'TUI_MAX_LOGS', into = 'tui.max_logs', read = whole(1), default = 100,
    doc = 'Lines of output that the terminal interface shows.' },
  { name = 'TUI_ENABLE_DEBUG', into = 'tui.show_debug_logs', read = boolean, default = false,
    doc = 'Show our own log in the terminal interface.' },
  { name = 'DEBUG_LEVEL', into = 'debug.level', read = level,
    doc = 'The least level of our own log: trace, debug, info, warn or error.' },
  { name = 'DEBUG_CATEGORIES', into = 'debug.categories', read = words,
    doc = 'The categories of our own log, by commas.' },
  { name = 'DEBUG_CONSOLE', into = 'debug.console', read = boolean,
    doc = 'Our own log to the terminal too, or to its file only.' },
}

local function put(settings, into, value)
  local outer, inner = into:match '^(%w+)%.([%w_]+)$'
  if outer then settings[outer][inner] = value else settings[into] = value end
end

-- `true 1 *` is everything; a list may hold words of other programs, which match nothing here
local function debugging(settings, value)
  local debug = settings.debug
  local found = truth[value:lower()]
  debug.all = value == '*' or found == true
  debug.words = {}
  if not debug.all and found == nil then
    for _, word in ipairs(words(value)) do
      debug.all = debug.all or word == '*'
      word = word:gsub(':%*$', '')
      if not word:find '[*]' and not word:find '^%-' then debug.words[#debug.words + 1] = word end
    end
  end
  debug.enabled = debug.all or #debug.words > 0
end

---@param env table<string, string>
---@return settings settings every value there is, given or by default
---@return problem[] problems values that can't be read
function M.read(env)
  local settings = { health = {}, tui = {}, debug = {} }
  local problems = {}
  for _, row in ipairs(M.rows) do
    local given, value = env[row.name], row.default
    if given and text.trim(given) ~= '' then
      local found, message = row.read(text.trim(given))
      if message then
        problems[#problems + 1] = { subject = 'environment', key = row.name, message = message }
      else
        value = found
      end
    end
    put(settings, row.into, value)
  end
  local asked = env.PACTLUA_DEBUG
  if asked == nil or asked == '' then asked = env.DEBUG or '' end
  debugging(settings, text.trim(asked))
  return settings, problems
end

return M
