--- What tests of recipes call: `require 'pact.sim'`, for help, editors and the reference.

local M = {}

local net = 'pact.simulation'

-- What can happen to a service, each a method that is called with its id.
local HAPPENS = {
  { 'crash', "(boolean|integer|string)", "Its process ends: an exit code, or a signal such as 'KILL'." },
  { 'exit', 'integer', 'Its process ends with that exit code.' },
  { 'hang', '(boolean|duration)', 'Its process lives but answers nothing; a restart heals it.' },
  { 'unhealthy', '(boolean|string)', 'Its health checks fail, with that reason, until recover.' },
  { 'recover', 'boolean', 'It hangs no more and is healthy.' },
  { 'says', 'string', 'A line of its output.' },
  { 'slow_start', 'duration', 'Each start takes so long until its checks succeed.' },
  { 'takes', 'duration', 'A task takes so long.' },
  { 'start_fails', '(boolean|string)', "It can't be started: an error's name such as 'ENOENT'." },
  { 'deaf', 'boolean', 'It ignores its stop signal.' },
}

---@type call_group
M.sim = { class = 'pact.sim', prefix = 'sim.', title = 'pact.sim', module = 'pact.sim',
  doc = "What `require 'pact.sim'` gives: a recipe played in virtual time, for tests under busted or plain Lua 5.4.",
  rows = {
    { 'new', ('fun(recipe: string|fun(pact: pact), options?: pact.sim_options): %s'):format(net),
      'Begins: the path of a recipe, or a function that declares. A question without an answer raises in the test.' },
  } }

---@type call_group
M.options = { class = 'pact.sim_options', prefix = 'options.', title = 'Options of sim.new',
  doc = "sim.new('devnet.lua', { seed = 1, env = { CI = '1' } }).", rows = {
    { 'faults', 'string|table[]|nil', "Rows as in a faults file, or its path: see 'pactlua help simulate'." },
    { 'random', '{ every: duration }|boolean|nil', 'Faults at random, too.' },
    { 'seed', 'integer?', 'Of all that is chance: the same for the same number.' },
    { 'wall', 'integer?', 'What the clock says at the beginning, as milliseconds since 1970.' },
    { 'env', 'table<string, string>?', 'The environment.' },
    { 'args', 'string[]?', "The recipe's arguments." },
    { 'directory', 'string?', 'From where the recipe is looked for.' },
    { 'ids', 'string[]?', 'These services and what they need.' },
    { 'only', 'string[]?', 'The same, and what else it took.' },
    { 'except', 'string[]?', 'All but these.' },
    { 'category', 'string[]?', 'Services of these categories.' },
    { 'tag', 'string[]?', 'Services with one of these tags.' },
    { 'profile', 'string[]?', 'Also services of these profiles.' },
  } }

local function answer(name, what, doc)
  return { name, ('fun(self, %s, answer: table): %s'):format(what, net), doc }
end

---@type call_group
M.net = { class = net, prefix = 'net:', title = 'Simulations',
  doc = 'What sim.new gives: time, what happens, what the world answers, what became of it.', rows = {
    { 'advance', ('fun(self, time: duration): %s'):format(net), 'Lets so much time pass.' },
    { 'until_', 'fun(self, goal: table<string, pact.status>|fun(self): (any), limit?: duration): boolean',
      "Lets time pass until { web = 'running' } or a function is true; false when the limit of 10m comes first." },
    { 'now', 'fun(self): integer', 'Milliseconds since the beginning.' },
    { 'status', 'fun(self, id: string): pact.status', 'Of a service.' },
    { 'service', 'fun(self, id: string): table', 'All that is known of a service now.' },
    { 'tail', 'fun(self, id: string, count?: integer): string', 'The last lines of its output.' },
    { 'events', 'fun(self, filter?: string|table): pact.moment[]',
      "What has happened: all, one event's, or those with such fields; `since` is a time of net:now()." },
    { 'count', 'fun(self, filter?: string|table): integer', 'How many that are.' },
    { 'said', 'fun(self): string', 'What print and pact.notify of the recipe said.' },
    { 'timeline', 'fun(self): string', "All of it as 'pactlua simulate' prints it." },
    { 'ended', 'fun(self): table?', 'How the network has ended; nil while it is up.' },
    { 'result', 'fun(self): integer', '0, or 3 when a wanted service has failed or never became ready.' },
    answer('http', 'url: string',
      "What an address answers from now on: net:http('http://…', { status = 200, body = 'ok' })."),
    answer('exec', 'command: string|string[]',
      "What a program comes to: net:exec({ 'npm', 'run', 'seed' }, { status = 0, stdout = 'done' })."),
    answer('file', 'path: string', "A file: net:file('version', { content = '3' })."),
    answer('port', 'port: integer', "A port that another program holds: net:port(3000, { holder = 'nginx' })."),
    { 'script', ('fun(self, rows: table[]): %s'):format(net), 'Rows as in a faults file, from now on.' },
    { 'start', 'fun(self, id: string): true?, string?', 'As a person does.' },
    { 'stop', 'fun(self, id: string): true?, string?', 'The same.' },
    { 'restart', 'fun(self, id: string): true?, string?', 'The same.' },
  } }

for _, row in ipairs(HAPPENS) do
  table.insert(M.net.rows, {
    row[1], ('fun(self, id: string, value?: %s, options?: table): %s'):format(row[2], net), row[3],
  })
end

---@type call_group
M.moment = { class = 'pact.moment', prefix = 'moment.', title = 'What net:events gives',
  doc = 'One thing that happened.', rows = {
    { 'at', 'integer', 'Milliseconds since the beginning.' },
    { 'event', 'string', "An event's name; also fault, hook_ended, print." },
    { 'service', 'string?', 'Its id.' },
    { 'reason', 'string?', 'Why.' },
    { 'by', 'table?', 'Who decided it: by.words says so for people.' },
    { 'data', 'table?', "The event's own fields." },
  } }

---@type call_group[]
M.groups = { M.sim, M.options, M.net, M.moment }

return M
