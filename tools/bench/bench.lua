--- Runs the measurements of measures.lua, with --compare the peers too, and shows a table or JSON.
local bench = require 'setting'
local cjson = require 'cjson'
local compare = require 'compare'
local measures = require 'measures'
local peers = require 'peers'
local show = require 'show'

local USAGE = [[
usage: tools/bench/run [OPTION]… [NAME…]

Measures pactlua beside the least C program that does the same work (floor.c), in the same minute.
NAME: only these measurements; with --compare, these supervisors too. A figure is the median of
several; floor and ours take turns. Nothing else should be busy meanwhile.

  --compare     also the other supervisors that are on PATH, on the same work
  --quick       fewer rounds, shorter looks
  --json        everything as JSON, with each round's values
  --markdown    tables for a document
  --list        the names
  --build DIR   measure this build instead of build/release
  --help        this]]

local function die(message)
  io.stderr:write('tools/bench/run: ', message, '\n')
  os.exit(2)
end

local function list()
  print 'measurements:'
  for _, measure in ipairs(measures) do print(('  %-16s %s'):format(measure.name, measure.help)) end
  print 'supervisors, with --compare:'
  for _, adapter in ipairs(peers) do
    print(('  %-16s %s'):format(adapter.name, compare.present(adapter) and 'present' or 'not on PATH'))
  end
end

local FLAGS = { ['--quick'] = 'quick', ['--json'] = 'json', ['--compare'] = 'compare', ['--markdown'] = 'markdown' }

local function parse(words)
  local options, at = { names = {} }, 1
  while words[at] do
    local word = words[at]
    if FLAGS[word] then
      options[FLAGS[word]] = true
    elseif word == '--build' then
      at = at + 1
    elseif word == '--list' or word == '--help' then
      options.only = word
    elseif word:sub(1, 1) == '-' then
      die(("no option '%s'; see tools/bench/run --help"):format(word))
    else
      options.names[word] = true
    end
    at = at + 1
  end
  return options
end

local function has_name(of, name)
  for _, one in ipairs(of) do
    if one.name == name then return true end
  end
  return false
end

local function check_names(options)
  for name in pairs(options.names) do
    if has_name(peers, name) and not options.compare and not has_name(measures, name) then
      die(("'%s' is a supervisor: with --compare"):format(name))
    elseif not has_name(peers, name) and not has_name(measures, name) then
      die(("no measurement '%s'; tools/bench/run --list says which there are"):format(name))
    end
  end
end

-- With names only these; else all, but with --quick not the slow ones.
local function wants(options, measure)
  if next(options.names) then return options.names[measure.name] end
  return not (options.quick and measure.slow)
end

local function put(options, text)
  if options.json then return end
  io.write(text, '\n')
  io.flush()
end

local function run_measures(options)
  local rows, broken = {}, 0
  for _, measure in ipairs(measures) do
    if wants(options, measure) then
      local ok, result = xpcall(measure.run, debug.traceback, options)
      bench.clean()
      if not ok then
        broken = broken + 1
        io.stderr:write(('%s failed: %s\n'):format(measure.name, result))
      end
      if ok and #rows == 0 then put(options, show.head(options.markdown)) end
      for _, row in ipairs(ok and result or {}) do
        row.name, row.met = measure.name, show.met(row)
        rows[#rows + 1] = row
        put(options, show.row(row, options.markdown))
      end
    end
  end
  return rows, broken
end

local function run_comparison(options)
  local all, some = next(options.names) == nil, false
  for name in pairs(options.names) do some = some or has_name(peers, name) end
  if not options.compare or not (all or some) then return nil end
  return compare.run(options, function(name) return all or options.names[name] or false end)
end

local options = parse(arg)
if options.only == '--help' then
  print(USAGE)
  os.exit(0)
elseif options.only == '--list' then
  list()
  os.exit(0)
end
check_names(options)
function options.tell(text) io.stderr:write('compare: ', text, '\n') end

local rows, broken = run_measures(options)
local summary = show.summary(rows)
if summary then put(options, '\n' .. summary) end
local compared, absent = run_comparison(options)
if compared then put(options, '\n' .. show.comparison(compared, absent, options.markdown)) end
if options.json then print(cjson.encode { rows = rows, broken = broken, compared = compared, absent = absent }) end
os.exit(broken == 0)
