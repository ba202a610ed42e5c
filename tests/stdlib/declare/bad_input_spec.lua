--- Each bad recipe, and exactly what is said about it.
local box = require 'recipe_box'

-- `pact` is there on line 1; each recipe has a good service unless it says otherwise
local function said(source, opts)
  local plan, text = box.declare(source, opts)
  assert.is_nil(plan)
  return text
end

-- one service with one thing wrong: the rows are fields and the message behind `devnet.lua:1: process 'a': `
local FIELDS = {
  { "comand = { 'x' }, command = { 'x' }", "unknown key 'comand' (did you mean 'command'?)" },
  { "command = { 'x' }, interval = '5s'", "unknown key 'interval' (it belongs in health = { interval = … })" },
  { "command = { 'x' }, zebra = 1", "unknown key 'zebra'" },
  { "command = { 'x' }, 'y'", "has a value without a name: 'y'" },
  { "command = { 'x' }, health = { tcp = 80, intervall = '5s' }", "unknown key 'health.intervall' (did you mean 'interval'?)" },
  { "command = 'npm start'", "command is a list of words, not text: write command = { 'npm', 'start' }, "
    .. "or shell = 'npm start' for /bin/sh" },
  { "command = {}", "command must name a program, got an empty list" },
  { "command = ''", "command must not be empty" },
  { "command = { 'x', true }", "command[2] must be text, got true" },
  { "command = { 'x', nil, 'y' }", "command has no item 2: is it a variable without a value?" },
  { "command = { 'x', y = 1 }", "command must be a list of words, without the key 'y'" },
  { "command = { 'x' }, shell = 'y'", "has 'command' and 'shell': one of them" },
  { "", "has nothing to run: give it command = { 'program', 'argument' } or shell = 'line'" },
  { "command = { 'x' }, cwd = 5", "cwd must be a path, got 5" },
  { "command = { 'x' }, env = 'A=1'", "env must be a table of variables, got 'A=1'" },
  { "command = { 'x' }, env = { ['A B'] = 1 }", "env has a name that no variable can have: 'A B'" },
  { "command = { 'x' }, env = { A = {} }", "env.A must be text, a number, true, false or a function, got a table" },
  { "command = { 'x' }, env = { 'A' }", "env must have items such as NAME = 'value' or 'NAME=value', got 'A'" },
  { "command = { 'x' }, timeout = '-3s'", "timeout must not be negative, got '-3s'" },
  { "command = { 'x' }, timeout = 30", "timeout is 30: a bare number is milliseconds; write '30s' for seconds or '30ms'" },
  { "command = { 'x' }, timeout = 'soon'", "timeout must be a duration such as '500ms', '30s' or '1m30s', got 'soon'" },
  { "command = { 'x' }, timeout = '99999999999999999999h'",
    "timeout must be at most a year, got '99999999999999999999h'" },
  { "command = { 'x' }, timeout = '0s'", "timeout must be '1ms' or more, got '0s'" },
  { "command = { 'x' }, tty = 'yes'", "tty must be true, false or { columns = 120, rows = 40 }, got 'yes'" },
  { "command = { 'x' }, tty = { columns = 0 }", 'tty.columns must be between 1 and 1000, got 0' },
  { "command = { 'x' }, tty = { colums = 80 }", "unknown key 'tty.colums' (did you mean 'columns'?)" },
  { "command = { 'x' }, stdin = 'opne'", "stdin must be 'open' or 'null', got 'opne' (did you mean 'open'?)" },
  { "command = { 'x' }, restart = 'on-failur'", "restart must be 'no', 'on-failure', 'always' or 'unless-stopped', "
    .. "got 'on-failur' (did you mean 'on-failure'?)" },
  { "command = { 'x' }, restart = { max_retries = 1.5 }", "restart.max_retries must be a whole number or 'unlimited', got 1.5" },
  { "command = { 'x' }, restart = { delay = '1m', max_delay = '1s' }", "restart has a delay above its max_delay" },
  { "command = { 'x' }, restart = { jitter = 2 }", "restart.jitter must be between 0 and 1, got 2" },
  { "command = { 'x' }, restart = { max_retries = 1 }, retries = 2", "'restart.max_retries' is given twice: as 'retries' too" },
  { "command = { 'x' }, displayName = 'A', display_name = 'B'",
    "'display_name' is given twice: as 'displayName' and 'display_name'" },
  { "command = { 'x' }, stop = { signal = 'TREM' }",
    "stop.signal must be a signal such as 'TERM' or 15, got 'TREM' (did you mean 'TERM'?)" },
  { "command = { 'x' }, stop = { signal = 99 }", "stop.signal must be a signal such as 'TERM' or 15, got 99" },
  { "command = { 'x' }, limits = { nofiles = 5 }", "limits.nofiles is no limit (did you mean 'nofile'?)" },
  { "command = { 'x' }, limits = { nofile = { 10, 5 } }", "limits.nofile has a soft limit above its hard one" },
  { "command = { 'x' }, nice = 50", "nice must be between -20 and 19, got 50" },
  { "command = { 'x' }, umask = 22", "umask must be octal digits in text such as '022', got 22" },
  { "command = { 'x' }, success_exit = { 0, 300 }", "success_exit[2] must be between 0 and 255, got 300" },
  { "command = { 'x' }, ports = { 0 }", "ports[1] is 0: pact.free_port 'name' gives a port that is free" },
  { "command = { 'x' }, ports = { http = 70000 }", "ports.http must be between 1 and 65535, got 70000" },
  { "command = { 'x' }, ports = { a = 80, b = 80 }", "ports.b is 80, which is declared twice" },
  { "command = { 'x' }, listen = { http = true }", "listen.http must be a port such as 3000, an address such as "
    .. "'0.0.0.0:3000', 0 or 'auto' for a free port, or the path of a socket such as './run/web.sock', got true" },
  { "command = { 'x' }, listen = 'web.test:80'", "listen[1] must be an address in numbers, or localhost, got 'web.test'" },
  { "command = { 'x' }, listen = '1.2.3.400:80'", "listen[1] must be an address in numbers, or localhost, got '1.2.3.400'" },
  { "command = { 'x' }, listen = 70000", "listen[1] must be a port such as 3000, an address such as '0.0.0.0:3000', "
    .. "0 or 'auto' for a free port, or the path of a socket such as './run/web.sock', got 70000" },
  { "command = { 'x' }, listen = { a = 3000, b = '127.0.0.1:3000' }", "listen.b is 127.0.0.1:3000, which is declared twice" },
  { "command = { 'x' }, listen = { ['a:b'] = 3000 }", "listen has a name that no socket can have: 'a:b'" },
  { "command = { 'x' }, listen = './my socket'",
    "listen[1] has no name that can be told in LISTEN_FDNAMES: write listen = { web = './my socket' }" },
  { "command = { 'x' }, listen = { 'auto', 0 }", "listen[2] names 'auto' a second time" },
  { "command = { 'x' }, listen = '0+'", "listen[1] is 0, from which nothing can count up" },
  { "command = { 'x' }, ports = { 3000 }, listen = { http = 3000 }",
    "listen has 3000, which stands in 'ports', too: what it listens on counts as a port" },
  { "command = { 'x' }, listen = 3000, ready = { tcp = 3000 }", "ready is a connection to 3000, which always succeeds as "
    .. "the socket is bound for the service: ask it something, such as { http = 'http://localhost:3000/' }" },
  { "command = { 'x' }, ports = { '80:80' }",
    "ports[1] must be a port such as 3000, '3000' or { port = 3000, fallback = true }, got '80:80'" },
  { "command = { 'x' }, ports = { { port = 80, fallbak = true } }", "ports[1] has the unknown key 'fallbak' (did you mean 'fallback'?)" },
  { "command = { 'x' }, health = 'web'", "health must be a table such as { http = 'http://localhost:3000/health' }, got 'web'" },
  { "command = { 'x' }, health = { http = 'http://a/', tcp = 80 }", "health has 'http' and 'tcp': one check at a time" },
  { "command = { 'x' }, health = { http = 'localhost:80' }",
    "health.http must be an address such as 'http://localhost:3000/health', got 'localhost:80'" },
  { "command = { 'x' }, health = { tcp = 'localhost' }", "health.tcp must be 'host:port' or a port, got 'localhost'" },
  { "command = { 'x' }, health = { tcp = 80, status = 200 }", "health has 'status', which goes with 'http'" },
  { "command = { 'x' }, health = { http = 'http://a/', status = '20x' }",
    "health.status must be a status such as 204, '2xx' or '200-399', got '20x'" },
  { "command = { 'x' }, health = { command = 'pg_isready -q' }", "health.command is a list of words, not text: "
    .. "write command = { 'pg_isready', '-q' }, or shell = 'pg_isready -q' for /bin/sh" },
  { "command = { 'x' }, health = { log = { regex = '(' } }", "health.log has a regex that is wrong: unmatched (" },
  { "command = { 'x' }, health = { tcp = 80, interval = '1ms' }", "health.interval must be '10ms' or more, got '1ms'" },
  { "command = { 'x' }, health = { tcp = 80, retries = 0 }", "health.retries must be 1 or more, got 0" },
  { "command = { 'x' }, health = { test = { 'CMD', 'x' } }",
    "'health.test' is no field of a service of kind process (only of container)" },
  { "command = { 'x' }, image = 'redis:7'", "'image' is no field of a service of kind process (only of container)" },
  { "command = { 'x' }, depends_on = { 5 }", "depends_on must name services by id or handle, got 5" },
  { "command = { 'x' }, depends_on = { 'a' }", "depends_on names the service itself" },
  { "command = { 'x' }, depends_on = { 'b' }", "depends_on 'b' is not declared" },
  { "command = { 'x' }, depends_on = { nil, 'b' }", "depends_on has no item 1: is it a variable without a value?\n"
    .. "devnet.lua:1: process 'a': depends_on 'b' is not declared" },
  { "command = { 'x' }, on = { crashd = print }", "on 'crashd' is no event (did you mean 'crashed'?)" },
  { "command = { 'x' }, on = { crashed = 5 }", "on.crashed must be a function or the path of a script, got 5" },
  { "command = { 'x' }, on = { crashed = 'hooks/x.lua' }", "on.crashed is the script 'hooks/x.lua', which is not there" },
  { "command = { 'x' }, on_unhealthy = 'restrat'", "on_unhealthy must be 'ignore' or 'restart', got 'restrat' (did you mean 'restart'?)" },
  { "command = { 'x' }, extends = {}", "extends must be a template of pact.template { … }, got an empty table" },
  { "command = { 'x' }, log = { max_size = 'big' }", "log.max_size must be a size such as '512m', '10k' or a number of bytes, got 'big'" },
  { "command = { 'x' }, watch = {}", "watch has no paths: { paths = { 'src/**/*.js' } }" },
  { "command = { 'x' }, watch = { paths = { 'src/[a' } }", "watch.paths[1] has a '[' without its ']'" },
  { "command = { 'x' }, watch = 'a{b'", "watch has a '{' without its '}'" },
  { "command = { 'x' }, watch = { 'a', ignore = { 5 } }", "watch.ignore[1] must be a pattern of paths such as 'src/**/*.js', got 5" },
  { "command = { 'x' }, watch = { 'a', action = 'restrat' }",
    "watch.action must be 'restart' or 'signal', got 'restrat' (did you mean 'restart'?)" },
  { "command = { 'x' }, schedule = { every = '1m', cron = '* * * * *' }", "schedule must have either 'every' or 'cron'" },
  { "command = { 'x' }, schedule = { tz = 'UTC' }", "schedule must have either 'every' or 'cron'" },
  { "command = { 'x' }, schedule = { every = '1m', tz = 'UTC' }", "schedule has 'tz', which goes with 'cron'" },
  { "command = { 'x' }, schedule = { cron = 5 }", "schedule.cron must be a line of cron such as '*/5 * * * *', got 5" },
  { "command = { 'x' }, schedule = { cron = '0 25 * * *' }",
    "schedule.cron has a wrong hour (field 2): '25' is not allowed: 0–23, '*', lists (1,2), ranges (1-3) and steps (*/2)" },
  { "command = { 'x' }, schedule = { cron = '@dayly' }", "schedule.cron is '@dayly', which is none of @annually @daily "
    .. "@hourly @midnight @monthly @weekly @yearly (did you mean '@daily'?)" },
  { "command = { 'x' }, schedule = { cron = '@daily', tz = 'Europe/Berlni' }",
    "schedule.tz 'Europe/Berlni' is no time zone of this machine" },
  { "command = { 'x' }, schedule = { every = '1m' }, restart = 'always'",
    "restart is 'always', so that no run would ever end for the next one" },
  { "command = { 'x' }, tty = true, stdin = 'null'", "tty and stdin = 'null' contradict each other: its terminal is its standard input" },
}

describe('a service with a slip', function()
  for _, row in ipairs(FIELDS) do
    it(('{ %s }'):format(row[1]), function()
      local text = said(("pact.process 'a' { %s }"):format(row[1]))
      assert.equal(("devnet.lua:1: process 'a': %s\n"):format(row[2]), text)
    end)
  end
end)

-- whole recipes, and all that is said
local RECIPES = {
  { 'nothing', '', "devnet.lua: declares nothing and starts nothing: a service is declared by pact.process 'web' { … }\n" },
  { 'the same id twice', "pact.process 'a' { command = { 'x' } }\npact.task 'a' { command = { 'x' } }",
    "devnet.lua:2: task 'a': is declared already, at devnet.lua:1\n" },
  { 'a task that listens', "pact.task 'a' { command = { 'x' }, listen = 3000 }",
    "devnet.lua:1: task 'a': has 'listen', but a task has no next life for which a socket would stay open\n" },
  { 'a worker that listens', "pact.worker 'a' { run = print, listen = 3000 }",
    "devnet.lua:1: worker 'a': 'listen' is no field of a service of kind worker (only of process)\n" },
  { 'two that listen on a port', "pact.process 'a' { command = { 'x' }, listen = 3000 }\npact.process 'b' { command = { 'x' }, ports = { 3000 } }",
    "devnet.lua:2: process 'b': ports 3000 is the port of 'a' too (devnet.lua:1)\n" },
  { 'two that listen on a socket', "pact.process 'a' { command = { 'x' }, listen = './s' }\npact.process 'b' { command = { 'x' }, listen = './s' }",
    "devnet.lua:2: process 'b': listen /net/s is the socket of 'a' too (devnet.lua:1)\n" },
  { 'a service without its table', "pact.process 'a'",
    "devnet.lua:1: process 'a': has no table: write pact.process 'a' { … }\n" },
  { 'a table without an id', "pact.process { command = { 'x' } }",
    "devnet.lua:1: pact.process: takes the id first: pact.process 'id' { … }\n" },
  { 'text where the table should be', "pact.process 'a' 'x'",
    "devnet.lua:1: process 'a': needs a table of fields, got 'x'\n" },
  { 'an unknown dependency', "pact.process 'database' { command = { 'x' } }\n"
    .. "pact.process 'web' { command = { 'x' }, depends_on = { 'databse' } }",
    "devnet.lua:2: process 'web': depends_on 'databse' is not declared (did you mean 'database'?)\n" },
  { 'a cycle', "pact.process 'a' { command = { 'x' }, depends_on = { 'b' } }\n"
    .. "pact.process 'b' { command = { 'x' }, depends_on = { 'c' } }\n"
    .. "pact.process 'c' { command = { 'x' }, depends_on = { 'a' } }",
    "devnet.lua:1: process 'a': depends_on is a cycle: a → b → c → a (a at devnet.lua:1, b at devnet.lua:2, "
    .. "c at devnet.lua:3)\n" },
  { 'a condition that is none', "pact.process 'a' { command = { 'x' } }\n"
    .. "pact.process 'b' { command = { 'x' }, depends_on = { a = 'helthy' } }",
    "devnet.lua:2: process 'b': depends_on.a must be 'ready', 'healthy', 'started' or 'completed', got 'helthy' "
    .. "(did you mean 'healthy'?)\n" },
  { 'healthy of a service without health', "pact.process 'a' { command = { 'x' } }\n"
    .. "pact.process 'b' { command = { 'x' }, depends_on = { a = 'healthy' } }",
    "devnet.lua:2: process 'b': depends_on 'a' can never be healthy: it has no health check\n" },
  { 'conditions that can never hold', "pact.external 'ldap' { health = { tcp = 389 } }\n"
    .. "pact.process 'loop' { command = { 'x' }, restart = 'always' }\n"
    .. "pact.process 'a' { command = { 'x' }, depends_on = { ldap = 'completed', loop = 'completed' } }\n"
    .. "pact.process 'b' { command = { 'x' }, depends_on = { ldap = { log = 'up' } } }",
    "devnet.lua:3: process 'a': depends_on 'ldap' can never be completed: an external service does not end\n"
    .. "devnet.lua:3: process 'a': depends_on 'loop' can never be completed: its restart policy is 'always'\n"
    .. "devnet.lua:4: process 'b': depends_on 'ldap' is external: its output is not seen\n" },
  { 'checks that do not fit', "pact.task 'a' { command = { 'x' }, ready = { log = 'up' } }\n"
    .. "pact.external 'b' { health = 'alive' }",
    "devnet.lua:1: task 'a': has 'ready', but a task is ready when it has completed\n"
    .. "devnet.lua:2: external 'b': health cannot be 'alive': an external service is only probed\n" },
  { 'a global', "\nport = 3000\nfunction help() end\npact.process 'a' { command = { 'x' } }",
    "devnet.lua:2: sets the global 'port': write local port = …\n"
    .. "devnet.lua:3: sets the global 'help': write local function help\n" },
  { 'a variable that is not there', "\nlocal command = 'x'\npact.process 'a' { command = { 'x', commnad } }",
    "devnet.lua:3: 'commnad' has no value here (did you mean 'command'?)\n" },
  { 'a call of what is not there', "\npritn 'x'", "devnet.lua:2: 'pritn' has no value here (did you mean 'print'?)\n" },
  { 'a word of pact that is none', "\npact.proces 'a' {}", "devnet.lua:2: there is no pact.proces (did you mean 'process'?)\n" },
  { 'an assignment to pact', "\npact.colour = 1", "devnet.lua:2: pact.colour cannot be set\n" },
  { 'two services on one port', "pact.process 'a' { command = { 'x' }, ports = { 80 } }\n"
    .. "pact.process 'b' { command = { 'x' }, ports = { web = 80 } }",
    "devnet.lua:2: process 'b': ports 80 is the port of 'a' too (devnet.lua:1)\n" },
  { 'a port that is not declared', "\nlocal db = pact.process 'db' { command = { 'x' }, ports = { sql = 1 } }\n"
    .. "local _ = db.ports.sqll",
    "devnet.lua:3: service 'db' has no port 'sqll' (did you mean 'sql'?)\n" },
  { 'a kind that cannot be run', "pact.container 'redis' { image = 'redis:7', ports = { '6379:6379' } }",
    "devnet.lua:1: container 'redis': this version cannot run services of kind 'container'\n" },
  { 'a worker that does nothing', "pact.worker 'stub' {}\npact.worker 'other' { run = 'x', command = { 'y' } }",
    "devnet.lua:1: worker 'stub': has nothing to run: give it run = function(self) … end\n"
    .. "devnet.lua:2: worker 'other': 'command' is no field of a service of kind worker (only of process and container)\n"
    .. "devnet.lua:2: worker 'other': run must be a function, got 'x'\n" },
  { 'an external without health', "pact.external 'ldap' {}",
    "devnet.lua:1: external 'ldap': needs health, such as { tcp = 'host:389' }: nothing else is known of it\n" },
  { 'a task that is never done', "pact.task 'a' { command = { 'x' }, restart = 'always' }",
    "devnet.lua:1: task 'a': restart is 'always', so that the task would never be completed\n" },
  { 'a command with args that are none', "pact.command('c', { args = 5 }, function() end)",
    "devnet.lua:1: command 'c': args must be a list of texts, or a function that gives one, got 5\n" },
  { 'a command with args that are no text', "pact.command('c', { args = { 'a', 5 } }, function() end)",
    "devnet.lua:1: command 'c': args must hold texts only, has 5\n" },
  { 'a command with a slip', "pact.command('c', { hlp = 'x' }, function() end)",
    "devnet.lua:1: command 'c': unknown key 'hlp' (only 'help' and 'args')\n" },
  { 'an event that is none', "pact.process 'a' { command = { 'x' } }\npact.on('crahsed', function() end)",
    "devnet.lua:2: pact.on: 'crahsed' is no event (did you mean 'crashed'?)\n" },
  { 'a hook without a function', "pact.process 'a' { command = { 'x' } }\npact.on('crashed')",
    "devnet.lua:2: pact.on: 'crashed' must be a function or the path of a script, got nothing\n" },
  { 'a template with a slip', "\nlocal t = pact.template { restrat = 'no' }\n"
    .. "pact.process 'a' { command = { 'x' }, extends = t }",
    "devnet.lua:2: template: unknown key 'restrat' (did you mean 'restart'?)\n" },
  { 'many slips at once', "pact.process 'a' { comand = { 'x' }, nice = 'x' }\npact.process 'b' { command = { 'x' }, depends_on = { 'c' } }",
    "devnet.lua:1: process 'a': unknown key 'comand' (did you mean 'command'?)\n"
    .. "devnet.lua:1: process 'a': nice must be a whole number, got 'x'\n"
    .. "devnet.lua:2: process 'b': depends_on 'c' is not declared\n" },
  { 'an error that it raises', "\nlocal x\nx.y = 1",
    "devnet.lua:3: attempt to index a nil value (local 'x')\nstack traceback:\n\tdevnet.lua:3: in main chunk\n" },
  { 'an error of its own, after a slip', "\nport = 1\nerror 'not like this'",
    "devnet.lua:2: sets the global 'port': write local port = …\n"
    .. "devnet.lua:3: not like this\nstack traceback:\n\tdevnet.lua:3: in main chunk\n" },
  { 'an error that is no text', "\nerror { code = 4 }",
    'devnet.lua:2: raised {"code":4}\nstack traceback:\n\tdevnet.lua:2: in main chunk\n' },
  { 'an error whose text raises', "\nerror(setmetatable({}, { __tostring = function() error 'inner' end }))",
    'devnet.lua:2: an error that has no text\nstack traceback:\n\tdevnet.lua:2: in main chunk\n' },
  { 'an error without a place', "\nerror(nil, 0)",
    'devnet.lua:2: raised nothing\nstack traceback:\n\tdevnet.lua:2: in main chunk\n' },
  { 'a module that is not there', "\nrequire 'nets.main'",
    "devnet.lua:2: module 'nets.main' is not there: neither nets/main.lua nor nets/main/init.lua beside devnet.lua\n" },
  { 'a bad number of starts', "pact.process 'a' { command = { 'x' } }\npact.max_parallel_starts(0)",
    "devnet.lua:2: pact: max_parallel_starts must be 1 or more, got 0\n" },
}

describe('a recipe with', function()
  for _, row in ipairs(RECIPES) do
    it(row[1], function() assert.equal(row[3], said(row[2])) end)
  end

  local ids = {
    { "''", 'process: id must not be empty' },
    { "'a b'", "process: id 'a b': must begin with a letter or digit, then letters, digits, '_', '.' and '-'" },
    { "'../x'", "process: id '../x': must begin with a letter or digit, then letters, digits, '_', '.' and '-'" },
    { "'a\\27[2J'", "process: id 'a\\27[2J': must begin with a letter or digit, then letters, digits, '_', '.' and '-'" },
    { "('x'):rep(65)", 'process: id must have at most 64 characters, has 65' },
    { "5", 'process: id must be text, got 5' },
    { "'pactlua'", "process: id 'pactlua' is taken: our own log has that name" },
  }
  for _, row in ipairs(ids) do
    it('the id ' .. row[1], function()
      assert.equal(('devnet.lua:1: %s\n'):format(row[2]), said(("pact.process(%s) { command = { 'x' } }"):format(row[1])))
    end)
  end
end)

describe('a file that', function()
  local function refused(source, opts)
    local plan, text = box.plan(source, opts)
    assert.is_nil(plan)
    return text
  end

  it('is absent', function()
    assert.equal('devnet.lua: no such file\n', refused(nil))
    assert.equal("devnet.lua: no such file (did you mean 'devnets.lua'?)\n", refused(nil, { files = { ['devnets.lua'] = '' } }))
  end)
  it('is a directory', function()
    assert.equal('devnet.lua: is a directory, not a recipe\n', refused(false))
    assert.equal("devnet.lua: is a directory, not a recipe: it has 'net.lua'\n", refused(false, { files = { ['devnet.lua/net.lua'] = '' } }))
  end)
  it('is empty', function()
    local expected = "devnet.lua: is empty: a recipe declares services, such as pact.process 'web' { … } ('pactlua init' writes one)\n"
    assert.equal(expected, refused '')
    assert.equal(expected, refused ' \n\n')
  end)
  it('is binary', function()
    assert.equal('devnet.lua: is compiled Lua; a recipe is text\n', refused(string.dump(function() end)))
    assert.equal('devnet.lua: is binary; a recipe is Lua text\n', refused '\127ELF\0\0')
  end)
  it('has a syntax error', function()
    for _, row in ipairs {
      { "local pact = require 'pact'\npact.process 'a' {\n  command = \n}\n", "4: syntax error: unexpected symbol near '}'" },
      { "pact.process 'a' { b = 1\n c = 2 }", "2: syntax error: '}' expected (to close '{' at line 1) near 'c' (is a comma missing before it?)" },
      { 'if x != 1 then end', "1: syntax error: 'then' expected near '!' (Lua writes 'not' and '~=')" },
      { 'x = "open', '1: syntax error: unfinished string near <eof>' },
    } do
      assert.equal(('devnet.lua:%s\n'):format(row[2]), refused(row[1]))
    end
  end)
  it('has one in a module beside it', function()
    assert.equal("lib/db.lua:2: syntax error: unexpected symbol near <eof>\n",
      refused("require 'lib.db'", { files = { ['lib/db.lua'] = 'local x =\n' } }))
  end)
end)

describe('a variable of the environment', function()
  local good = "pact.process 'a' { command = { 'x' } }"
  for _, row in ipairs {
    { 'PROCESS_MAX_RETRIES', 'many', "must be a whole number of 0 or more, got 'many'" },
    { 'PROCESS_SHUTDOWN_TIMEOUT', '5', "is '5': a bare number is milliseconds; write '5s' for seconds or '5ms'" },
    { 'PROCESS_RESTART_DELAY', '-1', "must not be negative, got '-1'" },
    { 'HEALTH_CHECK_INTERVAL', '0', "must be 10ms or more, got '0'" },
    { 'TUI_ENABLE_DEBUG', 'perhaps', "must be true or false, got 'perhaps'" },
    { 'DEBUG_LEVEL', 'inof', "must be 'trace', 'debug', 'info', 'warn' or 'error', got 'inof' (did you mean 'info'?)" },
  } do
    it(row[1] .. ' with a bad value', function()
      assert.equal(('environment: %s %s\n'):format(row[1], row[3]), said(good, { env = { [row[1]] = row[2] } }))
    end)
  end
end)

describe('arguments', function()
  local recipe = "local n = pact.option('nodes', { default = 2 })\npact.process 'a' { command = { 'x', n } }"
  it('that are no options of the recipe', function()
    assert.equal("unknown option '--node' (did you mean '--nodes'?)\n", said(recipe, { args = { '--node', '3' } }))
  end)
  it('with a value of the wrong type', function()
    assert.equal("--nodes must be a number, got 'three'\n", said(recipe, { args = { '--nodes=three' } }))
    assert.equal('--nodes needs a value\n', said(recipe, { args = { '--nodes' } }))
  end)
end)
