--- Fields of a service, of every kind.
local container = require 'pact.declare.fields.container'
local edges = require 'pact.declare.edges'
local health = require 'pact.declare.fields.health'
local hooks = require 'pact.declare.fields.hooks'
local listen = require 'pact.declare.listen'
local policies = require 'pact.declare.fields.policies'
local ports = require 'pact.declare.ports'
local record = require 'pact.declare.record'
local shapes = require 'pact.declare.shapes'
local templates = require 'pact.declare.templates'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local strings = shapes.list_of(values.string)
local child, shaped = 'process container', 'process'

local user = {
  name = 'user', lua = 'string|integer',
  check = function(value, cursor)
    local id = type(value) == 'number' and math.tointeger(value)
    if id and id >= 0 or type(value) == 'string' and value ~= '' then return id or value end
    cursor:fail(('must be the name or number of a user, got %s'):format(text.show(value)))
  end,
}

local path_pattern = {
  name = 'pattern', lua = 'string',
  check = function(value, cursor)
    if type(value) ~= 'string' or value == '' then
      return cursor:fail(("must be a pattern of paths such as 'src/**/*.js', got %s"):format(text.show(value)))
    end
    local message = require('pact.base.glob').check(value)
    if message then return cursor:fail(message) end
    return value
  end,
}

local watch_action = values.enum { 'restart', 'signal' }

---@type noun
local watch = {
  name = 'watch',
  doc = 'What follows when files change.',
  fields = {
    { name = 'paths', type = shapes.list_of(path_pattern),
      doc = "Files by pattern: 'src/**/*.js'; a directory's name and a slash: all below it." },
    { name = 'ignore', type = shapes.list_of(path_pattern),
      doc = 'What does not count, as in .gitignore (which holds, too), beside node_modules, .git and the like.' },
    { name = 'debounce', type = values.duration, default = '200ms', doc = 'Silence to wait for.' },
    { name = 'cascade', type = values.boolean, default = 'false', doc = 'Restart what depends on it, too.' },
    { name = 'action', type = {
      name = watch_action.name .. ' or a function', lua = watch_action.lua .. '|fun(service: table, paths: string[])',
      check = function(value, cursor)
        if type(value) == 'function' then return value end
        return watch_action.check(value, cursor)
      end,
    }, default = "'restart'", doc = 'What is done; a function gets the service and the first hundred paths.' },
    { name = 'signal', type = values.signal, default = "'HUP'", doc = "The signal of action = 'signal'." },
  },
  positional = function(out, value, cursor)
    out.paths = out.paths or {}
    out.paths[#out.paths + 1] = path_pattern.check(value, cursor)
  end,
  finish = function(out, cursor, raw)
    if raw.paths == nil and not (out.paths and out.paths[1]) then
      return cursor:fail "has no paths: { paths = { 'src/**/*.js' } }"
    end
    if out.signal and out.action == nil then out.action = 'signal' end
    return out
  end,
}

local function short_watch(value, cursor)
  if type(value) ~= 'string' then return nil, false end
  local found = path_pattern.check(value, cursor)
  return found and { paths = { found } }, true
end

---@type noun
local terminal = {
  name = 'terminal',
  doc = "A service's own terminal, with TERM=xterm-256color. An interactive shell ends by stop = { signal = 'HUP' }.",
  fields = {
    { name = 'columns', type = values.integer, min = 1, max = 1000, default = '80', reload = 'restart',
      doc = 'How wide it is until somebody is attached.' },
    { name = 'rows', type = values.integer, min = 1, max = 1000, default = '24', reload = 'restart',
      doc = 'How high it is until somebody is attached.' },
  },
  finish = function(out)
    return { columns = out.columns or 80, rows = out.rows or 24 }
  end,
}

local function short_terminal(value, cursor)
  if value == true then return { columns = 80, rows = 24 }, true end
  if type(value) == 'table' then return nil, false end
  if value ~= false then
    cursor:fail(('must be true, false or { columns = 120, rows = 40 }, got %s'):format(text.show(value)))
    value = nil
  end
  return value, true
end

local tty = record.type(terminal, short_terminal)
tty.name, tty.short = 'true, false or table', nil

local cron_line = {
  name = 'line of cron', lua = 'string',
  check = function(value, cursor)
    if type(value) ~= 'string' then
      return cursor:fail(("must be a line of cron such as '*/5 * * * *', got %s"):format(text.show(value)))
    end
    local spec, message = require('pact.base.cron').parse(value)
    if not spec then return cursor:fail(message) end
    return value
  end,
}

local time_zone = {
  name = 'time zone', lua = 'string',
  check = function(value, cursor)
    if type(value) ~= 'string' then
      return cursor:fail(("must be a time zone such as 'Europe/Berlin', got %s"):format(text.show(value)))
    end
    local zone = require 'pact.base.zone'
    if not cursor.fs or zone.load(cursor.fs, value) then return value end
    local hint = text.suggest(value, zone.near(cursor.fs, value))
    cursor:fail(("'%s' is no time zone of this machine%s"):format(value, hint))
  end,
}

---@type noun
local schedule = {
  name = 'schedule',
  doc = 'Run again and again, never two at once.',
  fields = {
    { name = 'every', type = values.duration, min = 100,
      doc = 'The time from start to start; the first run is at once.' },
    { name = 'cron', type = cron_line,
      doc = "Minute, hour, day, month, weekday: '*/5 * * * *', '30 9 * * mon-fri', '@daily'." },
    { name = 'tz', type = time_zone, default = "this machine's",
      doc = "The time zone of cron, such as 'Europe/Berlin'." },
  },
  finish = function(out, cursor, raw)
    local every, line = raw.every ~= nil, raw.cron ~= nil
    if every == line then cursor:fail "must have either 'every' or 'cron'" end
    if out.tz and every and not line then cursor:fail "has 'tz', which goes with 'cron'" end
    return out
  end,
}

---@type field[]
local rows = {
  { name = 'display_name', type = values.string, aliases = { 'name' }, default = 'the id',
    reload = 'live',
    doc = 'The name shown to people.' },
  { name = 'category', type = values.string, default = "'service'", reload = 'live',
    doc = "A group to show and select by, such as 'network' or 'bundler'." },
  { name = 'tags', type = strings, reload = 'live', doc = 'More words to select by.' },
  { name = 'extends', type = templates.type,
    reload = 'live', doc = 'A template, or a list of them, whose fields this one has too.' },
  { name = 'command', type = shapes.argv, kinds = child,
    reload = 'restart', doc = 'The program and its arguments; no shell reads them.' },
  { name = 'args', type = shapes.args, kinds = child,
    reload = 'restart', doc = 'More arguments; with them `command` may be the program as text.' },
  { name = 'shell', type = values.string_or_function, kinds = shaped,
    reload = 'restart', doc = 'A line for /bin/sh, instead of `command`.' },
  { name = 'cwd', type = values.path, kinds = child, default = "the recipe's directory",
    aliases = { 'working_dir' },
    reload = 'restart', doc = 'The directory it runs in.' },
  { name = 'env', type = shapes.env, kinds = 'process container worker', merge = 'map',
    aliases = { 'environment' },
    reload = 'restart',
    doc = 'Variables: text, numbers, true, functions called at each start; false takes one away.' },
  { name = 'env_file', type = shapes.list_of(values.path), kinds = child,
    reload = 'restart',
    doc = 'Files of NAME=value lines, read at each start: quotes, export, ${NAME}, ${NAME:-otherwise}.' },
  { name = 'user', type = user, kinds = child, reload = 'restart', doc = 'The user it runs as.' },
  { name = 'tty', type = tty, lua = 'boolean|pact.terminal', kinds = child,
    default = 'false', reload = 'restart',
    doc = "true: a terminal of its own, which 'pactlua attach' goes to; or its size until somebody is there." },
  { name = 'stdin', type = values.enum { 'open', 'null' }, kinds = shaped, default = "'open'",
    reload = 'restart', doc = 'An open, silent pipe, or /dev/null.' },
  { name = 'ports', type = ports.type,
    reload = 'restart',
    doc = 'Ports it listens on: { 3000 }, { sql = 5433 }, { web = { port = 3000, fallback = true } }.' },
  { name = 'listen', type = listen.type, kinds = shaped,
    reload = 'restart',
    doc = 'Sockets that are bound for it, stay open over its restarts and are its descriptors 3, 4, … '
      .. "(LISTEN_FDS): { http = 3000 }, '0.0.0.0:3000', 'auto', './run/web.sock' (for this user alone). They are "
      .. "closed when it is stopped or has failed; replicas share them, but each has its own of '3000+'. A program "
      .. "behind `shell` must be its exec, or LISTEN_PID is another's." },
  { name = 'endpoints', type = ports.endpoints, merge = 'map', reload = 'live',
    doc = 'Addresses for people, by name.' },
  { name = 'health', type = health.type, aliases = { 'health_check', 'healthcheck' },
    merge = 'health', reload = 'live',
    doc = 'How to tell whether it is well.' },
  { name = 'ready', type = health.type, merge = 'health', reload = 'live',
    doc = 'A check of its own for readiness; without it health decides, and without that being alive.' },
  { name = 'on_unhealthy', type = policies.on_unhealthy, default = "'ignore'", reload = 'live',
    doc = "What follows when it becomes unhealthy; a restart counts as a crash. A function of service and event gives "
      .. "'restart', 'ignore', a delay, a verdict, or nothing: then it has acted itself." },
  { name = 'restart', type = policies.restart_type, aliases = { 'restart_policy' },
    merge = 'restart', reload = 'live',
    doc = 'What follows an end that nobody asked for.' },
  { name = 'auto_restart', type = policies.auto_restart, into = 'restart.policy',
    reload = 'live', doc = "true is 'on-failure', false is 'no'." },
  { name = 'retries', type = values.count, aliases = { 'max_restarts' },
    into = 'restart.max_retries',
    reload = 'live', doc = 'The same as restart.max_retries.' },
  { name = 'restart_delay', type = values.duration, into = 'restart.delay',
    reload = 'live', doc = 'The same as restart.delay.' },
  { name = 'stop', type = policies.stop_type, merge = 'map', kinds = 'process container worker',
    reload = 'live',
    doc = 'How it is asked to end.' },
  { name = 'stop_signal', type = values.signal, aliases = { 'kill_signal' }, into = 'stop.signal',
    kinds = child,
    reload = 'live', doc = 'The same as stop.signal.' },
  { name = 'stop_timeout', type = values.duration,
    aliases = { 'graceful_shutdown_timeout', 'stop_grace_period' },
    into = 'stop.timeout', kinds = 'process container worker', reload = 'live', doc = 'The same as stop.timeout.' },
  { name = 'timeout', type = values.duration, min = 1, default = 'none', reload = 'live',
    doc = 'From start to ready; when it is over that counts as a crash.' },
  { name = 'max_runtime', type = values.duration, min = 1, default = 'none', reload = 'live',
    kinds = 'process container worker',
    doc = 'The longest life.' },
  { name = 'success_exit', type = shapes.list_of(values.integer), min = 0, max = 255,
    default = '{ 0 }', kinds = child, reload = 'live',
    doc = 'Exit statuses that are success.' },
  { name = 'essential', type = values.boolean, default = 'false', reload = 'live',
    doc = 'When it has ended for good, the network shuts down with its status.' },
  { name = 'disabled', type = values.boolean, default = 'false', reload = 'live',
    doc = 'Declared, but never wanted by itself.' },
  { name = 'profiles', type = strings, reload = 'live',
    doc = 'Wanted only with one of these profiles; without any, always.' },
  { name = 'depends_on', type = edges.type, merge = 'edges', reload = 'live',
    doc = 'What must be there before it starts: ids, handles, conditions.' },
  { name = 'dependencies', type = edges.restarting, into = 'depends_on.*',
    reload = 'live', doc = 'The same, and it restarts when one of them is back.' },
  { name = 'log', type = policies.log_type, merge = 'map', reload = 'live',
    doc = 'How its output is kept.' },
  { name = 'on', type = hooks.type, merge = 'map', reload = 'live',
    doc = 'Hooks of its own: events to functions or scripts.' },
  { name = 'limits', type = shapes.limits, kinds = child, merge = 'map', aliases = { 'ulimits' },
    reload = 'restart', doc = 'Resource limits: { nofile = 65535 }.' },
  { name = 'nice', type = values.integer, min = -20, max = 19, kinds = shaped,
    reload = 'restart', doc = 'Its share of the processor; 19 is the least.' },
  { name = 'oom_score_adj', type = values.integer, min = -1000, max = 1000, kinds = child,
    reload = 'restart', doc = 'More than 0: killed earlier when memory is short.' },
  { name = 'umask', type = policies.umask, kinds = shaped, default = "the user's",
    reload = 'restart', doc = "Permissions that new files don't get, as octal text." },
  { name = 'secrets', type = strings, kinds = 'process container worker', reload = 'live',
    doc = 'Names of variables to mask wherever state is shown.' },
  { name = 'watch', type = record.type(watch, short_watch), kinds = 'process container worker', reload = 'live',
    doc = 'What follows when files change; a restart by default.' },
  { name = 'schedule', type = record.type(schedule), kinds = child, reload = 'live',
    doc = 'Run again and again.' },
  { name = 'replicas', type = values.integer, min = 1, max = 1000, kinds = child,
    reload = 'live',
    doc = 'So many instances web-1, web-2 … of the group web; PACTLUA_REPLICA is the number of each.' },
  { name = 'run', type = values.func, lua = 'fun(self: pact.worker_self)', kinds = 'worker', reload = 'restart',
    doc = 'What a worker does.' },
}
table.move(container.fields, 1, #container.fields, #rows + 1, rows)
for _, noun in ipairs { watch, schedule } do
  for _, row in ipairs(noun.fields) do row.reload = 'live' end
end

---@type noun
return {
  name = 'service',
  doc = 'Anything supervised: a process, a task, a container, a worker, an external.',
  fields = rows,
  inner = { watch = watch, schedule = schedule, terminal = terminal, build = container.build },
}
