--- The verbs of the command line, as data: parsing, help and the choice of what runs come from here.

---@class cli_verb
---@field name string
---@field args string
---@field help string
---@field role? 'network' with front, guard and engine; the others run in a process alone
---@field options? string[]
---@field words integer[] how many it takes, at least and at most
---@field recipe? boolean its first word may be a recipe
---@field rest? 'args'|'command' what stands behind `--`: the recipe's arguments, or a program to run
---@field optional? boolean it may do without that program
---@field offers? offer[] what shells offer as its first word and as those behind it, where `args` doesn't tell
---@field about? string a module whose `help()` stands below its options
---@field module? string of control/verbs that runs it in a process alone

local MANY = math.maxinteger

---@type cli_verb[]
local rows = {
  { name = 'up', args = '[RECIPE] [ID…] [-- ARGS…]', words = { 0, MANY }, recipe = true, rest = 'args',
    role = 'network', help = 'start a network and stay with it',
    options = { 'only', 'except', 'category', 'tag', 'profile', 'no-deps', 'no-tui', 'exit', 'abort-on-failure',
      'timeout', 'json', 'detach', 'no-wait', 'linger', 'listen', 'allow-origin', 'watch-recipe' },
    about = 'pact.control.verbs.up_help' },
  { name = 'run', args = '[RECIPE] -- CMD…', words = { 0, MANY }, recipe = true, rest = 'command', role = 'network',
    help = 'start, run CMD when all is ready, shut down',
    options = { 'only', 'except', 'category', 'tag', 'profile', 'no-deps', 'timeout', 'listen', 'allow-origin' } },
  { name = 'ci', args = '[RECIPE] [ID…] [-- CMD…]', words = { 0, MANY }, recipe = true, rest = 'command',
    optional = true, role = 'network', help = 'see whether all becomes ready, run CMD if there is one, shut down',
    options = { 'only', 'except', 'category', 'tag', 'profile', 'no-deps', 'timeout', 'junit', 'listen',
      'allow-origin' } },
  { name = 'check', args = '[RECIPE] [-- ARGS…]', words = { 0, 1 }, recipe = true, rest = 'args', module = 'check',
    help = 'say what is wrong with a recipe', options = { 'json' } },
  { name = 'plan', args = '[RECIPE] [-- ARGS…]', words = { 0, 1 }, recipe = true, rest = 'args', module = 'check',
    help = 'show what would start, in which order', options = { 'json', 'profile' } },
  { name = 'graph', args = '[RECIPE] [-- ARGS…]', words = { 0, 1 }, recipe = true, rest = 'args', module = 'check',
    help = 'draw what depends on what', options = { 'dot', 'mermaid' } },
  { name = 'simulate', args = '[RECIPE] [-- ARGS…]', words = { 0, 1 }, recipe = true, rest = 'args',
    module = 'simulate', about = 'pact.sim.rows',
    help = 'play a recipe in virtual time, its policies and hooks against faults',
    options = { 'faults', 'seed', 'for', 'json', 'only', 'except', 'category', 'tag', 'profile' } },
  { name = 'ps', args = '[ID…]', words = { 0, MANY }, module = 'ps',
    help = 'show the services of the live network', options = { 'json', 'tree' } },
  { name = 'why', args = 'ID', words = { 1, 1 }, module = 'why', help = 'tell why a service is as it is' },
  { name = 'logs', args = '[ID…]', words = { 0, MANY }, module = 'logs', help = 'show what services wrote',
    options = { 'follow', 'lines', 'since', 'grep', 'previous', 'json' } },
  { name = 'start', args = 'ID…', words = { 1, MANY }, module = 'act', help = 'start services and what they need' },
  { name = 'stop', args = 'ID…', words = { 1, MANY }, module = 'act', help = 'stop services' },
  { name = 'restart', args = 'ID…', words = { 1, MANY }, module = 'act', help = 'restart services',
    options = { 'with-dependents' } },
  { name = 'signal', args = 'ID…', words = { 1, MANY }, module = 'act', help = 'send a signal to services',
    options = { 'signal' } },
  { name = 'send', args = 'ID TEXT…', words = { 2, MANY }, module = 'send',
    help = "write a line to a service's standard input" },
  { name = 'attach', args = 'ID', words = { 1, 1 }, module = 'attach', options = { 'detach-keys' },
    about = 'pact.control.verbs.attach',
    help = 'use the terminal of a service that has one (tty = true)' },
  { name = 'exec', args = 'ID -- CMD…', words = { 1, 1 }, rest = 'command', module = 'exec',
    help = "run CMD with a service's environment, directory and user" },
  { name = 'env', args = '[ID]', words = { 0, 1 }, module = 'env', options = { 'json', 'dotenv' },
    help = 'show the addresses of the live network, or the environment of a service' },
  { name = 'open', args = 'ID [ENDPOINT]', words = { 1, 2 }, module = 'open', offers = { 'ids', 'endpoints' },
    help = 'open the address of a service in a browser' },
  { name = 'scale', args = 'ID=N…', words = { 1, MANY }, module = 'scale',
    help = 'give groups of replicas so many instances' },
  { name = 'reload', args = '', words = { 0, 0 }, module = 'reload', options = { 'dry-run', 'json' },
    help = 'go over to the recipe as it is written now: the least is stopped and started' },
  { name = 'wait', args = '[ID…]', words = { 0, MANY }, module = 'wait', help = 'wait until services are ready',
    options = { 'for', 'timeout' } },
  { name = 'events', args = '', words = { 0, 0 }, module = 'events', help = 'show what has happened',
    options = { 'follow', 'json' } },
  { name = 'top', args = '[ID…]', words = { 0, MANY }, module = 'top', about = 'pact.control.verbs.top',
    help = 'show what services use, looked at each second', options = { 'sort', 'samples', 'json' } },
  { name = 'timeline', args = '[ID…]', words = { 0, MANY }, module = 'timeline', offers = { 'services' },
    help = 'draw how a run started: who waited for what, and what took longest',
    options = { 'run', 'previous', 'all', 'from', 'to', 'svg', 'html', 'json' } },
  { name = 'do', args = 'COMMAND [ARGS…]', words = { 1, MANY }, module = 'do', rest = 'args',
    offers = { 'commands', 'arguments' },
    help = "run one of the recipe's commands in the live network" },
  { name = 'eval', args = 'CODE|-', words = { 1, 1 }, module = 'eval',
    help = "run Lua text in the live network's own state, where svc is the table of its services; -: standard input" },
  { name = 'repl', args = '[RECIPE] [-- ARGS…]', words = { 0, 1 }, recipe = true, rest = 'args', module = 'repl',
    about = 'pact.control.repl.help',
    help = "a prompt at the live network's own Lua state; with RECIPE one is begun, with nothing started" },
  { name = 'down', args = '', words = { 0, 0 }, module = 'down',
    help = 'shut the live network down, and wait until all of it has ended', options = { 'force', 'volumes' } },
  { name = 'doctor', args = '[RECIPE]', words = { 0, 1 }, recipe = true, module = 'doctor',
    help = 'check that this machine has what is needed', options = { 'json' } },
  { name = 'init', args = '[FILE]', words = { 0, 1 }, module = 'first_recipe',
    help = 'write a first recipe, and settings for editors', options = { 'editor' } },
  { name = 'help', args = '[COMMAND|FIELD]', words = { 0, 1 }, module = 'help', offers = { 'topics' },
    help = 'tell about a command, a field or a call', options = { 'markdown' } },
  { name = 'completion', args = 'bash|zsh|fish', words = { 1, MANY }, module = 'completion',
    about = 'pact.control.verbs.completion',
    help = 'what a shell evaluates to complete words' },
  { name = 'version', args = '', words = { 0, 0 }, module = 'version', help = 'the version' },
}

local M = { rows = rows, by_name = {} }
for _, row in ipairs(rows) do
  row.options = row.options or {}
  M.by_name[row.name] = row
end

return M
