--- What shall happen in a simulation, as rows of data: faults of services, and answers of the world.

local cursor = require 'pact.declare.cursor'
local fail = require 'pact.base.fail'
local list = require 'pact.base.list'
local record = require 'pact.declare.record'
local signals = require 'pact.declare.signals'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

local M = {}

local ERRORS = { refused = 'connection refused', timeout = 'no answer in time', reset = 'connection reset by peer',
  dns = 'name not known', tls = 'certificate refused' }

local end_of_process = {
  name = "true, exit code or signal", lua = 'boolean|integer|string',
  check = function(value, at_hand)
    if value == true then return { code = 1 } end
    local code = type(value) == 'number' and math.tointeger(value)
    if code and code >= 0 and code <= 255 then return { code = code } end
    local number = type(value) == 'string' and signals.parse(value)
    if number then return { signal = number } end
    at_hand:fail(("must be true, an exit code of 0–255 or a signal such as 'KILL', got %s"):format(text.show(value)))
  end,
}

local exit_code = {
  name = 'exit code', lua = 'integer',
  check = function(value, at_hand)
    local code = type(value) == 'number' and math.tointeger(value)
    if code and code >= 0 and code <= 255 then return { code = code } end
    at_hand:fail(('must be an exit code of 0–255, got %s'):format(text.show(value)))
  end,
}

local function or_true(type_)
  return {
    name = 'true or ' .. type_.name, lua = 'true|' .. type_.lua,
    check = function(value, at_hand, row)
      if value == true then return true end
      return type_.check(value, at_hand, row)
    end,
  }
end

local argv = {
  name = 'words or line', lua = 'string|string[]',
  check = function(value, at_hand)
    if type(value) == 'string' and value ~= '' then return { value } end
    if type(value) ~= 'table' or not list.is_sequence(value) or not value[1] then
      return at_hand:fail(("must be words such as { 'npm', 'test' } or a line for the shell, got %s")
        :format(text.show(value)))
    end
    return list.map(value, tostring)
  end,
}

local answer = {
  name = 'text, table or function', lua = 'string|table|fun(request: table): any',
  check = function(value, at_hand)
    local kind = type(value)
    if kind == 'string' or kind == 'table' or kind == 'function' then return value end
    at_hand:fail(('must be text, a table (sent as JSON) or a function, got %s'):format(text.show(value)))
  end,
}

---@type noun
M.noun = {
  name = 'fault',
  doc = 'A row of a faults file: what happens to a service, or what the world answers.',
  fields = {
    { name = 'service', type = values.string, doc = 'The service that something happens to.' },
    { name = 'at', type = values.duration, doc = 'When, since the beginning. An answer holds from then on.' },
    { name = 'after', type = values.duration, doc = 'When, since each start of the service.' },
    { name = 'every', type = values.duration, min = 1, doc = 'Again and again, so far apart.' },
    { name = 'times', type = values.integer, min = 1, doc = 'So many times at most.' },
    { name = 'lasts', type = values.duration, min = 1,
      doc = 'How long it holds: hang, unhealthy, slow_start, an answer.' },
    { name = 'later', type = values.boolean, doc = 'The service is declared only while the network runs.' },
    { name = 'crash', type = end_of_process, doc = "Its process ends: true, an exit code, or a signal: 'KILL'." },
    { name = 'exit', type = exit_code, doc = 'Its process ends so; without a time: how a task ends.' },
    { name = 'hang', type = or_true(values.duration),
      doc = 'Its process lives but answers nothing; a restart heals it.' },
    { name = 'unhealthy', type = or_true(values.string),
      doc = 'Its health checks fail, with this reason, until recover.' },
    { name = 'restart_heals', type = values.boolean, doc = 'unhealthy ends with the process.' },
    { name = 'recover', type = values.yes, doc = 'It hangs no more and is healthy.' },
    { name = 'says', type = values.string, doc = 'A line of its output.' },
    { name = 'slow_start', type = values.duration, doc = 'Each start takes so long until its checks succeed.' },
    { name = 'takes', type = values.duration, doc = 'How long a task or an answer takes.' },
    { name = 'start_fails', type = or_true(values.string),
      doc = "It can't be started: an error's name such as 'ENOENT'." },
    { name = 'deaf', type = values.yes, doc = 'It ignores its stop signal.' },
    { name = 'command', type = values.enum { 'start', 'stop', 'restart' }, doc = 'What a person does with it.' },
    { name = 'http', type = values.string,
      doc = "An address that is asked, also by health checks; '*' in it stands for anything." },
    { name = 'method', type = values.string, doc = 'Only for this method.' },
    { name = 'status', type = values.integer, doc = 'The status of the answer, or of the program.' },
    { name = 'body', type = answer, doc = 'The body of the answer, or a function of the request that gives it.' },
    { name = 'headers', type = values.any, doc = 'Headers of the answer.' },
    { name = 'error', type = values.enum(list.keys(ERRORS)), doc = 'No answer, but this.' },
    { name = 'exec', type = argv, doc = "A program that is run; a last word '*' stands for any others." },
    { name = 'stdout', type = answer, doc = 'What it writes, or a function of the call that gives it.' },
    { name = 'stderr', type = values.string, doc = 'What it writes as errors.' },
    { name = 'signal', type = values.signal, doc = 'The signal that ends it.' },
    { name = 'file', type = values.path, doc = 'A file of the world.' },
    { name = 'content', type = values.string, empty = true, doc = 'What is in it.' },
    { name = 'absent', type = values.yes, doc = 'There is no such file.' },
    { name = 'port', type = values.integer, min = 1, max = 65535, doc = 'A port that another program holds.' },
    { name = 'holder', type = values.string, doc = 'That program.' },
  },
}

local function set(words) return list.set(text.split(words, ' ')) end

-- What a row may be about, and the fields that go with it.
local SUBJECTS = {
  service = set('at after every times lasts later restart_heals crash exit hang unhealthy recover says slow_start '
    .. 'takes start_fails deaf command'),
  http = set 'at lasts times method status body headers error takes',
  exec = set 'at lasts times status stdout stderr signal takes',
  file = set 'at content absent',
  port = set 'at lasts holder',
}
---What can happen to a service.
M.effects = { 'crash', 'exit', 'hang', 'unhealthy', 'recover', 'says', 'slow_start', 'takes', 'start_fails', 'deaf',
  'command' }

local function given(row, names)
  return list.filter(names, function(name) return row[name] ~= nil end)
end

local function check_service(row, at_hand, raw)
  local effects = given(row, M.effects)
  if #effects == 0 then
    if given(raw, M.effects)[1] then return nil end -- what is wrong with it has been told
    return at_hand:slip(("says nothing that happens to '%s': one of %s"):format(row.service,
      text.quoted(M.effects, 'or')))
  elseif #effects > 1 then
    return at_hand:slip(('has %s: one thing a row'):format(text.quoted(effects)))
  end
  row.effect, row.value = effects[1], row[effects[1]]
  if row.at and row.after then at_hand:slip "has 'at' and 'after': one or the other" end
  if row.every and row.after then at_hand:slip "has 'every' and 'after': one or the other" end
  if row.effect == 'hang' and math.type(row.value) == 'integer' then row.lasts = row.lasts or row.value end
end

local function check_answer(row, subject, at_hand)
  if subject == 'http' and row.status and (row.status < 100 or row.status > 599) then
    at_hand:slip(('status must be between 100 and 599, got %d'):format(row.status))
  elseif subject == 'exec' and row.status and (row.status < 0 or row.status > 255) then
    at_hand:slip(('status must be between 0 and 255, got %d'):format(row.status))
  elseif subject == 'file' and not row.absent and not row.content then
    at_hand:slip "has neither 'content' nor 'absent = true'"
  end
end

local function check_row(raw, at_hand)
  local row = record.check(M.noun, raw, at_hand)
  if not row then return nil end
  local subjects = given(row, list.keys(SUBJECTS))
  if #subjects ~= 1 then
    if #subjects > 1 then
      at_hand:slip(('is about %s: one thing a row'):format(text.quoted(subjects)))
    elseif not next(at_hand.problems.list) then
      at_hand:slip(('is about nothing: it needs %s'):format(text.quoted(list.keys(SUBJECTS), 'or')))
    end
    return nil
  end
  row.subject = subjects[1]
  for _, name in ipairs(list.keys(row)) do
    if name ~= 'subject' and name ~= row.subject and not SUBJECTS[row.subject][name] then
      at_hand:slip(("has '%s', which doesn't go with '%s'"):format(name, row.subject))
    end
  end
  if row.subject == 'service' then check_service(row, at_hand, raw) else check_answer(row, row.subject, at_hand) end
  return row
end

M.errors = ERRORS

local chance = {
  name = 'random', doc = 'Faults at random.',
  fields = {
    { name = 'every', type = values.duration, min = 1, doc = 'Between two faults of a service, on average.' },
  },
}

local function chance_in_short(value, at_hand)
  if value == true then return {}, true end
  if type(value) == 'table' or value == false then return value, value == false end
  at_hand:fail(("must be true or { every = '1m' }, got %s"):format(text.show(value)))
  return nil, true
end

-- What stands beside the rows.
local top = {
  name = 'faults', doc = 'A faults file.',
  fields = {
    { name = 'seed', type = values.integer, doc = 'Of chance.' },
    { name = 'random', type = record.type(chance, chance_in_short), doc = 'Faults at random, too.' },
  },
}

---@param raw table { seed, random }
---@param at_hand cursor
---@return { seed?: integer, random?: table|false }
function M.settings(raw, at_hand) return record.check(top, raw, at_hand) end

local EXAMPLE = [[
A faults file returns rows of data:

  return {
    { at = '5s', service = 'db', crash = 1 },
    { at = '1m', service = 'web', unhealthy = 'http 503', lasts = '2m' },
    { http = 'http://localhost:9000/hook', method = 'POST', status = 204 },
    { exec = { 'npm', 'run', 'seed' }, status = 0, stdout = 'done' },
  }

Each row is about one of service, http, exec, file, port. Services are well unless a row says otherwise; what a
recipe asks that no row answers is an error that says which row would. `random = true` beside the rows adds faults
at random.

fields of a row:
]]

---@return string what a faults file is
function M.help()
  local out, width = { EXAMPLE }, 0
  for _, field in ipairs(M.noun.fields) do width = math.max(width, #field.name) end
  for _, field in ipairs(M.noun.fields) do
    out[#out + 1] = ('  %s  %s\n'):format(text.pad(field.name, width), field.doc)
  end
  return table.concat(out)
end

---Checks rows from a faults file or a test.
---@param raw any
---@param context { name: string, directory: string, lines?: integer[] } name: of the file, for messages
---@return table? rows
---@return problem[] problems
function M.check(raw, context)
  local problems = fail.new()
  local at = { file = context.name, line = 0 }
  if type(raw) ~= 'table' or getmetatable(raw) then
    local expected = "must give a list of rows such as { at = '5s', service = 'db', crash = 1 }, got %s"
    problems:add { at = at, message = expected:format(text.show(raw)) }
    return nil, problems.list
  end
  local out, settings = {}, {}
  for _, key in ipairs(list.keys(raw)) do
    if math.type(key) == 'integer' then
      local line = context.lines and context.lines[key]
      local at_hand = cursor.new(problems, {
        at = { file = context.name, line = line or 0 }, subject = 'row ' .. key, directory = context.directory,
      })
      local row = check_row(raw[key], at_hand)
      if row then
        row.index, row.place = key, fail.place(at_hand.at)
        out[#out + 1] = row
      end
    else
      settings[key] = raw[key]
    end
  end
  local given_settings = M.settings(settings, cursor.new(problems, { at = at, directory = context.directory }))
  out.seed, out.random = given_settings.seed, given_settings.random
  return #problems.list == 0 and out or nil, problems.list
end

return M
