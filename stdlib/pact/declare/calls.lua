--- What recipes call: each function and method with its type and a sentence, for `help`, editors and the reference.
local patterns = require 'pact.declare.patterns'
local values = require 'pact.declare.call_values'

local M = {}

---@class call_row
---@field [1] string the name
---@field [2] string its type, as LuaCATS writes it
---@field [3] string a sentence

---@class call_group
---@field class string of the editor stubs
---@field inherits? string
---@field prefix? string what stands before a name where it is used
---@field title string
---@field doc string
---@field rows call_row[]
---@field module? string what requires it, where that isn't 'pact'

local service = 'pact.handle|string'
local refusal = 'string?, string?'

---@type call_group
local pact = { class = 'pact', prefix = 'pact.', title = 'pact', doc = "What `require 'pact'` gives.", rows = {
  { 'process', 'fun(id: string): fun(fields: pact.process): pact.handle', 'Declares a process.' },
  { 'task', 'fun(id: string): fun(fields: pact.process): pact.handle',
    'Declares a process that is ready when it has completed.' },
  { 'container', 'fun(id: string): fun(fields: pact.container): pact.handle', 'Declares a container.' },
  { 'worker', 'fun(id: string): fun(fields: pact.worker): pact.handle', "Declares Lua inside the engine's loop." },
  { 'external', 'fun(id: string): fun(fields: pact.external): pact.handle',
    'Declares something that runs elsewhere and is only probed.' },
  { 'defaults', 'fun(fields: pact.service)', 'Fields of all services that are declared behind it.' },
  { 'template', 'fun(fields: pact.service): pact.template', 'Fields for services that say `extends`.' },
  { 'patterns', 'pact.patterns', 'Templates for common kinds of services.' },
  { 'on', 'fun(event: pact.event_name, hook: pact.run|pact.lines, run?: pact.run): pact.subscription',
    'Calls a function, or runs a script, at each such event of any service; `line` takes a filter before it.' },
  { 'once', 'fun(event: pact.event_name, hook: pact.run|pact.lines, run?: pact.run): pact.subscription',
    'The same, at the first only.' },
  { 'emit', 'fun(event: string, fields?: table)', "Tells an event of the recipe's own; its name has a colon." },
  { 'verdict', 'pact.verdicts', 'What hooks may answer.' },
  { 'command', 'fun(name: string, about: pact.command|string, fn: fun(args: string[]): any)',
    "A command of the recipe's own, for `pactlua do NAME`; `args` is what shells offer behind it." },
  { 'option', 'fun(name: string, about?: pact.option): any', 'An argument of the recipe, with its type and default.' },
  { 'args', 'string[]', 'The arguments of the recipe.' },
  { 'secret', 'fun(name: string): string', 'A variable of the environment that must be set, masked wherever shown.' },
  { 'free_port', 'fun(name?: string): integer', 'A free port, the same one for that name while it is free.' },
  { 'tui', 'fun(options?: pact.tui)', 'How the terminal interface looks.' },
  { 'start', ('fun(service: %s|pact.start, options?: pact.act): pact.handle?, %s'):format(service, refusal),
    'Starts a service, or declares and starts one, anew if it has ended; waits until ready, else nil, why, a code.' },
  { 'start_services', ('fun(services?: pact.start[]): pact.handle[]|true|nil, %s'):format(refusal),
    'Starts several at once and waits for all; without any, for all that were declared.' },
  { 'stop', ('fun(service: %s, options?: pact.act): true?, %s'):format(service, refusal),
    'Stops a service and waits for that.' },
  { 'restart', ('fun(service: %s, options?: pact.act): true?, %s'):format(service, refusal),
    'Restarts a service and waits until it is ready.' },
  { 'scale', ('fun(group: %s, count: integer, options?: pact.act): true?, %s'):format(service, refusal),
    'Gives a group of replicas so many instances.' },
  { 'stop_all', ('fun(options?: pact.act): true?, %s'):format(refusal), 'Stops every service; the network stays.' },
  { 'shutdown', 'fun(status?: integer)', 'Ends the network, and pactlua with that status; 0 by default.' },
  { 'state', ('fun(service: %s): table?'):format(service), 'All that is known of a service now, as values.' },
  { 'service', ('fun(id: %s): pact.handle?'):format(service), 'The handle of a service.' },
  { 'services', 'fun(): pact.handle[]', 'The handles of all services; `for one in pact.services()` goes through it.' },
  { 'by_category', 'fun(category: string): pact.handle[]', 'The handles of the services of a category.' },
  { 'env_of', ('fun(service: %s): table<string, string>?, %s'):format(service, refusal),
    'The environment that a service would start with now.' },
  { 'every', 'fun(time: duration, fn: fun()): pact.subscription', 'Calls a function again and again.' },
  { 'after', 'fun(time: duration, fn: fun()): pact.subscription', 'Calls a function once, later.' },
  { 'sleep', 'fun(time: duration)', 'Waits; everything else goes on.' },
  { 'now', 'fun(): integer', 'Milliseconds of a clock that never jumps.' },
  { 'notify', 'fun(message: any)', 'A line for people, and the event `notify` for clients.' },
  { 'exec', 'fun(spec: pact.exec): pact.exec_result', 'Runs a program to its end; waits.' },
  { 'spawn', 'fun(fn: function, ...: any): pact.spawned', 'Runs a function beside this one.' },
  { 'all', ('fun(functions: (fun(): any)[], options?: { timeout: duration }): any[]?, %s'):format(refusal),
    'Runs functions side by side and waits for all: their first results, by the same keys. Raises what one raises.' },
  { 'race', 'fun(functions: (fun(): any)[], options?: { timeout: duration }): any',
    'Runs functions side by side: what the first gives, and its key. The others are ended.' },
  { 'queue', 'fun(room?: integer): pact.queue', 'A queue of values between functions that run side by side.' },
  { 'http', 'pact.http', 'Requests over HTTP; they wait.' },
  { 'file', 'pact.file', "Files; relative paths are the recipe's." },
  { 'json', 'pact.json', 'JSON to values and back.' },
  { 'log', 'pact.logger', 'Our own log: pactlua.log of the run.' },
} }

---@type call_group
local handle = { class = 'pact.handle', prefix = 'service:', title = 'Handles',
  doc = 'What a declaration gives and hooks get: stands for the service, shows its fields as they are now.',
  rows = {
    { 'start', ('fun(self, options?: pact.act): true?, %s'):format(refusal), 'Starts it with what it needs.' },
    { 'stop', ('fun(self, options?: pact.act): true?, %s'):format(refusal), 'Stops it.' },
    { 'restart', ('fun(self, options?: pact.act): true?, %s'):format(refusal), 'Restarts it.' },
    { 'scale', ('fun(self, count: integer, options?: pact.act): true?, %s'):format(refusal),
      'Gives the group so many instances.' },
    { 'signal', ("fun(self, signal: string|integer, scope?: 'leader'|'group'|'tree'): true?, %s"):format(refusal),
      'Sends it a signal.' },
    { 'wait', ('fun(self, goal?: pact.goal, options?: { timeout: duration }|duration): true?, %s'):format(refusal),
      'Waits until it has become that (ready), or cannot any more: nil, why, and a code.' },
    { 'logs', 'fun(self, filter?: pact.log_filter|integer): pact.log_line[]',
      'Lines of its output, the last 100 or so many; or those that a filter lets pass.' },
    { 'tail', 'fun(self, count?: integer): string', 'The last lines of its output as one text.' },
    { 'exec', ('fun(self, spec: pact.exec): pact.exec_result?, %s'):format(refusal),
      'Runs a program with its environment, directory and user.' },
    { 'why', 'fun(self): table', 'Why it is as it is.' },
    { 'id', 'string', 'Its name; so is the handle itself as text.' },
    { 'display_name', 'string', 'The name shown to people.' },
    { 'kind', "'process'|'container'|'worker'|'external'", 'What it is.' },
    { 'category', 'string', 'Its category.' },
    { 'tags', 'string[]', 'Its tags.' },
    { 'status', 'pact.status', 'What it is doing.' },
    { 'health', "'none'|'unknown'|'healthy'|'unhealthy'", 'What the probes say.' },
    { 'reason', 'string', 'Why, for people.' },
    { 'pid', 'integer?', 'Of its process, while it lives.' },
    { 'exit_code', 'integer?', 'Of its last end.' },
    { 'exit_signal', 'string?', 'The signal that ended it last.' },
    { 'restart_count', 'integer', "Restarts but a person's, since the last lasting life." },
    { 'started_at', 'integer?', 'When it was started, as milliseconds of the wall clock.' },
    { 'ended_at', 'integer?', 'When it ended.' },
    { 'uptime', 'integer?', 'How long it lives, in milliseconds.' },
    { 'cpu', 'number?', 'Percent of one processor since it was asked for last, at first since its start.' },
    { 'memory', 'integer?', 'Bytes.' },
    { 'ports', 'table<string|integer, integer>', 'What it listens on, by name or by place.' },
    { 'endpoints', 'table<string, string>', 'Its addresses for people.' },
    { 'history', 'pact.exit[]', 'Its last ends, oldest first.' },
    { 'last_probe', 'table?', 'The last probe: ok, reason, ms, at.' },
    { 'group', 'string?', 'The group whose instance it is.' },
    { 'replica', 'integer?', 'Its number in the group.' },
    { 'instances', 'string[]?', 'Of a group: the ids of its instances.' },
  } }

local function http_row(name, with_body)
  local body = with_body and 'body?: any, ' or ''
  return { name, ('fun(url: string, %soptions?: pact.http_request): pact.http_answer?, %s'):format(body, refusal),
    ('A %s request.'):format(name:upper()) }
end

---@type call_group[]
local others = {
  { class = 'pact.http', prefix = 'pact.http.', title = 'pact.http',
    doc = 'Requests; they wait for the answer, or give nil, a message and a code.', rows = {
      { 'request', ('fun(request: pact.http_request): pact.http_answer?, %s'):format(refusal), 'Any request.' },
      http_row('get'), http_row('head'), http_row('delete'),
      http_row('post', true), http_row('put', true), http_row('patch', true),
    } },
  { class = 'pact.file', prefix = 'pact.file.', title = 'pact.file', doc = "Files, from the recipe's directory on.",
    rows = {
      { 'read', ('fun(path: string): string?, %s'):format(refusal), 'The whole of a file.' },
      { 'write', ('fun(path: string, text: any): true?, %s'):format(refusal), 'Replaces a file, all or nothing.' },
      { 'append', ('fun(path: string, text: any): true?, %s'):format(refusal), 'Adds to a file.' },
      { 'exists', 'fun(path: string): boolean', 'Whether it is there.' },
      { 'stat', ('fun(path: string): table?, %s'):format(refusal), 'Its type, size and times.' },
      { 'list', ('fun(path?: string): string[]?, %s'):format(refusal), 'The names in a directory.' },
      { 'mkdir', ('fun(path: string): true?, %s'):format(refusal), 'Makes a directory and those above it.' },
      { 'absolute', 'fun(path: string): string', 'The path from the root on.' },
      { 'rename', ('fun(from: string, to: string): true?, %s'):format(refusal), 'Gives a file another name.' },
      { 'remove', ('fun(path: string, options?: table): true?, %s'):format(refusal), 'Removes a file.' },
    } },
  { class = 'pact.json', prefix = 'pact.json.', title = 'pact.json', doc = 'JSON.', rows = {
    { 'encode', 'fun(value: any, options?: { indent: boolean }): string', 'A value as text.' },
    { 'decode', 'fun(text: string): any, string?', 'Text as a value; nil and a message.' },
    { 'array', 'fun(list?: any[]): any[]', 'A list that stays one, even empty.' },
    { 'null', 'any', 'JSON null.' },
  } },
  { class = 'pact.verdicts', prefix = 'pact.verdict.', title = 'pact.verdict',
    doc = 'What hooks of crashed, unhealthy, health_check_failed and failed may return: it decides.',
    rows = {
      { 'restart', 'fun(how?: { after: duration?, count: boolean? }): pact.verdict',
        'Restart it; that counts unless count is false.' },
      { 'wait', 'fun(time: duration): pact.verdict', 'Ask again after that time.' },
      { 'ignore', 'fun(): pact.verdict', 'A crashed one stays stopped, an unhealthy one stays.' },
      { 'fail', 'fun(why?: string): pact.verdict', 'It has failed.' },
    } },
  { class = 'pact.logger', prefix = 'pact.log.', title = 'pact.log', doc = 'Entries of our own log.', rows = {
    { 'log', 'fun(entry: table)', 'An entry with all its fields.' },
    { 'trace', 'fun(category: string, message: string, data?: any)', 'The least important.' },
    { 'debug', 'fun(category: string, message: string, data?: any)', 'For developers.' },
    { 'info', 'fun(category: string, message: string, data?: any)', 'What happens.' },
    { 'warn', 'fun(category: string, message: string, data?: any)', 'What is odd.' },
    { 'error', 'fun(category: string, message: string, data?: any)', 'What went wrong.' },
    { 'process', 'fun(id: string, level: string, message: string, data?: any)', 'Of a process.' },
    { 'container', 'fun(id: string, level: string, message: string, data?: any)', 'Of a container.' },
    { 'network', 'fun(id: string, level: string, message: string, data?: any)', 'Of the network.' },
    { 'performance', 'fun(category: string, what: string, ms: number, data?: any)', 'How long something took.' },
    { 'http_activity', 'fun(method: string, url: string, status: integer, ms: number, data?: any)', 'A request.' },
    { 'resource_usage', 'fun(what: string, figures: table)', 'Processor, memory, disk.' },
    { 'enable_category', 'fun(category: string)', 'Shows entries of this category.' },
    { 'disable_category', 'fun(category: string)', 'Hides entries of this category.' },
    { 'set_min_level', 'fun(level: string)', 'Hides entries below this level.' },
    { 'file_path', 'fun(): string?', 'Where the log is.' },
    { 'stats', 'fun(): table', 'Entries so far, by level and category.' },
  } },
}

---@type call_group
local worker = { class = 'pact.worker_self', inherits = 'pact.handle', prefix = 'self:', title = 'self of a worker',
  doc = "What a worker's `run` gets: its handle, and what only it may do. All of it ends with the worker.", rows = {
    { 'http_server', 'fun(self, options: pact.http_server): pact.server',
      'Listens and answers, from now on; an error where it cannot.' },
    { 'every', 'fun(self, time: duration, fn: fun()): pact.subscription',
      'Calls a function again and again; the time begins anew when it has ended.' },
    { 'after', 'fun(self, time: duration, fn: fun()): pact.subscription', 'Calls a function once, later.' },
    { 'spawn', 'fun(self, fn: function, ...: any): pact.subscription',
      "Runs a function beside `run`; its error is the worker's end, too." },
    { 'sleep', 'fun(self, time: duration)', 'Waits.' },
    { 'print', 'fun(self, ...: any)', "A line of its output; Lua's own print does the same in it." },
    { 'ready', 'fun(self, text?: string)', "It is ready: for ready = 'notify' and health = 'notify'." },
    { 'env', 'table<string, string>', 'Its environment.' },
    { 'config', 'table', 'Its fields, with what they are by default.' },
    { 'epoch', 'integer', 'Which life of it this is; the first is 1.' },
  } }

---@type call_group[]
local server = {
  { class = 'pact.server', prefix = 'server.', title = 'Servers', doc = 'What self:http_server gives.', rows = {
    { 'port', 'integer?', 'Where it listens.' },
    { 'path', 'string?', 'The same, of a Unix socket.' },
    { 'url', 'string?', 'Its address.' },
    { 'close', 'fun(self)', 'Ends it with its connections.' },
  } },
  { class = 'pact.request', prefix = 'request.', title = 'Requests',
    doc = 'What handlers get. They give text, nil (204), a status, a function(write) that streams, or a table: status, '
      .. 'headers and one of json, text, html, body, file, stream = function(write), events = function(send). '
      .. 'An error that is such a table with a status is an answer, too; any other is a 500.',
    rows = {
      { 'method', 'string', 'Such as GET.' },
      { 'path', 'string', 'Decoded, without the query.' },
      { 'query', 'table<string, string>', 'What stands behind the question mark, decoded.' },
      { 'headers', 'table<string, string>', 'By their names in lower case.' },
      { 'body', 'string', 'The whole of it.' },
      { 'params', 'table<string, string>', "What the route's names stand for." },
      { 'remote', 'string', 'From where it comes.' },
      { 'json', 'fun(self): any', 'The body as a value; what is no JSON is answered 400.' },
      { 'events', 'fun(self): pact.event_stream', 'Begins server-sent events.' },
      { 'gone', 'fun(self): boolean', 'Whether its client has left.' },
    } },
  { class = 'pact.response', prefix = 'response.', title = 'Responses', doc = "A handler's second argument.", rows = {
    { 'status', 'integer?', 'Of the head, which the first piece sends.' },
    { 'headers', 'table<string, string|string[]>', 'The same.' },
    { 'write', ('fun(self, bytes: string): true?, %s'):format(refusal),
      'Sends a piece of the body; waits while the client is slow.' },
    { 'events', 'fun(self): pact.event_stream', 'Begins server-sent events.' },
  } },
  { class = 'pact.event_stream', prefix = 'events:', title = 'Server-sent events',
    doc = 'They end when their handler does.', rows = {
      { 'send', ('fun(self, name_or_data: any, data?: any): true?, %s'):format(refusal),
        "An event: ('text'), (table), ('name', data) or { event, data, id, retry, comment }." },
      { 'wait', 'fun(self)', 'Waits until the client has left, while others send.' },
      { 'close', 'fun(self)', 'Ends them.' },
    } },
}

local function pattern_group()
  local rows = {}
  for _, name in ipairs { 'web_server', 'database', 'worker', 'blockchain_node' } do
    rows[#rows + 1] = {
      name, ('fun(options: pact.patterns.%s): pact.template'):format(name), patterns.rows[name].noun.doc,
    }
  end
  return { class = 'pact.patterns', prefix = 'pact.patterns.', title = 'pact.patterns',
    doc = 'Templates: extends = pact.patterns.web_server { port = 3000 }. What the service says itself wins.',
    rows = rows }
end

---@type call_group[] in the order of the reference
M.groups = {
  pact, handle, worker, server[1], server[2], server[3], server[4], others[4], pattern_group(), others[1], others[2],
  others[3], others[5],
}
for _, groups in ipairs { values.groups, require('pact.declare.sim_calls').groups } do
  table.move(groups, 1, #groups, #M.groups + 1, M.groups)
end

return M
