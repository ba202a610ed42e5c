--- Who does the same work: an adapter for each supervisor, the floor and ours first.
local bench = require 'setting'
local cjson = require 'cjson'

---@class adapter
---@field name string
---@field program string looked for on PATH
---@field files? fun(job: table): table<string, string> below the job's directory; '#!' makes a script
---@field argv fun(job: table): string[]
---@field log string what holds a flood's bytes, as a pattern below the job's directory
---@field stop? string signal, default TERM
---@field terminal? boolean it wants one
---@field quiet? boolean what it writes itself is thrown away
---@field cannot? { restart?: string } why not
---@field note? string what else to know of its figures

-- The output of the supervisor itself, kept by the harness.
local OWN_OUTPUT = '.run/out'

local function single_quoted(text) return "'" .. text:gsub("'", "''") .. "'" end

-- One text for each service, by a function, between a head and a foot.
local function text_of(job, head, each)
  local out = { head }
  for _, service in ipairs(job.services) do out[#out + 1] = each(service) end
  return table.concat(out, '\n') .. '\n'
end

-- Scripts `run` and `log/run` of each service, as runit and s6 want them.
local function run_scripts(job, logger)
  local files = {}
  for _, service in ipairs(job.services) do
    local at = ('service/%s/'):format(service.name)
    files[at .. 'run'] = ('#!/bin/sh\nexec %s 2>&1\n'):format(bench.line(service.argv))
    files[at .. 'log/run'] = ('#!/bin/sh\nexec %s %s/log/%s\n'):format(logger, job.dir, service.name)
  end
  return files
end

local function procfile(job)
  return { Procfile = text_of(job, '', function(s) return ('%s: exec %s'):format(s.name, bench.line(s.argv)) end) }
end

return {
  {
    name = 'floor', program = bench.floor, log = '0.log',
    argv = function(job)
      local words = { bench.floor, job.dir, tostring(#job.services) }
      return table.move(job.services[1].argv, 1, #job.services[1].argv, #words + 1, words)
    end,
  },
  {
    name = 'pactlua', program = bench.bin, log = '.pactlua/bench/runs/*/flood.log', quiet = true,
    files = function(job)
      local head = [[
        local pact = require 'pact'
        pact.project 'bench'
        pact.defaults { restart = { policy = 'always', delay = 0 }, log = { max_size = '4g' } }]]
      return {
        ['net.lua'] = text_of(job, head, function(s)
          local words = {}
          for i, word in ipairs(s.argv) do words[i] = ('%q'):format(word) end
          return ('pact.process %q { command = { %s }, %s }'):format(s.name, table.concat(words, ', '), job.extra or '')
        end),
      }
    end,
    argv = function() return { bench.bin, 'net.lua', '--no-tui' } end,
  },
  {
    name = 'process-compose', program = 'process-compose', log = 'log/flood.log', quiet = true,
    files = function(job)
      return {
        ['log/.keep'] = '',
        ['process-compose.yaml'] = text_of(job, 'version: "0.5"\nprocesses:', function(s)
          return ([[
  %s:
    command: %s
    availability: { restart: always, backoff_seconds: 0 }
    log_location: %s/log/%s.log
    log_configuration: { disable_json: true, no_metadata: true }]])
            :format(s.name, single_quoted('exec ' .. bench.line(s.argv)), job.dir, s.name)
        end),
      }
    end,
    argv = function()
      return { 'process-compose', 'up', '--config', 'process-compose.yaml', '--tui=false', '--no-server' }
    end,
  },
  {
    name = 'mprocs', program = 'mprocs', log = 'log/*flood*', terminal = true,
    files = function(job)
      return {
        ['mprocs.yaml'] = text_of(job, 'procs:', function(s)
          local words = {}
          for i, word in ipairs(s.argv) do words[i] = single_quoted(word) end
          return ('  %s: { cmd: [%s], autorestart: true }'):format(s.name, table.concat(words, ', '))
        end),
      }
    end,
    argv = function(job) return { 'mprocs', '--config', 'mprocs.yaml', '--log-dir', job.dir .. '/log' } end,
  },
  {
    name = 'supervisord', program = 'supervisord', log = 'log/flood.log', quiet = true,
    files = function(job)
      local head = ('[supervisord]\nnodaemon=true\nlogfile=%s/own.log\npidfile=%s/pid\n'):format(job.dir, job.dir)
      return {
        ['log/.keep'] = '',
        ['supervisord.conf'] = text_of(job, head, function(s)
          return ([[
[program:%s]
command=%s
autorestart=true
startsecs=0
redirect_stderr=true
stdout_logfile=%s/log/%s.log
stdout_logfile_maxbytes=0]]):format(s.name, bench.line(s.argv):gsub('%%', '%%%%'), job.dir, s.name)
        end),
      }
    end,
    argv = function() return { 'supervisord', '-c', 'supervisord.conf' } end,
  },
  {
    name = 'runit', program = 'runsvdir', log = 'log/flood/*', stop = 'HUP',
    files = function(job)
      local files = run_scripts(job, 'svlogd')
      for _, service in ipairs(job.services) do files[('log/%s/config'):format(service.name)] = 's0\nn0\n' end
      return files
    end,
    argv = function(job) return { 'runsvdir', job.dir .. '/service' } end,
  },
  {
    name = 's6', program = 's6-svscan', log = 'log/flood/*',
    files = function(job)
      local files = run_scripts(job, 's6-log n9999 s268435455')
      files['log/.keep'] = ''
      return files
    end,
    argv = function(job) return { 's6-svscan', '-c', '5000', job.dir .. '/service' } end,
    note = 'starts nothing twice within a second',
  },
  {
    name = 'dinit', program = 'dinit', log = 'log/flood.log', quiet = true,
    files = function(job)
      local files = {
        ['log/.keep'] = '',
        ['service/boot'] = text_of(job, 'type = internal', function(s) return 'waits-for = ' .. s.name end),
      }
      for _, service in ipairs(job.services) do
        files['service/' .. service.name] = ([[
type = process
command = %s
restart = true
restart-delay = 0
restart-limit-count = 0
logfile = %s/log/%s.log
]]):format(table.concat(service.argv, ' '), job.dir, service.name)
      end
      return files
    end,
    argv = function(job)
      return { 'dinit', '--user', '--services-dir', job.dir .. '/service', '--socket-path', job.dir .. '/ctl', 'boot' }
    end,
    note = 'services write their log files by themselves',
  },
  {
    name = 'overmind', program = 'overmind', log = OWN_OUTPUT, files = procfile,
    argv = function(job)
      return {
        'overmind', 'start', '--procfile', 'Procfile', '--socket', job.dir .. '/sock', '--no-port',
        '--auto-restart', 'all',
      }
    end,
    note = 'one log for all services, lines with their names',
  },
  {
    name = 'pm2', program = 'pm2-runtime', log = 'log/flood.log', quiet = true,
    files = function(job)
      local apps = {}
      for i, s in ipairs(job.services) do
        local log = ('%s/log/%s.log'):format(job.dir, s.name)
        apps[i] = {
          name = s.name, script = s.argv[1], args = table.move(s.argv, 2, #s.argv, 1, {}), interpreter = 'none',
          restart_delay = 0, max_restarts = 1000000, out_file = log, error_file = log,
        }
      end
      return { ['log/.keep'] = '', ['pm2.json'] = cjson.encode { apps = apps } }
    end,
    argv = function(job) return { 'env', 'PM2_HOME=' .. job.dir .. '/home', 'pm2-runtime', 'start', 'pm2.json' } end,
  },
  {
    name = 'foreman', program = 'foreman', log = OWN_OUTPUT, files = procfile,
    argv = function() return { 'foreman', 'start', '-f', 'Procfile' } end,
    cannot = { restart = 'ends all when one ends' },
    note = 'one log for all services, lines with their names',
  },
  {
    name = 'concurrently', program = 'concurrently', log = OWN_OUTPUT, stop = 'INT',
    argv = function(job)
      local names, words = {}, { 'concurrently', '--restart-tries', '-1', '--restart-after', '0', '--names', '' }
      for i, s in ipairs(job.services) do
        names[i] = s.name
        words[#words + 1] = 'exec ' .. bench.line(s.argv)
      end
      words[7] = table.concat(names, ',')
      return words
    end,
    note = 'one log for all services, lines with their names',
  },
}
