--- What calls of recipes take and give besides plain values: options, results, events, and the objects with methods.

local M = {}

local refusal = 'string?, string?'
local wait = '{ timeout: duration }'

---@type call_group
M.event = { class = 'pact.event', prefix = 'event.', title = 'An event',
  doc = "A hook's second argument. What has no meaning for an event is nil; each event's own fields stand at Events.",
  rows = {
    { 'name', 'string', 'Such as crashed.' },
    { 'at', 'integer', 'When, as milliseconds of the wall clock.' },
    { 'mono', 'integer', 'The same by a clock that never jumps.' },
    { 'service', 'string?', 'The id of its service.' },
    { 'epoch', 'integer?', 'Which life of the service it is about; the first is 1.' },
    { 'from', 'pact.status?', 'The status before it.' },
    { 'to', 'pact.status?', 'The status behind it.' },
    { 'reason', 'string?', 'Why, for people.' },
    { 'exit_code', 'integer?', 'Of the end that it is about.' },
    { 'signal', 'string?', 'The signal of that end, such as KILL.' },
    { 'core', 'boolean?', 'That end left a core dump.' },
    { 'uptime', 'integer?', 'How long it lived until that end, in milliseconds.' },
    { 'attempt', 'integer?', 'Restarts that count against max_retries.' },
    { 'restart_count', 'integer?', "All restarts but a person's, since the last lasting life." },
    { 'pid', 'integer?', 'Of its process.' },
    { 'held_by', 'string?', 'Of started: the dependency whose condition was the last to hold.' },
    { 'spent', 'table<pact.life, integer>?',
      'Milliseconds that it was waiting, starting or stopping since its last event.' },
    { '[string]', 'any', 'What else an event has.' },
  } }

---@type call_group
M.exit = { class = 'pact.exit', prefix = 'exit.', title = 'Exits',
  doc = 'restart = function(exit, history) … end gets the present one, and the last 20 of the service with it, oldest '
    .. 'first. It gives a delay, or nil for enough. service.history has the same.',
  rows = {
    { 'code', 'integer?', 'Its exit status; nil when a signal ended it.' },
    { 'signal', 'string?', 'The signal that ended it, such as KILL.' },
    { 'uptime', 'integer', 'How long it lived, in milliseconds.' },
    { 'at', 'integer', 'When it ended, as milliseconds of the wall clock.' },
    { 'reason', 'string', 'Why, for people.' },
    { 'requested', 'boolean', 'It was stopped or restarted by somebody.' },
    { 'epoch', 'integer', 'Which life of the service it was; the first is 1.' },
  } }

---@type call_group
M.act = { class = 'pact.act', prefix = 'options.', title = 'Options of start, stop, restart, scale',
  doc = 'A second argument: service:restart { wait = false }.', rows = {
    { 'wait', "boolean|'started'|'ready'|'healthy'|nil",
      'What is waited for: true until it is ready or stopped, which is the default; false returns at once.' },
    { 'timeout', 'duration?', "How long to wait at most; then nil, a message and 'timeout'. What was begun goes on." },
    { 'with_dependents', 'boolean?', 'Of stop and restart: those that depend on it, too.' },
    { 'no_deps', 'boolean?', 'Of start: not what it needs.' },
  } }

---@type call_group
M.command = { class = 'pact.command', prefix = 'about.', title = 'What pact.command takes besides its function',
  doc = "pact.command('seed', { help = 'fill it', args = { 'small', 'large' } }, function(args) … end).", rows = {
    { 'help', 'string?', 'A line for people.' },
    { 'args', 'string[]|fun(args: string[]): string[]|nil',
      'What shells offer behind it; a function gets what stands there already.' },
  } }

---@type call_group
M.exec = { class = 'pact.exec', prefix = 'exec.', title = 'What pact.exec and service:exec take',
  doc = "A program and its arguments as a list, and fields: pact.exec { 'npm', 'test', cwd = 'web', timeout = '1m' }.",
  rows = {
    { '[integer]', 'string|number', 'The program and its arguments; no shell reads them.' },
    { 'shell', 'string?', 'A line for /bin/sh instead.' },
    { 'cwd', 'string?', "The directory; by default the recipe's, or the service's." },
    { 'env', 'table<string, string|number|boolean>?', 'Variables to add; false takes one away.' },
    { 'stdin', 'string?', 'What it reads; nothing by default.' },
    { 'timeout', 'duration?', 'When it is over the program is killed; 5m by default.' },
    { 'max_output', 'size?', 'So much of each stream is kept.' },
    { 'stdout', "'say'|nil", 'Also shown.' },
    { 'stderr', "'say'|nil", 'Also shown.' },
  } }

---@type call_group
M.exec_result = { class = 'pact.exec_result', prefix = 'result.', title = 'What pact.exec gives',
  doc = 'A program that fails is no error: look at status.', rows = {
    { 'status', 'integer?', 'Its exit status; nil when a signal ended it; 127 not found, 126 not executable.' },
    { 'signal', 'string?', 'The signal that ended it, such as TERM.' },
    { 'stdout', 'string', 'What it wrote.' },
    { 'stderr', 'string', 'What it wrote as errors.' },
    { 'timed_out', 'boolean?', 'It was killed because its timeout was over.' },
    { 'truncated', 'boolean?', 'It wrote more than is kept.' },
    { 'error', 'string?', 'Why it could not be started.' },
  } }

---@type call_group
M.http_request = { class = 'pact.http_request', prefix = 'http_request.', title = 'What pact.http takes',
  doc = "pact.http.get(url, { … }), pact.http.post(url, body, { … }), or all in one: pact.http.request { url = … }.",
  rows = {
    { 'url', 'string?', 'The address.' },
    { 'method', 'string?', 'GET by default, POST with a body.' },
    { 'headers', 'table<string, string>?', 'Headers of the request.' },
    { 'body', 'any', 'Text; a table is sent as JSON.' },
    { 'json', 'any', 'Sent as JSON, whatever it is.' },
    { 'timeout', 'duration?',
      'For all of it, 30s by default; with stream the longest silence. A hook that decides has 10s.' },
    { 'max_body', 'size?', 'So much of the body is kept; 16m by default.' },
    { 'redirects', 'integer?', 'So many are followed, to the same host; 5 by default.' },
    { 'insecure', 'boolean?', 'Take any TLS certificate.' },
    { 'stream', '(fun(piece: string, answer: pact.http_answer): boolean?)?',
      'Gets the body piece by piece; false ends the request.' },
  } }

---@type call_group
M.http_answer = { class = 'pact.http_answer', prefix = 'answer.', title = 'What pact.http gives',
  doc = "A status such as 503 is an answer. Without any: nil, a message and a code such as 'refused' or 'timeout'.",
  rows = {
    { 'status', 'integer', 'Such as 200.' },
    { 'headers', 'table<string, string>', 'By their names in lower case.' },
    { 'body', 'string', 'The whole of it.' },
    { 'json', 'fun(self): any, string?', 'answer:json(): the body as a value; nil and a message.' },
    { 'url', 'string', 'The address that answered.' },
    { 'ms', 'integer', 'How long it took.' },
    { 'truncated', 'boolean?', 'The body was longer than max_body.' },
  } }

---@type call_group
M.log_filter = { class = 'pact.log_filter', prefix = 'filter.', title = 'Which lines service:logs gives',
  doc = "service:logs { grep = 'error', since = '5m' }.", rows = {
    { 'count', 'integer?', 'So many at most, the last ones; 100 by default.' },
    { 'since', 'duration?', 'No older than that; a number is milliseconds of the wall clock.' },
    { 'grep', 'pact.pattern?', "What they have: text, or { regex = '…' }." },
    { 'stream', "'stdout'|'stderr'|nil", 'Of one stream only.' },
    { 'epoch', 'integer?', 'Of one life only.' },
  } }

---@type call_group
M.log_line = { class = 'pact.log_line', prefix = 'line.', title = 'Lines of output', doc = 'What service:logs gives.',
  rows = {
    { 'text', 'string', 'Without its end.' },
    { 'at', 'integer', 'When it came, as milliseconds of the wall clock.' },
    { 'stream', 'integer', '1 is stdout, 2 stderr, 3 what pactlua says of it.' },
    { 'epoch', 'integer', 'Of which life of the service.' },
  } }

---@type call_group
M.spawned = { class = 'pact.spawned', prefix = 'task:', title = 'What pact.spawn gives',
  doc = 'A function that runs beside the others. It ends with the network, or with a reload.', rows = {
    { 'wait', ('fun(self, options?: %s): any'):format(wait),
      'Waits for its end: what it returned, or nil, a message and a code.' },
    { 'cancel', 'fun(self)', 'Ends it where it waits.' },
    { 'status', "fun(self): 'running'|'done'|'failed'|'cancelled'", 'What became of it.' },
  } }

---@type call_group
M.queue = { class = 'pact.queue', prefix = 'queue:', title = 'Queues',
  doc = 'pact.queue(3) has room for three values, pact.queue() for one. #queue is how many wait to be taken.', rows = {
    { 'put', ('fun(self, value: any, options?: %s): true?, %s'):format(wait, refusal),
      "Puts a value behind the others; waits while it is full. Else nil, a message and 'timeout' or 'closed'." },
    { 'take', ('fun(self, options?: %s): any, %s'):format(wait, refusal),
      "Takes the oldest value; waits while there is none. Else nil, a message and 'timeout' or 'closed'." },
    { 'close', 'fun(self)', 'Nothing more comes: what is in it can still be taken.' },
  } }

---@type call_group
M.subscription = { class = 'pact.subscription', prefix = 'subscription:', title = 'What pact.on, every and after give',
  doc = 'Of a hook or a timer.', rows = { { 'off', 'fun(self)', 'Ends it.' } } }

---@type call_group[] in the order of the reference
M.groups = {
  M.event, M.exit, M.act, M.command, M.exec, M.exec_result, M.http_request, M.http_answer, M.log_filter,
  M.log_line, M.spawned, M.queue, M.subscription,
}

return M
