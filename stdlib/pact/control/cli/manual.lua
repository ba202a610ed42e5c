--- The manual page pactlua(1), from the tables of verbs and options.

local completion = require 'pact.control.cli.completion'
local options = require 'pact.control.cli.options'
local verbs = require 'pact.control.cli.verbs'

local M = {}

local ABOUT = [[
A recipe is a Lua program that declares services: processes, tasks, workers and what runs elsewhere.
pactlua starts them in the order of their dependencies, watches their health, restarts them by policy
or by the recipe's own hooks, keeps what they write, and ends all of it.
]]
local MORE = [[
pactlua help FIELD tells about a field of a service, pactlua RECIPE --help about a recipe's own options.
]]

local STATUSES = {
  { '0', 'all went well' },
  { '1', 'an error' },
  { '2', 'wrong usage, or a recipe with problems' },
  { '3', 'a wanted service failed or never became ready' },
  { '4', 'no live network' },
  { '5', 'not permitted' },
  { '124', 'wait: the time was over' },
  { '125, 126, 127', 'run, ci, exec: the network failed, CMD may not be executed, is not found; else its own' },
  { '128+n', 'ended by signal n; an essential service: its own status' },
}

local FILES = {
  { 'pact.lua, devnet.lua', 'the recipe when none is named, here or above' },
  { '.pactlua/PROJECT/', "a network's files, beside its recipe: control.sock, lock, ports.json, latest and runs/" },
  { '.pactlua/PROJECT/token', 'what --listen asks of clients, while the network runs' },
  { '.pactlua/PROJECT/latest/', "of the newest run: SERVICE.log, events.jsonl, plan.jsonl, pactlua.log" },
  { '$XDG_STATE_HOME/pactlua/', 'the same where the place beside the recipe cannot be written' },
}

local VARIABLES = {
  { 'PROCESS_SHUTDOWN_TIMEOUT, PROCESS_RESTART_DELAY, PROCESS_MAX_RETRIES', 'defaults of services' },
  { 'HEALTH_CHECK_INTERVAL, HEALTH_CHECK_TIMEOUT, HEALTH_CHECK_RETRIES', 'defaults of health checks' },
  { 'DEBUG, DEBUG_LEVEL, DEBUG_CATEGORIES, DEBUG_CONSOLE', "pactlua's own log; PACTLUA_DEBUG beats DEBUG" },
  { 'PACTLUA_TOKEN', 'the token of --listen, instead of one made at each start; services do not get it' },
  { 'NO_COLOR', 'no colours' },
}

-- Text as roff takes it: nothing in it is a request or an escape.
local function plain(text)
  text = text:gsub('\\', '\\e'):gsub('%-', '\\-'):gsub("'", '\\(aq'):gsub('^%.', '\\&.'):gsub('\n%.', '\n\\&.')
  return (text:gsub('[\xC2-\xF4][\x80-\xBF]+', function(c) return ('\\[u%04X]'):format(utf8.codepoint(c)) end))
end

local function item(head, text) return ('.TP\n%s\n%s\n'):format(head, plain(text)) end

local function bold(text) return '\\fB' .. plain(text) .. '\\fR' end

local function option_item(option)
  local head = bold('--' .. option.name)
  if option.short then head = bold('-' .. option.short) .. ', ' .. head end
  if option.value then head = head .. ' \\fI' .. plain(option.value) .. '\\fR' end
  return item(head, option.help)
end

local function verb_section(verb)
  local out = { ('.SS "%s"\n%s.\n'):format(plain((verb.name .. ' ' .. verb.args):gsub(' $', '')), plain(verb.help)) }
  for _, option in ipairs(completion.options(verb, verb.options)) do out[#out + 1] = option_item(option) end
  if verb.about then out[#out + 1] = ('.PP\n.nf\n%s.fi\n'):format(plain(require(verb.about).help())) end
  return table.concat(out)
end

local function section(title, rows)
  local out = { '.SH ' .. title .. '\n' }
  for _, row in ipairs(rows) do out[#out + 1] = item(bold(row[1]), row[2]) end
  return table.concat(out)
end

---@return string roff
function M.page()
  local out = {
    '.TH PACTLUA 1 "" "pactlua" "User Commands"\n',
    '.SH NAME\npactlua \\- bring a development network up, watch it, take it down without a trace\n',
    '.SH SYNOPSIS\n.B pactlua\n.I RECIPE\n[\\fIARGS\\fR...]\n.br\n.B pactlua\n.I COMMAND\n[\\fIOPTIONS\\fR] ...\n',
    '.SH DESCRIPTION\n',
    plain(ABOUT), '.PP\n', plain(MORE),
    '.SH OPTIONS OF ALL COMMANDS\n',
  }
  for _, option in ipairs(completion.options(verbs.by_name.up, options.everywhere)) do
    out[#out + 1] = option_item(option)
  end
  out[#out + 1] = '.SH COMMANDS\n'
  for _, verb in ipairs(verbs.rows) do out[#out + 1] = verb_section(verb) end
  out[#out + 1] = section('EXIT STATUS', STATUSES)
  out[#out + 1] = section('FILES', FILES)
  out[#out + 1] = section('ENVIRONMENT', VARIABLES)
  return table.concat(out)
end

return M
