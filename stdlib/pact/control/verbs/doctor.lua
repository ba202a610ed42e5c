--- `pactlua doctor [RECIPE]`: whether this machine has what is needed, a line for each thing looked at,
-- with what to do where something is amiss.

local columns = require 'pact.observe.columns'
local fail = require 'pact.base.fail'
local find = require 'pact.control.client.find'
local json = require 'pact.base.json'
local sched = require 'pact.base.sched'
local size = require 'pact.base.size'
local secrets = require 'pact.base.secrets'
local style = require 'pact.observe.style'
local text = require 'pact.base.text'

local M = {}

local LOW_DISK, LOW_MEMORY, FEW_FILES = 1 << 30, 256 << 20, 1024

---@alias finding { level: 'ok'|'warn'|'fail', what: string, text: string, advice?: string }

local checks = {}

function checks.system(add, sys)
  local system = sys.os.system()
  add('ok', 'pactlua', sys.version .. ', ' .. sys.program)
  add('ok', 'system', ('%s, %s, %d processors'):format(system.distribution, system.kernel, system.cpus))
  local level = system.mem_available < LOW_MEMORY and 'warn' or 'ok'
  add(level, 'memory', ('%s of %s free'):format(size.format(system.mem_available), size.format(system.mem_total)),
    'little memory is left: large networks may be killed')
end

function checks.libraries(add, sys)
  local decoded = pcall(require, 'cjson')
  add(decoded and 'ok' or 'warn', 'lua-cjson', decoded and 'there' or 'not found',
    'apt install lua-cjson; without it JSON is read more slowly')
  local editing, message = sys.edit.available()
  add(editing and 'ok' or 'warn', 'libedit', editing and 'there' or message,
    "apt install libedit2; without it the lines of 'pactlua repl' can't be edited")
end

function checks.limits(add, sys)
  local limits = sys.os.limits()
  local files = limits.nofile
  if files then
    local few = files[2] ~= -1 and files[2] < FEW_FILES
    add(few and 'warn' or 'ok', 'open files', ('%s, at most %s'):format(files[1] == -1 and 'unlimited' or files[1],
      files[2] == -1 and 'unlimited' or files[2]), 'each process takes three; raise it with ulimit -n')
  end
end

function checks.cgroup(add, sys)
  local line = sys.fs.read('/proc/self/cgroup') or ''
  local path = line:match '0::([^\n]*)'
  if not path or not sys.fs.stat '/sys/fs/cgroup/cgroup.controllers' then
    return add('ok', 'cgroup v2', 'not there; trees are ended by walking them')
  end
  local writable = sys.fs.can_write('/sys/fs/cgroup' .. path)
  add('ok', 'cgroup v2', writable and 'writable: trees can be ended in one go'
    or 'not writable; trees are ended by walking them')
end

function checks.docker(add, sys, env)
  local path = (env.DOCKER_HOST or ''):match '^unix://(.*)$' or '/var/run/docker.sock'
  local stat = sys.fs.stat(path)
  if not stat then
    add('ok', 'docker', ('no daemon at %s; only containers need one'):format(path))
  elseif sys.fs.can_write(path) then
    add('ok', 'docker', path)
  else
    add('warn', 'docker', ('%s may not be used by this user'):format(path), 'add the user to the group docker')
  end
end

function checks.place(add, sys)
  local here = sys.fs.cwd()
  local disk = sys.os.disk(here)
  if disk then
    local level = disk.available < LOW_DISK and 'warn' or 'ok'
    add(level, 'disk', ('%s free at %s'):format(size.format(disk.available), here),
      'logs need room; old runs are in .pactlua')
  end
  local writable = sys.fs.can_write(here)
  add('ok', 'state', writable and here .. '/.pactlua'
    or ('%s is read-only; state goes to $XDG_STATE_HOME/pactlua'):format(here))
end

function checks.terminal(add, sys, env)
  if not sys.os.isatty(1) then return add('ok', 'terminal', 'none: plain output without colour') end
  local columns_, rows = sys.os.terminal_size()
  local known = env.TERM and env.TERM ~= '' and env.TERM ~= 'dumb'
  local name = known and env.TERM or 'TERM is not set'
  add(known and 'ok' or 'warn', 'terminal', ('%s, %d × %d'):format(name, columns_, rows),
    'export TERM=xterm-256color')
end

local ORDER = { 'system', 'libraries', 'limits', 'cgroup', 'docker', 'place', 'terminal' }

local function check_program(add, sys, env, service)
  local name = service.command and service.command[1]
  if service.kind ~= 'process' or type(name) ~= 'string' then return end
  local path = type(service.env.PATH) == 'string' and service.env.PATH or env.PATH
  local found
  if name:find '/' then
    found = name:sub(1, 1) == '/' and name or service.cwd .. '/' .. name
    if not sys.fs.can_execute(found) then found = nil end
  else
    found = sys.os.find_program(name, path)
  end
  if found then
    add('ok', service.id, found)
  else
    local as_file = name:find '/' ~= nil
    local where = as_file and '' or (' on PATH (%s)'):format(path or 'not set')
    add('fail', service.id, ("program '%s' not found%s"):format(name, where),
      as_file and 'build it, or correct the path' or 'install it, or put its directory into PATH')
  end
end

local function check_ports(add, sys, service)
  for _, port in ipairs(service.ports) do
    if port.port > 0 and not sys.net.port_free(port.port) then
      local holder = sys.net.port_holder(port.port)
      local by = holder and (' by pid %d (%s)'):format(holder.pid, holder.command) or ''
      add(port.fallback and 'warn' or 'fail', service.id, ('port %d is taken%s'):format(port.port, by),
        'end what holds it, or choose another')
    end
  end
end

local function check_plan(add, sys, env, plan)
  for _, id in ipairs(plan.order) do
    local service = plan.services[id]
    check_program(add, sys, env, service)
    check_ports(add, sys, service)
    if service.kind == 'process' and not sys.fs.stat(service.cwd) then
      add('fail', id, ("cwd '%s' does not exist"):format(service.cwd), 'make it, or correct cwd')
    end
  end
end

-- libcurl is loaded at the first request; one that nobody can answer tells whether that works.
local function check_curl(add, sys, loop)
  local id = sys.http.request { url = 'http://127.0.0.1:9/', timeout = 2000 }
  local _, response, message, code = loop:await(id)
  local works = response or code ~= 'other'
  add(works and 'ok' or 'fail', 'libcurl', works and 'there' or message,
    'apt install libcurl4: health checks by HTTP need it')
end

---@param findings finding[]
---@return integer status
local function show(context, findings)
  local worst = 0
  for _, finding in ipairs(findings) do
    if finding.level == 'fail' then worst = 1 end
  end
  if context.invocation.options.json then
    context.out(json.encode(json.array(findings), { indent = true }) .. '\n')
    return worst
  end
  local paint = style.new(style.wanted(context.sys.os, 1, context.env))
  local rows = { { '', '', '' } }
  for i, finding in ipairs(findings) do
    local said = finding.text
    if finding.level ~= 'ok' and finding.advice then said = ('%s — %s'):format(said, finding.advice) end
    rows[i + 1] = { finding.level, finding.what, said }
  end
  local colours = { ok = 'green', warn = 'yellow', fail = 'red' }
  local out = columns.render(rows, {
    paint = function(cell, column) return column == 1 and paint:paint(colours[cell], cell) or cell end,
  })
  context.out((out:gsub('^\n', '')))
  return worst
end

local function check_recipe(context, add, done)
  local sys = context.sys
  require('pact.control.declared').run(context, function(plan, problems, _, declared)
    if plan then
      add('ok', 'recipe', ('%s: %s'):format(context.recipe.name, text.plural(#plan.order, 'service')))
      check_plan(add, sys, context.env, plan)
    else
      for _, problem in ipairs(problems) do add('fail', 'recipe', fail.text(problem)) end
    end
    done(declared.secret_values)
  end)
end

---@param context main_context
function M.run(context)
  local sys, env, findings = context.sys, context.env, {}
  local function add(level, what, found, advice)
    findings[#findings + 1] = { level = level, what = what, text = found, advice = level ~= 'ok' and advice or nil }
  end
  if context.invocation.recipe then
    local recipe, message = find.recipe(sys, context.invocation)
    if not recipe then
      context.err(('pactlua: %s\n'):format(message))
      return 2
    end
    context.recipe = recipe
  end
  for _, name in ipairs(ORDER) do checks[name](add, sys, env) end
  local loop = sched.new(sys, function(message)
    context.err(('pactlua: doctor: %s\n'):format(message))
    sys.stop(1)
  end)
  loop:spawn(function()
    check_curl(add, sys, loop)
    if not context.recipe then return sys.stop(show(context, findings)) end
    check_recipe(context, add, function(values)
      local hidden = secrets.new(values)
      for _, finding in ipairs(findings) do finding.text = hidden:words(finding.text) end
      sys.stop(show(context, findings))
    end)
  end, { name = 'doctor' })
end

return M
