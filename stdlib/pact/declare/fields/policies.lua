--- Fields of `restart`, `stop` and `log`: what happens at the end of a life, how it is asked for, what is kept.
local record = require 'pact.declare.record'
local shapes = require 'pact.declare.shapes'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

local policies = { 'no', 'on-failure', 'always', 'unless-stopped' }
local policy = values.enum(policies, { [true] = 'on-failure', [false] = 'no', never = 'no' })

local function decided(value) return { policy = 'function', decide = value } end

---@type noun
M.restart = {
  name = 'restart',
  doc = 'What follows an end that nobody asked for: a policy, a table, or function(exit, history) that gives a '
    .. 'delay, or nil to give up.',
  fields = {
    { name = 'policy', type = {
      name = policy.name, lua = policy.lua .. '|fun(exit: table, history: table[])',
      check = function(value, cursor)
        if type(value) == 'function' then return value end
        return policy.check(value, cursor)
      end,
    }, default = "'on-failure'; 'no' for tasks", doc = 'When to start again.' },
    { name = 'max_retries', type = values.count, default = "3; unlimited with 'always'",
      aliases = { 'max_restarts', 'max_attempts' },
      doc = 'So many restarts without a lasting life between them, then failed.' },
    { name = 'delay', type = values.duration, default = '1s', doc = 'Before the first restart.' },
    { name = 'factor', type = values.number, min = 1, max = 100, default = '2',
      doc = 'Each further delay is so many times the one before.' },
    { name = 'max_delay', type = values.duration, default = '30s', doc = 'No delay is longer.' },
    { name = 'jitter', type = values.number, min = 0, max = 1, default = '0.1',
      doc = 'The part of a delay that chance adds or takes.' },
    { name = 'reset_after', type = values.duration, default = '60s',
      doc = 'After so long a health, or life without a check, the counting begins anew.' },
  },
  finish = function(out, cursor)
    if type(out.policy) == 'function' then out.decide, out.policy = out.policy, 'function' end
    if out.delay and out.max_delay and out.delay > out.max_delay then
      cursor:fail 'has a delay above its max_delay'
    end
    return out
  end,
}

local function short_restart(value, cursor)
  if type(value) == 'function' then return decided(value), true end
  if type(value) == 'table' then return nil, false end
  local found = policy.check(value, cursor)
  return found and { policy = found }, true
end

---@type noun
M.stop = {
  name = 'stop',
  doc = 'How a service is asked to end: a signal or a command, and how long it may take.',
  fields = {
    { name = 'signal', type = values.signal, default = "'TERM'",
      doc = 'The signal that asks it to end.' },
    { name = 'timeout', type = values.duration, default = '10s',
      aliases = { 'grace', 'grace_period' },
      doc = 'How long it may take; then SIGKILL.' },
    { name = 'scope', type = values.enum { 'tree', 'group' }, default = "'tree'",
      doc = "What is ended: all that it started, or its process group only." },
    { name = 'command', type = shapes.argv,
      doc = 'A program that asks it to end, instead of the signal.' },
    { name = 'args', type = shapes.args, doc = 'Arguments behind a command given as text.' },
    { name = 'shell', type = values.string, doc = 'The same by /bin/sh.' },
    { name = 'keep', type = shapes.list_of(values.string),
      doc = 'Names of processes of its tree that stay alive.' },
  },
  finish = function(out, cursor)
    if out.command and out.shell then cursor:fail "has 'command' and 'shell': one of them" end
    if out.command then out.command = shapes.join(out.command, out.args, cursor, 'shell') end
    if out.shell then out.command = { '/bin/sh', '-c', out.shell } end
    out.shell, out.args = nil, nil
    return out
  end,
}

local function short_stop(value, cursor)
  if type(value) == 'table' then return nil, false end
  local signal = values.signal.check(value, cursor)
  return signal and { signal = signal }, true
end

---@type noun
M.log = {
  name = 'log',
  doc = 'How the output of a service is kept.',
  fields = {
    { name = 'max_size', type = values.size, min = 1024, default = '10m',
      doc = 'One file is no larger.' },
    { name = 'max_files', type = values.integer, min = 0, max = 1000, default = '5',
      doc = 'So many older files are kept.' },
    { name = 'format', type = values.enum { 'raw', 'text', 'json' }, default = "'raw'", reload = 'restart',
      doc = 'The bytes as they are, or lines with times, or JSON lines.' },
  },
}

for _, noun in ipairs { M.restart, M.stop, M.log } do
  for _, row in ipairs(noun.fields) do row.reload = row.reload or 'live' end
end

M.restart_type = record.type(M.restart, short_restart)
M.stop_type = record.type(M.stop, short_stop)
M.log_type = record.type(M.log)

-- `auto_restart`: the two policies that older programs have
M.auto_restart = {
  name = 'true or false', lua = 'boolean',
  check = function(value, cursor, row)
    local wanted = values.boolean.check(value, cursor, row)
    if wanted == nil then return nil end
    return wanted and 'on-failure' or 'no'
  end,
}

-- `on_unhealthy`: a word or a function
local unhealthy = values.enum { 'ignore', 'restart' }
M.on_unhealthy = {
  name = unhealthy.name .. ' or a function', lua = unhealthy.lua .. '|pact.hook',
  check = function(value, cursor)
    if type(value) == 'function' then return value end
    return unhealthy.check(value, cursor)
  end,
}

-- `umask`: octal digits in text, as a number would be read as decimal
M.umask = {
  name = 'octal text', lua = 'string',
  check = function(value, cursor)
    if type(value) == 'string' and value:find '^0?[0-7][0-7]?[0-7]?$' then return tonumber(value, 8) end
    cursor:fail(("must be octal digits in text such as '022', got %s"):format(text.show(value)))
  end,
}

return M
