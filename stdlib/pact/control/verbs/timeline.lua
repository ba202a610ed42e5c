--- `pactlua timeline`: the start of a run, or all of it, as a picture: who waited, started and was ready when, and
--- what held the last one. Read from the run's files; the network needn't live.

local chosen = require 'pact.control.verbs.chosen'
local list = require 'pact.base.list'
local runs = require 'pact.control.client.runs'
local text = require 'pact.base.text'

local M = {}

local PLAIN_WIDTH = 80

---@param context main_context
---@param run found_run
---@return timeline
local function load(context, run)
  local read, phases = require 'pact.observe.timeline.read', require 'pact.observe.timeline.phases'
  local sys, report = context.sys, { unreadable = 0 }
  local fold = phases.new(read.plan(sys.fs, run.path, report))
  local function of_probes(id) return fold:probing(id) end
  for event in read.events(sys.fs, run.path, report, of_probes) do fold:event(event) end
  local up = run.live and sys.ctl.connect(run.socket) -- a network that was killed has left its socket
  local line = fold:finish(up and sys.time.now() or nil)
  line.run, line.project = run.name, line.project or run.project
  return line, report
end

local function warn(context, report)
  local function say(...) context.err('pactlua: timeline: ' .. string.format(...) .. '\n') end
  if report.newer then say("plan.jsonl is of pactlua %s: what isn't known of it is left out", report.newer) end
  if report.unreadable > 0 then
    say("%s of the run's files can't be read: left out", text.plural(report.unreadable, 'line'))
  end
  if (report.first or 1) > 1 then say('the beginning of the journal is gone: too much has happened since') end
end

-- Without names all that were ever wanted.
local function shown(line, ids)
  if #ids > 0 then return chosen.of(line.services, ids, ' in this run') end
  return list.filter(line.services, function(service) return service.phase[1] ~= nil end)
end

-- Without those that came later: by `scale`, a reload, or a person.
local function there_by(services, at)
  return list.filter(services, function(service) return service.from[1] < at end)
end

-- The locale's characters: in any other than UTF-8 a picture is of ASCII alone.
local function speaks_utf8(env)
  local locale = ''
  for _, name in ipairs { 'LC_ALL', 'LC_CTYPE', 'LANG' } do
    if locale == '' then locale = env[name] or '' end
  end
  return locale:lower():find 'utf%-?8' ~= nil
end

---@return integer columns
local function width_of(context)
  local asked = math.tointeger(tonumber(context.env.COLUMNS or ''))
  if asked and asked > 0 then return math.min(asked, 1000) end
  return context.sys.os.isatty(1) and context.sys.os.terminal_size() or PLAIN_WIDTH
end

-- What all forms of the picture are made of.
local function picture(context, line, services, window)
  local chain = require 'pact.observe.timeline.chain'
  local hung, count, wanted = chain.hung(line)
  return {
    line = line, window = window, services = services, chain = chain.of(line), hung = hung,
    counts = { hung = count, wanted = wanted }, measure = context.sys.text.width,
  }
end

local function print_text(context, it)
  local style = require 'pact.observe.style'
  context.out(require('pact.observe.timeline.draw').render(it.line, it.window, {
    width = width_of(context), unicode = speaks_utf8(context.env), measure = it.measure, services = it.services,
    style = style.new(style.wanted(context.sys.os, 1, context.env)), chain = it.chain, hung = it.hung,
    counts = it.counts,
  }))
  return 0
end

-- `-`: standard output.
local function put(context, path, bytes)
  if path == '-' then
    context.out(bytes)
    return true
  end
  local ok, message = context.sys.fs.write(path, bytes, { atomic = true })
  if not ok then context.err(('pactlua: timeline: %s\n'):format(message)) end
  return ok
end

local FORMS = { 'svg', 'html' }

local function draw(context, it)
  local options, asked = context.invocation.options, false
  if options.json then
    context.out(require('pact.observe.timeline.record').encode(it) .. '\n')
    asked = true
  end
  for _, form in ipairs(FORMS) do
    if options[form] then
      asked = true
      if not put(context, options[form], require('pact.observe.timeline.' .. form).render(it)) then return 1 end
    end
  end
  return asked and 0 or print_text(context, it)
end

-- Two pictures in one stream are none.
local function clash(options)
  local to_stdout = {}
  if options.json then to_stdout[1] = '--json' end
  for _, form in ipairs(FORMS) do
    if options[form] == '-' then to_stdout[#to_stdout + 1] = ('--%s -'):format(form) end
  end
  if #to_stdout > 1 then return ('%s: one of them only'):format(text.enumerate(to_stdout)) end
  if options.run and options.previous then return '--run and --previous: one of them only' end
end

---@param context main_context
function M.run(context)
  local options = context.invocation.options
  local function refuse(status, message)
    context.err(('pactlua: timeline: %s\n'):format(message))
    return status
  end
  local wrong = clash(options)
  if wrong then return refuse(2, wrong) end
  local run, message, status = runs.find(context)
  if not run then return refuse(status, message) end
  local line, report = load(context, run)
  warn(context, report)
  if not line.services[1] then return refuse(1, ('nothing is known of run %s'):format(run.name)) end
  local services
  services, message = shown(line, context.invocation.ids)
  if not services then return refuse(1, message) end
  local window
  window, message = require('pact.observe.timeline.scale').window(line, options)
  if not window then return refuse(2, message) end
  if #context.invocation.ids == 0 then services = there_by(services, window.to) end
  return draw(context, picture(context, line, services, window))
end

return M
