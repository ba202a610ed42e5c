--- A tour in ten seconds that needs nothing but a POSIX shell.
--
--     pactlua recipes/quickstart.lua
--
-- Four small processes stand for a real network: a database, a migration, an API and a web server.
-- Watch for: each starts when what it depends on is ready; the API crashes twice and is brought back,
-- the second time after a longer pause; the web server stops answering its health check and is
-- restarted; at the end everything is stopped in reverse order, and nothing is left.

local pact = require 'pact'

pact.project 'quickstart'

-- A recipe is a Lua program: what several services share is a variable. This shell text is how
-- our make-believe servers live on until they are asked to stop.
local serve_until_stopped = [[
  trap 'echo "closing"; exit 0' TERM
  while true; do sleep 60 & wait; done
]]

-- A process is ready when its health check has succeeded; without one, when it has started. Here
-- the check is a line of its own output.
local database = pact.process 'database' {
  shell = [[
    echo 'opening the store'
    sleep 1
    echo 'ready to accept connections'
  ]] .. serve_until_stopped,
  health = { log = 'ready to accept connections' },
}

-- A task does its work and ends: it is ready when it has completed with success.
pact.task 'migrate' {
  depends_on = { database },
  shell = 'echo "creating tables"; sleep 0.5; echo "3 tables created"',
}

-- This one crashes in its first two lives. PACTLUA_RUN is a directory that every run has to
-- itself; the file in it counts the lives. The pause before a restart doubles each time.
pact.process 'api' {
  depends_on = { 'migrate' },
  restart = { policy = 'on-failure', max_retries = 5, delay = '500ms', factor = 2 },
  shell = [[
    echo life >>"$PACTLUA_RUN/api.lives"
    lives=$(wc -l <"$PACTLUA_RUN/api.lives")
    sleep 0.4
    if [ "$lives" -le 2 ]; then
      echo "out of memory, said the API in life $lives" >&2
      exit 70
    fi
    echo 'listening'
  ]] .. serve_until_stopped,
  health = { log = 'listening' },
}

-- A health check may be any command. While it has not succeeded once, the service is starting;
-- later, `retries` failures in a row make it unhealthy, and `on_unhealthy` says what to do then.
pact.process 'web' {
  depends_on = { api = 'healthy' },
  health = { command = { 'sh', '-c', 'test -e "$PACTLUA_RUN/web.answers"' }, interval = '500ms', retries = 2 },
  on_unhealthy = 'restart',
  restart = { delay = '500ms' },
  shell = [[
    touch "$PACTLUA_RUN/web.answers"
    if [ -e "$PACTLUA_RUN/web.was_stuck" ]; then
      echo 'serving again'
    else
      echo 'serving'
      (sleep 1.5; echo 'stuck: no answers from here on'
       touch "$PACTLUA_RUN/web.was_stuck"; rm "$PACTLUA_RUN/web.answers") &
    fi
  ]] .. serve_until_stopped,
}

-- The end of the tour waits for a line of the web server's second life. It is essential: when it
-- has ended, the whole network is shut down, and pactlua ends with its exit status.
pact.task 'finale' {
  depends_on = { web = { log = 'serving again' } },
  shell = 'sleep 1; echo "that was the tour: all services recovered, now everything stops in order"',
  essential = true,
}
