--- A real web stack from Debian's packages: PostgreSQL, Redis, an application, nginx in front.
--
--     tools/run recipes/webstack.lua
--
-- It takes free ports, which stay the same from run to run, and keeps its data beside the recipe in
-- .pactlua/webstack-data. Nothing of the system's own PostgreSQL, Redis or nginx is touched.

local pact = require 'pact'

pact.project 'webstack'

local data = '.pactlua/webstack-data'
local port = {
  postgres = pact.free_port 'postgres',
  redis = pact.free_port 'redis',
  app = pact.free_port 'app',
  web = pact.free_port 'web',
}
local database_url = ('postgres://webstack@127.0.0.1:%d/postgres'):format(port.postgres)

-- PostgreSQL refuses to run as root. Its own user then runs it, and must be able to reach the data.
local as_root = os.execute 'test "$(id -u)" = 0'
local postgres_user = as_root and 'postgres' or nil
if as_root and not os.execute 'setpriv --reuid=postgres --regid=postgres --clear-groups test -x .' then
  error('the user postgres may not enter the directory of this recipe; copy it elsewhere, such as /srv', 0)
end

-- Debian keeps the server's programs off the PATH, in a directory for each version.
local postgres_bin = io.popen('ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1'):read 'l'
if not postgres_bin then
  error('PostgreSQL is not installed; tools/bootstrap --recipe webstack installs what this recipe needs', 0)
end

-- Directories, a new database cluster, nginx's configuration with our ports in it.
pact.task 'prepare' {
  command = { 'webstack/prepare', data },
  env = { POSTGRES_USER = postgres_user, APP_PORT = port.app, WEB_PORT = port.web },
}

pact.task 'initdb' {
  depends_on = { 'prepare' },
  user = postgres_user,
  shell = ([[
    test -s "$DATA/PG_VERSION" && exit
    %s/initdb -D "$DATA" -U webstack -A trust -E UTF8 --no-sync >/dev/null && echo 'a new cluster'
  ]]):format(postgres_bin),
  env = { DATA = data .. '/postgres' },
}

pact.process 'postgres' {
  display_name = 'PostgreSQL', category = 'database',
  depends_on = { 'initdb' },
  user = postgres_user,
  command = {
    postgres_bin .. '/postgres', '-D', data .. '/postgres', '-p', port.postgres,
    '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off',
  },
  ports = { sql = port.postgres },
  health = { command = { 'pg_isready', '-q', '-d', database_url }, interval = '5s' },
  stop = { signal = 'INT', timeout = '15s' },     -- "fast shutdown" in PostgreSQL's words
}

pact.process 'redis' {
  display_name = 'Redis', category = 'database',
  depends_on = { 'prepare' },
  command = { 'redis-server', '--bind', '127.0.0.1', '--port', port.redis, '--dir', data .. '/redis', '--save', '' },
  ports = { port.redis },
  health = { command = { 'redis-cli', '-p', port.redis, 'ping' }, interval = '5s' },
}

pact.task 'migrate' {
  depends_on = { postgres = 'healthy' },
  command = { 'psql', '-q', '-v', 'ON_ERROR_STOP=1', '-f', 'webstack/schema.sql', database_url },
}

-- Its address comes to it in PORT, those of what it depends on in REDIS_PORT and the like.
pact.process 'app' {
  display_name = 'guest book', category = 'application',
  depends_on = { 'migrate', redis = 'healthy' },
  command = { 'perl', 'webstack/app.pl' },
  env = { DATABASE_URL = database_url },
  ports = { port.app },
  health = { http = ('http://127.0.0.1:%d/health'):format(port.app), body = 'ok', interval = '5s' },
}

pact.process 'nginx' {
  category = 'network',
  depends_on = { app = 'healthy' },
  command = { 'nginx', '-p', data .. '/nginx', '-c', 'nginx.conf', '-e', 'stderr' },
  env = { PATH = os.getenv 'PATH' .. ':/usr/sbin' },
  ports = { port.web },
  endpoints = { site = ('http://127.0.0.1:%d/'):format(port.web) },
  health = { http = ('http://127.0.0.1:%d/health'):format(port.web), body = 'ok', interval = '5s' },
  stop = { signal = 'QUIT', timeout = '5s' },     -- finishes the requests under way
}
